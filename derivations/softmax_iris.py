"""Softmax on the iris data: a Jacobian that is not diagonal, and why the loss is fused with it.

    python derivations/softmax_iris.py

One flower through a 4-5-3 network with drawn weights: its ReLU layer and its
softmax layer side by side, then softmax and cross-entropy as one, then what
rounding does to the two of them apart. Indices count from 0. A statement that
does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network, read_table
from jacobian_bp.writing.signs import number, to_ascii, vector
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number

DATA = read_table("iris", target="species")
SPECIES, _ = DATA.labels("cross_entropy", 3)
ROW = 70
NET = Network.dense([4, 5, 3], ["relu", "softmax"], "cross_entropy", seed=3)
RUN = NET.run(DATA.x[ROW], SPECIES[ROW])
y, p, z = RUN["y"], RUN["a2"], RUN["z2"]
ONES = np.ones(3)
TINY = 1e-12


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def gap(left, right):
    """How far two arrays are apart at most."""
    apart = np.max(np.abs(left - right))
    require(left.shape == right.shape and apart < TINY)
    return f"gap < {TINY:g}"  # rounding differs from one machine to another


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def equal(statement, left, right, layout="flat"):
    """left = right, both computed."""
    print(f"{statement:<53}{left.shape!s:<12}{layout:<8}{gap(left, right)}")


def jac(of, wrt):
    return RUN.jacobian(of, wrt).materialise("flat")


def picture(of, wrt):
    """A Jacobian: its formula, what is known of it, its numbers."""
    whole = RUN.jacobian(of, wrt)
    print(whole.text(ascii_only=True).splitlines()[0])
    share = f"{whole.structural_nonzeros} of {whole.size} entries can be non-zero"
    print(f"layout flat, shape {whole.shape_in('flat')}: {share}")
    rows = zip(whole.materialise("flat"), whole.can_be_nonzero("flat"), strict=True)
    cells = [[f"{of}[{k}]", *zero_or_number(*row, 6)] for k, row in enumerate(rows)]
    heads = [f"{wrt}[{k}]" for k in range(RUN[wrt].size)]
    block(right_aligned([["", *heads], *cells]))


def data_and_network():
    print("Softmax on the iris data\n")
    block(DATA.remarks)
    block(["", f"row {ROW}: x = {vector(RUN['x'])}, species {SPECIES[ROW]}, y = {vector(y)}", ""])
    for step in NET.steps[:-1]:  # one example needs no mean: its loss is the cost J
        step = step.replace("L = ", "J = ")
        block([to_ascii(f"{step:<28}{vector(RUN[step.split(' = ')[0]])}")])
    print("""
flat       layout of a Jacobian: outputs x entries of the variable; for a batch, n in front
row, rows  layout of a value: one example, and a batch with one example a row
gap        the two sides of 'left = right', both computed, are no further apart
zeros      '.' is zero for every input, '0' is zero for this one""")


def two_activations():
    title("TWO ACTIVATIONS, TWO KINDS OF JACOBIAN")
    picture("a1", "z1")
    slopes = np.where(RUN["z1"] > 0, 1.0, 0.0)
    equal("da1/dz1 = diag(relu'(z1))", jac("a1", "z1"), np.diag(slopes))
    print("relu works entry by entry: each output reads one input\n")
    picture("a2", "z2")
    equal("da2/dz2 = diag(p) - p p^T, p = a2", jac("a2", "z2"), np.diag(p) - np.outer(p, p))
    print("softmax divides by one sum over all classes: each output reads every input")


def softmax(logits):
    parts = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return parts / parts.sum(axis=-1, keepdims=True)


def null_vector():
    title("SYMMETRIC, AND WITH A NULL VECTOR")
    J, shift = jac("a2", "z2"), 5.0
    rank = np.linalg.matrix_rank(J)
    require(rank == len(p) - 1 and p.min() > 0)
    equal("J^T = J", J.T, J)
    equal("J 1 = 0, every row adds up to 0", J @ ONES, 0 * ONES, "row")
    equal("1^T J = 0, every column adds up to 0", ONES @ J, 0 * ONES, "row")
    equal(f"softmax(z + {shift:g}) = softmax(z)", softmax(z + shift), p, "row")
    print(f"""
1 is a null vector on either side, for two reasons:
    right   the same added to all logits changes no probability
    left    the probabilities add up to 1 whatever the logits are
hence J has no inverse, and at most rank {len(p) - 1}; it has rank {rank}, since no p[k] is 0
""")
    batch = NET.run(DATA.x, SPECIES)
    blocks = np.einsum("nknj->nkj", batch.jacobian("a2", "z2").materialise())
    equal(f"J[n]^T = J[n] for all {len(blocks)} flowers", blocks.swapaxes(1, 2), blocks, "flat")
    equal("J[n] 1 = 0 for all of them", blocks @ ONES, np.zeros(batch["a2"].shape), "rows")


def behind_the_loss():
    title("WITH CROSS-ENTROPY BEHIND IT: p - y")
    J, slope, delta = jac("a2", "z2"), jac("J", "a2"), jac("J", "z2")
    equal("dJ/dp = -y/p", slope, -(y / p)[None])
    block([vector(slope)])
    equal("(dJ/dp)(dp/dz) = p - y, unfused: two factors", slope @ J, (p - y)[None])
    equal("dJ/dz = p - y, fused: one step", delta, (p - y)[None])
    block([vector(delta)])
    print("""
why: -y/p picks the row of J of the class c that is right, and divides it by -p[c]
    -(1/p[c]) p[c] (delta[c,k] - p[k])  =  p[k] - delta[c,k]  =  p[k] - y[k]
""")
    equal("(p - y) 1 = 0, the null vector again", delta @ ONES, np.zeros(1), "row")
    diagonal = -y / p * p * (1 - p)
    off = np.flatnonzero(y == 0)
    require(np.all(diagonal[off] == 0) and np.all(delta[0, off] != 0))
    print(f"""
were J diagonal, with slopes p (1 - p) as sigmoid has, dJ/dz would be {vector(diagonal)}:
right for the class that is right, and no push at all against the {len(off)} others
""")
    batch = NET.run(DATA.x, SPECIES)
    delta2 = batch.jacobian("J", "z2").materialise()
    m = len(delta2)
    equal(f"delta2 = (p - y)/m, m = {m}", delta2, (batch["a2"] - batch["y"]) / m, "rows")
    db2 = batch.gradients()["b2"]
    print(f"db2 = the sum of its rows = {vector(db2, 4)}, {gap(db2, delta2.sum(axis=0))}")


def scaled(s, label):
    """p, dJ/dz as the product in numpy and dJ/dz fused, where the logits are s times as large."""
    run = NET.with_params({k: s * NET.params[k] for k in ("W2", "b2")}).run(DATA.x[ROW], label)
    p, y = softmax(run["z2"]), run["y"]
    with np.errstate(divide="ignore", invalid="ignore"):
        product = -(y / p) @ (np.diag(p) - np.outer(p, p))
    return run, p, product, run.jacobian("J", "z2").materialise()


def right_digits(error):
    return "0" if error >= 1 else f"{-np.log10(error):.0f}" if error > TINY else "12 or more"


def saturated():
    title("A NETWORK TOO SURE OF ITSELF: THE PRODUCT LOSES ITS DIGITS")
    c = SPECIES[ROW]
    require(p.argmax() == c)
    print(f"logits times s; the guess is right, class {c}, so dJ/dz[{c}] = p[{c}] - 1 tends to 0.")
    print("How many of its digits are right, in float64:\n")
    rows = [["s", f"dJ/dz[{c}]", "product", "p - y as it stands", "fused in the package"]]
    for s in (1, 100, 150, 200):
        run, q, product, fused = scaled(s, c)
        others = np.exp(np.delete(run["z2"], c) - run["z2"][c]).sum()
        exact = -others / (1 + others)
        wrong = [abs(found / exact - 1) for found in (product[c], q[c] - 1, fused[c])]
        rows += [[str(s), number(exact, 3), *map(right_digits, wrong)]]
        require(wrong[2] < 1e-12)
    require(product[c] == 0 and q[c] == 1)
    block(table(rows, "   "))
    print(f"""
at s = {s}, p[{c}] is 1 in float64: the product is 0, and so is p - y. The package
computes p[{c}] - 1 as minus the sum of the other classes, where no digit cancels.
""")
    label = int(p.argmin())
    print(
        f"the guess is wrong, label {label}: p[{label}] tends to 0, and the loss divides by it:\n"
    )
    rows = [["s", f"p[{label}]", "dJ/dz, the product", "dJ/dz, fused"]]
    for s in (1, 100, 10000):
        run, q, product, fused = scaled(s, label)
        require(gap(fused, q - run["y"]))
        rows += [[str(s), number(q[label], 3), vector(product, 3), vector(fused, 3)]]
    require(np.isnan(product).any())
    block(table(rows, "   "))
    print("\n-y/p is infinite there, J is 0, and 0 times infinity is nan; p - y is the full push")


if __name__ == "__main__":
    data_and_network()
    two_activations()
    null_vector()
    behind_the_loss()
    saturated()
