"""Factors of one base gathered, ‖x‖² ‖x‖ as ‖x‖³, x ⊙ x ⊘ x^∘3 as 1_k ⊘ x; and common ones.

What cancels is left out, as it is wherever the formula that was typed in has a slope.
"""

from collections.abc import Callable, Iterable, Sequence

from ..ops.entry_trees import Tree, num


def gathered_powers(
    above: Iterable[Tree], below: Iterable[Tree], same: Callable[[Tree, Tree], bool], entries: bool
) -> tuple[list[Tree], list[Tree]]:
    """What stands above the line and what below it, each base once, where it stood first.

    `same` says whether two bases are one; `entries` makes powers of each entry, x^∘2.
    """
    exponents: list[tuple[Tree, float]] = []
    for sign, factors in ((1.0, above), (-1.0, below)):
        for factor in factors:
            base, exponent = _base_of(factor)
            place = next((n for n, (b, _) in enumerate(exponents) if same(b, base)), None)
            if place is None:
                exponents.append((base, sign * exponent))
            else:
                exponents[place] = exponents[place][0], exponents[place][1] + sign * exponent
    exponents = _without_roots(exponents, same)
    power = "hpow" if entries else "pow"
    over = [_power(base, e, power) for base, e in exponents if e > 0]
    under = [_power(base, -e, power) for base, e in exponents if e < 0]
    if any(base.op == power and e.is_integer() for base, e in exponents if e):
        return gathered_powers(over, under, same, entries)  # (x²)^0.5 (x²)^1.5 x is x⁵
    return over, under


def _base_of(factor: Tree) -> tuple[Tree, float]:
    """(x²)³ is x to the 6; ‖x‖² is ‖x‖ to the 2; det(X)^0.5 is det(X) to the 1/2."""
    if factor.op == "sq":
        return Tree("norm", factor.args), 2.0
    if factor.op not in ("pow", "hpow"):
        return factor, 1.0
    outer = float(factor.args[1].text)
    base, inner = _base_of(factor.args[0])
    if outer.is_integer() or base.op == "norm" or inner == 1:
        return base, inner * outer
    return factor.args[0], outer  # the root of x² is |x|


def _without_roots(
    exponents: list[tuple[Tree, float]], same: Callable[[Tree, Tree], bool]
) -> list[tuple[Tree, float]]:
    """sqrt(z)² is z, and z/sqrt(z) is sqrt(z)."""
    for place, (root, e) in enumerate(exponents):
        if root.op != "f" or root.text != "sqrt":
            continue
        inside = root.args[0]
        beside = next((n for n, (b, _) in enumerate(exponents) if same(b, inside)), None)
        whole = e + (2 * exponents[beside][1] if beside is not None else 0)
        if beside is None and (e % 2 or not e):
            continue
        exponents[place] = (root, whole) if whole % 2 == 1 else (inside, whole / 2)
        rest = [pair for n, pair in enumerate(exponents) if n != beside]
        return _without_roots(rest, same)
    return exponents


def one_power(tree: Tree) -> Tree:
    """A power of a power as one: ‖x‖²^1.5 is ‖x‖³, (z²)³ is z⁶, (z²)^0.5 stays."""
    base, exponent = _base_of(tree)
    return _power(base, exponent, tree.op) if exponent else tree


def _power(base: Tree, exponent: float, power: str) -> Tree:
    if base.op == "norm" and exponent == 2:
        return Tree("sq", base.args)
    return base if exponent == 1 else Tree(power, (base, num(exponent)))


def entry_by_entry(arrays: Sequence[Tree]) -> Tree:
    """The product ⊙ of arrays: what divides stands below, equal ones are powers."""
    if len(arrays) > 1 and len(set(arrays)) == 1 and arrays[0].op not in ("hpow", "hdiv", "ones"):
        return Tree("hpow", (arrays[0], num(len(arrays))))
    over, under = list[Tree](), list[Tree]()
    for array in arrays:
        above, below = _flat(array)
        over, under = over + above, under + below
    ones = [part for part in over if is_ones(part)]
    over = [part for part in over if not is_ones(part)]
    above, below = gathered_powers(over, under, Tree.__eq__, True)
    above, below = (above, below) if above or ones else (over, under)
    above = above or ones[:1]
    top = above[0] if len(above) == 1 else Tree("had", tuple(above))
    if not below:
        return top
    return Tree("hdiv", (top, below[0] if len(below) == 1 else Tree("had", tuple(below))))


def _flat(tree: Tree) -> tuple[list[Tree], list[Tree]]:
    """What stands over the line and what under it: p ⊘ ((p ⊘ q) ⊙ q) as p q over p q."""
    if tree.op == "had":
        parts = list(map(_flat, tree.args))
        return [t for over, _ in parts for t in over], [t for _, under in parts for t in under]
    if tree.op == "hdiv":
        (over, under), (above, below) = map(_flat, tree.args)
        above = [part for part in above if not is_ones(part)]
        return [*over, *below], [*under, *above]
    return [tree], []


def is_ones(tree: Tree) -> bool:
    """1_k, or 1_k 1_iᵀ."""
    return tree.op == "ones" or (
        tree.op == "times" and all(part.op == "ones" or _is_ones_row(part) for part in tree.args)
    )


def _is_ones_row(tree: Tree) -> bool:
    return tree.op == "T" and tree.args[0].op == "ones"


def in_all(lists: Sequence[Sequence[Tree]]) -> list[Tree]:
    """What every list has, as often as it stands in each."""
    first, *others = lists
    left = [list(other) for other in others]
    found = []
    for item in first:
        if all(item in other for other in left):
            found.append(item)
            for other in left:
                other.remove(item)
    return found


def without(items: Sequence[Tree], gone: Sequence[Tree]) -> list[Tree]:
    """The items that are left when others are taken away."""
    left = list(items)
    for item in gone:
        left.remove(item)
    return left
