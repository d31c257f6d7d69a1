"""Backpropagation written out in full.

Every op hands over its whole Jacobian as a structured tensor; the chain rule is
a sequence of einsum contractions; the textbook formulas fall out by spending
the Kronecker deltas; and a fast vector-Jacobian route that shares no derivative
with them shows that they are right.
"""

from .axes import Axis
from .chain import Chain
from .check import Agreement
from .check_op import OpReport, check_op
from .compiled.step import CompiledStep
from .coursework.diagnosis.diagnose import diagnose
from .coursework.diagnosis.lines.diagnose_line import diagnose_line
from .coursework.diagnosis.lines.report import LineReport
from .coursework.diagnosis.report import Diagnosis, Finding
from .derivation import Derivation
from .errors import AxisError, DomainError, JacobianError, MemoryLimitError, SpecError
from .factors import delta, dense, distinct, one
from .jacobian import Jacobian
from .layouts import LAYOUTS, from_layout, to_layout
from .memory import memory_limit
from .network import Network
from .ops import (
    Add,
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    CrossEntropy,
    CrossEntropyFromLogits,
    Einsum,
    HalfSquaredError,
    Identity,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Mean,
    Multiply,
    Op,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    SquaredError,
    Sum,
    Tanh,
    outer,
    over_batch,
)
from .run import Run
from .stacked import StackedJacobian
from .taylor import TaylorReport, taylor_test

__version__ = "0.1.0"

__all__ = [
    "LAYOUTS",
    "Add",
    "Agreement",
    "Axis",
    "AxisError",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromLogits",
    "Chain",
    "CompiledStep",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "Derivation",
    "Diagnosis",
    "DomainError",
    "Einsum",
    "Finding",
    "HalfSquaredError",
    "Identity",
    "Jacobian",
    "JacobianError",
    "LeakyReLU",
    "LineReport",
    "Linear",
    "LogSoftmax",
    "Mean",
    "MemoryLimitError",
    "Multiply",
    "Network",
    "Op",
    "OpReport",
    "ReLU",
    "Run",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpecError",
    "SquaredError",
    "StackedJacobian",
    "Sum",
    "Tanh",
    "TaylorReport",
    "check_op",
    "delta",
    "dense",
    "diagnose",
    "diagnose_line",
    "distinct",
    "from_layout",
    "memory_limit",
    "one",
    "outer",
    "over_batch",
    "taylor_test",
    "to_layout",
]
