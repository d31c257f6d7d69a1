"""The 3-4-2-1 classifier of the second seed, at one fixed point.

>>> round(second_seed().run(X, Y).loss, 6)
0.508416
"""

from .network.reference_network import PARAMS, X, Y, second_seed

__all__ = ["PARAMS", "X", "Y", "second_seed"]
