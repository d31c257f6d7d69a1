"""Code out: the text that is written gives the vjp route's numbers, to the bit, by NumPy alone."""

import re
import subprocess
import sys

import numpy as np
import pytest
from layer_cases import LAYERS, layer_run
from network_cases import data, in_four_ways, network
from ops_cases import FORMS
from wide_programs import wide_program
from written_out import weighed

from jacobian_bp import JacobianError, Network, Op, SpecError, delta, dense
from jacobian_bp.derivation.op_examples import all_ops, example_of
from jacobian_bp.routes.vjp import pull
from jacobian_bp.source.step_source import source_of


def step_of(text):
    """The function that a text defines, in a space of its own."""
    space = {}
    exec(compile(text, "step.py", "exec"), space)
    return space["step"]


def apart(state, text=None):
    """The names whose gradients, or the cost, differ in any bit from the run's."""
    step = step_of(text or source_of(state))
    params = {name: state.values[name] for name in state.program.params}
    inputs = [state.values[n] for n in state.program.inputs if n in state.values]
    cost, found = step(params, *inputs)
    exact = pull(state, state.cost, list(params), np.ones((), state.dtype))
    assert list(found) == list(exact)
    same = {name: np.asarray(found[name]).tobytes() == exact[name].tobytes() for name in exact}
    same["the cost"] = np.asarray(cost).tobytes() == state.values[state.cost].tobytes()
    assert all(np.shape(found[name]) == exact[name].shape for name in exact)
    assert all(np.asarray(found[name]).dtype == exact[name].dtype for name in exact)
    return [name for name, is_same in same.items() if not is_same]


# ---------------------------------------------------------------- every op


@pytest.mark.parametrize(("case", "batch"), FORMS, ids=lambda v: str(v))
def test_an_op_of_the_tables_is_written_to_the_bit(case, batch):
    assert apart(weighed(case.op, case.inputs(batch))) == []


@pytest.mark.one_in(5)
@pytest.mark.parametrize("cls", [cls for room in all_ops().values() for cls in room])
def test_every_op_of_a_programs_text_is_written_to_the_bit(cls):
    entry = example_of(cls)
    assert apart(weighed(entry.op, entry.state.inputs_of(entry.step))) == []


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_the_courses_is_written_to_the_bit(name):
    assert apart(layer_run(name, 3).forward_pass) == []


@pytest.mark.one_in(5)
@in_four_ways
def test_a_dense_network_is_written_to_the_bit(activation, loss, batch, dtype):
    run = network(activation, loss, dtype=dtype).run(*data(loss, batch, dtype=dtype))
    assert apart(run.forward_pass) == []


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(5, 600), marks=pytest.mark.full)])
def test_random_programs_are_written_to_the_bit(seeds):
    for seed in seeds:
        net, given, axes = wide_program(seed)
        assert apart(net.run(**given, axes=axes).forward_pass) == [], seed


def test_a_change_of_the_last_bits_is_seen():
    run = network("tanh", "half_squared_error").run(*data("half_squared_error", True))
    text = run.source()
    for right, wrong in [
        ("dW1 = delta1.T @ x", "dW1 = (1 + 1e-15) * (delta1.T @ x)"),
        ("db1 = delta1.sum(axis=0)", "db1 = delta1[::-1].sum(axis=0) * (1 + 1e-15)"),
    ]:
        assert right in text
        assert apart(run.forward_pass, text.replace(right, wrong)) == [right[1:3]]


# ---------------------------------------------------------------- how it reads


def test_a_layer_takes_at_most_six_lines():
    text = Network.dense([3, 4, 2, 5], ["tanh", "relu", "sigmoid"], "squared_error").source(batch=7)
    body = text.partition("def step")[2].splitlines()
    lines = [line for line in body if re.match(r"    (z|a|delta|da|dW|db)2 = ", line)]
    assert len(lines) == 6, lines
    others = [line for line in body if " = " in line and not re.match(r"    [a-zW]+\d = ", line)]
    assert others == [
        "    L = ((a3 - y) ** 2).sum(axis=-1)  # (7,)",
        "    J = L.sum(axis=(-1,)) / 7  # ()",
        "    dJ = np.ones(())  # ()",
        "    dL = np.full((7,), dJ / 7)  # (7,)",
        "    missing = dL[..., None] * (y - a3)  # (7, 5)",
        "    e = np.exp(-np.abs(z3))  # (7, 5)",
    ]


def test_the_page_of_two_layers():
    text = Network.dense([3, 5, 2], ["tanh", "identity"], "half_squared_error").source(batch=7)
    assert (
        text
        == '''"""The cost J and its gradients by hand: x (7, 3), y (7, 2), float64."""

import numpy as np


@np.errstate(all="ignore")
def step(params, x, y):
    """The cost, and a dict of ∂J/∂ each parameter."""
    W1 = params["W1"]  # (5, 3)
    b1 = params["b1"]  # (5,)
    W2 = params["W2"]  # (2, 5)
    b2 = params["b2"]  # (2,)

    z1 = x @ W1.T + b1  # (7, 5)
    a1 = np.tanh(z1)  # (7, 5)
    z2 = a1 @ W2.T + b2  # (7, 2)
    a2 = np.array(z2, copy=True)  # (7, 2)
    L = ((a2 - y) ** 2).sum(axis=-1) / 2  # (7,)
    J = L.sum(axis=(-1,)) / 7  # ()

    dJ = np.ones(())  # ()
    dL = np.full((7,), dJ / 7)  # (7,)
    missing = dL[..., None] * (y - a2)  # (7, 2)
    da2 = -missing  # (7, 2)
    delta2 = np.array(da2, copy=True)  # (7, 2)
    da1 = delta2 @ W2  # (7, 5)
    dW2 = delta2.T @ a1  # (2, 5)
    db2 = delta2.sum(axis=0)  # (2,)
    delta1 = da1 * (1 / np.cosh(z1)) ** 2  # (7, 5)
    dW1 = delta1.T @ x  # (5, 3)
    db1 = delta1.sum(axis=0)  # (5,)
    return J, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
'''
    )


def test_the_same_text_twice_and_another_seed_changes_nothing():
    net, other = (Network.dense([3, 5, 2], loss="bce", seed=seed) for seed in (0, 9))
    assert net.source() == net.source() == other.source()


def test_classes_are_said_to_stand_in_rows():
    text = Network.dense([3, 5], "softmax", "cross_entropy").source(batch=7)
    assert text.splitlines()[0].endswith('y (7, 5), of classes np.eye(5)[classes], float64."""')


def test_a_file_needs_numpy_alone(tmp_path):
    run = layer_run("attention", 5)
    (tmp_path / "step.py").write_text(run.source(), encoding="utf-8")
    state = run.forward_pass
    inputs = {n: state.values[n] for n in state.program.inputs if n in state.values}
    np.savez(tmp_path / "given.npz", **{n: state.values[n] for n in state.program.params})
    np.savez(tmp_path / "read.npz", **inputs)
    script = (
        "import sys, numpy as np\n"
        "from step import step\n"
        "params, read = dict(np.load('given.npz')), dict(np.load('read.npz'))\n"
        "cost, found = step(params, *read.values())\n"
        "assert not any(name.startswith('jacobian') for name in sys.modules)\n"
        "np.savez('found.npz', **found)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")
    for name, gradient in run.gradients().items():
        assert found[name].tobytes() == gradient.tobytes()


# ---------------------------------------------------------------- names and own ops


def test_names_that_python_or_the_text_has_are_written_otherwise():
    params = {name: np.ones(2) for name in ("sum", "np", "gradients")}
    params |= {"W": np.ones((2, 3)) / 3}
    net = Network.program(
        *("z = Linear(x, W, sum)", "e = Multiply(z, np)", "step = Add(e, gradients)"),
        *("L = SquaredError(step, y)",),
        params=params,
    )
    run = net.run(x=np.array([0.1, -0.7, 0.3]), y=np.array([0.2, 0.9]))
    assert apart(run.forward_pass) == []
    assert 'sum_ = params["sum"]' in run.source()


class Bump(Op):
    signature = "z[k], s[] -> a[k]"
    parameters = ("s",)

    def forward(self, z, s):
        if (z > 0).any():  # a branch by numbers: the function is kept whole
            return s * z * z
        return s * z

    def jacobians(self, z, s):
        slope = 2 * s * z if (z > 0).any() else s * np.ones_like(z)
        value = z * z if (z > 0).any() else z
        return {"z": delta("k,k'") * dense("slope[k]", slope), "s": dense("value[k]", value)}

    def vjp(self, a_bar, z, s):
        slope = 2 * s * z if (z > 0).any() else s * np.ones_like(z)
        return {"z": a_bar * slope, "s": (a_bar * self.forward(z, 1.0)).sum()}


class Counting(Op):
    signature = "z[k] -> a[k]"
    calls = 0

    def forward(self, z):
        return 2 * z

    def jacobians(self, z):
        return {"z": 2 * delta("k,k'")}

    def vjp(self, a_bar, z):
        type(self).calls += 1
        return {"z": a_bar * (2 + type(self).calls % 2)}


def own(op, name):
    net = Network.program(
        f"z = {name}(x1, s)" if op.parameters else f"z = {name}(x1)",
        "L = SquaredError(z, y)",
        params={"x1": np.array([0.3, -0.2]), **({"s": np.array(1.5)} if op.parameters else {})},
        ops={name: op},
    )
    return net.run(y=np.array([1.0, 2.0]))


def test_an_op_of_ones_own_that_branches_by_numbers_is_kept_whole():
    run = own(Bump, "Bump")
    assert apart(run.forward_pass) == []
    assert "def bump_forward(z, s):" in run.source()


class Folded(Op):
    """z³ by a def within the vjp that calls itself; `far` has an argument by its name."""

    signature = "z[k] -> a[k]"
    far = False

    def forward(self, z):
        return z * z * z

    def jacobians(self, z):
        return {"z": delta("k,k'") * dense("3z²[k]", 3 * z * z)}

    def vjp(self, a_bar, z):
        total = 0 * z

        def add(share, rounds, last=3):
            "Once for each factor that is differentiated."
            total = share * z * z  # a name of its own, not the one around it
            return total if rounds == last else total + add(share, rounds + 1, last)

        return {"z": total + (add(a_bar * 1, 1, last=3) if self.far else add(a_bar * 1, 1, 3))}


class FoldedByName(Folded):
    far = True


def test_a_def_within_an_op_is_written_out_where_it_is_called():
    run = own(Folded, "Folded")
    assert apart(run.forward_pass) == []
    text = run.source()
    assert text.count("def ") == 1  # the step alone
    assert text.count("share * x1 * x1") == 3
    wrong = text.replace("share * x1 * x1", "share * x1", 1)
    assert apart(run.forward_pass, wrong) == ["x1"]
    run = own(FoldedByName, "FoldedByName")
    assert apart(run.forward_pass) == []
    assert "def add(share, rounds, last=3):" in run.source()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("batch", [(), (7,)], ids=["one example", "batch"])
@pytest.mark.parametrize(
    "lines",
    [
        ["z = s * (W @ x) + b", "a = tanh(z)", "L = sum((a - y)**2)"],
        ["z = W @ x * s - b / (1 + exp(b))", "a = -sigmoid(z)**3 + relu(z)", "L = sum(abs(a - y))"],
        ["z = softplus(W @ x)**(1/2) / s", "L = logsumexp(z - b) + sum(sin(y) * cos(z) * y)"],
    ],
)
def test_formulas_are_written_to_the_bit(lines, batch):
    rng = np.random.default_rng(15)
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=3), "s": np.array(1.5)}
    net = Network.program(*lines, *["J = Mean(L)"] * bool(batch), params=params)
    run = net.run(rng.normal(size=(*batch, 2)), rng.normal(size=(*batch, 3)))
    assert apart(run.forward_pass) == []
    assert "Tree" not in run.source()


def test_an_op_that_remembers_is_refused():
    with pytest.raises((JacobianError, SpecError)) as caught:
        own(Counting, "Counting").source()
    assert "Counting" in str(caught.value) or "another ∂L/∂x1" in str(caught.value)


def test_an_op_without_a_text_is_refused():
    space = {"Op": Op, "delta": delta}
    exec(
        "class Typed(Op):\n"
        "    signature = 'z[k] -> a[k]'\n"
        "    def forward(self, z): return 2 * z\n"
        "    def jacobians(self, z): return {'z': 2 * delta(\"k,k'\")}\n"
        "    def vjp(self, a_bar, z): return {'z': 2 * a_bar}\n",
        space,
    )
    with pytest.raises(SpecError) as caught:
        own(space["Typed"], "Typed").source()
    assert str(caught.value) == (
        "the text of Typed.forward cannot be read.\n"
        "  Define it by def in a file: what is written out is the text of the op itself."
    )


def test_a_network_of_any_graph_is_written_by_its_run():
    net = Network.program("z = Linear(x, W)", "L = SquaredError(z, y)", params={"W": np.eye(2)})
    with pytest.raises(SpecError) as caught:
        net.source()
    assert str(caught.value) == (
        "the sizes of what this network reads are those of its data.\n"
        "  Run it, and write that run out: net.run(x, y).source()."
    )
    assert "def step(params, x, y):" in net.run(np.ones(2), np.ones(2)).source()


def test_sums_over_ops_are_those_that_arrive():
    """A value that three steps read: what comes back is added in the order of the vjp route."""
    net = Network.program(
        *("h = Tanh(x1)", "u = Multiply(h, h)", "v = Add(u, h)", "w = Multiply(v, h)"),
        "L = SquaredError(w, y)",
        params={"x1": np.array([0.3, -0.7, 1.1])},
    )
    run = net.run(y=np.array([0.2, 0.5, -0.3]))
    assert apart(run.forward_pass) == []
    assert "dh = dh + " in run.source()


def test_a_position_is_read_as_data():
    net = Network.program(
        *("e = Embedding(u, E)", "L = SquaredError(e, y)", "J = Mean(L)"),
        params={"E": np.arange(15.0).reshape(5, 3)},
    )
    run = net.run(u=[3, 1, 3], y=np.random.default_rng(2).normal(size=(3, 3)))
    assert apart(run.forward_pass) == []
    assert "np.add.at(" in run.source()


FORMULAS = """
    z_t1 = np.einsum('ki,...i->...k', W, x)  # (7, 3)
    z = z_t1 + b  # (7, 3)
    a = np.tanh(z)  # (7, 3)
    L_t1 = a - y  # (7, 3)
    L = np.einsum('...k,...k->...', L_t1, L_t1)  # (7,)
    J = L.sum(axis=(-1,)) / 7  # ()

    dJ = np.ones(())  # ()
    dL = np.full((7,), dJ / 7)  # (7,)
    dL_t1 = np.einsum('...,...k->...k', dL, L_t1)  # (7, 3)
    dL_t1 = dL_t1 + np.einsum('...,...k->...k', dL, L_t1)  # (7, 3)
    da = dL_t1.copy()  # (7, 3)
    e = np.exp(-2 * np.abs(z))  # (7, 3)
    delta = da * (4 * e / (1 + e) / (1 + e))  # (7, 3)
    db = delta.sum(axis=(0,))  # (3,)
    dz_t1 = delta.copy()  # (7, 3)
    dW = np.einsum('...k,...i->...ki', dz_t1, x).sum(axis=(0,))  # (3, 5)
"""


def test_lines_that_are_formulas_are_written_as_plainly_as_the_rest():
    net = Network.program(
        "z = W @ x + b",
        "a = tanh(z)",
        "L = sum((a - y)**2)",
        "J = Mean(L)",
        params={"W": np.ones((3, 5)), "b": np.ones(3)},
    )
    run = net.run(np.ones((7, 5)), np.zeros((7, 3)))
    assert run.source().partition("# (3,)\n")[2].rpartition("    return")[0] == FORMULAS
    assert apart(run.forward_pass) == []


@pytest.mark.parametrize(
    "text",
    [
        "x[1:] * x[:-1] / norm(x)",
        "(x - mean(x)) / sqrt(mean((x - mean(x))**2) + 0.1) * c",
        "kron(A, outer(x, c)) * det(S)",
        "diag(x) @ S + vec(S)[0] + max(x)",
        "arctan(x)**3 - x + c",
        "-x",
    ],
)
@pytest.mark.parametrize("front", [(), (7,)])
def test_a_formula_is_written_to_the_bit(text, front):
    rng = np.random.default_rng(27)
    every = {"S": (5, 5), "A": (2, 3), "c": (5,), "lam": ()}
    params = {n: rng.normal(size=s) for n, s in every.items() if re.search(rf"\b{n}\b", text)}
    lines = (f"q = {text}", "L = lam * sum(q * q)", f"J = {'Mean' if front else 'Sum'}(L)")
    net = Network.program(*lines, params=params | {"lam": rng.normal()})
    assert apart(net.run(rng.normal(size=(*front, 5))).forward_pass) == []
