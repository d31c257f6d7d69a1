"""A convolution: the window stands in the delta, and its backward turns the kernel.

    python derivations/convolution.py

Every number is a short binary fraction, exact in floating point: 'same' means the
same to the last bit. Every size but the stride is another one, so that no axis can
stand in another's place. Indices count from 0. A statement that does not hold ends
the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import to_ascii, vector
from jacobian_bp.writing.tables import right_aligned, zero_or_number

RNG = np.random.default_rng(3)


def quarters(*shape):
    """Random quarters, all different and none of them 0."""
    half = np.arange(1, np.prod(shape) // 2 + 2)
    return RNG.permutation([*half, *-half])[: np.prod(shape)].reshape(shape) / 4


X, K, B = quarters(2, 8), quarters(3, 2, 4), quarters(3)
BAR, SPARSE_BAR = quarters(3, 5), quarters(3, 4)
NET = Network.program("y = Conv1d(x, K, b)", params={"K": K, "b": B})
RUN = NET.run(X)
channels, entries = X.shape
kernels, _, taps = K.shape
places = RUN["y"].shape[-1]


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def equal(statement, left, right, layout):
    """left = right, both computed, to the last bit."""
    left, right = np.asarray(left), np.asarray(right)
    require(np.array_equal(left, right))
    print(f"{statement:<60}{left.shape!s:<14}{layout:<12}same")


def formula(jacobian):
    print(to_ascii(jacobian.text().splitlines()[0]))


def row(values):
    return vector(np.asarray(values), 12, 99)


def picture(part, can_be_nonzero, of, wrt, zeros="."):
    """A matrix with its rows and columns named; a structural zero is a '.'."""
    heads = [f"{wrt}{j}]" for j in range(part.shape[1])]
    cells = [["", *heads]]
    for o, (values, mask) in enumerate(zip(part, can_be_nonzero, strict=True)):
        cells += [[f"{of}{o}]", *zero_or_number(values, mask, 6)]]
    block(right_aligned(cells))


def the_layer():
    print("A convolution, differentiated\n")
    block(map(to_ascii, NET.steps))
    print(f"""
c, i       channel and place of the input x {X.shape}
d, o       channel and place of the output y {RUN["y"].shape}
r          tap of the kernel K {K.shape}; a prime marks the variable
numerator  layout of a Jacobian: the axes of the output, then those of the variable
gradient   layout of a gradient: the shape of its variable
delta      delta[i,o+r] = 1 if i = o+r, else 0
zeros      '.' is zero for every input
""")
    slid = [
        sum(np.correlate(X[c], K[d, c], "valid") for c in range(channels)) for d in range(kernels)
    ]
    print("y[d,o] = sum_c sum_r K[d,c,r] x[c,o+r] + b[d]: the kernel is not turned, and so numpy")
    print("calls it a correlation; every course calls it a convolution\n")
    equal("y = sum_c correlate(x[c], K[d,c], 'valid') + b[d]", RUN["y"], slid + B[:, None], "value")


def the_window():
    title("THE WINDOW STANDS IN THE DELTA")
    whole = RUN.jacobian("y", "x")
    formula(whole)
    own, mask = whole.materialise(), whole.can_be_nonzero()
    print(
        f"numerator {whole.shape}; output channel 0 by input channel 0, a matrix "
        f"{own[0, :, 0].shape}:\n"
    )
    picture(own[0, :, 0], mask[0, :, 0], "y[0,", "x[0,")
    each = [
        [own[d, o, c, o : o + taps] for o in range(places)]
        for d in range(kernels)
        for c in range(channels)
    ]
    for part, kernel in zip(each, K.reshape(-1, taps), strict=True):
        require(all(np.array_equal(window, kernel) for window in part))
    require(whole.structural_nonzeros == kernels * places * channels * taps == mask.sum())
    counted = f"{whole.structural_nonzeros} of {own.size}"
    factors = f"{kernels} x {places} x {channels} x {taps}"
    print(f"""
each row is the kernel K[0,0] = {row(K[0, 0])}, one place farther on:
place o reads entry o+r with tap r, and no other. So it is for each of the
{kernels * channels} kernels: {counted} entries can be non-zero, {factors}, and they are the
{K.size} numbers of K, each at {places} places.""")
    return whole


def by_the_input(whole):
    title("BACKWARD BY x: A CONVOLUTION WITH THE KERNEL TURNED")
    bar, found = BAR, RUN.vjp("y", "x", BAR)
    print(
        f"g = dJ/dy, shape {bar.shape}, comes from above; dJ/dx = g dy/dx, summed over d and o:\n"
    )
    print("""\
dJ/dx[c',i'] = sum_d sum_o sum_r g[d,o] K[d,c',r] delta[i',o+r]
             = sum_d sum_r g[d,i'-r] K[d,c',r]                 delta leaves o = i'-r

forward the window reads upwards, o+r; now it reads downwards, i'-r: along g the taps come last
to first. Where i'-r is no place of g, no window read x[c',i'] with tap r: a 0 stands there.
""")
    equal(
        "g times the whole dy/dx",
        found,
        np.einsum("do,doci->ci", bar, whole.materialise()),
        "gradient",
    )
    turned = [
        sum(np.convolve(bar[d], K[d, c], "full") for d in range(kernels)) for c in range(channels)
    ]
    equal("sum_d convolve(g[d], K[d,c], 'full'): numpy turns it", found, turned, "gradient")
    edge = taps - 1
    back = Network.program(
        f"y = Conv1d(x, T, padding={edge})", params={"T": np.swapaxes(K[..., ::-1], 0, 1)}
    )
    equal(f"Conv1d(g, T, padding={edge}), T[c,d,r] = K[d,c,{edge}-r]", found, back(bar), "gradient")
    plain = Network.program(f"y = Conv1d(x, T, padding={edge})", params={"T": np.swapaxes(K, 0, 1)})
    require(not np.array_equal(plain(bar), found))
    wrong = np.sum(plain(bar) != found)
    print(f"""
a layer of the same kind: channels exchanged, taps turned, {edge} zeros at each end of g. Where the
taps are not turned, the shape is right and {wrong} of {found.size} entries are wrong.""")


def by_the_kernel():
    title("BACKWARD BY K: ONE KERNEL AT EVERY PLACE, SO THE PLACES ARE SUMMED")
    whole, bar, found = RUN.jacobian("y", "K"), BAR, RUN.vjp("y", "K", BAR)
    formula(whole)
    net = Network.program("y = Conv1d(x, K, b)", "J = Einsum(y, g, 'do,do->')", params=NET.params)
    by_K, by_b = net.run(X, g=bar).derivation("flat").gradients
    print()
    for step in (by_K, by_b):
        before, after = (to_ascii(text.replace("∂J/∂y", "g")) for text in (step.before, step.after))
        print(f"{step.name.replace('∂', 'd')} = {before}\n      = {after}")
    print()
    ways = [[np.correlate(X[c], bar[d], "valid") for c in range(channels)] for d in range(kernels)]
    equal("correlate(x[c], g[d], 'valid') for each d and c", found, ways, "gradient")
    equal(
        "sum_o g[d,o], as b is read at every place",
        RUN.vjp("y", "b", bar),
        bar.sum(axis=1),
        "gradient",
    )
    print(f"""
g is the kernel now, {places} entries long; it fits {entries} entries of x
at {taps} places, one for each tap.""")


def spending_is_im2col():
    title("IM2COL IS THE DELTA, SPENT")
    columns = np.array(
        [[[X[c, o + r] for o in range(places)] for r in range(taps)] for c in range(channels)]
    )
    columns, rows = columns.reshape(-1, places), K.reshape(kernels, -1)
    print("columns[c,r,o] = sum_i x[c,i] delta[i,o+r] = x[c,o+r], a row for each c,r:\n")
    names = [f"c,r = {c},{r}" for c in range(channels) for r in range(taps)]
    lines = right_aligned([[f"{value:g}" for value in values] for values in columns])
    block(f"{name}    {line}" for name, line in zip(names, lines, strict=True))
    print(f"""
x has {X.size} entries, columns {columns.size}: each entry once for every window that reads it
""")
    equal(
        f"y = K columns + b, {rows.shape} by {columns.shape}",
        RUN["y"],
        rows @ columns + B[:, None],
        "value",
    )
    equal(
        f"dJ/dK = g columns^T, {BAR.shape} by {columns.T.shape}",
        RUN.vjp("y", "K", BAR),
        (BAR @ columns.T).reshape(K.shape),
        "gradient",
    )
    parts = (rows.T @ BAR).reshape(channels, taps, places)
    added, set_ = np.zeros(X.shape), np.zeros(X.shape)
    for r in range(taps):
        added[:, r : r + places] += parts[:, r]
        set_[:, r : r + places] = parts[:, r]
    equal(
        "dJ/dx: K^T g, each entry added where it was read",
        RUN.vjp("y", "x", BAR),
        added,
        "gradient",
    )
    wrong = np.sum(set_ != added)
    require(wrong)
    once = np.bincount([o + r for o in range(places) for r in range(taps)])
    print(f"""
three matrix products: a delta over i has become an index. On the way back what was read
several times gets several summands, here {row(once)} for the {entries} entries of a channel;
with = in place of += {wrong} of {X.size} entries are wrong.""")


def a_stride_and_padding():
    title("STRIDE AND PADDING: ANOTHER POSITION IN THE SAME DELTA")
    net = Network.program("y = Conv1d(x, K, b, stride=2, padding=1)", params=NET.params)
    run, bar = net.run(X), SPARSE_BAR
    whole = run.jacobian("y", "x")
    block(map(to_ascii, net.steps))
    print()
    formula(whole)
    print(f"numerator {whole.shape}; output channel 0 by input channel 0:\n")
    own, mask = whole.materialise(), whole.can_be_nonzero()
    picture(own[0, :, 0], mask[0, :, 0], "y[0,", "x[0,")
    outside = run["y"].size * channels * taps - whole.structural_nonzeros
    require(outside == kernels * channels * 2 and whole.structural_nonzeros == mask.sum())
    last = taps - 1
    print(f"""
each row is the kernel two places farther on. Tap 0 of place 0 would read entry -1, tap {last} of
the last place entry {entries}. There is none, so the delta is 0 for every i': that is padding.
""")
    gaps = np.zeros((kernels, 2 * bar.shape[1] - 1))
    gaps[:, ::2] = bar
    full = np.array(
        [
            sum(np.convolve(gaps[d], K[d, c], "full") for d in range(kernels))
            for c in range(channels)
        ]
    )
    equal(
        "g with a 0 between each two, convolved, first and last cut",
        run.vjp("y", "x", bar),
        full[:, 1:-1],
        "gradient",
    )
    cut = f"{full.shape[1] - entries} of {full.shape[1]}"
    print(f"""
2o+r-1 = i' has a whole o for every other r only: hence the zeros between the entries of g.
What fell on the padding, {cut} entries of a channel, belongs to no entry of x and is cut.""")


if __name__ == "__main__":
    the_layer()
    by_the_input(the_window())
    by_the_kernel()
    spending_is_im2col()
    a_stride_and_padding()
