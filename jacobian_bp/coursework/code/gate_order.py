"""In which order a text has the gates of an LSTM in one array, by the lines that say it.

i = sigmoid(a[:, 0:H]),  f = sigmoid(a[:, H:2*H]), …  say i, f, … whatever is made of them later
"""

import re
from collections.abc import Iterator

from ..lines.vocabulary import words
from .cell_steps import GATES

OF_GATES = {
    "i": words("i it i_t ig input_gate"),
    "f": words("f ft f_t fg forget_gate"),
    "o": words("o ot o_t og output_gate"),
    "g": words("g gt g_t cct c_tilde c_hat c_bar candidate gbar ctilde c_candidate"),
}
OF_SUMS = re.compile(r"(?:a|z)_?([ifog])|([ifog])_?(?:raw|pre|hat|in|input)")
ASSIGNED = re.compile(r"^\s*(\w+) *= *(.+)$", re.MULTILINE)
SLICED = re.compile(r"\[ *(?::? *, *)?([\w* ]*):([\w* ()+]*)(?:, *:? *)?\]")
SPLIT = re.compile(r"^\s*(\w+), *(\w+), *(\w+), *(\w+) *= *np\.\w*split\(", re.MULTILINE)
MULTIPLE = re.compile(r"(\d) *\* *[A-Za-z]\w*|[A-Za-z]\w* *\* *(\d)")
STACKED = re.compile(r"(?:concatenate|[hv]stack|column_stack)\(\(?\[?([^\n]*)")
GATE = re.compile(r"\bd?_?[az]?_?([ifgo])(?:_\w+)?\b")


def taken_apart(text: str) -> str:
    """The order in which a text takes the gates out of one array; "" where none is told."""
    for found in SPLIT.finditer(text):
        letters = "".join(_gate(word) for word in found.groups())
        if sorted(letters) == sorted(GATES):
            return letters
    told = sorted(set(_slices(text)))
    letters = "".join(gate for _, gate in told)
    every = [place for place, _ in told] == [0, 1, 2, 3] and sorted(letters) == sorted(GATES)
    return letters if every else ""


def put_together(text: str) -> str:
    """The order in which a text puts the gates into one array; "" where none is told."""
    for found in STACKED.finditer(text):
        each = [GATE.search(part) for part in re.split(r",(?![^()]*\))", found[1].rstrip("])"))]
        letters = "".join(one[1] for one in each if one)
        if sorted(letters) == sorted(GATES):
            return letters
    return ""


def _slices(text: str) -> Iterator[tuple[int, str]]:
    """Each gate that is a slice of an array, with how many times H stand before it."""
    for found in ASSIGNED.finditer(text):
        gate, sliced = _gate(found[1]), SLICED.search(found[2])
        place = _times(sliced[1].strip()) if sliced else None
        if gate and place is not None:
            yield place, gate


def _gate(name: str) -> str:
    low = name.lower()
    found = OF_SUMS.fullmatch(low)
    if found:
        return found[1] or found[2]
    return next((gate for gate, spelt in OF_GATES.items() if low in spelt), "")


def _times(start: str) -> int | None:
    """How many times H a slice starts at: 2 for 2*H, 1 for H, 0 for nothing."""
    if start in ("", "0"):
        return 0
    if found := MULTIPLE.fullmatch(start):
        return int(found[1] or found[2])
    return 1 if re.fullmatch(r"[A-Za-z]\w*", start) else None
