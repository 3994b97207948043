"""Corpora: readers, checked clips, cached features, batches. No model is known here."""
