"""Every object shows itself: a short repr, its printed text in a console, HTML in a notebook."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from jacobian_bp import Agreement, Network, Op, Tanh, check_op, delta, diagnose, diagnose_line
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.mathml import mathml
from jacobian_bp.writing.notebook import (
    MOST_LINES,
    WHOLE_LINES,
    WHOLE_WORDS,
    bullets,
    ends,
    grid,
    page,
)

NET = second_seed()
RUN = NET.run(X, Y)
W2 = np.outer(RUN.vjp("J", "z2", 1.0), RUN["z1"])
DIAGNOSIS = diagnose(RUN, {"z3": RUN["a3"] - RUN["y"], "W2": W2})
LINE = diagnose_line("d1 = d2 @ W2 * (z1 > 0)", RUN)
STACKED = RUN.jacobian("a3", ["W3", "b3"])
OBJECTS = {
    "network": NET,
    "run": RUN,
    "stacked": STACKED,
    "agreement": RUN.check(),
    "diagnosis": DIAGNOSIS,
    "finding": DIAGNOSIS["W2"],
    "line": LINE,
}
STYLED = {WHOLE_WORDS: "<pre>", WHOLE_LINES: "<pre>", '<td colspan="3">': "<td>"}
every_object = pytest.mark.parametrize("shown", OBJECTS.values(), ids=list(OBJECTS))


MATH = r"<math>.*?</math>|<wbr>"
SVG = r'<div style="overflow-x: auto"><svg.*?</svg></div>'


def require_html(html):
    """Known elements that close, no bare & or <; formulas and pictures that are whole XML."""
    for part in re.findall(f"{MATH}|{SVG}", html, re.S):
        if part != "<wbr>":
            ElementTree.fromstring(part)
    html = re.sub(f"{MATH}|{SVG}", "", html, flags=re.S)
    for styled, plain in STYLED.items():
        html = html.replace(styled, plain)
    tags = re.findall(r"<(/?)([a-z]+)>", html)
    opened = []
    for closing, tag in tags:
        assert tag in ("p", "pre", "table", "caption", "tr", "th", "td", "code", "ul", "li")
        if closing:
            assert opened.pop() == tag
        else:
            opened.append(tag)
    assert not opened
    assert not re.search(r"<(?!/?[a-z]+>)|&(?!amp;|lt;|gt;)|\x1b", html)


@every_object
def test_a_notebook_gets_clean_html(shown):
    require_html(shown._repr_html_())


@pytest.mark.parametrize("broken", ["<b>", "<p>", "<p></pre>", "a & b", "1 < 2"])
def test_unclean_html_is_caught(broken):
    with pytest.raises((AssertionError, IndexError)):
        require_html(broken)


@every_object
def test_a_repr_is_one_short_line(shown):
    assert re.fullmatch(r"<[A-Z]\w+ [^<\n]{1,90}>", repr(shown))
    assert "array(" not in repr(shown)


def test_each_repr_says_what_the_object_is():
    assert {name: repr(shown) for name, shown in OBJECTS.items()} == {
        "network": "<Network of 8 steps, 29 parameters>",
        "run": "<Run of 7 steps, J = 0.508416>",
        "stacked": "<StackedJacobian ∂a3/∂(W3, b3), shape (1, 3)>",
        "agreement": "<Agreement on J: all routes agree>",
        "diagnosis": "<Diagnosis of 2 objects: first wrong W2, preactivation-for-activation>",
        "finding": "<Finding on W2: preactivation-for-activation>",
        "line": "<LineReport of d1 = d2 @ W2 * (z1 > 0)>",
    }


def test_a_diagnosis_without_mistakes():
    right = diagnose(RUN, {"z3": RUN["a3"] - RUN["y"]})
    assert repr(right) == "<Diagnosis of 1 object: all right>"
    assert right._repr_html_() == "<ul>\n<li>z3: z3 is right.</li>\n</ul>"


def test_a_finding_that_follows():
    wrong = RUN["W2"].T @ RUN.vjp("J", "z2", 1.0)
    found = diagnose(RUN, {"z1": wrong, "W1": np.outer(wrong, X)})
    assert repr(found["W1"]) == "<Finding on W1: correct, follows>"
    pair = diagnose(RUN, {("z2", "W2"): RUN.jacobian("z2", "W2").materialise()})
    assert repr(pair["z2", "W2"]) == "<Finding on ∂z2/∂W2: correct>"
    turned = RUN.jacobian("z2", "W2").materialise("gradient")
    pair = diagnose(RUN, {("z2", "W2"): turned})
    assert repr(pair["z2", "W2"]) == "<Finding on ∂z2/∂W2: correct-other-layout>"


@pytest.mark.parametrize("name", ["agreement", "diagnosis", "line", "stacked"])
def test_a_console_gets_the_printed_text(name):
    shown = OBJECTS[name]
    assert shown._repr_mimebundle_()["text/plain"] == str(shown)


SHOWN = {
    **OBJECTS,
    "expression": RUN.jacobian("z2", "W2").links[0].expression,
    "jacobian": RUN.jacobian("z2", "W2"),
    "product": RUN.jacobian("J", "W1"),
    "chain": RUN.chain("W1"),
    "hessian": RUN.hessian("W2", "W2"),
    "blocks": RUN.hessian(["W2", "b2"]),
    "derivation": RUN.derivation(),
    "second": RUN.second_derivation(),
    "op": check_op(Tanh, {"z": [0.5, -1.0, 2.0]}),
}
DRAWN = {"network", "run", "jacobian", "product", "hessian", "blocks"}
del SHOWN["finding"]  # part of a diagnosis, which shows it


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_gets_every_form_and_needs_no_script_for_the_formulas(name):
    shown = SHOWN[name]
    bundle = shown._repr_mimebundle_()
    require_html(bundle["text/html"])
    assert bundle["text/plain"] == str(shown)
    assert bundle["text/html"] == shown._repr_html_()
    assert "$" not in bundle["text/html"]
    assert ("<svg" in bundle["text/html"]) is (name in DRAWN)
    if hasattr(shown, "latex"):
        assert bundle["text/latex"] == f"$\\displaystyle {shown.latex()}$"
        assert "<math>" in bundle["text/html"] or name == "run"


@pytest.mark.parametrize("broken", ["<math><mi>x</math>", "<math><mi>x</mi></math> $x$ & y"])
def test_a_broken_formula_is_caught(broken):
    with pytest.raises((AssertionError, ElementTree.ParseError)):
        require_html(broken)


# ---------------------------------------------------------------- networks and runs


def test_a_network_is_its_steps():
    html = NET._repr_html_()
    first = f"<tr><td>{mathml('z1 = W1 x + b1')}</td><td>W1 (4, 3), b1 (4,)</td>"
    assert html.splitlines()[1] == first + "<td>Linear</td></tr>"
    assert html.count("<tr>") == len(NET.steps)
    assert NET.latex().splitlines()[:3] == [
        r"\begin{aligned}",
        r"z_{1}&=W_{1}\,x+b_{1} \\",
        r"a_{1}&=\mathrm{relu}(z_{1}) \\",
    ]
    assert NET._repr_latex_() == rf"$\displaystyle {NET.latex()}$"


def test_a_deep_network_is_short():
    deep = Network.dense([2] * 60, "tanh", seed=1)
    assert deep._repr_html_().count("<tr>") == MOST_LINES
    assert r"\text{... 97 more ...}" in deep.latex()
    require_html(deep._repr_html_())


def test_an_op_of_ones_own_is_harmless():
    class Strange(Op):
        signature = "z[k] -> a[k]"
        formula = "<b>z</b> & $"

        def forward(self, z):
            return z

        def jacobians(self, z):
            return {"z": delta("k,k'")}

        def vjp(self, a_bar, z):
            return {"z": a_bar}

    Strange.__name__ = "<script>"
    net = Network.program("a = S(z)", "b = Einsum('k,l->kl', a, a)", ops={"S": Strange})
    require_html(net._repr_html_())
    assert "&lt;script&gt;" in net._repr_html_()
    require_html(net.run(z=[1.0, 2.0])._repr_html_())


def test_a_run_is_its_values():
    html = RUN._repr_html_()
    assert html.splitlines()[:4] == [
        "<table>",
        "<caption>x(3) → 4 relu → 2 relu → 1 sigmoid; loss: bce</caption>",
        "<tr><th>value</th><th>shape</th><th>numbers</th></tr>",
        "<tr><th>x</th><td>(3,)</td><td>[1  -2  0.5]</td></tr>",
    ]
    assert html.count("<tr>") == 1 + len(list(RUN))
    large = Network.dense([97, 89, 2], "tanh", seed=0).run(np.ones((101, 97)))
    assert len(re.sub(SVG, "", large._repr_html_(), flags=re.S)) < 3000
    require_html(large._repr_html_())
    graph = Network.program("z = Tanh(x)", "a = Tanh(z)").run([1.0, 2.0])
    assert "<caption>" not in graph._repr_html_()


# ---------------------------------------------------------------- derivations


def test_a_derivation_shows_the_numbers_of_each_step():
    html = RUN.derivation()._repr_html_()
    require_html(html)
    blocks = re.findall(rf'<tr><td colspan="3">{re.escape(WHOLE_LINES)}(.*?)</pre>', html, re.S)
    ledger = RUN.derivation("flat")
    steps = [*ledger.forward, *ledger.backward, *ledger.gradients]
    assert len(blocks) == len(steps)
    for step, block in zip(steps, blocks, strict=True):
        cells = block.replace("[", " ").replace("]", " ").split()
        shown = [0.0 if cell == "." else float(cell) for cell in cells]
        assert np.allclose(shown, np.ravel(step.value), rtol=1e-5, atol=0)
    assert "[1.15  0  0.95  0.3     .  .     .    .]\n[   .  .     .    .  1.15  0" in html
    deep = Network.dense([2] * 60, "tanh", seed=1).run([1.0, 2.0], [0.0, 1.0]).derivation()
    assert deep._repr_html_().count("<tr>") < 100
    require_html(deep._repr_html_())


def test_no_line_breaks_inside_a_word():
    """Without this style a notebook breaks them anywhere: 128 by-tes."""
    for shown in [*OBJECTS.values(), RUN.derivation()]:
        assert "<pre>" not in shown._repr_html_()
    assert page("", ["128 bytes"]) == f"{WHOLE_WORDS}128 bytes</pre>"
    assert "word-break: normal" in WHOLE_WORDS
    assert "white-space: pre;" in WHOLE_LINES  # columns stay under each other


# ---------------------------------------------------------------- several variables at once


def test_blocks_side_by_side():
    assert STACKED.latex() == (
        r"\frac{\partial a_{3}}{\partial (W_{3},\,b_{3})}=\left[\,"
        r"\frac{\partial a_{3}}{\partial W_{3}}\;\middle|\;\frac{\partial a_{3}}{\partial b_{3}}"
        r"\,\right]"
    )
    whole = "∂a3/∂(W3, b3) = ( ∂a3/∂W3 | ∂a3/∂b3 )"
    assert STACKED._repr_html_().splitlines() == [
        f"<p>{mathml(whole)}</p>",
        f"{WHOLE_WORDS}layout flat, shape (1, 3): 2 blocks side by side, 24 bytes</pre>",
        "<table>",
        "<tr><th>block</th><th>in the last axis</th><th>row by row the entries of shape</th></tr>",
        "<tr><th>∂a3/∂W3</th><td>columns 0 to 1</td><td>(1, 2)</td></tr>",
        "<tr><th>∂a3/∂b3</th><td>column 2</td><td>(1,)</td></tr>",
        "</table>",
    ]


def test_of_many_blocks_the_formula_has_the_ends():
    deep = Network.dense([2] * 60, "tanh", None, seed=1).run([1.0, 2.0])
    stacked = deep.jacobian("a59", deep.params)
    assert stacked.latex().count(r"\middle") == 3
    assert r"\ldots" in stacked.latex()
    assert stacked._repr_html_().count("<tr>") == 1 + MOST_LINES


# ---------------------------------------------------------------- agreements


def test_an_agreement_is_its_table():
    html = OBJECTS["agreement"]._repr_html_()
    first = "<tr><th>full</th><td>29 of 29</td>"
    assert html.splitlines()[3] == (
        first + "<td>within 16·u·Σ|terms|, off by less than 1e-15</td></tr>"
    )
    assert html.endswith(f"{WHOLE_WORDS}all routes agree</pre>")


def test_the_place_where_routes_part_is_shown():
    agreement = OBJECTS["agreement"]
    row = replace(agreement.rows[0], worst=3e5, place="∂J/∂W1[0,0]", values=(1.0, 2.0))
    refused = replace(agreement.rows[1], refused="too large & <wide>")
    parted = replace(agreement, rows=(row, refused), parted="z1 = Linear(x, W1, b1)")
    assert repr(parted) == "<Agreement on J: the routes DISAGREE>"
    html = parted._repr_html_()
    require_html(html)
    assert "<td>3e+05 times 16·u·Σ|terms|   DISAGREES</td>" in html
    assert "<td>too large &amp; &lt;wide&gt;</td>" in html
    assert html.splitlines()[-3:] == [
        f"{WHOLE_WORDS}∂J/∂W1[0,0]: full 1, vjp 2",
        "the routes part at z1 = Linear(x, W1, b1)",
        "the routes DISAGREE</pre>",
    ]
    failed = Agreement("J", (), (), error="out of memory")
    assert failed._repr_html_() == (
        f"{WHOLE_WORDS}the routes cannot be compared: out of memory</pre>"
    )


def test_the_report_on_an_op():
    report = check_op(Tanh, {"z": [0.5, -1.0, 2.0]})
    assert repr(report) == "<OpReport on Tanh: the three derivatives agree>"
    require_html(report._repr_html_())
    assert "Tanh: the three derivatives agree" in report._repr_html_()
    assert report._repr_mimebundle_()["text/plain"] == str(report)


# ---------------------------------------------------------------- the parts


def test_names_are_escaped():
    require_html(grid(["<b>", "a & b"], [["<i>", "x\x1b[31m"]], "1 < 2"))
    require_html(bullets(["<li>", "\x00 & \u202e"]))


def test_of_many_rows_the_ends_are_shown():
    rows = [[str(i), "x"] for i in range(100)]
    html = grid(["i", "x"], rows)
    assert html.count("<tr>") == 1 + MOST_LINES
    assert "<tr><th>… 77 more …</th><td></td></tr>" in html
    assert ends(list("abc"), str) == ["a", "b", "c"]
