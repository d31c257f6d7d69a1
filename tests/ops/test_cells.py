"""Recurrent cells against loops over units, gate by gate; an LSTM through four steps."""

import math

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian

from jacobian_bp import AxisError, Network, SpecError, check_op, ops
from jacobian_bp.program.program_text import read_program

RNG = np.random.default_rng(47)
I, K = 3, 2  # noqa: E741
CELLS = {  # the op, its gates, and its inputs of the step before
    "RNNCell": (ops.RNNCell(), 1, {"h": (K,)}),
    "LSTMCarry": (ops.LSTMCarry(), 4, {"h0": (K,), "c0": (K,)}),
    "LSTMOutput": (ops.LSTMOutput(), 4, {"h0": (K,), "c": (K,)}),
    "GRUCell": (ops.GRUCell(), 3, {"h": (K,)}),
}


def sigma(z):
    return 1 / (1 + math.exp(-z))


def weighed(unit, gate, x, weights, bias):
    """The sum that one gate of one unit reads: row unit + gate·K."""
    row = unit + gate * K
    return sum(weights[row, i] * x[i] for i in range(len(x))) + bias[row]


def rnn(k, x, h, W, U, b):
    return math.tanh(weighed(k, 0, x, W, b) + weighed(k, 0, h, U, 0 * b))


def lstm(k, x, h0, c0, W, U, b):
    i, f, g, o = (weighed(k, q, x, W, b) + weighed(k, q, h0, U, 0 * b) for q in range(4))
    c = sigma(f) * c0[k] + sigma(i) * math.tanh(g)
    return c, sigma(o)


def lstm_carry(k, *inputs):
    return lstm(k, *inputs)[0]


def lstm_output(k, x, h0, c, W, U, b):
    return lstm(k, x, h0, c, W, U, b)[1] * math.tanh(c[k])


def gru(k, x, h, W, U, b, d):
    """PyTorch's: r stands in front of what n has from h, with its bias."""
    of_x, of_h = ([weighed(k, q, *read) for q in range(3)] for read in ((x, W, b), (h, U, d)))
    r, z = (sigma(of_x[q] + of_h[q]) for q in (0, 1))
    return (1 - z) * math.tanh(of_x[2] + r * of_h[2]) + z * h[k]


LOOPS = {"RNNCell": rnn, "LSTMCarry": lstm_carry, "LSTMOutput": lstm_output, "GRUCell": gru}


def drawn(kind, front=(), shared=False, biases=True):
    op, gates, state = CELLS[kind]
    shapes = {"x": (*front, I)} | {n: (s if shared else (*front, *s)) for n, s in state.items()}
    shapes |= {"W": (gates * K, I), "U": (gates * K, K), "b": (gates * K,)}
    if kind == "GRUCell":
        shapes["d"] = (gates * K,)
    if not biases:
        shapes = {name: shape for name, shape in shapes.items() if name not in ("b", "d")}
    return op, {name: RNG.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_its_loops_over_units(kind):
    op, inputs = drawn(kind)
    values = list(inputs.values())
    agree(op.forward(*values), [LOOPS[kind](k, *values) for k in range(K)])
    op, inputs = drawn(kind, (2,))
    values = list(inputs.values())
    own = 1 + len(CELLS[kind][2])
    each = [[v[n] for v in values[:own]] + values[own:] for n in range(2)]
    agree(op.forward(*values), [[LOOPS[kind](k, *v) for k in range(K)] for v in each])


def first_only(op):
    """The op without its second derivatives: test_second.py compares them."""

    class FirstOnly(type(op)):
        def forward(self, *inputs):
            return super().forward(*inputs)

    return FirstOnly()


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("front", "shared", "biases"),
    [((), False, True), ((5,), False, False), ((2, 5), True, True)],
)
def test_three_derivatives_agree(kind, front, shared, biases):
    op, inputs = drawn(kind, front, shared, biases)
    named = {"x": "n,t"} | ({} if shared else dict.fromkeys(CELLS[kind][2], "n,t"))
    report = check_op(first_only(op), inputs, axes=named if len(front) == 2 else {})
    assert report.ok, str(report)


def test_a_gru_with_one_bias_has_that_of_x():
    op, inputs = drawn("GRUCell")
    del inputs["d"]
    assert check_op(first_only(op), inputs).ok
    agree(
        op.forward(*inputs.values()),
        [gru(k, *inputs.values(), np.zeros(3 * K)) for k in range(K)],
    )


@pytest.mark.parametrize(
    ("kind", "of_W", "formula"),
    [
        ("RNNCell", 1, "δ[k,k'] tanh'(z)[k] h[j']"),
        (
            "LSTMCarry",
            3,
            "δ[g',k] di[k] h0[j'] + δ[g',k+2] df[k] h0[j'] + δ[g',k+4] dg[k] h0[j']",
        ),
        ("LSTMOutput", 1, "δ[g',k+6] do[k] h0[j']"),
        (
            "GRUCell",
            3,
            "δ[g',k] dr[k] h[j'] + δ[g',k+2] dz[k] h[j'] + δ[g',k+4] (dn r)[k] h[j']",
        ),
    ],
)
def test_each_unit_has_its_own_rows_of_its_gates(kind, of_W, formula):
    op, inputs = drawn(kind)
    params = {name: inputs.pop(name) for name in list(inputs) if name in op.parameters}
    net = Network.program(
        f"v = Step({', '.join((*inputs, *params))})",
        'J = Einsum("k->", v)',
        params=params,
        ops={"Step": op},
    )
    run = net.run(**inputs)
    for name, row in (("W", I), ("U", K), ("b", 1)):
        assert run.jacobian("v", name).structural_nonzeros == of_W * K * row
    assert run.jacobian("v", "U").formula == formula
    carry = {"LSTMCarry": "c0", "LSTMOutput": "c"}.get(kind)
    if carry:
        assert run.jacobian("v", carry).structural_nonzeros == K


def through_time(weights):
    """An LSTM through four steps, each with the weights that are named for it."""
    return [
        *(
            f"h{t}, c{t} = LSTMCell(x{t}, h{t - 1}, c{t - 1}, {weights.format(t=t)})"
            for t in range(1, 5)
        ),
        "L = SquaredError(h4, y)",
        "J = Mean(L)",
    ]


@pytest.mark.parametrize("front", [(), (2,)])
def test_an_lstm_through_four_steps_agrees_on_all_routes(front):
    """One W in four places: its gradient is the sum of those of four weights with its numbers."""
    params = {
        "W": RNG.normal(size=(4 * K, I)),
        "U": RNG.normal(size=(4 * K, K)),
        "b": RNG.normal(size=4 * K),
    }
    data = {f"x{t}": RNG.normal(size=(*front, I)) for t in range(1, 5)}
    data |= {"h0": np.zeros((*front, K)), "c0": np.zeros((*front, K)), "y": np.ones((*front, K))}
    run = Network.program(*through_time("W, U, b"), params=params).run(**data)
    report = run.check()
    assert report.ok, str(report)
    apart = {f"{name}{t}": value.copy() for t in range(1, 5) for name, value in params.items()}
    own = Network.program(*through_time("W{t}, U{t}, b{t}"), params=apart).run(**data)
    for name, gradient in run.gradients().items():
        agree(gradient, sum(own.gradients()[f"{name}{t}"] for t in range(1, 5)))
    h, c = np.zeros((*front, K)), np.zeros((*front, K))
    for t in range(1, 5):
        rows = [(data[f"x{t}"][n], h[n], c[n]) for n in np.ndindex(*front)]
        units = [[lstm(k, *row, *params.values()) for k in range(K)] for row in rows]
        c = np.array([[unit[0] for unit in row] for row in units]).reshape(h.shape)
        o = np.array([[unit[1] for unit in row] for row in units]).reshape(h.shape)
        h = o * np.tanh(c)
    agree(run["h4"], h)
    agree(run["c4"], c)


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell"])
def test_other_cells_through_three_steps_agree_on_all_routes(kind):
    _, inputs = drawn(kind, (2,))
    params = {name: inputs[name] for name in ("W", "U", "b")}
    lines = [f"h{t} = {kind}(x{t}, h{t - 1}, W, U, b)" for t in (1, 2, 3)]
    net = Network.program(*lines, "L = SquaredError(h3, y)", "J = Mean(L)", params=params)
    data = {f"x{t}": RNG.normal(size=(2, I)) for t in (1, 2, 3)}
    run = net.run(**data, h0=RNG.normal(size=(2, K)), y=np.ones((2, K)))
    assert run.check().ok, str(run.check())


def test_a_gate_that_is_open_has_a_slope_that_is_not_zero():
    """σ'(40), which σ (1 − σ) would make 0."""
    _, inputs = drawn("LSTMCarry")
    inputs = {name: 0 * value for name, value in inputs.items()} | {"c0": np.ones(K)}
    inputs["b"][K : 2 * K] = 40.0
    slope = dense_jacobian(ops.LSTMCarry(), "b", list(inputs.values()))
    expected = np.zeros((K, 4 * K))
    for k in range(K):
        expected[k, K + k] = 4.248354255291589e-18
        expected[k, 2 * K + k] = 0.5
    np.testing.assert_allclose(slope, expected, rtol=1e-15, atol=0)


def test_a_line_with_two_names_is_two_steps_that_read_back():
    steps = read_program(["h1, c1 = LSTMCell(x, h0, c0, W, U)"], {})
    lines = ["c1 = LSTMCarry(x, h0, c0, W, U)", "h1 = LSTMOutput(x, h0, c1, W, U)"]
    assert [str(step) for step in steps] == lines
    assert [str(step) for step in read_program(lines, {})] == lines
    own = read_program(["h = LSTMCell(x)"], {"LSTMCell": ops.Tanh})
    assert [type(step.op) for step in own] == [ops.Tanh]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "h = LSTMCell(x, h0, c0, W, U, b)",
            "line 1: 'h = LSTMCell(x, h0, c0, W, U, b)': LSTMCell reads names and gives 2 values.\n"
            "  Write it such as h, c = LSTMCell(x, h0, c0, W, U, b).",
        ),
        (
            "h, c = LSTMCell(x, h0, 0, W, U)",
            "line 1: 'h, c = LSTMCell(x, h0, 0, W, U)': LSTMCell reads names and gives 2 values.\n"
            "  Write it such as h, c = LSTMCell(x, h0, c0, W, U, b).",
        ),
        (
            "h, c = RNNCell(x, h0, W, U)",
            "line 1: 'h, c = RNNCell(x, h0, W, U)' is not of the form name = Op(names).\n"
            "  Write it such as z1 = Linear(x, W1, b1).",
        ),
    ],
)
def test_names_that_do_not_fit_the_values_are_refused(line, message):
    assert refusal(SpecError, lambda: read_program([line], {})) == message


def test_rows_that_are_not_those_of_the_gates_are_refused():
    op, inputs = drawn("LSTMCarry")
    inputs |= {"W": np.ones((9, I)), "U": np.ones((9, K)), "b": np.ones(9)}
    assert refusal(AxisError, lambda: check_op(op, inputs)) == (
        "LSTMCarry: W has shape (9, 3), h0 has 2 units.\n"
        "  Write 8 rows, 2 for each of its 4 gates, in W."
    )
    op, inputs = drawn("RNNCell")
    inputs |= {"W": np.ones((7, I)), "U": np.ones((7, K)), "b": np.ones(7)}
    assert refusal(AxisError, lambda: check_op(op, inputs)) == (
        "RNNCell: W has shape (7, 3), h has 2 units.\n  Write 2 rows in W."
    )


class OtherOrder(ops.LSTMCarry):
    """Its VJP has the gates i and f exchanged."""

    def stacked(self, bars):
        return super().stacked({0: bars[1], 1: bars[0], 2: bars[2]})


class ResetBefore(ops.GRUCell):
    """The reset in front of h, as in the paper: not PyTorch's."""

    def forward(self, x, h, W, U, b=None, d=None):
        r = 1 / (1 + np.exp(-self.blocks(x @ W.T + h @ U.T + b + d)[0]))
        U_n = U[2 * K :]
        n = np.tanh(x @ W[2 * K :].T + b[2 * K :] + (r * h) @ U_n.T + d[2 * K :])
        z = 1 / (1 + np.exp(-self.blocks(x @ W.T + h @ U.T + b + d)[1]))
        return (1 - z) * n + z * h


def test_gates_in_another_order_and_another_reset_are_told():
    _, inputs = drawn("LSTMCarry")
    findings = check_op(OtherOrder(), inputs).findings
    assert {f.input for f in findings} == {"x", "h0", "W", "U", "b"}
    _, inputs = drawn("GRUCell")
    values = list(inputs.values())
    assert not np.allclose(ResetBefore().forward(*values), ops.GRUCell().forward(*values))
    assert not check_op(ResetBefore(), inputs).ok
