"""run.jacobian("a1", "x", per_example=True): each example's own, and nothing where they meet."""

import numpy as np
import pytest

from jacobian_bp import AxisError, Einsum, Network, SpecError
from jacobian_bp.algebra.each_example import ExampleJacobian

RNG = np.random.default_rng(1531)


def drawn(**shapes):
    return {name: RNG.normal(size=shape) for name, shape in shapes.items()}


DENSE = Network.dense([5, 3, 2], ["tanh", "sigmoid"], "bce", seed=1)
CONVOLUTION = Network.program(
    "z = Conv1d(x, K, b, padding=1)",
    "p = MaxPool1d(z, 2)",
    "f = Flatten(p)",
    "h = Linear(f, W, c)",
    params=drawn(K=(3, 2, 3), b=(3,), W=(2, 9), c=(2,)),
)
ATTENTION = Network.program(
    "q = Linear(x, A)",
    "s = Scores(q, x)",
    "a = CausalSoftmax(s)",
    "o = Apply(a, x)",
    params=drawn(A=(5, 5)),
    ops={"Scores": Einsum("ti,ui->tu"), "Apply": Einsum("tu,ui->ti")},
)
NORM = Network.program(
    "z = Linear(x, A)",
    "h = BatchNorm(z, g, b)",
    "m = Tanh(h)",
    params=drawn(A=(3, 5), g=(3,), b=(3,)),
)
CASES = [
    (DENSE, (7, 5), "a1", None),
    (DENSE, (7, 5), "a2", None),
    (CONVOLUTION, (3, 2, 7), "p", None),
    (CONVOLUTION, (3, 2, 7), "h", None),
    (ATTENTION, (7, 3, 5), "a", {"x": "n,t"}),
    (ATTENTION, (7, 3, 5), "o", {"x": "n,t"}),
]


def test_it_shows_itself_in_one_line():
    each = DENSE.run(RNG.normal(size=(7, 5))).jacobian("a1", "x", per_example=True)
    assert repr(each) == "<Jacobian ∂a1/∂x, shape (7, 3, 5), dense>"


@pytest.mark.parametrize(("net", "shape", "of", "axes"), CASES)
def test_each_example_has_the_jacobian_that_it_has_alone(net, shape, of, axes):
    x = RNG.normal(size=shape)
    run = net.run(x, axes=axes)
    J, whole = run.jacobian(of, "x", per_example=True), run.jacobian(of, "x")
    array, batch = J.materialise(), whole.materialise()
    assert [axis.name for axis in J.axes] == [a.name for a in whole.axes if a.name != "n'"]
    gone = [axis.name for axis in whole.axes].index("n'")
    for n, example in enumerate(x):
        alone = net.run(example, axes={"x": "t"} if axes else None).jacobian(of, "x").materialise()
        np.testing.assert_allclose(array[n], alone, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(array[n], np.take(batch[n], n, axis=gone - 1))
    assert not np.allclose(array[0], array[1])  # one example's for all would be seen
    assert J.nbytes * len(x) == whole.nbytes
    assert J.structural_nonzeros == whole.structural_nonzeros == J.can_be_nonzero().sum()
    rows, placed = J.coo(), np.zeros(J.shape)
    np.testing.assert_array_equal(rows.values, J.materialise("flat")[rows.rows, rows.columns])
    for slices, block in J.blocks(512):
        placed[slices] = block
    np.testing.assert_array_equal(placed, array)
    v, u = RNG.normal(size=run[of].shape), RNG.normal(size=shape)
    np.testing.assert_array_equal(J.pull(v), whole.pull(v))
    np.testing.assert_array_equal(J.push(u), whole.push(u))
    np.testing.assert_array_equal(J.collapse().materialise(), array)


def test_the_delta_between_examples_is_spent_and_that_is_said():
    x = RNG.normal(size=(7, 5))
    J = DENSE.run(x).jacobian("a1", "x", per_example=True)
    assert str(J) == (
        "∂a1/∂x[n,k,i'] = tanh'(z1)[n,k] W1[k,i']\n"
        "  layout numerator, shape (7, 3, 5): dense; 105 of 105 entries can be non-zero; "
        "840 bytes\n"
        "  δ[n,n'] tanh'(z1)[n,k] W1[k,i']  =  tanh'(z1)[n,k] W1[k,i']    "
        "(examples do not mix: what is not 0 has n = n')"
    )
    assert DENSE.run(x).jacobian("z1", "x", per_example=True).formula == "1[n] W1[k,i']"
    assert J.latex() == (
        r"\left(\frac{\partial a_{1}}{\partial x}\right)_{n,k,i'}="
        r"\tanh'(z_{1})_{n,k}\,(W_{1})_{k,i'}"
    )
    assert J.materialise("flat").shape == (21, 5)
    assert J.materialise("gradient").shape == (5, 7, 3)
    assert "shape (7, 3, 5)" in J._repr_html_()


def test_the_cost_is_taken_before_its_examples_add_up():
    x, y = RNG.normal(size=(7, 5)), RNG.integers(0, 2, size=(7, 2)).astype(float)
    run = DENSE.run(x, y)
    for wrt in ("x", "W1"):
        J = run.jacobian("J", wrt, per_example=True)
        assert J.of == "L"
        rows = [DENSE.run(x[n], y[n]).jacobian("J", wrt).materialise() for n in range(7)]
        np.testing.assert_allclose(J.materialise(), rows, rtol=1e-12, atol=1e-15)
        summed = J.materialise().mean(axis=0) if wrt == "W1" else J.materialise() / 7
        whole = run.jacobian("J", wrt).materialise()
        np.testing.assert_allclose(summed, whole, rtol=1e-12, atol=1e-15)


def test_what_is_given_has_no_jacobian_of_each_example():
    run = DENSE.run(RNG.normal(size=(7, 5)))
    with pytest.raises(AxisError) as caught:
        run.jacobian("W1", "x", per_example=True)
    assert str(caught.value) == (
        "∂W1/∂…: W1 is given, not computed, and depends on nothing.\n"
        '  Name first what is differentiated, a value that is computed, such as "z1".'
    )
    assert run.jacobian("z1", "x", per_example=True).materialise().any()


def test_of_one_example_it_is_the_jacobian():
    run = DENSE.run(RNG.normal(size=5))
    assert run.jacobian("a1", "x", per_example=True).formula == run.jacobian("a1", "x").formula


def test_where_examples_meet_the_step_is_named():
    x = RNG.normal(size=(7, 5))
    with pytest.raises(AxisError) as caught:
        NORM.run(x).jacobian("m", "x", per_example=True)
    assert str(caught.value) == (
        "∂m/∂x of each example: BatchNorm 'h' lets examples meet: entry n of h reads z of others "
        "too.\n"
        "  ∂h/∂z[n,k,n',k'] = δ[k,k'] (g/s)[k] δ[n,n'] − 1/7 δ[k,k'] (g/s)[k] 1[n] 1[n'] − "
        "1/7 δ[k,k'] (g/s)[k] z\u0302[n,k] z\u0302[n',k]\n"
        '  Leave per_example out, run.jacobian("m", "x"), or take a value before that step.'
    )
    assert NORM.run(x).jacobian("z", "x", per_example=True).shape == (7, 3, 5)
    added = Network.program(
        "z = Linear(x, A)", "c = Sum(z)", "d = Add(z, c)", params=drawn(A=(3, 5))
    )
    with pytest.raises(AxisError) as caught:
        added.run(x).jacobian("d", "A", per_example=True)
    assert str(caught.value).splitlines()[0] == (
        "∂d/∂A of each example: Sum 'c' adds up what belongs to different examples: "
        "c has no axis n."
    )
    whole = NORM.run(x).jacobian("m", "x")
    with pytest.raises(AxisError, match=r"has no δ\[n,n'\]; examples mix in it"):
        ExampleJacobian.spent(whole, "n")


def test_several_variables_are_asked_for_one_by_one():
    run = DENSE.run(RNG.normal(size=(7, 5)))
    with pytest.raises(SpecError) as caught:
        run.jacobian("a1", ["x", "W1"], per_example=True)
    assert str(caught.value) == (
        "∂a1/∂…: per_example goes with one variable.\n"
        '  Write its name, such as "x", for each variable by itself.'
    )
