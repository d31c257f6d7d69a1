"""A printed array read back: its numbers, at their places."""

import re

import numpy as np

LABELLED = re.compile(r"\[((?:\d+,)*)(\d*):\]\s+(.*)")


def read_back(lines, shape):
    """The array that the lines show: 0 for '.' and for a row that is left out."""
    found = np.zeros(shape)
    if lines[0].startswith("its diagonal"):
        np.fill_diagonal(found, read_back(lines[1:], shape[:1]))
        return found
    if lines == ["every entry is '.'"]:
        return found
    rows = found.reshape(-1, shape[-1] if shape else 1)
    for position, line in enumerate(lines):
        labelled = LABELLED.fullmatch(line)
        if labelled:
            before, start, text = labelled.groups()
            place, start = tuple(map(int, before.split(",")[:-1])), int(start or 0)
            numbers = _numbers(text)
            found[(*place, slice(start, start + len(numbers)))] = numbers
        else:
            rows[position] = _numbers(re.sub(r"^(\[\d+\])?\s+\[", "[", line).strip("[]"))
    return found


def _numbers(text):
    return [0.0 if cell == "." else float(cell) for cell in text.split()]
