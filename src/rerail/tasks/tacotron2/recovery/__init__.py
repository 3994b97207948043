"""Emergency recovery: what is wrong with a run, the newest state worth going on from, and settings that are tried."""
