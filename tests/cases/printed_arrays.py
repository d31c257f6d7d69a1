"""A printed array read back: its numbers, at their places."""

import re

import numpy as np

DIAGONAL = re.compile(r"diagonal \[(.*)\], '\.' beside it")
SAME = re.compile(r"(\[.*:\]): (?:each )?the same as \[(.*),:\]")
LABELLED = re.compile(r"\[((?:\d+,)*)(\d*):\]\s+(.*)")


def read_back(lines, shape):
    """The array that the lines show: 0 for '.' and for a row that is left out."""
    found = np.zeros(shape)
    if lines[0].startswith("its diagonal"):
        np.fill_diagonal(found, read_back(lines[1:], shape[:1]))
        return found
    if diagonal := DIAGONAL.fullmatch(lines[0]):
        np.fill_diagonal(found, _numbers(diagonal[1]))
        return found
    lines = re.sub(r"\n {4}(?=\S)", " ", "\n".join(lines)).splitlines()  # words that were folded
    if lines == ["every entry is '.'"]:
        return found
    rows = found.reshape(-1, shape[-1] if shape else 1)
    for position, line in enumerate(lines):
        labelled = LABELLED.fullmatch(line)
        if same := SAME.fullmatch(line):
            first = _place(same[2])
            for place in _places(same[1], first):
                found[place] = found[first]
        elif labelled:
            before, start, text = labelled.groups()
            place, start = tuple(map(int, before.split(",")[:-1])), int(start or 0)
            numbers = _numbers(text)
            found[(*place, slice(start, start + len(numbers)))] = numbers
        else:
            rows[position] = _numbers(re.sub(r"^(\[\d+\])?\s+\[", "[", line).strip("[]"))
    return found


def _places(text, first):
    """The rows in [1,1,:], [2,2,:], or in [1,1,:], [2,2,:] … [7,7,:]: evenly on to the last."""
    named = [_place(name) for name in re.findall(r"\[(.*?),:\]", text)]
    if "…" not in text:
        return named
    *begin, last = named
    step = np.subtract(begin[0], first)
    assert [tuple(np.add(first, step * n)) for n in (1, 2)] == begin
    while begin[-1] != last:
        begin.append(tuple(map(int, np.add(begin[-1], step))))
    return begin


def _place(text):
    return tuple(map(int, text.split(",")))


def _numbers(text):
    return [0.0 if cell == "." else float(cell) for cell in text.split()]
