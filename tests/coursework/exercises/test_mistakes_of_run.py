"""Mistakes on the page of a derivation: each changes what it says, and no level tells too much."""

import json
import re
from functools import cache

import numpy as np
import pytest

from jacobian_bp import Network, diagnose
from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.mistakes_of_run import explored
from jacobian_bp.coursework.exercises.verdict import LEVELS
from jacobian_bp.derivation.ledger import LocalStep
from jacobian_bp.derivation.page.explored import LEVELS as TOLD
from jacobian_bp.derivation.page.page_of import places_of
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(53)
NOT_LOCAL = "slope tanh'(z1) is left out"


def batch(loss="half_squared_error"):
    net = Network.dense([3, 5, 2], "tanh", loss, seed=4)
    return net.run(RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2)))


SHIFT = RNG.normal(size=3)


def normalised(shift=SHIFT):
    lines = ["e = Embedding(u, E)", "h = LayerNorm(e, gamma, beta)", "z = Linear(h, W, b)"]
    lines += ["L = HalfSquaredError(z, y)", "J = Mean(L)"]
    shapes = {"E": (5, 3), "gamma": 3, "beta": 3, "W": (2, 3), "b": 2}
    drawn = {name: RNG.normal(size=shape) for name, shape in shapes.items()} | {"beta": shift}
    net = Network.program(*lines, params=drawn)
    return net.run(u=np.array([1, 3, 1]), y=RNG.normal(size=(3, 2)))


RUNS = {"seed": second_seed().run(X, Y), "batch": batch(), "normalised": normalised()}
each = pytest.mark.parametrize("name", RUNS)


@cache
def made(name, convention=None, level=3):
    run = RUNS[name]
    derivation = run.derivation(convention)
    return run, derivation, explored(run, derivation, level)


def numbers_of(step):
    if isinstance(step, LocalStep):
        return step.jacobian.materialise()
    value = getattr(step, "row", step.value)
    return np.reshape(value, [axis.size for axis in step.axes])


def by_place(mistake):
    return {changed.place: changed for changed in mistake.changes}


def titled(found, words):
    (one,) = [mistake for mistake in found.mistakes if words in mistake.title]
    return one


def test_a_slope_left_out_changes_its_jacobian_and_what_follows_by_what_a_hand_computes():
    run, derivation, found = made("batch")
    steps = places_of(derivation)
    of = {
        steps[place].name: changed for place, changed in by_place(titled(found, NOT_LOCAL)).items()
    }
    back = run.vjp("J", "z2", 1.0) @ run["W2"]  # what comes back to a1
    slope = 1 - run["a1"] ** 2
    ones = np.einsum("nm,kl->nkml", np.eye(7), np.eye(5))
    expected = {
        "∂a1/∂z1": None,  # of 1225 entries none is marked one by one
        "∂J/∂z1": back - back * slope,
        "∂J/∂W1": (back - back * slope).T @ run["x"],
        "∂J/∂b1": (back - back * slope).sum(axis=0),
    }
    assert list(of) == list(expected)
    assert ones.size > 400
    for name, gaps in expected.items():
        if gaps is None:
            assert (of[name].differs, of[name].said) == (None, ("The mistake sits here.",))
        else:
            assert np.allclose(of[name].gaps, gaps, rtol=1e-12, atol=1e-15)
            assert np.array_equal(of[name].differs, np.abs(gaps) > 1e-9)


def test_a_jacobian_is_marked_where_the_line_of_the_mistake_changes_it():
    run, _, found = made("seed")
    mistake = titled(found, "a2 for relu'(z2)")
    first = mistake.changes[0]
    assert (first.name, first.said[0]) == ("∂a2/∂z2", "The mistake sits here.")
    assert np.allclose(first.gaps, np.diag(run["a2"] - 1))
    assert np.array_equal(first.differs, np.eye(2, dtype=bool))


@pytest.mark.parametrize("convention", ["ng", "cs231n", "first_seed", "nielsen"])
def test_in_every_convention_the_entries_are_those_of_the_step_on_its_page(convention):
    """A gap stands where it stands in the package's own arrays, turned as the page turns them."""
    run, plain, ours = made("batch")
    _, derivation, theirs = made("batch", convention)
    assert len(theirs.mistakes) == len(ours.mistakes) > 20
    steps, own, turned = places_of(derivation), places_of(plain), 0
    for mistake, same in zip(theirs.mistakes, ours.mistakes, strict=True):
        gaps = {own[c.place].name: c.gaps for c in same.changes}
        for changed in mistake.changes:
            step = steps[changed.place]
            if changed.gaps is None or isinstance(step, LocalStep):
                continue
            here = gaps[step.name.replace("∂L", "∂J")]
            assert changed.gaps.shape == numbers_of(step).shape
            times = 7 if step.name.startswith("∂L") else 1
            assert np.allclose(np.sort(changed.gaps.ravel()), np.sort(here.ravel()) * times)
            right = run.vjp("J", step.name.split("/∂")[1], 1.0) * times
            if right.shape != changed.gaps.shape:
                assert np.allclose(changed.gaps.T, here * times)
                turned += 1
            else:
                assert np.allclose(changed.gaps, here * times)
    assert (turned > 5) == (convention != "first_seed")


@pytest.mark.parametrize(
    "name", ["batch", *(pytest.param(n, marks=pytest.mark.full) for n in ("seed", "normalised"))]
)
def test_what_a_mistake_gives_is_known_to_the_diagnosis_by_the_same_sentence(name):
    """All gradients, right plus gap: the first wrong one is explained as the page says it."""
    run, derivation, found = made(name)
    steps, asked, missed = places_of(derivation), 0, []
    for mistake in found.mistakes[:: 3 if name == "batch" else 1]:
        follows = [c for c in mistake.changes if not isinstance(steps[c.place], LocalStep)]
        if any(changed.gaps is None for changed in follows):
            continue
        gaps = {steps[c.place].name.split("/∂")[1]: c.gaps for c in follows}
        named = {*gaps, *run.params}
        findings = diagnose(run, {n: run.vjp("J", n, 1.0) + gaps.get(n, 0.0) for n in named})
        assert not findings.ok, mistake.title
        asked += 1
        first = findings[findings.first_wrong]
        missed += [] if mistake.title in first.remark else [(mistake.title, first.remark)]
    assert asked > 5
    assert len(missed) <= asked / 4, missed


def digit_strings(run, derivation):
    """Each number of a gradient as a text may have it, with three digits and more."""
    for step in places_of(derivation).values():
        if isinstance(step, LocalStep) and step.jacobian.of != "J":
            continue
        for value in np.ravel(numbers_of(step)):
            texts = {f"{abs(value):.{digits}g}" for digits in range(3, 9)}
            yield from (t for t in texts if len(t.strip("0.").replace(".", "")) > 2)


def texts_in(content):
    """Every text of the data of a page; its numbers are places."""
    if isinstance(content, str):
        return content
    inner = content.values() if isinstance(content, dict) else content
    return " ".join(map(texts_in, inner)) if isinstance(content, list | dict) else ""


def seen_on(page):
    """What stands on a page as text, and in the data of its script."""
    data = re.search(r'id="objects">(.*?)</script>', page, re.S)
    bare = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", page, flags=re.S)
    return f"{bare} {texts_in(json.loads(data[1])) if data else ''}"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("name", "convention"), [("seed", None), ("batch", "ng"), ("normalised", None)]
)
def test_below_the_last_level_no_digits_of_the_right_gradient_are_in_the_file(name, convention):
    run, derivation, _ = made(name, convention)
    numbers = [abs(v) for array in given_to(derivation) for v in np.ravel(array)]
    given = " ".join(f"{v:.{digits}g}" for v in numbers for digits in range(3, 9))  # as shown
    secret = {text for text in digit_strings(run, derivation) if text not in given}
    assert len(secret) > 50
    for level, forms in ((0, [True]), (1, [False]), (2, [False, True])):
        found = explored(run, derivation, level)
        for static in forms:
            page = derivation.html(static=static, explored=found)
            assert [text for text in secret if len(text) > 5 and text in page] == []
            assert secret.isdisjoint(re.findall(r"\d[\d.e-]*\d", seen_on(page)))
            assert ("×</td>" in page) == (level > 0)
    whole = derivation.html(explored=explored(run, derivation, 3))
    assert len(secret.intersection(re.findall(r"\d[\d.e-]*\d", seen_on(whole)))) > 20


def given_to(derivation):
    return [array for _, array in (*derivation.given, *derivation.parameters)]


def test_each_level_tells_one_thing_more():
    run, derivation, _ = made("seed")
    levels = [explored(run, derivation, level) for level in range(4)]
    names = [[[c.name for c in m.changes] for m in found.mistakes] for found in levels]
    assert names[0] == names[1] == names[2] == names[3]
    told = [
        (any(c.differs is not None for c in changes), any(c.gaps is not None for c in changes))
        for found in levels
        for changes in [[c for m in found.mistakes for c in m.changes]]
    ]
    assert told == [(False, False), (True, False), (True, False), (True, True)]
    patterns = [
        "Every entry is the right one times the same factor." in found.mistakes[0].changes[1].said
        for found in levels
    ]
    assert patterns == [False, False, True, True]
    assert [found.numbers for found in levels] == [False, False, False, True]
    assert len(TOLD) == len(LEVELS)


def test_two_calls_give_the_same_and_nothing_is_changed():
    run, derivation, found = made("seed")
    before = {name: np.copy(run[name]) for name in run}
    pages = [derivation.html(explored=explored(run, derivation, 3)) for _ in range(2)]
    assert pages[0] == pages[1] == derivation.html(explored=found)
    assert all(np.array_equal(before[name], run[name]) for name in run)
    assert "Mistakes" not in derivation.html()


def test_what_a_mistake_divides_by_0_is_no_warning():
    run = normalised(shift=np.array([0.1, -0.1, 0.0]))
    with np.errstate(all="warn"):  # a warning is an error of the test
        assert explored(run, run.derivation(), 1).mistakes


def test_of_a_run_that_hides_every_mistake_the_page_says_so():
    run = Network.dense([1, 1], "identity", "squared_error", seed=3).run(np.zeros(1), np.zeros(1))
    quiet = Network.program("J = HalfSquaredError(x, y)").run(x=np.zeros(2), y=np.zeros(2))
    assert explored(run, run.derivation()).mistakes
    none = explored(quiet, quiet.derivation())
    assert (none.mistakes, none.about) == ((), "No known mistake changes a gradient of this run.")


def test_the_command_puts_the_mistakes_on_the_page_that_it_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["derive", "--out", "a.html", "--mistakes"]) == 0
    assert main(["derive", "--out", "b.html", "--mistakes", "--level", "1"]) == 0
    assert capsys.readouterr().out == "written: a.html\nwritten: b.html\n"
    counts = [(tmp_path / f"{n}.html").read_text("utf-8").count("<details name") for n in "ab"]
    assert counts == [len(made("seed")[2].mistakes)] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--mistakes"],
            "--mistakes puts them on a page, and no page is written.\n"
            "  Write it with --out FILE.html, without --second.",
        ),
        (
            ["--mistakes", "--out", "a.md"],
            "--mistakes puts them on a page, and no page is written.\n"
            "  Write it with --out FILE.html, without --second.",
        ),
        (
            ["--level", "1", "--out", "a.html"],
            "--level says what is told of mistakes.\n  Write it with --mistakes.",
        ),
        (
            ["--mistakes", "--level", "4", "--out", "a.html"],
            "--level is 4.\n  Write a whole number from 0 to 3.",
        ),
        (
            ["sum(x**2)", "--mistakes", "--out", "a.html"],
            "--mistakes does not go with a formula.\n  Its options are "
            "--shape, --scalar, --symmetric, --positive, --wrt, --seed, --second, --out.",
        ),
    ],
)
def test_a_call_that_cannot_be_followed_is_refused_at_once(
    words, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["derive", *words]) == 2
    assert capsys.readouterr().err == f"jacobian-bp: SpecError: {message}\n"
    assert list(tmp_path.iterdir()) == []
