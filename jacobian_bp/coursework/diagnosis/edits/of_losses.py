"""The derivative of another loss, of other labels or other predictions; a margin's other form.

p − y      with the labels of the next class, smoothed, or weighed; with σ(z), log p for p
clip(r)    with 0 beyond ±δ, with 2 r within, at another δ
s − y Σ s  the true class left out, or counted once
"""

from collections.abc import Iterator

import numpy as np

from .... import ops
from ....numbers.stable import sigmoid
from ....ops import Op
from ....ops.labels import PROBABILITIES
from ....writing.signs import number
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import DELTA, Equation
from .edit import Edit
from .of_factors import with_array
from .of_terms import other_softmaxes

SMOOTHED = (0.1, 0.05, 0.2, 0.01, 0.15, 0.3)  # parts of a label that are spread over the classes
TEMPERATURES = (2.0, 0.5, 4.0, 10.0, 0.1, 5.0)
ENDS = (1.0, 0.5, 2.0, 1.345, 1.35, 0.1, 1.5)  # of the square part of a Huber loss


def of_cost(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The derivative of another loss, where that loss can read the same output and labels."""
    own, y = line.step.op, facts.values[line.step.args[-1]]
    cost = next((f for f in equation.factors() if f.role != DELTA), None)
    if cost is None or line.kind != "cost":
        return
    yield from of_labels(line, equation, cost, facts.values[line.target], y)
    yield from of_two_classes(line, equation, cost, facts)
    yield from of_quotients(line, equation, cost, facts)
    yield from of_differences(line, equation, cost, facts)
    yield from of_huber(line, equation, cost, facts)
    yield from of_hinge(line, equation, cost, facts)
    if own.contains is not None:
        if own.contains is ops.Softmax:
            right = ops.Softmax().forward(facts.values[line.target])
            for p, note in other_softmaxes(facts.values[line.target]):
                wrong = with_array(equation, cost, note, cost.array - right + p)
                yield Edit("sum", wrong, cost, note, extra=-8)
            yield from of_predictions(line, equation, cost, facts)
        return
    a = facts.values[line.target]
    found = {name: derivative(op, a, y) for name, op in losses(own).items()}
    found["the absolute error"] = np.sign(a - y)
    for name, array in found.items():
        if array is not None and array.shape == cost.array.shape:
            note = f"it is the derivative of {name}, and this cost is {called(own)}"
            yield Edit("another cost", with_array(equation, cost, name, array), cost, note)


def of_labels(
    line: Line, equation: Equation, cost: Factor, a: np.ndarray, y: np.ndarray
) -> Iterator[Edit]:
    """The same derivative with other labels: those of the next class, or of the next example."""
    for labels, note in other_labels(y, a.shape):
        array = derivative(line.step.op, a, labels)
        if array is not None and array.shape == cost.array.shape:
            yield Edit("other", with_array(equation, cost, note, array), cost, note)


def other_labels(y: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[np.ndarray, str]]:
    """Moved by one: as class indices that are counted from 1, and as rows that are off by one."""
    classes, rows = shape[-1], shape[0] if len(shape) > 1 else 1
    for step, which in ((1, "next"), (-1, "last")):
        of_class = f"that with the labels of the {which} class".replace("last", "previous")
        if y.shape == shape and classes > 1:
            yield np.roll(y, step, -1), of_class
        elif y.dtype.kind in "iu":
            yield (y + step) % classes, of_class
        if y.ndim and len(y) == rows > 1:
            of_example = f"that with the labels of the {which} example"
            yield np.roll(y, -step, 0), of_example.replace("last", "previous")
    if y.shape == shape and bool(np.isin(y, (0, 1)).all()):
        yield 1 - y, "that with 0 and 1 exchanged in the labels"


def losses(own: Op) -> dict[str, Op]:
    """Every other loss of the package that reads outputs and labels."""
    kinds = [k for k in vars(ops).values() if isinstance(k, type) and issubclass(k, Op)]
    return {
        called(kind): kind()
        for kind in kinds
        if kind.loss and kind.contains is None and kind.labels and not isinstance(own, kind)
    }


def called(op: type[Op] | Op) -> str:
    """By the name that `loss=` takes: half_squared_error."""
    return op.loss or "another loss"


def derivative(op: Op, a: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """∂L/∂a of each example; None where the loss does not read such numbers."""
    try:
        found = op.vjp(np.ones(a.shape[:-1]), a, y)[op.parsed.inputs[0].name]
    except Exception:  # out of its domain
        return None
    return np.asarray(found) if np.isfinite(found).all() else None


def of_predictions(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """What is no softmax in its place, softmax at another temperature, and labels smoothed."""
    z, y = facts.values[line.target], facts.values[line.step.args[-1]]
    if y.shape != z.shape or line.step.op.label_kind == PROBABILITIES:
        return
    p = ops.Softmax().forward(z)
    weights = getattr(line.step.op, "weights", None)
    w = np.ones(z.shape[-1]) if weights is None else np.asarray(weights)
    each = (y * w).sum(-1, keepdims=True)
    if not np.allclose(cost.array, p * each - w * y):
        return
    in_place_of_p = {
        f"σ({line.target}) for softmax({line.target})": sigmoid(z),
        f"e^{line.target} for softmax({line.target})": np.exp(z),
        f"log softmax({line.target}) for softmax({line.target})": np.log(p),
        "the most likely class for the probabilities": (z == z.max(-1, keepdims=True)) * 1.0,
        f"1 − softmax({line.target}) for softmax({line.target})": 1 - p,
        f"softmax({line.target})² for softmax({line.target})": p**2,
        f"0 for softmax({line.target})": np.zeros(p.shape),
    }
    for note, other in in_place_of_p.items():
        yield in_the_cost(equation, cost, f"that with {note}", other * each - w * y)
    if np.isin(y, (0, 1)).all():
        note = "that with 0 and 1 exchanged in the labels"
        yield in_the_cost(equation, cost, note, p * each - w * (1 - y))
        for note, labels in ones_at_too_much(y).items():
            yield in_the_cost(equation, cost, note, p * each - w * labels)
    for T in TEMPERATURES:
        other = ops.Softmax().forward(z / T)
        note = f"that with softmax({line.target}/{number(T)})"
        yield in_the_cost(equation, cost, note, other * each - w * y)
    classes = z.shape[-1]
    for part in SMOOTHED if classes > 1 else ():
        among = {
            "all classes": (1 - part) * y + part / classes,
            "the other classes": (1 - part) * y + part / (classes - 1) * (1 - y),
        }
        for over, labels in among.items():
            note = f"that with labels of which {number(part)} is spread over {over}"
            yield in_the_cost(equation, cost, note, p * each - w * labels)
    yield in_the_cost(equation, cost, f"the same times softmax({line.target})", cost.array * p)
    loss = f"the terms of the loss itself, −{line.step.args[-1]} log softmax({line.target})"
    yield in_the_cost(equation, cost, loss, -w * y * np.log(p))
    yield in_the_cost(
        equation, cost, "its entries at the other classes alone", cost.array * (y == 0)
    )
    yield in_the_cost(equation, cost, "its entry at the true class alone", cost.array * (y != 0))
    if weights is not None:
        ways = {
            "that without the weights": p - y,
            "that with the weights at y alone": p - w * y,
            "that with each class's own weight in front": w * (p - y),
            "that with the weight of each example over their sum": cost.array / each.sum(),
        }
        for note, array in ways.items():
            yield in_the_cost(equation, cost, note, array)


def ones_at_too_much(y: np.ndarray) -> dict[str, np.ndarray]:
    """Labels of 0 and 1 as p[:, k] −= 1 and p[k] −= 1 make them, k the class of each example."""
    found = {"that with 1 for every label": np.ones(y.shape)}
    if y.ndim == 2 and bool((y.sum(-1) == 1).all()):
        occurs = np.asarray(y.any(0))
        if not occurs.all():
            note = "that with 1 in every example at each class that occurs in one"
            found[note] = np.broadcast_to(occurs * 1.0, y.shape)
        rows = np.zeros(y.shape)
        rows[np.flatnonzero(occurs[: len(y)])] = 1.0
        found["that with 1 in the rows that have the number of a class that occurs"] = rows
    return found


def in_the_cost(equation: Equation, cost: Factor, note: str, array: np.ndarray) -> Edit:
    """Another derivative of the loss in the place of the right one."""
    return Edit("other", with_array(equation, cost, note, np.asarray(array)), cost, note)


def of_huber(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """The slope of a parabola with straight ends: another one at an end, or within."""
    if not isinstance(line.step.op, ops.Huber):
        return
    a, y = (facts.values[name] for name in line.step.args)
    r, end = (a - y if line.position == 0 else y - a), line.step.op.delta
    near, straight = abs(r) <= end, end * np.sign(r)
    ways = {
        "0 beyond ±δ": np.where(near, r, 0.0),
        "2 r within ±δ, r the difference": np.where(near, 2 * r, straight),
        "the formulas within ±δ and beyond exchanged": np.where(near, straight, r),
        "r/δ, clipped at ±1": np.clip(r / end, -1, 1),
        "the sign of r, without δ, beyond ±δ": np.where(near, r, np.sign(r)),
        "min(|r|, δ), without the sign of r": np.minimum(abs(r), end),
    }
    for note, array in ways.items():
        yield in_the_cost(equation, cost, note, array)
    for other in ENDS:
        if other != end:
            note = f"that with δ = {number(other)}"
            yield in_the_cost(equation, cost, note, np.clip(r, -other, other))


def of_hinge(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """Of a margin loss: the true class left out or counted once, the margin itself, no margin."""
    if not isinstance(line.step.op, ops.Hinge):
        return
    z, y = (facts.values[name] for name in line.step.args)
    gap = z - (y * z).sum(-1, keepdims=True)
    other, count = (y == 0) & (gap + 1 > 0), np.where(y > 0, cost.array, 0)
    above = np.where(other, gap + 1, 0)
    bare = ((y == 0) & (gap > 0)) * 1.0
    ways = {
        "that without an entry at the true class": other * 1.0,
        "that with −1 at the true class": other - y,
        "that with the true class among those within the margin": cost.array + y,
        "its entry at the true class alone": count,
        "the margins themselves, and minus their sum": above - y * above.sum(-1, keepdims=True),
        "that of a hinge without a margin": bare - y * bare.sum(-1, keepdims=True),
        "that with 1 at every other class": (1 - y) - y * (y == 0).sum(-1, keepdims=True),
        "that of the largest margin alone": largest_alone(above, y),
    }
    for note, array in ways.items():
        yield in_the_cost(equation, cost, note, array)


def largest_alone(above: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 at the largest margin if it is above 0, and −1 at the true class."""
    top = (above == above.max(-1, keepdims=True)) & (above > 0)
    return top - y * top.any(-1, keepdims=True)


def of_two_classes(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """σ(z) − y with something else for σ(z) or y, or one factor more; and the two quotients."""
    a, y = facts.values[line.target], facts.values[line.step.args[-1]]
    ways: dict[str, np.ndarray] = {}
    if y.shape != a.shape:
        return
    if isinstance(line.step.op, ops.BinaryCrossEntropyFromLogits):
        p, z = sigmoid(a), line.target
        ways = {
            f"the same times σ({z})": (p - y) * p,
            f"the same times 1 − σ({z})": (p - y) * (1 - p),
            f"that with softmax({z}) for σ({z})": ops.Softmax().forward(a) - y,
            f"that with tanh({z}) for σ({z})": np.tanh(a) - y,
            f"that with σ(−{z}) for σ({z})": 1 - p - y,
            f"that with σ({z}) > 1/2 for σ({z})": (p > 0.5) - y,
            "that with the labels −1 and 1": p - (2 * y - 1),
            f"σ({z}) (1 − y), the part of the labels 0": p * (1 - y),
            f"−(1 − σ({z})) y, the part of the labels 1": -(1 - p) * y,
            "−y, the part without σ": -y,
            "that with 1 for every label": p - 1,
        }
    if isinstance(line.step.op, ops.BinaryCrossEntropy) and np.all((a > 0) & (a < 1)):
        one, other = y / a, (1 - y) / (1 - a)
        ways = {
            f"(1 − y)/(1 − {line.target}) alone": other,
            "both quotients with a minus": -one - other,
            "both quotients with a plus": one + other,
            "the quotients without their denominators": 1 - 2 * y,
            f"{line.target} − y over {line.target}": (a - y) / a,
            f"{line.target} − y over 1 − {line.target}": (a - y) / (1 - a),
        }
    for note, array in ways.items():
        yield in_the_cost(equation, cost, note, array)


def of_quotients(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """−y/p with the quotient turned, one of the two alone, or of p log (p/y)."""
    if not isinstance(line.step.op, ops.CrossEntropy | ops.KLDivergence):
        return
    p, y = facts.values[line.target], facts.values[line.step.args[-1]]
    if y.shape != p.shape or not np.all(p > 0):
        return
    ways = {"y p": y * p, "1/p": 1 / p, "y log p": y * np.log(p), "log p": np.log(p)}
    ways |= {"y/p, of which 1 is taken away": y / p - 1, "y/p²": y / p**2, "y": y}
    if np.all(y > 0):
        ways |= {"p/y": p / y, "log (y/p)": np.log(y / p)}
        ways["log (y/p) − 1, the negative of what Σ p log (p/y) gives,"] = np.log(y / p) - 1
    sign = -1.0 if np.allclose(cost.array, -y / p) else 1.0
    for note, array in ways.items():
        yield in_the_cost(equation, cost, note, sign * array)


def of_differences(line: Line, equation: Equation, cost: Factor, facts: Facts) -> Iterator[Edit]:
    """The difference of a squared error without its sign, squared, or as a quotient."""
    if not isinstance(line.step.op, ops.SquaredError | ops.HalfSquaredError):
        return
    a, y = (facts.values[name] for name in line.step.args)
    r = a - y if line.position == 0 else y - a
    for note, array in {
        "|a − y|": abs(r),
        "a + y": a + y,
        "the root of |a − y|, with the sign of a − y,": np.sign(r) * np.sqrt(abs(r)),
        "a² − y²": (a * a - y * y) * (1 if line.position == 0 else -1),
    }.items():
        yield in_the_cost(equation, cost, note, array)
