"""Which entries can be other than zero, counted before anything is built, and words for them.

Offers Pattern, Relation.
May import products and below.
"""
