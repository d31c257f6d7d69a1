"""A derivative that overflows is named, whatever asks for it: never a silent inf or NaN."""

import warnings

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Network, delta, dense
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.finite import surely_finite
from jacobian_bp.algebra.jacobian import Jacobian
from jacobian_bp.algebra.layouts import LAYOUTS

RNG = np.random.default_rng(0)


def far(x):
    net = Network.program(
        "z = Linear(x, W, b)",
        "a = ReLU(z)",
        "J = SquaredError(a, y)",
        params={"W": [[1e-60]], "b": [0.0]},
    )
    return net.run([x], [0.0])


@pytest.mark.parametrize(("of", "v"), [("J", 1.0), ("z", [1e120])])
def test_a_vjp_that_overflows_says_where(of, v):
    assert refusal(DomainError, far(1e200).vjp, of, "W", v) == (
        f"v ∂{of}/∂W[0,0] is inf; 1 of 1 entries of v ∂{of}/∂W are not finite.\n"
        f"  {of}, the values before it and the cotangent are finite; a product with slopes passes\n"
        "  1.8e+308, the largest float64, or a slope is not finite.\n"
        "  Standardise the data, or start from smaller weights."
    )


def test_what_does_not_overflow_is_given():
    run = far(1e150)
    assert np.array_equal(run.vjp("J", "W", 1.0), [[2e240]])
    assert np.array_equal(run.vjp("z", "W", [1e120]), [[1e150 * 1e120]])


HUGE = {np.float64: (1e-300, 1e200, "1.8e+308"), np.float32: (1e-36, 1e25, "3.4e+38")}
BATCH = 2


def chain(dtype, batch=None, weight=None):
    """x (3) → z (2) → u (5), the product of the weights too large, every value small."""
    x, w, _ = HUGE[dtype]
    w = w if weight is None else weight
    params = {"W1": np.full((2, 3), w, dtype), "W2": np.full((5, 2), w, dtype)}
    steps = ["z = Linear(x, W1)", "u = Linear(z, W2)", "L = SquaredError(u, y)", "J = Mean(L)"]
    net = Network.program(*steps[: 3 if batch is None else 4], params=params)
    front = () if batch is None else (batch,)
    return net.run(np.full((*front, 3), x, dtype), np.zeros((*front, 5), dtype))


def layouts(run):
    jacobian = run.jacobian("u", "x")
    return [lambda name=name: jacobian.materialise(name) for name in LAYOUTS]


def ones(run, name):
    return np.ones(run[name].shape, run["x"].dtype)


FROM_THE_SLOPES = {
    "product": lambda run: (run.jacobian("u", "z") @ run.jacobian("z", "x")).materialise,
    "collapsed": lambda run: run.jacobian("u", "x").collapse,
    "sum": lambda run: (run.jacobian("u", "x") + run.jacobian("u", "x")).materialise,
    "pull": lambda run: lambda: run.jacobian("u", "x").pull(ones(run, "u")),
    "push": lambda run: lambda: run.jacobian("u", "x").push(ones(run, "x")),
    "vjp": lambda run: lambda: run.vjp("u", "x", ones(run, "u")),
    "jvp": lambda run: lambda: run.jvp("u", "x", ones(run, "x")),
    "stacked": lambda run: run.jacobian("u", ("W2", "x")).materialise,
    "hessian": lambda run: run.hessian("x").materialise,
    "row": lambda run: run.hessian("x").rows[0].materialise,
    "part": lambda run: run.hessian("x").gauss_newton.materialise,
    "diagonal": lambda run: run.hessian("x").diagonal,
    "factored": lambda run: run.hessian("x").factored,
    "collapsed hessian": lambda run: run.hessian("x").collapse,
    "hessian push": lambda run: lambda: run.hessian("x").push(ones(run, "x")),
    "hessian pull": lambda run: lambda: run.hessian("x").pull(np.array(ones(run, "x"))),
    "hvp": lambda run: lambda: run.hvp({"x": ones(run, "x")}),
    "all blocks": lambda run: run.hessian(("x", "W1")).materialise,
    "their diagonal": lambda run: run.hessian(("x", "W1")).diagonal,
    "their push": lambda run: lambda: run.hessian(("x",)).push(ones(run, "x").reshape(-1)),
}
EACH = {
    "hessian": lambda run: run.hessian("x", per_example=True).materialise,
    "all blocks": lambda run: run.hessian(("x",), per_example=True).materialise,
    "their push": lambda run: (
        lambda: run.hessian(("x",), per_example=True).push(ones(run, "x").reshape(-1))
    ),
}


def refuses(compute, dtype):
    """It raises DomainError in the one wording, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = refusal(DomainError, compute)
    assert " is inf; " in said or " is nan; " in said
    assert f"passes\n  {HUGE[dtype][2]}, the largest {np.dtype(dtype)}" in said
    wider = ", or compute in float64" if dtype is np.float32 else ""
    assert said.endswith(f"\n  Standardise the data, or start from smaller weights{wider}.")
    return True


@pytest.mark.parametrize("batch", [None, BATCH])
@pytest.mark.parametrize("dtype", HUGE)
def test_every_object_says_that_a_product_of_slopes_overflows(dtype, batch):
    run = chain(dtype, batch)
    asked = [of(run) for of in FROM_THE_SLOPES.values()] + layouts(run)
    asked += [of(run) for of in EACH.values()] if batch else []
    assert all(refuses(compute, dtype) for compute in asked)


@pytest.mark.parametrize("batch", [None, BATCH])
@pytest.mark.parametrize("dtype", HUGE)
def test_each_of_them_is_finite_with_smaller_weights(dtype, batch):
    run = chain(dtype, batch, weight=0.5)
    asked = [of(run) for of in FROM_THE_SLOPES.values()] + layouts(run)
    for compute in asked + ([of(run) for of in EACH.values()] if batch else []):
        compute()


def test_the_words_name_the_entry_and_what_to_do():
    jacobian = chain(np.float64).jacobian("u", "x")
    assert refusal(DomainError, jacobian.materialise) == (
        "∂u/∂x[0,0] is inf; 15 of 15 entries of ∂u/∂x are not finite.\n"
        "  Every slope on the way is finite; a product of slopes passes\n"
        "  1.8e+308, the largest float64.\n"
        "  Standardise the data, or start from smaller weights."
    )
    assert np.isinf(jacobian.materialise(finite=False)).all()


@pytest.mark.parametrize("power", range(140, 170, 3))
def test_it_is_refused_where_the_exact_product_is_too_large_and_only_there(power):
    """Π of two weights around the largest number: the bound on the factors refuses none."""
    jacobian = chain(np.float64, weight=10.0**power).jacobian("u", "x")
    exact = 2 * np.longdouble(10.0) ** (2 * power)
    if exact > np.finfo(np.float64).max:
        assert refuses(jacobian.materialise, np.float64)
    else:
        np.testing.assert_allclose(jacobian.materialise(), float(exact), rtol=1e-13)


def test_a_local_slope_may_be_a_product_that_overflows():
    """∂J/∂A[k,i] = x[k] x[i] of J = xᵀ A x."""
    steps = "J = Einsum(x, A, x, 'k,ki,i->')"
    run = Network.program(steps, params={"A": np.full((3, 3), 1e-300)}).run(np.full(3, 1e200))
    assert refuses(run.jacobian("J", "A").materialise, np.float64)
    assert refuses(run.local_jacobian("J", "A").materialise, np.float64)


def root():
    """The first slope of the root is infinite."""
    net = Network.program(
        "a = Sqrt(x)",
        "z = Linear(a, W)",
        "L = SquaredError(z, y)",
        params={"W": [[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]]},
    )
    return net.run([0.0, 1.0, 4.0], [1.0, 2.0])


def test_a_local_slope_that_is_infinite_stays_so():
    for local in (root().jacobian("a", "x"), root().local_jacobian("a", "x")):
        assert np.array_equal(local.materialise(), np.diag([np.inf, 0.5, 0.25]))
        assert np.array_equal(local.collapse().materialise(), np.diag([np.inf, 0.5, 0.25]))


@pytest.mark.parametrize(
    ("compute", "name", "slope"),
    [
        (lambda run: run.jacobian("z", "x").materialise(), "∂z/∂x", "∂a/∂x"),
        (lambda run: run.jacobian("z", ("x",)).materialise(), "∂z/∂x", "∂a/∂x"),
        (lambda run: run.vjp("z", "x", [1, 2]), "v ∂z/∂x", "∂a/∂x"),
        (lambda run: run.jvp("z", "x", [1, 2, 3]), "∂z/∂x u", "∂a/∂x"),
        (lambda run: run.hessian("x").materialise(), "∂²L/∂x²", "∂²a/∂x²"),
        (lambda run: run.hessian("x", "W").materialise(), "∂²L/∂x∂W", "∂a/∂x"),
        (lambda run: run.hvp({"x": [1, 2, 3]}), "(H v)['x']", "∂²a/∂x²"),
    ],
)
def test_of_a_product_with_an_infinite_slope_the_slope_is_named(compute, name, slope):
    said = refusal(DomainError, compute, root())
    assert said.partition("[")[0] in (name, "(H v)")
    assert said.partition("\n")[2] == (
        f"  One of its factors is the slope {slope}, which is itself not finite here.\n"
        f"  Ask at values at which {slope} is finite."
    )


def test_a_gradient_through_an_infinite_slope_names_it():
    net = Network.program("a = Sqrt(w)", "J = SquaredError(a, y)", params={"w": [0.0, 1.0]})
    for route in ("vjp", "full", "structured"):
        assert refusal(DomainError, net.run(y=[1.0, 2.0]).gradients, route).endswith(
            "\n  One of its factors is the slope ∂a/∂w, which is itself not finite here.\n"
            "  Ask at values at which ∂a/∂w is finite."
        )
    net.with_params({"w": [0.01, 1.0]}).run(y=[1.0, 2.0]).gradients()  # where it is finite


@pytest.mark.parametrize("dtype", HUGE)
def test_the_bound_on_factors_never_calls_finite_what_is_not(dtype):
    """Of 200 random sums of products near the largest number."""
    top, seen = np.log10(float(np.finfo(dtype).max)), set()
    out, wrt = (Axis("k", 2),), (Axis("k'", 2), Axis("i'", 3))
    for _ in range(200):
        a, b, c = (10.0 ** RNG.uniform(0.2 * top, 0.52 * top, size) for size in (3, 2, (2, 3)))
        both = dense("a[i']", a.astype(dtype)) * dense("b[k]", b.astype(dtype))
        expression = delta("k,k'") * both + -2 * (dense("c[k,i']", c.astype(dtype)) * delta("k,k'"))
        local = Jacobian.local("z", "W", out, wrt, expression, dtype)
        finite = np.isfinite(local.materialise(finite=False)).all()
        sure = surely_finite(expression, np.dtype(dtype))
        seen.add((finite, sure))
        assert finite or not sure
    assert {(True, True), (False, False)} <= seen


def test_a_check_through_an_infinite_slope_names_it_and_blames_no_op():
    net = Network.program("z = Linear(x, W)", "a = Sqrt(z)", "J = Sum(a)", params={"W": [[0.0]]})
    agreement = net.run([2.0]).check()
    assert (agreement.ok, agreement.parted) == (False, "")
    assert str(agreement) == (
        "the routes cannot be compared: ∂J/∂W[0,0] is inf; 1 of 1 entries of ∂J/∂W are not "
        "finite.\n"
        "  One of its factors is the slope ∂a/∂z, which is itself not finite here.\n"
        "  Ask at values at which ∂a/∂z is finite."
    )
