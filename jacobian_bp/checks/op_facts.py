"""Does an op compute what it says of itself? Each fact against forward() and vjp().

A formula is compared in float64: what a book prints loses digits that the op keeps, and in
float32 all of them. Where it loses them in float64 too, it is not judged, and that is said.
A kernel is compared in the digits that it is given.
Nothing is asked of an op that says nothing. A fact that is wrong would not show in
its derivatives: it would mislead a peer's timing, a compiled step, or a diagnosis.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from ..errors import DomainError, JacobianError
from ..numbers.arrays import entry
from ..numbers.positions import in_float64
from ..numbers.rounding import off_by_roundings
from ..ops import Op
from ..ops.kernels import GENERAL, LIMITS, Place
from ..ops.labels import DISTRIBUTION, PROBABILITIES, outside_unit
from ..ops.names import ACTIVATIONS
from ..ops.peer_functions import NUMPY
from ..program.forward_pass import Pass
from ..program.staged import by_itself
from ..routes.vjp import pull
from ..writing.signs import dims, number

FORMULA = 1e-6  # what a textbook's formula may lose, relative to the largest entry
BESIDE_1 = 64 * float(np.finfo(np.float64).eps)  # what 1 − a in a formula is rounded by
SMALL = 2.0**-512  # of a cotangent: what is made of it is far from the largest number
DIGITS = "a few roundings of the inputs move it as far"
ON_THE_WAY = {
    "overflow": "a number on its way passes the largest float64",
    "underflow": "a number on its way is too small for all digits of a float64",
    "divide by zero": "a divisor on its way is 0",
    "invalid value": "a number on its way is not defined",
}
KERNEL = 64  # in units of rounding of the largest entry
GOLDEN = 0.6180339887498949  # its multiples modulo 1 are spread evenly, neighbours far apart

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Claim:
    """What a fact gives, and the rule of the op that it has to equal."""

    fact: str
    found: Callable[[], np.ndarray]
    rule: str
    right: np.ndarray
    room: float | np.ndarray
    at_end: bool | np.ndarray = False  # of the domain of probabilities, where 0 log 0 is no number
    formula: bool = True  # written plainly, in float64; what computes as the op does is not
    of_small: Callable[[], np.ndarray] | None = None  # the cotangents of SMALL times the output's
    between: Callable[[], list[np.ndarray]] | None = None  # values on the way, whose ops are quiet


@dataclass
class FactsFound:
    """A sentence for each fact that does not hold, and one for each that is not judged."""

    wrong: list[str] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)


def judged_facts(op: Op, inputs: Arrays, value: np.ndarray) -> FactsFound:
    """What of the op's facts does not hold at these inputs; the rules are right there."""
    facts, given = FactsFound(), (inputs, value)
    inputs = tuple(map(in_float64, inputs))
    try:
        value = np.asarray(op.forward(*inputs))
        smooth = op.branch(*inputs)
        away = np.ones(value.shape, bool) if smooth is None else smooth != 0
        claims = [*_claims(op, inputs, value, away), *_kernel(op, *given)]
    except Exception as error:  # whatever a user's own fact raises
        return FactsFound([f"a fact of {op.name} raises {type(error).__name__}: {error}"])
    for count, claim in enumerate(claims):
        try:
            found = claim.found()
        except Exception as error:
            facts.wrong.append(f"{claim.fact} raises {type(error).__name__}: {error}")
            continue
        says = [] if found is None else _apart(claim, np.asarray(found))  # None: nothing is said
        why = _lost(op, inputs, value, away, count, claim, np.asarray(found)) if says else ""
        if why:
            facts.not_judged.append(f"{claim.fact} is not judged: {why}")
        else:
            facts.wrong += says
    facts.wrong += _promises(op, inputs, value)
    facts.not_judged = list(dict.fromkeys(facts.not_judged))
    return facts


def _lost(
    op: Op,
    inputs: Arrays,
    value: np.ndarray,
    away: np.ndarray,
    count: int,
    claim: Claim,
    found: np.ndarray,
) -> str:
    """Why a formula that gives another number speaks for nothing; "" where it is wrong."""
    if not claim.formula or found.shape != claim.right.shape:
        return ""
    try:
        with np.errstate(all="raise"):
            claim.found()
    except FloatingPointError as error:
        return next(said for flag, said in ON_THE_WAY.items() if str(error).startswith(flag))
    except Exception:  # which the caller has reported
        return ""
    if claim.between is not None and any(map(_has_subnormals, claim.between())):
        return ON_THE_WAY["underflow"]
    if small := claim.of_small is not None and not np.isfinite(found).all():
        found = _by_small(claim)
        if not _apart(claim, found):
            return ON_THE_WAY["overflow"]
    moves = np.zeros(found.shape)
    for moved in off_by_roundings(inputs, np.float64):
        try:
            beside = [*_claims(op, tuple(moved), value, away)][count]
            moves = np.fmax(moves, np.abs((_by_small(beside) if small else beside.found()) - found))
        except Exception:  # it has left the domain of the formula
            return ""
    return DIGITS if not _apart(replace(claim, room=claim.room + moves), found) else ""


def _by_small(claim: Claim) -> np.ndarray:
    """What is found where no number on its way is too large; as the rule has it beyond numbers."""
    assert claim.of_small is not None
    known = np.isfinite(claim.right)
    return np.where(known, np.asarray(claim.of_small()) / SMALL, claim.right)


def _has_subnormals(values: np.ndarray) -> bool:
    """Whether a value has fewer digits than others."""
    sizes = np.abs(values)
    return bool(((sizes > 0) & (sizes < np.finfo(np.float64).tiny)).any())


def _promises(op: Op, inputs: Arrays, value: np.ndarray) -> list[str]:
    """A sentence for each property that the op says of its values and that they do not have."""
    says = []
    if PROBABILITIES in op.gives and outside_unit(value) is not None:
        says.append("gives says probabilities; a value is not between 0 and 1")
    if DISTRIBUTION in op.gives and not np.allclose(value.sum(axis=-1), 1):
        says.append("gives says a distribution; the values do not sum to 1")
    for at, operand in enumerate(op.parsed.inputs):
        if operand.name in op.keeps_zeros_of:
            zeroed = [np.zeros_like(x) if at == p else x for p, x in enumerate(inputs)]
            if np.any(op.forward(*zeroed)):
                name = operand.name
                says.append(f"keeps_zeros_of says {name!r}; forward() is not 0 where {name} is")
    if op.shows_nonfinite and not all(_shows(op, inputs, at) for at in range(len(inputs))):
        says.append("shows_nonfinite is said; forward() reads inf or NaN and gives finite values")
    return says


def _claims(op: Op, inputs: Arrays, value: np.ndarray, away: np.ndarray) -> Iterator[Claim]:
    room = _room(value)
    if type(op).peer is not Op.peer:
        end = bool(op.labels) and bool(np.isin(inputs[0], (0, 1)).any())
        yield Claim("peer()", lambda: op.peer(NUMPY, *inputs), "forward()", value, room, end)
    yield from _activation(op, inputs, value, away)
    yield from _loss(op, inputs, value)
    for way in range(len(op.stages())):
        yield from _stages(op, inputs, value, way)
    if op.passes_on:
        pulled = op.vjp(value, *inputs)
        for name in op.differentiable():
            if pulled[name].shape == value.shape:
                yield Claim(
                    "passes_on", lambda: value, f"vjp()[{name!r}]", pulled[name], 0.0, formula=False
                )


def _stages(op: Op, inputs: Arrays, value: np.ndarray, way: int) -> Iterator[Claim]:
    """The value and the cotangents of the formula that is written out."""
    names = [operand.name for operand in op.parsed.inputs]
    result, bar = op.parsed.output.name, _spread(value.shape, np.dtype(float))
    pulled = op.vjp(bar, *inputs)

    def state() -> Pass:
        return by_itself(op, way, dict(zip(names, inputs, strict=True)))

    with suppress(JacobianError):  # which the claims below are asked for
        try:
            state()
        except DomainError:
            return  # a value on the way is beyond the floats, which a stable form avoids

    def between() -> list[np.ndarray]:
        return [v for name, v in state().values.items() if name not in (*names, result)]

    yield Claim(
        "stages()",
        lambda: state().values[result],
        "forward()",
        value,
        _room(value),
        between=between,
    )
    for name in op.differentiable():
        right = np.asarray(pulled[name])

        def found(name: str = name, times: float = 1.0) -> np.ndarray:
            return pull(state(), result, [name], times * bar)[name]

        room = FORMULA * float(np.abs(bar).sum()) * max(1.0, _largest(right))
        small = partial(found, times=SMALL)
        rule = f"vjp()[{name!r}]"
        yield Claim("stages()", found, rule, right, room, of_small=small, between=between)


def _activation(op: Op, inputs: Arrays, value: np.ndarray, away: np.ndarray) -> Iterator[Claim]:
    """The textbook's value and slope; at a kink any slope is right."""
    book = op.textbook
    if book is None:
        return
    (z,), (name,) = inputs, op.differentiable()
    slope = np.where(away, op.vjp(np.ones_like(value), z)[name], 0)
    room, by_output = FORMULA * max(1.0, _largest(slope)), book.by_output
    yield Claim("textbook.value", lambda: book.value(z), "forward()", value, _room(value))
    yield Claim("textbook.slope", lambda: away * book.slope(z), "vjp()", slope, room)
    if by_output is not None:
        yield Claim("textbook.by_output", lambda: away * by_output(value), "vjp()", slope, room)


def _loss(op: Op, inputs: Arrays, value: np.ndarray) -> Iterator[Claim]:
    """The loss's formulas in its output and labels, and its value fused with an activation."""
    if not op.labels:
        return
    a, y = inputs[0], inputs[-1]
    right = op.vjp(np.ones_like(value), *inputs)[op.differentiable()[0]]
    room, factor, book = _room(right), op.residual, op.loss_textbook
    if factor is not None:
        yield Claim("residual", lambda: factor * (a - y), "vjp()", right, room)
    if book is not None and op.contains is None:
        fact, end = "loss_textbook.by_output", np.isin(a, (0, 1))
        yield Claim(fact, lambda: book.by_output(a, y), "vjp()", right, room, end)
    if book is not None and op.contains is not None:
        inside = op.contains()
        p = inside.forward(a)
        if not _saturated(p):
            yield Claim(
                "loss_textbook.by_output, through contains,",
                lambda: inside.vjp(book.by_output(p, y), a)["z"],
                "vjp()",
                right,
                room,
            )
    for activation in ACTIVATIONS.values():
        both = op.fused(activation())
        if both is not None:
            z = np.linspace(-1, 1, a.size, dtype=a.dtype).reshape(a.shape)
            two = np.asarray(op.forward(activation().forward(z), *inputs[1:]))
            rule = f"{activation.__name__}, then forward(),"
            yield _fused(both, (z, *inputs[1:]), rule, two)


def _saturated(p: np.ndarray) -> bool:
    """Whether a probability is so near 0 or 1 that the textbook's 1/p or 1/(1−p) loses digits."""
    nearest = float(np.minimum(p, 1 - p).min(initial=1.0))
    return nearest < float(np.finfo(p.dtype).eps) ** 0.5


def _fused(both: Op, inputs: Arrays, rule: str, value: np.ndarray) -> Claim:
    room = _room(value)
    found = partial(both.forward, *inputs)
    return Claim("fused().forward()", found, rule, value, room, formula=False)


def _kernel(op: Op, inputs: Arrays, value: np.ndarray) -> Iterator[Claim]:
    """The kernel's value and cotangents, in buffers laid as a compiled step lays them."""
    largest = max(map(_largest, inputs))
    if op.compiled_as is GENERAL or (op.compiled_as.exponential and largest >= LIMITS[value.dtype]):
        return
    wanted = [name for name in op.differentiable() if name not in op.labels]
    names = [operand.name for operand in op.parsed.inputs]
    bar = _spread(value.shape, value.dtype)
    pulled, held = op.vjp(bar, *inputs), bar.copy()
    bars: list[np.ndarray | None] = []
    for operand, array in zip(op.parsed.inputs, inputs, strict=True):
        shared = op.compiled_as.in_place and array.shape == value.shape
        place = held if shared else np.zeros_like(array)
        bars.append(place if operand.name in wanted else None)
    out, places = np.zeros_like(value), tuple(bars)
    limits = np.finfo(value.dtype)
    room, floor = KERNEL * float(limits.eps), KERNEL * float(limits.smallest_subnormal)

    def computed() -> np.ndarray:
        forward, backward = op.compiled_as(op, Place(inputs, out, held, places))
        forward()
        backward()
        return out

    # a value is a sum that may cancel: Σ |slope · input| is the scale at which it is rounded
    terms = [
        float(np.abs(pulled[o] * x).sum())
        for o, x in zip(names, inputs, strict=True)
        if o in wanted
    ]
    scale = max([_largest(value), *filter(np.isfinite, terms)])
    whole = room * scale + floor
    yield Claim("compiled_as", computed, "forward()", value, whole, formula=False)
    for operand, buffer in zip(op.parsed.inputs, bars, strict=True):
        if buffer is not None:
            right = np.asarray(pulled[operand.name])
            rule = f"vjp()[{operand.name!r}]"
            allowed = room * _largest(right) + floor
            read = partial(np.asarray, buffer)
            yield Claim("compiled_as", read, rule, right, allowed, formula=False)


def _spread(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A cotangent whose neighbours are apart: what is taken by its differences does not cancel."""
    return (0.5 + np.arange(np.prod(shape, dtype=int)) * GOLDEN % 1).astype(dtype).reshape(shape)


def _shows(op: Op, inputs: Arrays, at: int) -> bool:
    """Whether inf and NaN in the first entry of one input come out."""
    for bad in (np.inf, np.nan):
        changed = [np.array(array) for array in inputs]
        if changed[at].size:
            changed[at].flat[0] = bad
            if np.isfinite(op.forward(*changed)).all():
                return False
    return True


def _apart(claim: Claim, found: np.ndarray) -> list[str]:
    right = claim.right
    if found.shape != right.shape:
        shapes = f"shape {dims(found.shape)}; {claim.rule} gives {dims(right.shape)}"
        return [f"{claim.fact} gives {shapes}"]
    off = ~(np.abs(found - right) <= claim.room) & (found != right)
    off &= ~(np.isnan(found) & (claim.at_end | np.isnan(right)))
    if not off.any():
        return []
    at = tuple(int(i) for i in np.argwhere(off)[0])
    place = f" at {entry('', at)}" if at else ""
    given, due = number(float(found[at]), 6), number(float(right[at]), 6)
    return [f"{claim.fact} gives {given}{place}; {claim.rule} gives {due}"]


def _room(right: np.ndarray) -> float:
    return FORMULA * _largest(right) + BESIDE_1


def _largest(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0
