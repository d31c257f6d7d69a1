"""Add, Subtract, Multiply, Divide: axes that meet by place or by letter, and numbers."""

import numpy as np
import pytest

from jacobian_bp import Add, Divide, Multiply, Network, Subtract, check_op
from jacobian_bp.errors import AxisError, JacobianError

RNG = np.random.default_rng(103)
N, T, K = 5, 2, 3
X = RNG.standard_normal((N, K))
OPS = {Add: np.add, Subtract: np.subtract, Multiply: np.multiply, Divide: np.divide}
# letters, the shapes of both operands, and how numpy lays them side by side
MEETING = {
    "one vector each": ("k", (K,), (K,), "k,k->k"),
    "b for every example": ("k", (N, K), (K,), "nk,k->nk"),
    "a for every example": ("k", (K,), (N, K), "k,nk->nk"),
    "numbers": ("", (), (), ",->"),
    "a number for every example": ("", (N,), (), "n,->n"),
    "b along t": ("a[t,k], b[t] -> c[t,k]", (T, K), (T,), "tk,t->tk"),
    "b along t, in a batch": ("a[t,k], b[t] -> c[t,k]", (N, T, K), (N, T), "ntk,nt->ntk"),
    "b along t in a batch, a is not": ("a[t,k], b[t] -> c[t,k]", (T, K), (N, T), "tk,nt->ntk"),
    "every pair": ("a[t], b[k] -> c[t,k]", (T,), (K,), "t,k->tk"),
    "one turned": ("a[k,t], b[t,k] -> c[t,k]", (N, K, T), (N, T, K), "nkt,ntk->ntk"),
}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
@pytest.mark.parametrize(("letters", "a", "b", "laid"), MEETING.values(), ids=MEETING)
def test_operands_meet_by_place_or_by_letter(op, letters, a, b, laid):
    a, b = RNG.standard_normal(a), RNG.standard_normal(b)
    assert check_op(op(letters), {"a": a, "b": b}).ok
    (left, right), whole = laid.split("->")[0].split(","), laid.split("->")[1]
    ones = np.ones([dict(zip("ntk", (N, T, K), strict=True))[axis] for axis in whole])
    wide = [np.einsum(f"{own},{whole}->{whole}", v, ones) for own, v in ((left, a), (right, b))]
    np.testing.assert_array_equal(op(letters).forward(a, b), OPS[op](*wide))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_a_number_is_an_operand(op, place):
    kept = "ab"[1 - place]
    assert check_op(op(numbers={place: -2.5}), {kept: X}).ok
    line = f"c = {op.__name__}(" + ("-2.5, x)" if place == 0 else "x, -2.5)")
    net = Network.program(line, "L = SquaredError(c, y)", "J = Mean(L)")
    assert net.steps[0] == line
    found = net.run(X, np.zeros_like(X))
    pair = (-2.5, X) if place == 0 else (X, -2.5)
    np.testing.assert_array_equal(found["c"], OPS[op](*pair))
    again = Network.program(*net.steps).run(X, np.zeros_like(X))
    np.testing.assert_array_equal(again["J"], found["J"])


def test_a_compiled_step_takes_numbers_and_letters():
    params = {"w": RNG.standard_normal(N), "b": RNG.standard_normal(N)}
    net = Network.program(
        "s = Add(w, 2)",
        "u = Add(s, b)",
        "c = Multiply(x, u, 'a[t,k], b[t] -> c[t,k]')",
        "J = Einsum(c, 'tk->')",
        params=params,
    )
    run = net.run(X)
    assert run.check().ok
    loss, gradients = net.compile()(dict(net.params), X)
    np.testing.assert_allclose(loss, run.loss, rtol=1e-14)
    np.testing.assert_allclose(gradients["w"], X.sum(axis=1), rtol=1e-13)
    assert run.jacobian("c", "u").formula == "δ[t,t'] x[t,k]"
    assert run.forward_pass.program.steps[2].formula == "x * u, u the same for every k"


def test_a_lost_sum_over_an_axis_is_caught():
    class Unsummed(Multiply):
        def gathered(self, place, bar, value):
            found = super().gathered(place, bar, value)
            return found / K if value.ndim == 1 else found

    letters = MEETING["b along t"][0]
    arrays = {"a": RNG.standard_normal((T, K)), "b": RNG.standard_normal(T)}
    (finding,) = check_op(Unsummed(letters), arrays).findings
    assert (finding.wrong, finding.input) == ("vjp() is wrong", "b")


REFUSED = {
    "c = Add(1, 2)": "line 1: 'c = Add(1, 2)': Add reads no value.\n"
    "  Write one, such as Add(x, 2).",
    "c = Divide(x, 0)": "Divide by 0 is not defined.\n  Write another number.",
    "c = Divide(x, z)": "z[1] is 0, by which nothing is divided.\n"
    "  Keep z away from 0, such as by Add(z, 0.001).",
    "c = Multiply(x, 2, 3)": "Multiply takes 2 operands, at least one of them a value.\n"
    "  Write Multiply(x, 2), or leave the other numbers out.",
    "c = Subtract(x, 1e999)": "Subtract: the operand inf is not a finite number.\n  Write another.",
    "c = Add(x, True)": "Add has the axes True.\n"
    "  Write their letters, such as 'r,c', or which meet: 'a[t,k], b[t] -> c[t,k]'.",
    "c = Multiply(x, z, 'a[t,k] -> c[t,k]')": "Multiply('a[t,k] -> c[t,k]') has letters for "
    "1 array, and reads 2.\n  Write one array for each, such as 'a[t,k], b[t] -> c[t,k]'.",
    "c = Multiply(x, z, 'a[k], b[t] -> c[t]')": "Multiply('a[k], b[t] -> c[t]'): each letter "
    "stands once in c, and once in an operand that has it.\n"
    "  Write it such as 'a[t,k], b[t] -> c[t,k]'.",
}


@pytest.mark.parametrize(("line", "message"), REFUSED.items())
def test_what_is_no_operand_is_told(line, message):
    params = {"z": np.array([2.0, 0.0, 3.0])} if "z" in line else {}
    with pytest.raises(JacobianError) as caught:
        Network.program(line, params=params).run(X)
    assert str(caught.value) == message


@pytest.mark.parametrize("numbers", [{2: 1.5}, {0: 1.5, 1: 2.5}, {0: 1.5, 1: 2.5, 2: 3.5}])
def test_one_operand_at_least_is_a_value_and_a_number_stands_in_the_place_of_one(numbers):
    with pytest.raises(AxisError) as caught:
        Multiply(numbers=numbers)
    assert str(caught.value) == (
        "Multiply takes 2 operands, at least one of them a value.\n"
        "  Write Multiply(x, 2), or leave the other numbers out."
    )
    assert Multiply(numbers={1: 1.5}).signature == "a[k] -> c[k]"
    assert Multiply(numbers={0: 1.5}).signature == "b[k] -> c[k]"


@pytest.mark.parametrize("op", OPS)
def test_numbers_are_told_their_empty_axes_and_these_work(op):
    lines = ("L = SquaredError(x, y)", "R = L1Penalty(W, 0.3)", "E = Einsum(L, '->')")
    data = {"x": RNG.standard_normal(3), "y": RNG.standard_normal(3)}
    params = {"W": RNG.standard_normal((2, 3))}
    with pytest.raises(AxisError) as caught:
        Network.program(*lines, f"J = {op.__name__}(E, R)", params=params).run(**data)
    told = f"{op.__name__}(E, R, '')"
    assert str(caught.value).endswith(f"\n  Of numbers write {told}.")
    assert Network.program(*lines, f"J = {told}", params=params).run(**data).check().ok
