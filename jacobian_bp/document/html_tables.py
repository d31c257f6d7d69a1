"""Tables of HTML: each has a name, and each cell a row and a column that a reader hears."""

from collections.abc import Sequence
from html import escape


def matrix_table(kind: str, rows: Sequence[Sequence[str]], name: str) -> str:
    """A matrix whose cells are <td>; the numbers of its rows and columns, from 0, are not seen."""
    heads = "".join(f"<th>{column}</th>" for column in range(len(rows[0])))
    lines = [f"<td></td>{heads}"]
    lines += [f"<th>{row}</th>{''.join(cells)}" for row, cells in enumerate(rows)]
    whole = "\n".join(f"<tr>{line}</tr>" for line in lines)
    table = f'<table class="{kind}" aria-label="{escape(name)}">\n{whole}\n</table>'
    return scrolling(table, f"numbers: {name}")


def scrolling(inner: str, name: str) -> str:
    """A part that may be wider than the page; the arrow keys move it."""
    label = f'role="group" aria-label="{escape(name)}"'
    return f'<div class="scroll" tabindex="0" {label}>{inner}</div>'
