"""What is said of a reading and of each wrong line: only what was found there."""

import ast

import numpy as np

from ...writing.signs import dims, safe
from ..lines.vocabulary import Quantity
from .judge import Wrong
from .limits import shown
from .one_op import StudiedOp
from .quantities import Quantities
from .readings import Reading
from .trace import near


def factor_words(factor: float, quantities: Quantities) -> str:
    """m, 1/m, −1, 2 …: how many times a quantity a value is.

    Only a mean has an m that a line can have too often.
    """
    m = quantities.per_example
    if m > 1:
        for value, words in ((m, "m"), (1 / m, "1/m"), (1 / m**2, "1/m²")):
            for sign, minus in ((1, ""), (-1, "−")):
                if near(factor, sign * value):
                    return f"{minus}{words} (m = {m})"
    return f"{factor:.6g}".replace("-", "−")


def _times(factor: float, what: Quantity, quantities: Quantities) -> str:
    return str(what) if near(factor, 1) else f"{factor_words(factor, quantities)} times {what}"


def _of_cost(factor: float | None, wrong: Wrong, quantities: Quantities) -> str:
    """How many times the cost a value is, in words."""
    cost = "the run's cost" if np.size(wrong.value) == 1 else "the loss of each example"
    if factor is None:
        return f"not {cost}, nor a usual number times it"
    times = "minus" if near(factor, -1) else f"{factor_words(factor, quantities)} times"
    return f"{times} {cost}"


def of_wrong(wrong: Wrong, quantities: Quantities, own: bool) -> list[str]:
    """Why a line is wrong, and what was meant."""
    found, what = wrong.found, wrong.quantity
    path = shown(wrong.path)
    meant_for = ""
    if what:
        one = None if wrong.example is None else quantities.of_example(what, wrong.example)
        of = what if one is None else f"{what} of one example"
        shape = quantities.known[what].shape if one is None else _of_one(one.shape, wrong)
        meant_for = f"{of}, shape {dims(shape)}"
    told = found.factor is None or not quantities.by_chance(wrong.value, found.factor)
    match found.why if told or found.why != "factor" else "value":
        case "break":
            where = "" if own else ", at the sizes above"
            says = [f"numpy refuses it{where}: {shown(found.detail, 160)}."]
            says += [f"It is meant to be {meant_for}."] if what else []
        case "count":
            says = [f"{path} is {found.detail}; there are {quantities.examples} examples."]
        case "factor" if what and found.factor is not None and found.detail:
            says = [f"It {found.detail} {_times(found.factor, what, quantities)}: a step uphill."]
        case "factor" if what and not what.is_parameter_gradient and found.factor is not None:
            is_now, needed = (_times(f, what, quantities) for f in (found.factor, wrong.wanted))
            says = [f"{path} is {is_now}; the lines after it need {needed}."]
        case "factor" if found.factor is not None and not near(found.factor, 1):
            says = [f"{path} is {factor_words(found.factor, quantities)} times {what}."]
        case "is":
            says = [f"{path} is {found.detail}; it is meant to be {meant_for}."]
        case "updated":
            says = [f"It reads {shown(found.detail, 80)} already updated: {path} is meant to be"]
            says[0] += f" {meant_for}, by the parameter as it was. Compute it before the update."
        case "overwritten":
            says = [f"In each round {path} overwrites what the other {found.detail} gave."]
        case "inside":
            says = [f"By it {path} in line {shown(found.detail)} is not {meant_for}."]
        case "order":
            says = [f"It hands over the arguments of {shown(found.detail)}() in another order."]
        case "argument":
            says = [f"With what it hands over {path} is not {meant_for}."]
        case "helper":
            says = [f"The function {shown(found.detail)} does not give what its name says."]
        case "ones":
            other = "last" if found.detail == "first" else "first"
            line = "row" if quantities.layout.convention.weights == "in,out" else "column"
            says = [f"Its 1s stand {other}; the bias is the {found.detail} {line} of W."]
        case "cost":
            where = f"By it {path} in line {shown(found.detail)}" if found.detail else path
            says = [f"{where} is {_of_cost(found.factor, wrong, quantities)}."]
        case "shape":
            says = [f"{path} {found.detail}"]
        case "penalty":
            says = [found.detail]
        case "layer":
            first, count = quantities.naming.first, quantities.layers
            numbers = ", ".join(f"W{first + n}" for n in range(count))
            says = [f"d{found.detail} is of no layer: the weights are {numbers}."]
            if taken := found.quantity:
                times = quantities.matches(wrong.value, taken)[0].factor
                name = f"d{taken.of[0]}{int(taken.of[1:]) - 1 + first}"
                write = f": write {name}" if near(times, 1) else f", the gradient for {name}"
                says.append(f"This is {_times(times, taken, quantities)}{write}.")
        case _ if what:
            turned = [
                m for m in quantities.matches(wrong.value, what) if m.turned and m.quantity == what
            ]
            why = f" It is the transpose of {what}." if turned and near(turned[0].factor, 1) else ""
            own_name = "the run's " * (path == str(what))
            says = [f"{path} is not {own_name}{meant_for}.{why}"]
            others = [
                m
                for m in quantities.matches(wrong.value)
                if m.quantity != what and not quantities.by_chance(wrong.value, m.factor)
            ]
            if others and not turned and not others[0].turned and what.is_parameter_gradient:
                says.append(f"It is {_times(others[0].factor, others[0].quantity, quantities)}.")
        case _:
            says = [f"{path} is no quantity of this network's backward pass."]
    if wrong.calls:
        says.append(f"It shows in the call of line {wrong.calls[-1]}.")
    if found.instead is not None:
        change = f"   ({shown(found.change, 80)})" if found.change else ""
        says.append(f"Meant: {shown(ast.unparse(found.instead), 300)}{change}")
    return says


def _of_one(shape: tuple[int, ...], wrong: Wrong) -> tuple[int, ...]:
    """The shape of what one example has: an axis of 1 only where the wrong value has one."""
    return shape if np.ndim(wrong.value) > 1 else (max(shape),)


def of_reading(reading: Reading, own: bool, told: bool) -> list[str]:
    """How the text is read: the layout, and what its names are taken for."""
    quantities, naming = reading.quantities, reading.naming
    if isinstance(quantities.studied, StudiedOp):
        return [quantities.studied.read_as(reading.layout, naming)]
    says = [f"Read as {reading.layout}."] if told else []
    if not own:
        sides = [
            quantities.studied.arrays[Quantity("value", f"a{n}")]
            for n in range(1, quantities.layers + 1)
        ]
        widths = [quantities.studied.arrays[Quantity("value", "x")].shape[-1]]
        widths += [side.shape[-1] for side in sides]
        batch = (
            f"{quantities.examples} random examples"
            if quantities.examples > 1
            else "a random example"
        )
        says.append(
            f"Judged on {batch} and random weights of widths {'-'.join(map(str, widths))}: at the "
            "run's own sizes or numbers a mistake could pass."
        )
    if not quantities.studied.biased:
        says.append("It has no biases: judged with biases of 0.")
    if naming.swapped:
        says.append("Read with a for the pre-activation and z for the activation.")
    if naming.y_is_output:
        says.append("Read with y for the output.")
    if naming.first == 0:
        says.append("Its weights are counted from 0: W0 is W1 here.")
    if naming.input:
        says.append("Its z and a are counted from the input as layer 1: z2 is z1 here.")
    if naming.slope_takes == "a":
        says.append("A slope function is read as one of the activation.")
    if naming.given == "m" and reading.quantities.reads_derivatives:
        says.append("A derivative that it only reads is taken as that of each example, ∂L/∂z.")
    if naming.padded:
        says.append("An activation that it only reads is taken with its 1s.")
    helpers = reading.judgement.helpers
    taken = {f: what for f, what in quantities.taken_for.items() if f not in helpers}
    if taken:
        named = "; ".join(f"{shown(f)}() as {what}" for f, what in taken.items())
        says.append(f"Not in the text, and taken for what their names say: {named}.")
    if quantities.left_alone:
        names = ", ".join(shown(name) for name in sorted(quantities.left_alone))
        says.append(f"Its optimiser {names} keeps means of the gradients: it is left alone.")
    for path, what in reading.guessed.items():
        says.append(f"{safe(path)} is taken as {what}: with that the lines are right.")
    if reading.judgement.trace.gradients.factor != 1:
        m = quantities.per_example
        says.append(
            f"Every gradient is m = {m} times the run's: right for a cost summed over the examples."
        )
    return says
