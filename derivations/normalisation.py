"""Layer norm and batch norm: one formula along two axes, and where the sum over examples fails.

    python derivations/normalisation.py

The gradient of a batch is the sum of what its examples give alone, as long as no
example reads another. Batch norm lets them read each other. Numbers are rounded
for print; what is said to be the same is within 1e-12. Indices count from 0. A
statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import DomainError, Network
from jacobian_bp.writing.signs import to_ascii
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number

RNG = np.random.default_rng(38)
X, T = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 3))
PARAMS = {"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=3)}
PARAMS |= {"gamma": RNG.uniform(0.5, 2, size=3), "beta": RNG.normal(size=3)}
NETS = {
    norm: Network.program(
        "z = Linear(x, W, b)",
        f"y = {norm}Norm(z, gamma, beta, eps=0)",
        "L = HalfSquaredError(y, t)",
        "J = Sum(L)",
        params=PARAMS,
    )
    for norm in ("Layer", "Batch")
}
RUNS = {norm: net.run(X, t=T) for norm, net in NETS.items()}
N, D = RUNS["Batch"]["z"].shape
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
    print(f"{statement:<60}{np.shape(left)!s:<14}{layout:<12}gap < {TINY:g}")


def digits(values):
    return [f"{value:.3f}" for value in np.round(values, 3) + 0.0]  # no -0


def the_programs():
    print("Layer norm and batch norm, differentiated\n")
    block(map(to_ascii, NETS["Layer"].steps))
    print(f"""
or BatchNorm in place of LayerNorm, with the same parameters. z_hat = (z - mean)/s, s^2 is the
mean of (z - mean)^2, y = gamma z_hat + beta; the one has its means over k, the other over n.

n, k       example and unit of z and y {(N, D)}; a prime marks the variable
numerator  layout of a Jacobian: the axes of the output, then those of the variable
flat       layout of a Jacobian: all outputs x all entries of the variable, row by row
rows       layout of values: one example a row
gradient   layout of a gradient: the shape of its parameter
zeros      '.' is zero for every input; numbers in pictures are rounded to 2 places
eps        0, so that the laws below hold as they stand; a net in use has 1e-5 there""")


def formula(jacobian):
    """The equation, on as many lines as it takes."""
    print(jacobian.text(ascii_only=True).partition("\n  layout")[0])


def picture(norm, counted):
    run = RUNS[norm]
    whole = run.jacobian("y", "z")
    formula(whole)
    print(f"numerator {whole.shape}, flat {whole.shape_in('flat')}: {run.reason('y', 'z')}\n")
    mask = whole.can_be_nonzero("flat")
    require(whole.structural_nonzeros == counted == mask.sum())
    rows = [["", *(f"z{n},{k}" for n in range(N) for k in range(D))]]
    places = [(n, k) for n in range(N) for k in range(D)]
    for (n, k), values, own in zip(places, whole.materialise("flat"), mask, strict=True):
        rows += [[f"y{n},{k}", *zero_or_number(np.round(values, 2), own, 3)]]
    require(np.min(np.abs(whole.materialise("flat")[mask])) > 0.02)
    block(right_aligned(rows))
    print(f"\n{counted} of {whole.size} can be non-zero")
    return whole.materialise()


def one_formula():
    title("ALONG k: EACH EXAMPLE KEEPS TO ITSELF")
    layer = picture("Layer", N * D * D)
    between = [layer[n, :, m] for n in range(N) for m in range(N) if n != m]
    require(not np.any(between))
    title("ALONG n: EACH UNIT KEEPS TO ITSELF, AND EXAMPLES MIX")
    batch = picture("Batch", N * N * D)
    between = [batch[:, k, :, j] for k in range(D) for j in range(D) if k != j]
    require(not np.any(between))
    turned = Network.program(
        "y = LayerNorm(z, g, c, eps=0)", params={"g": np.ones(N), "c": np.zeros(N)}
    )
    by_unit = turned.run(z=RUNS["Batch"]["z"].T).jacobian("y", "z").materialise()
    print("\nthe one is the other with n and k exchanged, but for gamma, which stays with k:\n")
    gain = PARAMS["gamma"][:, None, None, None]
    equal(
        "gamma[k] times dy/dz of LayerNorm(z^T), turned back",
        batch,
        (gain * by_unit).transpose(1, 0, 3, 2),
        "numerator",
    )
    return batch


def the_sum_fails(batch):
    title("WHERE THE SUM OVER EXAMPLES HOLDS, AND WHERE IT FAILS")
    layer, run = RUNS["Layer"], RUNS["Batch"]
    print("layer norm: the examples one at a time, then their gradients added up\n")
    ones = [NETS["Layer"].run(x, t=t) for x, t in zip(X, T, strict=True)]
    equal(
        "dJ/dz of the batch: row n from example n alone",
        layer.jacobian("J", "z").materialise(),
        [one.jacobian("J", "z").materialise() for one in ones],
        "rows",
    )
    for name, gradient in layer.gradients().items():
        equal(
            f"d{name} of the batch: the {N} gradients of one example, summed",
            gradient,
            sum(one.gradients()[name] for one in ones),
            "gradient",
        )
    try:
        NETS["Batch"].run(X[:1], t=T[:1])
    except DomainError as error:
        print("\nbatch norm: one example alone cannot even be run\n")
        block(str(error).splitlines())
    else:
        require(False)
    print("""
with mean and spread held fast, delta[n,n'] alone would be left. But they are functions of z, and
every example moves them. What arrives at unit 0, with g = dJ/dy:
""")
    g, z = run.jacobian("J", "y").materialise(), run["z"]
    s = np.sqrt(np.mean((z - z.mean(axis=0)) ** 2, axis=0))
    normal, gain = (z - z.mean(axis=0)) / s, PARAMS["gamma"] / s
    sums = g.mean(axis=0), (g * normal).mean(axis=0)
    parts = {
        "direct, delta[n,n']": gain * g,
        "by the mean, -1/N": -gain * sums[0] * np.ones((N, 1)),
        "by the spread, -z_hat z_hat'/N": -gain * normal * sums[1],
    }
    total = sum(parts.values())
    rows = [["dJ/dz[n,0]", *(f"n = {n}" for n in range(N)), "sum"]]
    rows += [
        [name, *digits(part[:, 0]), *digits([part[:, 0].sum()])] for name, part in parts.items()
    ]
    rows += [["all three", *digits(total[:, 0]), *digits([total[:, 0].sum()])]]
    block(table(rows, "   "))
    print()
    equal(
        "all three = g dy/dz, the whole Jacobian", total, np.einsum("nk,nkmj->mj", g, batch), "rows"
    )
    equal("          = dJ/dz by the vjp route", total, run.vjp("J", "z", 1.0), "rows")
    off = np.max(np.abs(parts["direct, delta[n,n']"] - total))
    require(off > 0.5)
    print(f"""
the direct part alone is what there would be if no example read another. Its shape is right, and
its entries are off by up to {off:.1f}; the largest of dJ/dz is {np.max(np.abs(total)):.1f}.""")
    return total


def what_the_mean_takes(total):
    title("WHAT MEAN AND SPREAD TAKE AWAY")
    run = RUNS["Batch"]
    normal = (run["y"] - PARAMS["beta"]) / PARAMS["gamma"]
    print(
        "shift a unit in all examples, or stretch it about its mean: z_hat stays as it is. Hence\n"
    )
    equal("sum_n dJ/dz[n,k] = 0", total.sum(axis=0), np.zeros(D), "gradient")
    equal("sum_n z_hat[n,k] dJ/dz[n,k] = 0", (normal * total).sum(axis=0), np.zeros(D), "gradient")
    equal(
        "db = 0: a bias in front of batch norm learns nothing",
        run.gradients()["b"],
        np.zeros(D),
        "gradient",
    )
    b = RUNS["Layer"].gradients()["b"]
    require(np.min(np.abs(b)) > 0.01)
    print(f"""
in front of layer norm it learns, db = [{"  ".join(digits(b))}]: b[k] differs from unit to
unit, and layer norm takes away only what all units of an example have in common.""")


def gain_and_shift():
    title("GAIN AND SHIFT: HERE THE SUM OVER EXAMPLES HOLDS")
    run = RUNS["Batch"]
    g = run.jacobian("J", "y").materialise()
    normal = (run["y"] - PARAMS["beta"]) / PARAMS["gamma"]
    for name in ("gamma", "beta"):
        formula(run.jacobian("y", name))
    print()
    for step in run.derivation("flat").gradients:
        if step.name.endswith(("gamma", "beta")):
            lines = f"{step.name} = {step.before}\n{'=':>{len(step.name) + 2}} {step.after}"
            print(to_ascii(lines.replace("∂J/∂y[", "g[")))
    print()
    equal(
        "dgamma = sum_n g[n,k] z_hat[n,k], g = dJ/dy",
        run.gradients()["gamma"],
        (g * normal).sum(axis=0),
        "gradient",
    )
    equal("dbeta  = sum_n g[n,k]", run.gradients()["beta"], g.sum(axis=0), "gradient")
    print(
        "\nfor z_hat as the batch has made it: the examples have met already, in the forward pass."
    )


def half_a_batch():
    title("HALF A BATCH, TWICE: GRADIENTS ADDED UP OVER STEPS")
    m = 6
    x, t = RNG.normal(size=(m, 2)), RNG.normal(size=(m, 3))
    rows = [["", "dW[0,0] of all 6", "of 3, and 3 more", "largest gap in dW"]]
    for norm, net in NETS.items():
        whole = net.run(x, t=t).gradients()["W"]
        halves = sum(net.run(x[at], t=t[at]).gradients()["W"] for at in (slice(3), slice(3, 6)))
        gap = np.max(np.abs(whole - halves))
        require(gap < TINY if norm == "Layer" else gap > 0.1)
        rows += [
            [
                f"{norm.lower()} norm",
                *digits([whole[0, 0], halves[0, 0]]),
                "< 1e-12" if gap < TINY else f"{gap:.3f}",
            ]
        ]
    block(table(rows, "   "))
    print(
        "\na batch too large for the memory can be cut in parts and the gradients added up, but not"
    )
    print("behind batch norm: it is another function for every cut.")


if __name__ == "__main__":
    the_programs()
    what_the_mean_takes(the_sum_fails(one_formula()))
    gain_and_shift()
    half_a_batch()
