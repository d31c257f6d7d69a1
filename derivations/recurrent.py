"""A recurrent cell through three steps: one weight, three paths.

    python derivations/recurrent.py

The same W is read at every step, so that its gradient is a sum over the steps:
backpropagation through time. Numbers are rounded for print; what is said to be the
same is within 1e-12. A statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import number, to_ascii, vector
from jacobian_bp.writing.tables import array_block, table

RNG = np.random.default_rng(7)
STEPS, UNITS, INPUTS = 3, 3, 2
PARAMS = {"U": RNG.normal(size=(UNITS, INPUTS)), "b": RNG.normal(size=UNITS) / 4}
PARAMS |= {"W": RNG.normal(size=(UNITS, UNITS)) * 0.7}
DATA = {f"x{t}": RNG.normal(size=INPUTS) for t in range(1, STEPS + 1)}
DATA |= {"h0": RNG.normal(size=UNITS) / 2, "y": RNG.normal(size=UNITS)}
TINY = 1e-12


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def near(left, right):
    return np.shape(left) == np.shape(right) and np.max(np.abs(np.subtract(left, right))) < TINY


def equal(statement, left, right, layout):
    require(near(left, right))
    print(f"{statement:<62}{np.shape(left)!s:<12}{layout:<12}gap < {TINY:g}")


def cell(t, weight="W"):
    return (
        f"v{t} = Linear(x{t}, U, b)",
        f"r{t} = Einsum({weight}, h{t - 1}, 'kj,j->k')",
        f"z{t} = Add(v{t}, r{t})",
        f"h{t} = Tanh(z{t})",
    )


def unrolled(weights, params):
    lines = [line for t, weight in enumerate(weights, 1) for line in cell(t, weight)]
    return Network.program(*lines, f"J = HalfSquaredError(h{len(weights)}, y)", params=params)


NET = unrolled("W" * STEPS, PARAMS)
RUN = NET.run(**DATA)


def jac(of, wrt):
    return RUN.jacobian(of, wrt).materialise("flat")


def the_cell():
    print("A recurrent cell through three steps, differentiated\n")
    block(
        [
            "      W         W         W        one W, read three times",
            "      |         |         |",
            "h0 -> h1 -----> h2 -----> h3 -> J",
            "      |         |         |",
            "      x1        x2        x3       by U and b, one U and one b",
        ]
    )
    print("\neach step the same lines, here the second:\n")
    block(map(to_ascii, cell(2)))
    print(f"""
hence h2 = tanh(U x2 + b + W h1). The cost looks at the last state: J = 1/2 sum (h3 - y)^2

flat       layout of a Jacobian: outputs x entries of the variable, a matrix row by row
gradient   layout of a gradient: the shape of its parameter, {RUN["W"].shape} for W
prime      marks the index of the variable; delta[k,k'] = 1 if k = k', else 0""")


def the_carry():
    title("THE CARRY: ONE STEP BACK IN TIME")
    local, slopes = RUN.jacobian("h2", "h1"), np.diag(1 - RUN["h2"] ** 2)
    print("h2 reads h1 through r2 and z2:\n")
    for of, wrt in (("h2", "z2"), ("z2", "r2"), ("r2", "h1")):
        print(f"    {RUN.jacobian(of, wrt).text(ascii_only=True).splitlines()[0]}")
    print()
    print("dh2/dh1, their product, in layout flat:\n")
    block(array_block(local.materialise("flat"), None, 60, 3))
    print()
    equal("dh2/dh1 = diag(1 - h2^2) W", jac("h2", "h1"), slopes @ PARAMS["W"], "flat")
    equal("dh3/dh1 = dh3/dh2 dh2/dh1", jac("h3", "h1"), jac("h3", "h2") @ jac("h2", "h1"), "flat")


def three_paths():
    title("ONE WEIGHT, THREE PATHS")
    whole = RUN.jacobian("J", "W")
    require(whole.paths == STEPS)
    print(f"""\
from J back to W there are {whole.paths} paths, one for each time that W is read. As if three
weights stood there, of the same numbers, and each were moved alone:
""")
    names = [f"W{t}" for t in range(1, STEPS + 1)]
    params = {"U": PARAMS["U"], "b": PARAMS["b"]} | {name: PARAMS["W"].copy() for name in names}
    apart = unrolled(names, params)
    gradients = apart.run(**DATA).gradients()
    shares = {name: gradients[name] for name in names}
    found = RUN.gradients()["W"]
    delta = {t: jac("J", f"z{t}")[0] for t in range(1, STEPS + 1)}
    ways = {3: "dJ/dh3", 2: "dJ/dh3 dh3/dh2", 1: "dJ/dh3 dh3/dh2 dh2/dh1"}
    rows = [["read at", "path", "row 0 of its share", "largest"]]
    for t, way in ways.items():
        share = shares[f"W{t}"]
        rows += [
            [f"step {t}", f"{way} dh{t}/dW", vector(share[0], 3), number(np.abs(share).max(), 3)]
        ]
    rows += [["", "all three added: dJ/dW", vector(found[0], 3), number(np.abs(found).max(), 3)]]
    block(table(rows, "   "))
    print("\nthe last factor holds the state before it: only the W of that step is moved there\n")
    equal("the three shares added up = dJ/dW", sum(shares.values()), found, "gradient")
    for t in range(STEPS, 0, -1):
        equal(
            f"share of step {t} = delta{t} h{t - 1}^T, delta{t} = dJ/dz{t}",
            shares[f"W{t}"],
            np.outer(delta[t], RUN[f"h{t - 1}"]),
            "gradient",
        )
    for t in (2, 1):
        back = (delta[t + 1] @ PARAMS["W"]) * (1 - RUN[f"h{t}"] ** 2)
        equal(f"delta{t} = W^T delta{t + 1} .* (1 - h{t}^2)", delta[t], back, "gradient")
    print(
        "\nso dJ/dW = sum_t delta_t h_(t-1)^T: one sweep back, and at each step an outer product is"
    )
    print("added. In code it is dW += ..., with dW = 0 before the sweep.")
    print()
    others = RUN.gradients()
    equal(
        "dJ/dU = sum_t delta_t x_t^T",
        others["U"],
        sum(np.outer(delta[t], DATA[f"x{t}"]) for t in delta),
        "gradient",
    )
    equal("dJ/db = sum_t delta_t", others["b"], sum(delta.values()), "gradient")
    return shares, found


def what_one_forgets(shares, found):
    title("A SWEEP CUT SHORT")
    h, at = 1e-5, np.unravel_index(np.argmax(np.abs(shares["W1"])), found.shape)
    costs = []
    for step in (h, -h):
        W = PARAMS["W"].copy()
        W[at] += step
        costs.append(NET.with_params({"W": W}).run(**DATA).loss)
    slope = (costs[0] - costs[1]) / (2 * h)
    require(abs(slope - found[at]) < 1e-8)
    entry = f"W[{at[0]},{at[1]}]"
    rows = [["(J(+h) - J(-h)) / 2h", f"{slope:.4f}", "W moved at all three steps at once"]]
    said = {1: "h2 taken for data", 2: "h1 taken for data", 3: "dJ/dW"}
    for kept, words in said.items():
        value = sum(shares[f"W{t}"][at] for t in range(STEPS, STEPS - kept, -1))
        require((abs(value - slope) < 1e-8) == (kept == STEPS))
        rows += [[f"back through {kept} step{'s'[: kept != 1]}", f"{value:.4f}", words]]
    print(f"the derivative of J by {entry}, h = {h:g}:\n")
    block(table(rows, "   "))
    print("""
a sweep that stops early leaves paths out: truncated backpropagation through time. The shape is
right, and so are dJ/dh3 and the share of the last step.""")


def many_steps():
    title("MANY STEPS: THE CARRY IS MULTIPLIED WITH ITSELF")
    print("""\
largest entry of dh_T/dh_0. h0 = 0 and x = 0, so that every slope 1 - h^2 is 1; the W above,
scaled so that its largest eigenvalue has the size in the head of the column:
""")
    sizes, counts = (0.5, 1.0, 1.5), (1, 3, 10, 30)
    radius = np.max(np.abs(np.linalg.eigvals(PARAMS["W"])))
    table_rows = [["T", *(f"{size:g}" for size in sizes)]]
    largest = {}
    for T in counts:
        for size in sizes:
            params = {"U": PARAMS["U"], "b": np.zeros(UNITS), "W": PARAMS["W"] * (size / radius)}
            zeros = {f"x{t}": np.zeros(INPUTS) for t in range(1, T + 1)}
            run = unrolled("W" * T, params).run(h0=np.zeros(UNITS), y=DATA["y"], **zeros)
            whole = run.jacobian(f"h{T}", "h0").materialise("flat")
            power = np.linalg.matrix_power(params["W"], T)
            require(np.max(np.abs(whole - power)) < TINY * np.max(np.abs(power)))
            largest[T, size] = np.max(np.abs(whole))
        table_rows += [[str(T), *(number(largest[T, size], 3) for size in sizes)]]
    require(largest[30, 0.5] < 1e-6 and largest[30, 1.5] > 1e4)
    block(table(table_rows, "   "))
    print("""
each is W times itself, T factors: below 1 it fades, above 1 it grows. Where a state is not 0, its
slope is below 1 and makes the row of the factor smaller still.""")


if __name__ == "__main__":
    the_cell()
    the_carry()
    what_one_forgets(*three_paths())
    many_steps()
