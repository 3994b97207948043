"""The trainers that stand on the guard: one folder each."""
