"""The ops: one class each, with signature, forward, jacobians and vjp.

Offers Op, Activation, Penalty, Reduction, elementwise, outer, over_batch; and each op by its name.
May import algebra and below.
"""

from .activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from .arithmetic import Add, Divide, Multiply, Subtract
from .base import Op, elementwise, outer, over_batch
from .cross_entropy import CrossEntropy, CrossEntropyFromLogits
from .divergence import KLDivergence, KLDivergenceFromLogits
from .einsum import Einsum
from .linear import Linear
from .losses import (
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    HalfSquaredError,
    Huber,
    SquaredError,
)
from .penalties import HalfL2Penalty, L1Penalty, L2Penalty, Penalty
from .reductions import Mean, MeanOverOutputs, Reduction, Sum
from .softmax import LogSoftmax, Softmax

__all__ = [
    "Activation",
    "Add",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromLogits",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "Divide",
    "Einsum",
    "HalfL2Penalty",
    "HalfSquaredError",
    "Huber",
    "Identity",
    "KLDivergence",
    "KLDivergenceFromLogits",
    "L1Penalty",
    "L2Penalty",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Mean",
    "MeanOverOutputs",
    "Multiply",
    "Op",
    "Penalty",
    "ReLU",
    "Reduction",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Subtract",
    "Sum",
    "Tanh",
    "elementwise",
    "outer",
    "over_batch",
]
