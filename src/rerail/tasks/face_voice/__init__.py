"""Pictures and voices matched: two encoders whose embeddings of one identity lie near each other."""
