"""Every einsum of two arrays whose shapes allow it but the right one; a reshape for a transpose."""

from collections.abc import Iterable, Iterator
from itertools import permutations

import numpy as np

from ..passes.backward import Line
from .mutation import Facts, Shape, Wrong

LETTERS = "abcdefgh"
SPARE = "mjlpq"


def other_contractions(
    line: Line, facts: Facts, left: Shape, right: Shape, meant: tuple[str, str, str]
) -> Iterator[Wrong]:
    """The line by every other equation that gives the target's shape, or one handed in."""
    wanted = facts.shapes | {squeezed(facts.values[line.target].shape)}
    if (len(left), len(right)) != (len(meant[0]), len(meant[1])):
        return  # an axis beside the examples, of which these letters know nothing
    done = {canonical(*meant)}
    sizes = (*left, *right)
    for letters in labellings(sizes):
        first, second = letters[: len(left)], letters[len(left) :]
        size = dict(zip(letters, sizes, strict=True))
        distinct = tuple(dict.fromkeys(letters))
        for rank in range(len(distinct) + 1):
            for out in permutations(distinct, rank):
                shape = tuple(size[c] for c in out)
                name = canonical(first, second, "".join(out))
                if squeezed(shape) not in wanted or name in done:
                    continue
                done.add(name)
                if shape != facts.values[line.target].shape and len(out) == len(distinct):
                    continue  # nothing is summed: a table, which has labels of its own
                equation = f"{first},{second}->{''.join(out)}"
                note = in_letters(first, second, "".join(out), meant)
                yield Wrong(line.by(by_equation(equation)), note, equation)


def by_equation(equation: str):
    """The einsum as a product of a line."""

    def product(incoming: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.einsum(equation, incoming, other)

    return product


def labellings(sizes: Shape) -> Iterator[str]:
    """Letters for axes of these sizes; one letter has one size."""

    def extend(letters: str, position: int) -> Iterator[str]:
        if position == len(sizes):
            yield letters
            return
        used = sorted(set(letters))
        for letter in used:
            if sizes[letters.index(letter)] == sizes[position]:
                yield from extend(letters + letter, position + 1)
        yield from extend(letters + LETTERS[len(used)], position + 1)

    yield from extend("", 0)


def canonical(first: str, second: str, out: str) -> str:
    """One spelling for equations that differ in their letters only."""
    names: dict[str, str] = {}
    for letter in first + second + out:
        names.setdefault(letter, LETTERS[len(names)])
    return ",".join("".join(names[c] for c in word) for word in (first, second, out))


def in_letters(first: str, second: str, out: str, meant: tuple[str, str, str]) -> str:
    """The equation in the letters of the right one, nk,mi->ki for nk,ni->ki, and in words.

    An index of the second factor that is none of the first's keeps its letter if it can.
    """
    names: dict[str, str] = dict(zip(first, meant[0], strict=True))
    for letter, own in zip(second, meant[1], strict=True):
        free = [c for c in own + SPARE if c not in names.values()]
        names.setdefault(letter, free[0])
    left, right, result = ("".join(names[c] for c in word) for word in (first, second, out))
    return f"{left},{right}->{result}{in_words(left, right, result, meant)}"


def in_words(left: str, right: str, result: str, meant: tuple[str, str, str]) -> str:
    """What is summed by itself, and what is paired that is not in the right equation."""
    if left[0] == "n" and "n" not in right + result:
        return ", where each factor is summed over the examples by itself"
    alone = [spoken(c for c in left if c not in right + result)]
    alone += [spoken(c for c in right if c not in left + result)]
    first, second = alone
    if first and second:
        return f", where δ is summed over {first}, the other factor over {second}, each by itself"
    if first or second:
        who = f"δ is summed over {first}" if first else f"the other factor is summed over {second}"
        return f", where {who} by itself"
    paired = [c for c in dict.fromkeys(left) if c in right and c not in {*meant[0]} & {*meant[1]}]
    if not paired:
        return ""
    summed = "" if set(paired) & set(result) else ", and summed"
    return f", where the two are paired along {spoken(paired)}{summed}"


def spoken(letters: Iterable[str]) -> str:
    """k and the examples"""
    return " and ".join("the examples" if c == "n" else c for c in dict.fromkeys(letters))


def squeezed(shape: Shape) -> Shape:
    """The shape without its axes of size 1."""
    return tuple(size for size in shape if size != 1)


def by_rows(array: np.ndarray) -> np.ndarray:
    """What array.reshape(n, m) makes of it where array.T is meant, turned back."""
    return array.reshape(array.shape[::-1]).T


def by_columns(array: np.ndarray) -> np.ndarray:
    """The same of array.T."""
    return array.T.reshape(array.shape)


def is_oblong(array: np.ndarray) -> bool:
    """A matrix whose transpose has another shape, and that is no row or column."""
    return array.ndim == 2 and min(array.shape) > 1 and array.shape[0] != array.shape[1]
