"""The page of a derivation: each entry, place, reason and stage is that of the derivation."""

import json
import re
from dataclasses import replace
from functools import cache
from html import unescape

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import Convention, Network, Op, SpecError, delta
from jacobian_bp import dense as factor
from jacobian_bp.algebra.layouts import LAYOUTS, to_layout
from jacobian_bp.cli import main
from jacobian_bp.derivation.ledger import Folded, LocalStep
from jacobian_bp.derivation.page import chosen_object, page_of
from jacobian_bp.derivation.page.spent_deltas import spent_deltas
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(31)


def dense(convention=None, batch=()):
    net = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=7)
    labels = RNG.integers(0, 2, batch) if batch else 1
    return net.run(RNG.normal(size=(*batch, 3)), labels).derivation(convention)


def of_program(lines, params, **data):
    drawn = {name: RNG.normal(size=shape) for name, shape in params.items()}
    return Network.program(*lines, params=drawn).run(**data).derivation()


def convolution():
    lines = ["z = Conv1d(x, K, b, padding=1)", "p = MaxPool1d(z, 3)", "f = Flatten(p)"]
    lines += ["q = Linear(f, W, c)", "J = HalfSquaredError(q, y)"]
    shapes = {"K": (2, 3, 5), "b": 2, "W": (2, 2), "c": 2}
    return of_program(lines, shapes, x=RNG.normal(size=(3, 7)), y=RNG.normal(size=2))


def words():
    lines = ["e = Embedding(u, E)", "h = LayerNorm(e, gamma, beta)", "z = Linear(h, W, b)"]
    lines += ["L = HalfSquaredError(z, y)", "J = Mean(L)"]
    shapes = {"E": (5, 3), "gamma": 3, "beta": 3, "W": (2, 3), "b": 2}
    return of_program(lines, shapes, u=np.array([1, 3, 1]), y=RNG.normal(size=(3, 2)))


def tied():
    """One matrix that two steps read: two products arrive at it."""
    lines = ["z1 = Linear(x, W, b)", "a1 = Tanh(z1)", "z2 = Linear(a1, W, b)"]
    lines += ["J = HalfSquaredError(z2, y)"]
    return of_program(lines, {"W": (3, 3), "b": 3}, x=RNG.normal(size=3), y=RNG.normal(size=3))


def penalised():
    rates = {"W1": 0.25, "W2": 0.125}
    net = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=3, penalty=rates)
    return net.run(RNG.normal(size=3), RNG.normal(size=2)).derivation("flat_column")


MADE = {
    "seed": second_seed().run(X, Y).derivation(),
    "softmax": dense("transposed"),
    "batch": dense(batch=(3,)),
    "columns": dense("ng", (3,)),
    "convolution": convolution(),
    "words": words(),
    "tied": tied(),
    "penalised": penalised(),
}
each = pytest.mark.parametrize("derivation", MADE.values(), ids=MADE)


@cache
def page_with_all(derivation):
    return derivation.html(everything=True)


def objects(derivation, page=None):
    """The steps of a derivation, each with what its page holds of it."""
    text = page_with_all(derivation) if page is None else page
    data = json.loads(re.search(r'id="objects">(.*?)</script>', text, re.S)[1])
    steps = [s for s in (*derivation.backward, *derivation.gradients) if not isinstance(s, Folded)]
    assert list(data) == [f"step-{n}" for n in range(1, len(steps) + 1)]
    return list(zip(steps, data.values(), strict=True))


def numbers_of(step):
    """The numbers over the axes of the step, and where they can be other than zero."""
    if isinstance(step, LocalStep):
        return step.jacobian.materialise(), step.jacobian.can_be_nonzero()
    value = getattr(step, "row", step.value)
    value = np.reshape(value, [axis.size for axis in step.axes])
    return value, np.ones(value.shape, bool)


def worked_out(text):
    """(−0.3) · 2 + 1 · 4, as a number, and the number that stands at its end."""
    *products, result = text.removeprefix("= ").replace("−", "-").split(" = ")
    sum_ = products[0].replace("·", "*") if products else result
    return eval(sum_, {"__builtins__": {}}), float(result)


def scale_of(text):
    """The sum of the sizes of the products, to which their rounding is relative."""
    return eval(
        re.sub(r"-", "+", text.removeprefix("= ").split(" = ")[0])
        .replace("−", "+")
        .replace("·", "*"),
        {"__builtins__": {}},
    )


@pytest.mark.one_in(3)
@each
def test_the_numbers_of_each_entry_multiply_to_the_entry(derivation):
    seen = 0
    for step, made in objects(derivation):
        value, _ = numbers_of(step)
        for cell, exact in zip(made.get("cells", ()), value.ravel(), strict=False):
            text = cell[3]
            _, result = worked_out(re.sub(r"… \([\d,]+ more\)", "0", text))
            assert result == pytest.approx(exact, rel=2e-5, abs=1e-300), (step.name, text)
            if "more" not in text:
                total, _ = worked_out(text)
                assert abs(total - exact) <= 2e-5 * max(abs(exact), abs(scale_of(text)))
                seen += " · " in text
    assert seen > 15


def test_a_factor_that_is_wrong_is_noticed():
    total, result = worked_out("= 0.2 · (−3) + 1 · 4 = 3.4")
    assert total == pytest.approx(result)
    assert worked_out("= 0.2 · 3 + 1 · 4 = 3.4")[0] != pytest.approx(3.4)


@pytest.mark.one_in(3)
@each
def test_each_zero_has_the_reason_of_its_kind_and_no_other_entry_has_one(derivation):
    for step, made in objects(derivation):
        value, possible = numbers_of(step)
        for cell, exact, stands in zip(
            made.get("cells", ()), value.ravel(), possible.ravel(), strict=False
        ):
            reason = made["reasons"][cell[4]]
            kind = "Zero at this input" if exact == 0 else ""
            assert reason.startswith(kind if stands else "Zero for every input")
            assert bool(reason) == (exact == 0), (step.name, reason)
            assert (cell[1] == -1) == (not stands)
            for a, b in re.findall(r"δ\[(\d+),(\d+)\] is 0, because", reason):
                assert a != b


def test_the_reasons_of_the_seed():
    (made,) = [made for step, made in objects(MADE["seed"]) if step.name == "∂z2/∂W2"]
    said = [made["reasons"][cell[4]] for cell in made["cells"]]
    assert said[1] == "Zero at this input: a1[1] is 0 here."
    assert said[4] == "Zero for every input: δ[0,1] is 0, because 0 and 1 differ."
    assert said[0] == ""


def test_a_window_that_does_not_read_an_entry_says_so():
    (made,) = [made for step, made in objects(MADE["convolution"]) if step.name == "∂p/∂z"]
    said = " ".join(made["reasons"])
    assert re.search(r"Zero at this input: .*the values chose another entry", said)
    assert re.search(r"δ\[0,1\] is 0, because 0 and 1 differ", said)


@pytest.mark.one_in(5)
@each
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_entry_stands_where_its_layout_has_it(derivation, layout):
    for step, made in objects(derivation):
        if "cells" not in made:
            continue
        value, _ = numbers_of(step)
        out, wrt = (
            (step.jacobian.out_axes, step.jacobian.wrt_axes)
            if isinstance(step, LocalStep)
            else ((), step.axes)
        )
        place = np.arange(value.size).reshape(value.shape)
        expected = to_layout(place, layout, out, wrt).ravel().tolist()
        placed = made["layouts"][layout]
        assert reading_order(placed) == expected, (step.name, layout)
        spots = np.reshape(placed["spots"], (-1, 2))
        assert len({*map(tuple, spots.tolist())}) == value.size
        assert (spots.max(axis=0, initial=0) + 1 <= placed["size"]).all()


def reading_order(placed):
    """The entries slice by slice, in each row by row."""
    spots = np.reshape(placed["spots"], (-1, 2)).tolist()
    corners = [(y, x) for x, y, _, is_slice, _ in placed["heads"] if is_slice] or [(0.0, 0.0)]

    def read(entry):
        x, y = spots[entry]
        return max(c for c in corners if c[0] <= y and c[1] <= x), y, x

    return sorted(range(len(spots)), key=read)


def test_an_entry_in_another_place_and_another_number_at_the_end_are_noticed():
    (made,) = [m for step, m in objects(MADE["seed"]) if step.name == "∂z2/∂W2"]
    flat, column = (dict(made["layouts"][name]) for name in ("flat", "flat_column"))
    assert reading_order(flat) != reading_order(column)
    flat["spots"] = [*flat["spots"][2:4], *flat["spots"][:2], *flat["spots"][4:]]
    assert reading_order(flat)[:3] == [1, 0, 2]
    (step,) = [step for step in MADE["seed"].gradients if step.name == "∂J/∂W2"]
    other = replace(step, value=2 * step.value)
    stages = chosen_object._stages(spent_deltas(other), str, str)
    left = sorted(last_frames(stages, errors=False), key=lambda f: (f[1], f[0]))
    assert float(left[4][2]) != pytest.approx(2 * step.value[1, 0], rel=6e-2)


@each
def test_the_heads_of_a_layout_name_the_entries_below_and_beside_them(derivation):
    for _, made in objects(derivation):
        for placed in made.get("layouts", {}).values():
            sizes, axes = made["sizes"], made["axes"]
            spots = np.reshape(placed["spots"], (-1, 2))
            index = np.indices(sizes or (1,)).reshape(len(sizes) or 1, -1)
            for x, y, _, is_slice, at in placed["heads"]:
                named = np.all([index[axes.index(a)] == v for a, v in at.items()], axis=0)
                assert named.any()
                assert is_slice or (spots[named] == [x, y]).any()


def last_frames(spent, errors):
    """The cells that are there at the last stage."""
    cells = spent["cells"][-spent["errors"] :] if errors else spent["cells"][: -spent["errors"]]
    ends = [[frame for frame in frames if frame][-1] for frames in cells]
    return [frame for frame in ends if not frame[4]]


@each
def test_the_deltas_are_spent_until_the_gradient_is_left(derivation):
    spent = [(s, m["spent"]) for s, m in objects(derivation) if "spent" in m]
    assert len(spent) >= min(3, len(derivation.gradients))
    for step, made in spent:
        numbers = [stage["number"] for stage in made["stages"]]
        assert numbers == sorted(numbers)
        assert (numbers[0], numbers[-1]) == ("(10)", "(13)")
        assert last_frames(made, errors=True) == []
        left = sorted(last_frames(made, errors=False), key=lambda f: (f[1], f[0]))
        exact = np.ravel(step.value)
        found = [0.0 if f[2] == "·" else float(f[2].replace("−", "-")) for f in left]
        assert found == pytest.approx(exact.tolist(), rel=6e-2, abs=1e-300), step.name
        assert len({(f[0], f[1]) for f in left}) == len(left)


def test_each_example_and_each_product_has_a_matrix_that_is_added_in_the_end():
    for derivation, name, titles in (
        (MADE["batch"], "∂J/∂W1", ["n = 0", "n = 1", "n = 2"]),
        (MADE["tied"], "∂J/∂W", ["z1", "z2"]),
        (MADE["penalised"], "∂J/∂W2", ["R2", "z2"]),
    ):
        (made,) = [m["spent"] for s, m in objects(derivation) if s.name == name]
        before, last = made["stages"][-2:]
        assert sorted(head[2] for head in before["heads"]) == titles
        words = re.sub("<.*?>", "", last["words"])
        assert words == f"The {len(titles)} matrices are added, entry by entry."


def test_a_page_that_would_be_too_large_leaves_entries_out_and_says_so(monkeypatch):
    derivation = MADE["seed"]
    whole = derivation.html()
    assert len(whole.encode()) < page_of.MOST_BYTES
    bare = len(whole.encode()) - 40_000
    monkeypatch.setattr(page_of, "MOST_BYTES", bare)
    page = derivation.html()
    assert len(page.encode()) <= bare
    out = {s.name: m["left_out"] for s, m in objects(derivation, page) if "left_out" in m}
    assert out["∂z1/∂W1"] == "Its 48 entries are left out, to keep this page small."
    assert "∂z3/∂b3" not in out
    numbers = r'<td class="k\d">|<span>'
    assert len(re.findall(numbers, page)) == len(re.findall(numbers, whole))


def test_a_large_network_stays_below_the_limit_and_keeps_its_steps():
    rng = np.random.default_rng(2)
    net = Network.dense([23, 29, 7], ["tanh", "softmax"], "cross_entropy", seed=3)
    page = net.run(rng.normal(size=(5, 23)), rng.integers(0, 7, 5)).derivation().html()
    assert len(page.encode()) <= page_of.MOST_BYTES
    assert "Its 96,715 entries are left out, to keep this page small." in page


@pytest.mark.one_in(2)
@pytest.mark.parametrize("convention", ["first_seed", "second_seed", "third_seed", "ng"])
def test_the_names_of_a_convention_reach_every_object(convention):
    derivation = second_seed().run(X, Y).derivation(convention)
    spelled = derivation.spelled("W2")
    said = [made["called"] for _, made in objects(derivation) if "called" in made]
    assert any(spelled in name for name in said)
    assert spelled == "W2" or not any("W2" in name for name in said)


def test_two_pages_are_the_same_and_nothing_is_changed():
    derivation = second_seed().run(X, Y).derivation()
    before, options = derivation.text(), np.get_printoptions()
    assert derivation.html() == derivation.html()
    assert derivation.text() == before
    assert np.get_printoptions() == options


HOSTILE = ["</script><script>alert(1)</script>", "<!--<script>", "<img/onerror>", "\x1f0\x1f"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_ends_no_element(name):
    net = Network.dense([3, 2], "tanh", "half_squared_error", seed=1)
    run = net.run(RNG.normal(size=3), RNG.normal(size=2))
    if "\x1f" in name:
        assert refusal(SpecError, Convention, names={name: "W1"}).startswith("Convention: names:")
        return
    page = run.derivation(Convention(names={name: "W1"})).html()
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert not re.search("<!--|<img", page)
    data = json.loads(re.search(r'id="objects">(.*?)</script>', page, re.S)[1])
    assert any(name in made["called"] for made in data.values())
    assert not any(name in made["formula"] for made in data.values() if "<" in name)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", [*HOSTILE, "<img src=x onerror=f()>", "'\"><b>"])
def test_a_foreign_label_is_shown_and_ends_no_element(name):
    class Twice(Op):
        """z[i] = 2 x[i]"""

        signature = "x[i], c[i] -> z[i]"
        reasons = {"x": name}

        def forward(self, x, c):
            return x * c

        def jacobians(self, x, c):
            return {
                "x": delta("i,i'") * factor(f"{name}[i]", c),
                "c": delta("i,i'") * factor("x[i]", x),
            }

        def vjp(self, z_bar, x, c):
            return {"x": z_bar * c, "c": z_bar * x}

    lines = ["z1 = Linear(x, W, b)", "a = Twice(z1, c)", "J = HalfSquaredError(a, y)"]
    params = {"W": RNG.normal(size=(2, 3)), "b": RNG.normal(size=2), "c": RNG.normal(size=2)}
    net = Network.program(*lines, params=params, ops={"Twice": Twice})
    derivation = net.run(x=RNG.normal(size=3), y=RNG.normal(size=2)).derivation()
    page = derivation.html()
    assert page.count("<script") == 2
    assert not re.search("<!--|<img|<b>", page)
    (made,) = [made for step, made in objects(derivation, page) if step.name == "∂a/∂z1"]
    shown = unescape(re.sub("<.*?>", "", made["template"] + made["formula"]))
    assert all(part in shown for part in re.findall("[a-z]{2,}", name))


def test_the_command_writes_the_page_or_one_without_a_script(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["derive", "3-5-2", "--out", "a.html"]) == 0
    assert main(["derive", "3-5-2", "--out", "b.html", "--static"]) == 0
    capsys.readouterr()
    page, static = (tmp_path / "a.html").read_text(), (tmp_path / "b.html").read_text()
    assert page.count("<script") == 2
    assert "<script" not in static
    with_script = re.search(r"<main.*?>(.*)</main>", page, re.S)[1]
    grids = r'<table class="grid".*?</table>'
    assert re.findall(grids, with_script, re.S) == re.findall(grids, static, re.S) != []


@pytest.mark.parametrize(
    "options",
    [[], ["--out", "a.md"], ["--second", "--out", "a.html"]],
    ids=["none", "md", "second"],
)
def test_static_without_a_page_is_refused_before_any_work(options, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["derive", "none.toml", "--static", *options]) == 2
    assert capsys.readouterr() == (
        "",
        "jacobian-bp: SpecError: --static leaves the script out of a page, and no page is "
        "written.\n  Write it with --out FILE.html, without --second; any other form has no "
        "script.\n",
    )
    assert list(tmp_path.iterdir()) == []
    assert refusal(SpecError, MADE["seed"].save, tmp_path / "a.pdf", static=True)
