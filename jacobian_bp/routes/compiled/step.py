"""net.compile(batch=m): the cost and all its gradients, planned once, run many times."""

from collections.abc import Mapping
from math import isfinite, nan
from typing import Any

import numpy as np
from numpy import ndarray

from ...errors import AxisError, JacobianError, SpecError
from ...numbers.arrays import quiet, real_array, require_finite, same_numbers
from ...program.forward import run_forward
from ...program.forward_pass import Pass
from ...program.program import Program
from ...writing.signs import did_you_mean, dims, safe, type_of
from ..gradients import gradients
from .plan import Plan


class CompiledStep:
    """step(params, x, y) gives the cost and the gradient by every parameter.

        loss, gradients = step(params, x, y)

    It is planned at the first call, for the shapes of that call: `batch=m` takes
    m examples in rows, without `batch` one example. The numbers are those of
    `net.run(x, y).gradients()`, within the same rounding bar, in the dtype of the
    parameters that it was compiled with: float64 data is rounded to float32 where
    they are float32, while a run takes the wider of the two.

    The gradients are the step's own buffers: **the next call overwrites them**.
    Copy what is to be kept. Parameters, x and y are read where they lie and never
    changed. One step serves one thread. Raises what `net.run` raises, at once.

    >>> import numpy as np
    >>> from jacobian_bp import Network
    >>> net = Network.dense([3, 4, 2], loss="squared_error", seed=0)
    >>> step = net.compile(batch=5)
    >>> x, y = np.ones((5, 3)), np.full((5, 2), 0.25)
    >>> params = {name: value.copy() for name, value in net.params.items()}
    >>> for _ in range(100):
    ...     loss, gradients = step(params, x, y)
    ...     for name, gradient in gradients.items():
    ...         params[name] -= 0.5 * gradient
    >>> loss < 1e-6
    True
    """

    def __init__(
        self,
        program: Program,
        batch: int | None,
        dtype: np.dtype,
        tied: Mapping[str, str],
        axes: Mapping[str, str] | None = None,
    ) -> None:
        self._axes = None if axes is None else dict(axes)
        self._program, self.batch, self.dtype, self._tied = program, batch, dtype, dict(tied)
        self._plan: Plan | None = None

    def __call__(
        self, params: Mapping[str, Any], x: Any = None, y: Any = None, **more: Any
    ) -> tuple[float, dict[str, np.ndarray]]:
        data = {"x": x, "y": y, **more}
        plan = self._plan or self._planned(params, data)
        if more or type(params) is not dict or len(params) > len(plan.params):
            self._require_names(params, data)
        late, dtype, own = plan.late, self.dtype, plan.own
        with np.errstate(all="ignore"):
            for source, shapes in ((params, plan.params), (data, plan.data)):
                for name, shape in shapes:
                    value = source.get(name)
                    if (
                        type(value) is not ndarray
                        or value.dtype is not dtype
                        or value.shape != shape
                        or not value.flags.c_contiguous  # BLAS adds in another order
                        or value.base is own
                    ):
                        value = self._fitting(name, value, shape)
                    late[name] = value
            for name, buffer in plan.copied:
                buffer[...] = late[name]
            for name, shape in plan.laid_out:
                late[name] = late[name].reshape(shape)
            for name in plan.labels:
                late[name] = data.get(name)
            try:
                for call in plan.calls:
                    call()
                loss = plan.cost.item()
            except JacobianError:  # an op refuses what it reads: the long way says why
                loss = nan
            inside = plan.values_are_inside() and plan.slopes_are_finite()
        if not (inside and isfinite(loss)):
            return self._far_out(params, data, loss)
        return loss, dict(plan.gradients)

    def _far_out(
        self, params: Mapping[str, Any], data: Mapping[str, Any], loss: float
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Where a value may lie outside the kernels' limits, or a gradient may have overflowed.

        Look closer, or go the long way, which gives the right numbers or says what is wrong.
        """
        plan = self._plan
        assert plan is not None
        limit = plan.limit**0.5
        with np.errstate(all="ignore"):  # NaN is on neither side
            far = not -limit < plan.watched.min(initial=0) <= plan.watched.max(initial=0) < limit
        known = all(np.isfinite(gradient).all() for gradient in plan.gradients.values())
        if far or not (known and isfinite(loss)):
            state = self._run(params, data)
            for name, gradient in gradients(state, list(plan.gradients), "vjp").items():
                np.copyto(plan.gradients[name], gradient)
            loss = state.values[state.cost].item()
        return loss, dict(plan.gradients)

    def _planned(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Plan:
        """The plan for the shapes of this call, whose arrays are checked as a run checks them."""
        state = self._run(params, data)
        gradients(state, list(state.program.params), "vjp")  # checks what each vjp gives
        sizes = {
            name: state.values[name].shape[0] if name in state.batched else None
            for name in state.program.inputs
            if name not in state.program.labels
        }
        batched = {name: size for name, size in sizes.items() if size is not None}
        for name, size in (batched or sizes).items():  # a batch may share the other inputs
            if size != self.batch:
                raise AxisError(
                    f"the compiled step takes {_examples(self.batch)}.\n"
                    f"  {name} has shape {dims(state.values[name].shape)}: {_examples(size)}\n"
                    f"  Write net.compile({', '.join(self._written(size))})."
                )
        self._plan = self._plan_of(state)
        return self._plan

    def _plan_of(self, state: Pass) -> Any:
        """The plan for the shapes of a pass."""
        return Plan(state)

    def _written(self, batch: int | None) -> list[str]:
        """What a caller writes for a step of such a batch with the same names of axes."""
        axes = [] if self._axes is None else [f"axes={self._axes!r}"]
        return [*([f"batch={batch}"] if batch else []), *axes]

    @quiet
    def _run(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> Pass:
        """One ordinary forward pass, which names whatever is wrong."""
        self._require_names(params, data)
        missing = [name for name in self._program.params if name not in params]
        if missing:
            raise SpecError(
                f"the parameter {missing[0]} is missing.\n"
                f"  The step reads {', '.join(self._program.params)}."
            )
        for name in self._program.inputs:
            if data.get(name) is None:
                raise SpecError(
                    f"{safe(name)} is missing.\n"
                    f"  Write step(params, {', '.join(self._program.inputs)})."
                )
        arrays = {n: self._array(n, params[n]) for n in self._program.params}
        for name, array in arrays.items():
            require_finite(array, name, "A parameter is a finite number.")
        whole = (*self._program.labels, *self._program.indices)
        given = {
            n: data[n] if n in whole else self._array(n, data[n]) for n in self._program.inputs
        }
        return run_forward(self._program, arrays, given, self._axes, "net.compile")

    def _require_names(self, params: Any, data: Mapping[str, Any]) -> None:
        """The parameters by name, a tied one once, and nothing that the network does not have."""
        if not isinstance(params, Mapping):
            raise SpecError(
                f"params is {type_of(params)}, not a mapping of names to arrays.\n"
                '  Write params={"W1": W1, "b1": b1}.'
            )
        for name in params:
            first = self._tied.get(name, name)
            if first not in self._program.params:
                raise SpecError(
                    f"no parameter is named {name!r}.\n"
                    f"  The parameters are {', '.join([*self._program.params, *self._tied])}."
                )
            if (
                first != name
                and first in params
                and not same_numbers(params[name], params[first], name)
            ):
                raise SpecError(
                    f"{name} and {first} are tied, and get two arrays.\n  Give one of them."
                )
        known = self._program.inputs
        for name in data:
            if data[name] is not None and name not in known:
                raise SpecError(
                    f"the network has no input named {name!r}.{did_you_mean(name, known)}\n"
                    f"  {self._program.inputs_said}"
                )

    def _array(self, name: str, value: Any) -> np.ndarray:
        return real_array(value, name).astype(self.dtype, copy=False)

    def _fitting(self, name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
        """What is not yet an array of the planned shape and dtype, as one."""
        if value is None:
            raise SpecError(f"{safe(name)} is missing.\n  The step reads {name} at every call.")
        array = self._array(name, value)
        if array.shape != shape:
            raise AxisError(
                f"{safe(name)} does not fit the compiled step.\n"
                f"  {safe(name)} has shape {dims(array.shape)}\n"
                f"  the step is planned for shape {dims(shape)}\n"
                "  Compile another step for other shapes."
            )
        # a copy too where a gradient is handed back in
        return np.array(array, order="C", copy=array is value or None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": None}  # a copy plans for itself

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.dtype = np.dtype(self.dtype.type)  # numpy's own object: a call compares by identity

    def __repr__(self) -> str:
        return f"<CompiledStep for {_examples(self.batch)}, {self.dtype}>"


def _examples(batch: int | None) -> str:
    return "one example without a batch axis" if batch is None else f"a batch of {batch}"
