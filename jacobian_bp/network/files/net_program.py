"""A network file that holds a program, one step a line, instead of layers.

    [program]   lines; axes, convention
    [weights]   one entry for each parameter, or file
    [data]      one entry for each input, such as x and y, or file
    [convention]  how its derivation is written, in place of the key

The lines are those of Network.program, ops and formulas: parsed, never run. What [weights] names
is a parameter, every other name that no line computes an input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...derivation.ready_made import NAMES, ReadyMade
from ...errors import JacobianError
from ...formulas.in_program import steps_of, steps_read
from ...program.step import Step
from ...writing.signs import safe
from . import convention_file
from .answer_file import read_arrays
from .net_weights import FILE, numbers
from .paths import named_inside
from .program_weights import parameters_of, program_names
from .toml_text import Problems, Section, shown
from .weights_file import read_weights

TABLE = "program"
TABLES = (TABLE, "weights", "data")
KNOWN = (*TABLES, convention_file.TABLE)
KEYS = ("lines", "axes", "convention")
DEEPEST = 8  # axes of an array that is written inline
LINES = 'Write them such as ["z = Linear(x, W, b)", "L = SquaredError(z, y)", "J = Mean(L)"].'
AXES = 'Write the axes in front, such as axes = { x = "n,t" }.'
DATA = "Write the name of an .npz file beside the network file."


@dataclass(frozen=True, eq=False)
class ProgramSpec:
    """What a file with a program says; `remarks` tells in words where its arrays come from."""

    lines: tuple[str, ...]
    params: Mapping[str, np.ndarray]
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    axes: Mapping[str, str] | None = None
    convention: str | ReadyMade | None = None
    remarks: tuple[str, ...] = ()


def read_program_tables(problems: Problems, tables: Mapping[str, Any], folder: Path) -> ProgramSpec:
    """The program of a file, its parameters and its data, or SpecError with all that is wrong."""
    sections = {name: _section(problems, tables, name) for name in TABLES}
    for name in tables:
        if name == "network":
            fact = "the file has a [program] already"
            problems.wrong((name, ""), name, fact, "Leave one of the two tables out.")
        elif name not in KNOWN:
            guess = problems.guess(name, [t for t in KNOWN if t not in tables])
            told = "Write [program], [weights], [data] and [convention]."
            problems.wrong((name, ""), safe(name[:60]), f"the table is not known{guess}", told)
    steps = _steps(sections[TABLE])
    convention = _convention(problems, tables, sections[TABLE])
    named = _axes(sections[TABLE])
    problems.done()  # without a program nothing can be said of arrays
    params, origin = _params(sections["weights"], steps, folder)
    data, said = _data(sections["data"], steps, params, folder)
    problems.done()
    section = sections[TABLE]
    assert section is not None
    lines = tuple(section.values["lines"])
    try:
        steps_of(lines, {}, params)  # what a formula says of arrays of these numbers of axes
    except JacobianError as error:
        section.refused("lines", error)
        problems.done()
    return ProgramSpec(lines, params, data, named, convention, (*said, *origin))


def _section(problems: Problems, tables: Mapping[str, Any], name: str) -> Section | None:
    value = tables.get(name)
    if value is None or isinstance(value, dict):
        return None if value is None else Section(problems, name, value)
    told = f"Write [{name}] on a line of its own."
    problems.wrong((name, ""), name, f"{shown(value)} is not a table", told)
    return None


def _steps(section: Section | None) -> list[Step]:
    if section is None:
        return []
    section.only(KEYS, ("lines",))
    lines = section.values.get("lines")
    if "lines" not in section.values:
        return []
    if not isinstance(lines, list) or not lines:
        section.wrong("lines", f"{shown(lines)} is not a list of lines of text", LINES)
        return []
    for place, line in enumerate(lines):
        if not isinstance(line, str):
            section.wrong("lines", f"{shown(line)} is not a line of text", LINES, f"[{place}]")
            return []
    try:
        return steps_read(lines)
    except JacobianError as error:
        section.refused("lines", error)
        return []


def _convention(
    problems: Problems, tables: Mapping[str, Any], section: Section | None
) -> str | ReadyMade | None:
    said = None if section is None else section.values.get("convention")
    if convention_file.TABLE in tables:
        if said is not None and section is not None:
            told = "Say it once, by the key or in the table [convention]."
            section.wrong("convention", "the file has a table [convention]", told)
        return convention_file.read_table(problems, dict(tables))
    return None if said is None or section is None else section.choice("convention", said, NAMES)


def _axes(section: Section | None) -> dict[str, str] | None:
    said = None if section is None else section.values.get("axes")
    if said is None or section is None:
        return None
    if not isinstance(said, dict) or not all(isinstance(names, str) for names in said.values()):
        section.wrong("axes", f"{shown(said)} does not name axes", AXES)
        return None
    return dict(said)


def _given(steps: Sequence[Step]) -> list[str]:
    """The names that the steps read and none of them computes, in order."""
    made = {step.name for step in steps}
    return list(dict.fromkeys(arg for step in steps for arg in step.args if arg not in made))


def _params(
    section: Section | None, steps: Sequence[Step], folder: Path
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The parameters, and in words where they are from."""
    if section is None:
        return {}, []
    given = _given(steps)
    if "file" not in section.values:
        section.only(given)
        arrays = _inline(section, given)
        if not section.values:
            section.wrong("", "the table is empty", "Write the parameters; or leave it out.")
        return {n: a.astype(np.float64) for n, a in arrays.items()}, [
            f"weights read from {safe(section.problems.name)}"
        ]
    section.only(["file"])
    name = section.values["file"]
    if not isinstance(name, str):
        section.wrong("file", f"{shown(name)} is not the name of a file", FILE)
        return {}, []
    left: list[str] = []
    try:
        named_inside(name, folder)
        found = read_weights(Path(name), folder, program_names(steps, left))
    except JacobianError as error:
        section.refused("file", error)
        return {}, []
    remarks = [f"weights read from {safe(name)}"]
    if left:
        remarks.append(f"left out: {', '.join(map(safe, left))}, which training does not change")
    return found, remarks


def _data(
    section: Section | None,
    steps: Sequence[Step],
    params: Mapping[str, np.ndarray],
    folder: Path,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The inputs, all of them; without [data] none."""
    inputs = [name for name in _given(steps) if name not in params]
    if section is None:
        return {}, []
    if "file" in section.values:
        section.only(["file"])
        name = section.values["file"]
        if not isinstance(name, str) or not name.endswith(".npz"):
            fact = f"{shown(name)} is no .npz file; a program reads arrays, no table"
            section.wrong("file", fact, DATA)
            return {}, []
        try:
            found = read_arrays(named_inside(name, folder))
        except JacobianError as error:
            section.refused("file", error)
            return {}, []
        origin = [f"data read from {safe(name)}"]
        for key in found:
            if key not in inputs:
                guess = section.problems.guess(key, inputs)
                fact = f"{safe(key)} is no input of the program{guess}"
                section.wrong("file", fact, f"The inputs are {', '.join(inputs)}.")
    else:
        section.only(inputs)
        found, origin = _inline(section, inputs), []
    for key in inputs:
        if key not in found and key not in section.values:
            _missing(section, key, parameters_of(steps))
    return found, origin


def _missing(section: Section, key: str, parameters: Sequence[str]) -> None:
    """Note an input without numbers; what an op reads as its parameter belongs to the weights."""
    where = "[weights]" if key in parameters else f"[{section.name}]"
    place = "file" if "file" in section.values else key
    section.wrong(place, f"{key} is missing", f"No line computes it: write it under {where}.")


def _inline(section: Section, names: Sequence[str]) -> dict[str, np.ndarray]:
    arrays = {
        key: numbers(section, key, section.values[key], DEEPEST)
        for key in names
        if key in section.values
    }
    return {key: array for key, array in arrays.items() if array is not None}
