"""What a student writes for an activation and its slope: by z, by a, and the value itself."""

import numpy as np

from ....ops import Activation, Op
from ....ops.textbook import Textbook


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
    """As it is printed: σ'(z1), relu'(z2)."""
    known = formulas(op)
    return f"{known.name if known else op.name.lower()}'({z})"
