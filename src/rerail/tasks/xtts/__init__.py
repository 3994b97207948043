"""XTTS-style speech: many speakers and languages, a voice taken from a recording (after Casanova et al. 2024)."""
