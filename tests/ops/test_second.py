"""Every op says how it bends, and check_op finds a mistake in it (test_one_op has what is right).

A check that has never failed is not a check: for each op a mistake is planted in every pair, and
one in every pair that it says is straight.
"""

from functools import partial, reduce
from operator import mul

import numpy as np
import pytest
from ops_cases import FORMS
from sampled import one_in, seldom
from second_cases import close, differences
from window_cases import CONVOLUTIONS, POOLS

import jacobian_bp
from jacobian_bp import JacobianError, Linear, Network, Op, check_op, delta, dense, one, ops
from jacobian_bp.algebra.axes import primed

OPS = [getattr(ops, name) for name in ops.__all__ if isinstance(getattr(ops, name), type)]
ABSTRACT = {ops.Op, ops.Activation, ops.Penalty, ops.Reduction}


def arrays(case, batch):
    given = dict(zip(case.names, case.inputs(batch), strict=True))
    if type(case.op) is ops.Huber:  # beyond ±δ it is straight
        given["a"] = given["y"] + 0.1 * given["a"]
    return given


def test_every_op_says_how_it_bends():
    made = [op for op in OPS if issubclass(op, Op) and op not in ABSTRACT]
    assert len(made) > 40
    assert {op.__name__ for op in made if op.second is Op.second} == set()


@pytest.mark.parametrize(
    ("op", "x", "K"), one_in(4, CONVOLUTIONS), ids=[repr(c[0]) for c in CONVOLUTIONS]
)
def test_a_convolution_bends_by_its_window(op, x, K):
    rng = np.random.default_rng(5)
    x, K = rng.normal(size=x), rng.normal(size=K)
    report = check_op(op, {"x": x, "K": K, "b": rng.normal(size=len(K))})
    assert report.ok, str(report)
    assert "∂²y/∂x∂K" in str(report)


@pytest.mark.parametrize(("op", "x"), POOLS, ids=[repr(p[0]) for p in POOLS])
def test_a_pool_is_straight(op, x):
    report = check_op(op, {"x": np.random.default_rng(5).normal(size=x)})
    assert report.ok, str(report)


STRAIGHT = (
    ops.Slice(1, 5, 2),
    ops.Flip(),
    ops.Pad(2, 1),
    ops.Sort(),
    ops.CumSum(),
)


def test_what_is_moved_or_looked_up_is_straight_in_it():
    rng = np.random.default_rng(5)
    for op in STRAIGHT:
        assert op.second(rng.normal(size=7)) == {}
        assert check_op(op, {"x": rng.normal(size=7)}).ok
    u = np.array([2, 0, 2])
    for op, given in (
        (ops.Embedding(), {"u": u, "E": rng.normal(size=(3, 5))}),
        (ops.Gather(), {"x": rng.normal(size=5), "u": u}),
    ):
        assert op.second(*given.values()) == {}
        assert check_op(op, given).ok


@pytest.mark.parametrize("op", [ops.Softmax(axis="t"), ops.LogSoftmax(axis="t")])
def test_a_softmax_along_another_axis_bends_there(op):
    z = np.random.default_rng(7).normal(size=(3, 2))
    report = check_op(op, {"z": z}, axes={"z": "t,k"})
    assert report.ok, str(report)
    assert "∂²" in str(report)


# what one line of loops does not say: cells of two units, groups, and parts of a sum
LAYERS = [
    (ops.CausalSoftmax(), {"s": (3, 3)}),
    (ops.Inverse(), {"X": (3, 3)}),
    (ops.LogDet(), {"X": (3, 3)}),
    (ops.Det(), {"X": (3, 3)}),
    (ops.Kron(), {"A": (2, 3), "B": (3, 2)}),
    (ops.LogSumExp(), {"z": (5,)}),
    (ops.Softmax().reading(2), {"z": (5,), "m": np.array([1.0, 0, 1, 1, 0])}),
    (ops.LogSoftmax().reading(2), {"z": (5,), "m": np.array([1.0, 0, 1, 1, 0])}),
    (ops.GroupNorm(2, eps=0.25), {"x": (4, 2, 1), "gamma": (4,), "beta": (4,)}),
    (ops.CrossEntropy((0.5, 2, 3)), {"p": np.array([0.5, 0.2, 0.3]), "y": 1}),
    (ops.CrossEntropyFromLogits((0.5, 2, 3)), {"z": (3,), "y": 2}),
    *(
        (op, {"x": (1,), **state, "W": (2 * gates, 1), "U": (2 * gates, 2), "b": (2 * gates,)})
        for op, gates, state in (
            (ops.RNNCell(), 1, {"h": (2,)}),
            (ops.LSTMCarry(), 4, {"h0": (2,), "c0": (2,)}),
            (ops.LSTMOutput(), 4, {"h0": (2,), "c": (2,)}),
            (ops.GRUCell().reading(5), 3, {"h": (2,)}),
        )
    ),
    (ops.RNNCell(), {"x": (3, 2), "h": (1,), "W": (1, 2), "U": (1, 1), "b": (1,)}),
]
LSTM = {"LSTMCarry", "LSTMOutput"}  # of many pairs: what a GRU has is found in it too
FEWER = [seldom(*layer) if layer[0].name in LSTM else layer for layer in LAYERS]
NAMES = [op.name for op, _ in LAYERS]


def filled(given):
    rng = np.random.default_rng(13)
    return {n: rng.normal(size=g) if isinstance(g, tuple) else g for n, g in given.items()}


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("op", "given"), FEWER, ids=NAMES)
def test_a_layer_bends_as_it_says(op, given):
    report = check_op(op, filled(given))
    assert report.ok, str(report)
    assert any("∂²" in line for line in report.lines)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("op", "given"), FEWER, ids=NAMES)
def test_a_mistake_in_a_layers_first_and_last_pair_is_found(op, given):
    arrays = filled(given)
    names = {name: name for name in arrays}
    pairs = list(op.second(*op.admit(names, *map(np.asarray, arrays.values()))))
    for pair in {pairs[0], pairs[-1]}:
        wrong = with_second(op, lambda found, pair=pair: found | {pair: 1.01 * found[pair]})
        report = check_op(wrong, arrays)
        assert not report.ok, pair
        assert "second() " in str(report)


def test_a_cell_bends_by_every_pair_that_a_gate_reads():
    """A carry is straight in the state it carries, and not bent by two of them."""
    given = filled(LAYERS[-4][1])
    names = ("x", "h0", "W", "U", "b")
    expected = {(a, b) for p, a in enumerate(names) for b in names[p:]}
    expected |= {("x", "c0"), ("h0", "c0"), ("c0", "W"), ("c0", "U"), ("c0", "b")}
    assert set(ops.LSTMCarry().second(*given.values())) == expected


def test_the_hessian_of_an_lstm_through_three_steps_is_that_of_differences():
    rng = np.random.default_rng(17)
    shapes = {"W": (8, 1), "U": (8, 2), "b": (8,)}
    net = Network.program(
        *(f"h{t}, c{t} = LSTMCell(x{t}, h{t - 1}, c{t - 1}, W, U, b)" for t in (1, 2, 3)),
        "J = SquaredError(h3, y)",
        params={name: rng.normal(size=shape) for name, shape in shapes.items()},
    )
    data = {f"x{t}": rng.normal(size=1) for t in (1, 2, 3)}
    data |= {"h0": rng.normal(size=2), "c0": rng.normal(size=2), "y": np.ones(2)}
    run, expected = net.run(**data), differences(net, data, "J", ["U", "b"], "W")
    for name, array in expected.items():
        close(run.hessian(name, "W").materialise(), array)
        with pytest.raises(AssertionError, match="first wrong entry"):
            close(1.001 * run.hessian(name, "W").materialise(), array)


def with_second(op, change):
    """The op, what its second() gives changed."""

    class Wrong(type(op)):
        def second(self, *inputs):
            return change(super().second(*inputs))

        def reading(self, count):
            return self

    wrong = object.__new__(Wrong)
    wrong.__dict__.update(vars(op))
    return wrong


ONCE = [(case, False) for case, batch in FORMS if not batch]
each_op = pytest.mark.parametrize(("case", "batch"), ONCE, ids=[str(c) for c, _ in ONCE])


MISTAKES = (
    lambda found, pair: found | {pair: 2 * found[pair]},
    lambda found, pair: found | {pair: -found[pair]},
    lambda found, pair: {p: e for p, e in found.items() if p != pair},
)


@pytest.mark.one_in(10)
@pytest.mark.parametrize("mistakes", [1, seldom(3)], ids=["one, in turn", "each"])
@each_op
def test_a_mistake_in_any_pair_is_found(case, batch, mistakes):
    given = arrays(case, batch)
    said = case.op.second(*given.values())
    for number, pair in enumerate(said, ONCE.index((case, batch))):
        for turn in range(number, number + mistakes):
            change = partial(MISTAKES[turn % 3], pair=pair)
            report = check_op(with_second(case.op, change), given)
            assert not report.ok, pair
            assert "second() " in str(report)


@pytest.mark.one_in(10)
@each_op
def test_a_pair_said_to_bend_that_is_straight_is_found(case, batch):
    given = arrays(case, batch)
    said = case.op.second(*given.values())
    signature = case.op.parsed
    axes = {operand.name: operand.axes for operand in signature.inputs}
    free = [
        (a, b)
        for p, a in enumerate(case.op.differentiable())
        for b in case.op.differentiable()[p:]
        if (a, b) not in said and (b, a) not in said
    ]
    for a, b in free[:1]:
        bend = {(a, b): 0.5 * one_of((*signature.output.axes, *primed((*axes[a], *axes[b]))))}
        report = check_op(with_second(case.op, lambda found, bend=bend: found | bend), given)
        assert not report.ok, (a, b)


def one_of(letters):
    """1 everywhere."""
    return reduce(mul, map(one, letters), dense("c", np.array(1.0)))


class Product(Op):
    signature = "a[k], s[] -> z[k]"

    def forward(self, a, s):
        return s * a

    def jacobians(self, a, s):
        return {"a": delta("k,k'") * dense("s", s), "s": dense("a[k]", a)}

    def vjp(self, bar, a, s):
        return {"a": s * bar, "s": (bar * a).sum()}


def test_an_op_that_does_not_say_it_is_never_taken_for_straight():
    """The message is followed: with what it says to write the Hessian is right."""
    net = Network.program("z = Product(x, t)", "J = SquaredError(z, y)", ops={"Product": Product})
    data = {"x": [1.0, -2.0], "t": 3.0, "y": [0.5, 0.25]}
    with pytest.raises(JacobianError) as refused:
        net.run(**data).hessian("x", "t")
    assert str(refused.value) == (
        "Product 'z' has no second.\n"
        "  Write def second(self, a, s), which returns {} where every second derivative is 0, else "
        'an expression for each pair that bends, such as {("a", "s"): …} over the axes k, k\'.'
    )

    class Told(Product):
        def second(self, a, s):
            return {("a", "s"): delta("k,k'")}

    assert check_op(Told, {"a": data["x"], "s": data["t"]}).ok
    net = Network.program("z = Told(x, t)", "J = SquaredError(z, y)", ops={"Told": Told})
    x, t, y = np.array(data["x"]), data["t"], np.array(data["y"])
    found = net.run(**data).hessian("x", "t").materialise()
    np.testing.assert_allclose(found, 2 * t * x + 2 * (t * x - y), rtol=1e-15)


def test_what_computes_something_else_does_not_inherit_how_it_bends():
    class Cubed(Linear):
        def forward(self, a, W, b=None):
            return super().forward(a, W, b) ** 3

    assert Linear().has_second
    assert not Cubed().has_second


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {("a", "q"): delta("k,k'")},
            "Wrong 'z': second() names ('a', 'q'), which is no pair of inputs.\n"
            "  The op is differentiated by a, s; name two of them, or one twice.",
        ),
        (
            {("a", "s"): delta("k,k'"), ("s", "a"): delta("k,k'")},
            "Wrong 'z': second() names s and a twice.\n"
            "  Name each pair once, in either order; the other order follows.",
        ),
        (
            {("a", "s"): np.eye(2)},
            "Wrong 'z': second() gives no expressions.\n"
            "  Return a dict from pairs of inputs to deltas and factors, such as\n"
            '  {("W", "a"): delta("k,k\'") * delta("i\',i\'\'")}.',
        ),
        (
            {("a", "s"): one("k")},
            "Wrong 'z': ∂²z/∂x∂t: axis k' stands in no factor of the term 1[k].\n"
            '  Where entry k reads entry k only, write delta("k,k\'").\n'
            '  Where the term does not change along it, write one("k\'").',
        ),
    ],
)
def test_what_is_no_pair_or_no_expression_is_refused(given, message):
    class Wrong(Product):
        def second(self, a, s):
            return given

    net = Network.program("z = Wrong(x, t)", "J = SquaredError(z, y)", ops={"Wrong": Wrong})
    run = net.run(x=[1.0, -2.0], t=3.0, y=[0.5, 0.25])
    with pytest.raises(JacobianError) as refused:
        run.hessian("x", "t")
    assert str(refused.value) == message


def test_a_kink_is_said_and_not_judged():
    report = check_op(ops.ReLU(), {"z": [1.0, 0.0, -2.0]})
    assert report.ok
    assert "1 entry sits on a kink" in str(report)
    assert jacobian_bp.ReLU().second(np.zeros(2)) == {}


def test_a_wrong_bend_is_named_with_both_numbers():
    wrong = with_second(ops.Tanh(), lambda found: {("z", "z"): 2 * found["z", "z"]})
    report = check_op(wrong, {"z": [0.5, 1.0]})
    assert str(report) == (
        "Wrong: WRONG\n"
        "  ∂²a/∂z²[0,0,0]: second() -1.453723963, differences of jacobians() -0.7268619814; "
        "2 of 8 entries differ\n"
        "  ∂a/∂z (2, 2): VJP differs by less than 1e-15, finite differences by less than 1e-08"
    )
