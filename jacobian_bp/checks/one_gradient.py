"""Is a gradient of one's own right? Any function of arrays against finite differences.

Nothing has to be an op: f is a numpy function that gives one number, and its gradient
an array, or the function that computes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import SpecError
from ..numbers.arrays import entry, quiet
from ..numbers.rounding import agree, largest, unit_roundoff
from ..numbers.wrong_arrays import spoilt_lines
from ..writing.notebook import page
from ..writing.shown import Printed
from ..writing.signs import bound, dims, for_stream, plural, safe, to_ascii, type_of
from .function_slopes import FunctionSlopes, Slope
from .given_function import GivenFunction, given_gradient, named_arrays
from .one_op import Disagreement
from .patterns_of_mistakes import describe_pattern

MOST_ENTRIES = 1_000  # that are compared, unless more are asked for
RELATIVE = 1e-7  # what finite differences may be off, relative to the entry
OWN_UNITS = 256  # of u·max |gradient|: what the gradient's own sums may be off
SIDE = 1e-5  # what the slopes beside a kink may be off, relative to the larger
NOISY = 1e-6  # of the largest slope: a doubt above this is said
LOOSE = 1e-6  # as if differences had this roundoff: a pattern is a hint, not a verdict


@dataclass(frozen=True, repr=False)
class GradientReport(Printed):
    """What `check_gradient` found; `.ok`, and a table when printed."""

    function: str
    lines: tuple[str, ...]
    findings: tuple[Disagreement, ...]
    compared: int

    @property
    def ok(self) -> bool:
        return not self.findings and self.compared > 0

    def text(self, ascii_only: bool = False) -> str:
        found = [f"  {x}" for x in (*self.findings, *self.lines)]
        text = "\n".join([self._verdict, *found])
        return to_ascii(text) if ascii_only else text

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        return f"<GradientReport on {self._verdict}>"

    def _repr_html_(self) -> str:
        return page("", self.text().split("\n"))

    @property
    def _verdict(self) -> str:
        if self.findings:
            return f"{self.function}: WRONG"
        if not self.compared:
            return f"{self.function}: nothing could be compared"
        return f"{self.function}: gradient and finite differences agree"


@quiet
def check_gradient(
    f: Callable[[Any], Any],
    gradient: Any,
    x: Any,
    *,
    examples: int = 1,
    entries: int = MOST_ENTRIES,
) -> GradientReport:
    """Compare the gradient of any numpy function with finite differences, entry by entry.

        ∂f/∂x[i] ≈ (f(x + h·e_i) − f(x − h·e_i)) / 2h,  extrapolated to h = 0

    `x` is an array, or a dict of arrays by name; f is called as f(x), with copies of
    float64 in the same form, and gives one number. `gradient` has the form of x, or is
    a function, called once as gradient(x) in x's own dtype. The step h fits the entry, and
    each line says what the differences could resolve beside the noise of f. On a
    kink any slope between the one-sided ones is right. Of more than `entries` entries
    as many are compared, evenly spaced. Where f is a mean over `examples`, a missing or
    second 1/m is named.

    Raises SpecError for what is no function or number, AxisError for an f of several
    numbers, DomainError for an f that raises, gives NaN, changes its input or gives two
    values for one input.

    >>> A = np.array([[2.0, 1.0], [0.0, 3.0]])
    >>> check_gradient(lambda x: x @ A @ x, lambda x: (A + A.T) @ x, [1.0, -2.0]).ok
    True
    >>> print(check_gradient(lambda x: x @ A @ x, lambda x: A @ x, [1.0, -2.0]))
    f: WRONG
      ∂f/∂x[1]: gradient -6, finite differences -11
        gradient is wrong; 2 of 2 entries differ
    """
    if not callable(f):
        raise SpecError(
            f"f is {type_of(f)}, not a function.\n"
            "  Pass the function itself, f, and not its value, f(x)."
        )
    m = _whole(examples, "examples", "the m of a mean over m examples")
    most = _whole(entries, "entries", "how many entries are compared at most")
    point = named_arrays(x)
    function = GivenFunction(f, isinstance(x, Mapping))
    function.require_sound(point)
    given, findings = given_gradient(gradient, point, function.by_name)
    wide = {name: array.astype(np.float64) for name, array in point.items()}
    slopes = FunctionSlopes(function.value, wide)
    stride = -(-sum(array.size for array in given.values()) // most)
    lines: list[str] = []
    compared = seen = 0
    for name, array in given.items():
        chosen = range(-seen % stride, array.size, stride) if stride else range(0)
        seen += array.size
        comparison = _Comparison(name, array, point[name].dtype, slopes, chosen)
        found = comparison.finding(m)
        findings += [found] if found else []
        lines += [] if found else [comparison.line()]
        compared += comparison.compared
    said = getattr(f, "__name__", "f")
    called = "f" if said == "<lambda>" else safe(said)
    return GradientReport(called, tuple(lines), tuple(findings), compared)


class _Comparison:
    """One array of the gradient beside finite differences, at the entries that are chosen."""

    def __init__(
        self, name: str, given: np.ndarray, dtype: np.dtype, slopes: FunctionSlopes, chosen: range
    ) -> None:
        self.name, self.given, self.dtype, self.chosen = f"∂f/∂{safe(name)}", given, dtype, chosen
        self.name_in_f, self.of = name, slopes
        self.places = [tuple(map(int, np.unravel_index(i, given.shape))) for i in chosen]
        self.slopes = [slopes.at(name, at, float(given[at])) for at in self.places]
        self.unit = max(unit_roundoff(given.dtype), unit_roundoff(dtype))
        self.own = OWN_UNITS * self.unit * largest(given[np.isfinite(given)])
        self.endless = [self._endless(at) for at in self.places]
        self.off = [
            self._off(at, slope) and not endless
            for at, slope, endless in zip(self.places, self.slopes, self.endless, strict=True)
        ]
        both = list(zip(self.slopes, self.endless, strict=True))
        self.unknown = sum(not (np.isfinite(s.value) or endless) for s, endless in both)
        self.unseen = sum(map(self._drowns, self.places, self.slopes))
        self.compared = len(self.slopes) - self.unknown - self.unseen - sum(self.endless)

    def _endless(self, at: tuple[int, ...]) -> bool:
        """Whether the gradient is infinite at an entry, and f's slope has no end there."""
        claimed = float(self.given[at])
        if not np.isinf(claimed):
            return False
        return self.of.is_endless(self.name_in_f, at, float(np.sign(claimed)))

    def _off(self, at: tuple[int, ...], slope: Slope) -> bool:
        claimed = float(self.given[at])
        if not np.isfinite(claimed):
            return True
        if not np.isfinite(slope.value):
            return False
        if slope.kink:
            low, high = slope.kink
            room = slope.doubt + SIDE * max(abs(low), abs(high)) + self.own
            return not low - room <= claimed <= high + room
        room = slope.doubt + RELATIVE * max(abs(claimed), abs(slope.value)) + self.own
        return abs(claimed - slope.value) > room

    def _drowns(self, at: tuple[int, ...], slope: Slope) -> bool:
        """Whether slope and claim are both below what differences can tell from 0."""
        size = max(abs(float(self.given[at])), abs(slope.value))
        return not slope.kink and 0 < size < slope.doubt < np.inf

    def line(self) -> str:
        """How well the two agree, and what could be seen."""
        smooth = [(p, s) for p, s in zip(self.places, self.slopes, strict=True) if not s.kink]
        known = [(p, s) for p, s in smooth if np.isfinite(s.value) and np.isfinite(self.given[p])]
        seen = [(p, s) for p, s in known if not self._drowns(p, s)]
        kinks = len(self.slopes) - len(smooth)
        said = []
        if seen:
            gap = max(abs(float(self.given[p]) - s.value) for p, s in seen)
            doubt, scale = max(s.doubt for _, s in seen), max(abs(s.value) for _, s in seen)
            said.append(f"finite differences differ by {bound(gap)}")
            if doubt > NOISY * scale > 0:
                digits = max(1, int(-np.log10(doubt / scale)))
                said.append(f"noise of f leaves them about {plural(digits, 'digit')}")
        if len(self.slopes) < self.given.size:
            said.append(f"{len(self.slopes):,} of {self.given.size:,} entries were compared")
        if kinks:
            said.append(f"{plural(kinks, 'entry sits', 'entries sit')} on a kink")
        if any(self.endless):
            first = entry(self.name, self.places[self.endless.index(True)])
            said.append(f"{first} is infinite here: it is not judged")
        if self.unseen:
            told = plural(self.unseen, "entry is", "entries are")
            said.append(f"{told} smaller than the noise of f, and could not be seen")
        if self.unknown:
            told = plural(self.unknown, "entry", "entries")
            said.append(f"f has no value beside {told}, which could not be judged")
        said = said or ["no entry"]
        return f"{self.name} {dims(self.given.shape)}: {'; '.join(said)}"

    def finding(self, examples: int) -> Disagreement | None:
        """The entry that is furthest off, and the pattern of all."""
        if not any(self.off):
            return None
        claimed = np.array([float(self.given[at]) for at in self.places])
        right = np.array([s.value for s in self.slopes])
        for position, (slope, off) in enumerate(zip(self.slopes, self.off, strict=True)):
            if not off and (slope.kink or not np.isfinite(slope.value)):
                right[position] = claimed[position]
        gaps = np.where(self.off, np.nan_to_num(np.abs(claimed - right), nan=np.inf), -1.0)
        worst = int(np.argmax(gaps))
        slope = self.slopes[worst]
        says = [("gradient", float(claimed[worst]))]
        if slope.kink:
            low, high = slope.kink
            says += [("finite differences to one side", low), ("to the other", high)]
        elif np.isfinite(slope.value):
            says.append(("finite differences", slope.value))
        count = f"{sum(self.off):,} of {plural(len(self.off), 'entry', 'entries')} differ"
        count += ", as far as compared" if len(self.off) < self.given.size else ""
        return Disagreement(
            self.name.removeprefix("∂f/∂"),
            entry(self.name, self.places[worst]),
            tuple(says),
            "gradient is wrong"
            if np.isfinite(claimed[self.off]).all()
            else "gradient is not finite",
            count,
            self._pattern(claimed, right, examples),
        )

    def _pattern(self, claimed: np.ndarray, right: np.ndarray, examples: int) -> str:
        if len(self.off) < self.given.size or not np.isfinite(claimed).all():
            return ""
        shape = self.given.shape
        wrong, due = claimed.reshape(shape), right.reshape(shape)
        found = ""
        if not agree(wrong, due, 1e3 * LOOSE * largest(due)):
            found = describe_pattern(wrong, due, examples, LOOSE)
        lines = None if found else spoilt_lines(np.array(self.off).reshape(shape))
        if lines:
            word, spoilt = lines
            where = np.flatnonzero(spoilt)
            listed = ", ".join(map(str, where[:5])) + (", …" if len(where) > 5 else "")
            return f"only {word}{'s' * (len(where) > 1)} {listed} differ{'s' * (len(where) == 1)}"
        return found


def _whole(value: Any, name: str, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise SpecError(f"{name} is {value!r}.\n  Write {what}, a whole number from 1 up.")
    return int(value)
