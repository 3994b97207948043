"""The public fault zoo: real failures with their truth, healthy runs, and what rerail and others make of them."""
