"""The gradient by four routes, vjp, full, structured and difference; a whole chain as one einsum.

Offers gradients, pull, full_reverse, structured, difference, Chain, StackedJacobian, compiled.
May import program and below.
"""
