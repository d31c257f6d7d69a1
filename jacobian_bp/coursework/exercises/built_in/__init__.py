"""The twelve exercises of the package, one file each.

Offers e01_shape_table; and so on to e12_skip_connection.
May import exercises and below.
"""
