"""What a student writes for an activation and its slope: by z, by a, and the value itself."""

import numpy as np

from ....ops import Activation, Divide, Multiply, Op
from ....ops.textbook import Textbook
from ....writing.signs import number


def formulas(op: Op) -> Textbook | None:
    """The textbook's formulas of an activation; of one that says none, what it computes."""
    if op.textbook is not None or not isinstance(op, Activation):
        return op.textbook
    operand = op.parsed.inputs[0].name
    return Textbook(
        op.name.lower(),
        lambda z: np.asarray(op.forward(z)),
        lambda z: np.asarray(op.vjp(np.ones_like(z), z)[operand]),
    )


def slope_name(op: Op, z: str) -> str:
    """As it is printed: σ'(z1), relu'(z2); of a product with a number the number."""
    if isinstance(op, Multiply) and op.numbers:
        return number(next(iter(op.numbers.values())))
    if isinstance(op, Divide) and 1 in op.numbers:
        return f"1/{number(op.numbers[1])}"
    known = formulas(op)
    return f"{known.name if known else op.name.lower()}'({z})"
