"""The gallery and its pictures are those that their script makes, and small."""

import importlib.util

from drawn import read
from project import DOCS

SPEC = importlib.util.spec_from_file_location("build_gallery", DOCS / "build_gallery.py")
gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gallery)


def test_every_picture_is_the_one_that_its_line_draws():
    drawn = gallery.drawn()
    files = {file.stem: file.read_text("utf-8") for file in gallery.PICTURES.iterdir()}
    assert files == {name: picture.svg for name, picture in drawn.items()}
    for name, picture in drawn.items():
        read(picture)
        assert len(picture.svg) < 90_000, name
    assert (DOCS / "gallery.md").read_text("utf-8") == gallery.page()


def test_a_line_that_draws_something_else_would_be_seen(monkeypatch):
    before = gallery.page()
    file, title, first, _, say = gallery.OWN[0]
    other = [(file, title, first, 'run.jacobian("z2", "W2").picture()', say), *gallery.OWN[1:]]
    monkeypatch.setattr(gallery, "OWN", other)
    assert gallery.page() != before
    assert gallery.drawn()[file].svg != (gallery.PICTURES / f"{file}.svg").read_text("utf-8")
