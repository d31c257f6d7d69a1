"""Where formulas stand in a sentence that marks none: the longest runs that read as one.

A run begins with a sign that cannot be a word: the name of a value, an index, ∂z2/∂W2, σ'(z1). What
stands at it by an operator, in a bracket, or as a factor in front belongs to the formula:
1 − z1² is one, and so is 2 (a − y).
"""

import re
from collections.abc import Iterator
from unicodedata import normalize

from ..writing.marked import Part

_NAME = r"[^\W\d_ᵀ²](?:[^\Wᵀ²]|\u0302)*"
_FUNCTION = r"relu|tanh|σ|sigmoid|softmax|log|exp"
_ATOM = re.compile(
    rf"""(?<![\w'])(?:
      ∂²?\w+/(?:∂(?:\w+|\([^()]*\)²?))+(?:\[[^][]*\])?  # ∂J/∂z3, ∂²J/∂W2∂W1
    | Σ_\w+'?(?:\s(?=\S))?                 # a sum, in front of what is summed
    | (?P<entry>{_NAME})\[(?P<at>\d+(?:,\d+)*)\]   # a1[1]
    | (?:1|{_NAME}'*)\[[\w',]+\]             # δ[k,k'], 1[n]
    | \d+/{_NAME}                          # 1/a3
    | (?P<called>(?:log|exp)(?=\ [^\W\d_]\w*\b)|(?:{_NAME}'|{_FUNCTION})(?=\())
    | (?P<name>{_NAME})'*                  # W3, z1, σ'
    )(?![^\Wᵀ²])""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"(?<![\w.,])(?:\d+(?:\.\d+)?(?:e-?\d+)?(?:/\d+)?|½)(?![\w%]|[.,:]\d)")
_HANGS_ON = re.compile(r"(?:ᵀ|²|⁻¹)+")
_OPERATOR = re.compile(r"\s*[·⊙⊗]\s*|\s+(?:[=≠≤≥<>+−*/@])\s+|[+−*/](?=\S)")
_IN_FRONT = re.compile(r"[−±]|Σ ?(?=[^\W_]|[(|∂])|½ ?(?=[\w(|])")
_CODE = re.compile(
    r"""(?<![\w,])[a-zA-Z]+(?:,[a-zA-Z]+)*->[a-zA-Z]*  # ni,mi->nm
    | (?<![\w'])'(?=[^'\n]*[*/+=\[(-])[^'\s](?:[^'\n]|'(?=\w))*'(?![\w'])    # 'delta[i,j] * x[i]'
    | (?<![\w.])\w[\w.]*(?:\[(?:'[^']*'|"[^"]*")\])+    # params['b1']
    | (?<![\w.])np\.\w+\((?:[^()]|\([^()]*\))*\)
    | (?<![\w.])\w[\w.]*(?:\s@\s\w[\w.]*)+ | (?<![\w.])\w+\.T\b    # W2.T @ dZ2
    """,
    re.VERBOSE,
)
_MEANT = re.compile(r"(?P<lead>Meant(?: for [^:]+)?: )(?P<code>.+?)(?P<why>\s{3}\(.*\))?")
DEEPEST = 8  # brackets within each other
_BRACKETS = {"(": ")", "|": "|"}


def formulas_in(sentence: str, names: frozenset[str]) -> Iterator[Part]:
    """Words, formulas and code; a name is part of a formula where it cannot be read as a word.

    >>> [part.text for part in formulas_in("unit k reads only row k of W3", frozenset(["W3"]))]
    ['unit ', 'k', ' reads only row ', 'k', ' of ', 'W3']
    >>> [part.text for part in formulas_in("z1 (1 − z1) stands for σ'(z1)", frozenset(["z1"]))]
    ['z1 (1 − z1)', ' stands for ', "σ'(z1)"]
    """
    if meant := _MEANT.fullmatch(sentence):
        yield Part(meant["lead"])
        yield Part(meant["code"], "code")
        yield from formulas_in(meant["why"], names) if meant["why"] else ()
        return
    reader, place, done = _Reader(sentence, names), 0, 0
    while place < len(sentence):
        code = _CODE.match(sentence, place)
        end = code.end() if code else reader.run(place)
        if end is None:
            place = max(place + 1, reader.numbers_to)
            continue
        if place > done:
            yield Part(sentence[done:place])
        text = sentence[place:end]
        entry = _ATOM.fullmatch(text)
        if code:
            yield Part(text, "code")
        elif entry and entry["entry"]:
            yield Part(entry["entry"], "formula", entry["at"])
        else:
            yield Part(text, "formula")
        place = done = end
    if done < len(sentence):
        yield Part(sentence[done:])


class _Reader:
    """Reads one sentence: from a place the end of the formula that begins there, if one does."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text, self.names = text, names
        self.symbols = 0  # of the run that is read
        self.depth = 0  # of the bracket that is read
        self.numbers_to = 0  # the end of the last run that holds none
        self.unclosed = set[int]()  # places of brackets that hold no formula

    def run(self, place: int) -> int | None:
        """The end of the longest run from here that holds a symbol."""
        before = self.text[place - 1 : place]
        if before.isalnum() or before in ("'", "_", "."):
            return None
        self.symbols = 0
        end = self._sum(place, False)
        if self.symbols:
            return end
        self.numbers_to = end or 0
        return None

    def _sum(self, place: int, inside: bool) -> int | None:
        """Factors and operators, the first factor at `place`."""
        end = self._factor(place, inside, False)
        while end is not None:
            operator = _OPERATOR.match(self.text, end)
            kept = self.symbols
            after = self._factor(operator.end(), inside, True) if operator else None
            if after is None:
                self.symbols = kept
                after = self._beside(end, inside)
            if after is None:
                self.symbols = kept
                return end
            end = after
        return None

    def _beside(self, end: int, inside: bool) -> int | None:
        """A factor that stands at the last one, apart by a blank at most."""
        place = end + self.text.startswith(" ", end)
        kept, self.symbols = self.symbols, 0
        after = self._factor(place, inside, False)
        is_number = _NUMBER.match(self.text, place)
        found = after if self.symbols and not is_number else None
        self.symbols += kept
        return found

    def _factor(self, place: int, inside: bool, joined: bool) -> int | None:
        sign = _IN_FRONT.match(self.text, place)
        place = sign.end() if sign else place
        end = self._bare(place, inside, joined or sign is not None)
        hanging = _HANGS_ON.match(self.text, end) if end is not None else None
        return hanging.end() if hanging else end

    def _bare(self, place: int, inside: bool, joined: bool) -> int | None:
        close = _BRACKETS.get(self.text[place : place + 1])
        if close and (self.depth == DEEPEST or place in self.unclosed):
            return None
        if close:
            kept, self.symbols = self.symbols, 0
            self.depth += 1
            end = self._sum(place + 1, True)
            self.depth -= 1
            closed = end is not None and self.text.startswith(close, end) and self.symbols
            self.symbols += kept
            if not closed:
                self.unclosed.add(place)
            return end + 1 if closed and end is not None else None
        number = _NUMBER.match(self.text, place)
        atom = _ATOM.match(self.text, place)
        if atom and (not number or atom.end() > number.end()):
            return self._atom(atom, inside, joined)
        return number.end() if number else None

    def _atom(self, atom: re.Match[str], inside: bool, joined: bool) -> int | None:
        word = atom["name"]
        if atom["called"]:
            place = atom.end() + self.text.startswith(" ", atom.end())
            end = self._bare(place, True, True)
            is_slope = atom["called"].endswith("'")
            self.symbols += is_slope
            return atom.end() if end is None and is_slope else end
        if word is None or self._is_symbol(word, atom, inside or joined):
            self.symbols += 1
            return atom.end()
        return None

    def _is_symbol(self, word: str, atom: re.Match[str], within: bool) -> bool:
        """Whether a name cannot be read as a word: a, A and I can, but for beside an operator."""
        if atom[0].endswith("'"):
            return True
        if re.fullmatch(r"δ\d*", word) or "\u0302" in normalize("NFD", word):  # x̂ is no word
            return True
        if word in self.names and not word.isalpha():
            return True
        if len(word) != 1 or word in "ᵀ":
            return False
        operator = _OPERATOR.match(self.text, atom.end())
        return word not in "aAI" or (word in self.names and word != "a") or within or bool(operator)
