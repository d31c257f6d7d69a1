"""An op with random inputs, and the op once more as plain loops over its entries."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from jacobian_bp.ops import Op

SIZES = {"n": 7, "i": 5, "k": 3, "j": 2, "r": 2, "c": 5}  # prime, and different within an op
SEED = 20240607


@dataclass(frozen=True)
class Case:
    """`value(k, a, W, b)` is z[k]; `slopes["W"](k, K, i, a, W, b)` is ∂z[k]/∂W[K,i].

    The output's index comes first, then the variable's, then the inputs. `draws` says how an
    input is drawn (a normal one by default), and `shared` which inputs a batch has only once.
    """

    op: Op
    value: Callable[..., float]
    slopes: dict[str, Callable[..., float]]
    draws: dict[str, Callable] = field(default_factory=dict)
    shared: tuple[str, ...] = ()

    def __str__(self) -> str:
        shared = f", one {','.join(self.shared)} for all" if self.shared else ""
        return f"{self.op.name}: {self.op.signature}{shared}"

    @property
    def names(self) -> list[str]:
        """The names of the inputs, in order."""
        return [operand.name for operand in self.op.parsed.inputs]

    def inputs(self, batch: bool) -> list[np.ndarray]:
        """Random inputs of one example, or of a whole batch; class labels already as rows."""
        rng, drawn = np.random.default_rng(SEED), []
        for operand in self.op.parsed.inputs:
            lifted = batch and operand.name not in (*self.op.parameters, *self.shared)
            shape = [SIZES[axis] for axis in ("n",) * lifted + operand.axes]
            drawn.append(self.draws.get(operand.name, normal)(rng, shape))
        names = dict(zip(self.names, self.names, strict=True))
        return [np.array(array) for array in self.op.admit(names, *drawn)]

    def loop_value(self, inputs: list[np.ndarray]) -> np.ndarray:
        """The op's value, entry by entry."""
        batch = self._batch(inputs)
        out = np.zeros(batch + self._out_shape)
        for n in np.ndindex(*batch):
            example = self._example(n, inputs)
            for index in np.ndindex(*self._out_shape):
                out[n + index] = self.value(*index, *example)
        return out

    def loop_jacobian(self, name: str, inputs: list[np.ndarray]) -> np.ndarray:
        """∂op/∂name, entry by entry; 0 between different examples."""
        batch, position = self._batch(inputs), self.names.index(name)
        variable, lifted = inputs[position], self._lifted(inputs)[position]
        out = np.zeros(batch + self._out_shape + variable.shape)
        for n in np.ndindex(*batch):
            example = self._example(n, inputs)
            for index in np.ndindex(*self._out_shape):
                for by in np.ndindex(*example[position].shape):
                    entry = self.slopes[name](*index, *by, *example)
                    out[n + index + n * lifted + by] = entry
        return out

    @property
    def _out_shape(self) -> tuple[int, ...]:
        return tuple(SIZES[axis] for axis in self.op.parsed.output.axes)

    def _lifted(self, inputs: list[np.ndarray]) -> list[bool]:
        """Which inputs carry the examples in front."""
        operands = self.op.parsed.inputs
        return [a.ndim > len(o.axes) for a, o in zip(inputs, operands, strict=True)]

    def _batch(self, inputs: list[np.ndarray]) -> tuple[int, ...]:
        return (SIZES["n"],) if any(self._lifted(inputs)) else ()

    def _example(self, n: tuple[int, ...], inputs: list[np.ndarray]) -> list[np.ndarray]:
        lifted = self._lifted(inputs)
        return [a[n] if in_batch else a for a, in_batch in zip(inputs, lifted, strict=True)]


def normal(rng, shape):
    """Any real number."""
    return rng.normal(size=shape)


def probability(rng, shape):
    """Well inside (0, 1)."""
    return rng.uniform(0.1, 0.9, shape)


def hard_and_soft(rng, shape):
    """Labels of a binary cross-entropy."""
    return rng.choice([0.0, 1.0, 0.25], shape)


def weights(rng, shape):
    """Rows that sum to 1."""
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def class_index(rng, shape):
    """One class index for each row."""
    return rng.integers(0, shape[-1], shape[:-1])
