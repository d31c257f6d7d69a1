"""What is timed on our side: routes, the compiled step, whole Jacobians, and what they are up
against: textbook numpy, the matrix products alone, placed entries, writing the bytes once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.arrays import quiet
from ...numbers.memory import nbytes
from .workload import Arrays, Workload

COMPILED = "compiled step"
ROUTES = {
    "full, reverse": ("full", "reverse"),
    "full, forward": ("full", "forward"),
    "full, planned": ("full", "planned"),
    "structured": ("structured", "reverse"),
    "vjp": ("vjp", "reverse"),
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A call to be timed. `prepare` does what is done once, and gives the call."""

    name: str
    prepare: Callable[[], Callable[[], Any]]
    traced: bool = True  # whether its arrays are numpy's, whose bytes can be followed
    arrays: Callable[[Any], Arrays] | None = None  # its result, to be compared
    needs: int = 0  # bytes of its result, where no cost card says so
    foreign: bool = False  # another package's: what goes wrong in it ends no measurement
    quantity: str = ""  # where it gives more than those that it is timed beside


def route_subjects(workload: Workload) -> list[Subject]:
    """The gradient by each route, the forward pass being done: what the cost card counts.

    A run keeps the local Jacobians that it has made. Each call lets them go first and makes
    its own, as VJP computes its slopes in each call. The algebra of the structured route (which
    delta is spent, in which order what is left is contracted) depends on shapes alone: it is
    recorded once, here in `prepare`, and each call replays it.
    """

    def subject(name: str, route: str, order: str) -> Subject:
        def call() -> Arrays:
            workload.forget()
            return workload.run.gradients(route, order)

        def prepare() -> Callable[[], Arrays]:
            if route == "structured":
                call()
            return call

        return Subject(name, prepare, arrays=dict)

    return [subject(name, *how) for name, how in ROUTES.items()]


def structured_again(workload: Workload) -> Subject:
    """The structured route on a run that has kept its local Jacobians from an earlier call."""
    return Subject("structured, again", lambda: lambda: workload.run.gradients("structured"))


class NoCounterpart(Exception):  # noqa: N818  (its name is what a row says)
    """A peer, or an engine, in whose functions these layers are not written."""


def compiled(workload: Workload, engine: str = "numpy") -> Subject:
    """net.compile: planned once, then one straight line of numpy calls, or machine code."""

    def prepare() -> Callable[[], Any]:
        params, x, y, more = workload.params, workload.x, workload.y, workload.more
        step = workload.net.compile(workload.batch, axes=workload.axes, engine=engine)
        if engine == "numpy":
            return lambda: step(params, x, y, **more)
        try:
            step(params, x, y, **more)
        except SpecError as error:
            raise NoCounterpart(str(error).splitlines()[0]) from None
        return lambda: step(params, x, y, **more)

    name = COMPILED if engine == "numpy" else f"{COMPILED}, {engine}"
    foreign = engine != "numpy"
    return Subject(name, prepare, arrays=lambda found: dict(found[1]), foreign=foreign)


def with_engine(engine: str, subjects: Sequence[Subject], workload: Workload) -> list[Subject]:
    """The subjects; behind a compiled step of numpy the same by another engine, if one is asked."""
    found: list[Subject] = []
    for subject in subjects:
        found.append(subject)
        if subject.name == COMPILED and engine != "numpy":
            found.append(replace(compiled(workload, engine), quantity=subject.quantity))
    return found


def run_and_vjp(workload: Workload) -> Subject:
    """A forward pass with all its checks, then the VJP route."""
    return Subject(
        "net.run, then vjp",
        lambda: lambda: workload.run_again().gradients(),
        arrays=dict,
    )


def plain_numpy(workload: Workload) -> Subject:
    """Backpropagation as a textbook writes it, for sigmoid layers and the mean squared error."""

    @quiet
    def call() -> tuple[float, Arrays]:
        assert workload.y is not None  # it is timed on drawn layers
        return textbook(workload.params, workload.x, workload.y)

    return Subject("plain numpy", lambda: call, arrays=lambda found: found[1])


def textbook(params: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """The cost and all gradients in as few lines as numpy allows; a batch has its axis in front.

    delta_L = 2 (a − y)/m · a (1 − a),   delta_l = (delta_{l+1} W_{l+1}) · a (1 − a)
    """
    layers = len(params) // 2
    activations = [np.atleast_2d(x)]
    for layer in range(1, layers + 1):
        z = activations[-1] @ params[f"W{layer}"].T + params[f"b{layer}"]
        activations.append(1 / (1 + np.exp(-z)))
    a, examples = activations[-1], len(activations[-1])
    residual = a - y
    delta = (2 / examples) * residual * a * (1 - a)
    gradients = {}
    for layer in range(layers, 0, -1):
        gradients[f"W{layer}"] = delta.T @ activations[layer - 1]
        gradients[f"b{layer}"] = delta.sum(axis=0)
        if layer > 1:
            a = activations[layer - 1]
            delta = (delta @ params[f"W{layer}"]) * a * (1 - a)
    return float((residual**2).sum() / examples), gradients


def products_alone(workload: Workload) -> Subject:
    """The matrix products of forward and backward pass into given memory, and nothing else."""

    def prepare() -> Callable[[], None]:
        weights = [array for array in workload.params.values() if array.ndim == 2]
        m = workload.batch or 1
        generator = np.random.default_rng(0)

        def rows(width: int) -> np.ndarray:
            return generator.standard_normal((m, width)).astype(workload.dtype)

        values = [rows(weights[0].shape[1]), *(rows(len(W)) for W in weights)]
        plan = []
        for position, W in enumerate(weights):
            before, error = values[position], rows(len(W))
            plan.append((before, W.T, np.empty_like(error)))
            plan.append((error.T, before, np.empty_like(W)))
            if position:
                plan.append((error, W, np.empty_like(before)))

        def call() -> None:
            for left, right, out in plan:
                np.matmul(left, right, out=out)

        return call

    return Subject("products alone", prepare)


def weight_jacobian(workload: Workload) -> list[Subject]:
    """∂z1/∂W1 whole, by us and by hand: zeros, and the entries that are none placed in them."""
    jacobian, inputs = workload.run.jacobian("z1", "W1"), workload.first_inputs
    units = jacobian.shape[0]
    row = np.linspace(-1, 1, units, dtype=workload.dtype)

    def placed() -> np.ndarray:
        whole = np.zeros(jacobian.shape, workload.dtype)
        diagonal = np.arange(units)
        whole[diagonal, diagonal] = inputs
        return whole

    def subject(name: str, call: Callable[[], np.ndarray], compared: bool) -> Subject:
        arrays = whole_result if compared else None
        return Subject(name, lambda: call, arrays=arrays, needs=jacobian.nbytes)

    return [
        subject("materialise", jacobian.materialise, True),
        subject("zeros, placed", placed, True),
        subject("materialise, used", lambda: np.tensordot(row, jacobian.materialise(), 1), False),
        subject("zeros, placed, used", lambda: np.tensordot(row, placed(), 1), False),
    ]


def parameter_jacobian(workload: Workload) -> list[Subject]:
    """∂f/∂θ for each example, by us in new and in given memory, and the bytes written once."""
    of, names = workload.output, list(workload.params)
    shape = (*workload.run[of].shape, sum(array.size for array in workload.params.values()))
    needs = nbytes(shape, workload.dtype.itemsize)

    def ours(out: np.ndarray | None = None) -> np.ndarray:
        workload.forget()
        return workload.run.jacobian(of, names).materialise(out=out)

    def into_given() -> Callable[[], np.ndarray]:
        out = np.empty(shape, workload.dtype)
        return lambda: ours(out)

    def written_once() -> Callable[[], None]:
        out = np.empty(shape, workload.dtype)
        return lambda: out.fill(1)

    return [
        Subject("materialise", lambda: ours, arrays=whole_result, needs=needs),
        Subject("materialise(out=)", into_given, arrays=whole_result, needs=needs),
        Subject(
            "written once, new", lambda: lambda: np.full(shape, 1, workload.dtype), needs=needs
        ),
        Subject("written once, out=", written_once, needs=needs),
    ]


def planning(workload: Workload) -> Subject:
    """The planner's order for the whole chain down to the first weights."""
    return Subject("planning", lambda: lambda: workload.run.chain("W1", "planned"), traced=False)


def whole_result(array: np.ndarray) -> Arrays:
    """A Jacobian as a result that is compared."""
    return {"whole": array}
