"""A batch: where the examples stay apart, and where they are added up.

    python derivations/batch.py

A 3-2-1 network and 4 examples: no layer is as wide as the batch is long, so an
axis in the wrong place cannot hide. Every number is a short binary fraction,
exact in floating point: 'same' means the same to the last bit. Indices count
from 0. A statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import to_ascii, vector
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number

X = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0], [-1.0, 0.5, 2.0], [2.0, 0.5, -1.0]])
Y = np.array([1.0, 0.0, -1.0, 2.0])
PARAMS = {"W1": [[0.5, -0.25, 1.0], [-1.0, 1.5, 0.25]], "b1": [0.25, -0.5]}
PARAMS |= {"W2": [[1.5, -0.5]], "b2": [0.25]}
LAYERS = ([3, 2, 1], ["relu", "identity"], "half_squared_error")
SUM, MEAN = (Network.dense(*LAYERS, reduction=r, params=PARAMS) for r in ("sum", "mean"))
RUN = SUM.run(X, Y)
GRADIENTS = RUN.gradients()
ALONE = [SUM.run(x, y) for x, y in zip(X, Y, strict=True)]
m = len(X)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def same(left, right):
    return np.array_equal(np.asarray(left), np.asarray(right))


def digits(value):
    return vector(np.asarray(value), 12)  # all there are


def title(text):
    print(f"\n\n{text}\n")


def equal(statement, left, right, layout):
    """left = right, both computed, to the last bit."""
    require(same(left, right))
    print(f"{statement:<58}{left.shape!s:<14}{layout:<12}same")


def picture(of, wrt):
    """A Jacobian: its formula, its shapes, its numbers, and that each example has its own part."""
    whole = RUN.jacobian(of, wrt)
    print(whole.text(ascii_only=True).splitlines()[0])
    print(f"numerator {whole.shape}, flat {whole.shape_in('flat')}:")
    entries = ([f"{v}{list(at)}" for at in np.ndindex(RUN[v].shape)] for v in (of, wrt))
    rows, heads = ([name.replace(" ", "") for name in names] for names in entries)
    numbers = zip(rows, whole.materialise("flat"), whole.can_be_nonzero("flat"), strict=True)
    cells = [[name, *zero_or_number(row, mask, 6)] for name, row, mask in numbers]
    print(indent("\n".join(right_aligned([["", *heads], *cells])), "    "))
    own = whole.materialise()
    if wrt in RUN.params:
        part = "slice n"
    else:
        between = [own[n, :, other] for n in range(m) for other in range(m) if n != other]
        require(not np.any(between))
        print(f"{m} of {m * m} blocks lie on the diagonal; {len(between)} are delta[n,n'] = 0")
        own, part = np.array([own[n, :, n] for n in range(m)]), "block n,n"
    alone = np.array([run.jacobian(of, wrt).materialise() for run in ALONE])
    equal(f"{part} is d{of}/d{wrt} of example n alone, for each n", own, alone, "numerator")
    print()


def the_batch():
    print(f"A batch of {m} examples, differentiated\n")
    print(indent("\n".join(map(to_ascii, SUM.steps)), "    "))
    print("""
n, k, i    example, unit, input; a prime marks the variable
rows       layout of values: one example a row
numerator  layout of a Jacobian: the axes of the output, then those of the variable
flat       layout of a Jacobian: all outputs x all entries of the variable, row by row
gradient   layout of a gradient: the shape of its parameter
zeros      '.' is zero for every input, '0' is zero for this one
""")
    rows = [["", "rows", *(f"n = {n}" for n in range(m))]]
    for name in ("x", "z1", "a1", "z2", "y", "L"):
        rows += [[name, str(RUN[name].shape), *map(digits, RUN[name])]]
    print("\n".join(table(rows, "   ")))
    require(all(same(RUN[v], [run[v] for run in ALONE]) for v in ("z1", "a1", "z2")))
    require(same(RUN["L"], [run.loss for run in ALONE]) and sum(RUN["L"]) == RUN.loss)
    print("\neach column is what its example gives alone; the examples meet in the last step only:")
    print(f"{SUM.steps[-1]} = {digits(RUN.loss)}")


def a_gradient_is_a_sum():
    title("HENCE A GRADIENT IS A SUM OVER THE EXAMPLES")
    delta1, W, b = RUN.jacobian("J", "z1").materialise(), GRADIENTS["W1"], GRADIENTS["b1"]
    print(f"delta1 = dJ/dz1, {delta1.shape} in layout rows\n")
    for step in RUN.derivation("flat").gradients[2:]:
        print(to_ascii(f"{step.name} = {step.before}\n       = {step.after}"))
    print("\nthe sum over k has a delta and is spent; the sum over n has none and stays:\n")
    outer = [np.outer(d, x) for d, x in zip(delta1, X, strict=True)]
    rows = [["", "delta1[n]", "delta1[n] x[n]^T"]]
    rows += [[f"n = {n}", digits(delta1[n]), digits(outer[n])] for n in range(m)]
    print("\n".join(table([*rows, ["sum", digits(sum(delta1)), digits(sum(outer))]], "   ")) + "\n")
    equal("the last row is db1", b, sum(delta1), "gradient")
    equal("            and dW1", W, sum(outer), "gradient")
    equal("db1 = delta1^T 1, the column sums of delta1", b, delta1.T @ np.ones(m), "gradient")
    flat = delta1.reshape(1, -1) @ RUN.jacobian("z1", "W1").materialise("flat")
    equal("dJ/dW1 = dJ/dz1 dz1/dW1, whole Jacobians", W.reshape(1, -1), flat, "flat")
    print("\nthe textbook's product; its inner axis is n, so multiplying is adding up:")
    for kind, d, x in (("rows", delta1, X), ("columns", delta1.T, X.T)):
        left, right = (d.T, x) if kind == "rows" else (d, x.T)
        product = "delta1^T x" if kind == "rows" else "delta1 x^T"
        print(f"examples as {kind}: delta1 {d.shape}, x {x.shape}")
        statement = f"    dW1 = {product}, {left.shape} by {right.shape}"
        equal(statement, W, left @ right, "gradient")
    z2, wrong, delta2 = RUN["z2"], RUN["z2"] - Y, RUN["z2"] - Y[:, None]
    require(wrong.shape == (m, m) and same(delta2, RUN.jacobian("J", "z2").materialise()))
    print(
        f"\na trap: delta2 = z2 - y. With z2 {z2.shape} and y {Y.shape} numpy gives {wrong.shape}:"
    )
    print(
        f"every example minus every label. With y {Y[:, None].shape} it is {delta2.shape}, as z2 is"
    )


def sum_or_mean():
    title("SUM OR MEAN: ONE FACTOR 1/m, IN ONE PLACE")
    mean = MEAN.run(X, Y)
    rows = [["", "J", "dJ/dL", "delta2^T", "db2"]]
    for name, run in (("sum", RUN), ("mean", mean)):
        dL, delta2 = (run.jacobian("J", wrt).materialise() for wrt in ("L", "z2"))
        rows += [[name, *map(digits, (run.loss, dL, delta2.T, run.gradients()["b2"]))]]
    print("\n".join(table(rows, "   ")))
    require(all(same(m * g, GRADIENTS[name]) for name, g in mean.gradients().items()))
    b, twice = mean.gradients()["b2"], mean.jacobian("J", "z2").materialise().mean(axis=0)
    require(same(m * twice, b))
    print(
        f"\nthe sum's {len(GRADIENTS)} gradients are {m} times the mean's. The 1/{m} comes in with"
    )
    print("dJ/dL and is in every delta below. Who then takes the mean over n has it twice:")
    print(f"db2 would be {digits(twice)}, which is 1/{m} of {digits(b)}")


def a_batch_of_one():
    title("A BATCH OF ONE IS THE EXAMPLE, WITH AN AXIS OF LENGTH 1")
    ones = [SUM.run(X[n : n + 1], Y[n : n + 1]) for n in range(m)]
    rows = [["", "batch of one", "one example", "layout"]]
    pairs = [("a1", "z1"), ("z2", "a1"), ("z1", "W1"), ("z1", "b1"), ("J", "W1")]
    for one, alone in zip(ones, ALONE, strict=True):
        found = [(name, one[name], alone[name], "rows") for name in ("x", "z1", "a1", "z2")]
        for of, wrt in pairs:
            both = [run.jacobian(of, wrt).materialise() for run in (one, alone)]
            found += [(f"d{of}/d{wrt}", *both, "numerator")]
        for name, gradient in one.gradients().items():
            found += [(f"d{name}", gradient, alone.gradients()[name], "gradient")]
        require(all(same(left.ravel(), right.ravel()) for _, left, right, _ in found))
    rows += [[name, str(left.shape), str(right.shape), where] for name, left, right, where in found]
    print("\n".join(table(rows, "   ")))
    print(f"\nfor each of the {m} examples, the numbers in both are the same to the last bit\n")
    for name, gradient in GRADIENTS.items():
        added = sum(one.gradients()[name] for one in ones)
        equal(f"d{name} of the {m} batches of one, added up", added, gradient, "gradient")


if __name__ == "__main__":
    the_batch()
    title("AN EXAMPLE READS NO OTHER: delta[n,n'] BETWEEN TWO VALUES")
    picture("z2", "a1")
    picture("a1", "z1")
    print("each block is the one W2 in dz2/da1, but the example's own slopes in da1/dz1")
    title("ALL EXAMPLES READ THE SAME PARAMETER: n, AND NO n'")
    picture("z1", "W1")
    picture("z1", "b1")
    print("unit k reads only its own weights, delta[k,k']; the examples stand below each other")
    a_gradient_is_a_sum()
    sum_or_mean()
    a_batch_of_one()
