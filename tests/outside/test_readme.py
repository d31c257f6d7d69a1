"""The README shows what the program prints, and the commands that CI runs."""

import re
import subprocess
import sys
from functools import cache

from project import DOCS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@cache
def printed(*arguments):
    command = [sys.executable, "-m", "jacobian_bp", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def test_the_output_is_the_output():
    assert printed() in BLOCKS


def test_the_first_screen_fits():
    lines = printed().splitlines()
    assert len(lines) < 80
    assert max(map(len, lines)) < 100


def test_a_changed_number_would_be_seen():
    assert printed().replace("0.508416", "0.508417") not in BLOCKS


def test_the_two_commands_are_those_of_ci():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    patterns = re.findall(r"grep -m 1 -E '([^']+)' README\.md", script)
    assert len(patterns) == 2
    for pattern in patterns:
        assert len(re.findall(pattern, README, re.MULTILINE)) == 1


def test_every_link_leads_to_a_file():
    for page in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
