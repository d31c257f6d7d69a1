"""A printed formula as MathML, which a browser sets without a script.

    ∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']

Every sign of a name is escaped. A line of a page ends between two <math> elements only, so
that a long formula is several of them, each from one = + − to the next.
"""

import re
from html import escape

from .formula_tokens import WORD, Kind, split_indices, split_name, tokens

OPERATORS = {c: c for c in "+=*/|±→≤≠≈⊗⊙×·−"} | {"-": "−", "*": "·"}
BREAKS = ("=", "+", "−")
LONGEST = 30  # signs of a formula that stays on one line

Node = tuple[str, str, bool]  # MathML; operator, word, open or operand; taller than a line


def mathml(text: str) -> str:
    """A printed formula, as one <math> element for each part that stays on a line.

    >>> print(mathml("z1 = x"))
    <math><msub><mi>z</mi><mn>1</mn></msub><mo>=</mo><mi>x</mi></math>
    """
    nodes = _nodes(text)
    lines: list[list[Node]] = [[]]
    for node in nodes:
        breaks = node[0] in (f"<mo>{sign}</mo>" for sign in BREAKS)
        if breaks and lines[-1] and len(text) > LONGEST:
            lines.append([])
            node = (node[0].replace("<mo>", '<mo form="infix">'), *node[1:])
        lines[-1].append(node)
    return "<wbr>".join(f"<math>{''.join(node[0] for node in line)}</math>" for line in lines)


def mathml_entry(name: str, place: str) -> str:
    """One entry of a value, a1[1]: its place below, where no seed has a layer's number."""
    base = _fence(_row(_nodes(name)), False)
    return f"<math><msub>{base}<mn>{escape(place)}</mn></msub></math>"


def symbol(text: str) -> str:
    """The signs of a formula that an index may hang on, without their <math>.

    In a bracket where a number hangs on them already, and where they are a sum.

    >>> symbol("x"), symbol("a1").count("<mo")
    ('<mi>x</mi>', 2)
    """
    nodes = _nodes(text)
    scripted = len(nodes) == 1 and nodes[0][0].startswith(("<msub", "<msup", "<mfrac"))
    is_sum = any(node[1] == "operator" for node in nodes)
    return _fence(_row(nodes), nodes[0][2]) if scripted or is_sum else _row(nodes)


def signs(text: str) -> str:
    """The signs of a formula, without their <math>."""
    return _row(_nodes(text))


def _nodes(text: str) -> list[Node]:
    stack: list[list[Node]] = [[]]
    blank = False
    for kind, match in tokens(text):
        if kind == "blank":
            blank = True
            continue
        if kind == "close" and len(stack) > 1:
            inner = stack.pop()
            tall = any(node[2] for node in inner)
            base = _fence(_row(inner), tall)
            node = _scripts(base, "", match[1], match[2]), "operand", tall
        else:
            node = _node(kind, match, stack[-1])
        here = stack[-1]
        if kind == "power" and here:
            before = here.pop()
            here.append((f"<msup>{_one(before[0])}{node[0]}</msup>", "operand", before[2]))
            blank = False
            continue
        if blank and here and "operator" not in (here[-1][1], node[1]):
            wide = "0.33" if "word" in (here[-1][1], node[1]) else "0.17"
            here.append((f'<mspace width="{wide}em"/>', "operand", False))
        blank = False
        if node[1] == "open":
            stack.append([])
        else:
            here.append(node)
    while len(stack) > 1:  # a bracket that is never closed
        inner = stack.pop()
        stack[-1] += [("<mo>(</mo>", "operand", False), *inner]
    return stack[0]


def _node(kind: Kind, match: re.Match[str], before: list[Node]) -> Node:
    if kind == "second":
        of, first, second, turned, axes = match.groups()
        one = "".join(node[0] for node in _nodes(first))
        below = f"<mi>∂</mi><msup><mrow>{one}</mrow><mn>2</mn></msup>"
        if second is not None:
            other = "".join(node[0] for node in _nodes(second))
            below = f"<mi>∂</mi>{one}<mi>∂</mi>{other}"
        top = "".join(node[0] for node in _nodes(of))
        top = f"<mrow><msup><mi>∂</mi><mn>2</mn></msup>{top}</mrow>"
        whole = f"<mfrac>{top}<mrow>{below}</mrow></mfrac>"
        whole = _fence(whole, True) if turned or axes else whole
        return _scripts(whole, "", turned, axes), "operand", True
    if kind == "fraction":
        of, wrt, turned, axes = match.groups()
        parts = [f"<mrow><mi>∂</mi>{''.join(n[0] for n in _nodes(p))}</mrow>" for p in (of, wrt)]
        whole = f"<mfrac>{''.join(parts)}</mfrac>"
        whole = _fence(whole, True) if turned or axes else whole
        return _scripts(whole, "", turned, axes), "operand", True
    if kind == "sum":
        return f"<munder><mo>∑</mo>{_index(match[1])}</munder>", "operator", True
    if kind == "ratio":
        return f"<mfrac><mn>{match[1]}</mn><mn>{match[2]}</mn></mfrac>", "operand", True
    if kind == "number":
        digits, exponent, axes = match.groups()
        base = f"<mn>{digits}</mn>"
        if exponent:
            power = str(int(exponent)).replace("-", "−")
            base = f"<mrow>{base}<mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>"
        return _scripts(base, "", "", axes), "operand", False
    if kind == "operand":
        name, primes, turned, axes = match.groups()
        called = match.string.startswith("(", match.end())
        is_word = len(name) > 1 and name.isalpha() and not (primes or turned or axes or called)
        return (
            _scripts(_symbol(name), primes, turned, axes),
            "word" if is_word else "operand",
            False,
        )
    if kind == "close":
        return _scripts("<mo>)</mo>", "", match[1], match[2]), "operand", False
    if kind == "power":
        return _symbol(match[1]) if match[1] else "<mn>2</mn>", "operand", False
    return _sign(match[0], before)


def _sign(sign: str, before: list[Node]) -> Node:
    if sign == "(":
        return "", "open", False
    if sign == "Σ":
        return "<mo>∑</mo>", "operator", True
    if sign in OPERATORS:
        leads = sign in "-−" and (not before or before[-1][1] == "operator")
        form = ' form="prefix"' if leads else ""
        return f"<mo{form}>{OPERATORS[sign]}</mo>", "operator", False
    tag = "mi" if sign.isalpha() else "mn" if sign == "½" else "mo"
    return f"<{tag}>{escape(sign)}</{tag}>", "operand", False


def _symbol(name: str) -> str:
    """W2 with its number below, relu upright, a seed's W[2] with its number above."""
    letters, digits, mark = split_name(name)
    base = f"<mi>{escape(letters)}</mi>"  # one letter is italic, several are upright
    if digits:
        base = f"<msub>{base}<mn>{digits}</mn></msub>"
    return f"<msup>{base}<mtext>{escape(mark)}</mtext></msup>" if mark else base


def _index(text: str) -> str:
    """k', and 2o+r−1, which is a formula of its own."""
    name = text.rstrip("'")
    if not re.fullmatch(WORD, name):
        return _row(_nodes(text))
    primes = "′" * (len(text) - len(name))
    base = _symbol(name)
    return f'<mrow>{base}<mo lspace="0" rspace="0">{primes}</mo></mrow>' if primes else base


def _scripts(base: str, primes: str, turned: str | None, axes: str | None) -> str:
    """What hangs on a symbol: primes and transpose above, indices below."""
    if primes:
        base = f'<mrow>{base}<mo lspace="0" rspace="0">{"′" * len(primes)}</mo></mrow>'
    above = "<mo>⊤</mo>" if turned else ""
    if not axes:
        return f"<msup>{_one(base)}{above}</msup>" if above else base
    below = f"<mrow>{'<mo>,</mo>'.join(map(_index, split_indices(axes)))}</mrow>"
    if base.startswith(("<msub>", "<msup>")):
        base = _fence(base, False)
    tag, end = ("msubsup", above) if above else ("msub", "")
    return f"<{tag}>{_one(base)}{below}{end}</{tag}>"


def _fence(inner: str, tall: bool) -> str:
    fixed = "" if tall else ' stretchy="false"'
    return f"<mrow><mo{fixed}>(</mo>{inner}<mo{fixed}>)</mo></mrow>"


def _row(nodes: list[Node]) -> str:
    whole = "".join(node[0] for node in nodes)
    return whole if len(nodes) == 1 else f"<mrow>{whole}</mrow>"


def _one(markup: str) -> str:
    """One element, where a script takes one."""
    return f"<mrow>{markup}</mrow>"
