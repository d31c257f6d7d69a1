"""Packages that one method alone needs: loaded when it is called, or what installs them is said."""

from importlib import import_module
from typing import Any

from ..errors import SpecError


def extra(module: str, who: str) -> Any:
    """The module; SpecError with what was wrong and what to write where it cannot be had.

    The extra has the name of the package: jacobian-bp[scipy] for scipy.sparse.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise SpecError(_broken(who, package, error)) from None
        raise SpecError(
            f"{who} needs {package}, which is not installed.\n"
            f"  Write pip install 'jacobian-bp[{package}]'."
        ) from None
    except Exception as error:  # a missing library is an OSError, an old package an AttributeError
        raise SpecError(_broken(who, package, error)) from None


def _broken(who: str, package: str, error: Exception) -> str:
    return (
        f"{who} needs {package}, which cannot be imported:\n"
        f"  {type(error).__name__}: {str(error).partition(chr(10))[0][:200]}\n"
        f"  Write pip install --force-reinstall 'jacobian-bp[{package}]'."
    )
