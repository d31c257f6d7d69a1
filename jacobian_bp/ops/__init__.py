"""The ops: one class each, with signature, forward, jacobians and vjp.

Offers Op, Activation, Penalty, Reduction, elementwise, outer, over_batch; and each op by its name.
May import algebra and below.
"""

from .activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from .arithmetic import Add, Divide, Multiply, Subtract
from .base import Op, elementwise, outer, over_batch
from .convolution import Conv1d, Conv2d
from .cross_entropy import CrossEntropy, CrossEntropyFromLogits
from .divergence import KLDivergence, KLDivergenceFromLogits
from .einsum import Einsum
from .elementary import Abs, Exp, Log, Power, Sqrt
from .linear import Linear
from .looking_up import CumSum, Embedding, Gather, Sort
from .losses import (
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    HalfSquaredError,
    Huber,
    SquaredError,
)
from .norms import BatchNorm, LayerNorm, RMSNorm
from .penalties import HalfL2Penalty, L1Penalty, L2Penalty, Penalty
from .pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .rearranging import Concat, Flip, Pad, Slice, Transpose
from .reductions import Mean, MeanOverOutputs, Reduction, Sum
from .smooth import ELU, GELU, SiLU
from .softmax import LogSoftmax, Softmax

__all__ = [
    "ELU",
    "GELU",
    "Abs",
    "Activation",
    "Add",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromLogits",
    "Concat",
    "Conv1d",
    "Conv2d",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "CumSum",
    "Divide",
    "Einsum",
    "Embedding",
    "Exp",
    "Flip",
    "Gather",
    "HalfL2Penalty",
    "HalfSquaredError",
    "Huber",
    "Identity",
    "KLDivergence",
    "KLDivergenceFromLogits",
    "L1Penalty",
    "L2Penalty",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Log",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "Mean",
    "MeanOverOutputs",
    "Multiply",
    "Op",
    "Pad",
    "Penalty",
    "Power",
    "RMSNorm",
    "ReLU",
    "Reduction",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Sort",
    "Sqrt",
    "SquaredError",
    "Subtract",
    "Sum",
    "Tanh",
    "Transpose",
    "elementwise",
    "outer",
    "over_batch",
]
