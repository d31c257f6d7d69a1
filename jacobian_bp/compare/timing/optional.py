"""Packages that may be missing or broken: one place that says which it is, in words."""

from importlib import import_module
from typing import Any

from .foreign_text import reason


class MissingPackageError(Exception):
    """Why a package cannot be used, in words that follow its name."""

    def in_lines(self) -> str:
        """The words, with what was raised on a line of its own."""
        return str(self).replace(": ", ":\n  ", 1)


def optional(name: str) -> Any:
    """The module `name`; MissingPackageError where there is none, or its import fails in any way.

    A package whose libraries are missing raises OSError or RuntimeError, an old one
    AttributeError, and some end the program: none of these may end a measurement.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise MissingPackageError("is not installed") from None
        raise MissingPackageError(f"cannot be imported: {reason(error)}") from None
    except (Exception, SystemExit) as error:
        raise MissingPackageError(f"cannot be imported: {reason(error)}") from None
