"""A formula typed in: its derivatives, written and checked; printing it prints the page."""

import inspect
from typing import Any

from ..writing.shown import Printed
from ..writing.signs import did_you_mean, safe
from .derived import Derived
from .page import page_lines, second_page_lines


class Formula(Derived, Printed):
    """A formula, its derivatives by each array that it reads, and checks; printing it prints all.

    `shapes` gives the shape of an array by its name, `scalars` the names that are numbers,
    `symmetric` and `positive` what holds of the numbers that are drawn, and `wrt` the names to
    differentiate by (all, unless it is said). Raises SpecError for a text that is no formula, with
    the place in it; DomainError where no numbers are in its domain.

    >>> found = Formula("sum((W @ x - y)**2)")
    >>> found.derivatives["W"], found.ok
    ('2 (W x − y) xᵀ', True)
    """

    def lines(self) -> list[str]:
        """The page, line by line."""
        return page_lines(self)

    def second_lines(self) -> list[str]:
        """The page of the second derivatives. SpecError for a formula that is an array."""
        return second_page_lines(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<Formula {self.statement}>"


OPTIONS = tuple(inspect.signature(Formula).parameters)[1:]


def formula(text: str, **options: Any) -> Formula:
    """The derivatives of a formula typed in, with no numbers at all; printing it prints all.

    A capital letter is a matrix, a small one a vector, a Greek one (or its name, lam) a number;
    the sizes follow from what meets. The options are those of Formula; its `second_lines()` are the
    page of the second derivatives. Raises TypeError for an option that it does not have.

    >>> found = formula("norm(X @ w - y)**2 + lam * w @ w", wrt=["w"])
    >>> found.statement, found.derivatives["w"]
    ('J = ‖X w − y‖² + λ ‖w‖²', '2 (λ w + Xᵀ (X w − y))')
    """
    for name in options:
        if name not in OPTIONS:
            said = did_you_mean(name, OPTIONS) if name != "second" else ""
            raise TypeError(
                f"formula() has no option {safe(name)!r}.{said}\n"
                f"  Write one of {', '.join(OPTIONS)}; the second derivatives are "
                "formula(…).second_derivatives, and second_lines() their page."
            )
    return Formula(text, **options)
