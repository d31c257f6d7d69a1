"""One line of the results: what was predicted of one subject, and what was measured."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...network.sizes import format_sizes
from ...ops import Linear, Reduction
from ...program.forward_pass import Pass
from ...writing.signs import dims, plural
from .timer import Sample

GRADIENT = "gradient"  # by every parameter, from a finished forward pass: what a route gives
STEP = "cost and all gradients, forward pass included"


@dataclass(frozen=True)
class Result:
    """A subject at one workload. What is not known, or was refused, is None."""

    task: str  # the workload's label, under the name that result files have
    quantity: str
    subject: str
    axis: str = ""  # what a sweep changes: width, depth, batch
    size: int | None = None
    sizes: str = ""  # of the network: 784-128-10
    batch: int | None = None
    activations: str = ""
    loss: str = ""
    reduction: str = ""
    dtype: str = ""
    multiplications: int | None = None
    nonzero_multiplications: int | None = None
    predicted_bytes: int | None = None
    largest: str = ""
    largest_bytes: int | None = None
    minimum: float | None = None
    median: float | None = None
    spread: float | None = None
    rounds: int = 0
    calls: int = 0
    built_bytes: int | None = None  # whole Jacobians and products, followed from birth to death
    measured_bytes: int | None = None  # all that numpy allocated at the peak
    refused: str = ""
    complete: bool = False

    def timed(self, sample: Sample | None, rounds_done: bool) -> "Result":
        """The row with its seconds; without a sample as it is."""
        if sample is None or not sample.seconds:
            return self
        return replace(
            self,
            minimum=sample.minimum,
            median=sample.median,
            spread=sample.spread,
            rounds=sample.rounds,
            calls=sample.calls,
            complete=rounds_done,
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def ratio(row: Result, base: Result | None) -> float | None:
    """How many times as long as `base`, by their minima.

    None where one has no length, or is of another quantity.
    """
    if base is None or row.minimum is None or not base.minimum or row.quantity != base.quantity:
        return None
    return row.minimum / base.minimum


def blank_result(state: Pass, label: str, quantity: str) -> Result:
    """A row that says which network is measured, and no subject yet."""
    steps = state.program.steps
    data = state.program.inputs[0]
    losses = [type(step.op).__name__ for step in steps if step.op.labels]
    ends = [type(step.op).__name__ for step in steps if isinstance(step.op, Reduction)]
    between = [
        type(step.op).__name__
        for step in steps
        if not step.op.labels and not isinstance(step.op, Linear | Reduction)
    ]
    first = state.values[data]
    return Result(
        label,
        quantity,
        "",
        sizes=words_of(state),
        batch=len(first) if data in state.batched else None,
        activations=counted(between),
        loss=", ".join(losses),
        reduction=", ".join(ends) or "one example",
        dtype=str(state.dtype),
    )


def sizes_of(state: Pass) -> list[int]:
    """The layer widths: the input's, then one for each linear layer."""
    layers = [step.name for step in state.program.steps if isinstance(step.op, Linear)]
    return [state.values[name].shape[-1] for name in (state.program.inputs[0], *layers)]


def words_of(state: Pass, shorten: Callable[[Sequence[int]], str] = format_sizes) -> str:
    """784-128-10, where the linear layers follow each other; else the input and the steps.

    Layers that read one value side by side, or an input that is no vector, are no row of widths.
    """
    data = state.program.inputs[0]
    shape = state.values[data].shape
    read = [step.args[0] for step in state.program.steps if isinstance(step.op, Linear)]
    if len(shape) - (data in state.batched) == 1 and read and len({*read}) == len(read):
        return shorten(sizes_of(state))
    return f"{plural(len(state.program.steps), 'step')} from {data} {dims(shape)}"


def counted(names: list[str]) -> str:
    """Names in their order, those that follow each other told by their number.

    >>> counted(["ReLU", "ReLU", "Tanh"])
    '2 ReLU, Tanh'
    """
    found: list[tuple[str, int]] = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1] = name, found[-1][1] + 1
        else:
            found.append((name, 1))
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in found)
