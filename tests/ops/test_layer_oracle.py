"""Masked and causal softmax, cells and group norm against 50 digits, as Jacobian and as VJP.

Within 8 ULP, of the sum over absolute values where terms of both signs meet. The numbers that a
cell weighs are whole eighths, so that its sums are exact and what is judged stands behind them.
"""

import numpy as np
import pytest
from mpmath import mp, mpf, workdps
from op_checks import dense_jacobian, swept_vjp
from oracle import DIGITS, softmax_exactly, within_bar

from jacobian_bp import ops

over_floats = pytest.mark.parametrize("dtype", [np.float64, np.float32])
I, K = 3, 2  # noqa: E741


def exact_arrays(shape):
    return np.zeros(shape, object) * mpf(0)


def judged(found, exact, scale=None):
    """Every entry, whatever the shape."""
    assert np.shape(found) == exact.shape
    within_bar(np.ravel(found), list(exact.flat), None if scale is None else list(scale.flat))


def softmax_of_open_places(z, opened, log):
    """Value and Jacobian of rows, each over its open places alone; exactly 0 elsewhere."""
    value, slope = exact_arrays(z.shape), exact_arrays((*z.shape, *z.shape))
    for t, row in enumerate(z):
        places = opened[t]
        p, rest, logs = softmax_exactly(row[places])
        for a, u in enumerate(places):
            value[t, u] = logs[a] if log else p[a]
            for b, v in enumerate(places):
                by_log = rest[a] if a == b else -p[b]
                slope[t, u, t, v] = by_log if log else p[a] * by_log
    return value, slope


@pytest.mark.one_in(3)
@over_floats
@pytest.mark.parametrize("scale", [1, 50, 1000])
@pytest.mark.parametrize("kind", ["masked", "masked log", "causal"])
def test_a_softmax_over_a_part_of_the_classes_is_exact(kind, scale, dtype):
    rng = np.random.default_rng([scale, 3])
    z = rng.uniform(-scale, scale, (5, 7)).astype(dtype)
    mask = (rng.uniform(size=z.shape) < 0.6).astype(dtype)
    mask[:, 0] = 1
    if kind == "causal":
        op, inputs, mask = ops.CausalSoftmax(), [z], np.tril(np.ones(z.shape))
    else:
        op = (ops.LogSoftmax() if kind == "masked log" else ops.Softmax()).reading(2)
        inputs = [z, mask]
    opened = [np.flatnonzero(row) for row in mask]
    with workdps(DIGITS):
        value, slope = softmax_of_open_places(z, opened, kind == "masked log")
    judged(op.forward(*inputs), value)
    for rule in (dense_jacobian, swept_vjp):
        judged(rule(op, op.differentiable()[0], inputs), slope)


@over_floats
def test_a_softmax_over_all_classes_is_not_the_causal_one(dtype):
    z = np.random.default_rng(3).normal(size=(3, 3)).astype(dtype)
    opened = [np.arange(t + 1) for t in range(3)]
    with workdps(DIGITS):
        value, _ = softmax_of_open_places(z, opened, log=False)
    with pytest.raises(AssertionError, match="ULP"):
        judged(ops.Softmax().forward(z), value)


def sigma(z):
    return 1 / (1 + mp.exp(-z))


SIGMOIDS = {"RNNCell": 0, "LSTMCarry": 2, "LSTMOutput": 1, "GRUCell": 2}  # the first of its sums

# kind: the op, its gates, its states, which gate each sum is of, the value by sums and own state
CELLS = {
    "RNNCell": (ops.RNNCell(), 1, ["h"], [0], lambda z: mp.tanh(z)),
    "LSTMCarry": (
        ops.LSTMCarry(),
        4,
        ["h0", "c0"],
        [0, 1, 2],
        lambda i, f, g, c: sigma(f) * c + sigma(i) * mp.tanh(g),
    ),
    "LSTMOutput": (
        ops.LSTMOutput(),
        4,
        ["h0", "c"],
        [3],
        lambda o, c: sigma(o) * mp.tanh(c),
    ),
    "GRUCell": (
        ops.GRUCell(),
        3,
        ["h"],
        [0, 1, 2],
        lambda r, z, n, u, h: (1 - sigma(z)) * mp.tanh(n + sigma(r) * u) + sigma(z) * h,
    ),
}


class ExactCell:
    """A cell's value and Jacobians in 50 digits; slopes by its sums are mpmath's differences.

    The slope by an input is the sum, over the gates, of that by the gate's sum times the weight:
    `terms` has these with every sign plus, and what a GRU takes away from each other in them.
    """

    def __init__(self, kind, inputs):
        self.kind, self.inputs = kind, {n: a.astype(float) for n, a in inputs.items()}
        self.op, self.gates, self.states, self.blocks, self.function = CELLS[kind]
        x, h, W, U = (self.inputs[n] for n in ("x", self.states[0], "W", "U"))
        of_x = W @ x + self.inputs["b"]  # exact: whole eighths
        of_h = U @ h + self.inputs.get("d", 0)
        self.value, self.value_terms = exact_arrays(K), exact_arrays(K)
        self.jacobians, self.terms = {}, {}
        for name, array in self.inputs.items():
            self.jacobians[name] = exact_arrays((K, *array.shape))
            self.terms[name] = exact_arrays((K, *array.shape))
        for k in range(K):
            rows = [k + q * K for q in self.blocks]
            if kind == "GRUCell":
                numbers = [of_x[r] + of_h[r] for r in rows[:2]] + [of_x[rows[2]], of_h[rows[2]]]
                self.reads = [(rows[0], "xh"), (rows[1], "xh"), (rows[2], "x"), (rows[2], "h")]
                numbers.append(h[k])
            else:
                numbers = [of_x[r] + of_h[r] for r in rows]
                self.reads = [(r, "xh") for r in rows]
                numbers += [self.inputs[s][k] for s in self.states[1:]]
            self.of_unit(k, [mpf(float(v)) for v in numbers])

    def of_unit(self, k, numbers):
        self.value[k] = self.function(*numbers)
        signed = SIGMOIDS[self.kind]
        self.value_terms[k] = self.function(*numbers[:signed], *map(abs, numbers[signed:]))
        for place in range(len(numbers)):
            order = tuple(int(p == place) for p in range(len(numbers)))
            slope = mp.diff(self.function, tuple(numbers), order)
            size = abs(slope)
            if self.kind == "GRUCell":  # h − tanh n cancels; n is rounded before its slope is taken
                n = abs(numbers[2]) + sigma(numbers[0]) * abs(numbers[3])
                size = size * (1 + 2 * n)
                if place == 1:
                    size += 2 * sigma(numbers[1]) * sigma(-numbers[1]) * (1 + abs(numbers[4]))
            self.spread(k, place, slope, size)

    def spread(self, k, place, slope, size):
        """What one sum of one unit adds to each Jacobian."""
        if place >= len(self.reads):
            self.add(self.states[-1], (k, k), slope, size)
            return
        row, reads = self.reads[place]
        pairs = [("x", "W", "b")] * ("x" in reads)
        pairs += [(self.states[0], "U", "d")] * ("h" in reads)
        for read, weights, bias in pairs:
            for i, weight in enumerate(self.inputs[weights][row]):
                self.add(read, (k, i), slope * mpf(weight), size * abs(mpf(weight)))
                entry = mpf(float(self.inputs[read][i]))
                self.add(weights, (k, row, i), slope * entry, size * abs(entry))
            if bias in self.inputs:
                self.add(bias, (k, row), slope, size)

    def add(self, name, place, slope, size):
        self.jacobians[name][place] += slope
        self.terms[name][place] += size


def drawn(kind, dtype, seed):
    """Whole eighths; a bias to ±25 saturates some gates."""
    _, gates, states, *_ = CELLS[kind]
    rng = np.random.default_rng(seed)
    shapes = {"x": (I,)} | dict.fromkeys(states, (K,))
    shapes |= {"W": (gates * K, I), "U": (gates * K, K), "b": (gates * K,)}
    shapes |= {"d": (gates * K,)} if kind == "GRUCell" else {}
    inputs = {n: rng.integers(-16, 17, shape) / 8 for n, shape in shapes.items()}
    inputs["b"] = inputs["b"] + rng.integers(-20, 21, shapes["b"])
    return {n: array.astype(dtype) for n, array in inputs.items()}


@over_floats
@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_exact_to_the_sum_of_its_gates(kind, dtype):
    op = CELLS[kind][0]
    for seed in range(3):
        inputs = drawn(kind, dtype, seed)
        with workdps(DIGITS):
            exact = ExactCell(kind, inputs)
        arrays = list(inputs.values())
        judged(op.forward(*arrays), exact.value, exact.value_terms)
        for name in op.differentiable():
            for rule in (dense_jacobian, swept_vjp):
                judged(rule(op, name, arrays), exact.jacobians[name], exact.terms[name])


@over_floats
def test_a_gates_slope_as_the_textbook_has_it_is_rejected(dtype):
    """σ (1 − σ) where the gate is open: 1 − σ has lost its digits."""
    inputs = drawn("LSTMOutput", dtype, 0)
    inputs["b"][3 * K :] = 20
    for name in ("x", "h0"):
        inputs[name] *= 0
    inputs["c"][:] = 0.5
    with workdps(DIGITS):
        exact = ExactCell("LSTMOutput", inputs)
    right = dense_jacobian(ops.LSTMOutput(), "b", list(inputs.values()))
    judged(right, exact.jacobians["b"])
    o = dtype(1) / (dtype(1) + np.exp(dtype(-20)))
    wrong = np.where(right != 0, np.tanh(dtype(0.5)) * o * (dtype(1) - o), 0).astype(dtype)
    with pytest.raises(AssertionError, match="ULP"):
        judged(wrong, exact.jacobians["b"])


def group_norm_exactly(groups, x, gamma, eps):
    """Value without shift, Jacobian by x and by gamma, and their sums with every sign plus."""
    size, count = len(gamma) // groups, x.size // groups
    value, by_x, by_gamma = (
        exact_arrays(s) for s in (x.shape, x.shape * 2, (*x.shape, len(gamma)))
    )
    sizes = [exact_arrays(a.shape) for a in (value, by_x, by_gamma)]
    for group in range(groups):
        places = [p for p in np.ndindex(*x.shape) if p[0] // size == group]
        known = {p: mpf(float(x[p])) for p in places}
        mean = mp.fsum(known.values()) / count
        s = mp.sqrt(mp.fsum((v - mean) ** 2 for v in known.values()) / count + mpf(eps))
        normal = {p: (v - mean) / s for p, v in known.items()}
        lost = {p: (abs(v) + abs(mean)) / s for p, v in known.items()}  # where x − μ cancels
        for p in places:
            gain = mpf(float(gamma[p[0]]))
            value[p], sizes[0][p] = gain * normal[p], abs(gain) * lost[p]
            by_gamma[(*p, p[0])], sizes[2][(*p, p[0])] = normal[p], lost[p]
            for q in places:
                mixed, most = 1 + normal[p] * normal[q], 1 + 2 * lost[p] * lost[q]
                by_x[p + q] = gain / s * ((p == q) - mixed / count)
                sizes[1][p + q] = abs(gain) / s * ((p == q) + most / count)
    return (value, by_x, by_gamma), sizes


@over_floats
@pytest.mark.parametrize(
    ("groups", "shape", "scale", "eps"),
    [(2, (4, 3), 1, 0.0), (3, (3, 5), 1e-3, 1e-5), (1, (2, 7), 1e15, 1e-5), (2, (6,), 1, 0.25)],
)
def test_a_group_norm_is_exact_to_the_sum_of_its_terms(groups, shape, scale, eps, dtype):
    rng = np.random.default_rng([groups, 5])
    x = (scale * rng.normal(2, 1, shape)).astype(dtype)
    gamma, beta = rng.normal(size=shape[0]).astype(dtype), np.zeros(shape[0], dtype)
    with workdps(DIGITS):
        (value, by_x, by_gamma), sizes = group_norm_exactly(groups, x, gamma, eps)
    op, inputs = ops.GroupNorm(groups, eps, "c,i"[: 2 * len(shape) - 1]), [x, gamma, beta]
    judged(op.forward(*inputs), value, sizes[0])
    for rule in (dense_jacobian, swept_vjp):
        judged(rule(op, "x", inputs), by_x, sizes[1])
        judged(rule(op, "gamma", inputs), by_gamma, sizes[2])
    other = ops.GroupNorm(shape[0] if groups == 1 else 1, eps, op.axes)
    with pytest.raises(AssertionError, match="ULP"):
        judged(dense_jacobian(other, "gamma", inputs), by_gamma, sizes[2])
