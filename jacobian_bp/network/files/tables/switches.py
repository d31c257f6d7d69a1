"""The options of a table on the command line, and the table that they ask for.

Every command has the options; what reads a table is loaded where there is one.
"""

import argparse
from typing import TYPE_CHECKING, Any

from ....numbers.memory import parse_bytes
from .options import CHOICES, DELIMITERS, TableOptions, table_options

if TYPE_CHECKING:
    from .read_table import TableData

SWITCHES: dict[str, dict[str, Any]] = {  # each with how it is parsed
    "header": {
        "action": argparse.BooleanOptionalAction,
        "help": "whether line 1 holds names (default: found)",
    },
    "delimiter": {"metavar": "NAME", "help": ", ".join(DELIMITERS) + " (default: found)"},
    "decimal": {"metavar": "SIGN", "help": "point, comma (default: found)"},
    "thousands": {"metavar": "SIGN", "help": "comma, point, none (default: found)"},
    "encoding": {"metavar": "NAME", "help": "utf-8 (default), cp1252"},
    "skip": {"metavar": "LINES", "type": int, "help": "lines above the table"},
    "missing": {"metavar": "WAY", "help": ", ".join(CHOICES["missing"]) + " (default: refuse)"},
    "missing_token": {"metavar": "TEXT", "help": "what else means that a value is missing"},
    "category": {"metavar": "COLUMN", "help": "its values are classes, though they are numbers"},
    "drop": {"metavar": "COLUMN", "help": "leave it out"},
    "keep": {"metavar": "COLUMN", "help": "use it, though it is a row number, a date, a text"},
    "columns": {"metavar": "A,B", "help": "the inputs: names, numbers from 1, 2-5 (default: all)"},
    "rows": {"metavar": "A-B", "help": "these rows alone, from 0 (default: all)"},
}
REPEATED = ("missing_token", "category", "drop", "keep", "columns")


def add_switches(parser: argparse.ArgumentParser) -> None:
    """Add the options of a table to those of a network."""
    for name, how in SWITCHES.items():
        repeated = {"action": "append"} if name in REPEATED else {}
        how = {**repeated, **how}
        parser.add_argument(f"--{name.replace('_', '-')}", **how)


def switch_of(options: argparse.Namespace) -> str | None:
    """The first option that says something of a table, as it was written; None without one."""
    for name in ("target", "example", "raw", "data_limit", *SWITCHES):
        value = getattr(options, name)
        if name in ("header", "raw") and value is False:
            return f"--no-{name}"
        if value is not None and value is not False and (name != "example" or value):
            return "--" + name.replace("_", "-")
    return None


def options_of(options: argparse.Namespace) -> TableOptions:
    """What the command line says of the table."""
    said = {name: getattr(options, name) for name in SWITCHES}
    limit = parse_bytes(options.data_limit, "--data-limit") if options.data_limit else None
    return table_options("command", raw=options.raw, data_limit=limit, **said)


def table_asked_for(options: argparse.Namespace) -> "TableData":
    """The table of --data; SpecError where something is wrong with it, or the target missing."""
    from .read_table import table_of

    return table_of(options.data, tuple(options.target or ()), options_of(options))
