"""The thirteen exercises of the package, one file each.

The files of this folder are the list: the catalogue imports each.

Offers e01_shape_table; and so on to e13_hessian.
May import exercises and below.
"""
