"""The project's papers say what is: the version, the rooms, the checks."""

import re
from configparser import ConfigParser

from project import ROOT

from jacobian_bp import __version__


def paper(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## (\S+)$", paper("CHANGELOG.md"), re.MULTILINE)
    assert __version__.rpartition(".")[0] == versions[0]


def test_the_citation_is_of_this_version():
    assert f"version: {__version__}\n" in paper("CITATION.cff")


def test_every_room_has_its_line_from_the_highest_down():
    contracts = ConfigParser()
    contracts.read_string(paper(".importlinter"))
    layers = re.findall(r"\w+", contracts["importlinter:contract:rooms"]["layers"])
    rooms = re.findall(r"^\| `(\w+)/` \| .+ \|$", paper("CONTRIBUTING.md"), re.MULTILINE)
    modules = {"__main__", "cli", "reference", "errors", "version"}
    assert set(rooms) == set(layers) - modules
    assert set(rooms[:2]) == {"coursework", "compare"}  # side by side
    assert rooms[2:] == [room for room in layers if room in rooms[2:]]


def test_what_is_checked_before_a_commit_is_checked_by_the_one_command():
    entries = re.findall(r"^ +entry: (.+)$", paper(".pre-commit-config.yaml"), re.MULTILINE)
    assert len(entries) == 4
    for entry in entries:
        assert f".venv/bin/{entry}" in paper(".ci/run")
    assert "\nbash .ci/run\n" in paper("CONTRIBUTING.md")
