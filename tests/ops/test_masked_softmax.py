"""Softmax over a part of the classes: a mask, and what is not later; known zeros and their way on.

A structural zero is one for every input: it is counted, placed as +0.0, and kept by products.
"""

import math

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp, zeros_are_positive

from jacobian_bp import AxisError, DomainError, Network, check_op, ops
from jacobian_bp.algebra.written_positions import at, within

RNG = np.random.default_rng(29)
Z = RNG.normal(size=(3, 5))
M = np.array([[1.0, 0, 1, 1, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]])


def softmax_of(row, open_places):
    """p of a row of logits, over these places alone."""
    total = sum(math.exp(row[j]) for j in open_places)
    return [math.exp(row[j]) / total if j in open_places else 0.0 for j in range(len(row))]


def by_loops(rows, opened, log=False):
    """Value and Jacobian, each row by itself: p (δ − p'), or δ − p' of the logarithm."""
    value = np.zeros(rows.shape)
    slope = np.zeros((*rows.shape, *rows.shape))
    for t, row in enumerate(rows):
        p = softmax_of(row, opened[t])
        for u in opened[t]:
            value[t, u] = math.log(p[u]) if log else p[u]
            for v in opened[t]:
                slope[t, u, t, v] = ((u == v) - p[v]) * (1 if log else p[u])
    return value, slope


@pytest.mark.one_in(3)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("mask", [M, M[2], M[0]])
def test_a_mask_leaves_classes_out_of_the_sum(log, mask):
    op = (ops.LogSoftmax() if log else ops.Softmax()).reading(2)
    wide = np.broadcast_to(mask, Z.shape)
    value, slope = by_loops(Z, [np.flatnonzero(row) for row in wide], log)
    agree(op.forward(Z, mask), value)
    agree(swept_vjp(op, "z", [Z, mask]), slope)
    if mask is M:
        agree(dense_jacobian(op, "z", [Z, mask]), slope)
    report = check_op(op, {"z": Z, "m": mask})
    assert report.ok, str(report)


@pytest.mark.parametrize("rows", [(5, 5), (3, 5), (5, 3)])
def test_a_causal_softmax_reads_what_is_not_later(rows):
    s = RNG.normal(size=rows)
    value, slope = by_loops(s, [range(min(t + 1, rows[1])) for t in range(rows[0])])
    op = ops.CausalSoftmax()
    agree(op.forward(s), value)
    agree(dense_jacobian(op, "s", [s]), slope)
    agree(swept_vjp(op, "s", [s]), slope)


@pytest.mark.parametrize("scale", [1, 1000])
def test_beside_huge_scores_the_zeros_are_exact(scale):
    s = scale * RNG.normal(size=(5, 5))
    s[np.triu_indices(5, 1)] = 1e300
    op = ops.CausalSoftmax()
    later = np.triu(np.ones((5, 5)), 1) > 0
    zeros_are_positive(op.forward(s), later)
    zeros_are_positive(dense_jacobian(op, "s", [s]), by_loops(np.zeros((5, 5)), TRIANGLE)[1] == 0)
    assert np.isfinite(op.forward(s)).all()


TRIANGLE = [range(1), range(2), range(3), range(4), range(5)]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("op", "inputs", "axes"),
    [
        (ops.CausalSoftmax(), {"s": (3, 5, 5)}, {}),
        (ops.CausalSoftmax(), {"s": (2, 3, 5, 5)}, {"s": "n,h"}),
        (ops.CausalSoftmax(), {"s": (2, 3, 5, 5)}, {"s": "n,t"}),
        (ops.Softmax(), {"z": (2, 3, 5), "m": (3, 5)}, {"z": "n,t", "m": "t"}),
        (ops.Softmax(), {"z": (5,), "m": (3, 5)}, {}),
        (ops.LogSoftmax(), {"z": (2, 3, 5), "m": (2, 3, 5)}, {"z": "n,t", "m": "n,t"}),
        (ops.LogSoftmax(), {"z": (3, 5), "m": (5,)}, {}),
        (ops.Softmax(axis="t"), {"z": (2, 5, 3), "m": (5, 3)}, {"z": "n,t,k", "m": "t,k"}),
        (ops.LogSoftmax(axis="t"), {"z": (2, 5, 3), "m": (5, 3)}, {"z": "n,t,k", "m": "t,k"}),
    ],
)
def test_three_derivatives_agree_along_axes_in_front(op, inputs, axes):
    arrays = {name: RNG.normal(size=shape) for name, shape in inputs.items()}
    if "m" in arrays:
        arrays["m"] = (arrays["m"] < 0.3) * 1.0
        arrays["m"][..., 0] = 1
        if op.axis:
            arrays["m"][..., 0, :] = 1
    report = check_op(op, arrays, axes=axes)
    assert report.ok, str(report)


def test_counts_of_a_causal_softmax_and_of_self_attention():
    run = Network.program("P = CausalSoftmax(s)", 'J = Einsum("tu->", P)').run(s=np.eye(6))
    assert run.jacobian("P", "s").structural_nonzeros == 91
    lines = ['s = Einsum("ti,ui->tu", x, x)', "P = {}(s)", 'o = Einsum("tu,uj->tj", P, x)']
    lines += ['L = Einsum("tj,tj->", o, o)', "J = Mean(L)"]
    for softmax, count in (("CausalSoftmax", 336), ("Softmax", 576)):
        net = Network.program(*(line.format(softmax) for line in lines))
        run = net.run(x=RNG.normal(size=(6, 4)))
        assert run.jacobian("o", "x").structural_nonzeros == count
        batch = net.run(x=RNG.normal(size=(3, 6, 4)))
        assert batch.jacobian("o", "x").structural_nonzeros == 3 * count
        for each in (run, batch):
            assert each.check().ok, str(each.check())
    stands = run.jacobian("o", "x").can_be_nonzero()
    assert stands.all()


def test_a_product_with_attention_keeps_the_triangle():
    """By the values v, also behind a weighting of P; not behind a sum with another square."""
    tail = ['L = Einsum("tj,tj->", o, o)', "J = Mean(L)"]
    for middle, count in (
        ("R = Multiply(P, w)", 15 * 2),
        ("R = Add(P, w)", 25 * 2),
    ):
        net = Network.program(
            "P = CausalSoftmax(s)", middle, 'o = Einsum("tu,uj->tj", R, v)', *tail
        )
        run = net.run(
            s=RNG.normal(size=(5, 5)),
            w=RNG.normal(size=(5, 5)),
            v=RNG.normal(size=(5, 2)),
            axes={"w": "t"},
        )
        assert run.jacobian("o", "v").structural_nonzeros == count
        assert run.check().ok, str(run.check())
    run = Network.program(
        "p = Softmax(z, m)", 'o = Einsum("k,kj->j", p, v)', 'J = Einsum("j->", o)'
    ).run(z=Z[0], m=M[0], v=RNG.normal(size=(5, 2)))
    assert run.jacobian("o", "v").formula == "m[k'] δ[j,j'] p[k']"
    assert run.jacobian("o", "v").structural_nonzeros == 6


def test_several_heads_are_one_einsum_and_all_routes_agree():
    """Two heads of three entries; each token reads what is not later in both."""
    shapes = {"Q": (2, 3, 5), "K": (2, 3, 5), "V": (2, 3, 5), "O": (5, 2, 3)}
    params = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    net = Network.program(
        'q = Einsum("td,hid->hti", x, Q)',
        'k = Einsum("td,hid->hti", x, K)',
        'v = Einsum("td,hid->hti", x, V)',
        'a = Einsum("hti,hui->htu", q, k)',
        "P = CausalSoftmax(a)",
        'o = Einsum("htu,huj->htj", P, v)',
        'z = Einsum("htj,dhj->td", o, O)',
        'L = Einsum("td,td->", z, z)',
        "J = Mean(L)",
        params=params,
    )
    x = RNG.normal(size=(3, 7, 5))
    for given in (x[0], x):
        run = net.run(x=given)
        report = run.check()
        assert report.ok, str(report)
        assert run.jacobian("z", "x").structural_nonzeros == given.size // 35 * 28 * 25
        assert run.jacobian("P", "a").structural_nonzeros == given.size // 35 * 2 * 140
    value = 0.0
    for example in x:
        for t in range(7):
            z = np.zeros(5)
            for h in range(2):
                q, k, v = (params[name][h] @ example[: t + 1].T for name in "QKV")
                p = softmax_of(q[:, t] @ k, range(t + 1))
                z += params["O"][:, h] @ (v @ p)
            value += z @ z
    agree(run.loss, value / 3)


def test_a_mask_is_no_parameter_and_nothing_is_differentiated_by_it():
    net = Network.program("p = Softmax(z, m)", "L = SquaredError(p, y)", "J = Mean(L)")
    run = net.run(z=Z, m=M, y=np.zeros((3, 5)))
    assert run.check().ok
    message = refusal(DomainError, lambda: run.jacobian("p", "m"))
    assert message.splitlines()[0] == (
        "∂p/∂m: m holds constants, by which nothing is differentiated."
    )


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            [1.0, 0.5, 1.0],
            "m[1] is 0.5; a mask holds 1 where a class may have a probability, and 0 where it has "
            "none.\n  Pass m with 0 and 1 only.",
        ),
        (
            [[1.0, 0, 1], [0, 0, 0]],
            "m[1]: the mask is 0 everywhere, so that no class has a probability.\n"
            "  Leave a 1 in each row.",
        ),
        (
            [0, 0, 0],
            "m: the mask is 0 everywhere, so that no class has a probability.\n"
            "  Leave a 1 in each row.",
        ),
    ],
)
def test_a_mask_that_is_none_is_refused(mask, message):
    z = np.zeros(np.shape(mask))
    assert refusal(DomainError, lambda: check_op(ops.Softmax(), {"z": z, "m": mask})) == message


class SeesLater(ops.CausalSoftmax):
    """Its Jacobian is that of the whole row."""

    def jacobians(self, s):
        return {"s": ops.Softmax().jacobians(s)["z"].renamed({"k": "u", "k'": "u'"}) * at("t' = t")}


class SaysTooMuch(ops.CausalSoftmax):
    """It says that its diagonal is 0 too."""

    def support(self, s):
        return within("u <= t - 1")


class SaysASum(ops.CausalSoftmax):
    def support(self, s):
        return within("u <= t") + within("t <= u")


def test_a_jacobian_or_zeros_that_are_wrong_are_told():
    s = RNG.normal(size=(5, 5))
    assert not check_op(SeesLater(), {"s": s}).ok
    (finding,) = check_op(SaysTooMuch(), {"s": s}).findings
    assert finding.wrong == "support() says [u+1≤t]; forward() gives 1 at [0,0]"
    assert refusal(AxisError, lambda: check_op(SaysASum(), {"s": s})) == (
        "SaysASum 'P': support() gives [u≤t] + [t≤u], which is no product of ranges.\n"
        '  Return such as within("u <= t"), or None where the value stands everywhere.'
    )

    class KeepsNone(ops.Add):
        keeps_zeros_of = ("a",)

    (finding,) = check_op(KeepsNone(), {"a": s[0], "b": s[1]}).findings
    assert finding.wrong == "keeps_zeros_of says 'a'; forward() is not 0 where a is"


@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_a_row_along_a_named_axis_is_called_as_the_caller_writes_it(name):
    net = Network.program(f"p = {name}(z, m, axis='t')")
    z, axes = np.zeros((2, 5, 3)), {"z": "n,t,k", "m": "t,k"}
    m = np.ones((5, 3))
    m[:, 1] = 0
    assert refusal(DomainError, net.run, z=z, m=m, axes=axes) == (
        "m[:,1]: the mask is 0 everywhere, so that no class has a probability.\n"
        "  Leave a 1 in each row."
    )
    m[2, 1] = 1
    assert net.run(z=z, m=m, axes=axes)["p"].shape == (2, 5, 3)
    m[4, 2] = 0.5
    assert refusal(DomainError, net.run, z=z, m=m, axes=axes).startswith("m[4,2] is 0.5; ")
