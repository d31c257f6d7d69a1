"""Gradients and curvature of a cost over more examples than fit at once, batch by batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..chunks.chunked import LARGEST
from ..errors import DomainError, JacobianError, SpecError
from ..numbers.arrays import is_finite
from ..numbers.compensated import Compensated
from ..numbers.memory import require_memory
from ..program.forward_pass import Pass
from ..program.over_examples import AddsUp, adds_up
from ..program.program import listed
from ..routes.gradients import require_scalar
from ..routes.overflow import refuse
from ..routes.vjp import pull
from ..writing.signs import did_you_mean, dims, safe
from .batches import Alike, Data, InBatch, Rows, is_dask, read_batches
from .dask_rows import added_up
from .jacobian_over import JacobianOver, jacobian_over
from .runs import Runs

PIECE = 256  # examples: what more add up to in one product has a rounding that grows with them

Arrays = dict[str, np.ndarray]
Shares = Callable[[Pass, Mapping[str, np.ndarray], bool], Arrays]


class OverBatches:
    """What a network gives over batches: the mean is over all examples, however they are cut."""

    def gradients_over(
        self: Runs, batches: Any, *, axes: Mapping[str, str] | None = None
    ) -> dict[str, np.ndarray]:
        """The gradient of the cost over the examples of all batches, in each parameter's own shape.

            a mean   ∂J/∂p = Σ_b (m_b/N) ∂J_b/∂p
            a sum    ∂J/∂p = Σ_b ∂J_b/∂p, and that of a penalty once

        `batches` is an iterator of (x, y), or of dicts of inputs, or a pair or dict of arrays of
        rows: of numpy, a memory map, or Dask, then computed by its scheduler. One batch is in
        memory at a time. However many batches there are, the sum over them adds less than
        16·u·Σ|terms|. Raises JacobianError for a cost that is no mean or sum over the examples,
        such as behind a batch norm in training, DomainError where there is no batch, AxisError
        for examples of another shape, each with the batch.

        >>> from jacobian_bp import Network
        >>> net = Network.dense([3, 4, 2], "tanh", "squared_error", seed=0)
        >>> x, y = np.ones((7, 3)), np.zeros((7, 2))
        >>> found = net.gradients_over([(x[:5], y[:5]), (x[5:], y[5:])])
        >>> np.allclose(found["W1"], net.run(x, y).gradients()["W1"])
        True
        """
        names = [name for name in self.params if name not in self.tied]
        work = Work(self, "net.gradients_over", _Gradients(tuple(names)), axes)
        return work.total(batches)

    def jacobian_over(
        self: Runs,
        batches: Any,
        of: str,
        wrt: str | Sequence[str] | Mapping[str, Any],
        *,
        axes: Mapping[str, str] | None = None,
        max_bytes: int | str = LARGEST,
    ) -> JacobianOver:
        """∂of/∂(the parameters `wrt`) of every example, shape (N, …of, P), none of it made yet.

            J[n, k, p] = ∂of[n,k]/∂θ[p]          row n is example n's own

        Going through it gives (slices, array) of at most `max_bytes`, batch by batch. Of arrays
        of rows, net.jacobian_over((X, Y), "a2", net.params), the shape is known at once, pull(v)
        and push(u) build nothing, and to_dask(), to_zarr(path) and contract_blocks(v) make each
        chunk by a forward pass on its rows. Raises SpecError for what is no parameter,
        JacobianError for a value that is not that of each example alone, and as it goes what
        `gradients_over` raises.

        >>> from jacobian_bp import Network
        >>> net = Network.dense([3, 4, 2], "tanh", "squared_error", seed=0)
        >>> x = np.ones((7, 3))
        >>> whole = net.run(x).jacobian("a2", net.params).materialise()
        >>> batches = {"x": x[:5]}, {"x": x[5:]}
        >>> for (rows, *_), block in net.jacobian_over([*batches], "a2", net.params):
        ...     print(rows, np.allclose(block, whole[rows]))
        slice(0, 5, None) True
        slice(5, 7, None) True
        """
        return jacobian_over(self, batches, of, wrt, axes, max_bytes)

    def gauss_newton_over(
        self: Runs,
        batches: Any,
        params: Sequence[str] | None = None,
        *,
        axes: Mapping[str, str] | None = None,
    ) -> np.ndarray:
        """The Gauss-Newton matrix of the cost over the examples of all batches, of shape (P, P).

            G = Σ_b (m_b/N) (∂f/∂θ)ᵀ ∂²J_b/∂f² ∂f/∂θ

        Rows and columns are those of run.hessian(params): each parameter's entries row by row.
        `params` are all, or those named. Takes and refuses what `gradients_over` does, and
        refuses a cost without an op that reads labels: where such a network ends is not told.
        """
        known = [name for name in self.params if name not in self.tied]
        names = known if params is None else [self.tied.get(n, n) for n in params]
        for name in names:
            if name not in known:
                raise SpecError(
                    f"no parameter is named {safe(repr(name)[:60])}.{did_you_mean(name, known)}\n"
                    f"  The parameters are {listed(known)}."
                )
        if not names or len({*names}) < len(names):
            raise SpecError(
                f"net.gauss_newton_over is by {listed(names) or 'no parameter'}.\n"
                f"  Name each once, and at least one of {listed(known)}."
            )
        size = sum(self.params[name].size for name in names)
        itemsize = max(self.params[name].itemsize for name in names)
        require_memory(
            "the Gauss-Newton matrix",
            (size, size),
            itemsize,
            "Name fewer parameters, params=[…], or take run.hessian(…).gauss_newton.push(v).",
        )
        work = Work(self, "net.gauss_newton_over", _GaussNewton(tuple(names)), axes)
        return work.total(batches)["G"]


@dataclass(frozen=True)
class _Gradients:
    """Σ_v slope_v ∂v/∂p for each parameter p."""

    names: tuple[str, ...]

    def __call__(self, state: Pass, slopes: Mapping[str, np.ndarray], once: bool) -> Arrays:
        del once
        total: Arrays = {}
        for value, slope in slopes.items():
            for name, found in pull(state, value, self.names, slope).items():
                if not is_finite(found):
                    start = f"{value} and the values before it are finite; a product of slopes"
                    refuse(state, value, name, found, f"∂{value}/∂{name}", start)
                total[name] = total[name] + found if name in total else found
        return total


@dataclass(frozen=True)
class _GaussNewton:
    """Σ_v slope_v times the Gauss-Newton matrix of v; of what no data reaches, its Hessian."""

    names: tuple[str, ...]

    def __call__(self, state: Pass, slopes: Mapping[str, np.ndarray], once: bool) -> Arrays:
        from ..curvature.cut import cut_of
        from ..curvature.stacked_hessian import StackedHessian

        size = sum(state.values[name].size for name in self.names)
        total = np.zeros((size, size), state.dtype)
        for value, slope in slopes.items():
            if value in self.names:
                continue  # a parameter itself does not bend
            if not once and cut_of(state, value, self.names).at == (value,):
                raise JacobianError(
                    f"no op before {value} is a loss that reads labels, so that the network ends "
                    f"at {value} and its Gauss-Newton matrix is 0.\n"
                    "  Write the loss as an op, such as L = SquaredError(a, y)."
                )
            whole = StackedHessian(state, value, self.names)
            found = whole.materialise() if once else whole.gauss_newton.materialise()
            total += np.tensordot(slope, found, slope.ndim)
        return {"G": total}


@dataclass(frozen=True)
class Work:
    """What is asked of each batch, and how the batches are put together."""

    net: Runs
    who: str
    share: Shares
    axes: Mapping[str, str] | None

    def total(self, batches: Any) -> Arrays:
        """The whole, from all batches."""
        given = read_batches(self.who, batches)
        if isinstance(given, Rows) and given.count and any(map(is_dask, given.arrays.values())):
            on_chunks = Task(self, *self.looked_at(given.part(0, given.cuts[1])))
            return self.finished(on_chunks, added_up(on_chunks, given))
        task: Task | None = None
        partial = Partial()
        for place, data in enumerate(given):
            if task is None:
                task = Task(self, *self.looked_at(data))
            partial = partial.join(task(place, data))
        if task is None:
            raise DomainError(
                f"{self.who}: there is no batch.\n"
                "  Give at least one; an iterator that was gone through gives none again."
            )
        return self.finished(task, partial)

    def run(self, data: Data) -> Pass:
        return self.net.run(**data, axes=self.axes).forward_pass

    def looked_at(self, data: Data) -> tuple[Alike, AddsUp]:
        """How the examples look and the cost adds up, by the first batch."""
        with InBatch(self.who, 0):
            state = self.run(data)
            require_scalar(state)
        return Alike.of(self.who, data, state), adds_up(state)

    def finished(self, task: "Task", partial: "Partial") -> Arrays:
        """The sums over the batches, divided where they are a mean; what counts once is added."""
        found = partial.sums.sums(partial.examples if task.adds_up.averages else 1)
        for name, array in found.items():
            if not is_finite(array):
                raise DomainError(
                    f"{self.who}: the sum over {partial.examples:,} examples is not finite in "
                    f"{name}, shape {dims(array.shape)}; that of each batch is.\n"
                    "  Use the mean over the examples, or scale the cost down."
                )
        return found


@dataclass
class Partial:
    """What some of the batches give together."""

    examples: int = 0
    sums: Compensated = field(default_factory=Compensated)

    def join(self, other: "Partial") -> "Partial":
        """This with the batches behind it."""
        return Partial(self.examples + other.examples, self.sums.join(other.sums))


@dataclass(frozen=True)
class Task:
    """One batch's share of the whole: it runs anywhere."""

    work: Work
    alike: Alike
    adds_up: AddsUp

    def __call__(self, place: int, data: Data) -> Partial:
        self.alike.require(place, data)
        examples, sums = 0, Compensated()
        for piece in self.alike.pieces(data, PIECE):
            with InBatch(self.work.who, place):
                state = self.work.run(piece)
                count = self.alike.examples(place, state)
                found = self.work.share(state, self.adds_up.data, False)
                sums.add(found, count if self.adds_up.averages else 1)
                if place == examples == 0 and self.adds_up.once:
                    sums.add(self.work.share(state, self.adds_up.once, True))
            examples += count
        return Partial(examples, sums)
