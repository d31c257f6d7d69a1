"""Jacobians as data: named axes, Kronecker deltas and dense factors, and the chain rule on them.

Offers Axis, Expression, delta, dense, one, distinct, at, within, Node, Link, Jacobian, walk,
to_layout, from_layout, Tape.
May import chunks and below.
"""
