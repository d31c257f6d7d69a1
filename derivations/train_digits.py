"""A convolutional classifier of handwritten digits, trained with the compiled step.

    python derivations/train_digits.py

Images of 8 x 8 pixels, 8 filters of 3 x 3, a pool, a weighted sum, softmax and cross-entropy.
Before it trains, every route gives the same gradient; afterwards one filter's Jacobian is
shown. A statement that does not hold ends the script.
"""

from itertools import pairwise
from pathlib import Path
from textwrap import indent

import numpy as np

from jacobian_bp import Network, read_table
from jacobian_bp.writing.signs import number, to_ascii
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number
from jacobian_bp.writing.terminal import progress

DATA = Path(__file__).parent / "data" / "digits.csv"
FILTERS, CLASSES, BATCH, EPOCHS, RATE, SEED = 8, 10, 36, 8, 0.5, 1
SHOWN = (0, 1, 2, 4, 8)
SHADES = " .:-=+*#%@"
LINES = (
    "z1 = Conv2d(x, K1, b1)",
    "a1 = ReLU(z1)",
    "p1 = MaxPool2d(a1, 2)",
    "f1 = Flatten(p1)",
    "z2 = Linear(f1, W2, b2)",
    "a2 = Softmax(z2)",
    "L = CrossEntropy(a2, y)",
    "J = Mean(L)",
)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def split():
    """Every fifth image is held out. Pixels from 0 to 1, one channel."""
    data = read_table(DATA, target="digit", raw=True)
    x, y = data.x.reshape(-1, 1, 8, 8) / 16, data.y.astype(int)
    held = np.arange(len(x)) % 5 == 4
    return (x[~held], y[~held]), (x[held], y[held])


def first_weights():
    rng = np.random.default_rng(SEED)
    return {
        "K1": rng.normal(size=(FILTERS, 1, 3, 3)) / 3,
        "b1": np.zeros(FILTERS),
        "W2": rng.normal(size=(CLASSES, 9 * FILTERS)) / np.sqrt(9 * FILTERS),
        "b2": np.zeros(CLASSES),
    }


def probabilities(net, x, y):
    run = net.run(x, y)
    return run.loss, run["a2"]


def the_network(net, x, y, held):
    print("Handwritten digits: 8 x 8 pixels, 0 white to 1 black\n")
    rows = [
        [f"'{digit}'", *("".join(SHADES[int(9 * p)] * 2 for p in line) for line in image[0])]
        for image, digit in ((x[at], y[at]) for at in (0, 3, 5, 8))
    ]
    for line in table(list(zip(*rows, strict=True)), "    "):
        print(f"    {line}".rstrip())
    print(f"\ntraining x {x.shape}, y {y.shape}; held out x {held.shape}: every fifth image\n")
    run = net.run(x[:BATCH], y[:BATCH])
    rows = [["step", "shape of one example"]]
    rows += [[to_ascii(step), str(run[step.split(" = ")[0]].shape[1:])] for step in net.steps[:-1]]
    rows += [[to_ascii(net.steps[-1]), "over the examples"]]
    block(table(rows, "   "))
    sizes = ", ".join(f"{name} {value.shape}" for name, value in net.params.items())
    print(f"\n{net.parameter_count} parameters: {sizes}")


def every_route(net, x, y):
    title(f"BEFORE IT TRAINS: THE GRADIENTS OF A BATCH OF {BATCH}")
    run = net.run(x[:BATCH], y[:BATCH])
    step = net.compile(batch=BATCH)
    loss, compiled = step(net.params, x[:BATCH], y[:BATCH])
    require(abs(loss - run.loss) < 1e-12)
    by_route = {route: run.gradients(route=route) for route in ("vjp", "structured")}
    few = net.run(x[:2], y[:2])
    full, vjp = few.gradients(route="full"), few.gradients(route="vjp")
    rows = [["", "shape", "structured", "compiled", "full, 2 examples"]]
    for name, value in by_route["vjp"].items():
        gaps = [
            np.max(np.abs(other - value))
            for other in (by_route["structured"][name], compiled[name])
        ]
        gaps += [np.max(np.abs(full[name] - vjp[name]))]
        require(max(gaps) < 1e-12 and np.max(np.abs(value)) > 1e-3)
        rows += [[f"d{name}", str(value.shape), *["gap < 1e-12"] * 3]]
    block(table(rows, "   "))
    print("\neach against the vjp route; the layout is gradient, the shape of the parameter")


def train(net, x, y, x_held, y_held):
    """The trained network, and its costs at the epochs to be shown."""
    rng, step, params = np.random.default_rng(SEED), net.compile(batch=BATCH), dict(net.params)
    costs, batches = [], len(x) // BATCH
    with progress("training") as report:
        for epoch in range(EPOCHS + 1):
            if epoch in SHOWN:
                now = net.with_params(params)
                costs.append((epoch, *judged(now, x, y), *judged(now, x_held, y_held)))
            if epoch == EPOCHS:
                break
            for at in rng.permutation(len(x))[: batches * BATCH].reshape(batches, BATCH):
                _, gradients = step(params, x[at], y[at])
                params = {name: w - RATE * gradients[name] for name, w in params.items()}
            if report:
                report(epoch + 1, EPOCHS)
    return net.with_params(params), costs


def judged(net, x, y):
    """The cost, and the share of images whose digit has the largest probability."""
    loss, p = probabilities(net, x, y)
    return loss, np.mean(p.argmax(axis=1) == y)


def the_training(net, train_set, held):
    batches = len(train_set[0]) // BATCH
    steps = f"{EPOCHS} EPOCHS OF {batches} BATCHES OF {BATCH}"
    title(f"TRAINING: w <- w - rate dw, {steps}, rate {RATE:g}")
    trained, costs = train(net, *train_set, *held)
    require(all(later[1] < earlier[1] for earlier, later in pairwise(costs)))
    rows = [["epoch", "J, training", "accuracy", "J, held out", "accuracy"]]
    rows += [[str(epoch), *(f"{value:.3f}" for value in values)] for epoch, *values in costs]
    block(table(rows, "   "))
    x, y = held
    _, p = probabilities(trained, x, y)
    guess, two = p.argmax(axis=1), np.sort(p, axis=1)[:, -2:]
    require(np.min(two[:, 1] - two[:, 0]) > 1e-6)  # no image hangs on rounding
    wrong = np.flatnonzero(guess != y)
    right = len(y) - len(wrong)
    require(abs(costs[-1][-1] - right / len(y)) < 1e-12)
    often = np.max(np.bincount(y)) / len(y)
    require(right / len(y) > 0.9 > often)
    confused = ", ".join(f"{y[at]} as {guess[at]}" for at in wrong[:3])
    share, base = number(100 * right / len(y), 3), number(100 * often, 3)
    print(f"""
of {len(y)} images never trained on {right} are read right, {share} %; always saying the most
frequent digit gives {base} %. The first that are read wrong: {confused}.""")
    return trained


def one_filter(net, x, y):
    title("ONE FILTER'S JACOBIAN")
    image, digit = x[0], y[0]
    run = net.run(image, digit)
    by_x, by_K = run.jacobian("z1", "x"), run.jacobian("z1", "K1")
    slopes = np.abs(run.jacobian("J", "z1").materialise()).sum(axis=(1, 2))
    d = int(np.argmax(slopes))
    print(f"""\
image 0 of the held-out ones, a '{digit}', and of all filters the one that moves J most, d = {d}:
""")
    for found in (by_x, by_K):
        print(found.text(ascii_only=True).partition("\n  layout")[0])
        counted = f"{found.structural_nonzeros:,} of {found.size:,}"
        print(f"    layout numerator, {found.shape}: {counted} entries can be non-zero")
    o, q, r, s = 2, 3, 1, 2
    own, mask = by_x.materialise()[d, o, q, 0], by_x.can_be_nonzero()[d, o, q, 0]
    K = net.params["K1"][d, 0]
    placed = np.zeros(image[0].shape)
    placed[o : o + 3, q : q + 3] = K
    require(np.array_equal(own, placed) and np.array_equal(mask, placed != 0))
    window = by_K.materialise()[d, :, :, d, 0, r, s]
    require(np.array_equal(window, image[0, r : r + 6, s : s + 6]))
    left = right_aligned(
        [zero_or_number(np.round(v, 2), m, 6) for v, m in zip(own, mask, strict=True)]
    )
    right = right_aligned([zero_or_number(np.round(v, 2), np.ones(6, bool), 6) for v in window])
    print()
    heads = [f"dz1[{d},{o},{q}]/dx[0,i',j'], 8 x 8", f"dz1[{d},o,q]/dK1[{d},0,{r},{s}], 6 x 6"]
    pairs = zip([*left, ""], [*right, "", "", ""], strict=True)
    block(table([heads, *pairs], "        "))
    print(f"""
on the left the kernel, laid at row {o} and column {q} of the image: nine pixels move this entry of
z1. On the right the pixels that tap [{r},{s}] reads, one at each place: the image from row {r} and
column {s} on. '.' is zero for every image and every kernel, '0' a white pixel.""")
    g = run.jacobian("J", "z1").materialise()[d]
    dK = run.gradients()["K1"][d, 0]
    own = np.array(
        [[np.sum(g * image[0, a : a + 6, b : b + 6]) for b in range(3)] for a in range(3)]
    )
    require(np.max(np.abs(own - dK)) < 1e-12)
    open_places = int(np.sum(g != 0))
    print(f"""
with g = dJ/dz1[{d}], not 0 at {open_places} of 36 places (the pool passes on one of each 4, and
of these ReLU the positive ones), dJ/dK1[{d},0,r,s] = sum_o sum_q g[o,q] x[o+r,q+s], gap < 1e-12:
""")
    block(right_aligned([[f"{v + 0.0:.4f}" for v in row] for row in dK]))


def main():
    (x, y), (x_held, y_held) = split()
    net = Network.program(*LINES, params=first_weights())
    the_network(net, x, y, x_held)
    every_route(net, x, y)
    trained = the_training(net, (x, y), (x_held, y_held))
    one_filter(trained, x_held, y_held)


if __name__ == "__main__":
    main()
