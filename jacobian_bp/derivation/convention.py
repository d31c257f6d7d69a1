"""How somebody writes backpropagation: which axis is which, where the 1/m stands, and the names.

One object says it to every part that prints for a reader or reads what one has written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..algebra.layouts import LAYOUTS
from ..errors import SpecError
from ..writing.signs import did_you_mean, safe, type_of

CHOICES: dict[str, tuple[str, ...]] = {
    "examples": ("rows", "columns"),
    "weights": ("out,in", "in,out"),
    "mean": ("delta", "gradient"),
    "bias": ("own", "first", "last"),
    "layout": LAYOUTS,
}
WEIGHTS = {"out,in": "W (outputs, inputs)", "in,out": "W (inputs, outputs)"}
FIRST = (0, 1, 2)
LAYERED = ("W", "b", "z", "a", "delta", "dW", "db", "da")  # symbols that a layer's number follows
LONGEST_NAME = 40
MOST_NAMES = 100
_NUMBER = re.compile(r"\{l(?P<shift>[+-]\d)?\}")
_QUANTITY = re.compile(r"(?P<symbol>[^\W\d][^\W\d]*)(?P<layer>\d+)?")


@dataclass(frozen=True)
class Convention:
    """Which axis of an array is which, where the 1/m of a mean stands, and what things are called.

    examples   "rows": data and deltas are (examples, units); "columns": (units, examples)
    weights    "out,in": W is (outputs, inputs); "in,out": (inputs, outputs)
    mean       "delta": the 1/m of a mean cost is in the deltas, which are ∂J/∂z;
               "gradient": it is in the gradients, and a delta is ∂L/∂z of each example;
               None: not said. What is printed has it in the deltas, and arrays and lines that
               are read may have it in either. A whole function is judged by its gradients: its
               deltas may have the 1/m or not, whatever is said
    bias       "own": an array of its own; "first", "last": that column of W (row, for "in,out")
    first      the number of the first layer that has weights: 1 for W1 behind the input x = a0,
               0 for W0, 2 where the input counts as layer 1
    names      the writer's name → ours, {l} standing for the layer's number as the writer counts:
               {"Theta{l-1}": "W", "dZ{l}": "delta", "images": "x", "sigmoid_prime": "slope"}
    layout     of printed Jacobians: numerator, transposed, flat, flat_column, gradient

    >>> print(Convention(examples="columns"))
    examples in columns, W (outputs, inputs)
    >>> ours = Convention(first=2, names={"Theta{l-1}": "W"})
    >>> ours.quantity("Theta1"), ours.quantity("z2"), ours.name("W1"), ours.name("z1")
    ('W1', 'z1', 'Theta1', 'z2')

    Raises SpecError for any other word, and for a name that means two things.
    """

    examples: str = "rows"
    weights: str = "out,in"
    mean: str | None = None
    bias: str = "own"
    first: int = 1
    names: Mapping[str, str] = field(default_factory=dict)
    layout: str = "flat"

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            given = getattr(self, name)
            if given not in choices and not (name == "mean" and given is None):
                raise _refusal(name, given, [repr(choice) for choice in choices])
        if type(self.first) is not int or self.first not in FIRST:
            raise _refusal("first", self.first, [str(number) for number in FIRST])
        object.__setattr__(self, "names", MappingProxyType(_checked(self.names)))
        for written in self.names:
            _require_number(written, self.first)

    def __hash__(self) -> int:
        return hash((*(getattr(self, name) for name in CHOICES), self.first, *self.names.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is made of the same words; a closed mapping of names cannot be copied."""
        words = (self.examples, self.weights, self.mean, self.bias, self.first)
        return Convention, (*words, dict(self.names), self.layout)

    def __str__(self) -> str:
        """The axes, and of the rest what is not the package's own way."""
        said = [f"examples in {self.examples}", WEIGHTS[self.weights]]
        if self.mean == "gradient":
            said.append("1/m in the gradients")
        if self.bias != "own":
            line = "column" if self.weights == "out,in" else "row"
            said.append(f"the bias the {self.bias} {line} of W")
        if self.first != 1:
            said.append(f"the first layer's weights are {self.name('W1')}")
        return ", ".join(said)

    @property
    def says_axes(self) -> bool:
        """Whether arrays, or the place of the 1/m, are not the package's own."""
        own = (self.examples, self.weights, self.mean or "delta", self.bias)
        return own != ("rows", "out,in", "delta", "own")

    def name(self, quantity: str) -> str:
        """What the writer calls one of our quantities: "W1", "delta2", "x"; else as it is.

        Where several names mean it, the first that was given.
        """
        for written, meant in self.names.items():
            if meant == quantity:
                return written
        symbol, layer = _split(quantity)
        if symbol not in LAYERED or layer is None:
            return quantity
        for written, meant in self.names.items():
            if meant == symbol:
                return _numbered(written, layer + self.first - 1)
        return f"{symbol}{layer + self.first - 1}"

    def quantity(self, name: str) -> str | None:
        """Which of our quantities a name of the writer means; None where it says nothing."""
        if name in self.names:
            return self.names[name]
        for written, meant in self.names.items():
            layer = _layer(written, name)
            if layer is not None:
                return f"{meant}{layer - self.first + 1}"
        symbol, number = _split(name)
        if symbol in LAYERED and number is not None and number >= self.first - (symbol == "a"):
            return f"{symbol}{number - self.first + 1}"
        return None


def _refusal(name: str, given: object, choices: list[str]) -> SpecError:
    guess = did_you_mean(repr(given), choices) if isinstance(given, str) else ""
    return SpecError(
        f"Convention: {name} is {safe(repr(given))[:40]}.{guess}\n  Write {' or '.join(choices)}."
    )


def _checked(names: object) -> dict[str, str]:
    """The names, each with one meaning that is a quantity of ours."""
    if not isinstance(names, Mapping):
        raise SpecError(
            f"Convention: names is {type_of(names)}.\n"
            '  Write a mapping from your name to ours: {"Theta{l}": "W", "images": "x"}.'
        )
    if len(names) > MOST_NAMES:
        raise SpecError(
            f"Convention: {len(names):,} names; at most {MOST_NAMES} are taken.\n"
            "  Write {l} for the layer's number: one name then serves all layers."
        )
    checked: dict[str, str] = {}
    for written, meant in names.items():
        _check_name(written, meant)
        for earlier, other in checked.items():
            if _clash(earlier, written):
                raise SpecError(
                    f"Convention: names: {safe(earlier)!r} ({other}) and "
                    f"{safe(written)!r} ({meant}) are the same for some layer.\n"
                    "  Give each name one meaning."
                )
        checked[written] = meant
    return checked


def _check_name(written: object, meant: object) -> None:
    if not (isinstance(written, str) and isinstance(meant, str)):
        raise SpecError(
            f"Convention: names: {safe(repr(written))[:40]} → {safe(repr(meant))[:40]}.\n"
            "  Write both as strings: your name, then ours."
        )
    plain = _NUMBER.sub("0", written)
    is_name = plain.isprintable() and plain and " " not in plain and not set("{}") & set(plain)
    if not is_name or len(written) > LONGEST_NAME:
        raise SpecError(
            f"Convention: names: {safe(repr(written))[:60]} is no name.\n"
            "  Write letters and numbers, and {l}, {l-1} or {l+1} for the layer's number."
        )
    numbered = len(_NUMBER.findall(written))
    if numbered > 1 or (numbered == 1) != (meant in LAYERED):
        what = "one {l}" if meant in LAYERED else "no {l}"
        raise SpecError(
            f"Convention: names: {safe(repr(written))} means {safe(repr(meant))}, "
            f"which wants {what} in the name.\n"
            f"  With {{l}} the meaning is one of {', '.join(LAYERED)};\n"
            '  without, one quantity: "W2", "x", "y", "J", "slope".'
        )
    if not _QUANTITY.fullmatch(meant):
        raise SpecError(
            f"Convention: names: {safe(repr(written))} means {safe(repr(meant))[:40]}, "
            "which is no quantity.\n"
            f'  Write {", ".join(LAYERED)}, or one quantity: "W2", "x", "y", "J", "slope".'
        )


def _require_number(written: str, first: int) -> None:
    """SpecError for a name whose number is below 0 in the first layer: Theta{l-1} from 0."""
    match = _NUMBER.search(written)
    if match and first + int(match["shift"] or 0) < 0:
        raise SpecError(
            f"Convention: names: {safe(repr(written))} is {_numbered(written, first)} in the first "
            f"layer, whose number is {first}.\n  Write {_NUMBER.sub('{l}', written)}, or first = 1."
        )


def _clash(one: str, other: str) -> bool:
    """Whether two names are spelt alike for some layer."""
    if _NUMBER.search(one) and _NUMBER.search(other):
        return _NUMBER.sub("{}", one) == _NUMBER.sub("{}", other)
    if _NUMBER.search(one):
        return _layer(one, other) is not None
    return one == other or _layer(other, one) is not None


def _split(name: str) -> tuple[str, int | None]:
    """("W", 2) of "W2"; the number is None where there is none."""
    match = _QUANTITY.fullmatch(name)
    if match is None:
        return name, None
    return match["symbol"], None if match["layer"] is None else int(match["layer"])


def _numbered(written: str, layer: int) -> str:
    return _NUMBER.sub(lambda match: str(layer + int(match["shift"] or 0)), written)


def _layer(written: str, name: str) -> int | None:
    """The layer, as the writer counts, for which `written` spells `name`."""
    match = _NUMBER.search(written)
    if match is None:
        return None
    before, after = written[: match.start()], written[match.end() :]
    middle = name[len(before) : len(name) - len(after)]
    if not (name.startswith(before) and name.endswith(after) and middle.isdecimal()):
        return None
    return int(middle) - int(match["shift"] or 0) if len(middle) < 6 else None
