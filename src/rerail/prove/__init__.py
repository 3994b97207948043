"""Run a step under given conditions. The live step is the first of them; a replay changes one thing."""
