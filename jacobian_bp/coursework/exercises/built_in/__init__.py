"""The exercises of the package, one file each.

The files of this folder are the list: the catalogue imports each.

Offers e01_shape_table; and so on to e27_source_to_complete.
May import exercises and below.
"""
