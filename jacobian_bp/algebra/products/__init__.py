"""Products of deltas and factors worked out: deltas spent, sums contracted, entries placed.

Offers spend, multiply, sum_out, evaluate, contract, solved.
May import expression and below.
"""
