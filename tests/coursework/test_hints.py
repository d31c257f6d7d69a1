"""What `diagnose`, `diagnose_line` and `diagnose_code` advise is done, and then they answer.

Each row is a call that is refused, and what is done: taken out of the message, and no more. A
last test looks through the source for advice without a row.
"""

import re

import numpy as np
import pytest
from followed import Told, advice_in, lines_run, not_covered

from jacobian_bp import Convention, Network, diagnose, diagnose_code, diagnose_line
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(17)
NET = Network.dense([5, 3, 2], ["tanh", "tanh"], "squared_error", seed=3)
X, Y = RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2))
RUN = NET.run(X, Y)
SOFT = Network.dense([5, 3, 2], ["tanh", "softmax"], "cross_entropy", seed=3).run(
    X, [0, 1] * 3 + [1]
)
W = RNG.standard_normal((3, 3))
PARAMS = {"W1": W, "b1": RNG.standard_normal(3), "W2": W, "b2": RNG.standard_normal(3)}
TIED = Network.dense([3, 3, 3], "tanh", "squared_error", params=PARAMS)
APART = Network.dense([3, 3, 3], "tanh", "squared_error", params=PARAMS | {"W2": W.copy()})
ROW = RNG.standard_normal((7, 3))
DEEP = Network.dense([2] * 20, "tanh", "squared_error", seed=3)
GRAPH = Network.program(
    "z = Linear(x, W, b)", "L = SquaredError(z, y)", "J = Mean(L)",
    params={"W": RNG.standard_normal((2, 5)), "b": RNG.standard_normal(2)},
)  # fmt: skip
CODE = "d2 = 2 * (a2 - y) * (1 - a2**2)\ndW2 = d2.T @ a1 / 7\n"


def said(pattern, message):
    found = re.search(pattern, message)
    assert found, (pattern, message)
    return found[1]


def answers(report):
    """A report with something in it."""
    assert str(report)


def line(text, run=RUN, *more):
    return lambda: answers(diagnose_line(text, run, *more))


def code(text, run=RUN, **more):
    return lambda: answers(diagnose_code(text, run, **more))


def told(pattern, around="{}"):
    """The line that the message shows, written."""
    return lambda message: line(around.format(said(pattern, message)))()


def done(sentence, call):
    """What the message asks for, in the reader's own words."""

    def follow(message):
        assert re.search(sentence, message), message
        call()

    return follow


def named_in(pattern, call):
    """The call with what the message names."""
    return lambda message: call(said(pattern, message))


def with_labels(message):
    """The run that the message shows."""
    return eval(said(r"(net.run\(x, y\))", message), {"net": NET, "x": X, "y": Y})


G = RUN.gradients()
STEP = "Write one step|one step of the derivation"
LINES = {
    "a target": (
        line("d2.T @ a1", RUN, "W9"),
        named_in(r"such as (\w+),", lambda name: line("d2.T @ a1", RUN, name)()),
    ),
    "a target nearly": (
        line("d2.T @ a1", RUN, "WW2"),
        named_in(r"Did you mean (\w+)\?", lambda name: line("d2.T @ a1", RUN, name)()),
    ),
    "no text": (
        lambda: diagnose_line(3, SOFT),
        named_in(r'Write "(d)3', lambda d: line(f"{d}2 @ W2")()),
    ),
    "a long line": (line("d2" + " + d2" * 200), done(STEP, line("d2 + d2"))),
    "an empty line": (line(" "), told(r'such as "(.*?)"')),
    "a large line": (line("d2" + "+d2" * 90), done(STEP, line("d2 + d2"))),
    "a deep line": (line("-" * 150 + "d2"), done(STEP, line("-d2"))),
    "another sign": (line("W2 -= 0.1 * d2.T @ a1"), told(r"as in (.*)\.$")),
    "a letter": (line("δ2.T @ ä1"), done("such as d2, W2, a1", line("d2.T @ a1"))),
    "a power sign": (line("a2^2"), told(r"as in (.*)\.$", "1 - {}")),
    "a number with a line": (line("1_000 * d2"), told(r"such as (\d+) or", "{} * d2")),
    "a factor": (line("2d2"), told(r"write (.*)\.$")),
    "a name of Python": (line("__class__"), told(r"such as (\w+),")),
    "a function alone": (line("d2 * slope"), told(r"such as (.*)\.$", "d2 * {}")),
    "a power of two": (line("np.power(a2)"), told(r"Write (.*), or", "1 - {}")),
    "a square of two": (line("np.square(a2, 2)"), told(r"or (a2\*\*2)", "1 - {}")),
    "an einsum": (
        line("np.einsum(d2, W2)"),
        named_in(r'(np.einsum\("nk,ki->ni"), …', lambda begun: line(f"{begun}, d2, W2)")()),
    ),
    "a large number": (line("1e200 * d2"), done("Write a smaller one", line("1e9 * d2"))),
    "a large power": (line("a2**99"), told(r"such as (.*)\.$", "1 - {}")),
    "a broken power": (line("np.power(z1, 17)"), told(r"such as (.*)\.$", "1 - {}")),
    "an axis": (
        line("d2.sum(axis=k)"),
        named_in(r"such as (axis=0)", lambda axis: line(f"db2 = d2.sum({axis})")()),
    ),
    "keepdims": (
        line("d2.sum(axis=0, keepdims=1)"),
        named_in(r"or (keepdims=False)", lambda word: line(f"d2.sum(axis=0, {word})")()),
    ),
    "no run": (line("d2 @ W2", NET), done(r"Pass what net.run\(x, y\) gives", line("d2 @ W2"))),
    "examples": (
        line("d2 @ W2", RUN, None, "row"),
        named_in(r'Write "(\w+)" or', lambda word: line("d2 @ W2", RUN, None, word)()),
    ),
    "what is not read": (
        line("[d2]"),
        lambda message: [
            line(f"d2 {sign} d2")() for sign in re.search(r"numbers, (.*) @", message)[1].split()
        ],
    ),
    "an order of axes": (
        line("np.transpose(d2, (2, 0, 1))"),
        told(r"or (np.swapaxes.*)\.$", "dW2 = a1.T @ {}.T"),
    ),
    "tensordot": (line("np.tensordot(d2)"), told(r"such as (.*)\.$", "d2 * {}.sum()")),
    "a call of a call": (line("np.dot(d2.T)(a1)"), told(r"such as (.*)\.$", "dW2 = {}")),
    "an identity of two sizes": (
        line("d2 @ np.eye((2, 2))"),
        told(r"such as (np.*)\.$", "d2 @ {}"),
    ),
    "nothing joined": (line("np.hstack(x)"), told(r"such as (.*)\.$")),
    "no limit": (line("z1.clip()"), told(r"Write (.*)\.$")),
    "a number on the left": (line("2 = d2.T @ a1"), told(r"as in (.*)\.$")),
    "an index of an index": (line("d2[x[0]]"), told(r"such as (.*)\.$")),
    "columns that are rows": (
        lambda: diagnose_line("d2 @ W2", RUN, None, "columns", "cs231n"),
        done(
            "Leave one of the two out",
            lambda: answers(diagnose_line("d2 @ W2", RUN, convention="cs231n")),
        ),
    ),
    "a layer that is none": (
        lambda: diagnose_line("dW1 = d3.T @ a2", RUN, convention=Convention(first=2)),
        done(
            "Write the layers' numbers as the convention counts them",
            lambda: answers(diagnose_line("dW3 = d3.T @ a2", RUN, convention=Convention(first=2))),
        ),
    ),
    "a Jacobian of a batch": (
        line("da2_dx * d2"),
        done(
            "or write the product without it",
            line("dx = d2 @ W2"),
        ),
    ),
    "an activation of none": (
        line("dz * g_prime(z)", GRAPH.run(X, Y)),
        done("Write its formula", line("dz * (1 - z**2)", GRAPH.run(X, Y))),
    ),
    "labels that were not given": (
        line("a2 - y", NET.run(X)),
        lambda message: line("d2 = a2 - y", with_labels(message))(),
    ),
    "a function nearly": (
        line("np.ouer(d2, a1)"),
        named_in(r"Did you mean (np\.\w+)\?", lambda name: line(f"{name}(d2, d2)")()),
    ),
    "a slope of a parameter": (line("d2 * slope(W2)"), told(r"such as (.*)\.$", "d2 * {}")),
    "a slope of a delta": (line("d2 * slope(d2)"), told(r"such as (.*)\.$", "d2 * {}")),
    "a slope of nothing": (line("d2 * slope(x)"), told(r"such as (.*)\.$", "d2 * {}")),
    "a slope of softmax": (
        line("d2 * slope(z2)", SOFT),
        lambda message: line(f"d2 = {said(r'from (p - y)', message)}".replace("p", "a2"), SOFT)(),
    ),
    "no labels": (
        line("d2 @ W2", NET.run(X)),
        lambda message: line("d2 @ W2", with_labels(message))(),
    ),
}

CODES = {
    "a convention of no kind": (
        code(CODE, convention="columns"),
        named_in(r"(cs231n);", lambda name: code(CODE, convention=name)()),
    ),
    "a loop without end": (
        code("a = 1\nfor i in range(5000):\n    a += 1"),
        done("each round is judged like the first", code(CODE)),
    ),
    "let of no kind": (
        code(CODE, let=3),
        lambda message: code(CODE, let=eval(said(r"let=(\{.*\})", message)))(),
    ),
    "let of no number": (
        code(CODE, let={"reg": "x"}),
        lambda message: code(CODE, let=eval(said(r"let=(\{.*\})", message)))(),
    ),
    **{
        what: (code(f"{wrong}{CODE}"), done(sentence, code(f"{right}{CODE}")))
        for what, wrong, right, sentence in [
            (
                "while",
                "while True:\n    pass\n",
                "for k in range(1):\n    pass\n",
                r"Write for … in range\(…\)",
            ),
            (
                "lambda",
                "f = lambda z: 1 - z**2\n",
                "def f(z):\n    return 1 - z**2\n",
                "Write a def",
            ),
            ("del", "k = 1\ndel k\n", "k = 1\n", "Leave it out"),
            (
                "try",
                "try:\n    k = 1\nexcept ValueError:\n    pass\n",
                "k = 1\n",
                "Write its body alone",
            ),
            ("async", "async def f(z):\n    return z\n", "def f(z):\n    return z\n", "Write def"),
            ("yield", "def f(z):\n    yield z\n", "def f(z):\n    return z\n", "Write return"),
            ("await", "async_ = 1\nawait async_\n", "", "Leave it out"),
            (":=", "(k := 1)\n", "k = 1\n", "Write it as a line of its own"),
            ("depth", "k = " + "-" * 400 + "1\n", "k = -1\n", "Write it in parts"),
            (
                "signs",
                "k = " + "-" * 15_000 + "1\n",
                "k = -1\n",
                "Write one operation after another",
            ),
            ("syntax", "k = (\n", "k = 1\n", "Mend it, then ask again"),
            ("NUL", "k = 1\0\n", "k = 1\n", "Write one operation after another|Mend it"),
        ]
    },
    "no text": (
        lambda: diagnose_code(3, RUN),
        done(r'Pass the source of the function: open\("backward.py"\).read\(\)', code(CODE)),
    ),
    "a long text": (
        code(CODE + "# more\n" * 20_000),
        done("the backward function and its helpers alone", code(CODE)),
    ),
    "nothing stored": (
        code("a2 - y\n"),
        lambda message: code(said(r"such as (.*)\.$", message) + "\n")(),
    ),
    "no such function": (
        code("def backward(a2, y):\n    d2 = a2 - y\n    return d2\n", function="bckward"),
        lambda message: code(
            "def backward(a2, y):\n    d2 = a2 - y\n    return d2\n",
            function=said(r"Did you mean (\w+)\?", message),
        )(),
    ),
    "no run": (code(CODE, NET), done(r"Pass what net.run\(x, y\) gives", code(CODE))),
    "no labels": (
        code(CODE, NET.run(X)),
        lambda message: code(CODE, with_labels(message))(),
    ),
    "tied": (
        code(CODE, TIED.run(ROW, ROW)),
        done("the same network with two arrays", code(CODE, APART.run(ROW, ROW))),
    ),
    "deep": (
        code(CODE, DEEP.run(ROW[:, :2], ROW[:, :2])),
        done("a network with fewer layers: the lines are the same", code(CODE)),
    ),
    "a graph": (
        code(CODE, GRAPH.run(X, Y)),
        lambda message: code(
            CODE,
            eval(
                said(r"run of (Network.dense\(\[.*\], )…", message)
                + "'tanh', 'squared_error', seed=3)",
                {"Network": Network},
            ).run(ROW, Y),
        )(),
    ),
    "a graph, line by line": (
        code(CODE, GRAPH.run(X, Y)),
        lambda message: answers(
            {"diagnose_line": diagnose_line}[said(r"of other networks (\w+) reads", message)](
                "dz = 2 * (z - y)", GRAPH.run(X, Y)
            )
        ),
    ),
    "a word of a convention": (
        lambda: Convention(examples="row"),
        lambda message: Convention(examples=said(r"Did you mean '?(\w+)'?\?", message)),
    ),
    "a word that is none": (
        lambda: Convention(weights=3),
        lambda message: [
            Convention(weights=word)
            for word in re.findall(r"'([\w,]+)'", message.split("Write")[1])
        ],
    ),
}

ARRAYS = {
    "no names": (
        lambda: diagnose(RUN, G["W2"]),
        lambda message: answers(
            eval(
                said(r"Write (.*)\.$", message),
                {"diagnose": diagnose, "run": RUN, "dW2": G["W2"], "delta2": np.ones((7, 2))},
            )
        ),
    ),
    "twice": (
        lambda: diagnose(RUN, {"W2": G["W2"], "dW2": -G["W2"]}),
        done("Keep one of the two arrays", lambda: answers(diagnose(RUN, {"W2": G["W2"]}))),
    ),
    "a name of no kind": (
        lambda: diagnose(RUN, {3: G["W2"]}),
        lambda message: [
            answers(diagnose(RUN, {eval(name): np.ones(RUN[eval(name)].shape)}))
            for name in re.search(r'such as ("\w+") or ("\w+")', message).groups()
        ],
    ),
}
ROWS = {
    **{f"line: {name}": row for name, row in LINES.items()},
    **{f"code: {name}": row for name, row in CODES.items()},
    **{f"arrays: {name}": row for name, row in ARRAYS.items()},
}
PLACES = (
    "coursework/lines",
    "coursework/code/one_text.py",
    "coursework/code/in_words.py",
    "coursework/code/parsing.py",
    "coursework/code/studied.py",
    "coursework/diagnosis/of_arrays.py",
    "coursework/diagnosis/of_jacobians.py",
    "coursework/diagnosis/asked_convention.py",
)
NOT_FOLLOWED = {  # and why
    "coursework/code/in_words.py: Hand in one layer alone.": "a finding: in code/test_layers.py",
    "coursework/code/in_words.py: Hand in one layer alone. Or, if it is not written for …, say "
    "how: such as convention=Convention(…, …).": "a finding: in code/test_layers.py",
    "coursework/lines/readings.py: Read for layer ….": "a remark: how it was read",
    "coursework/lines/readings.py: Read for the first example.": "a remark: how it was read",
    "coursework/lines/readings.py: Read for one example, the first: … is a derivative of its "
    "loss.": "a remark: how it was read",
    "coursework/diagnosis/of_jacobians.py: {of} does not depend on {wrt}; did you mean "
    '("{wrt}", "{of}")?': "a finding, not a refusal: followed below",
}


def refused(provoke):
    with pytest.raises(JacobianError) as caught:
        provoke()
    return str(caught.value)


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("provoke", "follow"), ROWS.values(), ids=ROWS)
def test_what_a_diagnosis_asks_for_is_done_and_it_answers(provoke, follow):
    follow(refused(provoke))


def test_no_advice_of_a_diagnosis_is_without_a_row():
    told, advice = [], advice_in(*PLACES)
    for provoke, _ in ROWS.values():
        with lines_run(advice) as lines:
            message = refused(provoke)
        told.append(Told(message, lines))
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)
    assert len(not_covered(advice, told[: len(told) // 2])) > len(NOT_FOLLOWED) + 10


def test_a_pair_that_was_turned_round_is_asked_for_and_there_is_one():
    text = diagnose(RUN, {("W2", "z2"): np.ones(3)}).text()
    pair = eval(said(r'did you mean (\("\w+", "\w+"\))\?', text))
    right = RUN.jacobian(*pair).materialise()
    assert diagnose(RUN, {pair: right}).ok
