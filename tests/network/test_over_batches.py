"""Over batches a gradient is that of all examples, however they are cut, or it is refused."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, MemoryLimitError, Network, SpecError, memory_limit
from jacobian_bp.errors import JacobianError
from jacobian_bp.network import over_batches
from jacobian_bp.program import over_examples
from jacobian_bp.routes.structured import structured

RNG = np.random.default_rng(59)
W, B = RNG.normal(size=(2, 5)), RNG.normal(size=2)
X, Y = RNG.normal(size=(29, 5)), RNG.normal(size=(29, 2))
UNIT = 2.0**-53
LAYERS = "z = Linear(x, W, b)", "L = SquaredError(z, y)"

DENSE = {
    "a mean": {},
    "a sum": {"reduction": "sum"},
    "a mean over all entries": {"reduction": "mean_over_entries"},
    "a mean and penalties": {"penalty": {"W1": 0.3, "b2": {"half_l2": 0.7}}},
    "a sum and penalties": {"reduction": "sum", "penalty": {"W1": 0.3, "b2": {"l2": 0.7}}},
}
PROGRAMS = {
    "a sum times a parameter": ("m = Sum(L)", "J = Multiply(m, q, '')"),
    "a mean and more times a parameter": ("m = Mean(L)", "J = Multiply(m + R, q, '')"),
    "a sum and what is trained beside it": (
        "m = Sum(L)",
        "e = q*R",
        "d = m/4 + e - q",
        "J = Add(d, -3, '')",
    ),
    "a sum that is reached twice": ("m = Sum(L)", "d = 2*m + R", "J = d - m + q"),
}


def networks():
    for name, options in DENSE.items():
        yield name, Network.dense([5, 3, 2], "tanh", "squared_error", seed=1, **options)
    for name, lines in PROGRAMS.items():
        lines = ("R = L2Penalty(W, 0.3)", *lines) if "R" in "".join(lines) else lines
        lines = [
            line
            for text in lines
            for line in (
                ("s = Add(m, R, '')", "J = Multiply(s, q, '')") if "(m + R" in text else (text,)
            )
        ]
        yield name, Network.program(*LAYERS, *lines, params={"W": W, "b": B, "q": 1.7})


NETWORKS = dict(networks())


def cut(size, x=X, y=Y):
    return [(x[at : at + size], y[at : at + size]) for at in range(0, len(x), size)]


def off(net, found, x=X, y=Y):
    """The largest difference from the gradients of all at once, in u·Σ|terms|."""
    run = net.run(x, y)
    whole, most = run.gradients(), structured(run.forward_pass, run.params, magnitudes=True)
    return max(
        float((np.abs(found[name] - whole[name]) / (UNIT * most[name] + 1e-300)).max())
        for name in whole
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", NETWORKS)
def test_over_batches_of_any_size_it_is_what_all_examples_give_at_once(name):
    net = NETWORKS[name]
    run = net.run(X, Y)
    whole = run.hessian(run.params).gauss_newton.materialise()
    for size in (1, 7, 13, 29):
        found = net.gradients_over(iter(cut(size)))
        assert {k: v.shape for k, v in found.items()} == {k: net.params[k].shape for k in found}
        assert off(net, found) <= 16, size
        matrix = net.gauss_newton_over(cut(size))
        assert np.abs(matrix - whole).max() <= 1e-13 * np.abs(whole).max(), size


def test_batches_that_weigh_alike_whatever_their_size_are_found_wrong(monkeypatch):
    net = NETWORKS["a mean"]
    monkeypatch.setattr(over_batches.Alike, "examples", lambda *_: 1)
    assert off(net, net.gradients_over(cut(7))) > 1e6
    assert off(net, net.gradients_over(cut(29))) <= 16


def test_a_penalty_that_counts_in_each_batch_is_found_wrong(monkeypatch):
    net = NETWORKS["a sum and penalties"]
    monkeypatch.setattr(over_examples, "_is_zero_at_zero", lambda *_: True)
    assert off(net, net.gradients_over(cut(7))) > 1e6


def test_the_rounding_does_not_grow_with_the_number_of_examples(monkeypatch):
    count, unit = 20011, 2.0**-24
    x, y = np.abs(RNG.normal(size=(count, 5))).astype("f"), 3 + RNG.normal(size=(count, 2))
    y = y.astype("f")
    net = Network.dense([5, 2], "identity", "squared_error", seed=1, dtype=np.float32)
    wide = {name: value.astype(float) for name, value in net.params.items()}
    double = Network.dense([5, 2], "identity", "squared_error", params=wide)
    exact, run = double.gradients_over([(x.astype(float), y.astype(float))]), net.run(x, y)
    most = structured(run.forward_pass, run.params, magnitudes=True)

    def rounding(size):
        found = net.gradients_over(cut(size, x, y))
        assert {array.dtype for array in found.values()} == {np.dtype("f")}
        return max(
            (np.abs(found[name] - exact[name]) / (unit * most[name])).max() for name in exact
        )

    assert max(rounding(101), rounding(count)) <= 16
    monkeypatch.setattr(over_batches, "PIECE", count)
    assert rounding(count) > 16


def test_tied_parameters_labels_tokens_and_shared_inputs_are_taken_as_a_run_takes_them():
    shared = RNG.normal(size=(3, 3))
    tied = Network.dense(
        [3, 3, 3],
        ["tanh", "softmax"],
        "cross_entropy",
        params={"W1": shared, "b1": B.repeat(2)[:3], "W2": shared, "b2": B.repeat(2)[1:]},
    )
    x, classes = RNG.normal(size=(17, 3)), RNG.integers(0, 3, 17)
    assert off(tied, tied.gradients_over(cut(5, x, classes)), x, classes) <= 16
    tokens = Network.program(
        "a = Linear(x, W, b)",
        "h = Multiply(a, m)",
        "L = SquaredError(h, y)",
        "J = Mean(L, over='n,t')",
        params={"W": W, "b": B},
    )
    x, y, m = RNG.normal(size=(11, 7, 5)), RNG.normal(size=(11, 7, 2)), RNG.normal(size=2)
    axes = {"x": "n,t"}
    batches = [{"x": x[i : i + 3], "y": y[i : i + 3], "m": m} for i in range(0, 11, 3)]
    found = tokens.gradients_over(batches, axes=axes)
    whole = tokens.run(x, y, m=m, axes=axes).gradients()
    assert all(np.allclose(found[name], whole[name], rtol=1e-13) for name in whole)
    batches[2]["m"] = m + 1
    assert refusal(DomainError, tokens.gradients_over, batches, axes=axes) == (
        "net.gradients_over: batch 2: m carries no axis of examples, and is not that of batch 0.\n"
        "  Give m an axis n in front, or the same to each batch."
    )


def test_whole_arrays_are_cut_into_rows(tmp_path):
    net = NETWORKS["a mean"]
    count = 2503
    x, y = RNG.normal(size=(count, 5)), RNG.normal(size=(count, 2))
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert off(net, net.gradients_over((mapped, y)), x, y) <= 16
    assert off(net, net.gradients_over({"x": x, "y": y}), x, y) <= 16
    assert refusal(AxisError, net.gradients_over, (x, y[:5])) == (
        "net.gradients_over: x and y have different numbers of rows.\n"
        "  x has shape (2503, 5), so 2,503 rows\n"
        "  y has shape (5, 2), so 5 rows\n"
        "  Pass the same examples in both."
    )


def test_dask_arrays_of_rows_give_the_same_on_each_scheduler():
    array = pytest.importorskip("dask.array", reason="dask is an extra")
    import dask

    x, y = array.from_array(X, chunks=(7, 5)), array.from_array(Y, chunks=(5, 2))
    for name in ("a mean", "a sum and penalties"):
        net, found = NETWORKS[name], []
        for scheduler in ("synchronous", "threads"):
            with dask.config.set(scheduler=scheduler):
                found.append(net.gradients_over((x, y)))
        assert off(net, found[0]) <= 16
        for other in found[1:]:
            assert all(np.array_equal(found[0][k], other[k]) for k in other)
    wrong = array.from_array(X[:, :4], chunks=(7, 4))
    assert "axis i has two sizes" in refusal(AxisError, net.gradients_over, (wrong, y))


@pytest.mark.full
def test_dask_arrays_of_rows_are_worked_on_by_other_processes_to_the_same_bits():
    array = pytest.importorskip("dask.array", reason="dask is an extra")
    import dask

    x, y = array.from_array(X, chunks=(7, 5)), array.from_array(Y, chunks=(5, 2))
    net = NETWORKS["a sum and penalties"]
    here = net.gradients_over((x, y))
    with dask.config.set(scheduler="processes"):
        there = net.gradients_over((x, y))
    assert all(np.array_equal(here[name], there[name]) for name in here)


def test_nothing_that_is_given_changes_and_nothing_is_kept():
    net, batches = NETWORKS["a mean"], cut(7)
    before = [(x.copy(), y.copy()) for x, y in batches]
    first = net.gradients_over(batches)
    for array in first.values():
        array[...] = np.nan
    with np.errstate(all="raise"):
        again = net.gradients_over(batches)
        assert set(np.geterr().values()) == {"raise"}
    assert all(np.isfinite(array).all() for array in again.values())
    for (x, y), (x0, y0) in zip(batches, before, strict=True):
        assert np.array_equal(x, x0)
        assert np.array_equal(y, y0)


REFUSED = {
    "BatchNorm": (
        ("h = BatchNorm(z, g, c)", "L2 = SquaredError(h, y)", "J = Mean(L2)"),
        "BatchNorm 'h' gives each example what depends on its batch: it goes over the axis n "
        "of the examples itself.\n  Take the whole batch at once: net.run(x, y).gradients().",
    ),
    "centred by hand": (
        ("m = Mean(z)", "h = Subtract(z, m)", "L2 = SquaredError(h, y)", "J = Mean(L2)"),
        "Subtract 'h' gives each example what depends on its batch: beside the examples it reads "
        "m, a mean over the examples of the batch.\n"
        "  Take the whole batch at once: net.run(x, y).gradients().",
    ),
    "bends": (
        ("L = SquaredError(z, y)", "m = Mean(L)", "J = Sqrt(m, '')"),
        "Sqrt 'J' is not straight in m, a mean over the examples: the whole is not that of its "
        "batches added up.\n  End the program with m, and leave J out.",
    ),
    "kinks": (
        ("L = SquaredError(z, y)", "m = Sum(L)", "d = m - 5", "J = Abs(d, '')"),
        "Abs 'J' is not straight in d, a sum and more: the whole is not that of its batches added "
        "up.\n  End the program with d, and leave J out.",
    ),
    "two kinds": (
        ("L = SquaredError(z, y)", "m = Mean(L)", "s = Sum(L)", "J = Add(m, s, '')"),
        "Add 'J' adds m, a mean over the examples and s, a sum over the examples: batches of them "
        "do not weigh alike.\n  Write both as means, or both as sums.",
    ),
    "more, multiplied": (
        (
            "L = SquaredError(z, y)",
            "m = Sum(L)",
            "R = L2Penalty(W, 0.1)",
            "d = Add(m, R, '')",
            "J = Multiply(d, g0, '')",
        ),
        "Multiply 'J' multiplies d, a sum and more, by g0, which is trained.\n"
        "  Multiply the sum over the examples by it, before anything is added.",
    ),
    "a product added": (
        ("L = SquaredError(z, y)", "m = Sum(L)", "J = m + g0**2"),
        "Entrywise 'J' adds to m, a sum over the examples, what is not straight in g0, which is "
        "trained.\n  Write what g0 stands in as a step of its own.",
    ),
    "no data": (
        ("L = SquaredError(z, y)", "J = L2Penalty(W, 0.5)"),
        "J is no mean or sum over the examples: no data reaches it.\n"
        "  End the program with one, such as J2 = Mean(J).",
    ),
    "no reduction": (
        ("J = SquaredError(z, y)",),
        "net.gradients_over: batch 0: J is not a scalar: it has shape (3,).\n"
        "  End the program with a reduction over the examples: J2 = Mean(J); or ask for "
        "run.vjp('J', name, v) with a cotangent v.",
    ),
}
MENDED = {  # what the messages advise
    "bends": ("L = SquaredError(z, y)", "m = Mean(L)"),
    "kinks": ("L = SquaredError(z, y)", "m = Sum(L)", "d = m - 5"),
    "two kinds": ("L = SquaredError(z, y)", "m = Sum(L)", "s = Sum(L)", "J = Add(m, s, '')"),
    "more, multiplied": (
        "L = SquaredError(z, y)",
        "m = Sum(L)",
        "R = L2Penalty(W, 0.1)",
        "d = Multiply(m, g0, '')",
        "J = Add(d, R, '')",
    ),
    "a product added": ("L = SquaredError(z, y)", "m = Sum(L)", "p = g0**2", "J = m + p"),
    "no reduction": ("J = SquaredError(z, y)", "J2 = Mean(J)"),
}


def program(*lines):
    steps = ("z = Linear(x, W, b)", *lines)
    text = " ".join(steps)
    params = {"W": W, "b": B}
    params |= {"g": np.ones(2), "c": np.zeros(2)} if "BatchNorm" in text else {}
    return Network.program(*steps, params=params | ({"g0": 1.5} if "g0" in text else {}))


@pytest.mark.parametrize("name", REFUSED)
def test_a_cost_that_is_not_made_of_its_batches_is_refused_and_the_way_out_works(name):
    lines, said = REFUSED[name]
    error = AxisError if name == "no reduction" else JacobianError
    assert refusal(error, program(*lines).gradients_over, cut(3)) == said
    if name in MENDED:
        mended = program(*MENDED[name])
        assert off(mended, mended.gradients_over(cut(3))) <= 16


def test_what_are_no_batches_is_refused_with_what_came():
    net = NETWORKS["a mean"]
    write = (
        "  Write pairs of arrays, such as [(x1, y1), (x2, y2)], or a dict of inputs for each batch."
    )
    assert refusal(DomainError, net.gradients_over, iter([])) == (
        "net.gradients_over: there is no batch.\n"
        "  Give at least one; an iterator that was gone through gives none again."
    )
    assert refusal(SpecError, net.gradients_over, 5) == (
        f"net.gradients_over: batches is an int.\n{write}"
    )
    assert refusal(SpecError, net.gradients_over, {"x": X, "y": Y.tolist()}) == (
        "net.gradients_over: batches is one dict, whose y is a list.\n"
        "  Put it into a list, [batch], or give an array of rows for each input."
    )
    assert off(net, net.gradients_over([{"x": X, "y": Y.tolist()}])) <= 16
    assert refusal(SpecError, net.gradients_over, [X, Y]) == (
        "net.gradients_over: batches is a list of 2 arrays, and each would be a batch by itself.\n"
        "  Write [(x, y)] for one batch, or (x, y) for the rows of both."
    )
    assert off(net, net.gradients_over([(X, Y)])) <= 16
    assert off(net, net.gradients_over((X, Y))) <= 16
    assert refusal(SpecError, net.gradients_over, [*cut(13), X]) == (
        f"net.gradients_over: batch 3 is an ndarray.\n{write}"
    )
    assert refusal(SpecError, net.gradients_over, [(X, Y, Y)]) == (
        f"net.gradients_over: batch 0 is a tuple of 3.\n{write}"
    )
    assert refusal(AxisError, net.gradients_over, [(X[0], Y[0])]) == (
        "net.gradients_over: batch 0 has no axis of examples.\n"
        "  x has shape (5,), one example\n"
        "  Write a batch of one as x[None], with its labels: y[None]."
    )
    assert off(net, net.gradients_over([(X[:1], Y[:1])]), X[:1], Y[:1]) <= 16
    assert refusal(AxisError, net.gradients_over, [*cut(13), (X[:2, :4], Y[:2])]) == (
        "net.gradients_over: the examples of batch 3 are not like those of batch 0.\n"
        "  batch 0: x has shape (13, 5), 13 examples of shape (5,)\n"
        "  batch 3: x has shape (2, 4), 2 examples of shape (4,)\n"
        "  Give each batch examples of one shape, their axis in front."
    )
    poisoned = cut(13)
    poisoned[1] = (np.where(np.arange(5) == 2, np.nan, poisoned[1][0]), poisoned[1][1])
    said = refusal(DomainError, net.gradients_over, poisoned)
    assert said.startswith("net.gradients_over: batch 1: x[0,2] is nan"), said


def test_a_loss_that_is_a_formula_has_no_gauss_newton_matrix_until_it_is_an_op():
    lines = ["z = W @ x + b", "a = tanh(z)"]
    params = {"W": RNG.normal(size=(2, 5)), "b": RNG.normal(size=2)}
    net = Network.program(*lines, "L = sum((a - y)**2)", "J = Mean(L)", params=params)
    assert refusal(JacobianError, net.gauss_newton_over, cut(7)) == (
        "net.gauss_newton_over: batch 0: no op before J is a loss that reads labels, so that the "
        "network ends at J and its Gauss-Newton matrix is 0.\n"
        "  Write the loss as an op, such as L = SquaredError(a, y)."
    )
    net = Network.program(*lines, "L = SquaredError(a, y)", "J = Mean(L)", params=params)
    whole = net.run(X, Y).hessian(params).gauss_newton.materialise()
    assert np.abs(whole).max() > 0.1
    assert np.allclose(net.gauss_newton_over(cut(7)), whole, rtol=1e-12, atol=1e-15)


def test_a_gauss_newton_matrix_is_by_the_parameters_that_are_named():
    net, run = NETWORKS["a mean"], NETWORKS["a mean"].run(X, Y)
    names = ["b2", "W1"]
    whole = run.hessian(names).gauss_newton.materialise()
    assert np.allclose(net.gauss_newton_over(cut(7), names), whole, rtol=1e-12, atol=1e-15)
    assert refusal(SpecError, net.gauss_newton_over, cut(7), ["W3"]) == (
        "no parameter is named 'W3'.\n  The parameters are W1, b1, W2, b2."
    )
    assert refusal(SpecError, net.gauss_newton_over, cut(7), ["W1", "W1"]) == (
        "net.gauss_newton_over is by W1, W1.\n  Name each once, and at least one of W1, b1, W2, b2."
    )
    with memory_limit(5000):
        assert refusal(MemoryLimitError, net.gauss_newton_over, cut(7)) == (
            "the Gauss-Newton matrix has shape (26, 26): 676 entries, 5.3 KiB; "
            "the limit is 4.9 KiB.\n  Name fewer parameters, params=[…], or take "
            "run.hessian(…).gauss_newton.push(v)."
        )
        assert net.gauss_newton_over(cut(7), names).shape == (17, 17)
