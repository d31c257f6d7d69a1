"""A few lines of SVG: shapes, words, formulas, and the size that they take.

A canvas knows how far its parts reach, and is as large as that: nothing is clipped. Text is
measured by an advance that no usual font exceeds; what is longer than its place is pressed
into it, so that no font moves anything.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from ..document.palette import INK, properties
from ..document.picture import Picture
from ..writing.formula_tokens import NAME, split_name
from ..writing.signs import safe

Point = tuple[float, float]

SCRIPTED = r"[^\W\d_]+(?=[_^]\{)|[_^]\{[^{}]*\}"  # w_{12}, a^{(i)}
SCRIPT_OR_NAME = re.compile(f"({SCRIPTED}|{NAME})")
ADVANCE = 0.6  # of the font size: words and numbers
MATH_ADVANCE = 0.56
SMALLER, LOWER, HIGHER = 0.7, 0.22, 0.4  # a number below or above a letter
MARGIN = 14
LONGEST, LONGEST_FORMULA = 24, 60  # signs of a name, and of a formula, that is drawn whole
ROOM = 680  # the width that a picture keeps to where its parts can go below each other
SANS = "system-ui,'Noto Sans','DejaVu Sans',sans-serif"
SERIF = "'STIX Two Text','Latin Modern Roman',Cambria,'Times New Roman','DejaVu Serif',serif"
RULES = f"""
.jb text{{font-family:{SANS};font-variant-numeric:tabular-nums;fill:var(--ink);white-space:pre}}
.jb text.m{{font-family:{SERIF};font-style:italic}}.jb .u{{font-style:normal}}
.jb .paper{{fill:var(--paper)}}.jb .box{{fill:var(--panel);stroke:var(--ink);stroke-width:1.2}}
.jb .edge{{fill:none;stroke:var(--soft);stroke-width:1.2}}.jb .tip{{fill:var(--soft)}}
.jb .void{{fill:var(--void)}}.jb .hatch{{fill:none;stroke:var(--hatch)}}
.jb .grid{{fill:none;stroke:var(--line)}}.jb .rim{{fill:none;stroke:var(--soft)}}
.jb .part{{fill:none;stroke:var(--ink);stroke-width:1.4}}
.jb .dash{{stroke-dasharray:4 3}}.jb .thin{{stroke-width:.7}}
.jb text.soft{{fill:var(--soft)}}
""" + "".join(
    f".jb text.{kind}{{fill:var(--{kind})}}.jb .edge.{kind}{{stroke:var(--{kind})}}"
    f".jb .tip.{kind}{{fill:var(--{kind})}}.jb .box.{kind}{{stroke:var(--{kind});stroke-width:2.2}}"
    for kind in ("accent", "sigma", "sum", "weight")
)
CLASSES = "".join(
    f".jb .c{n}{{fill:var(--c{n})}}.jb .b{n},.jb text.i{n}{{fill:var(--i{n})}}"
    for n in range(len(INK))
)
STYLE = (
    f".jb{{{properties('light')}}}"
    f"@media screen and (prefers-color-scheme:dark){{.jb{{{properties('dark')}}}}}"
    f"{RULES}{CLASSES}"
).replace("\n", "")


class Canvas:
    """The parts of a picture, in the order in which they are drawn."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.leads = False  # somewhere: then it is no image, whose parts no reader hears
        self.left = self.right = self.bottom = 0.0

    def reaches(self, x: float, y: float) -> None:
        """Something is drawn as far as this."""
        self.right, self.bottom = max(self.right, x), max(self.bottom, y)

    @contextmanager
    def link(self, target: str, label: str) -> Iterator[None]:
        """What is drawn meanwhile leads to a place on the page; without a target to none."""
        if target:
            self.leads = True
            self.parts.append(f'<a href="{escape(target)}" aria-label="{escape(safe(label))}">')
        yield
        if target:
            self.parts.append("</a>")

    def rect(
        self, x: float, y: float, w: float, h: float, kind: str = "box", round_: float = 0
    ) -> None:
        corner = f' rx="{_(round_)}"' if round_ else ""
        size = f'width="{_(w)}" height="{_(h)}"'
        self.parts.append(f'<rect x="{_(x)}" y="{_(y)}" {size}{corner} class="{kind}"/>')
        self.reaches(x + w, y + h)

    def circle(self, x: float, y: float, r: float, kind: str = "box") -> None:
        self.parts.append(f'<circle cx="{_(x)}" cy="{_(y)}" r="{_(r)}" class="{kind}"/>')
        self.reaches(x + r, y + r)

    def path(self, d: str, kind: str = "edge") -> None:
        """A path that stays within what its caller says by `reaches`."""
        self.parts.append(f'<path d="{d}" class="{kind}"/>')

    def line(self, points: list[Point], kind: str = "edge", arrow: bool = False) -> None:
        """From point to point; the tip of an arrow is a triangle that has the colour of its line.

        A marker would keep its own colour and size, and needs an id.
        """
        self.path("M" + "L".join(f"{_(x)} {_(y)}" for x, y in points), kind)
        for x, y in points:
            self.reaches(x, y)
        if not arrow:
            return
        (x0, y0), (x, y) = points[-2:]
        far = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5
        u, v = (x - x0) / far, (y - y0) / far
        corners = [(x, y), *((x - 7 * u - s * v, y - 7 * v + s * u) for s in (3.4, -3.4))]
        whole = "L".join(f"{_(p)} {_(q)}" for p, q in corners)
        self.path(f"M{whole}z", kind.replace("edge", "tip"))

    def words(
        self,
        x: float,
        y: float,
        text: object,
        size: float = 11,
        kind: str = "",
        anchor: str = "start",
        most: float = 0,
        heard: str = "",
    ) -> None:
        """Words or a number on one line; pressed into `most` where they are longer.

        `heard` is what stands for them where their place says what they are.
        """
        said = safe(text)
        wide = len(said) * size * ADVANCE
        fit = f' textLength="{_(most)}" lengthAdjust="spacingAndGlyphs"' if 0 < most < wide else ""
        wide = min(wide, most) if most else wide
        said = escape(said)
        if heard:
            fit += f' role="img" aria-label="{escape(safe(heard))}"'
        self._text(x, y, said, f' font-size="{_(size)}"{fit}', kind, anchor, wide)
        self.reaches(x, y + size * 0.3)

    def paragraph(self, x: float, y: float, text: str, width: float, size: float = 11) -> float:
        """Words folded into `width`; where the next line would stand."""
        line = ""
        for word in safe(text).split(" "):
            longer = f"{line} {word}" if line else word
            if line and len(longer) * size * ADVANCE > width:
                self.words(x, y, line, size, "soft")
                y, longer = y + 1.4 * size, word
            line = longer
        self.words(x, y, line, size, "soft")
        return y + 1.4 * size

    def math(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 16,
        kind: str = "",
        anchor: str = "start",
        most: float = 0,
    ) -> None:
        """z2, ∂z2/∂W2, w_{12}: letters slanted, their numbers below, a seed's mark above."""
        parts, wide, shift = [], 0.0, 0.0
        for piece, level in _raised(text):
            moved = f' dy="{_((level - shift) * size)}"' if level != shift else ""
            slanted = level == 0 and piece[0].isalpha()
            upright = "" if slanted else ' class="u"'
            small = f' font-size="{_(size * SMALLER)}"' if level else ""
            parts.append(f"<tspan{moved}{upright}{small}>{escape(piece)}</tspan>")
            wide += len(piece) * MATH_ADVANCE * size * (SMALLER if level else 1)
            shift = level
        fit = f' textLength="{_(most)}" lengthAdjust="spacingAndGlyphs"' if 0 < most < wide else ""
        wide = min(wide, most) if most else wide
        self._text(
            x, y, "".join(parts), f' font-size="{_(size)}"{fit}', f"m {kind}".strip(), anchor, wide
        )
        self.reaches(x, y + size * 0.4)

    def _text(
        self, x: float, y: float, inner: str, size: str, kind: str, anchor: str, wide: float
    ) -> None:
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        named = f' class="{kind}"' if kind else ""
        self.parts.append(f'<text x="{_(x)}" y="{_(y)}"{size}{where}{named}>{inner}</text>')
        beyond = {"start": wide, "middle": wide / 2, "end": 0.0}[anchor]
        self.left = min(self.left, x + beyond - wide - MARGIN)
        self.reaches(x + beyond, y)

    def picture(self, title: str, alt: str, lines: list[str] | tuple[str, ...] = ()) -> Picture:
        """The whole, as one SVG with its title and its description."""
        alt, lines = unmarked(alt), [unmarked(line) for line in lines]
        left, role = _(self.left), "group" if self.leads else "img"
        w, h = _(self.right + MARGIN - self.left), _(self.bottom + MARGIN)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="jb" viewBox="{left} 0 {w} {h}" '
            f'width="{w}" height="{h}" role="{role}"><title>{escape(safe(title))}</title>'
            f"<desc>{escape(safe(alt))}</desc><style>{STYLE}</style>"
            f'<rect x="{left}" width="{w}" height="{h}" class="paper"/>'
            f"{''.join(self.parts)}</svg>\n"
        )
        return Picture(svg, safe(alt), tuple(map(safe, lines)))


def _raised(text: str) -> list[tuple[str, float]]:
    """The pieces of a formula, each with how far below the line it stands, in font sizes."""
    found: list[tuple[str, float]] = []
    levels = {"_": LOWER, "^": -HIGHER}
    for place, part in enumerate(re.split(SCRIPT_OR_NAME, shortened(text, LONGEST_FORMULA))):
        if place % 2 and part[0] in levels:
            found.append((part[2:-1] or " ", levels[part[0]]))
            continue
        pieces = split_name(shortened(part)) if place % 2 else (part, "", "")
        found += [p for p in zip(pieces, (0.0, LOWER, -HIGHER), strict=True) if p[0]]
    return found


def unmarked(text: str) -> str:
    """A text without the marks of what stands above and below.

    >>> unmarked("a^{(i)[1]}, w_{12}")
    'a^(i)[1], w_12'
    """
    return re.sub(r"([_^])\{([^{}]*)\}", r"\1\2", text)


def shortened(name: str, longest: int = LONGEST) -> str:
    """A foreign name made harmless, and cut where it is long.

    >>> shortened("W2"), shortened("a" * 99, 5)
    ('W2', 'aaaa…')
    """
    said = safe(name)
    return said if len(said) <= longest else f"{said[: longest - 1]}…"


def _(value: float) -> str:
    """A length to a tenth of a pixel, the same on every machine."""
    return f"{round(float(value), 1) + 0.0:g}"
