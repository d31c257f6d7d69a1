"""A formula typed in: shapes inferred, made a program, its derivatives written and checked.

Offers formula, Formula.
May import checks and below.
"""
