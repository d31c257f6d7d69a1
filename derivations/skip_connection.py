"""A skip connection: two paths from one value to another, and their products added.

    python derivations/skip_connection.py

A value that is read twice sends its error back twice, and the two are added.
All numbers are short binary fractions, exact in floating point: 'same' means
the same to the last bit. Indices count from 0. A statement that does not hold
ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.routes.full import whole_link
from jacobian_bp.writing.signs import number, to_ascii, vector
from jacobian_bp.writing.tables import array_block, table

LINES = (
    "z1 = Linear(x, W1, b1)",
    "a1 = ReLU(z1)",
    "z2 = Linear(a1, W2, b2)",
    "a2 = ReLU(z2)",
    "z3 = Linear(a2, W3, b3)",
    "s = Add(z3, a1)",
    "J = HalfSquaredError(s, y)",
)
PARAMS = {
    "W1": [[0.5, -1.0, 0.25, 1.0], [1.0, 0.5, -0.5, 0.25], [-0.25, -0.5, 1.0, 0.5]],
    "b1": [0.5, -0.25, 0.25],
    "W2": [[1.0, -0.5, 0.5], [-1.0, 0.25, -0.5]],
    "b2": [0.25, 0.5],
    "W3": [[0.5, 1.0], [-1.5, 0.25], [1.0, -0.5]],
    "b3": [0.25, -0.5, 0.5],
}
X, Y = [1.0, -0.5, 0.5, 1.0], [1.0, 0.0, 2.0]
NET = Network.program(*LINES, params=PARAMS)
RUN = NET.run(X, Y)
GRADIENTS = RUN.gradients()


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def equal(statement, left, right, layout="flat"):
    """left = right, both computed, to the last bit."""
    require(np.array_equal(left, right))
    print(f"{statement:<58}{left.shape!s:<12}{layout:<12}same")


def jac(of, wrt):
    return RUN.jacobian(of, wrt).materialise("flat")


def paths(whole):
    """Every way from the output to the variable: its name, and the product of its links."""
    found = []

    def walk(node, name, product):
        if node == len(whole.nodes) - 1:
            found.append((name.strip(), product))
        for link in (link for link in whole.links if link.target == node):
            of, wrt = whole.nodes[node], whole.nodes[link.source]
            local = whole_link(link, whole.nodes, whole.dtype)
            walk(link.source, f"{name} d{of.name}/d{wrt.name}", product @ local)

    walk(0, "", np.eye(whole.shape[0]))
    require(len(found) == whole.paths)
    return sorted(found, key=lambda way: len(way[0]))


def the_network():
    print("A skip connection, differentiated\n")
    block(
        [
            "                   .-------------- the skip ------------.",
            "                   |                                    v",
            "x --W1,b1--> z1 -> a1 --W2,b2--> z2 -> a2 --W3,b3--> z3 + --> s --> J",
        ]
    )
    widths = ", ".join(f"{name} {RUN[name].size}" for name in ("x", "a1", "a2", "z3", "s"))
    print(f"\nwidths: {widths}; Add needs a1 as wide as z3\n")
    for step in NET.steps:
        block([to_ascii(f"{step:<30}{vector(RUN[step.split(' = ')[0]], 12)}")])
    print("""
flat       layout of a Jacobian: outputs x entries of the variable, a matrix row by row
gradient   layout of a gradient: the shape of its parameter
zeros      '.' is zero for every input, '0' is zero for this one""")


def two_paths():
    title("TWO PATHS, ONE SUM")
    whole = RUN.jacobian("s", "a1")
    (short, skip), (long, through) = paths(whole)
    print(
        f"from s back to a1 there are {whole.paths} paths; a path is a product of local Jacobians\n"
    )
    block([f"skip    {short}, local: z3 is held", f"block   {long}"])
    print()
    identity = np.eye(3, dtype=bool)
    sides = [array_block(skip, identity, 40), array_block(through, None, 40)]
    sides += [array_block(whole.materialise("flat"), whole.can_be_nonzero("flat"), 40)]
    heads = ["skip", "block", "ds/da1, both added"]
    block(table([heads, *zip(*sides, strict=True)], "    "))
    print()
    slopes, W2, W3 = np.diag(np.where(RUN["z2"] > 0, 1.0, 0.0)), RUN["W2"], RUN["W3"]
    equal("skip  = I", skip, np.eye(3))
    equal("block = W3 diag(relu'(z2)) W2", through, W3 @ slopes @ W2)
    equal("ds/da1 = I + W3 diag(relu'(z2)) W2", jac("s", "a1"), skip + through)
    return skip, through


def one_gradient(skip, through):
    title("THE GRADIENT IS THE SUM OF BOTH PRODUCTS")
    delta, down = jac("J", "s"), jac("a1", "z1") @ jac("z1", "W1")
    ways = {"skip": delta @ skip, "block": delta @ through}
    parts = {name: (row @ down).reshape(RUN["W1"].shape) for name, row in ways.items()}
    equal("dJ/ds = (s - y)^T", delta, (RUN["s"] - RUN["y"])[None])
    equal("dJ/da1 = dJ/ds + dJ/ds W3 diag(relu'(z2)) W2", jac("J", "a1"), sum(ways.values()))
    equal(
        "dW1 = its share by the skip + by the block",
        GRADIENTS["W1"],
        sum(parts.values()),
        "gradient",
    )
    rows = [["", "dJ/da1", "row 0 of dW1"]]
    rows += [[name, vector(ways[name], 12), vector(parts[name][0], 12)] for name in ways]
    rows += [["sum", vector(jac("J", "a1"), 12), vector(GRADIENTS["W1"][0], 12)]]
    print()
    block(table(rows, "   "))
    require(all(RUN.jacobian("J", name).paths == 1 + (name in ("W1", "b1")) for name in PARAMS))
    print("\nfrom J to every parameter but W1 and b1 there is one path, hence one product")
    return parts


def what_one_forgets(parts):
    title("A PATH LEFT OUT")
    h = 2.0**-8
    at = np.unravel_index(np.argmax(np.abs(parts["skip"])), parts["skip"].shape)
    costs, open_units = [], []
    for step in (h, -h):
        W1 = RUN["W1"].copy()
        W1[at] += step
        run = NET.with_params({"W1": W1}).run(X, Y)
        costs.append(run.loss)
        open_units.append([(run[z] > 0).tolist() for z in ("z1", "z2")])
    slope = (costs[0] - costs[1]) / (2 * h)
    name = f"W1[{at[0]},{at[1]}]"
    require(slope == GRADIENTS["W1"][at] and open_units[0] == open_units[1])
    print(f"move {name} by h = {number(h, 12)} and -h, and see what J does:\n")
    rows = [
        ["(J(+h) - J(-h)) / 2h", number(slope, 12), "no kink between: J is a parabola, so exact"]
    ]
    rows += [["both paths", number(GRADIENTS["W1"][at], 12), "right"]]
    for way, other in (("skip", "block"), ("block", "skip")):
        require(parts[way][at] != slope)
        rows += [[f"{way} only", number(parts[way][at], 12), f"the {other} is forgotten"]]
    block(table(rows, "   "))
    wrong = [key for key in parts if np.array_equal(parts[key], GRADIENTS["W1"])]
    require(not wrong and all(part.shape == RUN["W1"].shape for part in parts.values()))
    print(f"""
either one alone has the right shape, {RUN["W1"].shape}, and dW2, dW3 are right as well: only the
parameters below the fork are wrong. In code it is = written for += in the error of a1.""")


def many_blocks():
    title("MANY BLOCKS, AND WHY ONE WANTS THE SKIP")
    print("blocks like the one above, from a1 on, with an eighth of its weights and b3 = 0:\n")
    rows = [["blocks", "paths", "local Jacobians", "largest |dJ/dx|, with skips", "without"]]
    weak = {"W2": 0.125 * RUN["W2"], "W3": 0.125 * RUN["W3"]}
    for depth in (1, 2, 10, 40):
        whole = {}
        for skips in (True, False):
            lines, params, a = [], {}, "x"
            for k in range(depth):
                lines += [f"u{k} = Linear({a}, W{k}, b{k})", f"h{k} = ReLU(u{k})"]
                lines += [f"v{k} = Linear(h{k}, V{k}, c{k})"]
                lines += [f"s{k} = Add(v{k}, {a})"] if skips else []
                a = f"s{k}" if skips else f"v{k}"
                params |= {f"W{k}": weak["W2"], f"b{k}": PARAMS["b2"]}
                params |= {f"V{k}": weak["W3"], f"c{k}": np.zeros(3)}
            net = Network.program(*lines, f"J = HalfSquaredError({a}, y)", params=params)
            whole[skips] = net.run(RUN["a1"], Y).jacobian("J", "x")
        with_, without = (np.abs(whole[skips].pull(np.array(1.0))).max() for skips in (True, False))
        require(whole[True].paths == 2**depth and whole[False].paths == 1)
        counts = [f"{n:,}" for n in (depth, whole[True].paths, len(whole[True].links))]
        rows += [[*counts, number(with_, 3), number(without, 3)]]
    require(with_ > 0.1 > 1e-9 > without)
    block(table(rows, "   "))
    print(f"""
each block doubles the paths, 2^{depth} = {2**depth:,} of them; but the products share
their factors, and a sweep from J down visits each one once. Without the skips there is one
path, a product of all blocks, and it fades; with them one of the paths is I alone.""")


if __name__ == "__main__":
    the_network()
    what_one_forgets(one_gradient(*two_paths()))
    many_blocks()
