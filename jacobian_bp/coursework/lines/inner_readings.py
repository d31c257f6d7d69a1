"""How a line about what stands inside a formula is read: x as the formula's, means beside arrays.

dx = dxhat * ivar + dvar * 2 * (x - mu) / N + dmu / N        x is what the norm reads
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .language import Statement
from .meanings import Axes
from .naming import Names
from .tree import names
from .workspace import Workspace

SHARE = re.compile(r"(grad_|d_?)\w+?_?[12]")  # dxmu1


@dataclass(frozen=True)
class Way:
    """A reading of the names; what is said of it, and whether it counts only where it is right."""

    workspace: Workspace
    says: tuple[str, ...]
    far: bool


def ways_inside(statement: Statement, workspace: Workspace) -> Iterator[Way]:
    """x and out as the formula's, or as the network's; means beside their arrays, or as they are.

    dxmu1 and dxmu2 are what comes back through one step and through the other, or all of it.
    """
    read = names(statement.tree)
    words = [word for word in (*read, statement.target) if word]
    inside = workspace.inside
    about = workspace.read_as(inside_x=True, shares="back")
    is_about = any(is_inside(about, word) for word in words)
    shared = inside.across and any(map(SHARE.fullmatch, words))
    spaces = [
        workspace.read_as(inside_x=inside_x, shares=shares)
        for shares in (("back", "forth", "") if shared else ("",))
        for inside_x in ((True, False) if is_about and inside.own else (False,))
    ]
    known = [space for space in spaces if not any(map(space.is_unknown, read))]
    for own in known or spaces[:1]:
        differs = any(own.meaning(word) != workspace.meaning(word) for word in words)
        says = (inside.said,) if own.told.inside_x and differs else ()
        far = any(other.told.inside_x for other in known) and not own.told.inside_x
        pairs = [pair for pair in (beside(own, word) for word in words) if pair]
        lacks_last = any(axes[-1:] != whole[-1:] for axes, whole in pairs)  # breaks without it
        ways = ((True, False) if lacks_last else (False, True)) if pairs else (False,)
        for kept in ways:
            yield Way(own.read_as(kept=kept), says, far)


def is_unknown_inside(workspace: Workspace, word: str) -> bool:
    """Whether it would be asked what a name is also where x and dxmu1 are a formula's."""
    return workspace.read_as(inside_x=True, shares="back").is_unknown(word)


def is_inside(workspace: Workspace, word: str) -> bool:
    """Whether a name means something only as what a formula names inside."""
    state, inside = workspace.state, workspace.inside
    plain = [value for value in state.values if value not in inside.across]
    bare = Names(plain, state.cost, workspace.told.layer, tied=workspace.tied)
    if bare.meaning(word) is not None or workspace.is_size(word):
        return False
    return workspace.meaning(word) is not None or inside.number(word, state) is not None


def beside(workspace: Workspace, word: str) -> tuple[Axes, Axes] | None:
    """Of a mean or a spread its axes, and those of the array beside which it stands."""
    found = workspace.meaning(word)
    of = workspace.inside.across.get(found.of) if found else None
    axes = workspace.meanings.of
    if found is None or of is None or len(axes[found.of]) == len(axes[of]):
        return None
    return axes[found.of], axes[of]
