"""Journals of real trainings, sound ones and failed ones, and what the default plan of today makes of them."""
