"""Pictures in an article: every shape, colour and word of the SVG stands on the page of LaTeX."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from compiled_articles import compiled

from jacobian_bp import Convention, Network
from jacobian_bp.document.as_latex import article
from jacobian_bp.document.blocks import Document, Picture, Section
from jacobian_bp.document.palette import INK, LIGHT, THEMES
from jacobian_bp.document.svg_in_latex import BETWEEN, LEAST, TALLEST, WIDEST, latex_picture
from jacobian_bp.picture.graph import Value, graph
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(61)
RUN = second_seed().run(X, Y)
WIDE = Network.dense([97, 11, 3], "tanh", "half_squared_error", seed=1)
PICTURES = {
    "slices": RUN.jacobian("z1", "W1").picture(),
    "flat": RUN.jacobian("z2", "W2").picture("flat"),
    "beside": RUN.jacobian("a1", "z1").picture(beside=RUN.jacobian("z2", "a1")),
    "network": second_seed().picture(),
    "layer": second_seed().picture(layer=2),
    "graph": RUN.graph(),
    "chain": RUN.graph("chain"),
    "hessian": RUN.hessian(RUN.params).picture(),
    "sparsity": WIDE.run(RNG.normal(size=97), RNG.normal(size=3)).jacobian("z1", "W1").picture(),
}
each = pytest.mark.parametrize("name", PICTURES)


def elements(svg, *tags):
    root = ElementTree.fromstring(svg)
    return [e for e in root.iter() if e.tag.rpartition("}")[2] in tags]


def document(*pictures):
    return Document("t", tuple(Section("", "s", (p,)) for p in pictures), frozenset(RUN))


@each
def test_each_shape_is_painted_and_each_text_is_put(name):
    svg = PICTURES[name].svg
    set_ = latex_picture(svg, str)
    shapes = elements(svg, "rect", "circle", "path")
    assert len(re.findall(r"^q [\d.]+ w", set_, re.M)) == len(shapes) > 10
    assert set_.count(r"\scalebox") == len(elements(svg, "text")) > 2
    said = ["".join(e.itertext()) for e in elements(svg, "text") if not len(e)]
    assert all(text.replace(" ", r"\ ") in set_ for text in said)


def test_a_rectangle_stands_where_the_svg_has_it_in_the_colour_of_its_class():
    svg = PICTURES["flat"].svg
    set_ = latex_picture(svg, str)
    found = re.findall(r"^q 1 w (\S+ \S+ \S+) rg (\S+) (\S+) (\S+) (\S+) re f Q$", set_, re.M)
    colours = {f"c{n}": colour for n, colour in enumerate(LIGHT)}
    colours |= {"paper": THEMES["light"]["paper"], "void": THEMES["light"]["void"]}
    colours |= {f"b{n}": colour for n, colour in enumerate(INK)}
    expected = []
    for e in elements(svg, "rect"):
        if e.get("class") in colours:
            code = colours[e.get("class")]
            rgb = " ".join(f"{int(code[n : n + 2], 16) / 255:.3f}" for n in (1, 3, 5))
            place = [f"{float(e.get(k, '0')):g}" for k in ("x", "y", "width", "height")]
            expected.append((rgb, *place))
    assert found == expected
    assert len({colour for colour, *_ in found}) > 4


def test_a_picture_is_turned_upright_and_made_to_fit():
    for name, picture in PICTURES.items():
        set_ = latex_picture(picture.svg, str)
        unit = float(re.search(r"unitlength\}\{([\d.]+)bp", set_)[1])
        width, height = map(float, re.search(r"picture\}\((\S+),(\S+)\)\(", set_).groups())
        assert unit * width <= WIDEST + 0.1, name
        assert unit * height <= TALLEST + 0.1, name
        moved = re.search(r"q (\S+) 0 0 (\S+) \S+ (\S+) cm", set_).groups()
        assert np.allclose([float(m) for m in moved], [unit, -unit, unit * height], atol=0.06)


def test_curves_and_short_lines_are_those_of_the_path():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="jb" viewBox="0 0 40 30"><style>'
        ".jb{--a:#102030}.jb .paper{fill:var(--a)}"
        ".jb .e{fill:none;stroke:var(--a);stroke-dasharray:4 3}</style>"
        '<path d="M1 2h3v5L8 9Q10 9 10 12z" class="e"/></svg>'
    )
    drawn = latex_picture(svg, str)
    ops = "1 2 m 4 2 l 4 7 l 8 9 l 9.33333 9 10 10 10 12 c h S Q"
    assert f"[4 3] 0 d 0.063 0.125 0.188 RG {ops}" in drawn


def test_a_shade_lets_the_paper_through():
    svg = PICTURES["sparsity"].svg
    shades = [e.get("fill-opacity") for e in elements(svg, "rect")]
    share = next(float(shade) for shade in shades if shade)
    full, paper = LIGHT[8], THEMES["light"]["paper"]
    pairs = [(int(full[n : n + 2], 16), int(paper[n : n + 2], 16)) for n in (1, 3, 5)]
    mixed = " ".join(f"{(share * one + (1 - share) * other) / 255:.3f}" for one, other in pairs)
    assert f"{mixed} rg" in latex_picture(svg, str)


def test_a_foreign_svg_is_told_by_its_words_and_lines():
    foreign = Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", "a foreign W1", ("▌",))
    text = article(document(foreign))
    assert r"a foreign $W_{1}$\par" in text
    assert r"\begin{picture}" not in text


def test_only_an_article_with_a_picture_asks_for_the_packages():
    asked = r"\usepackage{graphicx,color}"
    assert asked in article(document(PICTURES["flat"]))
    assert asked not in article(Document("t", (), frozenset()))


def tall(values):
    """A graph with that many values, one below the other, and an edge past all of them."""
    names = [f"v{n}" for n in range(values)]
    made = [Value(a, (2,), "f", "F", (b,), numbers=a * 2) for b, a in pairwise(names)]
    last = Value("J", (), "f", "F", (names[-1], names[0]))
    return graph([Value(names[0], (2,)), *made, last], {(made[0].name, names[0]): (2, 2)})


@pytest.mark.parametrize("values", [11, 23, 37])
def test_a_tall_graph_is_cut_into_columns_through_lines_alone(values):
    svg = tall(values).svg
    set_ = latex_picture(svg, str)
    columns = re.findall(r"picture\}\((\S+),(\S+)\)\((\S+),(\S+)\)\n(.*?)\\end", set_, re.S)
    unit = float(re.search(r"unitlength\}\{([\d.]+)bp", set_)[1])
    assert len(columns) > 1
    assert unit >= LEAST
    assert set_.count(r"\scalebox") == len(elements(svg, "text"))  # each word once
    for width, height, _, low, drawn in columns:
        assert unit * float(height) <= TALLEST
        top, size = map(float, re.search(r"\n\S+ (\S+) \S+ (\S+) re W n", drawn).groups())
        assert size == pytest.approx(float(height) + float(low), abs=0.06)
        assert float(width) * unit <= WIDEST
        for word in re.findall(r"\\put\(\S+,(\S+)\)\{\\makebox", drawn):
            assert 0 < float(word) < size
        for box in re.findall(r"^q 1.2 w .* (\S+) m .* h B Q$", drawn, re.M):
            assert top < float(box) < top + size
    for line in set_.split(r"\par"):
        wide = [float(w) * unit for w in re.findall(r"begin\{picture\}\(([\d.]+),", line)]
        assert sum(wide) + BETWEEN * (len(wide) - 1) <= WIDEST + 0.1


def test_what_can_be_read_on_one_page_stays_whole_and_so_does_what_cannot_be_cut():
    assert latex_picture(tall(7).svg, str).count(r"\begin{picture}") == 1
    one = '<rect x="0" y="0" width="9" height="2000" class="box"/>'
    svg = re.sub("(</style>).*</svg>", rf"\1{one}</svg>", tall(30).svg, flags=re.S)
    whole = latex_picture(svg, str)
    assert whole.count(r"\begin{picture}") == 1
    assert "re W n" not in whole


def test_an_article_of_many_layers_and_one_with_lanes_keep_to_their_pages(tmp_path):
    rng = np.random.default_rng(2)
    deep = Network.dense([3, *[5] * 19, 2], "tanh", "half_squared_error", seed=1)
    folded = deep.run(rng.normal(size=3), rng.normal(size=2)).derivation().document()
    graphs = [b for s in folded.sections for b in s.blocks if isinstance(b, Picture)]
    assert graphs
    text = article(document(*graphs, tall(37)))
    assert text.count("It goes on from column to column.") == 2
    code, overfull = compiled(text, tmp_path)
    assert (code, [width for width in overfull if width > 3]) == (0, [])


def test_all_pictures_compile_and_stay_in_the_margins(tmp_path):
    named = Convention(names={r"<b\x>$%": "W2", "^^5c_~": "z1", "#&|": "a1"})
    foreign = [
        block
        for section in RUN.derivation(named).document().sections
        for block in section.blocks
        if isinstance(block, Picture)
    ]
    assert "&lt;b" in foreign[0].svg
    code, overfull = compiled(article(document(*PICTURES.values(), *foreign)), tmp_path)
    assert (code, [width for width in overfull if width > 3]) == (0, [])
