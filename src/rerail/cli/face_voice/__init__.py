"""What is done with a trained network that matches pictures and voices."""
