"""Networks of growing width, depth or batch, all routes at each, and the exponents of growth.

Every layer of a sweep's network has the same width; one of the three sizes is
swept, the other two stay.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...errors import SpecError
from ...numbers.memory import current_limit
from ...program.forward_pass import Pass
from ..cost.cost_card import RouteCost
from ..cost.imagined import enlarged
from ..cost.limits import Left, affordable
from .foreign_text import quoted
from .measure import Journal, refused, with_cost
from .result import GRADIENT, Result, blank_result
from .subjects import route_subjects
from .timer import Timer
from .workload import Workload, label_of

AXES = ("width", "depth", "batch")
USUAL = {"width": 16, "depth": 2, "batch": None}
Make = Callable[[list[int], int | None, str], Workload]
Timed = Callable[[Workload, Result, Sequence[RouteCost], Left], list[Result]]
LARGEST = {"width": 1_000_000, "depth": 1_000, "batch": 1_000_000}
COPIES = 6  # of parameters and data, while a network is drawn, checked, copied and differentiated


@dataclass(frozen=True)
class Sweep:
    """The axis, its sizes, and the two sizes that stay."""

    axis: str
    sizes: tuple[int, ...]
    width: int
    depth: int
    batch: int | None

    def at(self, size: int) -> tuple[list[int], int | None]:
        """The layer widths and the batch at one size of the swept axis."""
        here = {"width": self.width, "depth": self.depth, "batch": self.batch, self.axis: size}
        return [here["width"] or 1] * ((here["depth"] or 1) + 1), here["batch"]


def parse_sweep(
    widths: str | None, depths: str | None, batches: str | None, batch: str | None = None
) -> Sweep | None:
    """The sweep that the three options ask for, at the batch that --batch says; None without any.

    Raises SpecError for a list that is none, and where two axes have several sizes.
    """
    given = {
        axis: _numbers(text, f"--{axis}{'e' * (axis == 'batch')}s", LARGEST[axis])
        for axis, text in zip(AXES, (widths, depths, batches), strict=True)
        if text is not None
    }
    if not given:
        return None
    if batch is not None:
        if "batch" in given:
            raise SpecError("--batch and --batches exclude each other.\n  Leave one of them out.")
        given["batch"] = _numbers(batch, "--batch", LARGEST["batch"], 1)
    swept = [axis for axis, sizes in given.items() if len(sizes) > 1] or list(given)[:1]
    if len(swept) > 1:
        raise SpecError(
            f"two sizes are swept at once, {swept[0]} and {swept[1]}; an exponent is of one.\n"
            "  Give several sizes to one option, and one size to the others."
        )
    fixed = {axis: given[axis][0] if axis in given else USUAL[axis] for axis in AXES}
    axis = swept[0]
    return Sweep(axis, given[axis], fixed["width"] or 1, fixed["depth"] or 1, fixed["batch"])


@dataclass(frozen=True, eq=False)
class Planned:
    """One size of a sweep, counted from shapes; no memory is behind them."""

    size: int
    shapes: Pass
    costs: tuple[RouteCost, ...]
    left: Left

    @property
    def needed(self) -> int:
        """The bytes of the network and its data, while they are made."""
        return COPIES * sum(value.nbytes for value in self.shapes.values.values())


def plan_sweep(sweep: Sweep, make: Make, long: bool = False) -> list[Planned]:
    """Every size, counted before any is timed.

    What would take very long is left out, unless `long` asks for it.
    """
    shapes = [(size, imagined(sweep, size, make)) for size in sweep.sizes]
    return [Planned(size, state, *affordable(state, long)) for size, state in shapes]


def run_sweep(
    sweep: Sweep, planned: Sequence[Planned], make: Make, dtype: str, journal: Journal, timed: Timed
) -> Iterator[list[Result]]:
    """The rows of each size, as soon as they are finished; what does not fit is refused."""
    for point in planned:
        sizes, batch = sweep.at(point.size)
        label = label_of(sizes, batch, dtype)
        blank = blank_result(point.shapes, label, GRADIENT)
        blank = replace(blank, axis=sweep.axis, size=point.size)
        costs, left, needed = point.costs, point.left, point.needed
        if needed <= current_limit():
            rows = timed(make(sizes, batch, label), blank, costs, left)
        else:
            rows = [refused(with_cost(replace(blank, subject=c.route), c), needed) for c in costs]
            rows += [
                replace(blank, subject=r, refused=left[r], complete=True)
                for r in left
                if r not in {c.route for c in costs}
            ]
            journal.rows += rows
        yield rows


def imagined(sweep: Sweep, size: int, make: Make) -> Pass:
    """The pass of the network at one size, its shapes right and no memory behind them.

    Every layer of a sweep is equally wide, so that each axis but the batch has the width.
    """
    sizes, batch = sweep.at(size)
    return enlarged(make([2] * len(sizes), batch and 2, "").run.forward_pass, sizes[0], batch)


def overheads(sweep: Sweep, make: Make, timer: Timer) -> dict[str, float]:
    """The time of each route at size 1 of the swept axis: what a call costs before it works.

    A route that does not fit or takes very long even there has no overhead that is known.
    """
    sizes, batch = sweep.at(1)
    costs, left = affordable(imagined(sweep, 1, make), False)
    fitting = {c.route for c in costs if c.peak_bytes <= current_limit()} - set(left)
    if not fitting:
        return {}
    workload = make(sizes, batch, "")
    calls = {s.name: s.prepare() for s in route_subjects(workload) if s.name in fitting}
    return {name: sample.minimum for name, sample in timer.measure(calls).items()}


def _numbers(text: str, option: str, largest: int, most: int | None = None) -> tuple[int, ...]:
    """Whole numbers from 1 up, each once, in the order of their size; `most` is 1 or any count."""
    found: list[int] = []
    for part in [text] if most else text.split(","):
        if not (part.isascii() and part.isdigit()) or not 1 <= int(part[:30]) <= largest:
            how = f"Write such as {option} 8."
            if not most:
                how = f"Write a list with commas and no blanks, such as {option} 8,16,32."
            raise SpecError(
                f"{option}: {quoted(part, 19)} is not a whole number from 1 to {largest:,}.\n"
                f"  {how}"
            )
        if int(part) in found:
            raise SpecError(f"{option} has {int(part)} twice.\n  Write each size once.")
        found.append(int(part))
    return tuple(sorted(found))
