"""What whole Jacobians cost, predicted from shapes and measured, beside the other routes.

Offers command, report, timing, cost.
May import network and below.
"""
