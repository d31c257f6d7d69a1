"""A convolutional classifier of handwritten digits, trained with the compiled step.

    python derivations/train_digits.py [--data TABLE --target COLUMN ...]

Images of 8 x 8 pixels, 8 filters of 3 x 3, a pool, a weighted sum, softmax and cross-entropy.
Before it trains, every route gives the same gradient; afterwards one filter's Jacobian is
shown. A statement that does not hold ends the script. Another table has a column for each pixel
of a square image, row by row, and one for its class.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from textwrap import indent

import numpy as np

from jacobian_bp import JacobianError, Network
from jacobian_bp.network.files.tables.switches import add_switches, switch_of, table_asked_for
from jacobian_bp.writing.signs import number, safe, to_ascii
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number
from jacobian_bp.writing.terminal import progress

DATA = Path(__file__).parent / "data" / "digits.csv"
FILTERS, BATCH, EPOCHS, RATE, SEED = 8, 36, 8, 0.5, 1
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


def read(parser, options):
    """A table, its images with one channel, their classes, and what a class is called."""
    try:
        data = table_asked_for(options)
    except JacobianError as error:
        parser.error(str(error))
    side = round(data.x.shape[1] ** 0.5)
    if side**2 != data.x.shape[1] or side < 4 or side % 2:
        parser.error(
            f"the table has {data.x.shape[1]} inputs, which are no image of 4 x 4, 6 x 6, … pixels"
        )
    y, target = np.asarray(data.y), safe(options.target[0])
    if y.ndim > 1 or not np.array_equal(y, y.astype(int)) or y.min() < 0 or y.max() < 1:
        parser.error(
            f"the target {target} has no classes: name its column with --category {target}"
        )
    if len(y) < 2 * BATCH:
        parser.error(f"the table has {len(y)} rows; {2 * BATCH} is the least")
    y = y.astype(int)
    names = [safe(name) for name in data.classes or map(str, range(y.max() + 1))]
    return data, data.x.reshape(-1, 1, side, side), y, names


def split(x, y):
    """Every fifth image is held out. Pixels from 0 to 1, by the largest of the others."""
    held = np.arange(len(x)) % 5 == 4
    x = x / (np.abs(x[~held]).max() or 1)
    return (x[~held], y[~held]), (x[held], y[held])


def first_weights(side, classes):
    rng = np.random.default_rng(SEED)
    places = ((side - 2) // 2) ** 2
    return {
        "K1": rng.normal(size=(FILTERS, 1, 3, 3)) / 3,
        "b1": np.zeros(FILTERS),
        "W2": rng.normal(size=(classes, places * FILTERS)) / np.sqrt(places * FILTERS),
        "b2": np.zeros(classes),
    }


def probabilities(net, x, y):
    run = net.run(x, y)
    return run.loss, run["a2"]


def the_network(net, x, y, held, names):
    rows = [
        [
            f"'{names[digit]}'",
            *("".join(SHADES[int(9 * abs(p))] * 2 for p in row) for row in image[0]),
        ]
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


def the_training(net, train_set, held, names, own):
    batches = len(train_set[0]) // BATCH
    steps = f"{EPOCHS} EPOCHS OF {batches} BATCHES OF {BATCH}"
    title(f"TRAINING: w <- w - rate dw, {steps}, rate {RATE:g}")
    trained, costs = train(net, *train_set, *held)
    require(own or all(later[1] < earlier[1] for earlier, later in pairwise(costs)))
    rows = [["epoch", "J, training", "accuracy", "J, held out", "accuracy"]]
    rows += [[str(epoch), *(f"{value:.3f}" for value in values)] for epoch, *values in costs]
    block(table(rows, "   "))
    x, y = held
    _, p = probabilities(trained, x, y)
    guess, two = p.argmax(axis=1), np.sort(p, axis=1)[:, -2:]
    require(own or np.min(two[:, 1] - two[:, 0]) > 1e-6)  # no image hangs on rounding
    wrong = np.flatnonzero(guess != y)
    right = len(y) - len(wrong)
    require(abs(costs[-1][-1] - right / len(y)) < 1e-12)
    often = np.max(np.bincount(y)) / len(y)
    require(own or right / len(y) > 0.9 > often)
    confused = ", ".join(f"{names[y[at]]} as {names[guess[at]]}" for at in wrong[:3])
    share, base = number(100 * right / len(y), 3), number(100 * often, 3)
    print(f"""
of {len(y)} images never trained on {right} are read right, {share} %; always saying the most
frequent {"class" if own else "digit"} gives {base} %. \
{f"The first that are read wrong: {confused}." if confused else "None is read wrong."}""")
    return trained


def one_filter(net, x, y, names):
    title("ONE FILTER'S JACOBIAN")
    image, digit, side = x[0], y[0], x.shape[-1]
    places, called = side - 2, names[digit]
    run = net.run(image, digit)
    by_x, by_K = run.jacobian("z1", "x"), run.jacobian("z1", "K1")
    slopes = np.abs(run.jacobian("J", "z1").materialise()).sum(axis=(1, 2))
    d = int(np.argmax(slopes))
    print(f"""\
image 0 of the held-out ones, a '{called}', and of all filters the one that moves J most, d = {d}:
""")
    for found in (by_x, by_K):
        print(found.text(ascii_only=True).partition("\n  layout")[0])
        counted = f"{found.structural_nonzeros:,} of {found.size:,}"
        print(f"    layout numerator, {found.shape}: {counted} entries can be non-zero")
    o, q, r, s = min(2, places - 1), min(3, places - 1), 1, 2
    own, mask = by_x.materialise()[d, o, q, 0], by_x.can_be_nonzero()[d, o, q, 0]
    K = net.params["K1"][d, 0]
    placed = np.zeros(image[0].shape)
    placed[o : o + 3, q : q + 3] = K
    require(np.array_equal(own, placed) and np.array_equal(mask, placed != 0))
    window = by_K.materialise()[d, :, :, d, 0, r, s]
    require(np.array_equal(window, image[0, r : r + places, s : s + places]))
    left = right_aligned(
        [zero_or_number(np.round(v, 2), m, 6) for v, m in zip(own, mask, strict=True)]
    )
    right = right_aligned(
        [zero_or_number(np.round(v, 2), np.ones(places, bool), 6) for v in window]
    )
    print()
    heads = [f"dz1[{d},{o},{q}]/dx[0,i',j'], {side} x {side}"]
    heads += [f"dz1[{d},o,q]/dK1[{d},0,{r},{s}], {places} x {places}"]
    pairs = zip([*left, ""], [*right, "", "", ""], strict=True)
    block(table([heads, *pairs], "        "))
    print(f"""
on the left the kernel, laid at row {o} and column {q} of the image: nine pixels move this entry of
z1. On the right the pixels that tap [{r},{s}] reads, one at each place: the image from row {r} and
column {s} on. '.' is zero for every image and every kernel, '0' a white pixel.""")
    g = run.jacobian("J", "z1").materialise()[d]
    dK = run.gradients()["K1"][d, 0]
    own = np.array(
        [[np.sum(g * image[0, a : a + places, b : b + places]) for b in range(3)] for a in range(3)]
    )
    require(np.max(np.abs(own - dK)) < 1e-12)
    open_places = f"{np.sum(g != 0)} of {g.size} places"
    print(f"""
with g = dJ/dz1[{d}], not 0 at {open_places} (the pool passes on one of each 4, and
of these ReLU the positive ones), dJ/dK1[{d},0,r,s] = sum_o sum_q g[o,q] x[o+r,q+s], gap < 1e-12:
""")
    block(right_aligned([[f"{v + 0.0:.4f}" for v in row] for row in dK]))


def main():
    parser = argparse.ArgumentParser(description="Train a classifier of images; see the docstring.")
    parser.add_argument("--data", metavar="TABLE", help="another table: see docs/tables.md")
    parser.add_argument("--target", metavar="COLUMN", help="its target, by name or by number")
    parser.add_argument("--data-limit", metavar="SIZE", help="the bytes that it may have")
    add_switches(parser)
    parser.set_defaults(raw=None, example=0)
    options = parser.parse_args()
    own = options.data is not None
    if own != (options.target is not None):
        parser.error("--data and --target go together")
    if not own and switch_of(options):
        parser.error(f"{switch_of(options)} goes with --data and --target")
    options.data, options.target = options.data or str(DATA), [options.target or "digit"]
    options.raw = True  # pixels are brought to 0 … 1
    data, x, y, names = read(parser, options)
    train_set, held = split(x, y)
    side = x.shape[-1]
    net = Network.program(*LINES, params=first_weights(side, len(names)))
    if own:
        print("\n".join([safe(line) for line in data.remarks]), end="\n\n")
    what = "Images" if own else "Handwritten digits"
    print(f"{what}: {side} x {side} pixels, 0 white to 1 black\n")
    the_network(net, *train_set, held[0], names)
    every_route(net, *train_set)
    trained = the_training(net, train_set, held, names, own)
    one_filter(trained, *held, names)


if __name__ == "__main__":
    main()
