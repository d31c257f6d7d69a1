"""What a user holds: a network with its parameters, and one run of it on data.

Offers Network, Run, second_seed, case_of, files.
May import derivation and below.
"""
