"""What is timed: one network, its parameters and its data, in one precision."""

from dataclasses import dataclass

import numpy as np

from ...network.drawn_from_seed import draw_data
from ...network.network import Network
from ...network.run import Run
from ...network.sizes import format_sizes
from ...program.program import Program

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Workload:
    """A network and its data; `label` is what a table calls it."""

    label: str
    net: Network
    run: Run
    x: np.ndarray
    y: np.ndarray

    @property
    def batch(self) -> int | None:
        """The number of examples; None for one example without a batch axis."""
        return len(self.x) if self.x.ndim == 2 else None

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
        x, y = self.x[0], self.y[0]
        return Workload(self.label, self.net, self.net.run(x, y), x, y)


def workload_of(run: Run, label: str, dtype: str = "float64") -> Workload:
    """The workload of one run, its network built again in the precision that is asked for."""
    params = {name: np.asarray(run[name], dtype) for name in run.params}
    net = Network(run.forward_pass.program, params)
    x = np.asarray(run["x"], dtype)
    y = np.asarray(run["y"], dtype)
    return Workload(label, net, net.run(x, y), x, y)


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


def label_of(sizes: list[int], batch: int | None, dtype: str) -> str:
    """784-128-10, batch 32, float64; many equal layers are counted.

    >>> label_of([784, 128, 10], 32, "float64"), label_of([8] * 101, None, "float32")
    ('784-128-10, batch 32, float64', '8-8-… (100 layers), one example, float32')
    """
    shown = format_sizes(sizes)
    if len(sizes) > 8:
        shown = f"{sizes[0]}-{sizes[1]}-… ({len(sizes) - 1} layers)"
    return f"{shown}, {'one example' if batch is None else f'batch {batch}'}, {dtype}"
