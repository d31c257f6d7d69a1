"""Whole Hessians against jax.hessian, in float64 and float32: networks of every op, random graphs.

JAX differentiates the same program in float64, op by op as tests/cases/jax_ops.py writes them,
twice. Each entry may be off by 16·u·Σ|terms| in either, u the unit roundoff, and by what it moves,
here or there, where the last digits of parameters and inputs do: the values at which both
differentiate are rounded already, and so is what JAX subtracts, as in 1 − tanh², or in a
cross-entropy behind a softmax, which are one here and two there.
"""

import numpy as np
import pytest
from jax_ops import IN_JAX, enable_x64, jax, jnp
from jax_rows import ROWS, drawn
from network_cases import one_or_batch
from random_programs import random_program

from jacobian_bp import Network, ops
from jacobian_bp.curvature.magnitudes import hessian_magnitudes
from jacobian_bp.ops import Tanh

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed to compare with")
UNITS = 16 + 16  # ours, and JAX's
DIGITS, RUNS = 4, 4  # by so many u parameters and inputs are moved, so often
MORE = 16  # times the most that is seen to move: few runs do not meet the worst
LETTERS = "abcdefgh"
SATURATING = {"RNNCell", "GRUCell", "LSTMCarry", "LSTMOutput"}  # where JAX rounds 1 − tanh²


def tanh(op, z):
    """(1 − e) / (1 + e) with e = exp(−2|z|): JAX's own slope, 1 − tanh², is 0 where that is 1."""
    size, sign = jnp.where(z < 0, -z, z), jnp.where(z < 0, -1.0, 1.0)
    e = jnp.exp(-2 * size)
    return sign * (1 - e) / (1 + e)


FUNCTIONS = IN_JAX | {"Keeper": lambda op, a: jnp.sin(a), "Tanh": tanh}


def in_jax(run, names):
    """∂²cost/∂(names)² by jax.hessian, flat: a function of any run like this one."""
    program = run.forward_pass.program

    def cost(chosen, others):
        found = others | chosen
        for step in program.steps:
            found[step.name] = FUNCTIONS[step.op.name](step.op, *(found[a] for a in step.args))
        return found[run.cost]

    def given(run):
        values = run.forward_pass.values
        known = [n for n in (*program.inputs, *program.params) if n in values]
        wide = {
            n: values[n].astype(float) if values[n].dtype.kind == "f" else values[n] for n in known
        }
        return {n: wide[n] for n in names}, {n: wide[n] for n in known if n not in names}

    quick = {"xla_backend_optimization_level": 0}  # it is compiled to be called a few times
    compiled = jax.jit(jax.hessian(cost)).lower(*given(run)).compile(compiler_options=quick)

    def hessian(run):
        blocks, rows = compiled(*given(run)), []
        for p in names:
            parts = [np.reshape(blocks[p][q], (run[p].size, -1)) for q in names]
            rows.append(np.concatenate(parts, axis=1))
        return np.concatenate(rows)

    return hessian


def runs_beside(net, given, fixed):
    """Runs whose parameters and inputs, but for what is `fixed`, differ in their last digits."""
    rng = np.random.default_rng(23)

    def near(name, array):
        array = np.asarray(array)
        if name in fixed or array.dtype.kind != "f":
            return array
        step = DIGITS * np.finfo(array.dtype).eps / 2 * rng.choice([-1, 1], array.shape)
        return (array * (1 + step)).astype(array.dtype)

    for _ in range(RUNS):
        moved, data = ({n: near(n, a) for n, a in part.items()} for part in (net.params, given))
        yield net.with_params(moved).run(**data)


def share_of_the_allowed(net, given, names=None):
    """The worst entry's distance from JAX's, as a share of what it may be off."""
    run = net.run(**given)
    names = names or [*run.params]
    jax_hessian, H = in_jax(run, names), run.hessian(names).materialise()
    expected, moved = jax_hessian(run), np.zeros(H.shape)
    assert H.shape == expected.shape
    for beside in runs_beside(net, given, run.forward_pass.program.constants):
        here = np.abs(beside.hessian(names).materialise() - H.astype(float))
        moved = np.maximum(moved, np.maximum(here, np.abs(jax_hessian(beside) - expected)))
    sums = hessian_magnitudes(run.forward_pass, run.cost, names)
    allowed = UNITS * np.finfo(H.dtype).eps / 2 * sums + MORE * moved
    apart = np.abs(H.astype(float) - expected)
    assert not apart[allowed == 0].any()
    return (apart / np.where(allowed, allowed, 1)).max()


def network_of(op, shapes):
    """J = Σ c out² of the op at random inputs, all of them parameters; a loss is J itself."""
    rng = np.random.default_rng(17)
    arrays = {o.name: drawn(op, o, shapes[o.name], rng) for o in op.parsed.inputs}
    free = op.differentiable()
    if op.name in SATURATING:
        arrays = {name: 0.25 * array for name, array in arrays.items()}
    params = {name: array for name, array in arrays.items() if name in free}
    given = {name: array for name, array in arrays.items() if name not in free}
    steps, made = [f"out = Built({', '.join(arrays)})"], {"Built": op}
    rank = len(op.parsed.output.axes)
    if rank:
        word = LETTERS[:rank]
        made["Last"] = ops.Einsum(f"{word},{word},{word}->")
        steps.append("J = Last(out, out, weights)")
        given["weights"] = rng.normal(size=np.shape(op.forward(*arrays.values())))
    return Network.program(*steps, params=params, ops=made), given


PLAIN = [row for row in ROWS if not row[3] and not row[4] and row[1].differentiable()]


@needs_jax
@pytest.mark.parametrize(("op", "shapes"), [pytest.param(r[1], r[2], id=r[0]) for r in PLAIN])
def test_a_network_of_each_op_has_the_hessian_of_jax(op, shapes):
    with enable_x64():
        assert share_of_the_allowed(*network_of(op, shapes)) <= 1


DENSE = [
    ("tanh", "squared_error"),
    (["gelu", "sigmoid"], "bce"),
    (["softplus", "softmax"], "cross_entropy"),
    ("sigmoid", "huber"),
    (["silu", "softmax"], "kl_divergence"),
    ("elu", "half_squared_error"),
]


def dense(activation, loss, batch, dtype):
    rng = np.random.default_rng(5)
    net = Network.dense([3, 5, 2], activation, loss, seed=1, dtype=dtype)
    front = (7,) if batch else ()
    x, y = rng.normal(size=(*front, 3)), rng.uniform(0.1, 0.9, (*front, 2))
    if loss in ("cross_entropy", "kl_divergence"):
        y = y / y.sum(-1, keepdims=True)
    return net, {"x": x.astype(dtype), "y": y.astype(dtype)}


@needs_jax
@one_or_batch
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("activation", "loss"), DENSE)
def test_a_dense_network_by_its_parameters_and_its_input(activation, loss, batch, dtype):
    with enable_x64():
        net, given = dense(activation, loss, batch, dtype)
        assert share_of_the_allowed(net, given, [*net.params, "x"]) <= 1


@needs_jax
@pytest.mark.parametrize(
    "seed", [n if n < 8 else pytest.param(n, marks=pytest.mark.full) for n in range(400)]
)
def test_random_graphs_with_ties_skips_and_products(seed):
    dtype = (np.float64, np.float32)[seed // 2 % 2]
    with enable_x64():
        net, given = random_program(seed + 4000, batch=seed % 2 == 1, dtype=dtype)
        assert share_of_the_allowed(net, given, [*net.params, "x"]) <= 1


class Bent(Tanh):
    """It bends by a millionth more than it should."""

    name = "Tanh"

    def second(self, z):
        ((pair, found),) = super().second(z).items()
        return {pair: (1 + 1e-6) * found}


@needs_jax
def test_a_millionth_too_much_is_caught():
    with enable_x64():
        assert share_of_the_allowed(*network_of(Bent(), {"z": (5,)})) > 1e6


def test_every_op_that_is_differentiated_stands_in_a_network():
    named = {op.name for _, op, *_ in ROWS if op.differentiable()}
    assert {op.name for _, op, *_ in PLAIN} == named
