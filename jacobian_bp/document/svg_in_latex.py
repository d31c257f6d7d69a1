r"""A picture of ours in an article: the shapes of its SVG as strokes, its words as text.

pdflatex reads no SVG, and needs nothing but itself for this: shapes are operators of a PDF page
(\pdfliteral), words stand at their places in a `picture` environment. The colours are those of the
light theme, as the style within the SVG has them. A picture too tall to be read on one page is cut
into columns, through lines alone.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from xml.etree import ElementTree

PACKAGES = r"\usepackage{graphicx,color}"
WIDEST, TALLEST = 440.0, 390.0  # points that a picture may take
POINTS, LEAST = 0.7, 0.5  # of a pixel, at most, and as long as that makes a picture whole
BETWEEN = 12.0  # points between two columns
MOST_COLUMNS = 12
ROUND = 0.5523  # of a radius: where a quarter of a circle has its control points
PATH = re.compile(r"([MLHVQhvz])|(-?[\d.]+(?:e-?\d+)?)")
PARAMETERS = {"M": 2, "L": 2, "H": 1, "V": 1, "h": 1, "v": 1, "Q": 4, "z": 0}

Style = dict[str, str]
Words = Callable[[str], str]  # a text, each sign of it as LaTeX has it
Point = tuple[float, float]


def latex_picture(svg: str, words: Words) -> str:
    """The picture in a paragraph of its own, smaller where it would stand out of the margins.

    Nothing for an SVG that is none of the package's own.
    """
    root = ElementTree.fromstring(svg)
    if root.get("class") != "jb":
        return ""
    unit, ends = _fitting(root)
    columns = [_Drawing(root, words, unit, both) for both in pairwise(ends)]
    beside = int((WIDEST + BETWEEN) // (unit * columns[0].width + BETWEEN)) or 1
    lines = [_line(columns[at : at + beside]) for at in range(0, len(columns), beside)]
    return rf"{{\setlength{{\unitlength}}{{{unit:.4f}bp}}" + "\n".join(lines) + "}"


def _fitting(root: ElementTree.Element) -> tuple[float, list[float]]:
    """How large a pixel is, and where the columns end: one column, or two beside each other."""
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    whole = min(POINTS, WIDEST / width, TALLEST / height)
    if TALLEST / height >= LEAST:
        return whole, [0.0, height]
    half = (WIDEST - BETWEEN) / (2 * width)
    unit = min(max(half, LEAST), POINTS, WIDEST / width)
    ends = _cut(root, height, TALLEST / unit)
    return (unit if len(ends) > 2 else whole), ends


def _line(columns: "Sequence[_Drawing]") -> str:
    """Columns beside each other, their tops at one height."""
    tall = max(column.bottom - column.top for column in columns)
    set_ = []
    for each in columns:
        low = each.bottom - each.top - tall
        size = f"({each.width:g},{tall:g})({each.left:g},{low:g})"
        drawn = "\n".join(each.parts())
        set_.append(f"\\begin{{picture}}{size}\n{drawn}\n\\end{{picture}}")
    between = rf"\hspace{{{BETWEEN:g}pt}}"
    return rf"\noindent{between.join(set_)}\par"


def _cut(root: ElementTree.Element, height: float, most: float) -> list[float]:
    """Where columns end, the first at 0: between shapes and words, none taller than `most`.

    The whole alone where there is no such place.
    """
    spans = [
        span
        for element in _drawn(root)
        if _tag(element) != "path" and "paper" not in element.get("class", "").split()
        for span in [_span(element)]
    ]
    free = [
        y
        for y in sorted({bottom + 2 for _, bottom in spans})
        if y < height and not any(a < y < b for a, b in spans)
    ]
    for count in range(math.ceil(height / most), MOST_COLUMNS + 1 if free else 0):
        near = (min(free, key=lambda y: abs(y - n * height / count)) for n in range(1, count))
        ends = sorted({0.0, *near, height})
        if all(b - a <= most for a, b in pairwise(ends)):
            return ends
    return [0.0, height]


def _span(element: ElementTree.Element) -> tuple[float, float]:
    """The top and the bottom of what is drawn."""
    of = {key: float(element.get(key, "0")) for key in ("y", "height", "cy", "r")}
    match _tag(element):
        case "rect":
            return of["y"], of["y"] + of["height"]
        case "circle":
            return of["cy"] - of["r"], of["cy"] + of["r"]
        case "text":
            size = float(element.get("font-size", "16"))
            return of["y"] - size, of["y"] + 0.3 * size
    heights = [float(n) for line in _outline(element) for n in re.findall(r"-?[\d.]+", line)][1::2]
    return min(heights, default=0.0), max(heights, default=0.0)


class _Drawing:
    """One picture, its elements in the order in which they are drawn."""

    def __init__(
        self, root: ElementTree.Element, words: Words, unit: float, ends: tuple[float, float]
    ) -> None:
        self.root, self.words, self.unit = root, words, unit
        self.top, self.bottom = ends
        self.rules = list(_rules(root))
        self.left, _, self.width, self.height = map(float, root.attrib["viewBox"].split())

    def parts(self) -> Iterator[str]:
        """All of it; of one column what reaches into it, cut off at its ends."""
        clipped = self.bottom - self.top < self.height
        size = f"{self.left:g} {self.top:g} {self.width:g} {self.bottom - self.top:g}"
        clip = [f"{size} re W n"] * clipped
        shapes: list[str] = []
        for element in _drawn(self.root):
            top, bottom = _span(element)
            if clipped and (bottom < self.top or top > self.bottom):
                continue
            if _tag(element) != "text":
                shapes.append(self._shape(element))
                continue
            yield from self._literal(shapes, clip)
            shapes = []
            yield self._text(element)
        yield from self._literal(shapes, clip)

    def _literal(self, shapes: list[str], clip: list[str]) -> Iterator[str]:
        """Shapes one after another, in the pixels of the picture, whose y goes down."""
        if shapes:
            u, top = self.unit, self.unit * self.bottom
            begin = f"q {u:.4f} 0 0 {-u:.4f} {-self.left * u:.3f} {top:.3f} cm"
            whole = "\n".join([begin, *clip, *shapes, "Q"])
            yield rf"\put({self.left:g},0){{\pdfliteral{{{whole}}}}}"

    def _style(self, element: ElementTree.Element) -> Style:
        classes, tag = set(element.get("class", "").split()), _tag(element)
        found: Style = {}
        for needs_text, needed, style in self.rules:
            if needed <= classes and (tag == "text" or not needs_text):
                found |= style
        return found

    def _shape(self, element: ElementTree.Element) -> str:
        style = self._style(element)
        share = float(element.get("fill-opacity", "1"))
        fill, stroke = (style.get(name, "none") for name in ("fill", "stroke"))
        fill = fill if "fill" in style or stroke != "none" else "#000000"
        said = [f"q {float(style.get('stroke-width', '1')):g} w"]
        if "stroke-dasharray" in style:
            said.append(f"[{style['stroke-dasharray']}] 0 d")
        if fill != "none":
            said.append(f"{_rgb(fill, share, self._paper)} rg")
        if stroke != "none":
            said.append(f"{_rgb(stroke)} RG")
        painted = {(True, True): "B", (True, False): "f", (False, True): "S"}
        paint = painted.get((fill != "none", stroke != "none"), "n")
        return " ".join([*said, *_outline(element), paint, "Q"])

    @property
    def _paper(self) -> str:
        return next(s["fill"] for _, needed, s in self.rules if needed == {"paper"})

    def _text(self, element: ElementTree.Element) -> str:
        style = self._style(element)
        size, anchor = float(element.get("font-size", "16")), element.get("text-anchor", "start")
        x, y = float(element.get("x", "0")), self.bottom - float(element.get("y", "0"))
        said = self._kept(element.text or "") + "".join(map(self._piece, element))
        place = {"start": "l", "middle": "", "end": "r"}[anchor]
        scale, family = size * self.unit / 10, "" if len(element) else r"\sffamily"
        set_ = rf"\normalfont\fontsize{{10}}{{10}}\selectfont{family}"
        box = rf"\scalebox{{{scale:.3f}}}{{{set_} {said}}}"
        if element.get("textLength"):
            wide = float(element.get("textLength", "0")) * self.unit
            box = rf"\resizebox{{{wide:.2f}bp}}{{\height}}{{{box}}}"
        colour = _rgb(style.get("fill", "#000000")).replace(" ", ",")
        return (
            rf"\put({x:g},{y:g}){{\makebox(0,0)[{place}b]{{\raisebox{{0pt}}[0pt][0pt]"
            rf"{{\color[rgb]{{{colour}}}{box}}}}}}}"
        )

    def _piece(self, part: ElementTree.Element) -> str:
        """A letter, its number below, a mark above."""
        text, moved = part.text or "", "font-size" in part.attrib
        if moved:
            hangs = "^" if float(part.get("dy", "0")) < 0 else "_"
            small = rf"\mbox{{\fontsize{{7}}{{7}}\selectfont {self.words(text)}}}"
            return rf"$\smash{{{{}}{hangs}{{{small}}}}}$"
        if part.get("class") == "u":
            return self._kept(text)
        plain = text.isascii() and text.isalpha()
        return rf"$\mathit{{{text}}}$" if plain and len(text) > 1 else self._letter(text, plain)

    def _kept(self, text: str) -> str:
        """Words whose blanks stay, each of them."""
        return r"\ ".join(map(self.words, text.split(" ")))

    def _letter(self, text: str, plain: bool) -> str:
        return f"${text}$" if plain else rf"\textit{{{self.words(text)}}}"


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _drawn(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """What is drawn, what leads to another place among it."""
    for element in root:
        if _tag(element) == "a":
            yield from _drawn(element)
        elif _tag(element) in ("rect", "circle", "path", "text"):
            yield element


def _rules(root: ElementTree.Element) -> Iterator[tuple[bool, set[str], Style]]:
    """Whether a rule is for words alone, the classes it is for, and what it says, on paper."""
    whole = next(e.text or "" for e in root if _tag(e) == "style")
    whole = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", whole)
    colours: Style = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", whole):
        pairs = (pair.partition(":") for pair in body.split(";"))
        said: Style = {name: value for name, colon, value in pairs if colon}
        colours |= {f"var({name})": value for name, value in said.items() if name.startswith("--")}
        kept: Style = {name: colours.get(value, value) for name, value in said.items()}
        for selector in selectors.split(","):
            if selector.strip() != ".jb":
                classes = set(re.findall(r"\.(\w+)", selector)) - {"jb"}
                yield " text" in selector, classes, kept


def _rgb(colour: str, share: float = 1.0, paper: str = "#ffffff") -> str:
    """Three numbers from 0 to 1; of a shade that lets paper through the mixture."""
    mixed = (
        share * int(colour[n : n + 2], 16) + (1 - share) * int(paper[n : n + 2], 16)
        for n in (1, 3, 5)
    )
    return " ".join(f"{value / 255:.3f}" for value in mixed)


def _outline(element: ElementTree.Element) -> Iterator[str]:
    def of(name: str) -> float:
        return float(element.get(name, "0"))

    match _tag(element):
        case "rect":
            yield from _rect(of("x"), of("y"), of("width"), of("height"), of("rx"))
        case "circle":
            r = of("r")
            yield from _rect(of("cx") - r, of("cy") - r, 2 * r, 2 * r, r)
        case "path":
            yield from _path(element.get("d", ""))


def _rect(x: float, y: float, w: float, h: float, r: float) -> Iterator[str]:
    if not r:
        yield f"{x:g} {y:g} {w:g} {h:g} re"
        return
    r = min(r, w / 2, h / 2)
    k = r * (1 - ROUND)
    yield f"{x + r:g} {y:g} m {x + w - r:g} {y:g} l"
    yield _curve((x + w - k, y), (x + w, y + k), (x + w, y + r))
    yield f"{x + w:g} {y + h - r:g} l"
    yield _curve((x + w, y + h - k), (x + w - k, y + h), (x + w - r, y + h))
    yield f"{x + r:g} {y + h:g} l"
    yield _curve((x + k, y + h), (x, y + h - k), (x, y + h - r))
    yield f"{x:g} {y + r:g} l"
    yield _curve((x, y + k), (x + k, y), (x + r, y)) + " h"


def _curve(*points: Point) -> str:
    return " ".join(f"{x:g} {y:g}" for x, y in points) + " c"


def _path(d: str) -> Iterator[str]:
    """M, L, H, V and Q, their short forms h and v, and z."""
    command, at = "", (0.0, 0.0)
    numbers: list[float] = []
    for sign, number in PATH.findall(d):
        if sign:
            command = sign
        else:
            numbers.append(float(number))
        if len(numbers) < PARAMETERS[command] or (not sign and command == "z"):
            continue
        match command:
            case "z":
                yield "h"
                continue
            case "Q":
                (a, b, x, y), (x0, y0) = numbers, at
                near = (x0 + 2 * (a - x0) / 3, y0 + 2 * (b - y0) / 3)
                yield _curve(near, (x + 2 * (a - x) / 3, y + 2 * (b - y) / 3), (x, y))
                at = x, y
            case "H" | "h":
                at = numbers[0] + (at[0] if command == "h" else 0.0), at[1]
                yield f"{at[0]:g} {at[1]:g} l"
            case "V" | "v":
                at = at[0], numbers[0] + (at[1] if command == "v" else 0.0)
                yield f"{at[0]:g} {at[1]:g} l"
            case _:
                at = numbers[0], numbers[1]
                yield f"{at[0]:g} {at[1]:g} {command.lower()}"
        numbers = []
