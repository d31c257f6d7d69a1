"""Training on the diabetes data with the formulas of the derivation, in plain numpy.

    python derivations/train_diabetes.py [--data TABLE --target COLUMN ...] [--save FILE.npz]

A 10-4-1 network, tanh and no activation at the end, half the squared error, full
batch. The package draws the first weights and is asked once whether the formulas
are right; from there on it is not needed. A statement that does not hold ends the
script.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from jacobian_bp import JacobianError, Network
from jacobian_bp.network.files.tables.switches import add_switches, switch_of, table_asked_for
from jacobian_bp.network.files.weights_file import write_weights
from jacobian_bp.writing.signs import number, safe, to_ascii
from jacobian_bp.writing.tables import table
from jacobian_bp.writing.terminal import progress

STEPS, RATE, SEED = 200, 0.1, 0
SHOWN = (0, 1, 5, 20, 50, 100, 200)
TINY = 1e-12


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def split(data):
    """Every fifth row is held out; the others alone say what mean and deviation are."""
    held = np.arange(len(data.x)) % 5 == 4
    spread = data.x[~held].std(axis=0)
    x = (data.x - data.x[~held].mean(axis=0)) / np.where(spread == 0, 1, spread)
    y = (data.y - data.y[~held].mean())[:, None] / data.y[~held].std()
    return (x[~held], y[~held]), (x[held], y[held])


def read(parser, options):
    """The table, of which the target is one column of numbers."""
    try:
        data = table_asked_for(options)
    except JacobianError as error:
        parser.error(str(error))
    target = safe(options.target[0])
    if data.y.ndim > 1 or data.classes or np.ptp(data.y) == 0:
        parser.error(f"the target {target} is not one column of numbers that differ")
    return data


def forward(w, x):
    z1 = x @ w["W1"].T + w["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ w["W2"].T + w["b2"]
    return a1, z2


def cost(w, x, y):
    return np.mean((forward(w, x)[-1] - y) ** 2) / 2


def backward(w, x, y):
    a1, a2 = forward(w, x)
    delta2 = (a2 - y) / len(x)
    delta1 = delta2 @ w["W2"] * (1 - a1**2)
    return {
        "delta2 = (a2 - y)/m": delta2,
        "dW2 = delta2^T a1": delta2.T @ a1,
        "db2 = 1^T delta2": delta2.sum(axis=0),
        "delta1 = delta2 W2 * (1 - a1^2)": delta1,
        "dW1 = delta1^T x": delta1.T @ x,
        "db1 = 1^T delta1": delta1.sum(axis=0),
    }


def gradients(w, x, y):
    found = {formula[1:3]: value for formula, value in backward(w, x, y).items()}
    return {name: found[name] for name in w}


def compare(net, w, x, y):
    """Each formula with its shape, against the package."""
    run = net.run(x, y)
    package = {f"d{name}": gradient for name, gradient in run.gradients().items()}
    package |= {f"delta{k}": run.jacobian("J", f"z{k}").materialise() for k in (1, 2)}
    rows = [["formula", "shape", "layout", "against the package"]]
    for formula, value in backward(w, x, y).items():
        name = formula.split(" = ")[0]
        other, layout = package[name], "rows" if name.startswith("delta") else "gradient"
        require(other.shape == value.shape and np.max(np.abs(other - value)) < TINY)
        rows += [[formula, str(value.shape), layout, f"gap < {TINY:g}"]]
    require(abs(run.loss - cost(w, x, y)) < TINY)
    print("\n".join(table(rows, "   ")))


def train(w, x, y, x_held, y_held):
    """The trained weights, and the two costs at the steps to be shown."""
    costs = []
    with progress("training") as report:
        for step in range(STEPS + 1):
            if step in SHOWN:
                costs.append((step, cost(w, x, y), cost(w, x_held, y_held)))
            if step < STEPS:
                w = {name: w[name] - RATE * d for name, d in gradients(w, x, y).items()}
            if report:
                report(step, STEPS)
    return w, costs


def main():
    parser = argparse.ArgumentParser(description="Train a 10-4-1 network; see the docstring.")
    parser.add_argument("--save", metavar="FILE.npz", type=Path, help="keep the trained weights")
    parser.add_argument("--data", metavar="TABLE", help="another table: see docs/tables.md")
    parser.add_argument("--target", metavar="COLUMN", help="its target, by name or by number")
    parser.add_argument("--data-limit", metavar="SIZE", help="the bytes that it may have")
    add_switches(parser)
    parser.set_defaults(raw=None, example=0)
    options = parser.parse_args()
    path, own = options.save, options.data is not None
    if own != (options.target is not None):
        parser.error("--data and --target go together")
    if not own and switch_of(options):
        parser.error(f"{switch_of(options)} goes with --data and --target")
    if path and (path.is_dir() or not path.absolute().parent.is_dir()):
        parser.error(f"--save: {safe(path)!r} is no file in a folder that exists")
    if path and path.suffix != ".npz":
        parser.error(f"--save: {safe(path)!r} does not end in .npz")
    options.data, options.target = options.data or "diabetes", [options.target or "progression"]
    options.raw = True  # the training rows alone say what mean and deviation are
    data = read(parser, options)
    (x, y), (x_held, y_held) = split(data)
    net = Network.dense([x.shape[1], 4, 1], ["tanh", "identity"], "half_squared_error", seed=SEED)
    if own:
        print("\n".join([safe(line) for line in data.remarks]), end="\n\n")
    else:
        print(f"Diabetes: {x.shape[1]} measurements, y = how far the disease went in a year\n")
    print(f"training x {x.shape}, y {y.shape}; held out x {x_held.shape}: every fifth row")
    print("measurements and y standardised by mean and deviation of the training rows")
    for step in net.steps:
        print(f"    {to_ascii(step)}")

    title("THE FORMULAS, ONE EXAMPLE A ROW, AT THE FIRST WEIGHTS")
    compare(net, net.params, x, y)
    print("\nrows: layout of values, one example a row; gradient: the shape of the parameter")
    print("tanh' = 1 - tanh^2, written with a1; * is entry by entry; 1^T adds up the rows")
    print("the output has no activation, a2 = z2, and the 1/2 of the loss takes the 2 away")

    title(f"TRAINING: w <- w - rate dw, {STEPS} TIMES, rate {RATE:g}")
    weights, costs = train(net.params, x, y, x_held, y_held)
    require(own or all(later[1] < earlier[1] for earlier, later in pairwise(costs)))
    rows = [[str(step), f"{inside:.3f}", f"{outside:.3f}"] for step, inside, outside in costs]
    print("\n".join(table([["step", "J, training rows", "J, held-out rows"], *rows], "   ")))

    title("HELD-OUT ROWS, NEVER TRAINED ON")
    ends = np.ones((len(x), 1)), np.ones((len(x_held), 1))
    line = np.linalg.lstsq(np.hstack([x, ends[0]]), y, rcond=None)[0]
    guesses = {
        "the mean of the training rows": 0 * y_held,
        "least squares, no hidden layer": np.hstack([x_held, ends[1]]) @ line,
        "the network": forward(weights, x_held)[-1],
    }
    print("R^2 = 1 - sum (guess - y)^2 / sum (mean - y)^2: the share of the spread explained;")
    print("mean: of the held-out y, so that the mean of the training rows is just below 0\n")
    spread = np.sum((y_held - y_held.mean()) ** 2)
    scores = {name: 1 - np.sum((g - y_held) ** 2) / spread for name, g in guesses.items()}
    print(
        "\n".join(
            table(
                [[name, f"R^2 {number(round(score, 2))}"] for name, score in scores.items()], "   "
            )
        )
    )
    flat = scores["least squares, no hidden layer"]
    if not own:
        require(-0.005 < scores["the mean of the training rows"] < 0)
        require(flat - 0.1 < scores["the network"] < flat)
        print("\non these rows the hidden layer explains no more than a plane does")
    if path:
        try:
            write_weights(path, weights, replace=True)
        except JacobianError as error:
            parser.exit(3, f"the weights were not saved: {error}\n")
        shapes = ", ".join(f"{name} {value.shape}" for name, value in weights.items())
        print(f"saved {shapes}")


if __name__ == "__main__":
    main()
