"""Pictures with recordings: found, decoded once, split without leaks, made to batches."""
