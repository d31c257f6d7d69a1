"""Sweeps recorded once and replayed: on other numbers, other shapes, other factors, less memory."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from network_cases import PAIRS, close, data, network, refusal, same_bits, term_sums

from jacobian_bp import MemoryLimitError, Network, Op, delta, dense, memory_limit, ops
from jacobian_bp.algebra.tape import StandIn, Tape, apply
from jacobian_bp.routes import structured

RNG = np.random.default_rng(11)


@pytest.fixture
def recorded(monkeypatch):
    """The values at which a sweep was recorded, in order."""
    seen, record = [], structured._record

    def noted(state, of, wrt, dense, magnitudes):
        seen.append(of)
        return record(state, of, wrt, dense, magnitudes)

    monkeypatch.setattr(structured, "_record", noted)
    return seen


def agree(run):
    scale = term_sums(run)
    found, expected = run.gradients("structured"), run.gradients("vjp")
    return all(close(found[name], expected[name], scale[name]) for name in expected)


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("activation", "loss"), PAIRS)
@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
def test_a_replay_takes_the_numbers_of_its_own_run(recorded, activation, loss, batch):
    net = network(activation, loss)
    x, y = data(loss, batch)
    for factor in (1.0, -0.5, 0.25):
        assert agree(net.run(factor * x, y))
    assert len(recorded) in (1, 2)  # one more of absolute values, where a term is subtracted


def test_a_replay_has_the_bits_of_a_fresh_recording():
    net = network("sigmoid")
    x, y = data(batch=True)
    net.run(2 * x, y).gradients("structured")
    same_bits(
        net.run(x, y).gradients("structured"), network("sigmoid").run(x, y).gradients("structured")
    )


def test_other_shapes_parameters_and_dtypes_are_recorded_anew(recorded):
    net = network()
    x, y = data(batch=True)
    for rows in (slice(7), slice(5), slice(5), slice(7)):
        assert agree(net.run(x[rows], y[rows]))
    assert agree(net.run(x[0], y[0]))
    net.run(x, y).jacobian("a2", ["W1", "b2"]).materialise()
    net.run(x, y).jacobian("a2", ["b2", "W1"]).materialise()
    assert recorded == ["J", "J", "J", "a2", "a2"]


def test_the_dtype_is_that_of_the_run():
    """∂J/∂b is a row of ones, in which no array has a dtype."""
    total = {"Total": ops.Einsum("k->")}
    params = {"b": np.ones(3, np.float32)}
    net = Network.program("s = Add(x, b)", "J = Total(s)", params=params, ops=total)
    for dtype in (np.float32, np.float64, np.float32):
        found = net.run(np.ones(3, dtype)).gradients("structured")["b"]
        assert (found.dtype, found.tolist()) == (dtype, [1, 1, 1])


def test_other_parameters_of_one_network_share_its_sweeps(recorded):
    net = network()
    x, y = data(batch=True)
    for factor in (1.0, -2.0):
        assert agree(net.with_params({n: factor * a for n, a in net.params.items()}).run(x, y))
    assert recorded == ["J"]


class Bent(Op):
    """Its Jacobian is written as δ s or as a whole matrix, depending on the value it reads."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return 3 * z

    def jacobians(self, z):
        if z.sum() > 0:
            return {"z": delta("k,k'") * dense("s[k]", np.full_like(z, 3))}
        return {"z": dense("M[k,k']", 3 * np.eye(len(z)))}

    def vjp(self, a_bar, z):
        return {"z": 3 * a_bar}


def test_factors_that_look_otherwise_are_recorded_anew(recorded):
    params = {"W": RNG.standard_normal((3, 5)), "b": np.zeros(3)}
    lines = ["z = Linear(x, W, b)", "a = Bent(z)", "J = SquaredError(a, y)"]
    net = Network.program(*lines, params=params, ops={"Bent": Bent})
    x, y = RNG.standard_normal(5), RNG.standard_normal(3)
    for sign in (1, -1, -1, 1):
        run = net.run(sign * x, y)
        found, expected = run.gradients("structured"), run.gradients()
        assert all(np.allclose(found[n], expected[n], rtol=1e-13) for n in expected)
    assert recorded == ["J", "J", "J"]


class Traced(Op):
    """t = Σ_i Q[i,i] u[i] v[i]: its Jacobian by Q is a delta beside two factors."""

    signature = "Q[i,j], u[i], v[i] -> t[]"

    def forward(self, Q, u, v):
        return (np.diagonal(Q) * u * v).sum()

    def jacobians(self, Q, u, v):
        U, V = dense("u[i']", u), dense("v[i']", v)
        q = dense("q[i']", np.diagonal(Q))
        return {"Q": delta("i',j'") * U * V, "u": q * V, "v": q * U}

    def vjp(self, t_bar, Q, u, v):
        q = np.diagonal(Q)
        return {"Q": t_bar * np.diag(u * v), "u": t_bar * q * v, "v": t_bar * q * u}


def test_a_delta_that_joins_two_axes_of_the_variable_stays():
    params = {"Q": RNG.standard_normal((3, 3)), "u": RNG.standard_normal(3)}
    net = Network.program("t = Traced(Q, u, v)", params=params, ops={"Traced": Traced})
    for _ in range(2):
        run = net.run(v=RNG.standard_normal(3))
        found, expected = run.gradients("structured"), run.gradients()
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-13)
        assert np.count_nonzero(found["Q"]) == 3


class SingleSlopes(Op):
    """c = Σ_k a[k] b[k], whose Jacobian is written in float32 whatever it reads."""

    signature = "a[k], b[k] -> c[]"

    def forward(self, a, b):
        return (a * b).sum(axis=-1)

    def jacobians(self, a, b):
        a, b = (np.asarray(array, np.float32) for array in (a, b))
        unit = np.ones_like(a)
        return {
            "a": dense("b[k']", b) * dense("u[k']", unit),
            "b": dense("a[k']", a) * dense("u[k']", unit),
        }

    def vjp(self, c_bar, a, b):
        return {"a": c_bar[..., None] * b, "b": c_bar[..., None] * a}


def test_single_factors_of_a_double_run_give_doubles():
    net = Network.program(
        "c = Own(a, b)", params={"b": [0.5, 2.0, -4.0]}, ops={"Own": SingleSlopes}
    )
    found = net.run(a=[1.0, 0.25, -8.0]).gradients("structured")["b"]
    assert (found.dtype, found.tolist()) == (np.float64, [1.0, 0.25, -8.0])


class Steered(Op):
    """a = s z: its Jacobian is s δ, the number s a coefficient and no array."""

    signature = "z[k] -> a[k]"

    def scale(self, z):
        return 2.0 if z.sum() > 0 else -0.5

    def forward(self, z):
        return self.scale(z) * z

    def jacobians(self, z):
        return {"z": self.scale(z) * delta("k,k'")}

    def vjp(self, a_bar, z):
        return {"z": self.scale(z) * a_bar}


def test_a_coefficient_that_depends_on_the_values_is_that_of_its_own_run(recorded):
    lines = ["z = Linear(x, W, b)", "a = Steered(z)", "J = SquaredError(a, y)"]
    params = {"W": RNG.standard_normal((3, 5)), "b": np.zeros(3)}
    net = Network.program(*lines, params=params, ops={"Steered": Steered})
    x, y = RNG.standard_normal(5), RNG.standard_normal(3)
    signs, found = (1, -1, -1, 1), []
    for sign in signs:
        run = net.run(sign * x, y)
        found.append(run.gradients("structured")["b"] / (run["a"] - y))
        scale = 2 * Steered().scale(run["z"])
        np.testing.assert_allclose(found[-1], np.full(3, scale), rtol=1e-13)
    assert len({round(float(slope[0]), 6) for slope in found}) == 2
    assert recorded == ["J", "J", "J"]


def test_a_limit_that_fell_since_is_kept():
    net = network(sizes=[5, 3, 2])
    run = net.run(*data(batch=True))
    expected = run.gradients("structured")
    with memory_limit("100 B"):
        message = refusal(MemoryLimitError, run.gradients, "structured")
    assert message.startswith("the contraction ")
    assert message.endswith(
        "the limit is 100 bytes.\n"
        '  Contract it with a vector: J.pull(v), or run.gradients(route="vjp").'
    )
    same_bits(run.gradients("structured"), expected)


def test_no_two_gradients_share_memory():
    """∂J/∂u and ∂J/∂v of z + u + v are one array of numbers."""
    params = {"W": RNG.standard_normal((3, 5)), "b": np.ones(3), "u": np.ones(3), "v": np.ones(3)}
    lines = ["z = Linear(x, W, b)", "s = Add(z, u)", "w = Add(s, v)", "J = SquaredError(w, y)"]
    run = Network.program(*lines, params=params).run(RNG.standard_normal(5), np.zeros(3))
    for _ in range(2):
        found = run.gradients("structured")
        assert np.array_equal(found["u"], found["v"])
        names = [*found]
        for place, name in enumerate(names):
            assert not any(np.shares_memory(found[name], found[n]) for n in names[:place])
            assert not any(np.shares_memory(found[name], run[n]) for n in run)
            found[name] += 1


def test_only_so_many_sweeps_are_kept():
    net = network(sizes=[2, 2], loss="squared_error")
    for size in range(1, structured.MOST_SWEEPS + 9):
        net.run(np.ones((size, 2)), np.ones((size, 2))).gradients("structured")
    assert 0 < len(structured.records(net._program)) <= structured.MOST_SWEEPS


def test_copies_record_for_themselves():
    net = network()
    x, y = data(batch=True)
    run = net.run(x, y)
    expected = run.gradients("structured")
    for again in (pickle.loads(pickle.dumps(run)), copy.deepcopy(run)):
        same_bits(again.gradients("structured"), expected)
    for again in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        same_bits(again.run(x, y).gradients("structured"), expected)


def test_runs_of_one_network_in_several_threads():
    net = network("tanh")
    x, y = data(batch=True)
    points = [factor * x for factor in np.linspace(-2, 2, 40)]
    expected = [network("tanh").run(point, y).gradients("structured") for point in points]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda point: net.run(point, y).gradients("structured"), points))
    for one, other in zip(found, expected, strict=True):
        same_bits(one, other)


# ---------------------------------------------------------------- the tape


def test_what_is_used_up_is_let_go():
    tape = Tape()
    a = tape.leaf((3,))
    b = apply(np.negative, [a], (3,))
    c = apply(np.add, [b, np.ones(3)], (3,))
    d = apply(np.multiply, [c, a], (3,))
    tape.finished([d, b])
    assert [call.spent for call in tape.calls] == [(), (), (c.slot,)]
    found = tape.replay([np.array([1.0, 2.0, 4.0])])
    assert [array.tolist() for array in found] == [[0.0, -2.0, -12.0], [-1.0, -2.0, -4.0]]


def test_a_call_that_no_result_needs_is_left_out():
    tape = Tape()
    a = tape.leaf((3,))
    b, c = (apply(f, [a], (3,)) for f in (np.negative, np.square))
    apply(np.add, [b, c], (3,))
    tape.finished([c])
    assert [(call.output, call.spent) for call in tape.calls] == [(c.slot, ())]
    (found,) = tape.replay([np.array([1.0, 2.0, 4.0])])
    assert found.tolist() == [1, 4, 16]


def test_a_divided_tape_does_once_what_the_first_leaves_decide_but_keeps_no_result_and_no_more():
    tape = Tape()
    a, b, _ = (tape.leaf((size,)) for size in (3, 3, 5))
    double = apply(np.add, [a, a], (3,))
    square = apply(np.multiply, [double, double], (3,))
    wide = apply(np.outer, [square, a], (3, 3))
    last = apply(np.matmul, [wide, b], (3,))
    first, second = tape.finished([last, double]).divided(1)
    assert [call.function for call in first.calls] == []  # a result is new in each replay
    first, second = tape.finished([last]).divided(1)
    assert [call.output for call in first.calls] == [double.slot, square.slot]
    assert [call.output for call in second.calls] == [wide.slot, last.slot]
    numbers = np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 7.0]), np.zeros(5)
    kept = first.replay(numbers[:1])
    assert len(kept) == 2  # a and its double's square, not the double
    for _ in range(2):
        (found,) = second.replay([*kept, *numbers[1:]])
        assert found.tolist() == tape.replay(numbers)[0].tolist() == [164, 656, 2624]


def test_a_stand_in_knows_its_shape_and_its_dtype():
    tape = Tape()
    a, b = tape.leaf((2, 3), np.float32), tape.leaf((3,))
    total = apply(np.add, [a, b], (2, 3))
    assert isinstance(total, StandIn)
    assert (total.shape, total.ndim, total.dtype, total.itemsize) == ((2, 3), 2, np.float64, 8)
    assert tape.largest == 48
    with memory_limit(47):
        assert not tape.fits()
    with memory_limit(48):
        assert tape.fits()


def test_a_tape_that_shares_calls_what_is_the_same_of_the_same_arrays_once():
    for shares in (False, True):
        tape = Tape(shares=shares)
        a, b = tape.leaf((3,)), tape.leaf((3,))
        found = [apply(np.add, [a, b], (3,), what="sum") for _ in range(2)]
        found += [apply(np.add, [b, a], (3,), what="sum"), apply(np.add, [a, b], (3,))]
        found += [apply(np.multiply, [a, b], (3,), what="product")]
        tape.finished(found)
        assert (found[0] is found[1]) == shares
        assert len(tape.calls) == 5 - shares
        numbers = tape.replay([np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 7.0])])
        assert [array.tolist() for array in numbers] == [[4, 7, 11]] * 4 + [[3, 10, 28]]


def test_numbers_are_computed_at_once():
    assert apply(np.add, [np.ones(2), np.ones(2)], (2,)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("magnitudes_first", [False, True])
@pytest.mark.parametrize(("activation", "subtracts"), [("tanh", False), ("softmax", True)])
def test_absolute_values_have_a_sweep_of_their_own_only_where_a_term_is_subtracted(
    recorded, activation, subtracts, magnitudes_first
):
    """A softmax subtracts p pᵀ: without its sign the sums are others."""
    net = Network.dense([3, 5, 2], activation, "squared_error", seed=3)
    run = net.run(RNG.standard_normal((7, 3)), RNG.standard_normal((7, 2)))
    for magnitudes in (magnitudes_first, not magnitudes_first):
        structured.structured(run.forward_pass, list(run.params), magnitudes=magnitudes)
    assert len(recorded) == 1 + subtracts
    found = {
        m: structured.structured(run.forward_pass, ["W1"], magnitudes=m) for m in (True, False)
    }
    for magnitudes, gradients in found.items():
        structured.records(run.forward_pass.program).clear()
        alone = structured.structured(run.forward_pass, ["W1"], magnitudes=magnitudes)
        same_bits(gradients, alone)
    assert (found[True]["W1"] >= np.abs(found[False]["W1"])).all()
    assert (found[True]["W1"] > np.abs(found[False]["W1"])).any()
