"""The page in a real browser: nothing is loaded, every control works, everything can be read.

Skipped where there is no playwright (pip install -e '.[browser]') or no Chromium.
"""

import numpy as np
import pytest
from browsers import CHROMIUM, CONTRAST, NO_CHROMIUM
from open_pages import SEED, data, place_of

from jacobian_bp.algebra.layouts import LAYOUTS
from jacobian_bp.coursework.exercises.mistakes_of_run import explored
from jacobian_bp.reference import X

pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[browser]'")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM)


def full(*values):
    return pytest.param(*values, marks=pytest.mark.full)


FIRST = SEED.derivation("first_seed").spelled("∂J/∂W2")


def test_every_step_is_reached_by_the_keyboard_and_has_its_own_address(open_page):
    tab = open_page(place="#step-1")
    tab.locator("#step-1").focus()
    seen = []
    for key in ["ArrowDown", "j"] * 20:
        seen.append(tab.evaluate("location.hash"))
        assert tab.locator(".step[aria-current]").get_attribute("id") == seen[-1][1:]
        assert tab.evaluate("document.activeElement.id") == seen[-1][1:]
        tab.keyboard.press(key)
    assert list(dict.fromkeys(seen)) == [f"#{place}" for place in data(tab)]
    tab.keyboard.press("k")
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate("location.hash") == list(dict.fromkeys(seen))[-3]


def test_the_page_begins_with_a_tensor_of_two_kinds_of_zero(open_page):
    tab = open_page()
    assert tab.locator(".step[aria-current]").get_attribute("aria-label") == "[7] ∂z2/∂W2"


@pytest.mark.parametrize("name", ["seed", full("batch")])
def test_each_entry_says_its_formula_its_numbers_and_its_reason(open_page, name):
    tab = open_page(name)
    found = tab.evaluate(
        """() => [...document.querySelectorAll('.step')].flatMap(step => {
          step.click()
          return [...document.querySelectorAll('#object button.cell')].map((cell, n) => {
            cell.focus()
            const [numbers, reason] = ['numbers', 'reason']
              .map(part => document.querySelector('#object .entry .' + part).textContent)
            return [step.id, n, numbers, reason, cell.getAttribute('aria-label'),
              document.querySelector('#object .entry math:last-child').textContent]
          })})"""
    )
    known = data(tab)
    assert len(found) == sum(len(made.get("cells", ())) for made in known.values()) > 100
    for place, n, numbers, reason, label, formula in found:
        cell = known[place]["cells"][n]
        assert numbers == cell[3]
        assert reason == known[place]["reasons"][cell[4]]
        assert label.endswith(f"{numbers}. {reason}")
        assert "undefined" not in label + formula
        assert "\x1f" not in label + formula
        assert all(index in formula for index in cell[2].split("|"))


@pytest.mark.parametrize("name", ["seed", full("batch")])
def test_in_every_layout_the_cells_stand_where_it_says(open_page, name):
    tab = open_page(name)
    tab.locator(place_of(tab, "∂z1/∂W1" if name == "seed" else "∂Z1/∂W1")).click()
    place = tab.locator(".step[aria-current]").get_attribute("id")
    for layout in LAYOUTS:
        tab.locator(f".layouts input[value={layout}]").check(force=True)
        boxes = np.array(
            tab.eval_on_selector_all(
                "#object button.cell",
                """cells => cells.map(cell => cell.getBoundingClientRect())
                  .map(box => [box.x, box.y])""",
            )
        )
        spots = np.reshape(data(tab)[place]["layouts"][layout]["spots"], (-1, 2))
        (wide, x0), (tall, y0) = (np.polyfit(spots[:, n], boxes[:, n], 1) for n in (0, 1))
        assert np.allclose(boxes, spots * [wide, tall] + [x0, y0], atol=1.0)
        assert wide > 20
        assert tall > 20
        assert (
            tab.locator("#object .fact")
            .first.inner_text()
            .startswith(data(tab)[place]["layouts"][layout]["facts"][:8])
        )


def test_a_key_leads_to_the_next_layout_and_it_is_kept(open_page):
    tab = open_page(place="#step-9")
    tab.keyboard.press("l")
    assert tab.locator(".layouts input:checked").get_attribute("value") == "flat_column"
    tab.keyboard.press("j")
    assert tab.locator(".layouts input:checked").get_attribute("value") == "flat_column"


def test_arrows_lead_from_entry_to_entry(open_page):
    tab = open_page()
    tab.locator("#object button.cell").first.focus()
    for key, name in (
        ("Right", "[0]/∂W2[0,1]"),
        ("Down", "[1]/∂W2[0,1]"),
        ("Left", "[1]/∂W2[0,0]"),
    ):
        tab.keyboard.press(f"Arrow{key}")
        label = tab.evaluate("document.activeElement.getAttribute('aria-label')")
        assert label.startswith(f"∂z2{name} = ")
    assert tab.locator("#object button.cell[tabindex='0']").count() == 1


def test_a_factor_lights_its_axes_and_a_delta_dims_what_it_forbids(open_page):
    tab = open_page()
    chips = tab.locator(".chips button")
    chips.nth(0).focus()
    assert tab.locator("#object .formula .lit").text_content().startswith("δ")
    dim = tab.eval_on_selector_all(".cell.dim", "cells => cells.map(c => c.textContent)")
    assert dim == ["·"] * 8
    chips.nth(1).focus()
    assert tab.locator(".cell.dim").count() == 0
    assert tab.locator("#object .formula .lit").count() == 1


@pytest.mark.parametrize(
    ("name", "step"),
    [full("seed", "∂J/∂W2"), full("first", FIRST), ("batch", "dW1")],
)
def test_the_slider_ends_in_the_gradient(open_page, name, step):
    tab = open_page(name)
    tab.locator(place_of(tab, step)).click()
    slider = tab.locator(".spent input")
    slider.focus()
    told = []
    for _ in range(int(slider.get_attribute("max")) + 1):
        told.append(slider.get_attribute("aria-valuetext"))
        assert tab.locator(".ticks .on").inner_text() == told[-1][:4]
        slider.press("ArrowRight")
    assert [text[:4] for text in told][:4] == ["(10)", "(11)", "(12)", "(12)"]
    assert told[-1].startswith("(13)")
    there = "cells => cells.filter(c => getComputedStyle(c).visibility === 'visible')"
    texts = tab.eval_on_selector_all(
        ".spent .cell", f"cells => ({there})(cells).map(c => c.textContent)"
    )
    entries = tab.eval_on_selector_all("#object button.cell", "c => c.map(x => x.textContent)")
    assert sorted(texts) == sorted(entries)
    tab.get_by_label("next stage").click()
    assert slider.get_attribute("aria-valuetext").startswith("(10)")


def test_the_graph_leads_to_the_steps(open_page):
    tab = open_page()
    link = tab.locator(".graph a[aria-label='∂z3/∂W3']")
    link.focus()
    tab.keyboard.press("Enter")
    assert tab.locator(".step[aria-current]").get_attribute("aria-label") == "[3] ∂z3/∂W3"
    assert tab.locator(".graph a.on").get_attribute("aria-label") == "∂z3/∂W3"
    labels = tab.eval_on_selector_all(".graph a", "a => a.map(x => x.getAttribute('aria-label'))")
    assert {"∂J/∂z2", "∂a2/∂z2", "∂z1/∂W1"} <= set(labels)
    tab.locator(place_of(tab, "∂J/∂b2")).click()  # a gradient: its parameter, and the edge from it
    assert tab.locator(".graph a.on").get_attribute("aria-label") == "∂z2/∂b2"


@pytest.mark.parametrize("name", ["batch", full("seed"), full("first"), full("static")])
def test_nothing_sticks_out(open_page, name):
    tab = open_page(name)
    for width in (1600, 1280, 768, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        wide = tab.evaluate(
            """() => [...document.querySelectorAll('.step')].map(step => {
              step.click()
              const inner = [...document.querySelectorAll('#object > *')]
              return Math.max(document.documentElement.scrollWidth,
                ...inner.map(part => part.getBoundingClientRect().right)) })"""
        )
        assert max(wide) <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["seed", full("batch"), full("static")])
def test_every_text_can_be_read(open_page, name, scheme):
    """The contrast of each text with its background, as the browser has computed both."""
    tab = open_page(name, scheme=scheme)
    poor = tab.evaluate(CONTRAST, "")
    assert poor == []
    if name != "static":
        tab.locator(".step").last.click()
        tab.get_by_label("light or dark").click()
        assert tab.evaluate(CONTRAST, "") == []


def test_a_pale_text_is_noticed(open_page):
    tab = open_page()
    tab.evaluate("document.querySelector('h1').style.color = '#999'")
    assert len(tab.evaluate(CONTRAST, "")) >= 1


def test_every_control_has_a_name_and_one_step_a_place_in_the_order_of_keys(open_page):
    tab = open_page()
    tab.locator(place_of(tab, "∂J/∂W1")).click()
    nameless = tab.evaluate(
        """[...document.querySelectorAll('button,input,a,svg[role=img],nav,aside,[role=group]')]
          .filter(e => !e.getAttribute('aria-label') && !e.closest('label'))
          .filter(e => !e.textContent.trim())
          .map(e => e.outerHTML)"""
    )
    assert nameless == []
    assert tab.locator(".step[tabindex='0']").count() == 1


def test_without_a_script_and_on_paper_every_number_stands_in_a_table(open_page):
    bare, static, printed = open_page(script=False), open_page("static"), open_page()
    printed.emulate_media(media="print")
    tables = [tab.locator("table.grid") for tab in (bare, static, printed)]
    assert len({shown.count() for shown in tables}) == 1
    assert tables[0].count() > 10
    for shown in tables:
        assert all(table.is_visible() for table in shown.all())
    assert not bare.locator("#object").is_visible()
    assert not printed.locator("#object").is_visible()
    assert not printed.get_by_text("lead to their step").is_visible()  # on paper nothing leads
    assert bare.get_by_text("lead to their step").is_visible()
    dark = open_page(scheme="dark")
    dark.get_by_label("light or dark").click()
    dark.emulate_media(media="print")
    assert dark.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 252, 249)"


def test_in_a_narrow_window_the_object_stands_in_its_step(open_page):
    tab = open_page(width=390)
    assert tab.locator(".step[aria-current] #object").count() == 1
    tab.set_viewport_size({"width": 1440, "height": 900})
    assert tab.locator(".columns > #object").count() == 1


def test_a_foreign_name_makes_no_element(open_page):
    tab = open_page("hostile")
    tab.evaluate("document.querySelectorAll('.step').forEach(step => step.click())")
    assert tab.locator("b, img").count() == 0
    assert place_of(tab, "∂z2/∂<b/onclick>") == "#step-9"


LEFT_OUT = "In the delta of z1 (layer 1) the slope relu′(z1) is left out"


def test_a_mistake_is_chosen_by_the_keyboard_and_what_it_changes_is_marked(open_page):
    tab = open_page("mistakes")
    chooser = tab.get_by_label("choose a mistake")
    chooser.focus()
    titles = chooser.locator("option").all_inner_texts()
    said = [str(mistake.title) for mistake in explored(SEED, SEED.derivation(), 3).mistakes]
    assert titles == ["no mistake", *said]
    in_text = LEFT_OUT.replace("′", "'")
    for _ in range(next(n for n, title in enumerate(titles) if title.startswith(in_text))):
        tab.keyboard.press("ArrowDown")
    changed = tab.locator(".step.changed").all()
    names = [step.get_attribute("aria-label").split(", ")[0] for step in changed]
    assert names == ["[10] ∂a1/∂z1", "δ1", "∂J/∂W1", "∂J/∂b1"]
    assert all(s.get_attribute("aria-label").endswith("changed by the mistake") for s in changed)
    assert tab.locator(".step[aria-current]").get_attribute("aria-label").startswith(names[0])
    tab.locator(place_of(tab, "∂J/∂W1, changed by the mistake")).click()
    off = tab.eval_on_selector_all(".cell.off", "cells => cells.map(cell => cell.textContent)")
    gap = np.outer(SEED.vjp("J", "a1", 1.0) - SEED.vjp("J", "z1", 1.0), X)
    assert [float(text.replace("−", "-")) for text in off] == pytest.approx(gap[1], rel=5e-3)
    label = tab.locator(".cell.off").first.get_attribute("aria-label")
    assert label.endswith(f"{off[0]}, by the mistake")
    assert LEFT_OUT in tab.locator("#object .planted").text_content()
    chooser.select_option("0")
    assert tab.locator(".step.changed, .cell.off").count() == 0


def test_each_mark_stands_on_the_entry_that_the_table_of_the_mistake_has(open_page):
    tab = open_page("mistakes")
    kept = 0
    for mistake in tab.locator("details[name=mistake]").all():
        mistake.locator("summary").click()
        for part in mistake.locator("[data-step]").all():
            rows = [row.locator("td").all_inner_texts() for row in part.locator("tr").all()[1:]]
            if not rows:
                continue
            marks = [text if text != "·" else "" for row in rows for text in row]
            tab.locator(f"#{part.get_attribute('data-step')}").click()
            said = tab.eval_on_selector_all(
                "aside button.cell", "cells => cells.map(cell => cell.ariaLabel)"
            )
            assert len(said) == len(marks)
            for mark, words in zip(marks, said, strict=True):
                by = f" {mark}, by the mistake"
                assert words.endswith(by) if mark else "by the mistake" not in words, words
            kept += sum(map(bool, marks))
    assert kept > 20


def test_a_mistake_opened_in_its_section_is_the_one_in_the_bar_and_alone_is_open(open_page):
    from playwright.sync_api import expect

    tab = open_page("hidden")
    parts = tab.locator("details[name=mistake] > summary")
    for place in (2, 5):
        parts.nth(place).focus()
        tab.keyboard.press("Enter")
        expect(tab.get_by_label("choose a mistake")).to_have_value(str(place + 1))
        assert tab.locator("details[name=mistake][open]").count() == 1
    assert {*tab.locator(".cell.off").all_inner_texts()} <= {"×"}
    assert tab.locator("#object .cell").first.get_attribute("aria-label").count("=") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["mistakes", full("hidden")])
def test_with_a_mistake_chosen_all_can_be_read_and_nothing_sticks_out(open_page, name, scheme):
    tab = open_page(name, scheme=scheme)
    for width in (1440, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.get_by_label("choose a mistake").select_option("4")
        tab.wait_for_selector(".step.changed")
        assert tab.evaluate(CONTRAST, "") == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_and_on_paper_a_mistake_is_opened_and_read(open_page):
    bare = open_page("hidden", script=False)
    bare.locator("details[name=mistake] > summary").nth(3).click()
    assert bare.locator("details[open] .marks .x").first.is_visible()
    bare.emulate_media(media="print")
    assert bare.locator("details[open] .marks .x").first.is_visible()
