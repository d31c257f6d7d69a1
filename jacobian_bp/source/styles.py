"""How a step is written out: over whole arrays, or as loops over their entries."""

from ..errors import SpecError
from ..program.forward_pass import Pass
from ..writing.signs import did_you_mean
from .loop_source import loops_of
from .step_source import source_of

STYLES = {"numpy": source_of, "loops": loops_of}


def require_style(style: object, who: str) -> str:
    """SpecError for a style that is none of them."""
    if not isinstance(style, str) or style not in STYLES:
        hint = did_you_mean(style, STYLES) if isinstance(style, str) else ""
        raise SpecError(f"{who} {style!r} is not known.{hint}\n  Write {' or '.join(STYLES)}.")
    return style


def written_out(state: Pass, style: str) -> str:
    """`step(params, …)` of a run's shapes as the text of a file, in one of the styles."""
    return STYLES[require_style(style, "style =")](state)
