"""Every gradient of a run written out step by step: the steps as data, the conventions, the text.

Offers Convention, derive, Derivation, Ledger, explain, CONVENTIONS, find_convention.
May import checks and below.
"""
