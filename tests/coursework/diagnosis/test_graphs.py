"""diagnose on graphs: skip connections, recurrence, embeddings, normalisation, saturation."""

import numpy as np
import pytest
from graph_cases import LayerNorm, skip, through_s

from jacobian_bp import Einsum, Network, Op, delta, dense, one
from jacobian_bp.coursework.diagnosis import diagnose

RNG = np.random.default_rng(31)


def normal(*shape):
    return RNG.normal(size=shape)


# --- skip connection -------------------------------------------------------------


@pytest.mark.parametrize("batch", [False, True])
def test_a_path_of_a_skip_connection_that_is_left_out_is_told(batch):
    run, P, x, dt, dz2 = skip(batch)
    assert diagnose(run, through_s(run, x, dt + dz2 @ P["W2"])).first_wrong is None
    for ds in (dt, dz2 @ P["W2"]):
        arrays = through_s(run, x, ds)
        found = diagnose(run, arrays)
        assert (found.first_wrong, found["s"].label) == ("s", "fan-out-overwritten")
        assert found["W1"].follows
        assert diagnose(run, {"W1": arrays["W1"]})["W1"].label == "fan-out-overwritten"
    turned = through_s(run, x, dt + dz2 @ P["W2"].T)
    assert diagnose(run, turned)["s"].label == "weight-not-transposed"


# --- recurrence ------------------------------------------------------------------


def recurrent(batch, tied):
    """h_t = tanh(U x_t + W h_{t-1} + b), three steps, half squared error at the end."""
    W, U, b, c = normal(4, 4) * 0.6, normal(4, 2), normal(4), np.zeros(4)
    lines, params = [], {"U": U, "b": b, "c": c}
    for t in (1, 2, 3):
        name = f"W{t}" if tied else "W"
        params[name] = W
        lines += [
            f"u{t} = Linear(x{t}, U, b)",
            f"v{t} = Linear(h{t - 1}, {name}, c)",
            f"z{t} = Add(u{t}, v{t})",
            f"h{t} = Tanh(z{t})",
        ]
    net = Network.program(*lines, "L = HalfSquaredError(h3, y)", "J = Mean(L)", params=params)
    shape = (5,) if batch else ()
    data = {f"x{t}": normal(*shape, 2) for t in (1, 2, 3)} | {"h0": normal(*shape, 4)}
    run = net.run(y=normal(*shape, 4), **data)
    return run, net, W, data


def unrolled(run, W, data, m, keep):
    """dW and dU by hand; `keep` says which time steps count."""
    join = (lambda d, a: d.T @ a) if m > 1 else np.outer
    d = (run["h3"] - run["y"]) / m
    dW = dU = 0
    for t in (3, 2, 1):
        dz = d * (1 - run[f"h{t}"] ** 2)
        before = data["h0"] if t == 1 else run[f"h{t - 1}"]
        if t in keep:
            dW, dU = dW + join(dz, before), dU + join(dz, data[f"x{t}"])
        d = dz @ W
    return {"W": dW, "U": dU}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_steps_of_a_recurrence_that_are_left_out_are_told(batch, tied):
    run, _, W, data = recurrent(batch, tied)
    m, name = 5 if batch else 1, "W1" if tied else "W"
    right = unrolled(run, W, data, m, (1, 2, 3))
    assert diagnose(run, {name: right["W"], "U": right["U"]}).first_wrong is None
    last = unrolled(run, W, data, m, (3,))
    found = diagnose(run, {name: last["W"], "U": last["U"]})
    assert [f.label for f in found.values()] == ["last-step-only"] * 2
    first = unrolled(run, W, data, m, (1,))
    found = diagnose(run, {name: first["W"]})[name]
    assert found.labels[:2] == ("last-step-only", "fan-out-overwritten")
    assert "the step that computes v1 alone" in found.remark


# --- embedding -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "einsum"])
def test_rows_of_an_embedding_that_overwrite_each_other_are_told(kind):
    V, K, words = 6, 3, np.array([4, 1, 4, 0, 1, 4, 2])
    E, W, b = normal(V, K), normal(2, K), normal(2)
    if kind == "linear":
        first, params = "e = Linear(x, E, c)", {"E": E.T.copy(), "c": np.zeros(K)}
    else:
        first, params = "e = Lookup(x, E)", {"E": E}
    net = Network.program(
        first,
        "a = Tanh(e)",
        "z = Linear(a, W, b)",
        "L = SquaredError(z, y)",
        "J = Mean(L)",
        params=params | {"W": W, "b": b},
        ops={"Lookup": Einsum("v,vk->k")},
    )
    y = normal(7, 2)
    run = net.run(np.eye(V)[words], y)
    dz = 2 * (run["z"] - y) / 7
    de = (dz @ W) * (1 - np.tanh(E[words]) ** 2)
    added, last = np.zeros((V, K)), np.zeros((V, K))
    np.add.at(added, words, de)
    last[words] = de
    turn = (lambda d: d.T) if kind == "linear" else (lambda d: d)
    assert diagnose(run, {"E": turn(added)}).first_wrong is None
    assert diagnose(run, {"E": turn(last)})["E"].label == "overwritten-index"
    assert diagnose(run, {"z": dz, "e": de, "E": turn(last)}).first_wrong == "E"


def test_an_embedding_read_twice():
    V, K = 5, 3
    E, W = normal(V, K), normal(2, K)
    net = Network.program(
        "e1 = Lookup(x1, E)",
        "e2 = Lookup(x2, E)",
        "e3 = Lookup(x3, E)",
        "p = Multiply(e1, e2)",
        "s = Add(p, e3)",
        "z = Linear(s, W, b)",
        "L = SquaredError(z, y)",
        params={"E": E, "W": W, "b": np.zeros(2)},
        ops={"Lookup": Einsum("v,vk->k")},
    )
    words = [3, 1, 3]
    run = net.run(y=normal(2), **{f"x{t}": np.eye(V)[w] for t, w in enumerate(words, 1)})
    ds = (2 * (run["z"] - run["y"])) @ W
    d = [ds * E[1], ds * E[3], ds]
    added, last = np.zeros((V, K)), np.zeros((V, K))
    for word, row in zip(words, d, strict=True):
        added[word] += row
        last[word] = row
    assert diagnose(run, {"E": added}).ok
    assert diagnose(run, {"E": last})["E"].label == "overwritten-index"


# --- normalisation ---------------------------------------------------------------


class BatchNorm(Op):
    """y = (x − mean)/std over the examples."""

    signature = "x[n,k] -> y[n,k]"

    def parts(self, x):
        c = x - x.mean(0)
        s = np.sqrt((c * c).mean(0) + 1e-5)
        return c / s, s

    def forward(self, x):
        return self.parts(x)[0]

    def jacobians(self, x):
        raise NotImplementedError

    def vjp(self, bar, x):
        u, s = self.parts(x)
        return {"x": (bar - bar.mean(0) - u * (bar * u).mean(0)) / s}


@pytest.mark.parametrize("batch", [False, True])
def test_a_layer_norm_op(batch):
    W1, W2, g, h = normal(5, 3), normal(2, 5), normal(5), normal(5)
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "y1 = LayerNorm(z1, g, h)",
        "a1 = Tanh(y1)",
        "z2 = Linear(a1, W2, b2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params={"W1": W1, "b1": normal(5), "W2": W2, "b2": normal(2), "g": g, "h": h},
        ops={"LayerNorm": LayerNorm},
    )
    shape, m = ((7,), 7) if batch else ((), 1)
    x, y = normal(*shape, 3), normal(*shape, 2)
    run = net.run(x, y)
    dy = ((2 * (run["z2"] - y) / m) @ W2) * (1 - run["a1"] ** 2)
    z = run["z1"]
    s = np.sqrt(z.var(-1, keepdims=True) + 1e-5)
    u, d = (z - z.mean(-1, keepdims=True)) / s, dy * g
    right = (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / s
    join = (lambda d: d.T @ x) if batch else (lambda d: np.outer(d, x))
    assert diagnose(run, {"z1": right, "W1": join(right)}).ok
    for held in (d / s, (d - d.mean(-1, keepdims=True)) / s):
        found = diagnose(run, {"z1": held, "W1": join(held)})
        assert found["z1"].label == "statistics-as-constants"
        assert found["W1"].follows
        assert diagnose(run, {"W1": join(held)})["W1"].label == "statistics-as-constants"


def test_a_batch_norm_op():
    W1, W2 = normal(5, 3), normal(2, 5)
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "y1 = BatchNorm(z1)",
        "a1 = Tanh(y1)",
        "z2 = Linear(a1, W2, b2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params={"W1": W1, "b1": normal(5), "W2": W2, "b2": normal(2)},
        ops={"BatchNorm": BatchNorm},
    )
    x, y = normal(7, 3), normal(7, 2)
    run = net.run(x, y)
    dy = ((2 * (run["z2"] - y) / 7) @ W2) * (1 - run["a1"] ** 2)
    held = dy / np.sqrt(run["z1"].var(0) + 1e-5)
    assert diagnose(run, {"W1": held.T @ x})["W1"].label == "statistics-as-constants"
    assert diagnose(run, {"z1": held})["z1"].label == "statistics-as-constants"


class MeanOver(Op):
    signature = "x[k] -> m[]"

    def forward(self, x):
        return x.mean(-1)

    def jacobians(self, x):
        return {"x": (1 / x.shape[-1]) * one("k'")}

    def vjp(self, bar, x):
        return {"x": np.broadcast_to(bar[..., None] / x.shape[-1], x.shape).copy()}


class Minus(Op):
    signature = "x[k], m[] -> c[k]"

    def forward(self, x, m):
        return x - m[..., None]

    def jacobians(self, x, m):
        return {"x": delta("k,k'"), "m": -1 * one("k")}

    def vjp(self, bar, x, m):
        return {"x": bar.copy(), "m": -bar.sum(-1)}


class Spread(Op):
    signature = "c[k] -> s[]"

    def forward(self, c):
        return np.sqrt((c * c).mean(-1) + 1e-5)

    def jacobians(self, c):
        return {"c": dense("c[k']", c) * dense("1/ns", 1 / c.shape[-1] / self.forward(c))}

    def vjp(self, bar, c):
        return {"c": bar[..., None] * c / c.shape[-1] / self.forward(c)[..., None]}


class Over(Op):
    signature = "c[k], s[] -> u[k]"

    def forward(self, c, s):
        return c / s[..., None]

    def jacobians(self, c, s):
        return {
            "c": delta("k,k'") * dense("1/s", 1 / s),
            "s": dense("c[k]", -c / s[..., None] ** 2),
        }

    def vjp(self, bar, c, s):
        s = s[..., None]
        return {"c": bar / s, "s": -(bar * c / s**2).sum(-1)}


@pytest.mark.parametrize("batch", [False, True])
def test_normalisation_step_by_step(batch):
    W = normal(4, 3)
    net = Network.program(
        "z = Linear(x, W, b)",
        "m = MeanOver(z)",
        "c = Minus(z, m)",
        "s = Spread(c)",
        "u = Over(c, s)",
        "a = Tanh(u)",
        "L = SquaredError(a, y)",
        "J = Mean(L)",
        params={"W": W, "b": normal(4)},
        ops={"MeanOver": MeanOver, "Minus": Minus, "Spread": Spread, "Over": Over},
    )
    shape, m = ((7,), 7) if batch else ((), 1)
    x, y = normal(*shape, 3), normal(*shape, 4)
    run = net.run(x, y)
    assert diagnose(run, run.gradients()).ok
    du = 2 * (run["a"] - y) / m * (1 - run["a"] ** 2)
    held = du / run["s"][..., None]
    no_variance = held - held.mean(-1, keepdims=True)
    for dz in (held, no_variance):
        dW = dz.T @ x if batch else np.outer(dz, x)
        assert diagnose(run, {"W": dW})["W"].label == "statistics-as-constants"
        assert diagnose(run, {"z": dz})["z"].label == "statistics-as-constants"


# --- saturation and kinks --------------------------------------------------------


def test_nan_of_a_saturated_sigmoid_is_told():
    W = {"W1": normal(3, 2), "b1": normal(3), "W2": normal(2, 3), "b2": np.array([900.0, 0.1])}
    net = Network.dense([2, 3, 2], ["tanh", "sigmoid"], "bce", params=W)
    x, y = normal(2), np.array([1.0, 0.0])
    run = net.run(x, y)
    with np.errstate(all="ignore"):
        a = 1 / (1 + np.exp(-run["z2"]))
        d2 = (-y / a + (1 - y) / (1 - a)) * (a * (1 - a))
    assert np.isnan(d2[0])
    found = diagnose(run, {"z2": d2, "W2": np.outer(d2, run["a1"])})
    assert found["z2"].label == found["W2"].label == "saturated-nan"
    assert not found["z2"].ok
    d2[0], d2[1] = d2[1], np.nan
    assert diagnose(run, {"z2": d2})["z2"].label == "unknown"


def test_nan_where_nothing_is_saturated():
    net = Network.dense([2, 3, 2], ["tanh", "sigmoid"], "bce", seed=1)
    run = net.run(normal(2), [1.0, 0.0])
    d2 = run["a2"] - [1.0, 0.0]
    d2[0] = np.nan
    found = diagnose(run, {"z2": d2})["z2"]
    assert (found.ok, found.label) == (False, "unknown")
    assert found.proved == ("1 entry is NaN or infinite: [0].",)


@pytest.mark.parametrize("chosen", [0.0, 0.5, 1.0, 0.3])
def test_a_rectifier_at_zero(chosen):
    W1, W2 = np.array([[1.0, -1.0], [0.5, 2.0], [1.5, 0.25]]), normal(2, 3)
    net = Network.dense(
        [2, 3, 2],
        ["relu", "identity"],
        "squared_error",
        params={"W1": W1, "b1": np.zeros(3), "W2": W2, "b2": np.zeros(2)},
    )
    x, y = np.array([1.0, 1.0]), normal(2)
    run = net.run(x, y)
    slope = np.where(run["z1"] == 0, chosen, run["z1"] > 0)
    d1 = (2 * (run["a2"] - y) @ W2) * slope
    found = diagnose(run, {"z1": d1, "W1": np.outer(d1, x), "b1": d1})
    assert found.first_wrong is None
    assert {f.label for f in found.values()} == {"correct" if chosen == 0 else "kink"}
