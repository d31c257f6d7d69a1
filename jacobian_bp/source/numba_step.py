"""net.compile(engine="numba"): the cost and all its gradients as one machine-coded function."""

from collections.abc import Mapping
from functools import partial
from math import nan
from typing import Any

import numpy as np

from ..errors import JacobianError, SpecError
from ..numbers.arrays import quiet
from ..numbers.extras import extra
from ..ops import Op
from ..ops.kernels.place import aligned_zeros
from ..program.forward_pass import Pass
from ..routes.compiled.plan import Admission, needed, require_room
from ..routes.compiled.step import CompiledStep
from ..routes.gradients import gradients
from .entries import NoLoopsError
from .known_or_code import NotPlainError
from .loop_source import require_same
from .numba_files import loaded
from .numba_source import NumbaSource

WHO = 'net.compile(engine="numba")'


def require_numba(who: str) -> None:
    """Loads numba, and scipy, which its products need; SpecError with what installs them."""
    extra("numba", who)
    extra("scipy.linalg", who)


class NumbaPlan:
    """The machine code for the shapes of one pass, its workspace, and what asks the labels."""

    def __init__(self, state: Pass) -> None:
        steps = needed(state)
        behind, _ = state.dependents(state.program.params, state.cost)
        names = [*(step.name for step in steps), *behind]
        require_room([state.values[name].shape for name in names], state.dtype)
        source = _text_of(state)
        program = state.program
        self.own = {d: aligned_zeros((max(n, 1),), d) for d, n in source.sizes.items()}
        self.work = [*self.own.values()]
        self.base = self.own[state.dtype].base
        array = partial(source.array, own=self.own)
        self.gradients = {name: array(mine) for name, mine in source.gradients.items()}
        self.params = tuple(program.params)
        self.inputs = tuple(name for name in program.inputs if name in state.values)
        self.shapes = {n: state.values[n].shape for n in (*self.params, *self.inputs)}
        self.kernel = loaded(source.text).step
        self.kernel.disable_compile()
        labels = [name for name in self.inputs if name in program.labels]
        self.late: dict[str, Any] = {}
        self.rows = {n: np.array(state.values[n]) for n in labels}
        self.asked: list[Admission] = []
        self.after: list[tuple[Op, Mapping[str, str], list[np.ndarray | str]]] = []
        self.straight = set(labels)  # labels that are read where they lie
        for step in steps:
            places = {p: arg for p, arg in enumerate(step.args) if arg in labels}
            own = step.op.has_own_admit
            called = {**step.called, "outputs": step.args[0]}
            plain = len(places) == 1 and step.op.admits_finite and step.op.shows_nonfinite
            if places:
                example = [
                    self.rows[a] if a in labels else np.array(state.values[a]) for a in step.args
                ]
                self.asked.append(Admission(step.op, called, self.late, places, tuple(example)))
                if not plain:
                    self.straight -= set(places.values())
            if own and not step.op.admits_finite:
                read: list[np.ndarray | str] = []
                for arg in step.args:
                    mine = source.called.get(arg, arg)
                    if mine not in source.rooms and arg not in (*self.params, *self.inputs):
                        raise SpecError(_refused(f"{step.who}, which asks for {arg},"))
                    read.append(array(mine) if mine in source.rooms else arg)
                self.after.append((step.op, called, read))
        self.indirect = bool(self.after) or self.straight < set(labels)


def _text_of(state: Pass) -> Any:
    """The text, or SpecError where an op has none; it is the ops' own."""
    if state.program.indices:
        name = next(iter(state.program.indices))
        raise SpecError(_refused(f"{name}, positions along an axis,"))
    try:
        return NumbaSource(state).planned()
    except (NoLoopsError, NotPlainError) as error:
        raise SpecError(_refused(str(error))) from None


def _refused(what: str) -> str:
    return (
        f"{what} has no form as loops, which {WHO} compiles.\n"
        '  Leave out engine="numba": the planned numpy step takes every op.'
    )


class NumbaStep(CompiledStep):
    """A compiled step whose calls are one function of machine code.

    As `CompiledStep`: planned at the first call, for its shapes; **the next call overwrites the
    gradients**; raises what `net.run` raises, at once. It needs numba. The first call compiles
    for some seconds, in later processes it finds what was compiled.
    """

    _plan: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        require_numba(WHO)
        super().__init__(*args, **options)

    def __call__(
        self, params: Mapping[str, Any], x: Any = None, y: Any = None, **more: Any
    ) -> tuple[float, dict[str, np.ndarray]]:
        plan = self._plan
        if plan is None or more or type(params) is not dict or len(params) > len(plan.params):
            return self._slowly(params, {"x": x, "y": y, **more})
        data = {"x": x, "y": y}
        if plan.indirect:
            return self._slowly(params, data)
        base, given = plan.base, []
        for source, names in ((params, plan.params), (data, plan.inputs)):
            for name in names:
                value = source.get(name)
                if type(value) is not np.ndarray or value.base is base:
                    return self._slowly(params, data)
                given.append(value)
        try:
            loss = plan.kernel(*given, *plan.work)
        except TypeError:  # another dtype, another order in memory
            return self._slowly(params, data)
        if loss - loss != 0:  # NaN, which says: look closer
            return self._slowly(params, data)
        return loss, dict(plan.gradients)

    @quiet
    def _slowly(
        self, params: Mapping[str, Any], data: Mapping[str, Any]
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Each array is brought to the planned shape and dtype, labels to their one form."""
        if self._plan is None:
            self._plan = self._planned(params, data)
        plan = self._plan
        self._require_names(params, data)
        given: list[np.ndarray] = []
        for source, names in ((params, plan.params), (data, plan.inputs)):
            for name in names:
                if name in plan.rows:
                    given.append(plan.rows[name])
                    continue
                value = source.get(name)
                if (
                    type(value) is not np.ndarray
                    or value.dtype != self.dtype
                    or value.shape != plan.shapes[name]
                    or not value.flags.c_contiguous
                    or value.base is plan.base
                ):
                    value = self._fitting(name, value, plan.shapes[name])
                given.append(value)
        by_name = dict(zip((*plan.params, *plan.inputs), given, strict=True))
        try:
            for name in plan.rows:
                plan.late[name] = data.get(name)
            for asked in plan.asked:
                asked()
            loss = plan.kernel(*given, *plan.work)
            for op, called, read in plan.after:
                op.admit(called, *(by_name[r] if isinstance(r, str) else r for r in read))
        except JacobianError:  # an op refuses what it reads: the long way says why
            loss = nan
        if loss - loss != 0:
            return self._far_out(params, data, nan)
        return loss, dict(plan.gradients)

    def _far_out(
        self, params: Mapping[str, Any], data: Mapping[str, Any], loss: float
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Where something may have overflowed: the long way has the numbers, or says what it is."""
        del loss
        plan = self._plan
        assert plan is not None
        state = self._run(params, data)
        for name, gradient in gradients(state, list(plan.gradients), "vjp").items():
            np.copyto(plan.gradients[name], gradient)
        return state.values[state.cost].item(), dict(plan.gradients)

    @quiet
    def _plan_of(self, state: Pass) -> Any:
        """The plan; what it computes is compared with the run before it is used."""
        plan = NumbaPlan(state)
        values = {n: np.ascontiguousarray(state.values[n]) for n in (*plan.params, *plan.inputs)}
        loss = plan.kernel(*values.values(), *plan.work)
        if loss - loss == 0:  # else the long way is taken
            require_same(state, loss, plan.gradients, "the compiled step gives")
        return plan

    def __repr__(self) -> str:
        return super().__repr__().replace("CompiledStep", "NumbaStep")
