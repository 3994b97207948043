"""What others make of the same training runs: real packages with their defaults, and published rules written out.

A run states its loss weights, schedule, precision, scaler and clipping, and every rival honours them. Where a run states
no clipping, a rival's own default applies. `python -m faultbench.rivals --check` plays all of them.
"""
