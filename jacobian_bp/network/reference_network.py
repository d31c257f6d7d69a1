"""The 3-4-2-1 classifier of the second seed, at one fixed point.

The seed ("The Math behind Neural Networks - Backpropagation") gives the
architecture; its numbers were chosen so that one ReLU unit is off.
"""

from .network import Network

PARAMS = {
    "W1": [[0.2, -0.4, 0.1], [0.5, 0.3, -0.2], [-0.3, -0.6, 0.4], [0.1, -0.2, -0.5]],
    "b1": [0.1, -0.1, -0.15, 0.05],
    "W2": [[0.3, -0.5, 0.2, 0.7], [-0.6, 0.4, 0.9, 0.1]],
    "b2": [0.05, 0.1],
    "W3": [[0.8, -1.1]],
    "b3": [0.1],
}
X = [1.0, -2.0, 0.5]
Y = [1.0]


def second_seed() -> Network:
    """x(3) → 4 relu → 2 relu → 1 sigmoid, binary cross-entropy.

    >>> round(second_seed().run(X, Y).loss, 6)
    0.508416
    """
    return Network.dense([3, 4, 2, 1], ["relu", "relu", "sigmoid"], "bce", params=PARAMS)
