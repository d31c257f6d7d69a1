"""How the price of a gradient grows with width, depth and batch, by every route.

    python derivations/growth.py              counted from shapes: the same on every machine
    python derivations/growth.py --measure    the same networks timed, a few seconds

Nothing that is counted is built. A statement that does not hold ends the script.
"""

import sys
from math import log
from textwrap import dedent, indent

from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.report.parts import screen_lines
from jacobian_bp.compare.report.result_tables import growth_table, seconds
from jacobian_bp.compare.timing.fit import growth
from jacobian_bp.compare.timing.growth import THEORY, growths
from jacobian_bp.compare.timing.measure import Journal, measure
from jacobian_bp.compare.timing.subjects import ROUTES, route_subjects
from jacobian_bp.compare.timing.sweep import Sweep, imagined, overheads, plan_sweep, run_sweep
from jacobian_bp.compare.timing.timer import Timer
from jacobian_bp.compare.timing.workload import drawn
from jacobian_bp.numbers.memory import format_bytes
from jacobian_bp.writing.signs import to_ascii
from jacobian_bp.writing.tables import fold, table

COUNTED = {
    "width": Sweep("width", (64, 128, 256, 512, 1024), width=1, depth=2, batch=None),
    "depth": Sweep("depth", (2, 4, 8, 16), width=8, depth=1, batch=None),
    "batch": Sweep("batch", (64, 128, 256, 512, 1024), width=8, depth=2, batch=1),
}
ENDS = slice(0, 2), slice(-2, None)  # the first two sizes, and the last two
TIMED = {
    "width": Sweep("width", (96, 128, 160, 192, 256), width=1, depth=2, batch=None),
    "batch": Sweep("batch", (16, 64, 128, 192, 256), width=8, depth=2, batch=1),
}
LESSONS = {
    "width": """
        dz/dW of a layer has three axes of size n: n^3 numbers, of which n^2 are not placed
        zeros. Reverse order multiplies a row by it, n^3; forward order a matrix, n^4. The
        planner finds the row. Structured and vjp never meet the third axis.
    """,
    "depth": """
        One sweep from the cost down serves all parameters, so reverse, structured and vjp
        are linear. Forward and planned contract a chain for each parameter anew: 2 d chains of
        up to 2 d + 1 factors. That costs what the factors cost: forward d^2 at once, planned
        d^2 only when the short rows outweigh the one dz/dW at the end of each chain.
    """,
    "batch": """
        In a batch da/dz has the axis of the examples twice, and is zero where the two differ.
        Written out whole it is m times as large as it need be: m^2 instead of m.
    """,
}


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def make(sizes, batch, label):
    return drawn(sizes, batch)


def say(text):
    print(indent(dedent(text).strip("\n"), "  "))


def chains_are_as_said():
    """At depth d each of 2 d parameters has a chain; the longest has 2 d + 1 factors."""
    for depth in COUNTED["depth"].sizes:
        run = make(*COUNTED["depth"].at(depth), "").run
        require(len(run.params) == 2 * depth)
        require(len(run.chain("W1").operands) == 2 * depth + 1)


def counted(axis):
    """Multiplications and bytes at each size, and their exponents beside the theory."""
    sweep = COUNTED[axis]
    cards = {size: cost_card(imagined(sweep, size, make)) for size in sweep.sizes}
    print(f"\n\nTHE {axis.upper()} GROWS, up to {sweep.sizes[-1]}\n")
    say(LESSONS[axis])
    rows = [["route", "multiplications", "zeros left out", "bytes", "largest array"]]
    for cost in cards[sweep.sizes[-1]]:
        counts = (f"{cost.multiplications:,}", f"{cost.nonzero_multiplications:,}")
        name, shape = cost.largest
        rows.append([cost.route, *counts, format_bytes(cost.peak_bytes), f"{name} {shape}"])
    print(f"\n  at {axis} {sweep.sizes[-1]}")
    print(to_ascii(indent("\n".join(table(rows)), "    ")))
    exponents(axis, cards)


def exponents(axis, cards):
    """The slope of log(count) on log(size), and of its last two points alone."""
    rows = [["route", "multiplied", "last two", "theory", "bytes", "last two", "theory"]]
    for place, route in enumerate(ROUTES):
        cells = []
        for quantity, theory in zip(
            ("multiplications", "peak_bytes"), THEORY[axis][route], strict=True
        ):
            values = [getattr(card[place], quantity) for card in cards.values()]
            fit = growth(list(cards), values)
            first, last = (growth_of_two(list(cards)[two], values[two]) for two in ENDS)
            require(abs(last - theory) <= abs(first - theory) + 1e-9)
            cells += [str(fit), f"{last:.2f}", str(theory)]
        rows.append([route, *cells])
    print(f"\n  exponent of the {axis}, fitted, with its 95 % interval")
    print(to_ascii(indent("\n".join(table(rows)), "    ")))


def growth_of_two(sizes, values):
    """The slope through two points."""
    return log(values[1] / values[0]) / log(sizes[1] / sizes[0])


def measured(axis):
    """The same exponents from seconds, where a call is long enough to be more than a call."""
    sweep, journal, timer = TIMED[axis], Journal(), Timer(rounds=3)
    print(f"\n\nMEASURED: THE {axis.upper()} GROWS\n")

    def timed(task, blank, costs, left):
        return measure(blank, route_subjects(task), journal, timer, costs, left=left)

    overhead = overheads(sweep, make, timer)
    heads = [f"{axis} {size}" for size in sweep.sizes]
    rows = [["route", "overhead", *heads]]
    planned = plan_sweep(sweep, make)
    parts = run_sweep(sweep, planned, make, "float64", journal, timed)
    found = [row for part in parts for row in part]
    for route in ROUTES:
        times = [seconds(row.minimum) for row in found if row.subject == route]
        rows.append([route, seconds(overhead[route]), *times])
    print(indent("\n".join(table(rows)), "    ") + "\n")
    for line in screen_lines(growth_table(axis, growths(axis, found, overhead))):
        print(to_ascii("\n".join(fold(line, 99))))


def main():
    print("The price of a gradient: how it grows\n")
    say("""
        route         full: every Jacobian whole, in three orders; structured; vjp
        last two      the slope through the last two sizes, where the largest term has won
        theory        the slope that the slopes approach as the size grows without end
        +-            95 % interval of a straight line through the points: how far they scatter
                      about it; at small sizes they lie on a curve, and theory outside of it
    """)
    chains_are_as_said()
    for axis in COUNTED:
        counted(axis)
    if "--measure" in sys.argv[1:]:
        for axis in TIMED:
            measured(axis)


if __name__ == "__main__":
    main()
