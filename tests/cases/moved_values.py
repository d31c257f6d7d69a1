"""What rounding of the values themselves does to a gradient, where two ways add in other orders."""

from dataclasses import replace

import numpy as np

from jacobian_bp.algebra.jacobian import Jacobian
from jacobian_bp.numbers.rounding import of_sums
from jacobian_bp.routes.structured import absolute
from jacobian_bp.routes.vjp import pull


def moved_by_rounding(run, names, draws=4):
    """How far each gradient moves where each value is off by 16·u·Σ|terms|, up or down."""
    state, rng = run.forward_pass, np.random.default_rng(0)
    right = pull(state, run.cost, names, np.ones((), state.dtype))
    found = {name: np.zeros_like(array) for name, array in right.items()}
    for _ in range(draws):
        values = dict(state.values)
        for step in state.program.steps:
            exact = np.asarray(step.op.forward(*(values[arg] for arg in step.args)))
            off = of_sums(terms_of(state, step), state.dtype)
            signs = rng.choice([-1.0, 1.0], exact.shape)
            values[step.name] = exact + (signs * off).astype(exact.dtype)
        moved = pull(replace(state, values=values), run.cost, names, np.ones((), state.dtype))
        for name, array in moved.items():
            found[name] = np.maximum(found[name], np.abs(array - right[name]))
    return found


def terms_of(state, step):
    """Σ |slope · input|, what a step's value is the sum of."""
    size = np.abs(state.values[step.name])
    local = state.local(step)
    for _, operand, arg in step.variables:
        out, wrt, expression = local[operand]
        slopes = Jacobian.local(step.name, arg, out, wrt, absolute(expression))
        size = size + slopes.push(np.abs(state.values[arg]))
    return size
