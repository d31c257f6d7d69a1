"""A step of training as a file: the cost and its gradients, for one run's shapes.

    z1 = x @ W1.T + b1                    forward, each op's own text
    delta1 = da1 * (1 / np.cosh(z1)) ** 2     backward, each op's own vjp
    dW1 = delta1.T @ x

The statements are those of the vjp route, in its order, so that every bit is the same; the text
is run once, and compared, before it is handed out.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import JacobianError
from ..numbers.arrays import quiet
from ..ops.labels import CLASSES
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.gradients import require_scalar
from ..routes.vjp import pull
from .helpers import Helpers
from .known_or_code import Code, Deferred, Known, Parts, example_of, written
from .plain_text import TAKEN, PlainText
from .reading import Reader

PRE_ACTIVATION = re.compile(r"z(\d*)")


class StepSource:
    """The text for one forward pass, while it is written."""

    reader_class: type[Reader] = Reader
    taken = frozenset(TAKEN)  # what the file itself gives a name

    def __init__(self, state: Pass) -> None:
        require_scalar(state)
        self.state, self.text = state, PlainText()
        self.helpers = Helpers(self.text)
        self.reader = self.reader_class(self.text, self.helpers)
        self.begins: list[tuple[int, Step]] = []  # the first statement of each step, either way
        self.inputs = [name for name in state.program.inputs if name in state.values]
        params, steps = state.program.params, [step.name for step in self.steps]
        everything = [*self.inputs, *params, *steps]
        free = [name for name in everything if name.isidentifier() and name not in self.taken]
        self.text.names.update(free, self.taken)
        self.called = {n: n if n in free else self.text.new_name(f"{n}_") for n in everything}
        self.code = {name: self._read(name) for name in (*self.inputs, *params)}

    @property
    def steps(self) -> list[Step]:
        return [step.active() for step in self.state.program.steps]

    def written(self) -> str:
        """The whole file."""
        for step in self.steps:
            self._forward(step)
        forward = len(self.text.statements)
        gradients = self._backward()
        return self._file(forward, gradients)

    def _read(self, name: str) -> Code:
        return Code(ast.Name(self.called[name], ast.Load()), self.state.values[name])

    def _forward(self, step: Step) -> None:
        self.begins.append((len(self.text.statements), step))
        found = self.reader.call(step.op.forward, [self.code[a] for a in step.args], {})
        code = self._array(found, self.state.values[step.name].dtype)
        self.code[step.name] = self.text.assign(self.called[step.name], code)

    def _array(self, found: Any, dtype: np.dtype) -> Code:
        """Code for an array of this dtype."""
        assert isinstance(found, Code | Known | Parts)
        example, node = np.asarray(example_of(found)), written(found)
        if example.dtype != dtype:
            cast = ast.Attribute(node, "astype", ast.Load())
            dtype_ = written(Known(dtype))
            return Code(ast.Call(cast, [dtype_], []), example.astype(dtype))
        return Code(node, example)

    def _backward(self) -> dict[str, str]:
        """Writes the vjp route; the name of each parameter's gradient."""
        state, params = self.state, list(self.state.program.params)
        names, steps = state.dependents(params, state.cost)
        by_name, wanted = {step.name: step for step in steps}, set(names)
        one, kind = np.ones((), state.dtype), f", np.{state.dtype}"
        start = _expression(f"np.ones((){kind if state.dtype != np.float64 else ''})")
        name = self._cotangent(state.cost)
        bars = {state.cost: self.text.assign(name, Code(start, one))}
        for place in names:
            if place not in by_name or place not in bars:
                continue
            for arg, part in self._pulled(by_name[place], bars[place], wanted):
                self._arrives(bars, arg, part)
        gradients = {}
        for param in params:
            if param not in bars:
                node = _expression(f"np.zeros_like({self.called[param]})")
                zeros = Code(node, np.zeros_like(state.values[param]))
                bars[param] = self.text.assign(self._cotangent(param), zeros)
            gradients[param] = written(bars[param]).id  # type: ignore[attr-defined]
        return gradients

    def _pulled(self, step: Step, bar: Code, wanted: set[str]) -> list[tuple[str, Code]]:
        """What comes back to each argument of a step."""
        self.begins.append((len(self.text.statements), step))
        vjp = step.op.vjp
        keywords = {}
        variables = [variable for variable in step.variables if variable[2] in wanted]
        on_demand = getattr(vjp, "on_demand", False)
        if on_demand and not hasattr(vjp, "__wrapped__"):
            keywords["wanted"] = Known(tuple(operand for _, operand, _ in variables))
        found = self.reader.call(vjp, [bar, *(self.code[a] for a in step.args)], keywords)
        if isinstance(found, Code):  # a function that was kept whole gives a dict
            found = self.text.assign(self.text.new_name(f"back_{self.called[step.name]}"), found)
        parts = []
        for _, operand, arg in variables:
            part = self._of(found, operand)
            if isinstance(part, Deferred):
                part = self.reader.called_later(part)
            parts.append((arg, self._array(part, np.asarray(example_of(part)).dtype)))
        return parts

    def _of(self, found: Any, operand: str) -> Any:
        if isinstance(found, Code):
            entry = ast.Subscript(found.node, ast.Constant(operand), ast.Load())
            return Code(entry, found.example[operand])
        assert isinstance(found, Parts | Known)
        return found.items[operand] if isinstance(found, Parts) else Known(found.value[operand])

    def _arrives(self, bars: dict[str, Code], arg: str, part: Code) -> None:
        """A cotangent gets its name; where paths meet they add up."""
        if arg not in bars:
            bars[arg] = self.text.assign(self._cotangent(arg), part)
            return
        before = bars[arg]
        both = ast.BinOp(before.node, ast.Add(), part.node)
        name = before.node.id  # type: ignore[attr-defined]
        bars[arg] = self.text.assign(name, Code(both, before.example + part.example))

    def _cotangent(self, name: str) -> str:
        """delta2 for z2, dW2 for W2."""
        layer = PRE_ACTIVATION.fullmatch(name)
        return self.text.new_name(f"delta{layer[1]}" if layer else f"d{self.called[name]}")

    def _file(self, forward: int, gradients: Mapping[str, str]) -> str:
        state = self.state
        shapes = {n: state.values[n].shape for n in (*self.inputs, *state.program.params)}
        takes = ", ".join(f"{self.called[n]} {shapes[n]}{self._in_rows(n)}" for n in self.inputs)
        given = ", ".join(f'"{name}": {mine}' for name, mine in gradients.items())
        cost = self.called[state.cost]
        body = self._two_parts(forward, [cost, *gradients.values()])
        unpacked = [
            f'{self.called[name]} = params["{name}"]  # {shapes[name]}'
            for name in state.program.params
        ]
        lines = [
            f'"""The cost {state.cost} and its gradients by hand: {takes}, {state.dtype}."""',
            "",
            *self.helpers.lines(),
            "",
            "",
            '@np.errstate(all="ignore")',
            f"def step(params, {', '.join(self.called[n] for n in self.inputs)}):",
            f'    """The cost, and a dict of ∂{state.cost}/∂ each parameter."""',
            *(f"    {line}" for line in unpacked),
            *(f"    {line}" if line else "" for line in body),
            f"    return {cost}, {{{given}}}",
        ]
        return "\n".join(lines) + "\n"

    def _in_rows(self, name: str) -> str:
        """How labels that are classes become the rows that the step reads."""
        compares = [step for step in self.steps if name in step.args and name in step.op.labels]
        classes = any(step.op.label_kind == CLASSES for step in compares)
        return (
            f", of classes np.eye({self.state.values[name].shape[-1]})[classes]" if classes else ""
        )

    def _two_parts(self, forward: int, read: Sequence[str]) -> list[str]:
        """The lines of the forward pass, an empty one, and those of the way back."""
        before, after = self.text.lines(read, forward)
        return ["", *before, "", *after]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@quiet
def source_of(state: Pass) -> str:
    """`step(params, …)` of a run's shapes as the text of a file that needs NumPy alone.

    It gives the cost and a dict of gradients, equal to the bit to those of the vjp route.
    Raises SpecError for an op whose text cannot be read, and JacobianError where what was
    written does not give the route's own numbers: an op that keeps something between calls.
    """
    source = StepSource(state)
    text = source.written()
    space: dict = {}
    exec(compile(text, "<step>", "exec"), space)
    params = {name: state.values[name] for name in state.program.params}
    _, found = space["step"](params, *(state.values[name] for name in source.inputs))
    exact = pull(state, state.cost, list(params), np.ones((), state.dtype))
    for name, gradient in exact.items():
        if np.asarray(found[name]).tobytes() != gradient.tobytes():
            raise JacobianError(
                f"the text that was written gives another ∂{state.cost}/∂{name} than the run.\n"
                "  An op of the network keeps something between its calls, or is not in one text; "
                "leave it out, or write its vjp of its inputs alone."
            )
    return text
