"""Whole Hessians against jax.hessian, in float64 and float32: networks of every op, random graphs.

JAX differentiates the same program, op by op as tests/cases/jax_ops.py writes them, twice. An
entry may be off by 16·u times the largest Σ|terms| of its block, u the unit roundoff, in either:
the values at which both differentiate are rounded differently already, where sums of them cancel.
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
LETTERS = "abcdefgh"
SATURATING = {"RNNCell", "GRUCell", "LSTMCarry", "LSTMOutput"}  # where JAX rounds 1 − tanh²
FUNCTIONS = IN_JAX | {"Keeper": lambda op, a: jnp.sin(a)}


def in_jax(run, names):
    """∂²cost/∂(names)² by jax.hessian, flat: every step by its function."""
    program, values = run.forward_pass.program, run.forward_pass.values
    known = {name: values[name] for name in (*program.inputs, *program.params) if name in values}

    def cost(chosen):
        found = known | chosen
        for step in program.steps:
            found[step.name] = FUNCTIONS[step.op.name](step.op, *(found[a] for a in step.args))
        return found[run.cost]

    blocks = jax.jit(jax.hessian(cost))({name: values[name] for name in names})
    rows = []
    for p in names:
        size = values[p].size
        rows.append(np.concatenate([np.reshape(blocks[p][q], (size, -1)) for q in names], axis=1))
    return np.concatenate(rows)


def units_apart(run, names):
    """The worst entry's distance from JAX's, in u times its block's largest Σ|terms|."""
    whole = run.hessian(names)
    ours, theirs, places = whole.materialise(), in_jax(run, names), whole.places
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    sums = hessian_magnitudes(run.forward_pass, run.cost, names)
    apart, worst = np.abs(ours.astype(float) - theirs), 0.0
    for p in names:
        for q in names:
            block = places[p], places[q]
            scale = np.finfo(ours.dtype).eps / 2 * sums[block].max()
            assert scale > 0 or not apart[block].any()
            worst = max(worst, apart[block].max() / scale if scale else 0.0)
    return worst


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
        net, given = network_of(op, shapes)
        run = net.run(**given)
        assert units_apart(run, [*run.params]) <= UNITS


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
    return net.run(x.astype(dtype), y.astype(dtype))


@needs_jax
@one_or_batch
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("activation", "loss"), DENSE)
def test_a_dense_network_by_its_parameters_and_its_input(activation, loss, batch, dtype):
    with enable_x64():
        run = dense(activation, loss, batch, dtype)
        assert units_apart(run, [*run.params, "x"]) <= UNITS


def graph(seed, dtype):
    net, given = random_program(seed + 4000, batch=seed % 2 == 1, dtype=dtype)
    return net.run(**given)


@needs_jax
@pytest.mark.parametrize(
    "seed", [n if n < 8 else pytest.param(n, marks=pytest.mark.full) for n in range(400)]
)
def test_random_graphs_with_ties_skips_and_products(seed):
    dtype = (np.float64, np.float32)[seed // 2 % 2]
    with enable_x64():
        run = graph(seed, dtype)
        assert units_apart(run, [*run.params, "x"]) <= UNITS


class Bent(Tanh):
    """It bends by a millionth more than it should."""

    name = "Tanh"

    def second(self, z):
        ((pair, found),) = super().second(z).items()
        return {pair: (1 + 1e-6) * found}


@needs_jax
def test_a_millionth_too_much_is_caught():
    with enable_x64():
        net, given = network_of(Bent(), {"z": (5,)})
        run = net.run(**given)
        assert units_apart(run, [*run.params]) > 1e6


def test_every_op_that_is_differentiated_stands_in_a_network():
    named = {op.name for _, op, *_ in ROWS if op.differentiable()}
    assert {op.name for _, op, *_ in PLAIN} == named
