"""A network as a straight-line program of ops, and a forward pass with its local Jacobians.

Offers Program, Step, read_program, run_forward, Pass.
May import ops and below.
"""
