"""Formulas in sentences: where they stand, how each form sets them; a text keeps its bytes."""

import re

import numpy as np
import pytest

from jacobian_bp import Network, Op, diagnose
from jacobian_bp import dense as factor
from jacobian_bp.derivation.one_jacobian import document_of_jacobian
from jacobian_bp.document import written
from jacobian_bp.document.as_html import page
from jacobian_bp.document.as_latex import article
from jacobian_bp.document.as_markdown import markdown
from jacobian_bp.document.blocks import Document, Section, Words
from jacobian_bp.document.formulas_in_words import formulas_in
from jacobian_bp.document.sentences import parts_of
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.formula_tree import parse, text
from jacobian_bp.writing.marked import Marked, joined, marked

RNG = np.random.default_rng(59)
NAMES = frozenset(["x", "y", "z1", "z2", "a1", "W1", "W2", "b1", "J", "gamma"])
# Each sentence with its formulas between < and >, code between [[ and ]].
SENTENCES = [
    "unit <k> reads only row <k> of <W2>",
    "in terms of a is fed with <z>: <1 − z1²> stands for <tanh'(z1)>",
    "<p(1−p)> is only the diagonal, <−p[k] p[k']> is missing",
    "<(p − y)> is loss and activation as one, and <σ'(z1)> is put to it",
    "squaring gives <2 (a − y)>",
    "<log a1> has slope <1/a1>, log of all",
    "<log a> has slope <1/a>",
    "<|W1|> has slope 1 or −1, the sign of <W1>",
    "beyond <±δ> the slope stays <±δ>; the ½ takes the 2 away",
    "softmax and loss as one: <Σ y = 1>",
    "<δ[k,k'] = 1> if <k = k'>, else 0; <Σ_k>: the sum over <k>",
    "the mean of <δ * W1>, where the sum is [[k,mi->i]], by itself",
    "a row for each of 3 examples (layer 1): 2 of 7 entries, 29 = 22 + 7",
    "In layer 2 a gradient is <W1ᵀ>, and I say A is one; it's the student's own.",
    "<δ2 = ∂J/∂z2>, the error at <z2>; <3 ∂J/∂z2>: its 1/3 stands there",
    "all add up: += where = stands",
    "gamma and beta are words, <x> (3) is a value",
    "'.' is zero for every input; '0' at this input",
    "with <(Σ_n (∂J/∂h) ẑ)> and <x̂>, <∂y/∂gamma = x̂>",
    "penalty: <0.25 Σ W1² + 0.125 Σ W2²>",
    "Meant: [[dz2 = np.dot(W3.T, dz3) * (cache['a2'] * z1)]]   (<W1> for <W2>)",
    "write such as [['delta[i, 2*o+1] * x[i]']], or <x>",
    "[[params['b1']]] is not <b1>; [[W2.T @ dz2]] is, and so is [[np.sum(x * (z1 - y))]]",
]
LEFT = re.compile(r"[∂Σσᵀ²½√·]|δ\[|(?<![\w.])[A-Za-z]\d(?!\w)|(?<=\w)'(?!s\b|\w|$|[:;,. )])")


@pytest.mark.parametrize("written_out", SENTENCES)
def test_the_formulas_of_a_sentence_are_its_longest_runs_of_signs(written_out):
    bare = written_out.replace("->", "→")
    plain = re.sub(r"\[\[|\]\]|[<>]", "", bare).replace("→", "->")
    wrapped = {"words": "{}", "formula": "<{}>", "code": "[[{}]]"}
    parts = list(formulas_in(plain, NAMES))
    assert "".join(wrapped[part.kind].format(part.text) for part in parts) == written_out
    assert "".join(part.text for part in parts) == plain


def test_an_entry_has_its_place_below():
    (part,) = [p for p in formulas_in("switched off: a1[1,2]", NAMES) if p.kind == "formula"]
    assert (part.text, part.place) == ("a1", "1,2")


@pytest.mark.parametrize("sign", ["(", "|", "σ'(", "−(", "z1 + (", "Σ ", "(a)", "1/", "`"])
def test_signs_without_end_are_read_to_the_end(sign):
    sentence = sign * 900
    assert "".join(part.text for part in formulas_in(sentence, NAMES)) == sentence


def test_marks_are_no_part_of_the_text_and_stay_when_sentences_are_joined():
    one, two = marked("`H v` by ``k,i->i``"), marked("never `H`")
    whole = joined([one, two])
    assert (one, two, whole) == ("H v by k,i->i", "never H", "H v by k,i->i; never H")
    assert [p.text for p in whole.parts if p.kind == "formula"] == ["H v", "H"]
    assert [p.text for p in parts_of(whole, frozenset()) if p.kind == "code"] == ["k,i->i"]
    assert type(joined([one, "plain"])) is str
    assert joined([]) == ""


def said(form, sentence):
    document = Document("t", (Section("", "s", (Words(sentence),)),), NAMES)
    return form(document)


def test_each_form_sets_a_marked_formula_as_one_and_code_as_code():
    sentence = marked("so `p(1−p)` by ``k,i->i`` & p")
    assert "<code>k,i-&gt;i</code> &amp; p</p>" in said(page, sentence)
    assert r"so $p(1-p)$ by \texttt{k,i{-}\textgreater{}i} \& p\par" in said(article, sentence)
    assert "so $`p(1-p)`$ by `k,i->i` \\& p" in said(markdown, sentence)
    mathml = re.search(r"so (<math>.*?</math>) by", said(page, sentence))[1]
    assert re.sub("<.*?>", "", mathml) == "p(1−p)"


def test_a_hostile_part_is_escaped_in_every_form():
    sentence = marked("`<b>_x` and ``<i>$`` and <u>$%")
    assert "<b>" not in said(page, sentence)
    assert "<i>" not in said(page, sentence)
    body = said(article, sentence)
    assert r"\textless{}i\textgreater{}\$" in body
    assert r"\textless{}u\textgreater{}\$\%" in body


class Half(Op):
    """An op of one's own, whose reason marks what no reader could know for a formula."""

    signature = "x[i] -> y[i]"
    reasons = {"x": "`x / two` halves x"}

    def forward(self, x):
        return x / 2

    def jacobians(self, x):
        return {"x": factor(np.eye(len(x)) / 2, "i,i'")}

    def vjp(self, g, x):
        return {"x": g / 2}


def test_the_reason_of_an_op_of_ones_own_may_mark_its_formulas():
    run = Network.program("z = Half(v)", "J = HalfSquaredError(z, y)", ops={"Half": Half}).run(
        v=RNG.normal(size=3), y=RNG.normal(size=3)
    )
    reason = run.reason("z", "v")
    assert reason == "v / two halves v"
    assert [part.text for part in reason.parts] == ["v / two", " halves v"]


def documents():
    """Documents of a derivation, a second one, a Jacobian, a check and a diagnosis."""
    batch = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=7)
    for run in (second_seed().run(X, Y), batch.run(RNG.normal(size=(4, 3)), [0, 1, 1, 0])):
        yield run.derivation().document()
        yield run.second_derivation().document()
        yield document_of_jacobian(run.jacobian("z2", "W2"), "flat", run.reason("z2", "W2"))
        yield run.check().document(list(run))
        slope = run.vjp("J", "a1", 1.0)
        yield diagnose(run, {"z1": slope, "W2": 2 * run.vjp("J", "W2", 1.0)}).document(list(run))


def test_no_sign_of_a_formula_is_left_among_the_words(monkeypatch):
    words = set()

    def spied(sentence, names):
        parts = list(parts_of(sentence, names))
        words.update((part.text, str(sentence)) for part in parts if part.kind == "words")
        return iter(parts)

    monkeypatch.setattr(written, "parts_of", spied)
    for document in documents():
        page(document)
    assert len(words) > 150
    left = {sentence for part, sentence in words if LEFT.search(part)}
    assert left <= {"ᵀ: transposed", *(s for s in left if s.startswith("= Σ over rows"))}
    assert LEFT.search("1 − z1 and σ'") and LEFT.search("Σ|terms|")  # noqa: PT018


def test_what_is_cut_out_as_a_formula_reads_back_as_it_was():
    for sentence in SENTENCES:
        for part in formulas_in(re.sub("[<>]", "", sentence), NAMES):
            assert text(parse(part.text)) == part.text


def test_marks_leave_every_text_of_today_as_it_is():
    run = second_seed().run(X, Y)
    assert "`" not in run.derivation().text() + run.second_derivation().text()
    assert "`" not in str(run.check())
    assert isinstance(run.check().rows[0].verdict, Marked)
