"""A place of a student's program that is one name here: self.W1, cache["A1"], activations[-2]."""

import ast
import re

from .vocabulary import LISTS, list_kind

BAGS = frozenset(
    [
        "self",
        "cache",
        "params",
        "parameters",
        "grads",
        "gradients",
        "model",
        "net",
        "nn",
        "layer",
        "state",
    ]
)
NUMBERED = re.compile(r"(d?[A-Za-z]|[a-z_]+_?)\d+")
INDEX = re.compile(r"-?\d+|-?(l|i|layer)( [+-] \d+)?")
KEY = re.compile(r"'\w+'|'[A-Za-z]+' \+ str\([\w +-]+\)")


def place_of(tree: ast.expr) -> str | None:
    """The name as it is written, or None for what is no such place.

    >>> place_of(ast.parse('cache["A1"]', mode="eval").body)
    "cache['A1']"
    """
    match tree:
        case ast.Attribute(value=ast.Name(id=bag), attr=attr):
            known = bag.lower() in BAGS or NUMBERED.fullmatch(attr)
            plain = bag not in ("np", "numpy") and not attr.startswith("_")
            return f"{bag}.{attr}" if known and plain else None
        case ast.Subscript(value=ast.Name() | ast.Attribute() as base, slice=key):
            listed = base.id if isinstance(base, ast.Name) else base.attr
            before = listed if isinstance(base, ast.Name) else place_of(base)
            written = ast.unparse(key)
            if before is None or listed.startswith("_"):
                return None
            if KEY.fullmatch(written) or (_is_list(listed) and INDEX.fullmatch(written)):
                return f"{before}[{written}]"
    return None


def _is_list(word: str) -> bool:
    low = word.lower()
    known = any(low in words for words in LISTS.values()) or low in ("deltas", "dzs")
    return known or (list_kind(low) is not None and not re.search(r"\d", low))
