"""A derivation in each form: every statement, every number, both kinds of zero; nothing breaks."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from compiled_articles import compiled
from network_cases import data, network, random_net

from jacobian_bp import Network
from jacobian_bp.derivation.ledger import DeltaStep, Folded, GradientStep, LocalStep
from jacobian_bp.derivation.ready_made import READY_MADE
from jacobian_bp.document.as_html import page
from jacobian_bp.document.as_latex import article
from jacobian_bp.document.as_markdown import markdown
from jacobian_bp.document.as_text import text_lines
from jacobian_bp.document.blocks import (
    Column,
    Document,
    Equation,
    Equations,
    Formula,
    Matrix,
    Named,
    Picture,
    Row,
    Section,
    Signs,
    Table,
    Values,
    Words,
)
from jacobian_bp.document.palette import DARK, INK, INK_DARK, LIGHT, THEMES, level
from jacobian_bp.reference import X, Y, second_seed

FORMS = {"html": page, "tex": article, "md": markdown}
by_form = pytest.mark.parametrize("form", FORMS)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "p", "ul"),
    *("li", "div", "span", "table", "tr", "td", "th", "pre", "a", "svg", "figure", "figcaption"),
    *("wbr", "sup", "math", "mi", "mo", "mn", "mrow", "msub", "msup", "msubsup", "mfrac"),
    *("munder", "mspace", "mtext"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "class", "id", "href", "tabindex", "scope", "title"),
    *("form", "stretchy", "width", "lspace", "rspace", "role", "aria-label"),
}
VOID = {"meta", "wbr", "br"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\\input{/etc/passwd}",
    "\\write18{rm -rf x}",
    "^^5cinput{x}",
    "}}}{{ $x$ 50% & # ~ _ ^",
    "``` math\n```",
    "[click](javascript:alert(1)) ![x](http://x/y.png)",
    "*a* | b | `c`",
    "# no heading",
    "- no item",
    "1. no item",
    '" onmouseover="alert(1)',
    "a\x00\x1b[31m\u202eb",
    "ü 中 𝒳 '' ᵀ ² Σ ∂",
]


class Tags(HTMLParser):
    """What stands in a page: its tags, each closed in order, its text, and its grids."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.grids, self.words = [], [], [], []
        self.cell, self.inside = None, False
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.inside = dict(attributes).get("class") == "grid"
            self.grids += [[]] * self.inside
        if tag == "tr" and self.inside:
            self.grids[-1] = [*self.grids[-1], []]
        self.cell = tag if tag == "td" else self.cell

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.cell = None if tag == "td" else self.cell

    def handle_data(self, text):
        self.words.append(text)
        if self.cell and self.inside:
            self.grids[-1][-1].append(text.replace("−", "-"))


def grids_in(form, text):
    """The matrices of a document as rows of cells."""
    if form == "html":
        grids = ([row for row in grid if row] for grid in Tags(text).grids)  # without the heads
        return [grid for grid in grids if grid]
    arrays = re.findall(r"\\begin\{array\}\{r+\}(.*?)\\end\{array\}", text)
    power = re.compile(r"\\cdot10\^\{(-?\d+)\}")
    return [
        [[power.sub(r"e\1", cell) for cell in row.split(" & ")] for row in array.split(r" \\ ")]
        for array in arrays
    ]


def numbers_of(step):
    """The entries that a step shows, NaN where one is zero for every input."""
    value = np.atleast_2d(step.value).astype(float)
    mask = getattr(step, "can_be_nonzero", None)
    return value if mask is None else np.where(np.atleast_2d(mask), value, np.nan)


def missing(expected, grids):
    """Which of the arrays stand in no grid, each entry to the digits that are written."""

    def same(value, grid):
        found = [[np.nan if cell == "." else float(cell) for cell in row] for row in grid]
        return np.shape(found) == value.shape and np.allclose(
            found, value, rtol=2e-3, atol=0, equal_nan=True
        )

    return [at for at, value in enumerate(expected) if not any(same(value, grid) for grid in grids)]


def derivations():
    rng = np.random.default_rng(3)
    net = random_net([3, 5, 2], ["relu", "softmax"], "cross_entropy", 7)
    yield net.run(rng.normal(size=3), 1).derivation("flat")
    yield net.run(rng.normal(size=(7, 3)), rng.integers(0, 2, 7)).derivation("ng")
    yield second_seed().run(X, Y).derivation("first_seed")


@pytest.mark.one_in(3)
@by_form
@pytest.mark.parametrize("place", range(3))
def test_every_small_matrix_stands_in_every_form_with_both_kinds_of_zero(form, place):
    derivation = list(derivations())[place]
    grids = grids_in(form, FORMS[form](derivation.document()))
    steps = [
        step
        for step in (*derivation.backward, *derivation.gradients)
        if isinstance(step, LocalStep | DeltaStep | GradientStep)
    ]
    shown = [numbers_of(step) for step in steps]
    shown = [v for v in shown if v.ndim == 2 and len(v) <= 16 and v.shape[1] <= 12]
    assert len(shown) >= 7
    assert missing(shown, grids) == []
    wrong = [*shown[:-1], shown[-1] * 1.01]
    assert missing(wrong, grids) == [len(shown) - 1]
    possible = [np.nan_to_num(value) if np.isnan(value).any() else value for value in shown]
    masked = any(np.isnan(value).any() for value in shown)
    assert bool(missing(possible, grids)) is masked  # a zero of this input is no structural zero


@pytest.mark.one_in(8)
@by_form
@pytest.mark.parametrize("name", [ready.name for ready in READY_MADE])
def test_every_step_says_its_reason_in_every_form_and_convention(form, name):
    x, y = data("cross_entropy", batch=True)
    derivation = network("relu", "cross_entropy").run(x, y).derivation(name)
    text = FORMS[form](derivation.document())
    if form == "html":
        text = "".join(Tags(text).words)
    plain = re.sub(r"[^a-z]", "", text)
    for step in derivation.backward:
        if not isinstance(step, Folded):
            words = [w for w in re.findall(r"(?<!\w)[a-z]{4,}(?!\w)", step.reason) if w in text]
            asked = re.findall(r"(?<!\w)[a-z]{4,}(?!\w)", derivation.spelled(step.reason))
            assert [word for word in asked if word not in plain] == []
            assert words or not asked


def hostile(name):
    """A document in which a foreign name stands in every kind of block."""
    array = np.array([[1.5, -2.0], [0.0, 3.0]])
    mask = np.array([[True, False], [True, True]])
    many = np.arange(900.0).reshape(30, 30)
    columns = (Column("step", "step"), Column(name, "name"), Column("why", "reason", last=True))
    row = Row(
        (Words(name), Formula(name), Words(name)),
        name,
        (Formula(f"δ[k,k'] {name}"),),
        Matrix(lambda: (array.copy(), mask)),
    )
    blocks = (
        Words(name),
        Formula(name),
        Values((Named(name, array), Named(name, array[0]), Named(name, many))),
        Equations((Equation(f"{name} = W x", array[0]), Words(name))),
        Signs(lambda printed: [name]),
        Table(columns, (row, Words(name))),
        Table((Column(name), Column("b")), (Row((Words(name), Words(name))),), (name,)),
        Matrix(lambda: (array, mask), refused=name),
        Picture("<svg></svg>", name),
    )
    return Document(name, (Section("label", name, blocks),), frozenset([name]))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_brings_no_tag_and_no_attribute_into_a_page(name):
    tags = Tags(page(hostile(name)))
    assert {tag for tag, _ in tags.seen} <= TAGS
    assert {key for _, attributes in tags.seen for key in attributes} <= ATTRIBUTES
    links = [attributes["href"] for tag, attributes in tags.seen if tag == "a"]
    assert all(re.fullmatch(r"#step-\d+", link) for link in links)
    assert "\x1b" not in page(hostile(name))


def test_a_planted_tag_is_found():
    assert ("script", {}) in Tags("<p><script></script></p>").seen
    with pytest.raises(AssertionError):
        Tags("<p><b></p>")


def test_a_page_loads_nothing():
    for derivation in derivations():
        loading = r"https?:|src=|url\(|@import|<link"
        assert re.findall(loading, derivation.html()) == []
        assert re.findall(f"{loading}|<script", derivation.html(static=True)) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_brings_no_command_into_an_article(name):
    own = set(re.findall(r"\\[A-Za-z]+", article(hostile("q"))))
    text = article(hostile(name))
    body = text[text.index(r"\title") :]
    signs = {"textbackslash", "textless", "textgreater", "textbar", "textquotedbl", "dots"}
    signs |= {"textasciigrave", "top", "partial", "sum", "backslash", "wedge", "sim", "langle"}
    signs |= {"rangle", "mathrm", "ldots", "surd", "frac", "delta", "left", "right"}
    signs |= {"raggedright", "arraybackslash", "small", "footnotesize", "scriptsize"}
    assert {c[1:] for c in re.findall(r"\\[A-Za-z]+", body)} <= {c[1:] for c in own} | signs
    bare = re.sub(r"\\([^A-Za-z]|$)", "", text[len(text.split(r"\title")[0]) :])
    assert bare.count("{") == bare.count("}")
    assert "^^" not in bare
    assert "%" not in bare
    assert "#" not in bare
    assert bare.count("$") % 2 == 0
    assert {c for c in bare if not c.isascii()} <= {"ü"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_brings_no_mark_into_markdown(name):
    shown = r"(`{3,})(?:math|text)\n.*?\n\1|\$`[^`]*`\$"
    outside = re.sub(shown, "", markdown(hostile(name)), flags=re.DOTALL)
    bare = re.sub(r"\\.", "", outside)
    assert re.findall(r"[<>`_~$]", bare.replace("**", "")) == []
    assert re.findall(r"[\[\]](?=\()", bare) == []
    assert len(re.findall(r"^#", outside, re.MULTILINE)) == 2
    assert len(re.findall(r"^- ", outside, re.MULTILINE)) == 1
    nested = r"^(?:- )?(?:[+*>=]\s|\d+[.)])|^- -\s"
    assert re.findall(nested, outside, re.MULTILINE) == []


def test_the_product_of_an_error_is_said_at_every_width():
    x, y = data("squared_error", sizes=[5, 3, 2])
    for name in ("flat", "ng", "nielsen"):
        derivation = network("identity", sizes=[5, 3, 2]).run(x, y).derivation(name)
        products = [step.product for step in derivation.backward if isinstance(step, DeltaStep)]
        assert len(products) == 2
        for width in range(40, 110, 3):
            text = derivation.text(width)
            spelled = [derivation.spelled(product) for product in products]
            assert [product for product in spelled if f"= {product}" not in text] == []


def test_what_is_rendered_is_the_same_each_time_and_nothing_of_it_is_kept():
    derivation = second_seed().run(X, Y).derivation()
    document = derivation.document()
    first = {form: render(document) for form, render in FORMS.items()}
    table = next(b for s in document.sections for b in s.blocks if isinstance(b, Table))
    for row in table.rows:
        value, mask = row.matrix.laid_out()
        value[...] = np.nan
        if mask is not None:
            mask[...] = False
    assert {form: render(document) for form, render in FORMS.items()} == first
    assert derivation.text() == "\n".join(text_lines(document))


def test_every_ink_stands_out_from_its_class():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    def contrast(one, other):
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    pairs = [*zip(LIGHT, INK, strict=True), *zip(DARK, INK_DARK, strict=True)]
    for theme in THEMES.values():
        pairs += [(theme[ink], theme[on]) for ink in ("ink", "soft") for on in ("paper", "void")]
        pairs.append((theme["accent"], theme["paper"]))
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []
    assert contrast("#ffffff", "#d07a2d") < 4.5  # white on the second class would not do


def test_the_classes_grow_with_the_number_and_a_zero_is_in_the_middle():
    values = [-7.0, -5.0, -3.0, -1.0, 0.0, 1.0, 3.0, 5.0, 7.0]
    assert [level(value, 7.0) for value in values] == list(range(9))
    assert [level(value, 0.0) for value in (0.0, np.nan)] == [4, 4]
    assert level(np.nan, 1.0) == level(np.inf, 1.0) == 4


def test_an_article_compiles_and_stays_in_its_margins(tmp_path):
    code, overfull = compiled(article(second_seed().run(X, Y).derivation().document()), tmp_path)
    assert code == 0
    assert [width for width in overfull if width > 3] == []


def test_a_line_of_two_long_names_is_broken_between_them(tmp_path):
    rng, name = np.random.default_rng(3), "projection_weight_of_the_second_attention_layer"
    params = {name: rng.normal(size=(2, 3)), f"{name}_too": rng.normal(size=2)}
    lines = [f"z = Linear(x, {name}, {name}_too)", "J = HalfSquaredError(z, y)"]
    run = Network.program(*lines, params=params).run(x=rng.normal(size=3), y=rng.normal(size=2))
    text = article(run.derivation().document())
    code, overfull = compiled(text, tmp_path)
    assert (code, [width for width in overfull if width > 3]) == (0, [])
    strict = text.replace(r"\sloppy", "")
    assert max(compiled(strict, tmp_path)[1]) > 3


@pytest.mark.full
@pytest.mark.parametrize("name", ["first_seed", "third_seed", "ng", "gradient"])
def test_a_deep_network_and_a_batch_compile_in_each_notation(name, tmp_path):
    deep = Network.dense([6, *[20] * 9, 4], "tanh", "half_squared_error", seed=0)
    rng = np.random.default_rng(2)
    runs = [
        deep.run(rng.normal(size=6), rng.normal(size=4)),
        network("relu", "cross_entropy").run(*data("cross_entropy", batch=True)),
        second_seed().run(X, Y),
    ]
    for run in runs:
        code, overfull = compiled(article(run.derivation(name).document()), tmp_path)
        assert (code, [width for width in overfull if width > 3]) == (0, [])


@pytest.mark.full
@pytest.mark.parametrize("name", HOSTILE)
def test_an_article_with_a_foreign_name_compiles(name, tmp_path):
    assert compiled(article(hostile(name)), tmp_path)[0] == 0
