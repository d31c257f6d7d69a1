"""What a screen reader, and who sees no colour, has of a page: as the browser hands it out.

Skipped where there is no playwright (pip install -e '.[browser]') or no Chromium.
"""

import pytest
from browsers import CHROMIUM, NO_CHROMIUM
from open_pages import data, place_of

pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[browser]'")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM)

FULL = ("mistakes", "batch", "static", "hidden")
PAGES = ["seed", *(pytest.param(name, marks=pytest.mark.full) for name in FULL)]


def read_out(tab):
    """The nodes of the accessibility tree in the order in which they are read."""
    session = tab.context.new_cdp_session(tab)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    known = {node["nodeId"]: node for node in nodes}
    found, waiting = [], [nodes[0]["nodeId"]]
    while waiting:
        node = known.get(waiting.pop())
        if node is None:
            continue
        waiting += reversed(node.get("childIds", []))
        if not node["ignored"]:
            said = {p["name"]: p["value"].get("value") for p in node.get("properties", [])}
            said |= {key: node.get(key, {}).get("value", "") for key in ("name", "role")}
            found.append(said | {"more": node.get("description", {}).get("value", "")})
    session.detach()
    return found


def nameless(tab):
    """What the keyboard reaches without a role or a name."""
    focused = [node for node in read_out(tab)[1:] if node.get("focusable")]
    assert len(focused) > 8
    return [n for n in focused if n["role"] in ("generic", "none", "") or not n["name"].strip()]


def names(nodes, *roles):
    return [node["name"] for node in nodes if node["role"] in roles]


@pytest.mark.parametrize("page", PAGES)
def test_whatever_the_keyboard_reaches_has_a_role_and_a_name(open_page, page):
    tab = open_page(page, place="#step-18")
    assert nameless(tab) == []
    tab.evaluate("document.querySelector('.scroll').removeAttribute('role')")
    tab.evaluate("document.querySelector('.scroll').removeAttribute('aria-label')")
    assert len(nameless(tab)) == 1


def test_it_is_read_in_the_order_of_the_derivation(open_page):
    tab = open_page(place="#step-9")
    nodes = read_out(tab)
    known = data(tab)
    steps = tab.eval_on_selector_all(".step", "all => all.map(s => s.getAttribute('aria-label'))")
    assert len(steps) == len(known)
    assert [name for name in names(nodes, "group") if name in steps] == steps
    assert [s.split("] ")[-1] for s in steps] == [made["name"] for made in known.values()]
    heads = names(nodes, "heading")
    assert heads[0] == "The gradient of J, step by step"
    assert heads[1:4] == ["Network", "Forward pass", "Backward pass, one Jacobian at a time"]
    assert heads[-1] == "∂z2/∂W2, entry by entry"
    places = [heads.index("Checks"), len(heads) - 1]
    assert places == sorted(places)
    edges = [n for n in names(nodes, "link") if n[0] == "∂"]
    upwards = [n for n in edges if n.startswith("∂a1") or n in ("∂J/∂z1", "∂z1/∂W1")]
    assert upwards == ["∂z1/∂W1", "∂J/∂z1", "∂a1/∂z1"]
    beside = names(nodes, "image")
    assert beside[1:3] == ["z1 is 1.15 −0.3 0.95 0.3", "z1 has the gradient −0.359 0 0.331 −0.179"]
    phone = open_page(width=390, place="#step-9")
    inside = phone.evaluate(
        "document.querySelector('.step[aria-current] #object').previousElementSibling !== null"
    )
    assert inside


def test_what_changes_away_from_the_focus_is_said(open_page):
    tab = open_page(place="#step-8")
    status = tab.get_by_role("status")
    assert [n["live"] for n in read_out(tab) if n["role"] == "status"] == ["polite"]
    assert status.text_content() == ""
    tab.keyboard.press("j")
    assert status.text_content() == (
        "∂z2/∂W2[k,k′,i′] = δ[k,k′] a1[i′]. "
        "(2, 8), axes [k, (k′,i′)]; 8 of 16 entries can be ≠ 0: delta ⊗ vector"
    )
    tab.keyboard.press("l")
    assert status.text_content() == (
        "flat_column: rows = outputs, columns = the variable's entries column by column; "
        "(2, 8), axes [k, (i′,k′)]; 8 of 16 entries can be ≠ 0: delta ⊗ vector"
    )
    tab.get_by_label("light or dark").click()
    assert status.text_content() == "dark"
    tab.locator(place_of(tab, "∂J/∂W2")).click()
    tab.get_by_label("next stage").click()
    assert status.text_content() == "(11) The error was computed on the way down: δ2."
    slider = tab.get_by_role("slider")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext").startswith("(12) Entry by entry: a sum")
    tab.locator("#object button.cell").first.focus()
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    focused = [node["name"] for node in read_out(tab) if node.get("focused")]
    assert focused[-1] == (
        "∂J/∂W2[0,1] = (−0.318842) · 0 = 0. Zero at this input: a1[1] is 0 here."
    )


@pytest.mark.full
def test_a_mistake_is_said_with_the_steps_that_it_changes(open_page):
    tab = open_page("mistakes")
    chooser = tab.get_by_label("choose a mistake")
    titles = chooser.locator("option").all_inner_texts()
    left_out = "In the delta of z1 (layer 1) the slope relu'(z1) is left out"
    chooser.select_option(index=next(n for n, t in enumerate(titles) if t.startswith(left_out)))
    status = tab.get_by_role("status")
    assert status.text_content() == "changed: [10] ∂a1/∂z1, δ1, ∂J/∂W1, ∂J/∂b1"
    chooser.select_option(index=0)
    assert status.text_content() == "no mistake"


@pytest.mark.parametrize("page", ["static", pytest.param("mistakes", marks=pytest.mark.full)])
def test_a_table_has_a_name_and_each_of_its_cells_a_row_and_a_column(open_page, page):
    tab = open_page(page)
    tab.emulate_media(media="print")
    tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    nodes = read_out(tab)
    tables = [place for place, node in enumerate(nodes) if node["role"] == "table"]
    assert len(tables) > 15
    of = {"W1", "∂z2/∂W2", "δ2", "∂J/∂W1"} | ({"what the mistake changes"} & {page})
    assert of <= {nodes[place]["name"] for place in tables}
    for place, end in zip(tables, [*tables[1:], len(nodes)], strict=True):
        roles = [node["role"] for node in nodes[place:end]]
        named = nodes[place - 1]["name"] in ("table", f"numbers: {nodes[place]['name']}")
        assert named
        assert roles.count("columnheader") >= 1
        if nodes[place]["name"]:
            wide, tall = roles.count("columnheader"), roles.count("rowheader")
            assert roles.count("cell") == wide * tall + 1  # the corner
    hidden = "th => th.map(h => h.getBoundingClientRect()).map(b => Math.min(b.width, b.height))"
    assert max(tab.eval_on_selector_all(".grid th, .marks th", hidden)) < 2


@pytest.mark.parametrize("page", PAGES)
def test_a_picture_says_what_it_shows_and_no_name_leads_to_nothing(open_page, page):
    tab = open_page(page)
    drawn = [n for n in read_out(tab) if n["name"] == "The computation graph"]
    assert [node["role"] for node in drawn] == (["image"] if page == "static" else ["group"])
    assert all(names(read_out(tab), "heading"))
    assert drawn[0]["more"].startswith("A graph of 6 steps" if page == "batch" else "A graph of 7")
    lost = tab.evaluate(
        """() => {
          const all = [...document.querySelectorAll('*')], has = id => document.getElementById(id)
          const led = all.map(e => e.getAttribute('href')).filter(href => href?.[0] === '#')
          const named = ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for']
            .flatMap(key => all.map(e => e.getAttribute(key)).filter(Boolean))
          const reached = 'a[href],button,input,select,[tabindex="0"]'
          const silent = [...document.querySelectorAll('[aria-hidden],[role=img],svg[role=img]')]
            .filter(e => e.querySelector(reached)).map(e => e.outerHTML.slice(0, 60))
          return [...led.map(h => h.slice(1)), ...named].filter(id => !has(id)).concat(silent)
        }"""
    )
    assert lost == []


def test_without_colour_each_thing_that_a_colour_tells_has_a_second_sign(open_page):
    tab = open_page()
    cells = tab.evaluate(
        """() => [...document.querySelectorAll('.step')].flatMap(step => {
          step.click()
          return [...document.querySelectorAll('#object .cell')]
            .map(c => [c.className, c.textContent, getComputedStyle(c).borderStyle]) })"""
    )
    seen = set()
    for kind, text, border in cells:
        shade = next(word for word in kind.split() if word[0] in "kn")
        seen.add(shade)
        assert (text[0] == "−") == (shade in ("k0", "k1", "k2", "k3"))
        assert (border == "dotted") == (text == "·") == (shade == "none")
    assert {"none", "k4"} <= seen
    assert seen & {"k0", "k1"}
    assert seen & {"k7", "k8"}
    tab.locator(place_of(tab, "∂z2/∂W2")).click()
    link = tab.locator(".graph a.on .box")
    thick = "e => parseFloat(getComputedStyle(e).strokeWidth)"
    assert link.evaluate(thick) > tab.locator(".graph a:not(.on) .box").first.evaluate(thick)


@pytest.mark.parametrize("scheme", ["dark", pytest.param("light", marks=pytest.mark.full)])
def test_with_the_colours_of_the_reader_what_is_chosen_is_seen(open_page, scheme):
    tab = open_page(scheme=scheme, place="#step-9", forced="active")
    assert tab.evaluate("matchMedia('(forced-colors: active)').matches")
    style = "(e, key) => getComputedStyle(e)[key]"
    for chosen, other, key in (
        (".step[aria-current]", ".step:not([aria-current])", "borderLeftColor"),
        (".layouts label:has(:checked)", ".layouts label:not(:has(:checked))", "backgroundColor"),
        (".graph a.on .box", ".graph a:not(.on) .box", "stroke"),
    ):
        both = [tab.locator(place).first.evaluate(style, key) for place in (chosen, other)]
        assert both[0] != both[1], chosen
    paper = tab.locator(".graph .paper").evaluate(style, "fill")
    assert paper == tab.locator("body").evaluate(style, "backgroundColor")


def test_nothing_moves_for_who_wants_no_motion(open_page):
    moving = """() => [...document.querySelectorAll('*')]
      .filter(e => getComputedStyle(e).transitionDuration.split(', ').some(t => t !== '0s'))
      .length"""
    assert open_page(place="#step-18").evaluate(moving) == 0
    assert open_page(place="#step-18", motion="no-preference").evaluate(moving) > 10
