"""Each room's own sentences are true, and the page on the architecture repeats them."""

import ast
import importlib.util
import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from sampled import seldom

import jacobian_bp

PACKAGE = Path(jacobian_bp.__file__).parent
ROOT = PACKAGE.parent
SPEC = importlib.util.spec_from_file_location("draw_rooms", ROOT / "docs" / "draw_rooms.py")
draw_rooms = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(draw_rooms)

ROOMS = sorted(
    file.parent.relative_to(PACKAGE).as_posix() for file in PACKAGE.glob("*/**/__init__.py")
)
SENTENCES = re.compile(
    r"(?P<what>[^\n]+[.])\n\n(?:.+\n\n)?"
    r"Offers (?P<names>[\w,\s]+)(?:; [^.]+)?[.]\n"
    r"May import (?P<below>\w+) (?P<more>and below|alone)[.]",
    re.DOTALL,
)


def said(room):
    """What a room says of itself."""
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
    found = SENTENCES.fullmatch(text)
    assert found, f"{room}/__init__.py has not the form of a room:\n{text}"
    return found


def layers():
    """For each container of .importlinter, its layers from the top, each a list of rooms."""
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return {
        contract["containers"].strip(): [
            layer.split(" | ") for layer in contract["layers"].strip().splitlines()
        ]
        for contract in contracts.values()
        if "layers" in contract
    }


def just_below(room):
    """The rooms of the layer below a room; below the lowest of a container, what is below that."""
    above, _, name = room.rpartition("/")
    container = ".".join(["jacobian_bp", *filter(None, [above.replace("/", ".")])])
    if container not in layers():
        return [above.rpartition("/")[2]]
    order = layers()[container]
    place = next(place for place, layer in enumerate(order) if name in layer)
    return order[place + 1] if place + 1 < len(order) else just_below(above)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_what_it_offers_and_whom_it_may_import(room):
    assert len(said(room)["what"]) <= 97


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_is_there(room):
    names = re.split(r",\s+", said(room)["names"])
    modules = [importlib.import_module(".".join(["jacobian_bp", *room.split("/")]))]
    for file in sorted((PACKAGE / room).glob("*.py")):
        if file.stem != "child":  # a script for a process of its own
            modules.append(importlib.import_module(f"{modules[0].__name__}.{file.stem}"))
    for name in names:
        is_room = (PACKAGE / room / name / "__init__.py").exists()
        assert is_room or any(hasattr(module, name) for module in modules), name


@pytest.mark.parametrize("room", ROOMS)
def test_whom_a_room_may_import_is_the_layer_below_it(room):
    if said(room)["more"] == "alone":
        imported = {
            target.split(".")[1]
            for file in (PACKAGE / room).rglob("*.py")
            for target in draw_rooms.imported(file)
        }
        assert imported - {room.split("/")[0]} == {said(room)["below"]}
    else:
        assert said(room)["below"] in just_below(room)


def test_the_page_on_the_architecture_repeats_what_the_rooms_say():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = dict(re.findall(r"^\| `([\w/]+)` \| ([^|\n]+) \|$", page, re.MULTILINE))
    assert table == {room: said(room)["what"] for room in ROOMS}


@pytest.mark.parametrize(  # of the whole package lint-imports says it in less time
    "container", [seldom(draw_rooms.WITH_ROOMS[0]), *draw_rooms.WITH_ROOMS[1:]]
)
def test_every_arrow_points_down(container):
    lines = [line.split() for line in draw_rooms.drawn(container)]
    order = [room for room, *_ in lines]
    for room, *imported in lines:
        assert all(order.index(other) > order.index(room) for other in imported)


@pytest.mark.full
def test_the_rooms_are_drawn_in_the_order_of_the_contract():
    order = [room for layer in layers()["jacobian_bp"] for room in layer]
    for room, imported in draw_rooms.arrows("jacobian_bp").items():
        assert all(order.index(other) > order.index(room) for other in imported)
