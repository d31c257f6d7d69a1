"""Why the order of multiplication matters: one product, three orders, three winners.

    python derivations/order_matters.py

A scalar cost, few inputs with many outputs, and an hourglass. Every price is counted
from shapes, none is timed, so that the output is the same every time; every product is
really computed in all three orders, and compared. A statement that does not hold ends
the script.
"""

from itertools import pairwise
from math import prod
from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.routes.einsum_chain import contract_full
from jacobian_bp.writing.signs import number, to_ascii
from jacobian_bp.writing.tables import table

ORDERS = ("reverse", "forward", "planned")
WIDTHS = [8, 16, 32, 64, 128, 256]


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def spell(shape):
    """A shape as it is read: 5 x 4 x 3."""
    return " x ".join(map(str, shape))


def layers(sizes, seed=4):
    """Layers without activations: the chain has one Jacobian a layer."""
    rng, params = np.random.default_rng(seed), {}
    lines = []
    for k, (inputs, outputs) in enumerate(pairwise(sizes), 1):
        lines += [f"z{k} = Linear({f'z{k - 1}' if k > 1 else 'x'}, W{k}, b{k})"]
        params |= {f"W{k}": rng.normal(size=(outputs, inputs)), f"b{k}": np.zeros(outputs)}
    return Network.program(*lines, params=params).run(rng.normal(size=sizes[0]))


def prices(sizes):
    """The price of every way to bracket a product of matrices, (s0 x s1)(s1 x s2)..."""
    if len(sizes) < 3:
        return [0]
    outer = sizes[0] * sizes[-1]
    return [
        left + right + outer * sizes[cut]
        for cut in range(1, len(sizes) - 1)
        for left in prices(sizes[: cut + 1])
        for right in prices(sizes[cut:])
    ]


def joined(run, chain, of, wrt):
    """The chain as matrices: the sizes of its output, of each value between, of its variable."""
    between = [run[name.split("/")[0][1:]].size for name, _ in chain.operands[1:]]
    return [run[of].size, *between, run[wrt].size]


def in_every_order(run, of, wrt):
    """Operands, prices and brackets of one chain; the numbers do not depend on the order."""
    chains = {order: run.chain(wrt, order, of=of) for order in ORDERS}
    cost = {name: chain.multiplications for name, chain in chains.items()}
    factors = chains["reverse"].operands
    letters = dict(zip((name for name, _ in factors), "ABCDE"[: len(factors)], strict=True))
    rows = [["", "factor", "shape"]]
    block(table(rows + [[letters[n], to_ascii(n), spell(shape)] for n, shape in factors]))
    print()
    rows = [["order", "brackets", "multiplications", "", "largest"]]
    for name, chain in chains.items():
        brackets = chain.brackets
        for factor, letter in letters.items():
            brackets = brackets.replace(factor, letter)
        each = " + ".join(f"{p.multiplications:,}" for p in chain.products)
        require(sum(p.multiplications for p in chain.products) == cost[name])
        times = f"{number(cost[name] / cost['planned'], 3)} times the best"
        ratio = "the best" if cost[name] == cost["planned"] else times
        largest = f"{chain.largest_intermediate:,}"
        rows += [[name, brackets, f"{each} = {cost[name]:,}", ratio, largest]]
    block(table(rows))
    every = prices(joined(run, chains["reverse"], of, wrt))
    require(min(every) == cost["planned"] and max(every) >= max(cost.values()))
    ways = f"the {len(every)} ways to bracket {len(factors)} factors"
    print(f"\n{ways} take {min(every):,} to {max(every):,} multiplications")
    arrays = [contract_full(run.jacobian(of, wrt), order) for order in ORDERS]
    gap = max(np.max(np.abs(array - arrays[0])) for array in arrays[1:])
    require(all(array.shape == arrays[0].shape for array in arrays) and gap < 1e-12)
    require(np.max(np.abs(arrays[0])) > 1e-3)
    print(f"computed in all three orders, shape {spell(arrays[0].shape)}: gap less than 1e-12\n")
    return chains, cost


def legend():
    print("One product, three orders: the same numbers at another price\n")
    print("""\
reverse    from the output:   ((A B) C) D
forward    from the variable: A (B (C D))
planned    the cheapest of all, found by an einsum planner
price      (m x k)(k x n) takes m k n multiplications: one for each product of two numbers;
           of dz1/dW1, k' x i' counts as one size: (k x k' i')
largest    entries of the largest product on the way""")


def scalar_cost():
    sizes = [5, 4, 3]
    title(f"A. A SCALAR COST: widths {sizes}, tanh, J = 1/2 sum (a2 - y)^2, the product dJ/dW1")
    net = Network.dense(sizes, "tanh", "half_squared_error", seed=0)
    run = net.run([1.0, -0.5, 0.25, 2.0, -1.0], [0.5, -0.5, 1.0])
    chains, cost = in_every_order(run, "J", "W1")
    require(cost["planned"] == cost["reverse"] < cost["forward"])
    require(chains["planned"].brackets == chains["reverse"].brackets)
    rows = [p.shape for p in chains["reverse"].products]
    require(all(len(shape) == 1 for shape in rows[:-1]) and rows[-1] == run["W1"].shape)
    tensors = [p.shape for p in chains["forward"].products[:-1]]
    require(all(shape[1:] == run["W1"].shape for shape in tensors))
    lengths, shapes = ", ".join(str(prod(shape)) for shape in rows), ", ".join(map(spell, tensors))
    print(f"""\
reverse wins. The output is one number: from the left every product is one row, of
{lengths} numbers. From the right, all {run["W1"].size} entries of W1 stand behind
each row of every product but the last: {shapes}.""")


def few_inputs():
    sizes = [2, 9, 8, 12]
    title(f"B. FEW INPUTS, MANY OUTPUTS: widths {sizes}, no activations, the product dz3/dx")
    chains, cost = in_every_order(layers(sizes), "z3", "x")
    require(cost["planned"] == cost["forward"] < cost["reverse"])
    require(chains["planned"].brackets == chains["forward"].brackets)
    require(all(p.shape[1] == sizes[0] for p in chains["forward"].products))
    require(all(p.shape[0] == sizes[-1] for p in chains["reverse"].products))
    print(f"""\
forward wins. x has {sizes[0]} entries: from the right every product has {sizes[0]} columns.
From the left every product has a row for each of the {sizes[-1]} outputs.""")


def hourglass():
    sizes = [11, 9, 2, 8, 12]
    title(f"C. AN HOURGLASS: widths {sizes}, no activations, the product dz4/dx")
    chains, cost = in_every_order(layers(sizes), "z4", "x")
    require(cost["planned"] < min(cost["reverse"], cost["forward"]))
    waist = min(sizes)
    left, right, together = chains["planned"].products
    sides = sorted((left.shape, right.shape), reverse=True)
    require(sides == [(sizes[-1], waist), (waist, sizes[0])])
    require(together.multiplications == sizes[-1] * waist * sizes[0])
    reverse, forward = (chains[name].products[1:] for name in ("reverse", "forward"))
    require([p.shape for p in reverse] == [(sizes[-1], sizes[1]), (sizes[-1], sizes[0])])
    require([p.shape for p in forward] == [(sizes[3], sizes[0]), (sizes[-1], sizes[0])])
    behind = spell(reverse[0].shape), spell(forward[0].shape)
    print(f"""\
a mixed order wins. Each side is multiplied as far as the waist, {spell(sides[0])} and
{spell(sides[1])}, and the two meet over its axis of {waist}. A sweep goes on behind the waist:
reverse with {behind[0]} numbers, forward with {behind[1]}.""")


def exponent(counts):
    """The power of n in a count, fitted to its logarithm over the larger widths."""
    return np.polyfit(np.log(WIDTHS[-3:]), np.log(counts[-3:]), 1)[0]


def the_wider_the_worse():
    title("THE WIDER, THE MORE IT MATTERS")
    kinds = {
        "1 output": (lambda n: [n, n, n, 1], "z3", "forward", (2, 3)),
        "2 inputs": (lambda n: [2, n, n, n], "z3", "reverse", (2, 3)),
        "a waist of 2": (lambda n: [n, n, 2, n, n], "z4", "reverse", (2, 3)),
    }
    print("multiplications in the best order and in one that loses; layers of width n without")
    print("activations, differentiated by x\n")
    rows = [["n", *(f"{kind}: planned, {loser}" for kind, (_, _, loser, _) in kinds.items())]]
    counts = {kind: ([], []) for kind in kinds}
    for n in WIDTHS:
        row = [str(n)]
        for kind, (sizes, of, loser, _) in kinds.items():
            run = layers(sizes(n))
            chains = [run.chain("x", order, of=of) for order in ("planned", loser)]
            require(not any(p.multiplications >= n**3 for p in chains[0].products))
            require(any(p.multiplications == n**3 for p in chains[1].products))
            for found, chain in zip(counts[kind], chains, strict=True):
                found.append(chain.multiplications)
            row += [" against ".join(f"{chain.multiplications:,}" for chain in chains)]
        rows += [row]
    block(table(rows))
    print()
    for kind, (_, _, loser, powers) in kinds.items():
        fitted = [exponent(count) for count in counts[kind]]
        require(all(abs(f - p) < 0.1 for f, p in zip(fitted, powers, strict=True)))
        factor = counts[kind][1][-1] / counts[kind][0][-1]
        print(
            f"{kind:<14} planned grows as n^{number(fitted[0], 3)}, {loser} as "
            f"n^{number(fitted[1], 3)}; at n = {WIDTHS[-1]}: {number(factor, 3)} times"
        )
    print("""
the winner keeps one side of every product narrow: n^2. The loser multiplies two matrices that
are wide on all sides: n^3.""")


def one_sweep():
    title("ONE CHAIN IS NOT THE WHOLE GRADIENT")
    sizes = [7, 6, 6, 6, 6, 5]
    net = Network.dense(sizes, "tanh", "half_squared_error", seed=0)
    costs = {cost.route: cost for cost in cost_card(net.run(np.ones(7), np.zeros(5)))}
    sweep, planned = costs["full, reverse"], costs["full, planned"]
    require(sweep.multiplications < planned.multiplications)
    rows = [["route", "multiplications", "with structural zeros left out"]]
    rows += [
        [c.route, f"{c.multiplications:,}", f"{c.nonzero_multiplications:,}"]
        for c in costs.values()
    ]
    print(f"widths {sizes}, tanh, all {2 * (len(sizes) - 1)} parameters:\n")
    block(table(rows))
    identity = sum(sizes[1:])
    left_out = sweep.nonzero_multiplications - costs["structured"].multiplications
    require(left_out == identity)
    times = number(planned.multiplications / sweep.multiplications, 3)
    print(f"""
the planner finds the cheapest order of each chain, and yet one reverse sweep for all takes
{times} times fewer: the chains of all parameters share their beginning, dJ/dz5, dJ/da4, ...,
and the sweep computes each of these rows once. That is backpropagation.

with structural zeros left out, the sweep takes {left_out} more than the structured route:
the products with the ones of dz/db = I, one for each of the {identity} biases. To spend the
deltas first is never to multiply by a structural zero or one.""")


if __name__ == "__main__":
    legend()
    scalar_cost()
    few_inputs()
    hourglass()
    the_wider_the_worse()
    one_sweep()
