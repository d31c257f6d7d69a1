"""The ops: one class each, with signature, forward, jacobians, second derivatives and vjp.

Offers Op, Activation, Penalty, Reduction, elementwise, outer, over_batch; and each op by its name.
May import algebra and below.
"""

from . import given_statistics as given_statistics  # what BatchNorm may become
from . import weighted_cross_entropy as weighted_cross_entropy  # what CrossEntropy may become
from .activations import Activation, Identity, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from .arithmetic import Add, Divide, Multiply, Subtract
from .base import Op, elementwise, outer, over_batch
from .convolution import Conv1d, Conv2d
from .cross_entropy import CrossEntropy, CrossEntropyFromLogits
from .divergence import KLDivergence, KLDivergenceFromLogits
from .dropout import Dropout
from .einsum import Einsum
from .elementary import Abs, Exp, Log, Power, Sqrt
from .extremes import Max, Min
from .gated import GRUCell, LSTMCarry, LSTMCell, LSTMOutput
from .group_norm import GroupNorm
from .hinge import Hinge
from .linear import Linear
from .linear_algebra import Det, Inverse, LogDet, LogSumExp
from .looking_up import CumSum, Embedding, Gather, Sort
from .losses import (
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    HalfSquaredError,
    Huber,
    SquaredError,
)
from .masked_softmax import CausalSoftmax
from .matrices import Diag, Kron, Part, Vec
from .norms import BatchNorm, LayerNorm, RMSNorm
from .penalties import HalfL2Penalty, L1Penalty, L2Penalty, Penalty
from .periodic import Cos, Sin
from .pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .rearranging import Concat, Flip, Pad, Slice, Transpose
from .recurrent import RNNCell
from .reductions import Mean, MeanOverOutputs, Reduction, Sum
from .reshaping import Flatten, Reshape
from .smooth import ELU, GELU, SiLU
from .softmax import LogSoftmax, Softmax
from .transposed_convolution import ConvTranspose1d, ConvTranspose2d

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
    "CausalSoftmax",
    "Concat",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "Cos",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "CumSum",
    "Det",
    "Diag",
    "Divide",
    "Dropout",
    "Einsum",
    "Embedding",
    "Exp",
    "Flatten",
    "Flip",
    "GRUCell",
    "Gather",
    "GroupNorm",
    "HalfL2Penalty",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "Identity",
    "Inverse",
    "KLDivergence",
    "KLDivergenceFromLogits",
    "Kron",
    "L1Penalty",
    "L2Penalty",
    "LSTMCarry",
    "LSTMCell",
    "LSTMOutput",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Log",
    "LogDet",
    "LogSoftmax",
    "LogSumExp",
    "Max",
    "MaxPool1d",
    "MaxPool2d",
    "Mean",
    "MeanOverOutputs",
    "Min",
    "Multiply",
    "Op",
    "Pad",
    "Part",
    "Penalty",
    "Power",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "Reduction",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "Sin",
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
    "Vec",
    "elementwise",
    "outer",
    "over_batch",
]
