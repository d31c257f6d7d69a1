"""The evidence: which mistakes give the numbers that were handed in, and how much they prove.

Imports mutations and passes.
"""
