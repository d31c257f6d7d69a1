"""One function, three conventions, one gradient: the three seeds' notations side by side.

    python derivations/three_conventions.py

Every seed's network is run in full in its own convention, with the same parameters
and data, and its gradients are converted to the others'. A statement that does not
hold ends the script.
"""

from dataclasses import dataclass
from textwrap import dedent, indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import fraction, number, vector
from jacobian_bp.writing.tables import table

SIZES = [3, 4, 2]
X, Y = np.array([0.3, 0.8, 0.45]), np.array([1.0, 0.0])
PARAMS = {
    "W1": np.array([[0.2, -0.4, 0.1], [0.5, 0.3, -0.2], [-0.3, -0.6, 0.4], [0.1, -0.2, -0.5]]),
    "b1": np.array([0.1, -0.1, -0.15, 0.05]),
    "W2": np.array([[0.3, -0.5, 0.2, 0.7], [-0.6, 0.4, 0.9, 0.1]]),
    "b2": np.array([0.05, 0.15]),
}


@dataclass(frozen=True)
class Convention:
    """What one seed does, as arguments of the package; everything else is computed."""

    seed: str
    first_layer: int  # the number that the input has
    upper: bool  # W carries the index of the layer that it leads to
    name: str
    layout: str  # of its gradients
    own_loss: str  # with which the seed ends; this script needs one that all can share
    net: Network
    x: np.ndarray

    def run(self):
        return self.net.run(self.x, Y)

    def index(self, k):
        """Its index of the package's W1, W2."""
        return self.first_layer + k - 1 + self.upper

    def weight(self, k):
        return self.name.format(self.index(k))


def conventions():
    sigmoids = ["sigmoid", "sigmoid"]
    first = Network.dense(SIZES, sigmoids, "squared_error", params=PARAMS, squash_input=True)
    second = Network.dense(SIZES, sigmoids, "half_squared_error", params=PARAMS)
    linear = {**PARAMS, "W3": np.eye(2), "b3": np.zeros(2)}
    third = Network.dense([*SIZES, 2], [*sigmoids, "identity"], "half_squared_error", params=linear)
    return [
        Convention(
            "first", 1, True, "W^{}", "transposed", "squared_error", first, np.log(X / (1 - X))
        ),
        Convention("second", 0, True, "W[{}]", "gradient", "bce", second, X),
        Convention("third", 1, False, "Theta^({})", "gradient", "half_squared_error", third, X),
    ]


SEEDS = conventions()
RUNS = {c.seed: c.run() for c in SEEDS}


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def gap(left, right, limit=1e-12):
    """How far two arrays may be apart, and are not; rounding itself differs between machines."""
    left, right = np.asarray(left), np.asarray(right)
    require(left.shape == right.shape and np.max(np.abs(left - right)) < limit)
    return f"gap less than {limit:g}"


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    """Lines with their number in the margin; lines without one are set in behind it."""
    text = dedent(text).strip("\n")
    print(text if text[0] == "X" else indent(text, " " * 5))


def block(lines):
    print(indent("\n".join(lines), " " * 9))


def equal(statement, left, right, layout):
    print(f"     {statement:<51}{left.shape!s:<8}{layout:<11}{gap(left, right)}")


def gradient(c, name):
    """A gradient of a seed, in its own layout."""
    return RUNS[c.seed].jacobian("J", name).materialise(c.layout)


def factor(c):
    """What a seed's cost is, in sums of squared errors: 1 or 1/2."""
    run = RUNS[c.seed]
    return run.loss / np.sum((run["a2"] - Y) ** 2)


def convert(array, name, source, target):
    """A gradient of one seed as another seed writes it: layout and factor."""
    plain = RUNS[source.seed].jacobian("J", name).from_layout(array, source.layout)
    turned = plain.T if target.layout == "transposed" and plain.ndim == 2 else plain
    shape = RUNS[target.seed].jacobian("J", name).shape_in(target.layout)
    return turned.reshape(shape) * (factor(target) / factor(source))


def one_function():
    print("One function, three conventions, one gradient\n")
    say("""
        gap         how far the two sides of a line are apart, both computed
        numerator, transposed, flat, gradient   layouts of a derivative, named beside each shape
        *           entry by entry
    """)
    first = SEEDS[0]
    title("THE SAME PARAMETERS, THE SAME DATA, THE SAME FUNCTION")
    say(f"""
        X1   sizes {SIZES}, x = {vector(X)}, y = {vector(Y)}. The seeds differ in the function, too;
             three bridges make it one, and each seed keeps its convention:
                 first   squashes its input: it gets z^1 = log(x/(1-x)) = {vector(first.x)}
                 second  its loss is cross-entropy; here its first candidate, 1/2 |yhat - y|^2
                 third   its output is linear: after the sigmoids come Theta^(3) = I, b^(4) = 0
    """)
    outputs = [RUNS["first"]["a2"], RUNS["second"]["a2"], RUNS["third"]["a3"]]
    squashed = gap(RUNS["first"]["a0"], X)
    say(f"""
        sigma(z^1) = x, {squashed}
        a^3 = a[2] = z^(4) = {vector(outputs[0])}, {gap([outputs[0]] * 2, outputs[1:])}
    """)
    for c in SEEDS:
        block(
            [f"{c.seed:<8}cost {number(RUNS[c.seed].loss)} = {fraction(factor(c))} |output - y|^2"]
        )


def the_table():
    title("THE CONVERSION TABLE, READ OFF THE THREE RUNS")
    rows = [["", *(f"{c.seed} seed" for c in SEEDS)]]

    def row(name, entry):
        rows.append([name, *(str(entry(c, RUNS[c.seed])) for c in SEEDS)])

    def kind(c, run):
        shape, own = run.jacobian("J", "W1").shape_in(c.layout), run["W1"].shape
        require(shape in (own, own[::-1]))
        return "W's own" if shape == own else "W^T's"

    def error(c, run):
        shape = run.jacobian("J", "z1").shape_in(c.layout)
        return f"{'row' if shape[0] == 1 else 'column'} {shape}"

    def output_error(c, run):
        """delta at the output with the seed's own loss and output, of the plain 3-4-2 network."""
        kinds = ["sigmoid", "identity" if c.seed == "third" else "sigmoid"]
        own = Network.dense(SIZES, kinds, c.own_loss, params=PARAMS).run(X, Y)
        delta, e, a = own.jacobian("J", "z2").materialise("numerator"), own["a2"] - Y, own["a2"]
        formulas = {"2 (a - y) * a * (1 - a)": 2 * e * a * (1 - a), "a - y": e}
        (name,) = (
            name for name, value in formulas.items() if np.allclose(delta, value, atol=1e-12)
        )
        return name

    row("layout of its gradients", lambda c, run: c.layout)
    row("the input is layer", lambda c, run: c.first_layer)
    row("the first weight", lambda c, run: c.weight(1))
    row("its bias has index", lambda c, run: c.first_layer + 1)
    row("delta at the hidden layer", error)
    row(
        f"dW for W1 {PARAMS['W1'].shape}", lambda c, run: run.jacobian("J", "W1").shape_in(c.layout)
    )
    row("  which is the shape", kind)
    row("dz/dW, whole", lambda c, run: whole(c, run))
    row(
        "  in layout", lambda c, run: {"second": "flat", "third": "numerator"}.get(c.seed, c.layout)
    )
    row("the input is squashed", lambda c, run: "yes" if "a0" in run else "no")
    row("cost / |output - y|^2", lambda c, run: fraction(factor(c)))
    row("output activation", lambda c, run: c.net.facts.activations[-1])
    row("loss of the seed", lambda c, run: c.own_loss)
    row("  with it, delta at the end", output_error)
    block(table(rows))
    say("""
        squared_error has no 1/2; dz/dW is a box in the first seed, a matrix in the second; the
        third never writes it down. 'delta at the end' is at the last z, 3-4-2, own loss and output
    """)


def whole(c, run):
    layout = {"second": "flat", "third": "numerator"}.get(c.seed, c.layout)
    return run.jacobian("z1", "W1").shape_in(layout)


def three_derivations():
    title("ONE DERIVATION, THREE NOTATIONS")
    first, second, third = SEEDS
    run = RUNS["second"]
    x, a1, a2, y = (v.reshape(-1, 1) for v in (X, run["a1"], run["a2"], Y))
    W2 = PARAMS["W2"]
    slope1, slope2 = a1 * (1 - a1), a2 * (1 - a2)
    say("first seed, rows; the gradient of W has the shape of W^T")
    row3 = 2 * (a2 - y).T @ np.diag(slope2[:, 0])
    row2 = row3 @ W2 @ np.diag(slope1[:, 0])
    equal("delta^3 = 2 (a^3 - y)^t diag(s'(z^3))", gradient(first, "z2"), row3, "transposed")
    equal("delta^2 = delta^3 W^3 diag(s'(z^2))", gradient(first, "z1"), row2, "transposed")
    equal("dC/dW^2 = s(z^1) (x) delta^2", gradient(first, "W1"), x @ row2, "transposed")
    equal("dC/db^2 = delta^2", gradient(first, "b1"), row2, "transposed")
    say("second seed, columns; the Jacobian of W is one flat row, the gradient has W's shape")
    delta2 = (a2 - y) * slope2
    delta1 = W2.T @ delta2 * slope1
    flat = run.jacobian("z1", "W1").materialise("flat")
    equal("delta[2] = (a[2] - y) * g'(z[2])", gradient(second, "z2"), delta2, "gradient")
    equal("delta[1] = W[2]^T delta[2] * g'(z[1])", gradient(second, "z1"), delta1, "gradient")
    long = run.jacobian("J", "W1").materialise("flat")
    equal("dJ/dW[1] = delta[1]^T dz[1]/dW[1]", long, delta1.T @ flat, "flat")
    equal("dW[1] = delta[1] x^T", gradient(second, "W1"), delta1 @ x.T, "gradient")
    equal("db[1] = delta[1]", gradient(second, "b1"), delta1, "gradient")
    say("third seed, columns and Diag; one layer more, Theta^(3) = I, and a linear output")
    P2, P3, z4 = np.diag(slope1[:, 0]), np.diag(slope2[:, 0]), RUNS["third"]["z3"].reshape(-1, 1)
    g4 = z4 - y
    g3 = P3.T @ np.eye(2).T @ g4
    g2 = P2.T @ W2.T @ g3
    equal("g_4 = z_4 - y", gradient(third, "z3"), g4, "gradient")
    equal("g_3 = P_3^T Theta_3^T g_4", gradient(third, "z2"), g3, "gradient")
    equal("g_2 = P_2^T Theta_2^T g_3", gradient(third, "z1"), g2, "gradient")
    equal("G_1 = g_2 a_1^T", gradient(third, "W1"), g2 @ x.T, "gradient")
    equal("dJ/db^(2) = g_2", gradient(third, "b1"), g2, "gradient")


def every_pair():
    title("EACH SEED'S GRADIENTS AS THE OTHERS WRITE THEM")
    say("layout and factor converted, W1, b1, W2, b2 are those of the other seed's own run:")
    rows = [["from", "to", "times", "dW1 becomes", "all four, gap", "dW1 of unit 1"]]
    for source in SEEDS:
        for target in SEEDS:
            gaps = {
                gap(convert(gradient(source, p), p, source, target), gradient(target, p))
                for p in PARAMS
            }
            (apart,) = gaps
            became = convert(gradient(source, "W1"), "W1", source, target)
            unit = became[:, 0] if target.layout == "transposed" else became[0]
            ratio = fraction(factor(target) / factor(source))
            shapes = f"{target.layout} {became.shape}"
            rows += [[source.seed, target.seed, ratio, shapes, apart[4:], vector(unit, 3)]]
    block(table(rows))
    for c in SEEDS:
        differences = RUNS[c.seed].gradients("difference")
        own = RUNS[c.seed].gradients()
        apart = {gap(differences[p], own[p], 1e-8) for p in PARAMS}
        say(f"{c.seed:<7} all four against differences of its own cost: {apart.pop()}")


if __name__ == "__main__":
    one_function()
    the_table()
    three_derivations()
    every_pair()
