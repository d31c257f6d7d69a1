"""Backpropagation written out in full.

Every op hands over its whole Jacobian as a structured tensor; the chain rule is
a sequence of einsum contractions; the textbook formulas fall out by spending
the Kronecker deltas; and a fast vector-Jacobian route that shares no derivative
with them shows that they are right.
"""

from .algebra.axes import Axis
from .algebra.expression import delta, dense, distinct, one
from .algebra.jacobian import Jacobian
from .algebra.layouts import LAYOUTS, from_layout, to_layout
from .checks.all_routes import Agreement
from .checks.one_op import OpReport, check_op
from .checks.taylor import TaylorReport, taylor_test
from .coursework.diagnosis.diagnosis import Diagnosis, Finding
from .coursework.diagnosis.of_arrays import diagnose
from .coursework.lines.line_report import LineReport
from .coursework.lines.one_line import diagnose_line
from .derivation.derivation import Derivation
from .errors import AxisError, DomainError, JacobianError, MemoryLimitError, SpecError
from .network.network import Network
from .network.run import Run
from .numbers.memory import memory_limit
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
from .routes.chain import Chain
from .routes.compiled.step import CompiledStep
from .routes.stacked import StackedJacobian
from .version import __version__

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
    "__version__",
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
