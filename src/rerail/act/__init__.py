"""Commit a step under knobs; take, keep and restore states, in memory and on disk."""
