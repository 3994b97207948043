"""Signals: files to samples, samples to log-mel spectrograms and back. Knows no model and no corpus."""
