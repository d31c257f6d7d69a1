"""Print which room imports which, read from the code: every arrow points down.

    python docs/draw_rooms.py

Three lists: the rooms of the package, and those within compare and coursework. Each
room stands above all that it imports; a circle ends the script with CycleError.
"""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "jacobian_bp"
WITH_ROOMS = ("jacobian_bp", "jacobian_bp.compare", "jacobian_bp.coursework")


@cache
def imported(module: Path) -> list[str]:
    """The full name of every import from within the package, such as jacobian_bp.ops.Op."""
    folder, names = module.relative_to(PACKAGE.parent).parent.parts, []
    for statement in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.ImportFrom) and statement.level:
            above = folder[: len(folder) - statement.level + 1]
            target = ".".join([*above, *filter(None, [statement.module])])
            names += [f"{target}.{name.name}" for name in statement.names]
    return names


def arrows(container: str) -> dict[str, list[str]]:
    """For each room of `container`, the other rooms of it that the room imports."""
    home = PACKAGE.parent.joinpath(*container.split("."))
    found: dict[str, set[str]] = {}
    for module in sorted(home.rglob("*.py")):
        room = module.relative_to(home).parts[0].removesuffix(".py")
        if room != "__init__":
            within = [name for name in imported(module) if name.startswith(f"{container}.")]
            targets = {name.removeprefix(f"{container}.").split(".")[0] for name in within}
            found.setdefault(room, set()).update(targets)
    return {room: sorted(found[room] & found.keys() - {room}) for room in found}


def drawn(container: str) -> list[str]:
    """A line for each room, the highest first: its name, and the rooms that it imports."""
    below = arrows(container)
    order = list(TopologicalSorter(below).static_order())[::-1]
    width = max(map(len, order))
    return [
        f"{room:{width}}  {' '.join(sorted(below[room], key=order.index))}".rstrip()
        for room in order
    ]


if __name__ == "__main__":
    for container in WITH_ROOMS:
        print(container, *(f"    {line}" for line in drawn(container)), "", sep="\n")
