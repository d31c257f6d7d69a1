"""What is timed: one network, its parameters and its data, in one precision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...errors import SpecError
from ...network.drawn_from_seed import draw_data
from ...network.network import Network
from ...network.run import Run
from ...network.sizes import format_sizes
from ...program.forward_pass import Pass
from ...program.program import Program
from .result import words_of

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Workload:
    """A network and its data; `label` is what a table calls it."""

    label: str
    net: Network
    run: Run
    x: np.ndarray
    y: np.ndarray | None
    more: Mapping[str, np.ndarray] = field(default_factory=dict)  # further inputs, by name
    axes: Mapping[str, str] | None = None  # what data has in front, where it is more than n

    @property
    def batch(self) -> int | None:
        """The number of examples; None for one example without a batch axis."""
        state = self.run.forward_pass
        return len(self.x) if state.program.inputs[0] in state.batched else None

    def run_again(self) -> Run:
        """A forward pass of the network on the data."""
        return self.net.run(self.x, self.y, axes=self.axes, **self.more)

    @property
    def dtype(self) -> np.dtype:
        return self.run[self.run.cost].dtype

    @property
    def params(self) -> Arrays:
        """The parameters by name, a tied one once."""
        return {name: self.run[name] for name in self.run.params}

    @property
    def program(self) -> Program:
        """The steps as they are computed: without the mean where there is one example."""
        return self.run.forward_pass.program

    @property
    def output(self) -> str:
        """The name of the network's output: what the loss reads."""
        return next(step.args[0] for step in self.program.steps if step.op.labels)

    @property
    def first_inputs(self) -> np.ndarray:
        """What the first layer reads: x, or a0 where the input is squashed."""
        step = next(step for step in self.program.steps if step.name == "z1")
        return self.run[step.args[0]]

    def forget(self) -> None:
        """Let go of the local Jacobians that earlier calls have made at the run's values."""
        self.run.forward_pass.forget()

    def one_example(self) -> "Workload":
        """The workload with the first example alone."""
        if self.batch is None:
            return self
        assert self.y is not None  # what is drawn has labels
        x, y = self.x[0], self.y[0]
        return Workload(self.label, self.net, self.net.run(x, y), x, y)


def workload_of(run: Run, label: str, dtype: str = "float64") -> Workload:
    """The workload of one run, its network built again in the precision that is asked for."""
    params = {name: np.asarray(run[name], dtype) for name in run.params}
    net = Network(run.forward_pass.program, params)
    state = run.forward_pass
    whole = state.program.indices  # positions of an axis stay whole numbers
    data = {n: np.asarray(run[n], None if n in whole else dtype) for n in state.program.inputs}
    if "x" not in data:
        raise SpecError(
            f"compare takes a network that reads x; this one reads {', '.join(data)}.\n"
            "  Call its data x."
        )
    axes = state.axes_said or None
    again = net.run(axes=axes, **data)
    x, y = data.pop("x"), data.pop("y", None)
    return Workload(label, net, again, x, y, data, axes)


def drawn(
    sizes: list[int],
    batch: int | None,
    dtype: str = "float64",
    activation: str = "sigmoid",
    seed: int = 0,
) -> Workload:
    """A network of one activation with squared error, and data, from one seed."""
    net = Network.dense(sizes, activation, "squared_error", seed=seed, dtype=np.dtype(dtype))
    x, y = (array.astype(dtype) for array in draw_data(sizes, "squared_error", seed, batch))
    return Workload(label_of(sizes, batch, dtype), net, net.run(x, y), x, y)


def label_of(sizes: Sequence[int], batch: int | None, dtype: str) -> str:
    """784-128-10, batch 32, float64; many equal layers are counted.

    >>> label_of([784, 128, 10], 32, "float64"), label_of([8] * 101, None, "float32")
    ('784-128-10, batch 32, float64', '8-8-… (100 layers), one example, float32')
    """
    return f"{_shortened(sizes)}, {_examples(batch)}, {dtype}"


def label_of_run(state: Pass, dtype: str) -> str:
    """The same of one run, whose network need not be one layer after another."""
    data = state.program.inputs[0]
    batch = len(state.values[data]) if data in state.batched else None
    return f"{words_of(state, _shortened)}, {_examples(batch)}, {dtype}"


def _shortened(sizes: Sequence[int]) -> str:
    if len(sizes) > 8:
        return f"{sizes[0]}-{sizes[1]}-… ({len(sizes) - 1} layers)"
    return format_sizes(sizes)


def _examples(batch: int | None) -> str:
    return "one example" if batch is None else f"batch {batch}"
