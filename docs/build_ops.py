"""Print docs/ops.md: the table of all ops, made from the ops themselves.

    python docs/build_ops.py > docs/ops.md

It is what `jacobian-bp ops` prints; nothing is listed by hand.
"""

import sys

from jacobian_bp.derivation.op_pages import LEGEND, op_groups, op_in_short

HEAD = """\
# All ops

Made by `python docs/build_ops.py` from the ops themselves; `jacobian-bp ops` prints the same, and
`jacobian-bp ops Conv1d` all about one: why each delta stands there, its kinks, the sizes of the
example. A line such as `y = Conv1d(x, K, b)` is a step of a [program](add_an_op.md); the
signature stands behind it.
"""


def page() -> str:
    """The page in Markdown."""
    parts = [HEAD, "\n".join(LEGEND) + "\n"]
    for title, entries in op_groups():
        parts.append(f"## {title.removesuffix('.')}\n")
        ops = ["\n".join(op_in_short(entry)) for entry in entries]
        parts.append("```\n" + "\n\n".join(ops) + "\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
