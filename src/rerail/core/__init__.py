"""Pure decisions: a Reading goes in, a Verdict comes out. No torch, no clock, no path, no logger, no randomness."""
