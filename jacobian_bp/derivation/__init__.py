"""Every gradient of a run written out step by step: the steps as data, the conventions, the text.

Offers derive, Derivation, Ledger, explain, Convention, CONVENTIONS, find_convention.
May import checks and below.
"""
