"""Reshape and Flatten against loops over the places row by row; counts, printed lines, refusals."""

from itertools import product

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import DomainError, Network, check_op, ops

RNG = np.random.default_rng(37)
CASES = [  # an op, the shape of an example, of the result, and the printed Jacobian
    (ops.Flatten(), (3, 5), (15,), "δ[o,5i'+j']"),
    (ops.Flatten("c,i,j"), (2, 3, 5), (30,), "δ[o,15c'+5i'+j']"),
    (ops.Flatten("k"), (7,), (7,), "δ[o,k']"),
    (ops.Reshape((5, -1)), (3, 5), (5, 3), "[3o+p=5i'+j']"),
    (ops.Reshape((2, 3, -1), "k"), (30,), (2, 3, 5), "δ[k',15o+5p+q]"),
    (ops.Reshape(-1, "c,i,j"), (2, 3, 5), (30,), "δ[o,15c'+5i'+j']"),
    (ops.Reshape((3, 10), "c,i,j"), (2, 3, 5), (3, 10), "[10o+p=15c'+5i'+j']"),
    (ops.Reshape((3, 5)), (3, 5), (3, 5), "δ[o,i'] δ[p,j']"),
    (ops.Reshape((1, 3, 1, 5)), (3, 5), (1, 3, 1, 5), "[15o+5p+5q+r=5i'+j']"),
]
every_case = pytest.mark.parametrize(
    ("op", "read", "gives", "printed"), CASES, ids=[f"{c[0]!r} {c[1]}" for c in CASES]
)


def row_by_row(shape):
    """The places of an array in the order in which it is counted."""
    return list(product(*map(range, shape)))


@every_case
def test_each_entry_is_the_one_with_its_place_row_by_row(op, read, gives, printed):
    x = RNG.normal(size=read)
    expected = np.zeros((*gives, *read))
    y = np.zeros(gives)
    for out, into in zip(row_by_row(gives), row_by_row(read), strict=True):
        y[out], expected[(*out, *into)] = x[into], 1
    agree(op.forward(x), y)
    agree(dense_jacobian(op, "x", [x]), expected)
    agree(swept_vjp(op, "x", [x]), expected)
    letters = "".join(op.parsed.output.axes)
    net = Network.program("y = Step(x)", f'J = Einsum("{letters}->", y)', ops={"Step": op})
    jacobian = net.run(x=x, axes={"x": ",".join(op.parsed.inputs[0].axes)}).jacobian("y", "x")
    assert jacobian.structural_nonzeros == x.size
    assert jacobian.formula == printed


@every_case
def test_examples_keep_apart(op, read, gives, printed):
    names = ",".join(("n", *op.parsed.inputs[0].axes))
    report = check_op(op, {"x": RNG.normal(size=(2, *read))}, axes={"x": names})
    assert report.ok, str(report)
    x = RNG.normal(size=(2, *read))
    agree(op.forward(x), np.stack([op.forward(one) for one in x]))


def test_behind_a_step_all_axes_of_an_example_are_one_row():
    """Two images of two channels: Flatten and Reshape ask the value for its axes."""
    rng = np.random.default_rng(41)
    net = Network.program(
        "c = Conv2d(x, K)",
        "a = Tanh(c)",
        "f = Flatten(a)",
        "g = Reshape(f, (6, -1))",
        "h = Reshape(g, (5, 3, 2, 2))",
        "b = Flatten(h)",
        "z = Linear(b, W)",
        "L = SquaredError(z, y)",
        "J = Mean(L)",
        params={"K": rng.normal(size=(5, 2, 2, 3)), "W": rng.normal(size=(2, 60))},
    )
    for lead in ((), (3,)):
        run = net.run(x=rng.normal(size=(*lead, 2, 5, 5)), y=rng.normal(size=(*lead, 2)))
        report = run.check()
        assert report.ok, str(report)
        agree(run["b"], run["a"].reshape(*lead, -1))
        for of in ("f", "g", "h", "b"):
            jacobian = run.jacobian(of, "a")
            assert jacobian.structural_nonzeros == run["a"].size
            assert np.array_equal(
                jacobian.materialise().reshape(run["a"].size, -1), np.eye(run["a"].size)
            )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ops.Reshape((3, 0)),
            "Reshape(shape) is (3, 0).\n  Write whole numbers from 1 on, such as (3, 5); one may "
            "be -1.",
        ),
        (
            lambda: ops.Reshape((-1, -1)),
            "Reshape(shape) is (-1, -1).\n  Write whole numbers from 1 on, such as (3, 5); one "
            "may be -1.",
        ),
        (
            lambda: ops.Reshape(True),
            "Reshape(shape) is True.\n  Write whole numbers from 1 on, such as (3, 5); one may "
            "be -1.",
        ),
        (
            lambda: check_op(ops.Reshape((4, 4)), {"x": np.ones((2, 3, 5))}),
            "Reshape: an example of x has shape (3, 5), 15 entries; (4, 4) has 16.\n"
            "  Write sizes whose product is 15, such as (15,).",
        ),
        (
            lambda: check_op(ops.Reshape((4, -1)), {"x": np.ones((3, 5))}),
            "Reshape: an example of x has shape (3, 5), 15 entries; (4, -1) has a multiple of 4.\n"
            "  Write sizes whose product is 15, such as (15,).",
        ),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(make, message):
    assert refusal(DomainError, make) == message


def test_columns_first_is_told_from_rows_first():
    class ByColumns(ops.Flatten):
        def forward(self, x):
            return np.swapaxes(x, -1, -2).reshape(*x.shape[:-2], -1)

    assert not check_op(ByColumns(), {"x": RNG.normal(size=(3, 5))}).ok
