"""How an object shows itself: a console its printed text, a notebook what says more."""

from typing import Any

from .latex import formula, inline


class Printed:
    """An object that a console shows by its printed text, a notebook by its HTML or LaTeX."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        found = {"text/plain": str(self)}  # before a dataclass's own repr, which can be long
        for kind, method in (("text/html", "_repr_html_"), ("text/latex", "_repr_latex_")):
            if hasattr(self, method):
                found[kind] = getattr(self, method)()
        return found


class Shown(Printed):
    """An object that a notebook shows by its formula."""

    def latex(self) -> str:
        """The formula as LaTeX, without delimiters."""
        return formula(str(self))

    def _repr_latex_(self) -> str:
        return inline(self.latex())
