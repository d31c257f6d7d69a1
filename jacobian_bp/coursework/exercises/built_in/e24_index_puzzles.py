"""Exercise 24: index puzzles, each Jacobian as a formula of one entry."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..generator import Redraw, numbers
from ..index_formulas import IndexFormulaQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Each function takes a vector x of N entries. Write the entry J[o,i] = ∂y[o]/∂x[i] of its Jacobian as
a formula in a string. It may have

    delta[i, o]    1 where the two are equal, else 0; delta[i, 2o + 1] too
    [i <= o]       1 where it holds, else 0
    x[o]           an entry of an array that is given here, and sizes such as N
    2 o + 1        sums, differences, products, quotients; // and % of whole numbers

i and o count from 0. The formula is read, and its values at all indices are compared.
"""

FORWARD = """
N = len(x)
order = np.argsort(x)
ex = np.exp(x)
sum_ex = ex.sum()
"""

HINTS = (
    "Write down which entries y[o] reads. If it reads one alone, at a place that follows from o, "
    "the formula is one delta.",
    "What reads all entries up to o has a bracket with <= in place of a delta.",
    "Sorting moves entries: y[o] = x[order[o]], and a small change of x moves no other one.",
    "A view counts on row by row: entry a, c of a matrix with B columns is entry B a + c of x.",
    "Of a product each factor is differentiated by itself, and the two terms are added.",
)

ROWS = 3


def attempt(rng: np.random.Generator) -> Task:
    x = numbers(rng, ROWS * int(rng.choice([3, 5])))
    if len(np.unique(x)) < len(x) or (np.argsort(x) == np.argsort(np.argsort(x))).all():
        raise Redraw("no two entries of x are the same, and sorting is not its own inverse")
    return of_given({"x": x, "B": len(x) // ROWS})


def of_given(given: Mapping[str, Any]) -> Task:
    x, columns = given["x"], given["B"]
    size = len(x)
    names = {**given, "N": size, "order": np.argsort(x), "ex": np.exp(x)}
    names["sum_ex"] = np.exp(x).sum()

    def puzzle(
        name: str, ask: str, solution: str, line: str, letters: str = "o", **data: Any
    ) -> IndexFormulaQuestion:
        jacobian = Network.program(line).run(x=x, **data).jacobian("y", "x").materialise()
        indices = dict(zip([*letters, "i"], jacobian.shape, strict=True))
        return IndexFormulaQuestion(name, ask, repr(solution), indices, jacobian, names)

    questions = (
        puzzle("sliced", "y = x[1::2]", "delta[i, 2*o + 1]", "y = Slice(x, 1, step=2)"),
        puzzle("flipped", "y = x[::-1]", "delta[i, N - 1 - o]", "y = Flip(x)"),
        puzzle("summed", "y = np.cumsum(x)", "[i <= o]", "y = CumSum(x)"),
        puzzle("sorted_up", "y = np.sort(x)", "delta[i, order[o]]", "y = Sort(x)"),
        puzzle(
            "viewed",
            f"y = x.reshape({ROWS}, B), of an entry y[a,c]: J[a,c,i]",
            "delta[i, B*a + c]",
            f"y = Reshape(x, ({ROWS}, {columns}), 'i')",
            "ac",
        ),
        puzzle(
            "stepped",
            "y = x[1:] - x[:-1]",
            "delta[i, o + 1] - delta[i, o]",
            "y = Einsum(x, D, 'i,oi->o')",
            D=np.eye(size)[1:] - np.eye(size)[:-1],
        ),
        puzzle(
            "squared",
            "y = np.outer(x, x), of an entry y[a,c]: J[a,c,i]",
            "delta[i, a] x[c] + x[a] delta[i, c]",
            "y = Einsum(x, x, 'a,c->ac')",
            "ac",
        ),
        puzzle(
            "log_shares",
            "y = x - np.log(sum_ex)",
            "delta[i, o] - ex[i] / sum_ex",
            "y = LogSoftmax(x)",
        ),
    )
    return Task(questions, given, FORWARD)


def _as(name: str, formula: str, says: str, label: str, mistake: str = "") -> Planted:
    return Planted(mistake or f"{label}, {name}", {name: repr(formula)}, says, label=label)


TURNED = "the letters are exchanged: i is the entry of x, o that of y"
MISTAKES = (
    _as(
        "sliced", "delta[i, 2*o]", "the slice begins at 1; at 0 it begins here", "offset-forgotten"
    ),
    _as("sliced", "delta[i, o + 1]", "the step of the slice was forgotten", "stride-forgotten"),
    _as("sliced", "delta[2*i + 1, o]", TURNED, "letters-exchanged"),
    _as("sliced", "x[2*o + 1]", "the entry itself stands for its slope", "value-for-slope"),
    _as("flipped", "delta[i, o]", "nothing is turned round here", "order-forgotten"),
    _as(
        "flipped",
        "delta[i, N - o]",
        "the last entry of x has the number N - 1, not N",
        "off-by-one",
    ),
    _as(
        "flipped",
        "-delta[i, o]",
        "a minus stands there: the order is turned round, no sign",
        "sign",
    ),
    _as("summed", "[o <= i]", TURNED, "letters-exchanged"),
    _as("summed", "[i < o]", "entry o itself is left out of the sum", "off-by-one"),
    _as("summed", "1", "all entries are summed, not those up to o", "range-forgotten"),
    _as("summed", "delta[i, o]", "one entry stands for the sum of those up to o", "diagonal-only"),
    _as("sorted_up", "delta[o, order[i]]", TURNED, "letters-exchanged"),
    _as(
        "sorted_up",
        "delta[i, N - 1 - order[o]]",
        "the places are counted from the end",
        "order-turned",
    ),
    _as("sorted_up", "delta[i, o]", "nothing is moved here", "order-forgotten"),
    _as("viewed", f"delta[i, {ROWS}*c + a]", "the view was read column by column", "reshape-order"),
    _as("viewed", "delta[i, a + c]", "the length of a row is missing", "stride-forgotten"),
    _as(
        "viewed",
        f"delta[i, {ROWS}*a + c]",
        "the number of rows stands for that of columns",
        "rows-for-columns",
    ),
    _as("stepped", "delta[i, o] - delta[i, o + 1]", "the difference was turned round", "sign"),
    _as("stepped", "delta[i, o + 1]", "the entry that is subtracted is missing", "term-missing"),
    _as("stepped", "delta[i, o + 1] + delta[i, o]", "the two were added", "sign-of-a-term"),
    _as("squared", "delta[i, a] x[c]", "the second factor was held constant", "term-missing"),
    _as(
        "squared",
        "2 delta[i, a] x[c]",
        "2 x stands there, as of one entry squared: a and c differ",
        "square-rule",
    ),
    _as("squared", "delta[i, a] delta[i, c]", "the slopes were multiplied", "product-of-slopes"),
    _as(
        "log_shares",
        "delta[i, o] - 1 / N",
        "every entry has the same share here",
        "mean-for-shares",
    ),
    _as(
        "log_shares",
        "delta[i, o] - 1 / sum_ex",
        "the slope of the sum, ex[i], is missing",
        "factor-missing",
    ),
    _as("sorted_up", "x[order[o]]", "the entry itself stands for its slope", "value-for-slope"),
    _as(
        "log_shares", "delta[i, o] - ex[o] / sum_ex", "ex[o] stands for ex[i]", "letters-exchanged"
    ),
    _as("log_shares", "-ex[i] / sum_ex", "the term with the delta is missing", "term-missing"),
    _as(
        "log_shares",
        "(delta[i, o] - ex[i] / sum_ex) ex[o] / sum_ex",
        "the Jacobian of the softmax stands there, not of its logarithm",
        "softmax-for-its-log",
    ),
)

RIGHT_FORMS = (
    Planted("brackets", {"sliced": "'[i = 2o + 1]'", "flipped": "'[i + o = N - 1]'"}),
    Planted("Greek letters", {"sliced": "'δ[i, 2·o + 1]'", "summed": "'[o ≥ i]'"}),
    Planted("as a call", {"sorted_up": "'delta(order[o], i)'", "viewed": "'delta(B a + c, i)'"}),
    Planted("by quotients", {"viewed": "'[i // B = a] [i % B = c]'", "summed": "'1 - [i > o]'"}),
    Planted(
        "by ranges", {"stepped": "'[i - 1 = o] - [i = o]'", "squared": "'x[a]*[c = i] + [a=i]x[c]'"}
    ),
    Planted("one quotient", {"log_shares": "'(delta[o,i] sum_ex - ex[i]) / sum_ex'"}),
)

EXERCISE = Exercise(
    24,
    "index puzzles",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a function of one vector has no weights, no batch and no layer",
)
