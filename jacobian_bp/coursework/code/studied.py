"""The dense network that a text is judged on: at pairwise different sizes, nothing degenerate."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ...errors import DomainError
from ...network.run import Run
from ...ops import Activation, Identity, Softmax
from ...ops.labels import BINARY, CLASSES
from ...program.forward import run_forward
from ...program.forward_pass import Pass
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from ...writing.signs import safe, type_of
from ..lines.vocabulary import Quantity
from .limits import refuse

SEEDS = (11, 12, 13, 17)  # the first at which every slope varies
SIZES = (3, 7, 2, 11, 13, 17, 19, 23, 29)
EXAMPLES, LARGEST, FLAT = 5, 24, 1e-9
ELEMENTWISE = Activation | Softmax


@dataclass(frozen=True)
class Studied:
    """Values, derivatives and slopes of a dense network, examples in rows.

    `own` says whether they are the run's own numbers, or those of the same network at
    other sizes. `per_example` is how often ∂L/∂z of an example contains ∂J/∂z: m for a mean.
    """

    arrays: dict[Quantity, np.ndarray]
    state: Pass
    layers: int
    examples: int
    per_example: int
    own: bool
    biased: bool = True

    def one_example(self) -> "Studied":
        """The first example alone."""
        program, values = self.state.program, self.state.values
        params = {name: values[name] for name in program.params}
        state = run_forward(program, params, {name: values[name][0] for name in program.inputs})
        return replace(study(state, self.layers, self.own), biased=self.biased)

    def at_kinks(self) -> "Studied | None":
        """The same network, the first unit of each rectifier at exactly 0; None without one."""
        program, values = self.state.program, self.state.values
        params = {name: np.array(values[name]) for name in program.params}
        steps = {n: self.state.step(f"a{n}") for n in range(1, self.layers + 1)}
        bent = [n for n, step in steps.items() if step and hasattr(step.op, "at_zero")]
        if not bent or not self.biased:
            return None
        for number in bent:
            params[f"W{number}"][0] = params[f"b{number}"][0] = 0.0
        data = {name: values[name] for name in program.inputs}
        return study(run_forward(program, params, data, self.state.axes_said), self.layers, True)

    def without_biases(self) -> "Studied":
        """The same weights and data, every bias 0: the network of a text that has none."""
        program, values = self.state.program, self.state.values
        params = {
            name: np.zeros_like(values[name]) if name[0] == "b" else values[name]
            for name in program.params
        }
        data = {name: values[name] for name in program.inputs}
        state = run_forward(program, params, data, self.state.axes_said)
        return replace(study(state, self.layers, self.own), biased=False)


def studied_run(run: object) -> Studied:
    """The run to judge on, or an error that says what kind of run is needed."""
    if not isinstance(run, Run):
        refuse(
            f"the run is {type_of(run)}, not a run.",
            "  Pass what net.run(x, y) gives.",
        )
    state = run.forward_pass
    if state.missing:
        raise DomainError(
            f"diagnose_code: the run has no cost: {', '.join(state.missing)} was not given.\n"
            "  Run the network with labels: net.run(x, y)."
        )
    require_scalar(state)
    if run._tied:
        first, second = next(iter(run._tied.items()))
        refuse(
            f"{safe(first)} and {safe(second)} are one array, which a function is not read for.",
            "  Pass a run of the same network with two arrays.",
        )
    layers = _layers(state)
    widths = [state.values[name].shape[-1] for name in _values(layers)]
    if len(widths) > len(SIZES):
        refuse(
            f"the network has {layers} layers; {len(SIZES) - 1} is the most.",
            "  Pass a run of a network with fewer layers: the lines are the same.",
        )
    if state.batched and _generic(widths, len(state.values["x"])):
        own = study(_in_double(state), layers, True)
        if _tells(own):
            return own
    tried = [study(_at_other_sizes(state, widths, seed), layers, False) for seed in SEEDS]
    return next(filter(_tells, tried), tried[-1])


def _in_double(state: Pass) -> Pass:
    """The same numbers in float64: float32 rounds so much that a right line would look wrong."""
    if state.dtype == np.float64:
        return state
    values = {name: np.array(value, np.float64) for name, value in state.values.items()}
    program = state.program
    data = {name: values[name] for name in program.inputs}
    params = {name: values[name] for name in program.params}
    return run_forward(program, params, data, state.axes_said)


def _values(layers: int) -> list[str]:
    return ["x", *(f"z{number}" for number in range(1, layers + 1))]


def study(state: Pass, layers: int, own: bool) -> Studied:
    """Every quantity that a backward function can compute."""
    values = state.values
    arrays: dict[Quantity, np.ndarray] = {}
    batch = len(values["x"]) if values["x"].ndim > 1 else 1
    cost = values[state.cost]  # one for each example, where the run was of one example
    names = ["x", *(f"{k}{n}" for n in range(1, layers + 1) for k in "zaWb")]
    pulled = pull(state, state.cost, names, np.full(cost.shape, 1 / cost.size, state.dtype))
    for name in names:
        arrays[Quantity("value", name)] = np.array(values[name])
        arrays[Quantity("gradient", name)] = pulled[name]
    output = f"a{layers}"
    label = np.array(values["y"], dtype=values[output].dtype).reshape(values[output].shape)
    arrays[Quantity("value", "y")] = label
    arrays[Quantity("error", output)] = values[output] - label
    for n in range(1, layers + 1):
        step, z = state.step(f"a{n}"), values[f"z{n}"]
        if step and isinstance(step.op, Activation):
            arrays[Quantity("slope", f"z{n}")] = np.array(step.op.vjp(np.ones_like(z), z)["z"])
    mean = cost.ndim or any(step.op.name == "Mean" for step in state.program.steps)
    return Studied(arrays, state, layers, batch, batch if mean else 1, own)


def _layers(state: Pass) -> int:
    """How many layers a plain chain x → z1 → a1 → … has; SpecError for any other network."""
    steps = {step.name: step for step in state.program.steps}
    layers = 0
    before = "x"
    while f"z{layers + 1}" in steps:
        linear, active = steps[f"z{layers + 1}"], steps.get(f"a{layers + 1}")
        number = layers + 1
        wanted = (before, f"W{number}", f"b{number}")
        if tuple(linear.args) != wanted or active is None or tuple(active.args) != (linear.name,):
            break
        if not isinstance(active.op, ELEMENTWISE):
            break
        before, layers = active.name, number
    others = [
        n for n in steps if re.fullmatch(r"[za]\d+", n) and int(n[1:]) not in range(1, layers + 1)
    ]
    labelled = any(step.op.labels and step.args[0] == f"a{layers}" for step in steps.values())
    if not layers or others or not labelled:
        refuse(
            "the network is not layer after layer, z1 = W1 x + b1, a1 = σ(z1), … and a loss of "
            "the last one.",
            "  Pass a run of Network.dense([3, 4, 2], …), or of one BatchNorm, LayerNorm, RNNCell, "
            "LSTMCell\n"
            "  or GRUCell; of other networks diagnose_line reads single lines.",
        )
    return layers


def _tells(studied: Studied) -> bool:
    """Whether a missing slope would be seen in these numbers, and a missing factor."""
    for quantity, array in studied.arrays.items():
        if quantity.kind == "slope" and np.ptp(array) <= FLAT:
            step = studied.state.step(f"a{quantity.of[1:]}")
            if step is None or not isinstance(step.op, Identity):
                return False
        if quantity.kind == "value" and quantity.of[0] == "z" and not array.all():
            return False  # at a kink another slope may be taken: what is right off it is right
        if quantity.kind == "gradient" and np.abs(array).max() <= FLAT:
            return False
    return True


def _generic(widths: list[int], examples: int) -> bool:
    """Whether no two sizes are equal and none is 1; the output may have one unit."""
    sizes = [*widths[: -1 if widths[-1] == 1 else None], examples]
    return len(set(sizes)) == len(sizes) and all(1 < size <= LARGEST for size in sizes)


def _at_other_sizes(state: Pass, widths: list[int], seed: int) -> Pass:
    """The same steps at pairwise different sizes, with random weights, data and labels."""
    draw = np.random.default_rng(seed)
    sizes = [*SIZES[: len(widths) - 1], 1 if widths[-1] == 1 else SIZES[len(widths) - 1]]
    params = {}
    for number, (before, after) in enumerate(pairwise(sizes), 1):
        params[f"W{number}"] = draw.standard_normal((after, before)) * before**-0.5
        params[f"b{number}"] = draw.standard_normal(after) * 0.3
    y: np.ndarray = draw.standard_normal((EXAMPLES, sizes[-1]))
    kinds = {step.op.label_kind for step in state.program.steps if step.op.labels}
    if CLASSES in kinds:
        y = np.eye(sizes[-1])[draw.integers(0, sizes[-1], EXAMPLES)]
    elif BINARY in kinds:
        y = (y > 0) * 1.0
    data = {"x": draw.standard_normal((EXAMPLES, sizes[0])), "y": y}
    return run_forward(state.program, params, data)
