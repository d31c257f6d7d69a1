"""Inputs that are no numbers to differentiate by: positions of an axis, masks, and none at all."""

import numpy as np
import pytest

from jacobian_bp import Network, Op, check_op, delta, dense, over_batch
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(101)
V, D, C, N, T = 7, 3, 5, 2, 11


class Embedding(Op):
    """e[d] = E[u,d]"""

    signature = "E[v,d], u[] in v -> e[d]"
    parameters = ("E",)

    def forward(self, E, u):
        return E[u]

    def jacobians(self, E, u):
        return {"E": delta("d,d'") * dense("[u = v][v']", np.eye(len(E))[u])}

    def vjp(self, e_bar, E, u):
        found = np.zeros_like(E)
        np.add.at(found, u, e_bar)
        return {"E": found}


class Mask(Op):
    """z[k] = m[k] a[k]"""

    signature = "a[k], m[k] -> z[k]"
    constants = ("m",)

    def forward(self, a, m):
        return a * m

    def jacobians(self, a, m):
        return {"a": delta("k,k'") * dense("m[k]", m)}

    def vjp(self, z_bar, a, m):
        return {"a": z_bar * m}


OWN = {"Embedding": Embedding, "Mask": Mask}
PARAMS = {"E": RNG.standard_normal((V, D)), "W": RNG.standard_normal((C, D))}
LINES = (
    "e = Embedding(E, u)",
    "z = Linear(e, W)",
    "L = CrossEntropyFromLogits(z, y)",
    "J = Mean(L, over='n,t')",
)
NET = Network.program(*LINES, params=PARAMS, ops=OWN)
U, Y = RNG.integers(0, V, (N, T)), RNG.integers(0, C, (N, T))


def run(u=U, **more):
    return NET.run(u=u, y=Y, **{"axes": {"u": "n,t"}, **more})


def refusal(call):
    with pytest.raises(JacobianError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("u", [3, [1, 3, 3, 0], U], ids=["one", "a batch", "sequences"])
def test_an_embedding_agrees_with_itself(u):
    axes = {"u": "n,t"} if np.ndim(u) == 2 else None
    assert check_op(Embedding, {"E": PARAMS["E"], "u": u}, axes=axes).ok


def test_a_lost_repeat_is_caught():
    class Assigned(Embedding):
        def vjp(self, e_bar, E, u):
            found = np.zeros_like(E)
            found[u] = e_bar
            return {"E": found}

    assert check_op(Assigned, {"E": PARAMS["E"], "u": [1, 0, 2]}).ok
    many = np.array([[1, 3], [3, 0]])
    assert check_op(Embedding, {"E": PARAMS["E"], "u": many}, axes={"u": "n,t"}).ok

    class Overwritten(Embedding):
        def vjp(self, e_bar, E, u):
            found = np.zeros_like(E)
            for at in np.ndindex(np.shape(u)):
                found[u[at]] = e_bar[at]
            return {"E": found}

    (finding,) = check_op(Overwritten, {"E": PARAMS["E"], "u": many}, axes={"u": "n,t"}).findings
    assert finding.wrong == "vjp() is wrong"


def test_all_routes_agree_behind_an_embedding():
    found = run()
    assert found.check().ok
    assert found.forward_pass.values["u"].dtype.kind == "i"
    assert NET.parameter_count == V * D + C * D
    scores = PARAMS["E"][U] @ PARAMS["W"].T
    picked = np.take_along_axis(scores, Y[..., None], -1)[..., 0]
    np.testing.assert_allclose(
        found.loss, (np.log(np.exp(scores).sum(-1)) - picked).mean(), rtol=1e-13
    )


def test_a_compiled_step_takes_positions():
    step, found = NET.compile(N, axes={"u": "n,t"}), run()
    for u in (U, U[:, ::-1], U):
        loss, gradients = step(dict(NET.params), u=u, y=Y)
        np.testing.assert_allclose(loss, run(u).loss, rtol=1e-14)
    for name, gradient in found.gradients().items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12, atol=1e-15)


OUT = "Embedding 'e': u[0,1] is {}, and axis v has the positions 0 to 6.\n" + (
    "  E[v,d] has shape (7, 3), so v = 7\n"
    "  Count positions from 0 and below 7, or give the axis more entries."
)


@pytest.mark.parametrize("wrong", [7, -1], ids=["beyond", "from the end"])
def test_a_position_outside_the_axis_is_told_by_a_run_and_by_a_step(wrong):
    u = U.copy()
    u[0, 1] = wrong
    assert refusal(lambda: run(u)) == OUT.format(wrong)
    step = NET.compile(N, axes={"u": "n,t"})
    step(dict(NET.params), u=U, y=Y)
    assert refusal(lambda: step(dict(NET.params), u=u, y=Y)) == OUT.format(wrong)


@pytest.mark.parametrize(
    ("u", "message"),
    [
        (
            U * 1.0,
            f"u[0,0] is {U[0, 0]}.0, of dtype float64; a position of an axis is an integer.\n"
            "  Pass u.astype(int).",
        ),
        (
            np.where(np.equal(U, U[1, 4]), 0.5, U),
            "of dtype float64; a position of an axis is an integer.\n  Pass whole numbers.",
        ),
        (
            U > 3,
            "u has dtype bool; positions of an axis are whole numbers.\n"
            "  Pass u.astype(int), or np.flatnonzero(u) for the places of True.",
        ),
    ],
    ids=["whole floats", "halves", "flags"],
)
def test_what_is_no_whole_number_is_no_position(u, message):
    assert refusal(lambda: run(u)).endswith(message)
    step = NET.compile(N, axes={"u": "n,t"})
    step(dict(NET.params), u=U, y=Y)
    assert refusal(lambda: step(dict(NET.params), u=u, y=Y)).endswith(message)


def test_nothing_is_differentiated_by_positions():
    assert refusal(lambda: run().jacobian("J", "u")) == (
        "∂J/∂u: u holds positions, by which nothing is differentiated.\n"
        "  Differentiate by one of E, W, e, z, L, J."
    )


@pytest.mark.parametrize(
    ("lines", "params", "message"),
    [
        (
            ["e = Embedding(E, u)"],
            {"E": PARAMS["E"], "u": np.arange(3)},
            "Embedding 'e': u is a position, by which nothing is differentiated, but u is trained."
            "\n  Pass the positions as an input of the network, such as u.",
        ),
        (
            ["a = Tanh(x)", "e = Embedding(E, a)"],
            {"E": PARAMS["E"]},
            "Embedding 'e': u is a position, by which nothing is differentiated, but a is computed."
            "\n  Pass the positions as an input of the network, such as u.",
        ),
        (
            ["e = Embedding(E, u)", "a = Tanh(u)"],
            {"E": PARAMS["E"]},
            "Embedding 'e' reads u as positions of an axis, Tanh 'a' as data.\n"
            "  Give the two inputs names of their own.",
        ),
        (
            ["z = Mask(x, m)"],
            {"m": np.ones(3)},
            "Mask 'z': m is a constant, by which nothing is differentiated, but m is trained."
            "\n  Pass the constants as an input of the network, such as m.",
        ),
        (
            ["z = Linear(x)"],
            {},
            "Linear 'z' reads 2 to 3 values, a[i], W[k,i], b[k]? -> z[k]; it is given 1: x.\n"
            "  Write z = Linear(x, W).",
        ),
    ],
)
def test_what_is_not_differentiated_is_given_with_the_data(lines, params, message):
    assert refusal(lambda: Network.program(*lines, params=params, ops=OWN)) == message


def test_a_mask_carries_no_jacobian_and_is_not_trained():
    net = Network.program("z = Linear(x, W)", "h = Mask(z, m)", "J = Einsum(h, 'k->')",
                          params={"W": PARAMS["W"]}, ops=OWN)  # fmt: skip
    mask = np.array([1, 0, 1, 1, 0])
    found = net.run(RNG.standard_normal(D), m=mask == 1)
    assert found.check().ok
    assert net.parameter_count == C * D
    assert not found.gradients()["W"][mask == 0].any()
    assert refusal(lambda: found.jacobian("J", "m")) == (
        "∂J/∂m: m holds constants, by which nothing is differentiated.\n"
        "  Differentiate by one of x, W, z, h, J."
    )


@pytest.mark.parametrize("m", [None, N])
def test_a_layer_without_a_bias(m):
    net = Network.program("z = Linear(x, W)", "a = Sigmoid(z)", "L = SquaredError(a, y)",
                          "J = Mean(L)", params={"W": PARAMS["W"]})  # fmt: skip
    x, y = (RNG.standard_normal((*([m] if m else []), size)) for size in (D, C))
    found = net.run(x, y)
    assert found.check().ok
    assert found.forward_pass.program.steps[0].formula == "W x"
    loss, gradients = net.compile(m)(dict(net.params), x, y)
    np.testing.assert_allclose(loss, found.loss, rtol=1e-14)
    np.testing.assert_allclose(gradients["W"], found.gradients()["W"], rtol=1e-12)
    biased = Network.program("z = Linear(x, W, b)", params={"W": PARAMS["W"], "b": np.zeros(C)})
    np.testing.assert_array_equal(found["z"], biased.run(x)["z"])


def test_an_input_may_be_left_out_of_an_op_of_ones_own():
    class Scale(Op):
        signature = "a[k], s[k]?, b[k]? -> z[k]"
        parameters = ("s", "b")

        def forward(self, a, s=1.0, b=0.0):
            return a * s + b

        def jacobians(self, a, s=None, b=None):
            slope = delta("k,k'") if s is None else delta("k,k'") * dense("s[k]", s)
            return {"a": slope, "s": delta("k,k'") * dense("a[k]", a), "b": delta("k,k'")}

        def vjp(self, z_bar, a, s=1.0, b=0.0):
            return {"a": z_bar * s, "s": over_batch(z_bar * a), "b": over_batch(z_bar)}

    arrays = {name: RNG.standard_normal(D) for name in "asb"}
    for names in ("a", "as", "asb"):
        assert check_op(Scale, {name: arrays[name] for name in names}).ok
    assert "arrays has a, b" in refusal(lambda: check_op(Scale, {n: arrays[n] for n in "ab"}))
