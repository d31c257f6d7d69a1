"""A line of a program that is a formula: z = W @ x + b, as the steps that compute it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..errors import SpecError
from ..numbers.arrays import real_array
from ..ops import Einsum, Op
from ..ops.entry_trees import names_in
from ..program.program_text import read_program
from ..program.step import Step
from .emitting import steps_of_values
from .lowering import Lowered
from .reading import ARRAYS, ENTRY, OTHER_NAMES, SPELLED, read
from .shapes import LETTERS, Shapes, rank_of

_LINE = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*(.+)")
_CALL = re.compile(r"([^\W\d]\w*)\s*\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\)\s*")
_SIGNS = re.compile(r"[-+*/@^\[']|\.T\b")
_BEGUN_AS_OP = re.compile(r"[A-Z]\w*\s*\(")


def steps_of(
    lines: Sequence[str],
    own: Mapping[str, Op | type[Op]],
    params: Mapping[str, Any],
    before: Sequence[Step] = (),
) -> list[Step]:
    """The steps of a program whose lines are op calls or formulas, in their order.

    A parameter has the axes of its array, a value of an earlier line, or of a step `before` all
    lines, those that its line gave it, an input those of its letter. What data has in front is
    carried.
    """
    known = {name: real_array(array, name).ndim for name, array in params.items()}
    known |= {step.name: len(step.op.parsed.output.axes) for step in before}

    def lowered(name: str, text: str) -> list[Step]:
        found, known[name] = _lowered(name, text, known)
        return found

    def called(found: Sequence[Step]) -> None:
        known.update({step.name: len(step.op.parsed.output.axes) for step in found})

    return _line_by_line(lines, own, lowered, called)


def steps_read(lines: Sequence[str]) -> list[Step]:
    """The steps of a program of which no array is known: a formula is one step of what it reads.

    >>> [(step.name, step.args) for step in steps_read(["z = W @ x + b", "J = sum(z * z)"])]
    [('z', ('W', 'x', 'b')), ('J', ('z',))]
    """

    def read_only(name: str, text: str) -> list[Step]:
        tree, spelled = read(text), _spelled_in(text)
        args = tuple([spelled.get(word, word) for word in dict.fromkeys(names_in(tree))])
        return [Step(name, Einsum("," * (len(args) - 1) + "->"), args)] if args else []

    return _line_by_line(lines, {}, read_only)


def _line_by_line(
    lines: Sequence[str],
    own: Mapping[str, Op | type[Op]],
    lowered: Callable[[str, str], list[Step]],
    called: Callable[[Sequence[Step]], None] | None = None,
) -> list[Step]:
    """The steps of each line: what is `lowered` from a formula, or those of an op `called`."""
    if not all(isinstance(block, str) for block in lines):
        return read_program(lines, own)
    text = [line for block in lines for line in block.splitlines()]
    matches = [_LINE.fullmatch(line) for line in text]
    formulas = [m is not None and is_expression(m[2], own) for m in matches]
    if not any(formulas):
        return read_program(lines, own)
    steps: list[Step] = []
    for place, (line, match, is_formula) in enumerate(zip(text, matches, formulas, strict=True)):
        if is_formula and match:
            try:
                found = lowered(match[1], match[2].strip())
            except SpecError as error:
                where = f"line {place + 1}: {line.strip()[:60]!r}"
                raise SpecError(f"{where}: {error}") from None
        else:
            found = read_program(["\n" * place + line], own)  # an error names its line
            if called:
                called(found)
        steps += found
    return steps


def is_expression(text: str, own: Collection[str]) -> bool:
    """Whether the right-hand side of a line is a formula, not the call of an op.

    >>> is_expression("W @ x + b", ()), is_expression("Linear(x, W, b)", ())
    (True, False)
    """
    call = _CALL.fullmatch(text)
    if call is None:
        return bool(_SIGNS.search(text)) and not _BEGUN_AS_OP.match(text)
    return call[1] not in own and call[1] in (*ENTRY, *ARRAYS, *OTHER_NAMES)


def _spelled_in(text: str) -> dict[str, str]:
    """The words that the reader spells in another way, such as mu, by how it does."""
    typed = re.findall(r"[^\W\d]\w*", text)
    return {SPELLED[word]: word for word in typed if word in SPELLED}


def _lowered(name: str, text: str, known: Mapping[str, int]) -> tuple[list[Step], int]:
    """The steps of one formula, the last under its name, and how many axes that has."""
    tree, spelled = read(text), _spelled_in(text)
    shapes = Shapes(text, {}, ())
    for word in names_in(tree):
        count = known.get(spelled.get(word, word), rank_of(word))
        shapes.leaves[word] = tuple(shapes.dimensions.new() for _ in range(count))
    lowered = Lowered.of(tree, shapes)
    if any(which.places == ":" for which in lowered.selections.values()):
        raise SpecError(
            "a program knows no lengths beforehand, and eye has that of what it meets.\n"
            "  Give the identity a name, and pass it among the data: A + E, E=np.eye(3)."
        )
    dimensions = sorted({d for dims in lowered.dimensions.values() for d in dims})
    letters = dict(zip(dimensions, LETTERS, strict=False))
    steps = steps_of_values(lowered, letters, name)
    names = spelled | {step.name: f"{name}_{step.name}" for step in steps[:-1]}
    found = [Step(names.get(s.name, s.name), s.op, s.args).reading(names) for s in steps]
    return found, len(lowered.dimensions[lowered.result])
