"""Runs while they train, seen from another process: what each does just now, its curves, where runs lie."""
