"""What `run.check()` found: one row for each route, and where they part if they do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ..document.as_text import set_already
from ..document.blocks import Block, Column, Document, Section, Table, Words
from ..document.blocks import Row as TableRow
from ..document.report import Report
from ..numbers.rounding import UNITS
from ..writing.marked import joined, marked
from ..writing.notebook import grid, page
from ..writing.page_letters import free
from ..writing.signs import bound, number, plural, to_ascii
from .one_op import OpReport

BARS = dict.fromkeys(("full", "structured"), "`{units:,}·{u}·Σ|terms|`") | {
    "difference": "their accuracy"
}
MEANT = {  # each bar in words
    "full": "`{u}`: the unit roundoff; `Σ|terms|`: an entry's sum with every sign plus",
    "difference": "their accuracy: what the difference of two neighbouring costs can resolve",
}
HEADS = ("route", "entries compared", "beside vjp")
MEANT["structured"] = MEANT["full"]


@dataclass(frozen=True)
class Row:
    """One comparison of a route with the VJP route, over all parameters."""

    route: str
    compared: int
    total: int
    largest: float
    worst: float  # in units of its bar: above 1 is a disagreement
    place: str
    values: tuple[float, float] = (0.0, 0.0)
    refused: str = ""
    vague: int = 0  # entries so small beside the cost that differences do not tell them
    on_edge: int = 0  # entries from which every step leaves the domain of an op
    sampled: bool = False  # evenly spaced entries of very many
    unit: str = "u"  # the letter of the unit roundoff
    units: int = UNITS  # how many roundings the bar is

    @property
    def ok(self) -> bool:
        return self.worst <= 1

    @property
    def cells(self) -> tuple[str, str, str]:
        """The comparison as a row of a table under HEADS."""
        return self.route, f"{self.compared:,} of {self.total:,}", self.refused or self.verdict

    @property
    def told(self) -> list[str]:
        """What the last cell says, and where they part the entry at which they do."""
        return [self.cells[-1]] + [self.witness] * (not (self.ok or self.refused))

    @property
    def verdict(self) -> str:
        """How far the two routes are apart, beside the bar."""
        if self.ok:
            vague = edge = ""
            if self.vague:
                are = plural(self.vague, "entry is", "entries are")
                vague = f"; {are} too small for a difference of costs to tell"
            if self.on_edge:
                entries = plural(self.on_edge, "entry", "entries")
                edge = f"; no step from {entries} stays in the domain"
            sample = "; a sample" if self.sampled else ""
            notes = f"{vague}{edge}{sample}"
            return marked(f"within {self.bar}, off by {bound(self.largest)}{notes}")
        return marked(f"{number(self.worst, 2)} times {self.bar}   DISAGREES")

    @property
    def bar(self) -> str:
        """What the two routes may be apart."""
        return BARS[self.route].format(units=self.units, u=self.unit)

    @property
    def bar_meant(self) -> str:
        """The bar in words."""
        return marked(MEANT[self.route].format(u=self.unit))

    @property
    def witness(self) -> str:
        """The worst entry, as both routes have it."""
        mine, other = self.values
        digits = 6 if self.route == "difference" else 12
        return f"{self.place}: {self.route} {number(mine, digits)}, vjp {number(other, 12)}"


@dataclass(frozen=True)
class Agreement(Report):
    """What `run.check()` found; `.ok`, and a table when printed."""

    cost: str
    rows: tuple[Row, ...]
    kinks: tuple[str, ...]
    parted: str = ""
    report: OpReport | None = None
    error: str = ""

    def beside(self, names: Collection[str]) -> "Agreement":
        """The same on a page on which values have these names: none is the unit roundoff's."""
        return replace(self, rows=tuple(replace(r, unit=free("u", names, "ε")) for r in self.rows))

    @property
    def ok(self) -> bool:
        return not self.error and not self.parted and all(row.ok for row in self.rows)

    def lines(self) -> list[str]:
        """The table, the kinks, and the first op at which the routes part."""
        return set_already(self.blocks())

    def blocks(self) -> tuple[Block, ...]:
        """The comparison of the routes, and what follows from it."""
        if self.error:
            return tuple(map(Words, self.conclusion.splitlines()))
        columns = tuple(map(Column, HEADS))
        rows = tuple(
            TableRow((*map(Words, row.cells[:-1]), Words(joined(row.told)))) for row in self.rows
        )
        table = Table(columns, rows, tuple(self.table_lines()))
        remarks = [Words(line, 1) for line in self.remarks()]
        return (Words(self.title), table, *remarks, Words(self.conclusion))

    def document(self, names: Iterable[str] = ()) -> Document:
        """The same under a title, for every form that a document has."""
        title, comparison = f"The routes to the gradient of {self.cost}, compared", self.blocks()
        return Document(title, (Section("", "Routes", comparison),), frozenset([self.cost, *names]))

    def table_lines(self) -> list[str]:
        """A line for each route, and what it met where it disagrees or was refused."""
        found = []
        for row in self.rows:
            if row.refused:
                found += [f"  {row.route:<11} refused:", f"    {row.refused}"]
                continue
            found.append(
                f"  {row.route:<11} {row.compared:>6,} of {row.total:,} entries   {row.verdict}"
            )
            found += [f"              {row.witness}"] * (not row.ok)
        return found

    @property
    def title(self) -> str:
        """What is compared with what."""
        return f"gradient of {self.cost}: each route against the vjp route, entry by entry"

    def remarks(self) -> list[str]:
        """What the bars mean, and what is to be said of kinks and of an op."""
        bars = dict.fromkeys(row.bar_meant for row in self.rows if not row.refused)
        return [*bars, *self._remarks()]

    def _remarks(self) -> list[str]:
        found = [f"kink: {kink}" for kink in self.kinks]
        if self.parted:
            found += f"the routes part at {self.parted}".splitlines()
        if self.report is not None:
            found += [f"  {line}" for line in self.report.text().splitlines()]
        return found

    @property
    def conclusion(self) -> str:
        """Whether the routes agree, in words."""
        if self.error:
            return f"the routes cannot be compared: {self.error}"
        if not self.ok:
            return "the routes DISAGREE"
        refused = any(row.refused for row in self.rows)
        return "the routes that were compared agree" if refused else "all routes agree"

    def text(self, ascii_only: bool = False) -> str:
        text = "\n".join(self.lines())
        return to_ascii(text) if ascii_only else text

    printed = text

    def __repr__(self) -> str:
        return f"<Agreement on {self.cost}: {self.conclusion}>"

    def _repr_html_(self) -> str:
        """For a notebook: the table, and under it what is to be said."""
        rows = [row.cells for row in self.rows]
        wrong = [row.witness for row in self.rows if not (row.ok or row.refused)]
        compared = grid(HEADS, rows, self.title) if rows else ""
        return "\n".join([compared, page("", [*wrong, *self._remarks(), self.conclusion])]).strip()
