"""Routes, whole Jacobians and other packages at one task, timed side by side.

Offers measure, Journal, Subject, Workload, Result, Timer, run_sweep, growths.
May import cost and below.
"""
