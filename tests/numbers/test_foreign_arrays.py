"""What is not an array of real numbers is told how to become one, and the way works.

A row is what comes in, what is said of it, what is advised, and the advice followed.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from jacobian_bp.errors import DomainError
from jacobian_bp.numbers.arrays import as_array

NUMBERS = np.array([[2.5, 3.0, 5.0], [7.0, 11.0, 13.0]])


class Tensor:
    """Like torch's: numpy reads it once nothing stands in the way, in the order torch asks for."""

    def __init__(self, *barriers):
        self.barriers = barriers
        self.requires_grad = "grad" in barriers
        self.shape = NUMBERS.shape

    def __array__(self, dtype=None, copy=None):
        for barrier in ("grad", "sparse", "cuda", "bfloat16", "negative"):
            if barrier in self.barriers:
                kind = RuntimeError if barrier in ("grad", "negative") else TypeError
                raise kind(f"it is {barrier}.\nSee the manual.")
        return np.array(NUMBERS, dtype)

    def _past(self, barrier):
        return type(self)(*(b for b in self.barriers if b != barrier))

    def detach(self):
        return self._past("grad")

    def cpu(self):
        return self._past("cuda")

    def to_dense(self):
        return self._past("sparse")

    def float(self):
        return self._past("bfloat16")

    def resolve_neg(self):
        return self._past("negative")

    def numpy(self):
        return np.asarray(self)


class Meta(Tensor):
    """A tensor without numbers: no method gives any."""

    def __array__(self, dtype=None, copy=None):
        raise NotImplementedError("there is no data!")


class Sparse:
    """Like a sparse array, whose package has one word for making it dense."""

    def __init__(self, word):
        setattr(self, word, lambda: NUMBERS)
        self.todense = getattr(self, "todense", lambda: NUMBERS)


class DynamicTracer:
    """Like what stands for an array while JAX traces a function."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("The numpy.ndarray conversion method __array__() was called")


def tensor(*barriers, way):
    """The row of a tensor; the first thing that stands in numpy's way is what is said of it."""
    grad = "grad" in barriers
    first = next((b for b in ("sparse", "cuda", "bfloat16", "negative") if b in barriers), "")
    said = "x is a Tensor that requires grad, not an array"
    return (
        Tensor(*barriers),
        said if grad else f"x (Tensor) is not an array of numbers: it is {first}",
        f"Pass x{way}",
        eval("lambda x: x" + way),
    )


HELD = "x has dtype {}, which holds"
NUMBER = "Write a number for it; number classes 0, 1, 2, …"
FLOAT = "np.asarray(x, dtype=float)"
RECORDS = np.zeros(3, [("u", float), ("v", np.int16)])
DATES = np.array(["2023-05-07", "2023-05-11"], "M8[D]")
FOREIGN = {
    "grad": tensor("grad", way=".detach().numpy()"),
    "bfloat16": tensor("bfloat16", way=".float()"),
    "cuda": tensor("cuda", way=".cpu()"),
    "sparse tensor": tensor("sparse", way=".to_dense()"),
    "negative bit": tensor("negative", way=".resolve_neg()"),
    "grad, bfloat16": tensor("grad", "bfloat16", way=".detach().float()"),
    "cuda, bfloat16": tensor("cuda", "bfloat16", way=".cpu().float()"),
    "grad, cuda": tensor("grad", "cuda", way=".detach().cpu()"),
    "grad, cuda, bfloat16": tensor("grad", "cuda", "bfloat16", way=".detach().cpu().float()"),
    "grad, sparse": tensor("grad", "sparse", way=".detach().to_dense()"),
    "no numbers": (
        Meta(),
        "x (Meta) is not an array of numbers: there is no data!",
        "Pass a numpy array, or a list of numbers",
        lambda x: NUMBERS.tolist(),
    ),
    "no numbers, grad": (
        Meta("grad"),
        "x is a Meta that requires grad, not an array",
        "Pass a numpy array, outside of grad and vmap",
        lambda x: NUMBERS,
    ),
    "traced": (
        DynamicTracer(),
        "x is a DynamicTracer: while JAX traces a function, there are no numbers",
        "Call it outside of jit, grad and vmap, with an array of numbers",
        lambda x: NUMBERS,
    ),
    "scipy": (
        Sparse("toarray"),
        "x is a sparse Sparse; Jacobians are built from dense arrays",
        "Pass x.toarray()",
        lambda x: x.toarray(),
    ),
    "BCOO": (
        Sparse("todense"),
        "x is a sparse Sparse; Jacobians are built from dense arrays",
        "Pass x.todense()",
        lambda x: x.todense(),
    ),
    "tensors in a list": (
        [NUMBERS, Tensor("bfloat16")],
        "x[1] (Tensor) is not an array of numbers: it is bfloat16",
        "Pass x[1].float()",
        lambda x: [x[0], x[1].float()],
    ),
    "a mask": (
        np.ma.array([2.0, 3.0, 5.0], mask=[1, 0, 1]),
        "x is a masked array with 2 masked entries; a contraction ignores masks",
        "Fill it first: x.filled(0.0), or drop the masked rows",
        lambda x: x.filled(0.0),
    ),
    "a generator": (
        (i for i in range(3)),
        "x is a generator, not an array",
        "Pass list(x)",
        list,
    ),
    "a set": ({2, 3}, "x is a set, which has no order", "Pass sorted(x)", sorted),
    "a dict": (
        {"u": 2.0},
        "x is a dict, not an array",
        "Pass its values: list(x.values())",
        lambda x: list(x.values()),
    ),
    "None": (None, "x is None", "Pass an array of numbers", lambda x: NUMBERS),
    "a Decimal": (Decimal("2.5"), "x is a Decimal, not an array", "Pass float(x)", float),
    "a date": (
        date(2023, 5, 7),
        "x is a date, not an array",
        "Pass an array of numbers",
        lambda x: [x.year],
    ),
}
ONE_LINE = {  # said and advised in one sentence
    "fractions": ([Fraction(2, 3)], "Python objects: convert it to numbers first, " + FLOAT),
    "large integers": ([2**70], "Python objects: convert it to numbers first, " + FLOAT),
    "digits": (["2", "3.5"], "text: convert it to numbers first, " + FLOAT),
    "a digit": ("235", "text: convert it to numbers first, " + FLOAT),
    "bytes": ([b"2"], "text: convert it to numbers first, " + FLOAT),
    "complex": ([2 + 3j], "complex numbers: pass np.real(x) and np.imag(x) as two inputs"),
    "dates": (
        DATES,
        "dates: convert them to numbers first, such as days:\n"
        "  (x - x.min()) / np.timedelta64(1, 'D')",
    ),
    "time spans": (
        DATES - DATES[0],
        "time spans: convert them to numbers first, such as seconds:\n  x / np.timedelta64(1, 's')",
    ),
    "records": (
        RECORDS,
        "records: pass the fields as columns of one array,\n"
        "  np.stack([x[field] for field in x.dtype.names], axis=-1)",
    ),
}
FOLLOWED = {
    "complex": lambda x: [np.real(x), np.imag(x)],
    "dates": lambda x: (x - x.min()) / np.timedelta64(1, "D"),
    "time spans": lambda x: x / np.timedelta64(1, "s"),
    "records": lambda x: np.stack([x[field] for field in x.dtype.names], axis=-1),
}
ENTRIES = {  # one entry is not a number: it is named
    "text": (["two"], "text: x[0] is 'two'", NUMBER),
    "text among numbers": (
        np.array([[2.0, 3.0], [5.0, "a"]], object),
        "Python objects: x[1,1] is 'a'",
        NUMBER,
    ),
    "too large": ([10**400], f"Python objects: x[0] is 1{'0' * 39}", NUMBER),
    "a missing value": (
        [2.0, None],
        "Python objects: x[1] is None, a missing value",
        "Fill it, or leave its row out",
    ),
    "rows in an object": (
        np.array([np.ones(2), np.ones(3)], object),
        "Python objects: x[0] has 2 entries",
        "Give every row the same length",
    ),
}


def refusal(value):
    with pytest.raises(DomainError) as caught:
        as_array(value, "x")
    return str(caught.value)


def finite(value):
    return np.isfinite(as_array(value, "x")).all()


@pytest.mark.parametrize(("value", "said", "advice", "follow"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_container_is_told_a_way_that_works(value, said, advice, follow):
    assert refusal(value) == f"{said}.\n  {advice}."
    assert finite(follow(value))


@pytest.mark.parametrize("kind", ONE_LINE)
def test_a_foreign_dtype_is_told_a_way_that_works(kind):
    value, words = ONE_LINE[kind]
    assert refusal(value) == f"{HELD.format(np.asarray(value).dtype)} {words}."
    assert finite(FOLLOWED.get(kind, lambda x: np.asarray(x, dtype=float))(value))


@pytest.mark.parametrize(("value", "said", "advice"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_is_no_number_is_named(value, said, advice):
    assert refusal(value) == f"{HELD.format(np.asarray(value).dtype)} {said}.\n  {advice}."


def test_bfloat16_of_numpy_is_widened():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    value = np.array([2.5, 3.0], bfloat16)
    assert refusal(value) == (
        'x has dtype bfloat16, which numpy does not calculate in.\n  Pass x.astype("float32").'
    )
    assert as_array(value.astype("float32"), "x").tolist() == [2.5, 3.0]


def test_what_is_advised_is_tried_first():
    """A tensor whose float() does not help is not told to call it."""

    class Stubborn(Tensor):
        def float(self):
            return self

        def cpu(self):
            return self

    assert refusal(Stubborn("bfloat16")).endswith("\n  Pass a numpy array, or a list of numbers.")
