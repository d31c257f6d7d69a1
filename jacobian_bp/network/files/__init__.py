"""Files from outside, read strictly and never run: tables of numbers, weights, whole networks.

Offers tables, read_net_file, write_example, read_weights, write_weights,
read_answers.
May import network and below.
"""
