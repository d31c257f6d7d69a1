"""The Jacobian that a text names, dz2/dW2, ∂z2/∂W2 or z2/W2, in a convention's names or ours."""

from collections.abc import Mapping

from ..algebra.jacobian import Jacobian
from ..derivation.names_of import names_of
from ..derivation.ready_made import as_typed
from ..errors import JacobianError, SpecError
from .run import Run


def named_jacobian(text: str, run: Run) -> Jacobian:
    """The Jacobian of a run, in the names of its convention or the package's.

    Raises SpecError for a text that names none, and for one that is 0 everywhere.
    """
    convention = run.convention()
    names = names_of(run.forward_pass, convention)
    of, wrt = _pair(text, run, as_typed(names, convention.is_seed))
    unknown = [name for name in (of, wrt) if name not in run]
    if unknown and not convention.is_seed and names:
        known = ", ".join(names.get(name, name) for name in run)
        raise SpecError(f"no value is named {unknown[0]!r}.\n  The values are {known}.")
    jacobian = run.jacobian(of, wrt)
    if not jacobian.links:
        first, second = (names.get(name, name) for name in (of, wrt))
        other = f" Did you mean d{second}/d{first}?" if _depends(run, wrt, of) else ""
        raise SpecError(
            f"{first} does not depend on {second}: "
            f"every entry of ∂{first}/∂{second} is 0.{other}\n"
            f"  Name a value and something that it was computed from."
        )
    return jacobian


def _depends(run: Run, of: str, wrt: str) -> bool:
    try:
        return bool(run.jacobian(of, wrt).links)
    except JacobianError:
        return False


def _pair(text: str, run: Run, typed: Mapping[str, str]) -> tuple[str, str]:
    """The two values in dz2/dW2, ∂z2/∂W2 or z2/W2, in the names of a convention or ours."""
    parts = text.split("/")
    names = []
    for part in parts:
        plain = part.strip().removeprefix("∂")
        known = [name for name in (plain[1:] if plain[:1] == "d" else "", plain) if name in typed]
        if known and typed[known[0]] in run:
            names.append(typed[known[0]])
            continue
        names.append(plain[1:] if plain not in run and plain[:1] == "d" else plain)
    if len(names) != 2:
        raise SpecError(f"{text!r} does not name a Jacobian.\n  Write it such as dz2/dW2.")
    return names[0], names[1]
