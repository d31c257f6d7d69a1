"""Characters and numbers as they are printed.

One place knows which symbols a stream can carry, how a foreign name is made
harmless, and how a number looks.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TextIO

import numpy as np

MOST_BELOW = 100  # below the line of a fraction, where digits have no end in sight
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
HAT = "\u0302"  # of x̂: a sign of its own
ASCII = {
    "∂": "d",
    "δ": "delta",
    "Σ": "sum",
    "σ": "sigma",
    "⊗": "(x)",
    "⊙": ".*",
    "·": "*",
    "−": "-",
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≠": "!=",
    "×": "x",
    "½": "1/2",
    "ᵀ": "^T",
    "Θ": "Theta",
    "φ": "phi",
    "λ": "lambda",
    "±": "+-",
    "…": "...",
    "≈": "~",
    "√": "sqrt",
    "′": "'",
    "‖": "||",
    "⊘": "./",
    "⁻": "^-",
    **{sign: str(n) for n, sign in enumerate(RAISED)},
    "∘": ".",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "ε": "epsilon",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "ρ": "rho",
    "τ": "tau",
    "ψ": "psi",
    "ω": "omega",
    HAT: "_hat",
}
_TABLE = str.maketrans(ASCII)
_RAISED = re.compile(rf"(?<![⁻{RAISED}])[{RAISED}]+")
SPELLED_OUT = re.compile(r"[A-Z]{2}|[A-Z]\d|nd(?=a)")  # letter by letter: LSTMCarry, ndarray
VOWEL_SOUND = re.compile(r"(?!u(?:int|ser|ni)|eu|one)[aeiou]", re.IGNORECASE)
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, bidi marks, surrogates


def to_ascii(text: str) -> str:
    """`text` in ASCII: ∂z2/∂W2 becomes dz2/dW2; what has no spelling is escaped.

    >>> to_ascii("∂z2/∂W2 = δ[k,k'] a1[i']")
    "dz2/dW2 = delta[k,k'] a1[i']"
    >>> to_ascii("x¹² X⁻¹")
    'x^12 X^-1'
    """
    text = _RAISED.sub(r"^\g<0>", text)
    return text.translate(_TABLE).encode("ascii", "backslashreplace").decode("ascii")


def carries_unicode(stream: TextIO | None = None) -> bool:
    """Whether every symbol of ours can be written to `stream` (default: standard output)."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None)
    try:
        "".join(ASCII).encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def for_stream(text: str, stream: TextIO | None = None) -> str:
    """`text` as `stream` can carry it."""
    return text if carries_unicode(stream) else to_ascii(text)


def safe(name: object) -> str:
    """A foreign name made harmless: controls, bidi marks and surrogates are shown escaped.

    >>> safe("a\\x1b[31m")
    'a\\\\x1b[31m'
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in UNSEEN else c
        for c in str(name)
    )


def rename(text: str, names: dict[str, str]) -> str:
    """Replace whole identifiers in a label, a slope's prime being part of its name.

    A hat stays on the first letter.

    >>> rename("σ'(z) aᵀ", {"z": "z1", "a": "a1"}), rename("relu'(z1)", {"relu'": "g'"})
    ("σ'(z1) a1ᵀ", "g'(z1)")
    """

    def called(match: re.Match[str]) -> str:
        word = match[0]
        plain = word.removesuffix("'")
        if HAT in plain:
            own = plain.replace(HAT, "")
            new = names.get(own, own)
            return new[:1] + HAT + new[1:] + word[len(plain) :]
        return names.get(word) or names.get(plain, plain) + word[len(plain) :]

    if not names:
        return text
    if text.isascii() and text.isidentifier():  # one word, as most labels are
        return names.get(text, text)
    return re.sub(rf"[^\W\dᵀ²](?:[^\Wᵀ²]|{HAT})*'?", called, text)


def number(value: float, digits: int = 6) -> str:
    """A number as a reader writes it: no trailing zeros, no negative zero.

    >>> number(0.25), number(-0.0), number(1.0), number(5.08416e-01)
    ('0.25', '0', '1', '0.508416')
    """
    value = float(value)
    if value == 0:
        return "0"
    return f"{value:.{digits}g}"


def raised(value: int) -> str:
    """A whole number from 0 up as an exponent.

    >>> "x" + raised(12)
    'x¹²'
    """
    return "".join(RAISED[int(digit)] for digit in str(value))


def lowered(exponent: str) -> int:
    """The whole number that an exponent of raised digits is.

    >>> lowered("¹²")
    12
    """
    return int("".join(str(RAISED.index(digit)) for digit in exponent))


def bound(value: float) -> str:
    """A rounding error as a bound that is the same on every machine.

    >>> bound(4.7e-11), bound(0.0)
    ('less than 1e-08', 'less than 1e-15')
    """
    for exponent in (-15, -13, -8, -4, 0):
        if value < 10.0**exponent:
            return f"less than 1e{exponent:+03d}"
    return number(value, 2)


def did_you_mean(name: object, known: Iterable[str], quote: str = "") -> str:
    """ " Did you mean …?" with the nearest known name, or nothing.

    >>> did_you_mean("rellu", ["relu", "tanh"], quote="'")
    " Did you mean 'relu'?"
    """
    close = nearest(name, known) if isinstance(name, str) else None
    return f" Did you mean {quote}{safe(close)}{quote}?" if close else ""


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known name that is spelt most like this one; None where none is like it.

    `least` is the share of letters, from 0 to 1, that two names must have in common, be they
    capitals or not; one that begins the other goes before. Of names that differ in capitals alone
    it is the one that is written so.

    >>> nearest("rellu", ["relu", "tanh"]), nearest("rellu", ["tanh"])
    ('relu', None)
    >>> nearest("sine", ["Hinge", "Sin"]), nearest("w1", ["W1", "b1", "w"]), nearest("Ng", ["ng"])
    ('Sin', 'W1', 'ng')
    """
    alike: dict[str, list[str]] = {}
    for other in known:
        alike.setdefault(other.casefold(), []).append(other)
    asked = name.casefold()
    close = get_close_matches(asked, alike, 5, least)
    if not close:
        return None
    begun = [other for other in close if asked.startswith(other) or other.startswith(asked)]
    return get_close_matches(name, alike[(begun or close)[0]], 1, 0.0)[0]


def witness(value: float) -> str:
    """A number as evidence: in all its digits where fewer would show another number.

    >>> witness(1.7), witness(1.0000000002)
    ('1.7', '1.0000000002')
    """
    short = number(value)
    return short if float(short) == float(value) or value != value else repr(float(value))


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun.

    >>> plural(1, "axis", "axes"), plural(1200, "row")
    ('1 axis', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def with_article(name: object) -> str:
    """A name of code as it is read out, with its article.

    >>> [with_article(word) for word in ("int", "uint8", "ndarray", "LSTMCarry", "GRUCell", "dict")]
    ['an int', 'a uint8', 'an ndarray', 'an LSTMCarry', 'a GRUCell', 'a dict']
    """
    text = safe(name)
    if SPELLED_OUT.match(text):
        vowel = text[0].upper() in "AEFHILMNORSX"
    else:
        vowel = VOWEL_SOUND.match(text) is not None
    return f"{'an' if vowel else 'a'} {text}"


def type_of(value: object) -> str:
    """The name of its class with an article: an int, a dict.

    >>> type_of(3), type_of({}), type_of(np.zeros(2))
    ('an int', 'a dict', 'an ndarray')
    """
    return with_article(type(value).__name__)


def dims(sizes: tuple[int, ...]) -> str:
    """A shape in Python's own spelling."""
    return str(tuple(int(size) for size in sizes))


def vector(values: np.ndarray, digits: int = 6, most: int = 12) -> str:
    """A short array on one line, rows separated by a semicolon; long ones are cut and counted.

    >>> vector(np.array([[0.8, -1.1], [0.0, 2.0]]))
    '[0.8  -1.1; 0  2]'
    """
    array = np.asarray(values)
    if array.ndim == 0:
        return number(array.item(), digits)
    if array.ndim == 1 or not array.size:
        return "[" + "  ".join(_cells(array.ravel(), digits, most)) + "]"
    rows = array.reshape(-1, array.shape[-1])
    shown = ["  ".join(_cells(row, digits, most)) for row in rows[:most]]
    more = f"; … {len(rows)} rows" if len(rows) > most else ""
    return "[" + "; ".join(shown) + more + "]"


def _cells(row: np.ndarray, digits: int, most: int) -> list[str]:
    cells = [number(v, digits) for v in row[:most]]
    return [*cells, f"… {row.size} entries"] if row.size > most else cells


def fraction(value: float) -> str:
    """A coefficient: 2, -1, 1/5, else its digits."""
    if value != 0 and value != int(value):
        inverse = 1.0 / value
        if abs(inverse - round(inverse)) < 1e-9 * abs(inverse) and 1 < abs(inverse) < 1e9:
            return f"{'-' if inverse < 0 else ''}1/{abs(round(inverse))}"
        for below in range(3, MOST_BELOW) if len(number(value, 12).strip("-0.")) > 9 else ():
            above = value * below
            if abs(above - round(above)) < 1e-12 * abs(above):
                return f"{round(above)}/{below}"
    return number(value, 12)
