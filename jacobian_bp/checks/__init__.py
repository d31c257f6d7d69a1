"""Is it right? The routes against each other, an op against finite differences, a Taylor remainder.

Offers check, Agreement, check_op, OpReport, check_gradient, GradientReport, taylor_test,
TaylorReport.
May import curvature and below.
"""
