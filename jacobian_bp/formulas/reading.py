"""A formula's text as a tree: Python's parser reads it, a walk admits what is known; nothing runs.

sum((W @ x - y)**2)     as numpy has it
x' * 2,  x^2,  xᵀ x²    as paper has it: x' and xᵀ are x.T, ^ is **
lambda, λ               a name like any other
"""

import ast
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ..errors import SpecError
from ..ops.entry_trees import ENTRY_FUNCTIONS, Tree, call, constant_of, minus, name, num, number_of
from ..writing.signs import RAISED, did_you_mean, lowered, safe
from .misread import GENERAL, misread, quoted
from .unread_names import LARGER, given_number, instead_of, of_two, operand_beside_zero

LONGEST = 2_000  # characters
DEEPEST = 60  # operations inside each other
LARGEST_NUMBER = 1e100
LARGEST_EXPONENT = 100
ENTRY = tuple(f for f in ENTRY_FUNCTIONS if not f.endswith("'"))
ARRAYS = {  # each function of whole arrays, and how many it takes
    "sum": 1,
    "mean": 1,
    "norm": 1,
    "norm1": 1,
    "trace": 1,
    "dot": 2,
    "outer": 2,
    "softmax": 1,
    "log_softmax": 1,
    "logsumexp": 1,
    "max": 1,
    "min": 1,
    "inv": 1,
    "det": 1,
    "logdet": 1,
    "adj": 1,
    "diag": 1,
    "vec": 1,
    "kron": 2,
}
FILLED = ("vector", "matrix")  # matrixcalculus.org's arrays of one number; numpy spreads a number
WITH_AXIS = ("sum", "mean")
OF_A_MATRIX: dict[
    int | str, str
] = {  # what numpy's order of a norm is of a matrix, and the function written here is not
    1: " for the sum of all |entries|; of a matrix numpy's 1 is the largest sum of a column",
    "inf": " for the largest |entry|; of a matrix numpy's inf is the largest sum of a row",
    2: " for the root of the sum of squares; of a matrix numpy's 2 is the largest singular value",
}
OTHER_NAMES = {
    "tr": "trace",
    "inner": "dot",
    "vdot": "dot",
    "norm2": "norm",
    "log_det": "logdet",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "amax": "max",
    "amin": "min",
    "σ": "sigmoid",
    "expit": "sigmoid",
    "logistic": "sigmoid",
    "swish": "silu",
}
SAME_AS: dict[str, Callable[[Tree], Tree]] = {  # what is another word for an operation
    "square": lambda inside: Tree("**", (inside, num(2))),
    "reciprocal": lambda inside: Tree("/", (num(1), inside)),
}
_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "ψ": "psi",
    "ω": "omega",
}
SPELLED = {word: letter for letter, word in _GREEK.items()} | {"lam": "λ"}
NAME = rf"[^\W\d_ᵀ{RAISED}][^\W_ᵀ{RAISED}]*(_[^\W_ᵀ{RAISED}]+)?"
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
}


def read(text: str) -> Tree:
    """The tree of a formula. SpecError with the place, and what to write, for anything else.

    >>> read("x' @ x").op
    '@'
    """
    return _Reader(text).tree


def refuse(text: str, at: tuple[int, int], problem: str, instead: str) -> NoReturn:
    """SpecError with the part of the text that is meant underlined."""
    begin, end = at
    first = max(0, begin - 40)
    shown = safe(text[first : first + 80])
    marks = " " * (begin - first) + "^" * max(1, min(end, first + 80) - begin)
    raise SpecError(f"{problem}\n  {shown}\n  {marks}\n  {instead}")


@dataclass
class _Reader:
    text: str

    @property
    def tree(self) -> Tree:
        text = self.text
        if not isinstance(text, str):
            raise SpecError('a formula is a text.\n  Write it such as "sum((W @ x - y)**2)".')
        if not text.strip():
            raise SpecError(
                'the formula is empty.\n  Write one, letters for arrays: "sum((W @ x - y)**2)".'
            )
        if len(text) > LONGEST:
            raise SpecError(
                f"the formula is {len(text):,} characters long; at most {LONGEST:,}.\n"
                "  Name its parts in a program: Network.program."
            )
        unseen = next((p for p, c in enumerate(text) if not c.isprintable()), None)
        if unseen is not None:
            self.refuse((unseen, unseen + 1), "a formula is one line.", "Leave this sign out.")
        self._require_shallow()
        self._require_numpy_signs()
        self._require_no_words()
        self.python, self.places = _as_python(text)
        try:
            parsed = ast.parse(self.python, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            found = misread(text, (*ENTRY, *ARRAYS, *OTHER_NAMES))
            if found is not None:
                self.refuse(*found)
            at = min(max((getattr(error, "offset", 1) or 1) - 1, 0), len(self.python))
            self.refuse((self.places[at], self.places[at] + 1), *GENERAL)
        self.lines = self.python.encode()
        self._require_few_levels(parsed)
        return self.walk(parsed)

    def refuse(self, at: tuple[int, int], problem: str, instead: str) -> NoReturn:
        refuse(self.text, at, problem, instead)

    def _require_shallow(self) -> None:
        depth = 0
        for place, sign in enumerate(self.text):
            depth += (sign in "([{") - (sign in ")]}")
            if depth > DEEPEST:
                self._too_deep((place, place + 1))

    def _require_numpy_signs(self) -> None:
        dotted = _DOTTED.search(self.text)
        if dotted:
            self.refuse(
                dotted.span(),
                f"{dotted[0]} is not numpy, where every sign goes entry by entry but @.",
                f"Write {dotted[0][1:]} for {dotted[0]}, and A @ x where a product of matrices is "
                "meant by *.",
            )

    def _require_no_words(self) -> None:
        found = quoted(self.text)
        if found is not None:
            self.refuse(*found)

    def _require_few_levels(self, parsed: ast.expr) -> None:
        level: list[ast.AST] = [parsed]
        for _ in range(DEEPEST):
            level = [c for node in level for c in ast.iter_child_nodes(node)]
            level = [c for c in level if isinstance(c, ast.expr)]
            if not level:
                return
        self._too_deep(self.at(level[0]))

    def _too_deep(self, at: tuple[int, int]) -> NoReturn:
        self.refuse(
            at,
            f"more than {DEEPEST} operations stand inside each other.",
            "Name its parts in a program: Network.program.",
        )

    def at(self, node: ast.AST) -> tuple[int, int]:
        """Where in the text a part stands."""
        begin, end = (
            len(self.lines[:offset].decode(errors="ignore"))
            for offset in (node.col_offset, node.end_col_offset)  # type: ignore[attr-defined]
        )
        return self.places[begin], self.places[end]

    def _said(self, node: ast.AST) -> str:
        """The text of a part."""
        return self.text[slice(*self.at(node))]

    def walk(self, node: ast.expr) -> Tree:
        """One part, in its stable form."""
        tree = replace(stable(self._plain(node)), at=self.at(node))
        value = constant_of(tree)
        if value is not None and not math.isfinite(value):
            self.refuse(tree.at, f"this is {value}.", "Write a number that there is.")
        return tree

    def _plain(self, node: ast.expr) -> Tree:
        at = self.at(node)
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value, at)
            case ast.Name(id=word):
                return self._name(word, at)
            case ast.UnaryOp(op=ast.USub(), operand=inside):
                return minus(self.walk(inside))
            case ast.UnaryOp(op=ast.UAdd(), operand=inside):
                return self.walk(inside)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                base, exponent = self.walk(left), self._exponent(right)
                if constant_of(base) == 0 and float(exponent.text) < 0:
                    self.refuse(at, "0 to a power below 0 is 1/0.", "Write another base.")
                return Tree("**", (base, exponent))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                sides = self.walk(left), self.walk(right)
                self._require_no_zero(_BINARY[type(op)], sides)
                return Tree(_BINARY[type(op)], sides)
            case ast.Attribute(value=inside, attr="T"):
                turned = self.walk(inside)
                return turned if constant_of(turned) is not None else Tree("T", (turned,))
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="pi"):
                return num(3.141592653589793)
            case ast.Call():
                return self._call(node, at)
            case ast.Subscript(value=inside, slice=index):
                return self._slice(inside, index, at)
        self.refuse(at, *_meant(node))

    def _require_no_zero(self, op: str, sides: tuple[Tree, Tree]) -> None:
        """SpecError where a number is 0 that divides, or that takes the other side away."""
        values = [constant_of(side) for side in sides]
        if op == "/" and values[1] == 0:
            self.refuse(sides[1].at, "the divisor is 0.", "Divide by a number other than 0.")
        if op in "*@/" and 0 in values and None in values:
            self.refuse(
                sides[values.index(0)].at,
                f"a factor 0 makes what it stands {'over' if op == '/' else 'beside'} 0 too, "
                "whatever its numbers are.",
                "Leave the product out, or write another number.",
            )

    def _number(self, value: int | float, at: tuple[int, int]) -> Tree:
        if not -LARGEST_NUMBER < value < LARGEST_NUMBER:
            self.refuse(at, "this number is beyond 1e100.", "Write a smaller one.")
        return num(value)

    def _name(self, word: str, at: tuple[int, int]) -> Tree:
        word = word.removesuffix("_") if word == "lambda_" else word
        if word == "eye":
            return Tree("eye", (), str(at[0]))  # each its own, as long as what it meets
        if not re.fullmatch(NAME, word) or word[:2] in (
            "e_",
            "E_",
            "I_",
        ):
            self.refuse(at, f"{safe(word)} is no name here.", "Write a letter and digits: W1.")
        if word in (*ENTRY, *ARRAYS):
            self.refuse(
                at, f"{word} is a function, and stands here as an array.", f"Write {word}(x)."
            )
        if len(word) > 20:
            self.refuse(at, f"this name has {len(word)} letters; at most 20.", "Shorten it.")
        return name(SPELLED.get(word, word))

    def _exponent(self, node: ast.expr) -> Tree:
        at = self.at(node)
        value: Any = None
        match node:
            case ast.Constant(value=int() | float() as value):
                pass
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as size)):
                value = -float(size)
            case ast.BinOp(
                left=ast.Constant(value=int() | float() as top),
                op=ast.Div(),
                right=ast.Constant(value=int() | float() as below),
            ) if below and max(abs(top), abs(below)) <= LARGEST_EXPONENT:
                value = top / below
        if isinstance(node, ast.Name) and node.id in ("T", "t"):
            self.refuse(at, f"^{node.id} is a power.", "Write A.T or A' for the transposed matrix.")
        if value is None or isinstance(value, bool):
            self.refuse(
                at,
                "an exponent is a number: a power that varies is defined above 0 alone.",
                "Write x**2; for one that varies exp(y * log(x)).",
            )
        if abs(value) > LARGEST_EXPONENT:
            self.refuse(
                at, f"an exponent is at most {LARGEST_EXPONENT} in size.", "Write a smaller one."
            )
        return num(value)

    def _call(self, node: ast.Call, at: tuple[int, int]) -> Tree:
        match node.func:
            case ast.Name(id=word):
                pass
            case ast.Attribute(
                value=ast.Name(id="np" | "numpy" | "scipy" | "torch" | "jnp"), attr=word
            ):
                pass
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name(id="np"), attr="linalg"), attr=word
            ):
                pass
            case ast.Attribute(
                value=inside, attr="sum" | "mean" | "dot" | "trace" | "max" | "min" as word
            ):
                node = ast.Call(node.func, [inside, *node.args], node.keywords)
            case ast.Attribute(value=inside, attr="transpose" | "T") if not node.args:
                return self._plain(ast.copy_location(ast.Attribute(inside, "T", ast.Load()), node))
            case ast.Attribute(ast.Name(word), "T") if word in (*ENTRY, *OTHER_NAMES):
                self.refuse(
                    self.at(node.func),
                    f"{word}' is a slope, which is printed and not typed.",
                    f"Write the formula with {word}(…), of which {word}' is the derivative.",
                )
            case ast.Attribute(attr="T"):
                self.refuse(
                    self.at(node.func),
                    "nothing stands between this and the parenthesis behind it.",
                    "Write @ for a product of arrays, * for one entry by entry.",
                )
            case ast.Attribute(attr=word):
                self.refuse(
                    self.at(node.func),
                    f".{safe(word)}(…) is not read behind an array.",
                    "Write a function of it, such as sum(x); of an array .T is read.",
                )
            case _:
                self.refuse(
                    self.at(node.func),
                    "nothing stands between this and the parenthesis behind it.",
                    "Write @ for a product of arrays, * for one entry by entry.",
                )
        word = OTHER_NAMES.get(word, word)
        if word == "transpose" and len(node.args) == 1 and not node.keywords:
            return self._plain(
                ast.copy_location(ast.Attribute(node.args[0], "T", ast.Load()), node)
            )
        if word in FILLED and len(node.args) == 1 and not node.keywords:
            return self._filled(word, self.walk(node.args[0]), at)
        if word in SAME_AS and len(node.args) == 1 and not node.keywords:
            return SAME_AS[word](self.walk(node.args[0]))
        beside_zero = None if node.keywords else operand_beside_zero(word, node.args)
        if beside_zero is not None:
            other = self.walk(beside_zero)
            return call("relu", other) if word in LARGER else minus(call("relu", minus(other)))
        number = given_number(word, node, self._said)
        if number is not None:
            value, problem, told = number
            self.refuse(self.at(value), problem, told)
        both = of_two(word, node.args, self._said)
        if both is not None:
            self.refuse(self.at(both[0]), f"{word} takes one array.", f"Write {both[1]}.")
        if word not in (*ENTRY, *ARRAYS):
            instead = instead_of(word, node.args, self._said)
            if instead:
                self.refuse(at, f"{word} is not read here.", f"Instead: {instead}.")
            hint = did_you_mean(word, [*ENTRY, *ARRAYS])
            if len(word) < 3 and not hint:
                self.refuse(
                    self.at(node.func),
                    f"{safe(word)} stands before a parenthesis, as a function does.",
                    f"Write {safe(word)} @ (…) for a product of arrays, {safe(word)} * (…) for one "
                    "entry by entry.",
                )
            self.refuse(at, f"no function is named {safe(word)}.{hint}", _functions())
        options = self._options(word, node, at)
        count = ARRAYS.get(word, 1)
        self._require_named(word, node, count)
        if len(node.args) != count or any(isinstance(a, ast.Starred) for a in node.args):
            inside_said = "(a, b)" if count == 2 else "(x)"
            self.refuse(
                at,
                f"{word} takes {count}, and is given {len(node.args)}.",
                f"Write {word}{inside_said}.",
            )
        args = tuple(map(self.walk, node.args))
        return call(word, *args) if word in ENTRY else Tree(word, args, options)

    def _filled(self, word: str, inside: Tree, at: tuple[int, int]) -> Tree:
        if number_of(inside) is None:
            self.refuse(at, f"{word} is filled with a number.", f"Write {word}(1).")
        return inside

    def _options(self, word: str, node: ast.Call, at: tuple[int, int]) -> str:
        axis = ""
        for option in node.keywords:
            value = _whole_number(option.value)
            if option.arg != "axis" or word not in WITH_AXIS or value is None:
                self.refuse(self.at(option.value), *_meant_option(word, option))
            axis = str(value)
        return axis

    def _require_named(self, word: str, node: ast.Call, count: int) -> None:
        """SpecError where what else a function takes in numpy stands behind its arrays."""
        if len(node.args) != count + 1 or any(isinstance(a, ast.Starred) for a in node.args):
            return
        last = node.args[-1]
        value, inside = _whole_number(last), self._said(node.args[0])
        if word == "norm" and self._said(last) in ("inf", "np.inf"):
            told = f"Write max(abs({inside})){OF_A_MATRIX['inf'] * (inside.lower() != inside)}."
            self.refuse(self.at(last), "norm takes no order.", told)
        if value is None:
            return
        if word in WITH_AXIS:
            problem, instead = f"{word} takes its axis by name.", f"{word}({inside}, axis={value})"
        elif word == "norm" and value in (1, 2):
            problem = f"{word} takes no order."
            instead = f"norm{1 if value == 1 else ''}({inside})"
            if inside.lower() != inside:
                instead += OF_A_MATRIX[value]
        else:
            return
        self.refuse(self.at(last), problem, f"Write {instead}.")

    def _slice(self, inside: ast.expr, index: ast.expr, at: tuple[int, int]) -> Tree:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        words = [self._places(part, at) for part in parts]
        return Tree("slice", (self.walk(inside),), ",".join(words))

    def _places(self, part: ast.expr, at: tuple[int, int]) -> str:
        """A place, 2 or -1; or a range, 1:3, 1:, :-1, 1::2, ::-1."""
        is_range = isinstance(part, ast.Slice)
        step = 1
        if isinstance(part, ast.Slice) and part.step is not None:
            step = _whole_number(part.step) or 0
        ends = [part.lower, part.upper] if isinstance(part, ast.Slice) else [part]
        read = [None if end is None else _whole_number(end) for end in ends]
        for end, value in zip(ends, read, strict=True):
            if end is not None and (value is None or not -50 < value < 50):
                self._no_slice(at)
        if not 0 < abs(step) < 50 or (step < 0 and any(end is not None for end in ends)):
            self._no_slice(at)
        low, high = read[0] or 0, read[-1]
        same_side = high is not None and (low < 0) == (high < 0)
        if is_range and high is not None and (high <= low if same_side else high >= 0):
            self._no_slice(at)
        words = ["" if value is None else str(value) for value in read]
        return ":".join([*words, str(step)] if step != 1 else words)

    def _no_slice(self, at: tuple[int, int]) -> NoReturn:
        self.refuse(
            at,
            "a slice has whole numbers up to 49, an end behind its beginning, and goes backwards "
            "over the whole axis alone.",
            "Write x[0], x[-1], x[1:3], x[1:], x[::2], x[::-1], X[0] a row, X[:,0] a column.",
        )


def stable(tree: Tree) -> Tree:
    """The stable form of what numpy's text computes with a loss: log(1+exp u) as softplus(u)."""
    match tree:
        case Tree("f", (Tree("+", (one, Tree("f", (u,), "exp"))),), "log") if _is_one(one):
            return call("softplus", u)
        case Tree("f", (Tree("+", (Tree("f", (u,), "exp"), one)),), "log") if _is_one(one):
            return call("softplus", u)
        case Tree("f", (Tree("sum", (Tree("f", (u,), "exp"),), ""),), "log"):
            return Tree("logsumexp", (u,))
        case Tree("f", (Tree("det", (u,)),), "log"):
            return Tree("logdet", (u,))
        case Tree("inv", (Tree("kron", (a, b)),)):
            return Tree("kron", (Tree("inv", (a,), at=a.at), Tree("inv", (b,), at=b.at)))
        case Tree("adj", (u,)):
            return Tree("*", (Tree("det", (u,), at=u.at), Tree("inv", (u,), at=u.at)))
        case Tree("f", (Tree("softmax", (u,)),), "log"):
            return Tree("log_softmax", (u,))
        case Tree("f", (Tree("slice", (Tree("softmax", (u,)),), places),), "log"):
            return Tree("slice", (Tree("log_softmax", (u,), at=u.at),), places, at=tree.at)
        case Tree("f", (Tree("f", (u,), "sigmoid"),), "log"):
            return minus(call("softplus", minus(u)))
        case Tree("f", (Tree("-", (one, Tree("f", (u,), "sigmoid"))),), "log") if _is_one(one):
            return minus(call("softplus", u))
        case Tree("/", (top, Tree("+", (one, Tree("f", (u,), "exp"))))) if _is_one(one):
            sigmoid = call("sigmoid", minus(u))
            return sigmoid if _is_one(top) else Tree("*", (top, sigmoid))
        case Tree(
            "**", (Tree("f", (Tree("sum", (Tree("**", (_, p)),)) as squares,), "sqrt"), q)
        ) if number_of(p) == number_of(q) == 2:
            return squares
        case Tree("norm", (u,)):
            square = Tree("**", (u, num(2)), at=u.at)
            return call("sqrt", Tree("sum", (square,), at=u.at))
        case Tree("norm1", (u,)):
            return Tree("sum", (Tree("f", (u,), "abs", u.at),))
        case Tree("@", (Tree("*", (number, a)), b)) if number_of(number) is not None:
            return Tree("*", (number, Tree("@", (a, b), at=tree.at)))
        case Tree("@", (Tree("neg", (a,)), b)):
            return minus(Tree("@", (a, b), at=tree.at))
    return tree


def _is_one(tree: Tree) -> bool:
    return number_of(tree) == 1


_DOTTED = re.compile(r"(?:(?<=[^\W\d])|(?<=[^\W\d]\d)|(?<=[)\]' ]))\.[*/^]")  # no 2.*x
_SIGN = re.compile(rf"\blambda\b(?!_)|(?<=[\w)\].'])(?:['ᵀ]|[{RAISED}]+)|\^|−|.")


_PAPER = {
    "'": ".T",
    "ᵀ": ".T",
    "^": "**",
    "−": "-",
    "lambda": "lambda_",
}


def _as_python(text: str) -> tuple[str, list[int]]:
    """The text as Python has it, and for each of its characters the place in the text.

    >>> _as_python("  x'")  # blanks in front would be an indented line
    ('x.T', [2, 3, 3, 4])
    """
    words, places = io.StringIO(), []
    for match in _SIGN.finditer(text, len(text) - len(text.lstrip())):
        raised = match[0][0] in RAISED and match.start() > 0
        word = f"**{lowered(match[0])}" if raised else _PAPER.get(match[0], match[0])
        behind = raised or match[0] in "'ᵀ"
        word += " " * (behind and text[match.end() : match.end() + 1].isalnum())
        words.write(word)
        last = match.end() - 1
        places += [min(match.start() + n, last) for n in range(len(word))]
    return words.getvalue(), [*places, len(text)]


def _whole_number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    return None


def _meant_option(word: str, option: ast.keyword) -> tuple[str, str]:
    """What is wrong with an option of a function, and what to write instead."""
    if word in WITH_AXIS and option.arg == "keepdims":
        instead = f"Write (X.T - {word}(X, axis=1)).T to have one number for each row."
        return f"{word} leaves the axis out, and keeps none of length 1.", instead
    if word in WITH_AXIS and option.arg == "axis":
        return "an axis is one whole number.", f"Write {word}(X, axis=0); over all axes {word}(X)."
    if word == "norm" and option.arg == "ord":
        return "norm takes no order.", "Write norm1(x) for the sum of the absolute values."
    problem = f"{word} has no option that is named {safe(str(option.arg))}."
    return problem, "Only sum and mean take one: sum(X, axis=0)."


def _functions() -> str:
    return f"The functions are {', '.join([*ENTRY, *ARRAYS])}."


_WORDS: tuple[tuple[type | tuple[type, ...], str, str], ...] = (
    (ast.Lambda, "a function is not read.", "Write the formula itself."),
    (
        (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
        "a loop is not read.",
        "Write sums with sum(…) and @.",
    ),
    (ast.Attribute, "of an array only .T is read.", "Write X.T for the transposed matrix."),
    (ast.Compare, "a formula has one side.", "Write the right-hand side alone."),
    ((ast.List, ast.Tuple), "numbers have names here.", "Write a letter: A a matrix, b a vector."),
    (ast.NamedExpr, "a formula gives no names.", "Write the right-hand side alone."),
)


def _meant(node: ast.expr) -> tuple[str, str]:
    for kind, problem, instead in _WORDS:
        if isinstance(node, kind):
            return problem, instead
    return "this is not read in a formula.", "Write arrays with +, -, *, /, @, ** and functions."
