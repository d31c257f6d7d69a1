"""The convention in which somebody's work is read: an object, a ready-made name, or a file."""

import re
from dataclasses import replace
from pathlib import Path

from ...derivation.convention import Convention
from ...derivation.ready_made import SYMBOLS, ReadyMade
from ...errors import SpecError
from ...network.files.convention_file import convention_of
from ...network.run import Run

Asked = Convention | ReadyMade | str | Path


def asked_convention(given: Asked | None, run: Run, who: str) -> Convention | None:
    """The convention as names are typed in it: w2 for w^2, scores for z2 of the last layer.

    None where none is asked for. Raises SpecError as `convention_of` does.
    """
    if given is None:
        return None
    try:
        ready = convention_of(given)
    except SpecError as error:
        raise SpecError(f"{who}: {error}") from None
    written = ready.convention
    last = sum(re.fullmatch(r"W\d+", name) is not None for name in run.params)
    more = {name: f"{SYMBOLS.get(sign, sign)}{last}" for sign, name in ready.of_last_layer.items()}
    more |= {re.sub(r"[][^()]", "", name): meant for name, meant in written.names.items()}
    for name, meant in more.items():
        if name not in written.names:
            written = _with(written, name, meant)
    return written


def _with(written: Convention, name: str, meant: str) -> Convention:
    """One more name to read; none that could mean two things."""
    try:
        return replace(written, names={**written.names, name: meant})
    except SpecError:
        return written
