"""What a name in a line means: dZ2, self.W1, cache["A1"], activations[-2], da1_dz1, A_prev."""

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import NamedTuple

from .vocabulary import (
    COUNT,
    HIDDEN,
    LISTS,
    OF_GRADIENTS,
    OUTPUT,
    Naming,
    derivative_of,
    list_kind,
    value_of,
)

COSTS = ("j", "l", "c", "e", "loss", "cost", "error")
GENERIC = {"w": "W", "b": "b", "z": "z", "a": "a"}  # of the layer that the line is about
BEFORE = re.compile(r"a_?(prev|p|before)")
INDEX = r"(-?)(?:(\d+)|(l|i|layer)\s*(?:([+-])\s*(\d+))?)"


class Meaning(NamedTuple):
    """A value, the gradient ∂J/∂ of one, or a Jacobian, which has `by` too."""

    kind: str
    of: str
    by: str = ""


class Names:
    """The names of one line, in a network of `layers` layers that has these values.

    A name without a number, such as W, dZ and A_prev, is of the layer `layer`, and so is an
    index l: layer l, or with -l the l-th from the end. `inside` has words for what a formula names
    inside, and `own` words that mean the input and the value of such a formula. Where a value has
    `shares`, dxmu1 and dxmu2 are what reaches it through one step and through the other.
    """

    def __init__(
        self,
        values: Collection[str],
        cost: str,
        layer: int = 0,
        first: int = 1,
        next_: str = "",
        tied: Mapping[str, str] | None = None,
        inside: Mapping[str, str] | None = None,
        own: Mapping[str, str] | None = None,
        shares: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.tied, self.inside, self.own = tied or {}, inside or {}, own or {}
        self.shares = shares or {}
        self.values, self.cost, self.layer, self.next = values, cost, layer, next_
        self.naming = Naming(first=first)
        self._of: dict[str, Meaning | None] = {}

    @cached_property
    def layers(self) -> int:
        found = [int(v[1:]) for v in self.values if re.fullmatch(r"z\d+", v)]
        return max(found, default=0)

    def meaning(self, text: str) -> Meaning | None:
        """What a name means, or None where nothing tells."""
        if text not in self._of:
            self._of[text] = self._meaning(text)
        return self._of[text]

    def is_generic(self, text: str) -> bool:
        """Whether the meaning of a name depends on the layer that the line is about."""
        if text in self.values or not self.layers:
            return False
        if self._value(text) in (*self.inside.values(), *self.own.values()):
            return False
        other = Names(self.values, self.cost, self.layer % self.layers + 1, self.naming.first)
        one = Names(self.values, self.cost, self.layer or self.layers, self.naming.first)
        return one.meaning(text) != other.meaning(text)

    def _meaning(self, text: str) -> Meaning | None:
        if text in self.values and text not in self.own:
            return Meaning("value", text)
        listed = re.fullmatch(rf"(?:\w+\.)*(\w+)\[\s*{INDEX}\s*\]", text)
        if listed:
            return self._listed(listed)
        keyed = re.fullmatch(
            r"((?:\w+\.)*\w+)\[\s*(['\"])(\w*)\2(?:\s*\+\s*str\(([^()]+)\))?\s*\]", text
        )
        bag, word = "", text.rsplit(".", 1)[-1]
        if keyed:
            bag, word = keyed[1], keyed[3]
            if keyed[4]:
                number = self._number(keyed[4])
                word = f"{word}{number}" if number is not None else ""
        found = self._word(word)
        if found and bag and OF_GRADIENTS.search(bag) and found.kind == "value":
            return Meaning("gradient", found.of)
        return found

    def _number(self, index: str) -> int | None:
        """str(l), str(l+1) and str(3) of W."""
        match = re.fullmatch(rf"\s*{INDEX}\s*", index)
        return self._counted(*match.groups()) if match and not match[1] else None

    def _counted(
        self, minus: str, digits: str | None, loop: str | None, sign: str | None, more: str | None
    ) -> int:
        if loop:
            own = self.layers - self.layer + 1 if minus else self.layer
            step = int(more or 0) * (-1 if sign == "-" else 1)
            return (-own if minus else own) + step
        return -int(digits or 0) if minus else int(digits or 0)

    def _listed(self, found: re.Match[str]) -> Meaning | None:
        """activations[-2], zs[-l], nabla_w[-1]: a list with one entry a layer."""
        word, place = found[1].lower(), self._counted(*found.groups()[1:])
        kind = next((kind for kind, words in LISTS.items() if word in words), None)
        of_gradients = list_kind(word) or ("z" if word in ("deltas", "dzs") else None)
        if not self.layers or (kind is None and of_gradients is None):
            return None
        shown = of_gradients or kind or ""
        number = place + 1 if shown != "a" else place
        if place < 0:
            number = self.layers + 1 + place
        value = "x" if shown == "a" and number == 0 else f"{shown}{number}"
        if value not in self.values:
            return None
        return Meaning("gradient" if of_gradients else "value", value)

    def _word(self, word: str) -> Meaning | None:
        value = self._value(word)
        if value:
            return Meaning("value", value)
        share = self._share(word)
        if share:
            return share
        if word.lower() in COUNT:
            return None
        quotient = re.fullmatch(r"d([A-Za-z]\w*?)_?d([A-Za-z]\w*)", word)
        if quotient:
            of, by = quotient[1].strip("_"), self._value(quotient[2])
            if by and of.lower() in COSTS:
                return Meaning("gradient", by)
            value = self._value(of)
            if by and value:
                return Meaning("jacobian", value, by)
        derivative = self._derivative(word)
        return Meaning("gradient", derivative) if derivative else None

    def _value(self, word: str) -> str | None:
        word = self.tied.get(word, word)
        if word in self.own:
            return self.own[word]
        if word in self.values:
            return word
        if re.fullmatch(r"[ABXYZ]\d*", word) and word.lower() in self.values:
            return word.lower()
        inner = self.inside.get(word)
        if not self.layers or (inner and word[:1].isupper()):  # D1, a mask, is no d1
            return inner or self.inside.get(word.lower())
        value = value_of(word, self.naming, self.layers)
        if value is None:
            low = word.lower()
            if low in GENERIC and self.layer:
                value = f"{GENERIC[low]}{self.layer}"
            elif BEFORE.fullmatch(low) and self.layer:
                value = f"a{self.layer - 1}" if self.layer > 1 else "x"
        return value if value in self.values else self.inside.get(word.lower())

    def _share(self, word: str) -> Meaning | None:
        """dxmu2: what reaches xmu through the second of the steps that read it."""
        numbered = re.fullmatch(r"(?:grad_|d_?)(\w+?)_?([12])", word) if self.shares else None
        value = self._value(numbered[1]) if numbered else None
        if numbered is None or value is None or value not in self.shares:
            return None
        return Meaning("share", value, self.shares[value][int(numbered[2]) - 1])

    def _derivative(self, word: str) -> str | None:
        """The value whose derivative a name means: d2, delta2, dz2, dscores, l1_error, delta."""
        layer = re.fullmatch(r"(?:d|delta)_?(\d+)", word)
        if layer:
            return f"z{layer[1]}" if f"z{layer[1]}" in self.values else None
        low = word.lower()
        if low in ("delta", "dz") and self.layer:
            number = self.layer + (word == self.next)
            return f"z{number}" if f"z{number}" in self.values else None
        for prefix in ("delta_", "delta", "grad_", "d_", "d"):
            if word.startswith(prefix) and len(word) > len(prefix):
                inner = word.removeprefix(prefix)
                found = self._value(inner)
                known = {inner, inner.lower()} & {*self.values, *self.inside, *self.own}
                if found and (known or _is_plain(inner)):
                    return found
        found = derivative_of(word, self.naming, self.layers) if self.layers else None
        error = re.fullmatch(r"(\w+?)_?errors?", low)
        if found is None and error:
            before = self._value(error[1])
            found = before if before and before[0] == "a" and before != f"a{self.layers}" else None
        return found if found in self.values else None


def _is_plain(inner: str) -> bool:
    """Whether a word after d says a quantity: W2, scores, A_prev; not the ata of data."""
    low = inner.lower()
    if low in OUTPUT or low in HIDDEN or low in GENERIC or BEFORE.fullmatch(low):
        return True
    return bool(re.fullmatch(r"[A-Za-z]\d*|[a-z]+_?\d+|logits|scores|x", inner))
