"""Foreign names as names of a program: dots become underscores, a digit in front gets a letter."""

import re
from collections.abc import Collection
from keyword import iskeyword


def as_name(foreign: str, letter: str = "p") -> str:
    """The name of a program for a foreign one; a parameter's letter is p, a value's v.

    >>> as_name("0.weight"), as_name("blocks.2.norm1.bias"), as_name("/fc1/Gemm", "v")
    ('p0_weight', 'blocks_2_norm1_bias', 'fc1_Gemm')
    >>> as_name("lambda"), as_name("0", "v"), as_name("größe"), as_name("")
    ('lambda_', 'v0', 'gr_e', 'p')
    """
    plain = re.sub(r"[^0-9A-Za-z_]+", "_", foreign).strip("_")
    if not plain or plain[0].isdigit():
        plain = letter + plain
    return plain + "_" if iskeyword(plain) else plain


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken.

    >>> free_name("z", ["z", "z_2"])
    'z_3'
    """
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
