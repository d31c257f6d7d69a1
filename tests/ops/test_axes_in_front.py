"""Every op along axes in front: whole Jacobian = VJP = finite differences, and token by token."""

import numpy as np
import pytest

from jacobian_bp import Op, check_op, delta, dense, ops, over_batch
from jacobian_bp.errors import AxisError
from jacobian_bp.ops.peer_functions import NUMPY

RNG = np.random.default_rng(83)
N, T, K, F = 2, 3, 5, 7


def normal(*shape):
    return RNG.standard_normal(shape)


def rows(*shape):
    return RNG.dirichlet(np.ones(shape[-1]), shape[:-1])


def classes(*shape):
    return RNG.integers(0, K, shape)


# the op, its inputs, and which of them carry what
CASES = {
    "Linear": (ops.Linear(), {"a": normal(N, T, F), "W": normal(K, F), "b": normal(K)}, "n,t"),
    "Tanh": (ops.Tanh(), {"z": normal(N, T, K)}, "n,t"),
    "ReLU": (ops.ReLU(), {"z": normal(N, T, K)}, "n,t"),
    "LeakyReLU": (ops.LeakyReLU(slope=0.2), {"z": normal(N, T, K)}, "n,t"),
    "Sigmoid": (ops.Sigmoid(), {"z": normal(N, T, K)}, "n,t"),
    "Softplus": (ops.Softplus(), {"z": normal(N, T, K)}, "n,t"),
    "Softmax": (ops.Softmax(), {"z": normal(N, T, K)}, "n,t"),
    "LogSoftmax": (ops.LogSoftmax(), {"z": normal(N, T, K)}, "n,t"),
    "Add": (ops.Add(), {"a": normal(N, T, K), "b": normal(N, T, K)}, "n,t"),
    "Add of a table": (ops.Add(), {"a": normal(N, T, K), "b": normal(T, K)}, "n,t"),
    "Multiply by a table": (ops.Multiply(), {"a": normal(T, K), "b": normal(N, T, K)}, "n,t"),
    "Multiply by a vector": (ops.Multiply(), {"a": normal(N, T, K), "b": normal(K)}, "n,t"),
    "Einsum": (ops.Einsum("ki,i->k"), {"a": normal(N, T, K, F), "b": normal(N, T, F)}, "n,t"),
    "Einsum, one shared": (ops.Einsum("ki,i->k"), {"a": normal(K, F), "b": normal(N, T, F)}, "n,t"),
    "Einsum, a table": (ops.Einsum("ki,i->k"), {"a": normal(T, K, F), "b": normal(N, T, F)}, "n,t"),
    "Einsum, a diagonal": (ops.Einsum("ii->i"), {"a": normal(N, T, K, K)}, "n,t"),
    "SquaredError": (ops.SquaredError(), {"a": normal(N, T, K), "y": normal(N, T, K)}, "n,t"),
    "Huber": (ops.Huber(0.5), {"a": normal(N, T, K), "y": normal(N, T, K)}, "n,t"),
    "bce": (ops.BinaryCrossEntropyFromLogits(), {"z": normal(N, T, K), "y": rows(N, T, K)}, "n,t"),
    "cross-entropy": (ops.CrossEntropy(), {"p": rows(N, T, K), "y": classes(N, T)}, "n,t"),
    "its logits": (ops.CrossEntropyFromLogits(), {"z": normal(N, T, K), "y": classes(N, T)}, "n,t"),
    "GroupNorm": (
        ops.GroupNorm(2, axes="c"),
        {"x": normal(N, T, 6), "gamma": normal(6), "beta": normal(6)},
        "n,t",
    ),
    "given statistics": (
        ops.BatchNorm(training=False),
        {
            "x": normal(N, T, K),
            "gamma": normal(K),
            "beta": normal(K),
            "mean": normal(K),
            "var": RNG.uniform(0.5, 2, K),
        },
        "n,t",
    ),
    "Reshape": (ops.Reshape((7, -1), axes="i,j"), {"x": normal(N, T, F, K)}, "n,t"),
    "Flatten": (ops.Flatten(axes="i,j"), {"x": normal(N, T, F, K)}, "n,t"),
    "divergence": (ops.KLDivergence(), {"p": rows(N, T, K), "y": rows(N, T, K)}, "n,t"),
}
ALONG = {
    "Softmax along t": (ops.Softmax(axis="t"), {"z": normal(N, T, K)}, "n,t,k"),
    "Softmax along n": (ops.Softmax(axis="n"), {"z": normal(N, T, K)}, "n,t,k"),
    "LogSoftmax along t": (ops.LogSoftmax(axis="t"), {"z": normal(N, T, K)}, "n,t,k"),
    "Mean over t": (ops.Mean(over="t"), {"L": normal(N, T)}, "n,t"),
    "Mean over t, k stays": (ops.Mean(over="t"), {"L": normal(N, T, K)}, "n,t,k"),
    "Mean over n and k": (ops.Mean(over="n,k"), {"L": normal(N, T, K)}, "n,t,k"),
    "Sum over n": (ops.Sum(over="n"), {"L": normal(N, T)}, "n,t"),
    "Sum over all": (ops.Sum(over="n,t"), {"L": normal(N, T)}, "n,t"),
}


def in_front(op, arrays, names):
    """axes= for the inputs that carry the last of `names`."""
    found, names = {}, names.split(",")
    for operand in op.parsed.inputs:
        array = arrays[operand.name]
        extra = np.ndim(array) - len(operand.axes)
        if extra > 0 and operand.name not in op.labels:
            found[operand.name] = ",".join(names[len(names) - extra :])
    return found


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("op", "arrays", "names"), CASES.values(), ids=CASES)
def test_three_derivatives_agree_along_examples_and_tokens(op, arrays, names):
    report = check_op(op, arrays, axes=in_front(op, arrays, names))
    assert report.ok, str(report)


@pytest.mark.parametrize(("op", "arrays", "names"), ALONG.values(), ids=ALONG)
def test_three_derivatives_agree_along_a_named_axis(op, arrays, names):
    ((operand, _),) = arrays.items()
    report = check_op(op, arrays, axes={operand: names})
    assert report.ok, str(report)


@pytest.mark.parametrize(("op", "arrays", "names"), CASES.values(), ids=CASES)
def test_a_value_along_tokens_is_that_of_each_token(op, arrays, names):
    """A loop over examples and tokens, each alone."""
    given = dict(arrays)
    if "y" in given and given["y"].dtype.kind == "i":
        given["y"] = np.eye(K)[given["y"]]
    whole = op.forward(*given.values())
    for n, t in np.ndindex(N, T):
        alone = []
        for operand in op.parsed.inputs:
            array = given[operand.name]
            extra = array.ndim - len(operand.axes)
            alone.append(array[(n, t)[2 - extra :]])
        np.testing.assert_allclose(whole[n, t], op.forward(*alone), rtol=1e-13)


class OnlyExamplesAdded(ops.Linear):
    """Its VJP by b adds up the first axis in front and no other."""

    def vjp(self, z_bar, a, W, b):
        return super().vjp(z_bar, a, W, b) | {"b": z_bar.sum(axis=0)}


class TokensExchanged(ops.Tanh):
    """Its Jacobian has the slopes of the tokens in reverse."""

    def jacobians(self, z):
        return super().jacobians(z[:, ::-1])


def test_a_rule_that_forgets_an_axis_in_front_is_caught():
    _, arrays, _ = CASES["Linear"]
    (finding,) = check_op(OnlyExamplesAdded, arrays, axes={"a": "n,t"}).findings
    assert str(finding).startswith("∂z/∂b: vjp()['b'] has shape (3, 5), b has shape (5,)")
    assert finding.pattern == "the examples are not summed: use over_batch()"


def test_slopes_at_other_tokens_are_caught():
    _, arrays, _ = CASES["Tanh"]
    (finding,) = check_op(TokensExchanged, arrays, axes={"z": "n,t"}).findings
    assert finding.wrong == "jacobians() is wrong"


def test_an_op_of_ones_own_serves_tokens_as_it_is():
    class Scale(Op):
        signature = "a[k], s[k] -> z[k]"
        parameters = ("s",)

        def forward(self, a, s):
            return s * a

        def jacobians(self, a, s):
            return {"a": delta("k,k'") * dense("s[k]", s), "s": delta("k,k'") * dense("a[k]", a)}

        def vjp(self, z_bar, a, s):
            return {"a": s * z_bar, "s": over_batch(z_bar * a)}

    assert check_op(Scale, {"a": normal(N, T, K), "s": normal(K)}, axes={"a": "n,t"}).ok


def test_a_factor_with_axes_that_nothing_carries_is_told():
    class Wide(ops.Tanh):
        def jacobians(self, z):
            return self.diagonal("slope", np.ones((N, T, K)))

    (finding,) = check_op(Wide, {"z": normal(T, K)}).findings
    assert finding.wrong == (
        "jacobians() is refused. Wide 'a': the factor slope of ∂a/∂z has shape (2, 3, 5) and a "
        "label of 1 axis; the step carries n in front.\n"
        '  Name every axis of the array that is not carried: dense("slope[…]", …).'
    )


@pytest.mark.parametrize(
    ("op", "arrays"),
    [
        (ops.Tanh("n,k"), {"z": normal(T, N, K)}),
        (ops.Multiply("n,k"), {"a": normal(T, N, K), "b": normal(N, K)}),
        (ops.Divide("a[n,k], b[n] -> c[n,k]"), {"a": normal(T, N, K), "b": 2 + rows(T, N)}),
        (ops.Softmax(axis="n"), {"z": normal(T, N, K)}),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_an_op_that_names_n_itself_carries_the_others(op, arrays):
    full = {3: "t,n,k", 2: "t,n"}
    axes = {name: full[array.ndim] for name, array in arrays.items() if array.shape[0] == T}
    assert check_op(op, arrays, axes=axes).ok


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ops.Mean(over=""),
            'Mean(over=\'\') names no axis.\n  Write Mean(L, over="t"), or "n,t" for two.',
        ),
        (
            lambda: ops.Sum(over=3),
            'Sum(over=3) names no axis.\n  Write Sum(L, over="t"), or "n,t" for two.',
        ),
        (
            lambda: ops.Mean("k", over="t"),
            "Mean has axes to keep, k, and axes to go over, t.\n"
            "  Write one of the two: the others follow.",
        ),
        (
            lambda: ops.Mean(over="t,t"),
            "Mean(over='t,t'): each axis stands there once, without a prime.\n"
            '  Write it such as over="t".',
        ),
        (
            lambda: ops.Softmax(axis="t,k"),
            "Softmax(axis='t,k') names no axis.\n"
            '  Write one name, such as Softmax(z, axis="t"), or none for the last axis.',
        ),
    ],
)
def test_an_option_that_names_no_axis_is_told(make, message):
    with pytest.raises(AxisError) as caught:
        make()
    assert str(caught.value) == message


def test_softmax_sums_to_one_along_the_axis_that_is_named_and_no_other():
    z, names = normal(N, T, K), ("n", "t", "k")
    e = np.exp(z)
    for place, axis in enumerate(names):
        p = e / e.sum(axis=place, keepdims=True)
        found = ops.Softmax(axis=axis).meeting(names).forward(z)
        np.testing.assert_allclose(found, p, rtol=1e-14)
        logs = ops.LogSoftmax(axis=axis).meeting(names).forward(z)
        np.testing.assert_allclose(logs, np.log(p), rtol=1e-12)


@pytest.mark.parametrize("op", [ops.Softmax, ops.LogSoftmax])
def test_a_peer_goes_along_the_axis_that_is_named(op):
    z = normal(N, T, K)
    along_t = op(axis="t").meeting(("n", "t", "k"))
    np.testing.assert_allclose(along_t.peer(NUMPY, z), along_t.forward(z), rtol=1e-14)
    assert not np.allclose(along_t.peer(NUMPY, z), op().peer(NUMPY, z))
