"""The known mistakes, each declared as what it changes in the lines of a backward pass.

Offers mutation, Mutation, Wrong, Facts, variations.
May import passes and below.
"""
