"""Every gradient of a run written out step by step: the steps as data, the conventions, the text.

Offers Convention, ReadyMade, find_convention, READY_MADE, written_in, derive, Derivation, Ledger,
explain.
May import checks and below.
"""
