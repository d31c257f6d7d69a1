"""The page of a derivation: graph, steps, and the chosen object with its entries, in one file.

Offers page_of, Explored.
May import derivation and below.
"""
