"""The puzzles of docs/puzzles.md: each printed line equals its answer in plain numbers.

An answer is what the puzzles ask for: ∂f[o]/∂x[i] from the indices and the inputs, by loops.
"""

import doctest
import math
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from project import DOCS

from jacobian_bp import check_op
from jacobian_bp.derivation.op_examples import example_of

RNG = np.random.default_rng(2801)


def puzzles_of_the_page():
    """The ops that the page defines, by name; its lines are run without being compared."""
    text = (DOCS / "puzzles.md").read_text(encoding="utf-8")
    names = {"__name__": "puzzles"}
    with redirect_stdout(StringIO()):
        for example in doctest.DocTestParser().get_examples(text):
            exec(compile(example.source, "puzzles.md", "exec"), names)
    return names["puzzles"]


PUZZLES = puzzles_of_the_page()


def is_(a, b):
    return 1.0 if a == b else 0.0


def others(x, i):
    return math.prod(v for place, v in enumerate(x) if place != i)


def padded(x, i):
    return x[i] if 0 <= i < len(x) else 0.0


# input -> the answer: the output's indices, then the input's, then the inputs
ANSWERS = {
    "1 identity": {"z": lambda z: 1.0},
    "2 cosine": {"x": lambda x: -math.sin(x)},
    "3 mean": {"L": lambda i, x: 1 / len(x)},
    "4 product": {"x": lambda i, x: others(x, i)},
    "5 repeat": {"x": lambda o, x: 1.0},
    "6 repeat and scale": {"x": lambda o, x: o / 5},
    "7 negation": {"x": lambda o, i, x: -is_(o, i)},
    "8 relu": {"z": lambda o, i, x: is_(o, i) * (x[i] > 0)},
    "9 index": {"x": lambda o, i, x: is_(i, o + 10)},
    "9 running sum": {"x": lambda o, i, x: (i <= o) / 20},
    "10 running mean": {"x": lambda o, i, x: (0 <= o - i < 2) / 2},
    "11 sort": {"x": lambda o, i, x: is_(sorted(x)[o], x[i])},
    "12 entrywise mean": {
        "x": lambda o, i, x, y: is_(o, i) / 2,
        "y": lambda o, i, x, y: is_(o, i) / 2,
    },
    "13 entrywise product": {
        "a": lambda o, i, x, y: is_(o, i) * y[o],
        "b": lambda o, i, x, y: is_(o, i) * x[o],
    },
    "14 convolution": {
        "x": lambda o, i, x, y: padded(y, i - o) / len(y),
        "K": lambda o, j, x, y: x[o + j] / len(y),
    },
    "15 view": {"z": lambda o, p, i, j, x: is_(o, i) * is_(p, j)},
    "16 transpose": {"x": lambda o, p, i, j, x: is_(o, j) * is_(p, i)},
    "17 broadcast": {
        "a": lambda o, p, i, j, x, y: is_(o, i) * is_(p, j) * y[j],
        "b": lambda o, p, j, x, y: is_(p, j) * x[o, p],
    },
    "18 mean over rows": {"L": lambda p, i, j, x: is_(p, j) / len(x)},
    "19 matrix product": {
        "a": lambda o, p, i, j, x, y: is_(o, i) * y[j, p],
        "b": lambda o, p, i, j, x, y: is_(p, j) * x[o, i],
    },
    "20 convolution of images": {
        "x": lambda d, o, p, c, i, j, x, y, b: (
            y[d, c, i - o, j - p] if 0 <= i - o < y.shape[2] and 0 <= j - p < y.shape[3] else 0.0
        ),
        "K": lambda d, o, p, e, c, r, s, x, y, b: is_(d, e) * x[c, o + r, p + s],
        "b": lambda d, o, p, e, x, y, b: is_(d, e),
    },
}
# larger than the page's example, pairwise different and prime
SIZES = {
    "9 index": {"x": (17,)},
    "9 running sum": {"x": (7,)},
    "10 running mean": {"x": (7,)},
    "11 sort": {"x": (7,)},
    "14 convolution": {"x": (11,), "K": (3,)},
    "20 convolution of images": {"x": (2, 5, 7), "K": (3, 2, 2, 3), "b": (3,)},
}
by_puzzle = pytest.mark.parametrize("name", ANSWERS)


def drawn(name, lead=()):
    """Random entries of both signs; parameters have no axis in front."""
    op, entry = PUZZLES[name], example_of(PUZZLES[name])
    found = {}
    for operand in op.parsed.inputs:
        shape = SIZES.get(name, {}).get(operand.name)
        shape = shape or tuple(entry.sizes[axis] for axis in operand.axes)
        front = () if operand.name in op.parameters else lead
        found[operand.name] = RNG.normal(size=(*front, *shape))
    return found


def jacobian_of(op, name, arrays):
    """The op's Jacobian by one input as an array, in the order output, input."""
    entry = example_of(op, arrays)
    (found,) = (j for j, _ in entry.jacobians if j.wrt == name)
    return found.materialise()


def answered(answer, shape, arrays):
    out = np.zeros(shape)
    for index in np.ndindex(*shape):
        out[index] = answer(*index, *arrays.values())
    return out


def test_the_page_has_all_of_them():
    assert list(PUZZLES) == list(ANSWERS)
    numbers = [int(name.split()[0]) for name in PUZZLES]
    assert sorted({*numbers}) == list(range(1, 21))
    assert numbers.count(9) == 2


@by_puzzle
def test_the_jacobian_is_the_answer_and_one_line(name):
    op, arrays = PUZZLES[name], drawn(name)
    for given, answer in ANSWERS[name].items():
        found = jacobian_of(op, given, arrays)
        expected = answered(answer, found.shape, arrays)
        assert np.abs(found - expected).max() <= 4 * np.finfo(float).eps * np.abs(expected).max()
        (line,) = [j.statement for j, _ in example_of(op).jacobians if j.wrt == given]
        assert "\n" not in line
        assert len(line) <= 80


@pytest.mark.one_in(8)
@by_puzzle
def test_its_two_rules_and_finite_differences_agree(name):
    report = check_op(PUZZLES[name], drawn(name))
    assert report.ok, report
    if not PUZZLES[name].parsed.mixes_examples:
        report = check_op(PUZZLES[name], drawn(name, lead=(2,)))
        assert report.ok, report


def test_a_wrong_answer_would_be_seen():
    arrays = drawn("14 convolution")
    found = jacobian_of(PUZZLES["14 convolution"], "x", arrays)
    turned = answered(lambda o, i, x, y: padded(y[::-1], i - o) / len(y), found.shape, arrays)
    assert np.abs(found - turned).max() > 0.01
