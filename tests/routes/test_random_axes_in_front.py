"""Random programs with random axes in front, names that ops have as letters among them."""

import numpy as np
import pytest

from jacobian_bp import Network

SIZES = (2, 3, 5)
NAMES = ("n", "t", "k", "i", "j", "s", "a")
ACTIVATIONS = ("Tanh", "Sigmoid", "Softplus", "Softmax", "LogSoftmax")


def drawn(seed):
    """A program of a few steps, its parameters, its data, and the names in front."""
    rng = np.random.default_rng(seed)
    front = tuple(str(name) for name in rng.permutation(NAMES)[: rng.integers(0, 4)])
    shape = tuple(rng.permutation(SIZES)[: len(front)])
    width, lines, params = 4, [], {}
    value = "x"

    def parameter(*sizes):
        name = f"p{len(params)}"
        params[name] = rng.standard_normal(sizes)
        return name

    for number in range(rng.integers(2, 6)):
        suffix = shape[len(shape) - rng.integers(0, len(shape) + 1) :]
        kind = rng.choice(["Linear", "plain", "table", "scale", "einsum", "number", "along"])
        if kind in ("Linear", "plain"):
            wide = int(rng.integers(1, 5))
            bias = f", {parameter(wide)}" if kind == "Linear" else ""
            line = f"Linear({value}, {parameter(wide, width)}{bias})"
            width = wide
        elif kind == "table":
            line = f"{rng.choice(['Add', 'Subtract'])}({value}, {parameter(*suffix, width)})"
        elif kind == "scale":
            line = f"Multiply({parameter(*suffix, width)}, {value})"
        elif kind == "einsum":
            line = f"Einsum({value}, {parameter(width, 3)}, 'q,qr->r')"
            width = 3
        elif kind == "number":
            line = rng.choice(
                [f"Add({value}, -0.5)", f"Subtract(2, {value})", f"Divide({value}, 4)"]
            )
        elif front and rng.random() < 0.5:
            line = f"Softmax({value}, axis={str(rng.choice(front))!r})"
        else:
            line = f"{rng.choice(ACTIVATIONS)}({value})"
        value = f"v{number}"
        lines.append(f"{value} = {line}")
    lines.append(f"w = Linear({value}, {parameter(2, width)})")
    lines.append("L = SquaredError(w, y)")
    lines.append(f"J = Mean(L, over={','.join(front)!r})" if front else "J = Sum(L)")
    x, y = rng.standard_normal((*shape, 4)), rng.standard_normal((*shape, 2))
    return lines, params, x, y, front


def require_agreement(seed):
    lines, params, x, y, front = drawn(seed)
    net, axes = Network.program(*lines, params=params), {"x": ",".join(front)} if front else None
    run = net.run(x, y, axes=axes)
    found = run.gradients("vjp")
    step = net.compile(len(x) if front[:1] == ("n",) else None, axes=axes)
    loss, compiled = step(dict(net.params), x, y)
    np.testing.assert_allclose(loss, run.loss, rtol=1e-12)
    for other in (run.gradients("full"), run.gradients("structured"), compiled):
        for name, gradient in found.items():
            np.testing.assert_allclose(other[name], gradient, rtol=1e-9, atol=1e-11, err_msg=seed)
    name = max(params, key=lambda name: params[name].size)
    at, h = tuple(0 for _ in params[name].shape), 1e-6
    costs = []
    for sign in (1, -1):
        moved = {**params, name: params[name].copy()}
        moved[name][at] += sign * h
        costs.append(net.with_params(moved).run(x, y, axes=axes).loss)
    slope = (costs[0] - costs[1]) / (2 * h)
    np.testing.assert_allclose(found[name][at], slope, rtol=1e-5, atol=1e-7, err_msg=seed)


@pytest.mark.parametrize("seed", range(24))
def test_every_route_and_the_compiled_step_agree_with_differences(seed):
    require_agreement(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(24, 600))
def test_many_more_agree(seed):
    require_agreement(seed)
