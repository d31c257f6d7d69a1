"""Print docs/items.md: where each item of the three seeds is shown.

    python docs/build_items.py > docs/items.md

The items are found by the number in the margin of the scripts' committed
output, and so are the pictures that it names; nothing is listed by hand.
"""

import re
import sys
from pathlib import Path

DERIVATIONS = Path(__file__).parent.parent / "derivations"
ITEMS = [
    *(f"J{number}" for number in range(1, 55)),
    *(f"M{number}" for number in range(1, 51)),
    *(f"F{number}" for number in range(1, 29)),
    *(f"X{number}" for number in range(1, 7)),
]
HOME = {"J": "first_seed", "M": "second_seed", "F": "third_seed"}
TITLES = {
    "J": "First seed: the tensor chain rule",
    "M": "Second seed: the three-layer classifier",
    "F": "Third seed: the regression by differentials",
    "X": "Across the seeds",
}
MARGIN = re.compile(r"([JMFX]\d+)\b,?\s*(.*)")


def places() -> dict[str, list[tuple[str, int, str]]]:
    """For each item, (script, line, text) wherever it stands in a margin, its own seed first."""
    found: dict[str, list[tuple[str, int, str]]] = {item: [] for item in ITEMS}
    for output in sorted(DERIVATIONS.glob("*.txt")):
        lines = output.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            match = MARGIN.match(line)
            if match and match[1] in found:
                found[match[1]].append((output.stem, number, match[2]))
    for item, shown in found.items():
        shown.sort(key=lambda place: place[0] != HOME.get(item[0]))
    return found


def table() -> str:
    """The page in Markdown."""
    lines = ["# Where each item of the seeds is shown", ""]
    lines.append("Made by `python docs/build_items.py` from the numbers in the scripts' margins.")
    for letter, shown in groups(places()).items():
        lines += ["", f"## {TITLES[letter]}", "", "| item | script | line | it says |"]
        lines.append("| --- | --- | --- | --- |")
        for item, where in shown.items():
            script, number, text = where[0] if where else ("missing", 0, "")
            drawn = "".join(f", [drawn]({path})" for path in pictures(script, number))
            link = f"[{number}](../derivations/{script}.txt#L{number})"
            lines.append(
                f"| {item} | [{script}](../derivations/{script}.py) "
                f"| {link} | {cell(text)}{drawn} |"
            )
    return "\n".join(lines) + "\n"


def pictures(script: str, number: int) -> list[str]:
    """The pictures that the output names from this line on, to the next number in the margin."""
    file = DERIVATIONS / f"{script}.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    own = lines[number - 1 : number]
    for line in lines[number:]:
        if MARGIN.match(line) or not line.strip():
            break
        own.append(line)
    return [f"pictures/{name}" for name in re.findall(r"([\w-]+\.svg)", "\n".join(own))]


def groups(found: dict[str, list]) -> dict[str, dict[str, list]]:
    """The items by the letter of their seed."""
    return {
        letter: {item: where for item, where in found.items() if item[0] == letter}
        for letter in TITLES
    }


def cell(text: str) -> str:
    """Text that a Markdown table carries."""
    short = re.split(r"\s{3,}", text.strip())[0]
    return "`" + short.replace("|", "\\|").replace("`", "'") + "`" if short else ""


if __name__ == "__main__":
    sys.stdout.write(table())
