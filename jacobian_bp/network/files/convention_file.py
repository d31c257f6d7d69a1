"""A convention from the table [convention] of a TOML file, read strictly.

    [convention]
    examples = "columns"     # or "rows"
    weights = "in,out"       # W (inputs, outputs); or "out,in"
    mean = "gradient"        # the 1/m stands in the gradients; or "delta"
    bias = "first"           # the first column of W; or "last", or "own"
    first = 1                # the number of the first layer with weights: 0, 1 or 2
    layout = "gradient"      # of printed Jacobians
    names = { "Theta{l}" = "W", "X" = "x" }

The file may be that of a whole network, which may also name a ready-made convention.
"""

from pathlib import Path
from typing import Any

from ...derivation.convention import CHOICES, FIRST, MOST_NAMES, Convention
from ...derivation.ready_made import NAMES, ReadyMade, find_convention
from ...errors import SpecError
from ...writing.signs import safe
from .toml_text import Section, read_toml, shown

TABLE = "convention"
KEYS = (*CHOICES, "first", "names")
TABLES = ("network", "program", "weights", "data", TABLE)  # of a network's file
HEAD = "Convention: "  # how the messages of a Convention begin
FORM = '{ "Theta{l}" = "W", "X" = "x" }'


def convention_of(given: "str | Path | Convention | ReadyMade") -> ReadyMade:
    """A convention by the name of a ready-made one, by the path of a TOML file, or as it is.

    Raises SpecError for a name that is not known, and with every problem of a file, each
    with its line and key.
    """
    if isinstance(given, Path) or (isinstance(given, str) and given.endswith(".toml")):
        return read_convention(Path(given))
    return find_convention(given)


def read_convention(path: Path) -> ReadyMade:
    """The convention that a TOML file says, in a table or, in a network's file, by name."""
    tables, problems = read_toml(path)
    for name in tables:
        if name not in TABLES:
            guess = problems.guess(name, [t for t in TABLES if t not in tables])
            told = f"Write [{TABLE}], alone or in the file of a network."
            problems.wrong((name, ""), safe(name[:60]), f"the table is not known{guess}", told)
    found: ReadyMade | None = None
    if TABLE in tables:
        found = read_table(problems, tables)
    network = tables.get("network")
    if isinstance(network, dict) and TABLE in network:
        said = Section(problems, "network", network).choice(TABLE, network[TABLE], NAMES)
        found = found or (find_convention(said) if said else None)
    elif TABLE not in tables:
        told = (
            f'Write the table with examples = "columns", weights = "in,out", …: {", ".join(KEYS)}.'
        )
        problems.wrong(("", ""), f"[{TABLE}]", "the table is missing", told)
    problems.done()
    assert found is not None
    return found


def read_table(problems: Any, tables: dict[str, Any]) -> ReadyMade | None:
    """The table [convention]; what is wrong is noted, and then there is none."""
    values = tables[TABLE]
    if not isinstance(values, dict):
        fact = f"{shown(values)} is not a table"
        told = f"Write [{TABLE}] on a line of its own; a name goes under [network]."
        problems.wrong((TABLE, ""), TABLE, fact, told)
        return None
    section = Section(problems, TABLE, values)
    before = len(problems.found)
    network = tables.get("network")
    if isinstance(network, dict) and TABLE in network:
        fact = f"network.{TABLE} names one already"
        section.wrong("", fact, f"Leave one of the two out, the key or the table [{TABLE}].")
    section.only(KEYS)
    facts: dict[str, Any] = {}
    for key, choices in CHOICES.items():
        if key in values:
            facts[key] = section.choice(key, values[key], choices)
    if "first" in values:
        numbers = " or ".join(map(str, FIRST))
        told = f"Write {numbers}: the number of the first layer with weights."
        facts["first"] = section.whole("first", values["first"], FIRST[0], FIRST[-1], told=told)
    if "names" in values:
        facts["names"] = _names(section, values["names"], facts.get("first"))
    return ReadyMade(Convention(**facts)) if len(problems.found) == before else None


def _names(section: Section, names: Any, first: int | None) -> dict[str, str]:
    """The writer's names, each tried alone and then with those before it."""
    if not isinstance(names, dict):
        section.wrong("names", f"{shown(names)} is not a table", f"Write names = {FORM}.")
        return {}
    if len(names) > MOST_NAMES:
        told = "Write {l} for the layer's number: one name then serves all layers."
        fact = f"{len(names):,} names; at most {MOST_NAMES} are taken"
        section.wrong("names", fact, told)
        return {}
    kept: dict[str, str] = {}
    for written, meant in names.items():
        try:
            Convention(names={**kept, written: meant}, first=1 if first is None else first)
        except SpecError as error:
            said = str(error).removeprefix(HEAD).removeprefix("names: ")
            place = (section.name, written)
            place = place if section.problems.has(place) else (section.name, "names")
            section.problems.wrong(place, f"{section.name}.names", said, "")
        else:
            kept[written] = meant
    return kept
