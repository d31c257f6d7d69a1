"""Whole Jacobians or vector-Jacobian products: the same numbers at another price.

    python derivations/whole_or_product.py

Bytes, shapes, orders of multiplication and evaluations of the loss, all counted from
runs and none timed, so that the output is the same every time. A statement that does
not hold ends the script.
"""

from itertools import pairwise
from textwrap import dedent, indent, wrap

import numpy as np

from jacobian_bp import HalfSquaredError, MemoryLimitError, Network, memory_limit
from jacobian_bp.derivation.ledger import LocalStep
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.routes.einsum_chain import contract_full
from jacobian_bp.writing.signs import number, to_ascii
from jacobian_bp.writing.tables import table

WIDTHS = [8, 16, 32, 64, 100, 128, 256, 512, 1000]
BUILT_UP_TO = 100
NET = second_seed()
RUN = NET.run(X, Y)


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
    print(text if text[0] in "XJ" and text[1].isdigit() else indent(text, " " * 5))


def block(lines):
    print(indent("\n".join(lines), " " * 9))


def slope(counts):
    """The exponent of the width n in a count, fitted to its logarithm."""
    return np.polyfit(np.log(WIDTHS), np.log(counts), 1)[0]


def legend():
    print("Whole Jacobians or vector-Jacobian products: the same numbers at another price\n")
    say("""
        Margin     X2 to X5, what the three seeds have in common; J27 is of the first seed
        whole      a Jacobian built in full, with its zeros; vjp: v^T times it, nothing built
        numerator  layout of a Jacobian: the output's axes, then the variable's
        flat       layout of a Jacobian: outputs x flattened inputs, a matrix row by row
        gradient   layout of a gradient: the parameter's own shape
        gap        how far two arrays may be apart at most, both computed
    """)


def layer(n):
    """One layer of width n, run at some point."""
    net = Network.dense([n, n], "identity", "half_squared_error", seed=0)
    return net.run(np.linspace(-1, 1, n), np.zeros(n))


def the_price_of_a_layer():
    title("ONE LAYER OF WIDTH n: ITS WHOLE dz/dW, AND THE PRODUCT THAT IS NEEDED")
    say("""
        X2   z = W x + b, W of shape (n, n): dz/dW is (n, n, n) in layout numerator, the product
             g^T dz/dW = g x^T is (n, n) in layout gradient. float64, MB = 10^6 bytes; the bytes
             of the whole are predicted, and checked where it is built
    """)
    rows = [["n", "bytes, whole", "MB", "bytes, vjp", "MB", "whole / vjp", "the two"]]
    whole_bytes, vjp_bytes = [], []
    for n in WIDTHS:
        run = layer(n)
        whole, gradient = run.jacobian("z1", "W1"), run.gradients()["W1"]
        apart = "not built"
        if n <= BUILT_UP_TO:
            array = whole.materialise("numerator")
            require(array.nbytes == whole.nbytes)
            apart = gap(np.tensordot(run["z1"], array, 1), gradient, 1e-9)
        require(whole.nbytes == 8 * n**3 and gradient.nbytes == 8 * n**2)
        whole_bytes.append(whole.nbytes)
        vjp_bytes.append(gradient.nbytes)
        cells = [f"{whole.nbytes:,}", number(whole.nbytes / 1e6, 4)]
        cells += [f"{gradient.nbytes:,}", number(gradient.nbytes / 1e6, 4)]
        rows += [[str(n), *cells, str(whole.nbytes // gradient.nbytes), apart]]
    block(table(rows))
    steep, flat = slope(whole_bytes), slope(vjp_bytes)
    require(abs(steep - 3) < 1e-9 and abs(flat - 2) < 1e-9)
    say(f"bytes = 8 n^p: fitted p = {number(steep)} for the whole, {number(flat)} for the product")
    n, run = WIDTHS[-1], layer(WIDTHS[-1])
    say('the package predicts, too, and refuses to build. With memory_limit("1 GB"), n = 1000:')
    with memory_limit("1 GB"):
        try:
            run.jacobian("z1", "W1").materialise("numerator")
        except MemoryLimitError as error:
            lines = [wrap(line.strip(), 88) for line in to_ascii(str(error)).splitlines()]
            block([part for parts in lines for part in parts])
        else:
            require(False)
        require(run.gradients()["W1"].shape == (n, n))
    say("(1 GiB is 2^30 bytes.) Under the same limit run.gradients() gives the gradient")


def every_shape():
    title("EVERY JACOBIAN OF THE 3-4-2-1 NETWORK OF THE SECOND SEED")
    say("X3   'non-zero' are the entries that are not 0 for every input; bytes before building")
    rows = [["Jacobian", "numerator", "flat", "entries", "non-zero", "density", "bytes"]]
    steps = [s for s in RUN.derivation("flat").backward if isinstance(s, LocalStep)]
    names = [(step.name, step.tensor, step.shape) for step in steps]
    for step, (name, tensor, shape) in zip(steps, names, strict=True):
        counts = [str(step.entries), str(step.nonzeros), number(step.nonzeros / step.entries, 3)]
        rows += [[to_ascii(name), str(tensor), str(shape), *counts, str(step.nbytes)]]
    for of, wrt in (("z3", "z1"), ("z3", "W1"), ("J", "z1"), ("J", "W1"), ("J", "b1")):
        whole = RUN.jacobian(of, wrt)
        array, possible = whole.materialise("flat"), whole.can_be_nonzero("flat")
        require(array.nbytes == whole.nbytes and not array[~possible].any())
        density = number(whole.structural_nonzeros / whole.size, 3)
        counts = [str(whole.size), str(whole.structural_nonzeros), density, str(whole.nbytes)]
        rows += [[f"d{of}/d{wrt}", str(whole.shape), str(whole.shape_in("flat")), *counts]]
    block(table(rows))
    say("the first are the local ones, in the order of backpropagation; the last five are products")


def every_order(run, of, wrt):
    """One product in three orders: its price, and that the order does not change the numbers."""
    orders = ("reverse", "forward", "planned")
    chains = [run.chain(wrt, order, of=of) for order in orders]
    arrays = [contract_full(run.jacobian(of, wrt), order) for order in orders]
    cheapest = chains[2].multiplications
    rows = [["order", "cost", "largest", "brackets"]]
    for chain in chains:
        brackets = to_ascii(chain.brackets)
        same = [c.order for c in chains[:2] if c.multiplications == cheapest]
        if chain.order == "planned" and same:  # the planner is free to break a tie
            brackets = f"as cheap as {same[0]}"
        cost, largest = f"{chain.multiplications:,}", f"{chain.largest_intermediate:,}"
        rows += [[chain.order, cost, largest, brackets]]
    block(table(rows))
    apart = gap([arrays[0]] * 2, arrays[1:], 1e-11)
    say(f"the three arrays, shape {arrays[0].shape} in layout numerator: {apart}")
    return [chain.multiplications for chain in chains]


def linear_chain(sizes):
    """Layers without activation: the chain has one Jacobian a layer."""
    rng, params = np.random.default_rng(4), {}
    for k, (inputs, outputs) in enumerate(pairwise(sizes), 1):
        params |= {f"W{k}": rng.normal(size=(outputs, inputs)), f"b{k}": np.zeros(outputs)}
    lines = [
        f"z{k} = Linear({f'z{k - 1}' if k > 1 else 'x'}, W{k}, b{k})" for k in range(1, len(sizes))
    ]
    return Network.program(*lines, params=params).run(x=rng.normal(size=sizes[0]))


def orders_of_multiplication():
    title("THE ORDER OF MULTIPLICATION")
    say("X4   cost: (m, k) times (k, n) takes m k n multiplications; largest: entries of the")
    say("largest product on the way; planned: the order that a planner picks")
    say("a scalar cost: dJ/dW[1] of the network above; a row stays a row from the left")
    reverse, forward, planned = every_order(RUN, "J", "W1")
    require(planned <= reverse < forward)
    sizes = [12, 9, 2, 8, 11]
    say(f"an hourglass, widths {sizes}, and all of its output: dz4/dx")
    reverse, forward, planned = every_order(linear_chain(sizes), "z4", "x")
    require(planned < min(reverse, forward))
    say("the mixed order wins: both sides are multiplied as far as the neck of 2, then together")
    sizes = [2, 9, 8, 12]
    say(f"few inputs, many outputs, widths {sizes}: dz3/dx")
    reverse, forward, planned = every_order(linear_chain(sizes), "z3", "x")
    require(planned <= forward < reverse)


def relative_error(analytic, numeric):
    """|a - n| / (|a| + |n|) in each entry, and 0 where both are 0."""
    apart, size = np.abs(analytic - numeric), np.abs(analytic) + np.abs(numeric)
    return np.divide(apart, size, out=np.zeros_like(apart), where=size > 0)


def differences():
    title("THE CHECK BY FINITE DIFFERENCES")
    exact, differences = RUN.gradients(), RUN.gradients("difference")
    say("X5   e = |a - n| / (|a| + |n|), a by backpropagation, n = (J(w+h) - J(w-h)) / 2h")
    rows = [["", "shape, layout gradient", "both zero", "largest e"]]
    zeros = 0
    for name, a in exact.items():
        n = differences[name]
        both = int(np.sum((a == 0) & (n == 0)))
        zeros += both
        worst = gap(relative_error(a, n), np.zeros(a.shape), 1e-6)[4:]
        rows += [[f"d{name}", str(a.shape), str(both), worst]]
    block(table(rows))
    a, n = exact["b1"], differences["b1"]
    with np.errstate(invalid="ignore"):
        naive = np.abs(a - n) / (np.abs(a) + np.abs(n))
    require(zeros > 0 and np.array_equal(np.isnan(naive), (a == 0) & (n == 0)))
    say(f"""
        a unit that is off has slope 0 twice; 0/0 is {naive[a == 0][0]}, no number, so e is 0 there.
        What e says of a wrong gradient, in all entries of dW2 that are not 0:
    """)
    live = exact["W2"] != 0
    a, n = exact["W2"][live], differences["W2"][live]
    for words, wrong in (("twice as large", 2 * a), ("the wrong sign", -a), ("0 instead", 0 * a)):
        e = relative_error(wrong, n)
        require(np.ptp(e) < 1e-6)
        block([f"{words:<16}e = {number(e.mean(), 3)}"])
    say("e is at most 1: it says that something is wrong, and cannot tell the last two apart")
    report = RUN.check()
    require(report.ok)
    routes = ", ".join(f"{row.route} {row.compared} of {row.total}" for row in report.rows)
    say(f"""
        run.check() compares every entry on every route with the vjp, each within its own bar for
        rounding: {routes}
    """)


class CountedError(HalfSquaredError):
    """The loss, with a count of its evaluations, forward and backward."""

    forwards = backwards = 0

    def forward(self, a, y):
        CountedError.forwards += 1
        return super().forward(a, y)

    def vjp(self, bar, a, y):
        CountedError.backwards += 1
        return super().vjp(bar, a, y)


def counted(sizes):
    """A network of these widths, run with a loss that counts, and its gradients."""
    net = Network.dense(sizes, "sigmoid", "half_squared_error", seed=0)
    lines = [line.replace("HalfSquaredError", "CountedError") for line in net.steps[:-1]]
    program = Network.program(*lines, params=net.params, ops={"CountedError": CountedError})
    CountedError.forwards = CountedError.backwards = 0
    run = program.run(x=np.linspace(-1, 1, sizes[0]), y=np.zeros(sizes[-1]))
    return net.parameter_count, run, run.gradients()


def count_the_passes():
    title("THE NUMBER OF PASSES")
    params, run, exact = counted([3, 4, 2])
    forward, backward = CountedError.forwards, CountedError.backwards
    slopes = run.gradients("difference")
    by_loss = CountedError.forwards - forward
    apart = [gap(slopes[name], exact[name], 1e-8) for name in exact]
    require((forward, backward, by_loss) == (1, 1, 2 * params))
    say(f"""
        J27  the first seed's Figure 1, 3-4-2, {params} parameters; the loss counts its calls:
                 differences of J   {by_loss} evaluations of the loss, 2 for each parameter
                 backpropagation    {backward} pass backward, after {forward} forward
             the same gradients, {apart[0]}. In wider nets, the passes
             counted, the evaluations 2 for each parameter:
    """)
    rows = [["widths", "parameters", "evaluations", "passes backward"]]
    for sizes in ([3, 4, 2], [64, 32, 10], [784, 128, 10]):
        count = counted(sizes)[0]
        passes = str(CountedError.backwards)
        rows += [["-".join(map(str, sizes)), f"{count:,}", f"{2 * count:,}", passes]]
    block(table(rows))


if __name__ == "__main__":
    legend()
    the_price_of_a_layer()
    every_shape()
    orders_of_multiplication()
    differences()
    count_the_passes()
