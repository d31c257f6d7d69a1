"""A step as explicit loops: what source_of writes over whole arrays, entry by entry."""

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import JacobianError, SpecError
from ..numbers.arrays import entry, quiet
from ..numbers.rounding import ROUNDINGS, UNITS, of_formulas, of_sums, off_by_roundings
from ..ops.base import outer
from ..program.forward_pass import Pass
from ..program.roundings import units_of_gradient
from ..program.step import Step
from ..routes.structured import structured
from ..routes.vjp import pull
from .entries import NoLoopsError, Style
from .known_or_code import Code, NotPlainError, example_of
from .nests import Nests, is_running_sum
from .one_number import has_a_loop, is_entrywise, of_one_number
from .reading import Reader
from .step_source import StepSource

MOST_STATEMENTS = 1_000_000  # that Python runs in about a second


def column_by_row(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left[k] right[i], as loops read it."""
    return left[:, None] * right


class LoopReader(Reader):
    """Reads as Reader does, and keeps whole only what is a function of one number."""

    @staticmethod
    def _is_helper(function: Callable[..., Any]) -> bool:
        return Reader._is_helper(function) and is_entrywise(function)

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        if function is outer and all(np.ndim(example_of(value)) == 1 for value in args):
            function = column_by_row  # however large it is, loops write it at once
        return super().call(function, args, keywords)

    def _whole(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        if not is_entrywise(function):
            raise NoLoopsError(f"{getattr(function, '__qualname__', function)}")
        return super()._whole(function, args, keywords)


class InlineReader(LoopReader):
    """Keeps whole only what goes through a series: all else may share its parts."""

    @staticmethod
    def _is_helper(function: Callable[..., Any]) -> bool:
        return LoopReader._is_helper(function) and has_a_loop(function)


class LoopSource(StepSource):
    """The text for one forward pass as loops."""

    reader_class = LoopReader
    style = Style()
    taken = StepSource.taken | {"math"}
    final: Sequence[ast.stmt] = ()

    def nests(self, forward: int, read: Sequence[str]) -> Nests:
        """The statements as nests of loops; the first `forward` of them are the forward pass."""
        steps, back = self._steps(), {id(s) for s, _ in self.text.statements[forward:]}
        statements: list[ast.stmt] = []
        for origin, statement in self.statements(read):
            lifted = self._lifted(statement)
            for part in lifted:
                steps[id(part)] = steps[id(origin)]
            back |= {id(part) for part in lifted if id(origin) in back}
            statements += lifted
        self.final = statements
        examples, functions = self._examples(statements)
        nests = Nests(examples, self.style, {*self.text.names})
        nests.entries.functions = functions
        turned = False
        for statement in statements:
            if id(statement) in back and not turned:
                turned = True
                nests.gap()
            step = steps[id(statement)]
            nests.letters = self._letters(step) if step is not None else {}
            with _named(step):
                self._written_as_loops(nests, statement, set(read))
        return nests

    def statements(self, read: Sequence[str]) -> list[tuple[ast.stmt, ast.stmt]]:
        """Each statement that is needed, as it was written and as it is to be put into loops."""
        return [(statement, statement) for statement, _ in self.text.needed(read)]

    def _forward(self, step: Step) -> None:
        with _named(step):
            super()._forward(step)

    def _pulled(self, step: Step, bar: Code, wanted: set[str]) -> list[tuple[str, Code]]:
        with _named(step):
            return super()._pulled(step, bar, wanted)

    def _lifted(self, statement: ast.stmt) -> list[ast.stmt]:
        """Running sums, each with a name of its own before the statement that reads it."""
        lifting = _Lifting(self.text.new_name)
        changed = lifting.visit(copy.deepcopy(statement))
        return [*lifting.before, changed] if lifting.before else [statement]

    def _written_as_loops(self, nests: Nests, statement: ast.stmt, kept: set[str]) -> None:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Name(other)) if name not in kept:
                nests.called(name, other)
            case ast.Assign([ast.Name(name)], value):
                target, value = nests.written_again(name, value)
                nests.own.add(target)
                nests.add([target], value, nests.examples[name])
            case ast.AugAssign(ast.Name(name), ast.Add(), value):
                before = nests.alias.get(name)
                target, _ = nests.written_again(name, value)
                if before in (None, target):
                    nests.add([target], value, nests.examples[name], "{} += {}")
                else:
                    whole = ast.BinOp(ast.Name(before, ast.Load()), ast.Add(), value)
                    nests.own.add(target)
                    nests.add([target], whole, nests.examples[name])
            case ast.Assign([ast.Tuple(elts)], ast.Call() as value):
                names = [n.id for n in elts if isinstance(n, ast.Name)]
                nests.own.update(names)
                nests.add(names, value, [nests.examples[n] for n in names])
            case _:
                raise NoLoopsError(ast.unparse(statement))

    def _steps(self) -> dict[int, Step | None]:
        """The step that each statement belongs to."""
        found: dict[int, Step | None] = {}
        begins = [*self.begins, (len(self.text.statements), None)]
        current: Step | None = None
        for place, (statement, _) in enumerate(self.text.statements):
            for start, step in begins:
                if start == place:
                    current = step
            found[id(statement)] = current
        return found

    def _letters(self, step: Step) -> dict[tuple[int, ...], tuple[str, ...]]:
        """The axes of the step's arrays, by their shapes."""
        fronts = self.state.binding(step).fronts
        found = {self.state.values[step.name].shape: tuple(fronts.output)}
        operands = step.op.parsed.inputs
        for operand, front, arg in zip(operands, fronts.carried, step.args, strict=False):
            axes = (*front, *operand.axes)
            shape = self.state.values[arg].shape
            if len(axes) == len(shape):
                found.setdefault(shape, axes)
        return found

    def _examples(self, statements: Sequence[ast.stmt]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What each name holds when the statements are run, and the functions above them."""
        space: dict[str, Any] = {}
        exec("\n".join(self.helpers.lines()), space)
        functions = {kept.name: space[kept.name] for kept in self.helpers.functions.values()}
        names = [*self.inputs, *self.state.program.params]
        space |= {self.called[name]: self.state.values[name] for name in names}
        before = set(space) - {self.called[name] for name in names}
        module = ast.fix_missing_locations(ast.Module(list(statements), []))
        with np.errstate(all="ignore"):
            exec(compile(module, "<step>", "exec"), space)
        return {n: v for n, v in space.items() if n not in before}, functions

    def _file(self, forward: int, gradients: Mapping[str, str]) -> str:
        state, cost = self.state, self.called[self.state.cost]
        read = [cost, *gradients.values()]
        nests = self.nests(forward, read)

        def declare(name: str) -> str:
            example = np.asarray(nests.examples[name])
            kind = "" if example.dtype == np.float64 else f", np.{example.dtype}"
            return f"{name} = np.empty({example.shape}{kind})"

        body = nests.lines(set(read), declare)
        given = ", ".join(
            f'"{name}": {mine if np.shape(nests.examples[mine]) else f"np.asarray({mine})"}'
            for name, mine in gradients.items()
        )
        shapes = {n: state.values[n].shape for n in (*self.inputs, *state.program.params)}
        takes = ", ".join(f"{self.called[n]} {shapes[n]}{self._in_rows(n)}" for n in self.inputs)
        unpacked = [
            f'{self.called[n]} = params["{n}"]  # {shapes[n]}' for n in state.program.params
        ]
        functions = self.functions()
        lines = [
            f'"""The cost {state.cost} and its gradients by hand, in loops: '
            f'{takes}, {state.dtype}."""',
            "",
            *(["import math", ""] if any("math." in line for line in body) else []),
            "import numpy as np",
            *functions,
            "",
            "",
            '@np.errstate(all="ignore")',
            f"def step(params, {', '.join(self.called[n] for n in self.inputs)}):",
            f'    """The cost, and a dict of ∂{state.cost}/∂ each parameter."""',
            *(f"    {line}" for line in unpacked),
            "",
            *(f"    {line}" if line else "" for line in body),
            f"    return {cost}, {{{given}}}",
        ]
        return "\n".join(lines) + "\n"

    def functions(self) -> list[str]:
        """The functions above the step, each of one number."""
        found: list[str] = []
        for text in dict.fromkeys(k.text for k in reversed(self.helpers.functions.values())):
            found += ["", "", of_one_number(text)]
        return found


def changed_by(statement: ast.stmt) -> set[str]:
    """The names that a statement gives something to."""
    return {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


@contextmanager
def _named(step: Step | None) -> Iterator[None]:
    """The step, before what has no loops in it."""
    try:
        yield
    except NoLoopsError as error:
        raise NoLoopsError(f"{step}: {error}" if step else str(error)) from None


class _Lifting(ast.NodeTransformer):
    """Takes running sums out of a statement; `before` are their own."""

    def __init__(self, new_name: Callable[[str], str]) -> None:
        self.new_name, self.before = new_name, list[ast.stmt]()

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not is_running_sum(node):
            return node
        name = self.new_name("sums")
        self.before.append(ast.Assign([ast.Name(name, ast.Store())], node, lineno=0))
        return ast.Name(name, ast.Load())


@quiet
def loops_of(state: Pass) -> str:
    """`step(params, …)` of a run's shapes as explicit loops over the entries of small arrays."""
    source = LoopSource(state)
    try:
        text = source.written()
    except (NoLoopsError, NotPlainError) as error:
        raise SpecError(
            f"{error} has no form as loops.\n"
            '  Leave out style="loops": as NumPy over whole arrays every op is written.'
        ) from None
    if (count := statements_of(text)) > MOST_STATEMENTS:
        raise SpecError(
            f"the loops of this step run {count:,} statements, more than {MOST_STATEMENTS:,}.\n"
            '  Take fewer examples or narrower layers, or leave out style="loops".'
        )
    space: dict = {}
    exec(compile(text, "<step>", "exec"), space)
    params = {name: state.values[name] for name in state.program.params}
    cost, found = space["step"](params, *(state.values[name] for name in source.inputs))
    require_same(state, cost, found, "the loops give")
    return text


def statements_of(text: str) -> int:
    """How many statements the loops of a step run, each as often as it is run."""

    def run(body: Sequence[ast.stmt]) -> int:
        found = 0
        for statement in body:
            if isinstance(statement, ast.For) and isinstance(statement.iter, ast.Call):
                found += ast.literal_eval(statement.iter.args[0]) * run(statement.body)
            else:
                found += 1
        return found

    step = ast.parse(text).body[-1]
    assert isinstance(step, ast.FunctionDef)
    return run(step.body)


def require_same(state: Pass, cost: Any, found: Mapping[str, np.ndarray], what: str) -> None:
    """JacobianError where a gradient is farther from the vjp route's than sums round."""
    params = list(state.program.params)
    exact = pull(state, state.cost, params, np.ones((), state.dtype))
    try:
        scale = structured(state, params, magnitudes=True)
        units = units_of_gradient(state, params)
        bars = {name: of_sums(scale[name], state.dtype, units) for name in params}
    except JacobianError:  # an op of one's own without jacobians
        bars = {name: of_formulas(gradient) for name, gradient in exact.items()}
    moved = _moved_by_roundings(state, exact)
    for name, gradient in exact.items():
        mine, allowed = np.asarray(found[name]), bars[name] + moved[name]
        far = ~(np.abs(mine.astype(np.float64) - gradient) <= allowed)
        if mine.shape != gradient.shape or far.any():
            at = tuple(int(i) for i in np.unravel_index(int(np.argmax(far)), far.shape))
            raise JacobianError(
                f"{what} another {entry(f'∂{state.cost}/∂{name}', at)} than the run.\n"
                f"  {what.rpartition(' ')[0]}: {mine[at]}, the vjp route: {gradient[at]}"
            )


def _moved_by_roundings(state: Pass, exact: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How far the gradients go where what is computed with is off by UNITS roundings.

    A sum in another order is the sum of terms that are off by their roundings. Where values
    cancel behind it, as in a − y, the gradient is off by more than the rounding of its own terms.
    """
    moved = {name: np.zeros(gradient.shape) for name, gradient in exact.items()}
    names = [n for n in state.variables() if state.step(n) is None]
    for arrays in off_by_roundings([state.values[name] for name in names], state.dtype):
        values = state.values | dict(zip(names, arrays, strict=True))
        for step in map(Step.active, state.program.steps):
            values[step.name] = np.asarray(step.op.forward(*(values[arg] for arg in step.args)))
        there = state.standing_for(values, {})
        for name, gradient in pull(
            there, state.cost, list(exact), np.ones((), state.dtype)
        ).items():
            off = np.abs(gradient.astype(np.float64) - exact[name])
            finite = np.where(np.isfinite(off), UNITS / ROUNDINGS * off, 0)
            moved[name] = np.maximum(moved[name], finite)
    return moved
