"""A picture of a matrix has its numbers, its zeros and its names, and no more than it says."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import HOSTILE, contrast, read, shapes, words
from network_cases import refusal

from jacobian_bp import AxisError, Network, SpecError
from jacobian_bp.algebra.pictured import block_of, pictured
from jacobian_bp.document.palette import DARK, INK, INK_DARK, LIGHT, THEMES
from jacobian_bp.picture import matrices
from jacobian_bp.picture.cells import said

RNG = np.random.default_rng(14)
RUN = Network.dense([3, 5, 2], ["relu", "softmax"], "cross_entropy", seed=2).run(
    RNG.normal(size=3), np.eye(2)[0]
)
BIG = Network.dense([31, 97, 2], seed=0).run(RNG.normal(size=31), RNG.normal(size=2))


def numbers_drawn(picture):
    """The numbers in the cells, in the order of rows."""
    return words(picture, r"i\d")


def void_area(picture):
    """The area that is hatched, without the sample in the legend."""
    sizes = [(float(a["width"]), float(a["height"])) for a in shapes(picture, "rect", "void")]
    return sum(w * h for w, h in sizes if (w, h) != (22, 14))


def cell_area(picture):
    at = next(a for a in shapes(picture, "rect", r"c\d") if a["height"] == "24")
    return float(at["width"]) * 24


@pytest.mark.parametrize(
    ("of", "wrt", "layout"),
    [
        ("z1", "W1", "numerator"),
        ("z1", "W1", "transposed"),
        ("z1", "W1", "gradient"),
        ("z1", "W1", "flat"),
        ("z2", "W2", "flat_column"),
        ("a1", "z1", "numerator"),
        ("a2", "z2", "numerator"),
        ("J", "a1", "numerator"),
    ],
)
def test_each_number_stands_in_its_cell_and_each_structural_zero_is_hatched(of, wrt, layout):
    jacobian = RUN.jacobian(of, wrt)
    value, possible = jacobian.materialise(layout), jacobian.can_be_nonzero(layout)
    picture = jacobian.picture(layout)
    assert numbers_drawn(picture) == [said(x) for x in value[possible]]
    hatched = void_area(picture) / cell_area(picture)
    assert hatched == pytest.approx((~possible).sum(), rel=0.02)
    signs = [line for line in picture.lines if set(line) <= set("+-0.")]
    assert "".join(signs) == "".join(
        "." if not p else "0" if x == 0 else "+" if x > 0 else "-"
        for x, p in zip(value.ravel(), possible.ravel(), strict=True)
    )


def test_a_number_in_another_cell_and_a_zero_of_the_other_kind_are_seen():
    jacobian = RUN.jacobian("z1", "W1")
    block = block_of(jacobian, "flat")
    turned = replace(block, value=block.value[:, ::-1], possible=block.possible[:, ::-1])
    good, bad = matrices.matrix(block), matrices.matrix(turned)
    assert numbers_drawn(good) != numbers_drawn(bad)
    every = replace(block, possible=np.ones_like(block.possible))
    assert void_area(matrices.matrix(every)) == 0 != void_area(good)


def test_the_slices_are_named_by_the_entry_or_the_axis_that_they_stand_for():
    jacobian = RUN.jacobian("z1", "W1")
    assert [w for w in words(jacobian.picture()) if w.startswith("z1[")] == [
        f"z1[{k}]" for k in range(5)
    ]
    assert "k' = 4" in words(jacobian.picture("gradient"))
    assert jacobian.picture().alt == (
        "∂z1/∂W1, layout numerator, shape (5, 5, 3): delta ⊗ vector; 15 of 75 entries can be "
        "other than zero; one slice for each of z1[0] to z1[4]."
    )


def test_the_legend_names_the_kinds_of_zero_that_are_there_and_no_other():
    dense, diagonal = RUN.jacobian("a2", "z2"), RUN.jacobian("a1", "z1")
    off = RUN["a1"] == 0
    assert off.any()
    zeros = {"zero for every input", "0 at this input"}
    assert zeros & set(words(dense.picture())) == set()
    assert zeros & set(words(diagonal.picture())) == zeros
    assert zeros & set(words(RUN.jacobian("z1", "b1").picture())) == {"zero for every input"}


def test_two_beside_each_other_have_one_scale_and_both_sentences():
    left, right = RUN.jacobian("a1", "z1"), RUN.jacobian("a2", "z2")
    picture = left.picture(beside=right)
    assert numbers_drawn(picture) == [
        *numbers_drawn(left.picture()),
        *numbers_drawn(right.picture()),
    ]
    assert "5 of 25 entries" in picture.alt
    assert "4 of 4 entries" in picture.alt
    assert refusal(SpecError, left.picture, beside=BIG.jacobian("z1", "W1")) == (
        "∂z1/∂W1 of shape (97, 97, 31) is too large to be drawn beside another.\n"
        "  Draw it alone, or a smaller network of this form."
    )


def test_a_larger_one_leaves_its_numbers_out_first_and_says_so():
    net = Network.dense([29, 23], seed=1)
    picture = net.run(RNG.normal(size=29), RNG.normal(size=23)).jacobian("z1", "x").picture()
    assert numbers_drawn(picture) == []
    assert picture.alt.endswith("; too many entries for their numbers.")
    negative = (net.params["W1"] < 0).sum()
    bars = [a for a in shapes(picture, "rect", r"b\d") if a["width"] == "5.5"]
    assert len(bars) == negative  # the sign, where no number has one
    sparse = BIG.jacobian("z1", "W1").picture()
    assert sparse.alt.startswith("Where ∂z1/∂W1 can be other than zero: layout flat, shape ")
    assert len(sparse.svg) < 40_000
    assert refusal(SpecError, BIG.jacobian("z1", "W1").picture, kind="entries") == (
        "∂z1/∂W1: its 291,679 entries, shape (97, 97, 31), are too many to be drawn one by one.\n"
        '  Write kind="sparsity": where they can be other than zero.'
    )
    assert BIG.jacobian("z1", "W1").picture(kind="sparsity").svg == sparse.svg


def test_what_is_no_layout_and_no_kind_is_said():
    jacobian = RUN.jacobian("z1", "W1")
    assert refusal(AxisError, jacobian.picture, "flatt").startswith("layout 'flatt' is not one")
    assert refusal(SpecError, jacobian.picture, kind="sparse") == (
        "∂z1/∂W1: a picture of kind 'sparse' is not known. Did you mean 'sparsity'?\n"
        "  Write one of entries, sparsity, windows."
    )


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("layout", ["numerator", "flat"])
def test_a_foreign_name_is_words_and_nothing_else(name, layout):
    picture = pictured(RUN.jacobian("z1", "W1"), layout, spell=lambda text: name)
    read(picture)
    assert not set(picture.svg) & set("\u202e\u2066\x1b\ufffe")
    assert len(picture.svg) < 60_000
    width = float(read(picture).get("width"))
    assert width < 2_000


def test_planted_script_would_be_seen():
    picture = RUN.jacobian("z1", "W1").picture()
    planted = replace(picture, svg=picture.svg.replace("</svg>", "<script/></svg>"))
    with pytest.raises(AssertionError):
        read(planted)


def test_a_picture_is_the_same_twice_and_has_no_id_that_could_meet_another():
    first, second = (RUN.jacobian("z1", "W1").picture() for _ in range(2))
    assert first == second
    assert " id=" not in first.svg
    assert first._repr_mimebundle_() == {"text/plain": str(first), "image/svg+xml": first.svg}
    assert first._repr_svg_() == first.svg


def test_special_numbers_are_written():
    value = np.array([[np.inf, -np.inf, np.nan], [0.0, -0.0, 1e-300]])
    block = matrices.Block("q", "three", value, np.ones((2, 3), bool))
    assert numbers_drawn(matrices.matrix(block)) == ["inf", "−inf", "nan", "0", "0", "1e−300"]
    empty = matrices.Block("q", "zeros", np.zeros((2, 3)), np.zeros((2, 3), bool))
    assert numbers_drawn(matrices.matrix(empty)) == []


@pytest.mark.parametrize(
    ("theme", "ramp", "ink"), [("light", LIGHT, INK), ("dark", DARK, INK_DARK)]
)
def test_every_text_has_contrast_in_both_themes(theme, ramp, ink):
    colours = THEMES[theme]
    texts = ("ink", "soft", "accent", "sigma", "sum", "weight")
    for kind in texts:
        assert contrast(colours[kind], colours["paper"]) >= 4.5, kind
        assert contrast(colours[kind], colours["panel"]) >= 4.5, kind
    for number, (shade, own) in enumerate(zip(ramp, ink, strict=True)):
        assert contrast(shade, own) >= 4.5, number
    assert contrast("#777777", "#888888") < 4.5  # a pair that fails is found


def test_a_picture_is_saved_and_a_file_that_is_there_is_kept(tmp_path):
    picture = RUN.jacobian("z1", "W1").picture()
    picture.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text("utf-8") == picture.svg
    assert refusal(SpecError, picture.save, tmp_path / "a.svg") == (
        "a.svg is there already, and is left as it is.\n  Choose another name, or say replace=True."
    )
    picture.save(tmp_path / "a.svg", replace=True)
    assert refusal(SpecError, picture.save, tmp_path / "a.png") == (
        "a.png does not end in one of the forms that a picture has.\n"
        "  Write a name that ends in .svg."
    )
