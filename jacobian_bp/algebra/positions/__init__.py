"""Where a delta reads: positions, the factors that read there, and adding entries back to them.

Offers Affine, Table, At, Within, scatter.
May import tape and below.
"""
