"""Backpropagation written out in full.

Every op hands over its whole Jacobian as a structured tensor; the chain rule is
a sequence of einsum contractions; the textbook formulas fall out by spending
the Kronecker deltas; and a fast vector-Jacobian route that shares no derivative
with them shows that they are right.

A Network is run on data; its Run gives values, a Jacobian, StackedJacobian or Chain, a
Hessian or StackedHessian, a Derivation, and an Agreement of all routes; compiled it is
a CompiledStep; over batches it gives a JacobianOver. An Op of one's own is written with
delta, dense, distinct, one, at, within, outer and over_batch, and judged by check_op;
check_gradient judges the gradient of any numpy function, taylor_test any derivative.
read_table gives a file's or a frame's inputs and targets as TableData. formula derives
a formula that is typed in, as a Formula. diagnose finds the mistake in a student's
arrays, diagnose_line in a line of numpy, diagnose_code in a whole backward function.
to_layout and from_layout change the convention. Each name is loaded when it is first
used.
"""

from importlib import import_module

TYPE_CHECKING = False  # not from typing, which takes a while to load, with nobody there for Ctrl-C

_OFFERED = {
    "algebra.axes": ["Axis"],
    "algebra.expression": ["delta", "dense", "distinct", "one"],
    "algebra.jacobian": ["Jacobian"],
    "algebra.layouts": ["LAYOUTS", "from_layout", "to_layout"],
    "algebra.written_positions": ["at", "within"],
    "checks.all_routes": ["Agreement"],
    "checks.one_gradient": ["GradientReport", "check_gradient"],
    "checks.one_op": ["OpReport", "check_op"],
    "checks.taylor": ["TaylorReport", "taylor_test"],
    "coursework.code.code_report": ["CodeReport"],
    "coursework.code.one_text": ["diagnose_code"],
    "coursework.diagnosis.diagnosis": ["Diagnosis", "Finding"],
    "coursework.diagnosis.of_arrays": ["diagnose"],
    "coursework.lines.line_report": ["LineReport"],
    "coursework.lines.one_line": ["diagnose_line"],
    "curvature.hessian": ["Hessian"],
    "curvature.stacked_hessian": ["StackedHessian"],
    "derivation.convention": ["Convention"],
    "derivation.derivation": ["Derivation"],
    "errors": ["AxisError", "DomainError", "JacobianError", "MemoryLimitError", "SpecError"],
    "formulas.formula": ["Formula", "formula"],
    "network.files.tables.read_table": ["TableData", "read_table"],
    "network.jacobian_over": ["JacobianOver"],
    "network.network": ["Network"],
    "network.run": ["Run"],
    "numbers.memory": ["memory_limit"],
    "ops": [
        "Abs",
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
        "Dropout",
        "ELU",
        "Det",
        "Diag",
        "Divide",
        "Einsum",
        "Embedding",
        "Exp",
        "Flatten",
        "Flip",
        "GELU",
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
        "Power",
        "RMSNorm",
        "RNNCell",
        "ReLU",
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
        "outer",
        "over_batch",
    ],
    "routes.einsum_chain": ["Chain"],
    "routes.compiled.step": ["CompiledStep"],
    "routes.stacked": ["StackedJacobian"],
    "version": ["__version__"],
}
_MODULE_OF = {name: module for module, names in _OFFERED.items() for name in names}
_PARTS = {module.partition(".")[0] for module in _OFFERED}
_PARTS |= {
    "chunks",
    "compare",
    "document",
    "picture",
    "program",
    "reference",
    "source",
    "writing",
}  # of which no name is offered here

__all__ = sorted(_MODULE_OF)

if TYPE_CHECKING:  # what a type checker and an editor read; `as` says that a name is offered
    from .algebra.axes import Axis as Axis
    from .algebra.expression import delta as delta
    from .algebra.expression import dense as dense
    from .algebra.expression import distinct as distinct
    from .algebra.expression import one as one
    from .algebra.jacobian import Jacobian as Jacobian
    from .algebra.layouts import LAYOUTS as LAYOUTS
    from .algebra.layouts import from_layout as from_layout
    from .algebra.layouts import to_layout as to_layout
    from .algebra.written_positions import at as at
    from .algebra.written_positions import within as within
    from .checks.all_routes import Agreement as Agreement
    from .checks.one_gradient import GradientReport as GradientReport
    from .checks.one_gradient import check_gradient as check_gradient
    from .checks.one_op import OpReport as OpReport
    from .checks.one_op import check_op as check_op
    from .checks.taylor import TaylorReport as TaylorReport
    from .checks.taylor import taylor_test as taylor_test
    from .coursework.code.code_report import CodeReport as CodeReport
    from .coursework.code.one_text import diagnose_code as diagnose_code
    from .coursework.diagnosis.diagnosis import Diagnosis as Diagnosis
    from .coursework.diagnosis.diagnosis import Finding as Finding
    from .coursework.diagnosis.of_arrays import diagnose as diagnose
    from .coursework.lines.line_report import LineReport as LineReport
    from .coursework.lines.one_line import diagnose_line as diagnose_line
    from .curvature.hessian import Hessian as Hessian
    from .curvature.stacked_hessian import StackedHessian as StackedHessian
    from .derivation.convention import Convention as Convention
    from .derivation.derivation import Derivation as Derivation
    from .errors import AxisError as AxisError
    from .errors import DomainError as DomainError
    from .errors import JacobianError as JacobianError
    from .errors import MemoryLimitError as MemoryLimitError
    from .errors import SpecError as SpecError
    from .formulas.formula import Formula as Formula
    from .formulas.formula import formula as formula
    from .network.files.tables.read_table import TableData as TableData
    from .network.files.tables.read_table import read_table as read_table
    from .network.jacobian_over import JacobianOver as JacobianOver
    from .network.network import Network as Network
    from .network.run import Run as Run
    from .numbers.memory import memory_limit as memory_limit
    from .ops import ELU as ELU
    from .ops import GELU as GELU
    from .ops import Abs as Abs
    from .ops import Add as Add
    from .ops import AvgPool1d as AvgPool1d
    from .ops import AvgPool2d as AvgPool2d
    from .ops import BatchNorm as BatchNorm
    from .ops import BinaryCrossEntropy as BinaryCrossEntropy
    from .ops import BinaryCrossEntropyFromLogits as BinaryCrossEntropyFromLogits
    from .ops import CausalSoftmax as CausalSoftmax
    from .ops import Concat as Concat
    from .ops import Conv1d as Conv1d
    from .ops import Conv2d as Conv2d
    from .ops import ConvTranspose1d as ConvTranspose1d
    from .ops import ConvTranspose2d as ConvTranspose2d
    from .ops import Cos as Cos
    from .ops import CrossEntropy as CrossEntropy
    from .ops import CrossEntropyFromLogits as CrossEntropyFromLogits
    from .ops import CumSum as CumSum
    from .ops import Det as Det
    from .ops import Diag as Diag
    from .ops import Divide as Divide
    from .ops import Dropout as Dropout
    from .ops import Einsum as Einsum
    from .ops import Embedding as Embedding
    from .ops import Exp as Exp
    from .ops import Flatten as Flatten
    from .ops import Flip as Flip
    from .ops import Gather as Gather
    from .ops import GroupNorm as GroupNorm
    from .ops import GRUCell as GRUCell
    from .ops import HalfL2Penalty as HalfL2Penalty
    from .ops import HalfSquaredError as HalfSquaredError
    from .ops import Hinge as Hinge
    from .ops import Huber as Huber
    from .ops import Identity as Identity
    from .ops import Inverse as Inverse
    from .ops import KLDivergence as KLDivergence
    from .ops import KLDivergenceFromLogits as KLDivergenceFromLogits
    from .ops import Kron as Kron
    from .ops import L1Penalty as L1Penalty
    from .ops import L2Penalty as L2Penalty
    from .ops import LayerNorm as LayerNorm
    from .ops import LeakyReLU as LeakyReLU
    from .ops import Linear as Linear
    from .ops import Log as Log
    from .ops import LogDet as LogDet
    from .ops import LogSoftmax as LogSoftmax
    from .ops import LogSumExp as LogSumExp
    from .ops import LSTMCarry as LSTMCarry
    from .ops import LSTMCell as LSTMCell
    from .ops import LSTMOutput as LSTMOutput
    from .ops import Max as Max
    from .ops import MaxPool1d as MaxPool1d
    from .ops import MaxPool2d as MaxPool2d
    from .ops import Mean as Mean
    from .ops import MeanOverOutputs as MeanOverOutputs
    from .ops import Min as Min
    from .ops import Multiply as Multiply
    from .ops import Op as Op
    from .ops import Pad as Pad
    from .ops import Part as Part
    from .ops import Power as Power
    from .ops import ReLU as ReLU
    from .ops import Reshape as Reshape
    from .ops import RMSNorm as RMSNorm
    from .ops import RNNCell as RNNCell
    from .ops import Sigmoid as Sigmoid
    from .ops import SiLU as SiLU
    from .ops import Sin as Sin
    from .ops import Slice as Slice
    from .ops import Softmax as Softmax
    from .ops import Softplus as Softplus
    from .ops import Sort as Sort
    from .ops import Sqrt as Sqrt
    from .ops import SquaredError as SquaredError
    from .ops import Subtract as Subtract
    from .ops import Sum as Sum
    from .ops import Tanh as Tanh
    from .ops import Transpose as Transpose
    from .ops import Vec as Vec
    from .ops import outer as outer
    from .ops import over_batch as over_batch
    from .routes.compiled.step import CompiledStep as CompiledStep
    from .routes.einsum_chain import Chain as Chain
    from .routes.stacked import StackedJacobian as StackedJacobian
    from .version import __version__ as __version__
else:

    def __getattr__(name: str) -> object:
        """What is offered as `name`, or the module or room of that name, loaded on first use."""
        if name in _PARTS:
            return import_module(f".{name}", __name__)
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        offered = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        globals()[name] = offered
        return offered

    def __dir__() -> list[str]:
        """Every name and part, loaded or not."""
        return sorted({*__all__, *_PARTS})
