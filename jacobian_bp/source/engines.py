"""What a compiled step runs on: planned calls of numpy, or machine code by numba."""

from ..errors import SpecError
from ..routes.compiled.step import CompiledStep
from ..writing.signs import did_you_mean
from .numba_step import NumbaStep

ENGINES: dict[str, type[CompiledStep]] = {"numpy": CompiledStep, "numba": NumbaStep}


def step_class(engine: object, who: str = "engine =") -> type[CompiledStep]:
    """The class of an engine's steps; SpecError for one that is not known."""
    if not isinstance(engine, str) or engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES) if isinstance(engine, str) else ""
        raise SpecError(f"{who} {engine!r} is not known.{hint}\n  Write {' or '.join(ENGINES)}.")
    return ENGINES[engine]
