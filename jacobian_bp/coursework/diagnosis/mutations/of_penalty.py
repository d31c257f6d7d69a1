"""Mistakes with the penalty on a parameter: left out, another factor or sign, nothing else kept."""

from collections.abc import Iterator

import numpy as np

from ....ops import Penalty
from ....writing.signs import rename
from ..passes.backward import Line
from .mutation import Facts, Wrong, mutation


def penalties(line: Line, facts: Facts) -> list[Line]:
    """The penalties on this line's target, in the order of the program."""
    return [k for k in facts.backward.to[line.target] if k.kind == "penalty"][::-1]


def derivative(line: Line) -> str:
    """The penalty's derivative in the network's names: 2 · 0.1 W2."""
    op = line.step.op
    assert isinstance(op, Penalty)
    return rename(op.derivative, line.step.called)


def said(lines: list[Line]) -> str:
    """2 · 0.1 W2, of R2 = 0.1 Σ W2²; where there are several, one after another."""
    each = [f"{derivative(k)}, of {k.step.name} = {k.step.formula}" for k in lines]
    return ", and ".join(each)


@mutation("penalty-missing", 4, "penalty")
def penalty_left_out(line: Line, facts: Facts) -> Iterator[Wrong]:
    """One penalty on the parameter, or all of them."""
    every = penalties(line, facts)
    yield Wrong(None, said([line]), "one", {line.key: None})
    if line is every[0] and len(every) > 1:
        yield Wrong(None, said(every), "all", {k.key: None for k in every})


@mutation("penalty-factor", 5, "penalty")
def penalty_with_another_factor(line: Line, facts: Facts) -> Iterator[Wrong]:
    """λ W for 2 λ W and the like; a minus before it; the 1/m of the data's mean in it."""
    m = facts.examples
    ways = [
        (0.5, "half of it stands there", 0),
        (2.0, "twice that stands there", 0),
        (-1.0, "it is subtracted, not added", 0),
        (-0.5, "half of it is subtracted", 2),
        (-2.0, "twice that is subtracted", 2),
    ]
    if m > 1:
        ways += [
            (1 / m, f"it is divided by the m = {m} examples", 1),
            (0.5 / m, f"half of it, divided by the m = {m} examples, stands there", 2),
            (2.0 / m, f"twice that, divided by the m = {m} examples, stands there", 3),
            (float(m), f"it is multiplied by the m = {m} examples", 3),
        ]
    slope = line.factor("penalty")
    for factor, told, more in ways:
        note = f"of {line.step.name} = {line.step.formula} it is {derivative(line)}, and {told}"
        wrong = line.using("penalty", slope.name, factor * slope.array)
        yield Wrong(None, note, told, {line.key: wrong}, prior=more)


@mutation("fan-out-overwritten", 8, "penalty")
def penalty_alone(line: Line, facts: Facts) -> Iterator[Wrong]:
    """dW = 2 λ W where dW += 2 λ W is meant: what comes through the network is gone."""
    every = penalties(line, facts)
    network = [k for k in facts.backward.to[line.target] if k.kind != "penalty" and not k.asleep]
    if line is not every[0] or not network or not np.any(line.factor("penalty").array):
        return
    note = f"the path through the penalty alone, which gives {' + '.join(map(derivative, every))}"
    yield Wrong(None, note, "penalty", {k.key: None for k in network})


@mutation("factor-beside-penalty", 6, "penalty")
def network_with_another_factor(line: Line, facts: Facts) -> Iterator[Wrong]:
    """m dW + 2 λ W: the mean, a sign or a 2 is wrong in what comes through the network alone."""
    if line is not penalties(line, facts)[0]:
        return
    network = [k for k in facts.backward.to[line.target] if k.kind != "penalty" and not k.asleep]
    m = facts.examples
    ways = [
        (-1.0, "it has the wrong sign", 2),
        (2.0, "it is doubled", 3),
        (0.5, "it is halved", 3),
    ]
    if m > 1 and facts.state.program.averages:
        ways.append((float(m), f"it lacks the 1/m of the mean over the m = {m} examples", 0))
        ways.append((1 / m, f"it has the 1/m of the mean over the m = {m} examples twice", 1))
    for factor, told, more in ways:
        wrong = {k.key: k.by(lambda d, *f, k=k, c=factor: c * k.product(d, *f)) for k in network}
        if wrong:
            yield Wrong(None, told, told, wrong, prior=more)
