"""net.compile(engine="numba"): the numbers of a run, its errors, and where its code is kept."""

import os
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from network_cases import data, each_with_another_loss, network, one_or_batch, refusal

from jacobian_bp import JacobianError, Network, SpecError
from jacobian_bp.checks.all_routes import structured
from jacobian_bp.numbers.rounding import of_sums
from jacobian_bp.source import numba_files, numpys_blas
from jacobian_bp.source.numba_source import EXPONENTIAL, NumbaSource

pytest.importorskip("numba")
pytest.importorskip("scipy")
WHO = 'net.compile(engine="numba")'


@pytest.fixture(autouse=True)
def a_folder_for_compiled_steps(tmp_path_factory, monkeypatch):
    """One for all tests, which share what they compile; never the user's own."""
    folder = tmp_path_factory.getbasetemp() / "compiled"
    folder.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)


def mine(net):
    """Parameters of one's own."""
    return {name: value.copy() for name, value in net.params.items()}


def compared(net, step, x, y):
    """A call against a run of the same numbers, each entry within its sum's rounding."""
    run = net.run(x, y)
    loss, found = step(mine(net), x, y)
    names = list(net.params)
    scale = structured(run.forward_pass, names, magnitudes=True)
    for name, exact in run.gradients("vjp").items():
        allowed = of_sums(scale[name], exact.dtype)
        assert found[name].dtype == exact.dtype
        assert (np.abs(found[name].astype(float) - exact) <= allowed).all(), name
    assert abs(float(loss) - float(run.loss)) <= of_loss(run)


def of_loss(run):
    """What a loss may be off: a part of itself, and 16·u·Σ|∂J/∂a a|, for its terms may cancel."""
    state = run.forward_pass
    (step,) = (step for step in state.program.steps if "y" in step.args)
    read = [name for name in step.args if name != "y"]
    slopes = structured(state, read, magnitudes=True)
    terms = sum(float((slopes[name] * np.abs(state.values[name])).sum()) for name in read)
    part = 1e-5 if state.dtype == np.float32 else 1e-13
    return part * abs(float(run.loss)) + of_sums(np.float64(terms), state.dtype)


def test_a_loss_that_is_off_in_the_eleventh_digit_is_no_step_of_the_run():
    net = network("softmax", "kl_divergence")
    x, y = data("kl_divergence", True)
    run = net.run(x, y)

    def off_by(part):
        return lambda *_: (run.loss * (1 + part), run.gradients("vjp"))

    compared(net, off_by(0), x, y)
    with pytest.raises(AssertionError):
        compared(net, off_by(1e-11), x, y)


def other_data(loss, batch, dtype=np.float64):
    """Data that the step was not planned with."""
    x, y = data(loss, batch, dtype=dtype)
    return x[::-1] * dtype(-1.6) + dtype(0.3), y[::-1] if batch else y


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(
    ("activation", "loss", "batch", "dtype"),
    [
        ("sigmoid", "squared_error", True, np.float64),
        pytest.param("tanh", "bce", False, np.float64, marks=pytest.mark.full),
        pytest.param("softmax", "cross_entropy", True, np.float32, marks=pytest.mark.full),
        pytest.param("gelu", "bce", False, np.float64, marks=pytest.mark.full),
    ],
)
def test_a_step_has_the_numbers_of_a_run(activation, loss, batch, dtype):
    net = network(activation, loss, dtype=dtype)
    step = net.compile(batch=7 if batch else None, engine="numba")
    compared(net, step, *data(loss, batch, dtype=dtype))
    compared(net, step, *other_data(loss, batch, dtype))
    moved = net.with_params({n: p * dtype(1.5) + dtype(0.1) for n, p in net.params.items()})
    compared(moved, step, *other_data(loss, batch, dtype))


@pytest.mark.full
@one_or_batch
@each_with_another_loss
def test_every_activation_and_loss_has_the_numbers_of_a_run(activation, loss, batch):
    dtype = np.float32 if len(activation + loss) % 2 else np.float64
    net = network(activation, loss, dtype=dtype)
    step = net.compile(batch=7 if batch else None, engine="numba")
    step(mine(net), *data(loss, batch, dtype=dtype))
    compared(net, step, *other_data(loss, batch, dtype))


@pytest.mark.parametrize(
    ("sizes", "lines"),
    [
        ([67, 31], ["(x, W1.T, z1)", "(delta1.T, x, dW1)"]),
        pytest.param([67, 31, 11], ["(delta2, W2, da1)"], marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize("whose", ["numpy's", "scipy's"])
def test_wide_layers_go_through_blas_and_keep_their_digits(sizes, lines, whose, monkeypatch):
    called = "by_blas" if whose == "numpy's" and numpys_blas.is_found("s") else "np.dot"
    if whose == "scipy's":
        monkeypatch.setattr(numpys_blas, "is_found", lambda letter: False)
    net = Network.dense(sizes, "sigmoid", "squared_error", seed=3, dtype=np.float32)
    rng = np.random.default_rng(4)
    x, y = (rng.normal(size=(37, size)).astype(np.float32) for size in (sizes[0], sizes[-1]))
    text = NumbaSource(net.run(x, y).forward_pass).planned().text
    assert all(called + line in text for line in lines)
    step = net.compile(batch=37, engine="numba")
    compared(net, step, x, y)
    compared(net, step, -x, y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sizes", [[67, 71, 5], [131, 67, 3]])
def test_one_example_of_a_wide_layer_is_taken(sizes, dtype):
    net = Network.dense(sizes, "sigmoid", "squared_error", seed=3, dtype=dtype)
    rng = np.random.default_rng(4)
    x, y = (rng.normal(size=size).astype(dtype) for size in (sizes[0], sizes[-1]))
    step = net.compile(engine="numba")
    compared(net, step, x, y)
    compared(net, step, -x, y)


@pytest.mark.skipif(not numpys_blas.is_found("d"), reason="numpy shows no BLAS here")
@pytest.mark.parametrize("sizes", [(2, 3, 5), (1, 7, 3), (5, 1, 3), (3, 7, 1), (1, 1, 1)])
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_numpys_own_product_takes_matrices_and_transposed_ones(sizes, turned, tmp_path):
    text = "import numpy as np\nfrom numba import njit, types\n\n\n"
    product = numba_files.loaded(text + numpys_blas.product_text(np.dtype(np.float64))).by_blas
    rows, inner, columns = sizes
    rng = np.random.default_rng(5)
    left, right = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    out, expected = np.full((rows, columns), np.nan), left @ right
    pairs = zip((left, right), turned, strict=True)
    given = [np.ascontiguousarray(m.T).T if t else m for m, t in pairs]
    product(*given, out)
    np.testing.assert_allclose(out, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["squares", "exp", "by_blas", "sizes", "own_float64", "math"])
def test_a_value_may_have_a_name_of_the_file(name):
    lines = (f"{name} = Linear(x, W, b)", f"a = Sigmoid({name})", "L = SquaredError(a, y)")
    params = {"W": np.full((3, 2), 0.5), "b": np.ones(3)}
    net = Network.program(*lines, "J = Mean(L)", params=params)
    compared(net, net.compile(engine="numba"), np.array([0.5, -1.0]), np.array([0.0, 1.0, 2.0]))


def test_what_is_computed_forward_is_not_computed_again_on_the_way_back():
    net = network("sigmoid", "squared_error")
    text = NumbaSource(net.run(*data("squared_error", True)).forward_pass).planned().text
    assert text.count("exp(-abs(") == 2  # one for each layer


def test_a_wrong_line_is_seen_before_the_step_is_handed_out(monkeypatch):
    planned = NumbaSource.planned

    def wrong(self):
        found = planned(self)
        right = "db1[k] = s"
        assert right in found.text
        return replace(found, text=found.text.replace(right, "db1[k] = -s"))

    monkeypatch.setattr(NumbaSource, "planned", wrong)
    net = network("identity", "squared_error", sizes=[3, 2])
    x, y = data("squared_error", True, sizes=[3, 2])
    told = refusal(JacobianError, net.compile(7, engine="numba"), mine(net), x, y)
    exact = net.run(x, y).gradients("vjp")["b1"][0]
    assert told.startswith("the compiled step gives another ∂J/∂b1[0] than the run.\n")
    assert told.endswith(f"the vjp route: {exact}")


# ---------------------------------------------------------------- manners and errors


def test_any_array_of_the_numbers_will_do_and_none_is_changed():
    net = network("sigmoid", "squared_error")
    x, y = data("squared_error", True)
    step = net.compile(7, engine="numba")
    loss, found = step(mine(net), x, y)
    kept = {name: value.copy() for name, value in found.items()}
    closed = np.array(x)
    closed.flags.writeable = False
    ways = [np.asfortranarray(x), np.repeat(x, 2, 0)[::2], x.tolist(), closed]
    for way in ways:
        for params in (mine(net), dict(net.params), net.params):
            assert step(params, way, y)[0] == loss
            assert all((found[name] == kept[name]).all() for name in kept)
    assert (x == data("squared_error", True)[0]).all()
    handed_back = step(dict(found), x, y)  # gradients as parameters, from the step's own buffers
    exact = net.with_params(kept).run(x, y)
    assert handed_back[0] == pytest.approx(float(exact.loss), rel=1e-13)
    for name, gradient in exact.gradients().items():
        assert handed_back[1][name] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


def test_two_steps_share_no_memory_and_a_result_aliases_no_input():
    net = network("sigmoid", "squared_error")
    x, y = data("squared_error", True)
    first, second = net.compile(7, engine="numba"), net.compile(7, engine="numba")
    params = mine(net)
    _, one = first(params, x, y)
    before = {name: value.copy() for name, value in one.items()}
    _, two = second(params, 2 * x, y)
    assert all((one[name] == before[name]).all() for name in one)
    arrays = [*one.values(), *two.values(), *params.values(), x, y]
    assert not any(np.shares_memory(a, b) for n, a in enumerate(arrays) for b in arrays[n + 1 :])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "y", "W1"])
def test_what_a_run_refuses_is_refused_in_its_words(bad, where):
    net = network("sigmoid", "squared_error")
    x, y = data("squared_error", True)
    step = net.compile(7, engine="numba")
    loss, _ = step(mine(net), x, y)
    params = mine(net)
    {"x": x, "y": y, **params}[where].reshape(-1)[3] = bad
    planned = net.compile(7)
    planned(mine(net), *data("squared_error", True))
    told = [refused_in(each, params, x, y) for each in (step, planned)]
    assert told[0] == told[1]
    assert where in told[0]
    assert step(mine(net), *data("squared_error", True))[0] == loss  # it goes on


def refused_in(step, *arguments):
    """What a step says, and of which class."""
    with pytest.raises(JacobianError) as caught:
        step(*arguments)
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize("size", [1e160, 1e300])
def test_beyond_the_limits_it_has_the_bits_of_a_run(size):
    net = network("sigmoid", "squared_error")
    x, y = data("squared_error", True)
    step = net.compile(7, engine="numba")
    step(mine(net), x, y)
    run = net.run(x * size, y)
    loss, found = step(mine(net), x * size, y)
    assert loss == run.loss
    assert all((found[n] == g).all() for n, g in run.gradients("vjp").items())


def test_labels_are_asked_at_every_call():
    net = network("tanh", "bce")
    x, y = data("bce")
    step = net.compile(engine="numba")
    step(mine(net), x, y)
    planned = net.compile()
    planned(mine(net), x, y)
    wrong = np.full_like(y, 1.5)
    assert refused_in(step, mine(net), x, wrong) == refused_in(planned, mine(net), x, wrong)
    compared(net, step, x, 1 - y)


@pytest.mark.full
def test_classes_and_rows_are_the_same_labels():
    net = network("softmax", "cross_entropy", dtype=np.float32)
    x, classes = data("cross_entropy", True, dtype=np.float32)
    step = net.compile(7, engine="numba")
    loss = step(mine(net), x, classes)[0]
    assert step(mine(net), x, np.eye(2, dtype=np.float32)[classes])[0] == loss
    assert step(mine(net), x, classes.tolist())[0] == loss


def test_another_shape_and_what_is_missing_are_said_as_by_the_planned_step():
    net = network("sigmoid", "squared_error")
    x, y = data("squared_error", True)
    steps = net.compile(7, engine="numba"), net.compile(7)
    for step in steps:
        step(mine(net), x, y)
    for arguments in [
        (mine(net), x[:3], y),
        (mine(net), x[:, :2], y),
        (mine(net), None, y),
        (mine(net), x),
        ({"W1": net.params["W1"]}, x, y),
        ([1.0], x, y),
        (mine(net) | {"V": x}, x, y),
        (mine(net) | {"b1": np.ones(9)}, x, y),
    ]:
        told = [refused_in(step, *arguments) for step in steps]
        assert told[0] == told[1], arguments


def test_the_callers_state_is_left_alone():
    net = network("sigmoid", "squared_error")
    before = np.geterr(), np.random.get_state()[1].tolist(), dict(os.environ)
    net.compile(7, engine="numba")(mine(net), *data("squared_error", True))
    assert (np.geterr(), np.random.get_state()[1].tolist(), dict(os.environ)) == before


# ---------------------------------------------------------------- what is refused


def test_an_op_without_loops_is_named_with_what_to_write():
    kernel = np.ones((2, 1, 3)) / 3
    lines = ("c = Conv1d(x, K)", "z = Flatten(c)", "L = SquaredError(z, y)")
    net = Network.program(*lines, params={"K": kernel})
    x, y = np.ones((1, 5)), np.ones(6)
    told = refusal(SpecError, net.compile(engine="numba"), dict(net.params), x, y)
    assert told.startswith("c = Conv1d(x, K): ")
    assert told.endswith(
        f' has no form as loops, which {WHO} compiles.\n  Leave out engine="numba": '
        "the planned numpy step takes every op."
    )
    loss, _ = net.compile()(dict(net.params), x, y)  # what is advised works
    assert loss == float(net.run(x, y).loss)


# ---------------------------------------------------------------- where the code is kept

SCRIPT = """
    import numpy as np
    from jacobian_bp import Network

    net = Network.dense([3, 2], "sigmoid", "squared_error", seed=0)
    loss, found = net.compile(engine="numba")(dict(net.params), np.ones(3), np.zeros(2))
    print(repr(loss), {name: gradient.tolist() for name, gradient in found.items()})
"""


def run_script(folder):
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return done.stdout


@pytest.mark.full
def test_another_process_finds_what_was_compiled(tmp_path):
    first = run_script(tmp_path)
    place = tmp_path / "jacobian_bp"
    kept = {path: path.stat().st_mtime_ns for path in sorted(place.rglob("*.nb[ci]"))}
    assert any(path.name.endswith(".nbc") for path in kept)
    assert run_script(tmp_path) == first
    assert {p: p.stat().st_mtime_ns for p in sorted(place.rglob("*.nb[ci]"))} == kept
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


# ---------------------------------------------------------------- the exponential


def test_the_exponential_is_within_a_unit_from_the_smallest_subnormal_on():
    import mpmath
    import numba
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    space = {"np": np, "ir": ir, "types": types, "intrinsic": intrinsic, "njit": numba.njit}
    exec(EXPONENTIAL.replace(", cache=True", ""), space)
    exp = space["exp"]
    rng = np.random.default_rng(8)
    grid = [
        *rng.uniform(-745, 709.7, 400),
        *rng.uniform(-1, 1, 400),
        -745.13,
        -708.4,
        709.78,
        1e-300,
    ]
    with mpmath.workprec(200):
        for z in map(float, grid):
            exact = mpmath.exp(z)
            unit = float(np.spacing(float(exact)))
            assert abs(mpmath.mpf(exp(z)) - exact) <= 1.01 * unit, z
    assert [exp(z) for z in (0.0, -0.0, -746.0, -np.inf, 710.0, np.inf)] == [
        1,
        1,
        0,
        0,
        np.inf,
        np.inf,
    ]
    assert np.isnan(exp(np.nan))


def test_an_array_that_an_op_reads_twice_has_what_comes_back_by_both():
    rng = np.random.default_rng(3)
    params = {"A": rng.normal(size=(3, 5))}
    net = Network.program("t = A @ x", "J = Einsum(t, t, 'k,k->')", params=params)
    x = rng.normal(size=5)
    loss, found = net.compile(engine="numba")(mine(net), x=x)
    run = net.run(x=x)
    assert float(loss) == pytest.approx(float(run.loss), rel=1e-14)
    np.testing.assert_allclose(found["A"], run.gradients("vjp")["A"], rtol=1e-13)


def test_a_number_that_an_op_asks_for_and_the_loops_keep_is_refused():
    params = {"A": np.ones((3, 5))}
    net = Network.program("J = logsumexp(A @ x) + norm(A)**2", params=params)
    assert refusal(SpecError, net.compile(engine="numba"), mine(net), x=np.ones(5)) == (
        f"Entrywise 'J', which asks for J_t2, has no form as loops, which {WHO} compiles.\n"
        '  Leave out engine="numba": the planned numpy step takes every op.'
    )
