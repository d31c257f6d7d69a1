"""Second derivatives by differences of the vjp gradient, which knows no Hessian."""

import numpy as np

from jacobian_bp.routes.vjp import pull

NEAR = 2e-5


def gradient_of(net, data, of, names, moved=None):
    """∂of/∂name for each name by the vjp route, one parameter or input exchanged."""
    params, given = dict(net.params), dict(data)
    for name, array in (moved or {}).items():
        (params if name in params else given)[name] = array
    state = net.with_params(params).run(**given).forward_pass
    return pull(state, of, list(names), np.ones_like(state.values[of]))


def value_of(net, data, name):
    """The parameter or input itself."""
    return np.asarray(net.params[name] if name in net.params else data[name], np.float64)


def differences(net, data, of, first, second):
    """∂(∂of/∂p)/∂q for each p of `first`: Richardson's extrapolation of central differences."""
    point = value_of(net, data, second)
    columns = {name: [] for name in first}
    for index in np.ndindex(point.shape):
        slopes = []
        for h in (NEAR, 2 * NEAR):
            ends = []
            for sign in (1, -1):
                there = np.array(point)
                there[index] += sign * h
                ends.append(gradient_of(net, data, of, first, {second: there}))
            slopes.append({n: (ends[0][n] - ends[1][n]) / (2 * h) for n in first})
        for name in first:
            columns[name].append((4 * slopes[0][name] - slopes[1][name]) / 3)
    return {
        name: np.stack(found, axis=-1).reshape((*found[0].shape, *point.shape))
        for name, found in columns.items()
    }


def close(actual, expected, bar=1e-7):
    """Every entry within the bar, relative to the largest of them or to 1."""
    assert actual.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    wrong = ~(np.abs(actual - expected) <= bar * scale)
    assert not wrong.any(), f"first wrong entry: {tuple(map(int, np.argwhere(wrong)[0]))}"
