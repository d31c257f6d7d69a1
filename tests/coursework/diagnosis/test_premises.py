"""Each label's sentence, its premise, and an op or array that lacks it: another is said."""

import ast
import re
from pathlib import Path

import closing_mistakes
import contact_mistakes
import fresh_mistakes
import further_mistakes
import mistakes_of_kinds
import numpy as np
import pytest
from unseen_mistakes import plants

from jacobian_bp import Convention, Network, Op, diagnose
from jacobian_bp.coursework import diagnosis
from jacobian_bp.coursework.diagnosis import LABELS
from jacobian_bp.coursework.diagnosis.premises import PREMISES
from jacobian_bp.coursework.diagnosis.speech import OF_EXAMPLES, OF_WEIGHTS

RNG = np.random.default_rng(61)

# What a sentence says beyond the numbers that were reproduced; where it always holds, why.
ALWAYS = {
    "correct": "it was compared",
    "correct-other-layout": "it was read in that layout",
    "correct-float32": "it was compared to single precision",
    "kink": "a rectifier of the path is at 0, and its slope was tried",
    "transposed": "the array is right turned, and wrong as it stands: neither zero nor its own",
    "mixed-layouts": "the note says which factor is turned",
    "row-column-broadcast": "the note says which table",
    "contraction-for-elementwise": "it sums over units at a slope; a table has a likelier label",
    "examples-axis": "there is a batch; one example has a likelier constant factor",
    "missing-output-slope": "the loss reads what the slope belongs to",
    "extra-output-slope": "the loss reads what the slope belongs to",
    "constant-factor": "the factor was found in every entry",
    "missing-batch-mean": "the cost is a mean, over two examples or more",
    "batch-mean-twice": "1/m was found in every entry, two examples or more",
    "bias-not-summed": "it has a row or the numbers of one example, of several",
    "reshape-order": "the note says what is reshaped",
    "softmax-as-elementwise": "the op is a softmax",
    "slope-at-activation": "the op is an activation, or works entry by entry",
    "slope-of-preactivation-formula": "the op is an activation with a formula in terms of a",
    "weight-missing": "the step is a layer",
    "sign": "it was found in every entry",
    "value-for-slope": "the note says which value",
    "stale-weights": "the rate was found in every entry",
    "weight-decay": "it was found in every entry",
    "penalty-missing": "the parameter has a penalty",
    "penalty-factor": "the parameter has a penalty",
    "factor-beside-penalty": "the parameter has a penalty",
    "flat-labels": "the loss has one column, or class numbers",
    "check-of-wrong-quantity": "the note says what it is",
    "overwritten-index": "an index comes twice",
    "upstream-missing": "the sentence names the factor, and the Jacobian beside which it stands",
    "factor-missing": "the sentence names the factor, and where it stands",
    "factor-twice": "the factor stands in the line once",
    "extra-factor": "the sentence names the factor, and the Jacobian that has it not",
    "factor-flipped": "the Jacobian reads a window at the places that the sentence names",
    "other-places": "the sentence names the places that the Jacobian has, and those that gave it",
    "factor-turned": "the factor has the two axes that the sentence names",
    "wrong-weight": "both are weights of the run",
    "wrong-delta": "both are deltas of the run",
    "gradient-for-weight": "the gradient of that weight was tried",
    "slope-at-delta": "the op is an activation, and what comes back to it was put in",
    "diagonal-only": "the Jacobian has entries off its diagonal",
    "summand-overwritten": "a sum runs over the axes that the sentence names",
    "unknown": "it was searched for",
}


def normal(*shape):
    return RNG.normal(size=shape)


def dense(sizes, batch=0, activations="tanh", loss="half_squared_error"):
    net = Network.dense(sizes, activations, loss, seed=2)
    lead = (batch,) if batch else ()
    y = normal(*lead, sizes[-1])
    return net.run(normal(*lead, sizes[0]), y if loss != "bce" else (y > 0) * 1.0)


ONE = dense([3, 3, 2])
BATCH = dense([5, 3, 3, 2], batch=7)


def delta(run, name):
    return run.vjp(run.cost, name, 1.0)


def slope(run, name):
    return 1 - run[name] ** 2


class Standardised(Op):
    """y = (x − mean)/std along the only axis."""

    signature = "x[k] -> y[k]"

    def forward(self, x):
        return (x - x.mean()) / np.sqrt(x.var() + 1e-5)

    def vjp(self, bar, x):
        y, s = self.forward(x), np.sqrt(x.var() + 1e-5)
        return {"x": (bar - bar.mean() - y * (bar * y).mean()) / s}


class Scaled(Op):
    """y = g n(x), n(x) = x / the root of 1 + the mean square."""

    signature = "x[k], g[k] -> y[k]"
    parameters = ("g",)

    def forward(self, x, g):
        return g * x / np.sqrt(1 + (x * x).mean())

    def vjp(self, bar, x, g):
        r = np.sqrt(1 + (x * x).mean())
        pulled = bar * g / r - x * (bar * g * x).sum() / (x.size * r**3)
        return {"x": pulled, "g": bar * x / r}


class Mixed(Op):
    """y = M x, M not symmetric: its Jacobian is M."""

    signature = "x[k] -> y[k]"
    M = np.random.default_rng(5).normal(size=(5, 5))

    def forward(self, x):
        return self.M @ x

    def vjp(self, bar, x):
        return {"x": bar @ self.M}


def of_one_op(op):
    net = Network.program(
        "o = Own(z)", "a = Tanh(o)", "J = HalfSquaredError(a, y)", ops={"Own": op}
    )
    return net.run(z=normal(5), y=normal(5))


def standardised():
    run = of_one_op(Standardised)
    return run, {"z": delta(run, "o") / np.sqrt(run["z"].var() + 1e-5)}


def variance_held():
    run, wrong = standardised()
    return run, {"z": wrong["z"] - wrong["z"].mean()}


def mixed():
    run = of_one_op(Mixed)
    return run, {"o": delta(run, "o"), "z": Mixed.M @ delta(run, "o")}


def scaled(read):
    net = Network.program(
        "z = Linear(x, W, b)",
        "o = Own(z, g)",
        "J = HalfSquaredError(o, y)",
        params={"W": normal(3, 2), "b": normal(3), "g": normal(3)},
        ops={"Own": Scaled},
    )
    run = net.run(x=normal(2), y=normal(3))
    return run, {"g": delta(run, "o") * run[read]}


def gated():
    """A slope with no layer above it."""
    net = Network.program(
        "z = Linear(x, W, b)",
        "a = Tanh(z)",
        "s = Multiply(a, g)",
        "J = HalfSquaredError(s, y)",
        params={"W": normal(4, 3), "b": normal(4), "g": normal(4)},
    )
    run = net.run(x=normal(3), y=normal(4))
    return run, {"z": delta(run, "a")}


def saturated(hidden):
    net = Network.dense([2, 3, 2], ["sigmoid", "sigmoid"], "bce", seed=1)
    params = {name: np.array(value) for name, value in net.params.items()}
    params["b1" if hidden else "b2"][:] = -900.0
    run = Network.dense([2, 3, 2], ["sigmoid", "sigmoid"], "bce", params=params).run(
        [0.3, 0.2], [0.0, 0.0]
    )
    array = np.full(3 if hidden else 2, np.nan)
    return run, {"z1" if hidden else "z2": array}


def recurrence(flows):
    """h_t = tanh(W h_{t-1} + c), two of three read; the last share alone, or each by itself."""
    lines = []
    for t in (1, 2, 3):
        lines += [f"z{t} = Linear(h{t - 1}, W, c)", f"h{t} = Tanh(z{t})"]
    params = {"W": normal(3, 3), "c": normal(3)}
    net = Network.program(*lines, "s = Add(h2, h3)", "J = HalfSquaredError(s, y)", params=params)
    run = net.run(h0=normal(3), y=normal(3))
    d = run["s"] - run["y"]
    shares = {t: np.outer(d * slope(run, f"h{t}"), run[f"h{t - 1}"]) for t in (2, 3)}
    return run, {"W": shares[3] if flows else shares[2] + shares[3]}


CASES = {
    "weight-not-transposed": (
        lambda: (BATCH, {"z1": delta(BATCH, "z2") @ BATCH["W2"].T * slope(BATCH, "a1")}),
        "In the delta of z1 (layer 1) the weight W2 is the wrong way round: forward the sum runs "
        "over its inputs, so backward it runs over its outputs.",
        mixed,
        "In the delta of z the Jacobian ∂o/∂z is the wrong way round: forward the sum runs over "
        "its inputs, so backward it runs over its outputs.",
    ),
    "last-step-only": (
        lambda: recurrence(flows=True),
        "In the gradient of W a parameter is used at several steps or in several examples, and "
        "one is counted: the step that computes z3 alone. All of them add up: += where = stands.",
        lambda: recurrence(flows=False),
        "In the delta of h2 the state of the step before is taken for a constant: nothing flows "
        "back through time.",
    ),
    "elementwise-for-contraction": (
        lambda: (BATCH, {"z1": delta(BATCH, "z2") * BATCH["W2"].sum(0) * slope(BATCH, "a1")}),
        "In the delta of z1 (layer 1) a product entry by entry stands for one that sums over an "
        "index: δ * W, summed.",
        lambda: (ONE, {"W1": np.array(np.broadcast_to(delta(ONE, "z1") * ONE["x"], (3, 3)))}),
        "In the gradient of W1 (layer 1) a product entry by entry stands for an outer product: "
        "δ * a in every row.",
    ),
    "wrong-contraction": (
        lambda: (BATCH, {"W2": np.outer(delta(BATCH, "z2").sum(0), BATCH["a1"].sum(0))}),
        "In the gradient of W2 (layer 2) the sum runs over the wrong index: nk,mi->ki, where each "
        "factor is summed over the examples by itself.",
        lambda: (ONE, {"W1": np.asarray(np.vdot(delta(ONE, "z1"), ONE["x"]))}),
        "In the gradient of W1 (layer 1) the indices are paired in another way: k,k->, where the "
        "two are paired along k, and summed.",
    ),
    "bias-wrong-axis": (
        lambda: (BATCH, {"b2": delta(BATCH, "z2").sum(-1)}),
        "The gradient of b2 (layer 2) is summed along the wrong axis (summed over the units); "
        "the sum runs over the examples.",
        lambda: (ONE, {"b1": np.asarray(delta(ONE, "z1").sum())}),
        "The gradient of b1 (layer 1) is summed over the units; of one example nothing is added "
        "up.",
    ),
    "missing-slope": (
        lambda: (BATCH, {"z1": delta(BATCH, "a1")}),
        "In the delta of z1 (layer 1) the slope tanh'(z1) is left out: what comes back from the "
        "layer above has to go through it.",
        gated,
        "In the delta of z the slope tanh'(z) is left out: what comes back has to go through it.",
    ),
    "wrong-layer-slope": (
        lambda: (BATCH, {"z1": delta(BATCH, "a1") * slope(BATCH, "a2")}),
        "In the delta of z1 (layer 1) another layer's slope is used: tanh'(z2) stands for "
        "tanh'(z1).",
        lambda: written_down(contact_mistakes, "cells: g has σ's slope g (1 − g)"),
        "In the delta of raw_g3 (inside c3) another slope is used: a (1 − a) with a = g3 stands "
        "for tanh'(raw_g3).",
    ),
    "statistics-as-constants": (
        standardised,
        "In the delta of z mean and variance are taken for constants: mean and variance held.",
        variance_held,
        "In the delta of z what is computed from several entries is taken for a constant: the "
        "variance held.",
    ),
    "preactivation-for-activation": (
        lambda: (BATCH, {"W2": delta(BATCH, "z2").T @ BATCH["z1"]}),
        "In the gradient of W2 (layer 2) the pre-activation is used: z1 stands for the activation.",
        lambda: scaled("z"),
        "In the gradient of g z is used, where what the step makes of it belongs.",
    ),
    "wrong-layer-activation": (
        lambda: (BATCH, {"W2": delta(BATCH, "z2").T @ BATCH["a2"]}),
        "In the gradient of W2 (layer 2) another layer's values are used: a2 stands for a1.",
        lambda: scaled("o"),
        "In the gradient of g another value is used: o stands there.",
    ),
    "fan-out-overwritten": (
        lambda: unseen("joined: one branch"),
        "In the delta of x several paths add up, and only some are counted: the path through a "
        "alone.",
        lambda: written_down(mistakes_of_kinds, "shares: the residual twice"),
        "In the delta of z several paths add up, and one is counted too often: the path through r "
        "twice.",
    ),
    "term-missing": (
        lambda: unseen("own_ops: the product rule's half"),
        "In the delta of x a term of the Jacobian ∂a/∂x is left out: x s (1−s)[n,k].",
        lambda: unseen("groups: the statistics held"),
        "In the delta of x one term of the Jacobian ∂o/∂x is kept, and the others are left out: "
        "(gamma/s)[n,c'] alone.",
    ),
    "sign-of-a-term": (
        lambda: written_down(closing_mistakes, "statistics: minus lost"),
        "In the delta of x one term of the Jacobian ∂y/∂x has the wrong sign: −1/5 (gamma/r)[n,k] "
        "u[n,k] u[n,k'].",
        lambda: written_down(closing_mistakes, "statistics: both means added"),
        "In the delta of x terms of the Jacobian ∂y/∂x have the wrong sign: all but "
        "(gamma/s)[n,k'].",
    ),
    "axes-exchanged": (
        lambda: written_down(further_mistakes, "matrices: adjugate for cofactors"),
        "The delta of X has two axes exchanged: i and j.",
        lambda: written_down(further_mistakes, "places: the same order for the way back"),
        "The delta of x has its axes in another order: k, i, j for i, j, k.",
    ),
    "wrong-factor": (
        lambda: written_down(fresh_mistakes, "two_masks: the other mask"),
        "In the delta of a1 (layer 1) another array stands in the place of the factor m1: m2.",
        lambda: written_down(fresh_mistakes, "highway: mean by the examples"),
        "In the delta of r the number 1/2 stands in the place of the factor 1/5.",
    ),
    "saturated-nan": (
        lambda: saturated(hidden=False),
        "The delta of z2 (layer 2) is not a number because z2 (and so a2) is saturated: the "
        "textbook's formula divides 0 by 0 there. Use the formula of loss and activation as one.",
        lambda: saturated(hidden=True),
        "The delta of z1 (layer 1) is not a number because z1 is saturated: the "
        "textbook's formula of the slope is none there. Use the one in terms of the activation.",
    ),
}


def unseen(name):
    (plant,) = [plant for plant in plants() if plant.name == name]
    return plant.run, plant.arrays


def written_down(mistakes, name):
    scene = next(s for s in mistakes.SCENES if name.startswith(f"{s.__name__}:"))
    (plant,) = [p for p in mistakes.plants(scenes=(scene,)) if p.name == name]
    return plant.run, plant.arrays


def said(case):
    run, given = case()
    return list(diagnose(run, given).values())[-1]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("label", CASES)
def test_a_sentence_is_said_where_its_premise_holds_else_another(label):
    holds, sentence, lacks, other = CASES[label]
    for case, text in ((holds, sentence), (lacks, other)):
        found = said(case)
        assert (found.label, found.sentences[0]) == (label, text)


def test_every_label_has_a_premise_or_a_reason_why_it_always_holds():
    assert LABELS.keys() == PREMISES.keys() | ALWAYS.keys()
    assert not PREMISES.keys() & ALWAYS.keys()
    assert CASES.keys() == PREMISES.keys()


# ---------------------------------------------------------------- zeros and turned arrays


def test_an_array_that_is_its_own_transpose_is_no_sign_of_one():
    zeros = {"z2": np.zeros((7, 3)), "W2": np.zeros((3, 3))}
    assert [f.label for f in diagnose(BATCH, zeros).values()] == ["unknown", "correct"]
    d = delta(BATCH, "z3")
    found = diagnose(BATCH, {"z3": d, **zeros})
    assert found["W2"].follows
    assert found["W2"].remark == (
        "The gradient of W2 (layer 2) follows from your own z2: what comes of zeros is zero."
    )
    assert found.first_wrong == "z2"
    turned = diagnose(BATCH, {"W2": BATCH.gradients()["W2"].T, "W1": BATCH.gradients()["W1"]})
    assert turned["W2"].label == "transposed"


# ---------------------------------------------------------------- rows and columns


def notes(path):
    """Every string of a file that is no docstring."""
    tree = ast.parse(path.read_text())
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    every = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docstrings)
    return {n.value for n in every if isinstance(n.value, str)}


def test_every_note_that_speaks_of_a_row_or_a_column_has_one_for_the_other_layout():
    """But for tables of one example, which are no array of a convention."""
    room = Path(diagnosis.__file__).parent / "mutations"
    every = set().union(*map(notes, room.glob("of_*.py")))
    spoken = {n for n in every if re.search(r"\b(rows?|columns?|axis \d)\b", n) and " " in n}
    assert len(spoken) > 5
    for note in spoken - {"in columns"}:  # which tells two variations apart, and is never said
        assert any(part in note for part in (*OF_EXAMPLES, *OF_WEIGHTS)), note


COLUMNS = Convention(examples="columns", weights="in,out")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            lambda: {"b2": delta(BATCH, "z2").T},
            "The gradient of b2 (layer 2) is not summed over the examples: a column for each "
            "example stands there, and all examples share the parameter, so their deltas add up.",
        ),
        (
            lambda: {"W2": np.outer(delta(BATCH, "z2").sum(0), BATCH["a1"].sum(0)).T},
            "In the gradient of W2 (layer 2) the sum runs over the wrong index: kn,im->ik, where "
            "each factor is summed over the examples by itself.",
        ),
    ],
)
def test_notes_speak_of_the_student_s_own_rows_and_columns(given, sentence):
    (found,) = diagnose(BATCH, given(), convention=COLUMNS).values()
    assert found.sentences[0] == sentence
