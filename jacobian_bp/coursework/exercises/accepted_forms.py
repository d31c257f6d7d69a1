"""The forms in which one right array may be handed in, by the name of the layout.

The first is the one that a solution gives. Arrays are compared by value, so a
form that is equal to an earlier one adds nothing.
"""

from collections.abc import Mapping

import numpy as np

from ...algebra.jacobian import Jacobian
from ...algebra.layouts import LAYOUTS

Forms = Mapping[str, np.ndarray]
# by the layout that is asked for
TURNED = {"gradient": ("transposed",), "": ("examples in columns", "examples in rows")}


def turned_layout(forms: Forms) -> str:
    """The name of the form with rows and columns exchanged; nothing where there is none.

    >>> turned_layout(matrix_forms(np.ones((2, 3)))), turned_layout(vector_forms(np.ones(3)))
    ('transposed', '')
    """
    layouts = TURNED.get(next(iter(forms)), ())
    return next((layout for layout in layouts if layout in forms), "")


def matrix_forms(array: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient by a matrix W: W's own shape, transposed, and both flat orders.

    >>> list(matrix_forms(np.ones((2, 3))))
    ['gradient', 'transposed', 'flat', 'flat_column', 'flat, one axis', 'flat_column, one axis']
    """
    rows, columns = array.reshape(-1), array.T.reshape(-1)
    return {
        "gradient": array,
        "transposed": array.T,
        "flat": rows[None, :],
        "flat_column": columns[None, :],
        "flat, one axis": rows,
        "flat_column, one axis": columns,
    }


def vector_forms(array: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient by a vector: one axis, a column, a row.

    >>> [form.shape for form in vector_forms(np.ones(3)).values()]
    [(3,), (3, 1), (1, 3)]
    """
    return {"": array, "gradient (a column)": array[:, None], "transposed (a row)": array[None, :]}


def batch_forms(array: np.ndarray) -> dict[str, np.ndarray]:
    """A value or a delta of a batch: examples in rows, or in columns."""
    return {"": array, "examples in columns": array.T}


def jacobian_forms(jacobian: Jacobian) -> dict[str, np.ndarray]:
    """A Jacobian in the five layouts."""
    return {layout: jacobian.materialise(layout) for layout in LAYOUTS}


def only(array: np.ndarray) -> dict[str, np.ndarray]:
    """An array that has one form."""
    return {"": array}


def scalar_forms(number: np.ndarray) -> dict[str, np.ndarray]:
    """A single number, as such or in an array of one entry."""
    return {
        "": number,
        "an array of one": number.reshape(1),
        "a matrix of one": number.reshape(1, 1),
    }


def row_forms(array: np.ndarray, layout: str = "") -> dict[str, np.ndarray]:
    """A flat gradient: one axis, a row of one matrix, or a column; `layout` is its reading order.

    >>> list(row_forms(np.ones(2), "flat"))
    ['flat', 'flat, a row', 'flat, a column']
    """
    flat, before = array.reshape(-1), f"{layout}, " if layout else ""
    forms = {layout: flat, f"{before}a row": flat[None, :], f"{before}a column": flat[:, None]}
    return forms
