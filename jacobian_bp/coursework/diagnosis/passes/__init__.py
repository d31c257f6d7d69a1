"""The backward pass as data: a list of lines, each a product of named factors.

Offers Line, Backward, backward_pass, formulas.
May import network and below.
"""
