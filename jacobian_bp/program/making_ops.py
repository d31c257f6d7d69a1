"""An op from what a caller gives: an op that is made, or a class and its options."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import JacobianError, SpecError
from ..ops import Identity, Op
from ..writing.signs import safe, type_of

OWN_OP = "Derive it from jacobian_bp.Op."
# Of a class once: a deep network makes many ops of few classes.
_signature: Callable[[Any], inspect.Signature] = lru_cache(256)(inspect.signature)


def make_op(
    op: Op | type[Op],
    who: str,
    options: Sequence[Any] = (),
    keywords: Mapping[str, Any] | None = None,
    instead: str = "",
) -> Op:
    """The op, or what its class makes of the options.

    Raises SpecError for what is no op, and for options that the class does not take; `instead`
    says where they are written.
    """
    made: Any = op
    if isinstance(op, type) and issubclass(op, Op):
        made = _called(op, who, options, keywords or {}, instead)
    if not isinstance(made, Op):
        kind = f"the class {op.__name__}" if isinstance(op, type) else type_of(op)
        raise SpecError(f"{who} is {kind}, not an Op.\n  {OWN_OP}")
    if not isinstance(getattr(made, "signature", None), str):
        raise SpecError(
            f"{who}: {made.name} has no signature.\n"
            '  Write it in the class, such as signature = "a[i], W[k,i] -> z[k]".'
        )
    if not isinstance(made.reasons, Mapping):
        raise SpecError(
            f"{who}: the reasons of {made.name} are {type_of(made.reasons)}.\n"
            '  Write a dict from input to reason: reasons = {"x": "entry k reads entry k only"}.'
        )
    said = made.options
    if said is not None and not (isinstance(said, tuple) and all(isinstance(o, str) for o in said)):
        raise SpecError(
            f"{who}: the options of {made.name} are {_short(said)}, not a tuple of strings.\n"
            "  Leave `options` out: a step prints what __init__ keeps under the option's name."
        )
    return made


def own_ops(ops: Any) -> dict[str, Op | type[Op]]:
    """A caller's own ops by the names that they are given; a class takes options where it is used.

    Raises SpecError for what is no mapping of names to ops.
    """
    if ops is not None and not isinstance(ops, Mapping):
        raise SpecError(
            f"ops is {type_of(ops)}, not a mapping of names to ops.\n"
            '  Write ops={"Scale": Scale}.'
        )
    for name, op in (ops or {}).items():
        if not isinstance(name, str):
            raise SpecError(
                f"ops has the name {name!r}, which is not a string.\n"
                '  Write ops={"Scale": Scale}.'
            )
        make_op(_tried(op), f"ops[{name!r}]")
    return dict(ops or {})


def _tried(op: Any) -> Any:
    """What a class makes without options; where it makes nothing, an op that is in order."""
    if not (isinstance(op, type) and issubclass(op, Op)):
        return op
    try:
        return op()
    except Exception:  # it takes options, which come where it is used
        return Identity()


def takes(op: type[Op]) -> str:
    """The options of a class as it names them: P(power, scale=1.0); without any, P()."""
    try:
        parameters = _signature(op).parameters.values()
    except (TypeError, ValueError):  # a class written in C
        return f"{op.__name__}(…)"
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return f"{op.__name__}({', '.join(map(str, plain))})"


def required(op: type[Op]) -> list[str]:
    """The options without which a class makes no op."""
    try:
        parameters = _signature(op).parameters.values()
    except (TypeError, ValueError):  # a class written in C
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in several]


def fitting(
    op: type[Op], options: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any], list[str]]:
    """Of these options those that a class takes, and which it has to have beside them."""
    kept, named = list(options), dict[str, Any]()
    while kept and _mismatch(op, kept, {}, partial=True):
        kept.pop()
    for name, value in keywords.items():
        if not _mismatch(op, kept, {**named, name: value}, partial=True):
            named[name] = value
    try:
        given = _signature(op).bind_partial(*kept, **named).arguments
    except (TypeError, ValueError):  # a class written in C
        return kept, named, []
    return kept, named, [name for name in required(op) if name not in given]


def _called(
    op: type[Op], who: str, options: Sequence[Any], keywords: Mapping[str, Any], instead: str
) -> Op:
    problem = _mismatch(op, options, keywords)
    if problem is not None:
        filled = ", ".join(f"{option}=…" for option in required(op))
        instead = instead or f"Give the op made, with its options: {op.__name__}({filled})."
        raise SpecError(f"{who}: {takes(op)} is {problem}.\n  {instead}")
    try:
        return op(*options, **keywords)
    except JacobianError:
        raise
    except Exception as error:  # whatever a user's own op raises
        raise SpecError(
            f"{who}: {takes(op)} raises {type(error).__name__}: {safe(error)}.\n"
            f"  Mend {op.__name__}.__init__, or its options."
        ) from error


def _mismatch(
    op: type[Op], options: Sequence[Any], keywords: Mapping[str, Any], partial: bool = False
) -> str | None:
    """What is wrong with options for a class, in Python's words; None where nothing is.

    Where they are a part of its options, one that is missing is not wrong.
    """
    try:
        signature = _signature(op)
        (signature.bind_partial if partial else signature.bind)(*options, **keywords)
    except TypeError as error:
        return f"called with {_counted(options, keywords)}: {error}"
    except ValueError:
        return None
    return None


def _counted(options: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    shown = [*map(_short, options), *(f"{k}={_short(v)}" for k, v in keywords.items())]
    return ", ".join(shown) or "no options"


def _short(value: Any) -> str:
    return repr(value)[:40]
