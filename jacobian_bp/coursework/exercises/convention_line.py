"""The convention of a sheet in its first line: the name of a ready-made one, or what it says.

# jacobian-bp exercise 2, seed 7, convention ng, sheet 1f0c99ab
# jacobian-bp exercise 2, seed 7, convention {"examples": "columns"}, sheet 1f0c99ab
"""

import json
from dataclasses import fields

from ...derivation.convention import Convention
from ...derivation.ready_made import ReadyMade, find_convention
from ...errors import SpecError

PATTERN = r"(?:, convention (\w{1,20}|\{[ -~]{0,6000}\}))?"  # in the first line
OWN = Convention()


def convention_line(ready: ReadyMade) -> str:
    """How a sheet says its convention; of one without a name, what is not the package's own way.

    >>> convention_line(ReadyMade(Convention(examples="columns", names={"Theta{l}": "W"})))
    '{"examples": "columns", "names": {"Theta{l}": "W"}}'
    """
    if ready.name:
        return ready.name
    facts = {}
    for field in fields(Convention):
        value = getattr(ready.convention, field.name)
        if value != getattr(OWN, field.name):
            facts[field.name] = dict(value) if field.name == "names" else value
    return json.dumps(facts)


def convention_said(text: str) -> ReadyMade | None:
    """The convention that a first line says, None where it says none; SpecError for no such."""
    if not text.startswith("{"):
        return find_convention(text) if text else None
    try:
        return ReadyMade(Convention(**json.loads(text)))
    except (ValueError, TypeError, RecursionError):
        raise SpecError(
            f"the first line says a convention that is none: {text[:60]}.\n"
            "  Put the first line back as it was, or begin with a fresh sheet."
        ) from None


def same_convention(one: ReadyMade, other: ReadyMade) -> bool:
    """Whether two conventions write alike: the name that a file has not is no difference."""
    return convention_line(one) == convention_line(other) or one.convention == other.convention
