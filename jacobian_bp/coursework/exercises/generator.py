"""Random networks with guarantees, the same for the same seed.

distinct   all widths and the batch are pairwise different
square     all widths are equal: no shape gives a mistake away
saturated  one example drives the last sigmoid to where its slope is 0 in float64

Numbers have two decimals, so that a sheet shows the very values. A draw that misses
a guarantee raises Redraw, with the guarantee; who draws counts and bounds the tries.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from ...errors import DomainError
from ...network.network import Network
from ...network.run import Run

PRIMES = (2, 3, 5, 7, 11)
KINDS = ("distinct", "square", "saturated")
KINK, FLAT, TINY, MARGIN = 1e-3, 4.0, 1e-3, 0.25
SATURATION = 45.0  # sigmoid(45) is 1 in float64
SMOOTH = ("sigmoid", "tanh")


class Redraw(Exception):  # noqa: N818 - a request, not an error
    """A draw that misses a guarantee; the text names it."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A network, its data and its run."""

    net: Network
    run: Run
    x: np.ndarray
    y: np.ndarray
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    kind: str = "distinct"

    @property
    def given(self) -> dict[str, Any]:
        """All numbers by name, as a sheet shows them."""
        return {"x": self.x, "y": self.y, **self.net.params}


def draw(
    rng: np.random.Generator,
    activations: Sequence[str],
    loss: str,
    *,
    batch: bool = True,
    kind: str = "distinct",
    last: int | None = None,
) -> Drawn:
    """One network of these layers with data, or Redraw; `last` fixes the output width."""
    sizes, examples = draw_sizes(rng, len(activations) + 1, kind, last)
    params = _draw_params(rng, sizes)
    x = decimals(rng.uniform(0.3, 2.0, (examples, sizes[0])), 2) * _signs(rng, (examples, sizes[0]))
    y = _draw_labels(rng, loss, examples, sizes[-1])
    if not batch:
        x, y = x[0], y[0]
    _switch_units_off(rng, sizes, activations, params, x)
    if kind == "saturated":
        _saturate(sizes, activations, params, x)
    drawn = drawn_of({"x": x, "y": y, **params}, activations, loss, kind)
    require_guarantees(drawn)
    return drawn


def drawn_of(
    given: Mapping[str, Any], activations: Sequence[str], loss: str, kind: str = "distinct"
) -> Drawn:
    """The network of these numbers, as a sheet shows them: x, y, W1, b1, ..."""
    params = {name: value for name, value in given.items() if name not in ("x", "y")}
    weights = [params[f"W{layer}"] for layer in range(1, len(activations) + 1)]
    sizes = [weights[0].shape[1], *(len(W) for W in weights)]
    net = Network.dense(sizes, activations, loss, params=params)
    x, y = given["x"], given["y"]
    return Drawn(net, net.run(x, y), x, y, tuple(sizes), tuple(activations), kind)


def one_of(count: int, given: Mapping[str, Any]) -> int:
    """A choice from 0 to count - 1 that follows from the numbers, so that they say it all."""
    text = repr([(name, np.asarray(value).tolist()) for name, value in given.items()])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count


def draw_sizes(
    rng: np.random.Generator, count: int, kind: str = "distinct", last: int | None = None
) -> tuple[list[int], int]:
    """Widths, the input first, and the number of examples."""
    if kind == "square":
        width = int(rng.choice([3, 5]))
        return [width] * count, int(rng.choice([m for m in (3, 5, 7) if m != width]))
    chosen = [int(size) for size in rng.permutation(PRIMES[: count + 1 + (count < 4)])]
    widths, examples = chosen[:count], chosen[-1]
    if last is not None:
        widths[-1] = last
    return widths, examples


def require_guarantees(drawn: Drawn) -> None:
    """Redraw with the first guarantee that a network misses."""
    run, layers = drawn.run, range(1, len(drawn.sizes))
    examples = [len(drawn.x)] if drawn.x.ndim == 2 else []
    known = [*drawn.sizes, *examples]
    if drawn.kind != "square" and len(set(known)) < len(known):
        raise Redraw("all widths and the batch are different")
    for layer, activation in zip(layers, drawn.activations, strict=True):
        z = run[f"z{layer}"]
        if np.abs(z).min() < KINK:
            raise Redraw("no pre-activation is within 0.001 of 0")
        if activation == "relu":
            live = np.atleast_2d(z > 0).any(axis=0)
            if live.all() or not live.any():
                raise Redraw("every ReLU layer has a live and a dead unit")
        elif activation in SMOOTH:
            flat = np.abs(z) > FLAT
            if drawn.kind == "saturated" and layer == layers[-1]:
                if not (np.abs(z) > 40).any() or flat.all():
                    raise Redraw("one example saturates the last sigmoid, another does not")
            elif flat.any():
                raise Redraw("no sigmoid or tanh is saturated")
    for name, gradient in run.gradients().items():
        if np.abs(gradient).max() < TINY:
            raise Redraw(f"the gradient by {name[:1]} is not tiny")


def require_seed(seed: Any) -> int:
    """A whole number from 0 up, or DomainError."""
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= int(seed) < 2**64:
        raise DomainError(
            f"seed is {str(seed)[:40]!r}.\n  Write a whole number from 0 to 2**64 - 1."
        )
    return int(seed)


def decimals(array: np.ndarray, digits: int = 2) -> np.ndarray:
    """Rounded, without a negative zero, so that a sheet shows the value itself."""
    return np.round(array, digits) + 0.0


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers of either sign with two decimals, none of them near 0."""
    return decimals(rng.uniform(0.2, 1.4, shape) * _signs(rng, shape))


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def _draw_params(rng: np.random.Generator, sizes: Sequence[int]) -> dict[str, np.ndarray]:
    params = {}
    for layer, (before, after) in enumerate(pairwise(sizes), 1):
        size = rng.uniform(0.2, 1.8, (after, before)) * before**-0.5
        params[f"W{layer}"] = decimals(size * _signs(rng, size.shape))
        params[f"b{layer}"] = decimals(rng.uniform(0.1, 0.5, after) * _signs(rng, (after,)))
    return params


def _draw_labels(rng: np.random.Generator, loss: str, examples: int, width: int) -> np.ndarray:
    if loss == "bce":
        return rng.integers(0, 2, (examples, width)).astype(float)
    if loss == "cross_entropy":
        return np.eye(width)[rng.integers(0, width, examples)]
    return decimals(rng.uniform(0.1, 0.9, (examples, width)))


def _switch_units_off(
    rng: np.random.Generator,
    sizes: Sequence[int],
    activations: Sequence[str],
    params: dict[str, np.ndarray],
    x: np.ndarray,
) -> None:
    """Lower one bias of every ReLU layer until its unit is off for all examples."""
    for layer, activation in enumerate(activations, 1):
        if activation == "relu":
            unit = int(rng.integers(sizes[layer]))
            highest = _preactivations(sizes, activations, params, x, layer)[..., unit].max()
            bias = params[f"b{layer}"]
            if highest > -MARGIN:
                bias[unit] = decimals(bias[unit] - highest - MARGIN)


def _saturate(
    sizes: Sequence[int],
    activations: Sequence[str],
    params: dict[str, np.ndarray],
    x: np.ndarray,
) -> None:
    """Stretch one example until the last sigmoid is at its end there."""
    layer = len(activations)
    z = _preactivations(sizes, activations, params, x[:1], layer)
    x[0] = decimals(x[0] * SATURATION / max(float(np.abs(z).max()), 0.1))


def _preactivations(
    sizes: Sequence[int],
    activations: Sequence[str],
    params: dict[str, np.ndarray],
    x: np.ndarray,
    layer: int,
) -> np.ndarray:
    own = {f"{p}{n}": params[f"{p}{n}"] for n in range(1, layer + 1) for p in "Wb"}
    net = Network.dense(sizes[: layer + 1], activations[:layer], None, params=own)
    return np.array(net.run(x)[f"z{layer}"])
