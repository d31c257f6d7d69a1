"""A printed formula as MathML, which a browser sets without a script.

    ∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']

Every sign of a name is escaped. A line of a page ends between two <math> elements only, so
that a long formula is several of them, each from one = + − to the next.
"""

from html import escape

from .formula_tree import (
    Blank,
    Bracket,
    Derivative,
    Node,
    Number,
    Power,
    Ratio,
    Row,
    Scripted,
    Sign,
    Sum,
    Symbol,
    parse,
    spaced,
    within,
)

OPERATORS = {c: c for c in "+=*/|±→≤≠≈⊗⊙×·−"} | {"-": "−", "*": "·"}
BREAKS = ("=", "+", "−")
GAPS = {"": "", "narrow": '<mspace width="0.17em"/>', "wide": '<mspace width="0.33em"/>'}
LONGEST = 30  # signs of a formula that stays on one line


def mathml(text: str) -> str:
    """A printed formula, as one <math> element for each part that stays on a line.

    >>> print(mathml("z1 = x"))
    <math><msub><mi>z</mi><mn>1</mn></msub><mo>=</mo><mi>x</mi></math>
    """
    lines: list[list[str]] = [[]]
    for part in _parts(parse(text)):
        breaks = part in (f"<mo>{sign}</mo>" for sign in BREAKS)
        if breaks and lines[-1] and len(text) > LONGEST:
            lines.append([])
            part = part.replace("<mo>", '<mo form="infix">')
        lines[-1].append(part)
    return "<wbr>".join(f"<math>{''.join(line)}</math>" for line in lines)


def mathml_entry(name: str, place: str) -> str:
    """One entry of a value, a1[1]: its place below, where no seed has a layer's number."""
    base = _fence(_mathml(parse(name)), False)
    return f"<math><msub>{base}<mn>{escape(place)}</mn></msub></math>"


def symbol(text: str) -> str:
    """The signs of a formula that an index may hang on, without their <math>.

    In a bracket where a number hangs on them already, and where they are a sum.

    >>> symbol("x"), symbol("a1").count("<mo")
    ('<mi>x</mi>', 2)
    """
    row = parse(text)
    is_sum = any(isinstance(part, Sum) or _is_operator(part) for part in row.parts)
    seen = [part for part in row.parts if not isinstance(part, Blank)]
    only = seen[0] if len(seen) == 1 else None
    scripted = _carries(only) or isinstance(only, Derivative | Ratio)
    return _fence(_mathml(row), _is_tall(row)) if scripted or is_sum else _mathml(row)


def signs(text: str) -> str:
    """The signs of a formula, without their <math>."""
    return _mathml(parse(text))


def _mathml(node: Node) -> str:
    match node:
        case Row():
            parts = _parts(node)
            return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"
        case Symbol():
            return _symbol(node)
        case Sign():
            return _sign(node)
        case Number(digits, exponent):
            return _number(digits, exponent)
        case Ratio(above, below):
            return f"<mfrac><mn>{above}</mn><mn>{below}</mn></mfrac>"
        case Sum(over):
            return f"<munder><mo>∑</mo>{_mathml(over)}</munder>"
        case Bracket(inside):
            return _fence(_mathml(inside), _is_tall(node))
        case Derivative():
            return _fraction(node)
        case Scripted():
            return _scripts(node)
        case Power(base, exponent):
            above = _symbol(exponent) if exponent else "<mn>2</mn>"
            return f"<msup>{_one(_mathml(base))}{above}</msup>" if base else above
        case Blank():
            return GAPS["narrow"]


def _parts(row: Row) -> list[str]:
    """The elements of a row, with the room between them."""
    found: list[str] = []
    leads = True  # a minus sign here belongs to what follows
    for gap, part in spaced(row):
        found += [GAPS[gap]] * bool(gap)
        markup = _mathml(part)
        if leads and part in (Sign("-"), Sign("−")):
            markup = markup.replace("<mo>", '<mo form="prefix">')
        found.append(markup)
        leads = isinstance(part, Sum) or _is_operator(part)
    return found


def _is_operator(node: Node | None) -> bool:
    return isinstance(node, Sign) and node.is_operator


def _is_tall(node: Node) -> bool:
    """Whether it is higher than a line."""
    return any(isinstance(part, Derivative | Sum | Ratio) for part in within(node))


def _number(digits: str, exponent: str) -> str:
    """0.4, and 2e-05 as a power of ten."""
    if not exponent:
        return f"<mn>{digits}</mn>"
    power = str(int(exponent)).replace("-", "−")
    return f"<mrow><mn>{digits}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>"


def _fraction(node: Derivative) -> str:
    of, *by = ("".join(_parts(row)) for row in (node.of, *node.by))
    below = "".join(f"<mi>∂</mi>{one}" for one in by)
    if node.order == 1:
        return f"<mfrac><mrow><mi>∂</mi>{of}</mrow><mrow>{below}</mrow></mfrac>"
    if len(by) == 1:
        below = f"<mi>∂</mi><msup><mrow>{by[0]}</mrow><mn>2</mn></msup>"
    above = f"<mrow><msup><mi>∂</mi><mn>2</mn></msup>{of}</mrow>"
    return f"<mfrac>{above}<mrow>{below}</mrow></mfrac>"


def _sign(sign: Sign) -> str:
    character = sign.character
    if character == "Σ":
        return "<mo>∑</mo>"
    if sign.is_operator:
        return f"<mo>{OPERATORS[character]}</mo>"
    tag = "mi" if character.isalpha() else "mn" if character == "½" else "mo"
    return f"<{tag}>{escape(character)}</{tag}>"


def _symbol(symbol: Symbol) -> str:
    """W2 with its number below, relu upright, a seed's W[2] with its number above."""
    base = f"<mi>{escape(symbol.letters)}</mi>"  # one letter is italic, several are upright
    if symbol.number:
        base = f"<msub>{base}<mn>{symbol.number}</mn></msub>"
    return f"<msup>{base}<mtext>{escape(symbol.mark)}</mtext></msup>" if symbol.mark else base


def _scripts(node: Scripted) -> str:
    """What hangs on a part: primes and transpose above, indices below."""
    base = _mathml(node.base)
    if isinstance(node.base, Derivative):
        base = _fence(base, True)
    if node.primes:
        base = f'<mrow>{base}<mo lspace="0" rspace="0">{"′" * node.primes}</mo></mrow>'
    above = "<mo>⊤</mo>" if node.turned else ""
    if not node.indices:
        return f"<msup>{_one(base)}{above}</msup>" if above else base
    below = f"<mrow>{'<mo>,</mo>'.join(map(_mathml, node.indices))}</mrow>"
    if _carries(node.base) and not node.primes:
        base = _fence(base, False)
    tag, end = ("msubsup", above) if above else ("msub", "")
    return f"<{tag}>{_one(base)}{below}{end}</{tag}>"


def _carries(node: Node | None) -> bool:
    """Whether something hangs on it already, so that more of it needs a bracket."""
    match node:
        case Symbol(_, number, mark):
            return bool(number or mark)
        case Scripted(_, _, turned, indices):
            return bool(turned or indices)
    return isinstance(node, Power) and node.base is not None


def _fence(inner: str, tall: bool) -> str:
    fixed = "" if tall else ' stretchy="false"'
    return f"<mrow><mo{fixed}>(</mo>{inner}<mo{fixed}>)</mo></mrow>"


def _one(markup: str) -> str:
    """One element, where a script takes one."""
    return f"<mrow>{markup}</mrow>"
