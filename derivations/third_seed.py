"""The third seed, a question by frad and the answer by greg, every step computed.

    python derivations/third_seed.py

The asker's chain of Hadamard products breaks; here is where, at which shapes, and
what numpy would have let pass. Then greg's derivation by differentials, with numbers.
A statement that does not hold ends the script.
"""

from itertools import pairwise
from textwrap import dedent, indent, wrap

import numpy as np

from jacobian_bp import Network
from jacobian_bp.derivation.ledger import LocalStep
from jacobian_bp.program.program_text import OPS
from jacobian_bp.writing.signs import number, to_ascii, vector
from jacobian_bp.writing.tables import array_block, table

SIZES = [3, 5, 4, 2]  # pairwise different: a forgotten transpose cannot fit
L = len(SIZES)
KINDS = ["tanh", "tanh", "identity"]
LOSS = "half_squared_error"
DENSE = [  # the ops of dense networks and their losses
    "Add",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromLogits",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "Einsum",
    "HalfL2Penalty",
    "HalfSquaredError",
    "Huber",
    "Identity",
    "KLDivergence",
    "KLDivergenceFromLogits",
    "L1Penalty",
    "L2Penalty",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Mean",
    "MeanOverOutputs",
    "Multiply",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Sum",
    "Tanh",
]
OPTIONS = {"Einsum": ("ki,i->k",), "MeanOverOutputs": (5,)}  # of an op that cannot do without
OPTIONS |= dict.fromkeys(("L1Penalty", "L2Penalty", "HalfL2Penalty"), (0.01,))
TINY, SMALL = 1e-12, 1e-8  # gaps: of rounding, of finite differences


def made_up(shape, factor):
    """Numbers from -1.15 to 1.05 in no visible order: cubes modulo 23."""
    cubes = np.arange(1, np.prod(shape) + 1) ** 3
    return ((factor * cubes) % 23 - 11.5).reshape(shape) / 10


SHAPES = {}
for i, (inputs, outputs) in enumerate(pairwise(SIZES), 1):
    SHAPES |= {f"W{i}": (outputs, inputs), f"b{i}": (outputs,)}
PARAMS = {name: made_up(shape, i) for i, (name, shape) in enumerate(SHAPES.items(), 2)}
X, Y = made_up((5, SIZES[0]), 3), made_up((5, SIZES[-1]), 10)  # an example a row
NET = Network.dense(SIZES, KINDS, LOSS, params=PARAMS)
RUN, BATCH = NET.run(X[0], Y[0]), NET.run(X, Y)
GRADIENTS = RUN.gradients()  # by the fast route, which builds no Jacobian


def column(value):
    """As the seed has it: a vector is a column, a matrix stays as it is."""
    return value if value.ndim == 2 else value.reshape(-1, 1)


# In the seed's numbering: the input is layer 1, and Theta^(l) leads from l to l+1.
n = dict(enumerate(SIZES, 1))
Theta = {k: RUN[f"W{k}"] for k in range(1, L)}
b = {k: column(RUN[f"b{k - 1}"]) for k in range(2, L + 1)}
z = {k: column(RUN[f"z{k - 1}"]) for k in range(2, L + 1)}
a = {1: column(RUN["x"])} | {k: column(RUN[f"a{k - 1}"]) for k in range(2, L + 1)}
y = column(RUN["y"])
slope = {k: 1 - np.tanh(z[k]) ** 2 for k in range(2, L)}  # phi'(z^(k))
P = {k: np.diag(slope[k][:, 0]) for k in slope}


def jac(of, wrt, layout="gradient"):
    return RUN.jacobian(of, wrt).materialise(layout)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def gap(left, right, limit=TINY):
    """How far two arrays may be apart, and are not; rounding itself differs between machines."""
    left, right = np.asarray(left), np.asarray(right)
    require(left.shape == right.shape and np.max(np.abs(left - right)) < limit)
    return f"gap less than {limit:g}"


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    """Lines with their number in the margin; lines without one are set in behind it."""
    text = dedent(text).strip("\n")
    print(text if text[0] == "F" and text[1].isdigit() else indent(text, " " * 5))


def block(lines):
    print(indent("\n".join(lines), " " * 9))


def equal(item, statement, left, right, layout="gradient", numbers=False):
    """left = right: shape, layout, gap between the two computed sides, and perhaps the numbers."""
    print(f"{item:<5}{statement:<54}{left.shape!s:<10}{layout:<10}{gap(left, right)}")
    if numbers:
        block(array_block(left, None, 88))


def hadamard(A, B):
    """A (.) B as mathematics has it: the shapes must be equal, nothing is broadcast."""
    if A.shape != B.shape:
        raise ValueError(f"no Hadamard product of {A.shape} and {B.shape}")
    return A * B


def attempt(product, *factors):
    """The product of the factors from the left, or the words in which it is refused."""
    result = factors[0]
    for factor in factors[1:]:
        try:
            result = product(result, factor)
        except ValueError as error:
            return None, str(error).strip()
    return result, f"passes, and gives shape {np.shape(result)}"


def refused(product, *factors):
    """The words in which numpy, or mathematics, refuses a product; they must."""
    result, words = attempt(product, *factors)
    require(result is None)
    return words


def halving(function, expected=4):
    """How many times smaller |function(h)| gets each time h halves, rounded."""
    left = [np.linalg.norm(function(2.0**-k)) for k in range(8, 12)]
    ratios = np.divide(left[:-1], left[1:])
    require(np.all(np.abs(ratios / expected - 1) < 0.02))
    return ", ".join(number(r, 2) for r in ratios)


def symbols_and_shapes():
    print("The regression by differentials, every step computed\n")
    say(f"""
        Margin     F1 to F28, the steps of the third seed; 'erratum' corrects it
        gap        how far the two sides of a line 'left = right' are apart, both computed
        column     a value of m entries as (m, 1); a row is its transpose, (1, m)
        gradient   layout of a gradient: the parameter's own shape, a vector as a column
        numerator  layout of a Jacobian: the output's axes, then the variable's
        .  (.)  :  matrix product, Hadamard product (entry by entry), Frobenius product
        layer      1 is the input, L = {L} the output; a superscript (l), or greg's index k
    """)
    title("THE QUESTION: SYMBOLS AND SHAPES")
    whole = RUN.jacobian("z1", "x")
    require(whole.shape_in("gradient") == whole.shape_in("numerator")[::-1])
    product = (Theta[1] @ a[1]).shape
    say(f"""
        F1   "." is the matrix product: Theta^(1) . a^(1) is {product}, no scalar; y^T . y is one,
             {(y.T @ y).shape}. The circled dot, here (.), is Hadamard's product of two equal shapes
             erratum: columns do not make it a "denominator layout". One column x {a[1].shape} has
             dz^(2)/dx as {whole.shape_in("numerator")} in layout numerator, as \
{whole.shape_in("gradient")} in layout gradient
        F2   L = {L} layers, Theta^(l) is n_(l+1) x n_l and carries the lower index
    """)
    forth, back = jac("z1", "x", "numerator"), jac("x", "z1", "numerator")
    require(not back.any())
    equal("", "dz^(2)/da^(1) = Theta^(1)", forth, Theta[1], "numerator")
    say(f"""
        erratum: theta_ij^(l) leads from unit j of layer l to unit i of layer l+1, not back:
        dz_2^(2)/da_3^(1) = theta_23^(1) = {number(forth[1, 2])}, \
da_3^(1)/dz_2^(2) = {number(back[2, 1])}
    """)
    say("F3   b^(l), z^(l), a^(l) have n_l entries, and b^(l) carries the upper index")
    rows = [["l", "n_l", "Theta^(l)", "b^(l)", "z^(l)", "a^(l)", "package", "first seed"]]
    for k in range(1, L + 1):
        values = [str(v[k].shape) if k in v else "none" for v in (Theta, b, z, a)]
        require(k == L or Theta[k].shape == (n[k + 1], n[k]))
        rows += [[str(k), str(n[k]), *values, f"W{k}" * (k < L), f"W^{k + 1}" * (k < L)]]
    block(table(rows))


def forward_and_mean():
    say(f"F4   x = {vector(X[0])}^T, y = {vector(Y[0])}^T; made up, as are the parameters:")
    for k in Theta:
        block([f"b^({k + 1}) = {vector(b[k + 1][:, 0])}^T, Theta^({k}) ="])
        block(array_block(Theta[k], None, 88))
    equal("", "a^(1) = x", a[1], column(X[0]), "column")
    for k in range(2, L + 1):
        affine = Theta[k - 1] @ a[k - 1] + b[k]
        equal("", f"z^({k}) = Theta^({k - 1}) . a^({k - 1}) + b^({k})", z[k], affine, "column")
        rule = f"phi(z^({k})), phi = tanh" if k < L else f"z^({k}), the output is linear"
        equal("", f"a^({k}) = {rule}", a[k], np.tanh(affine) if k < L else affine, "column")
        block([f"{vector(a[k][:, 0])}^T"])
    own = ", ".join(name for name in RUN if name[0] == "z")
    say(f"z^(1) is undefined: the package has {own}, for layers {min(z)} to {max(z)}")
    say(f"""
        F5   {Theta[1].shape} . {a[1].shape} + {b[2].shape} = {z[2].shape}, the shape of z^(2)
             erratum: the term in the middle is n_l x 1; as printed, n_L x 1 = {b[L].shape}:
                 numpy: {refused(np.add, Theta[1] @ a[1], b[L])}
    """)
    costs = [NET.run(*pair).loss for pair in zip(X, Y, strict=True)]
    half = [0.5 * (row @ row) for row in BATCH["a3"] - Y]
    plain = Network.dense(SIZES, KINDS, "squared_error", params=PARAMS).run(X[0], Y[0])
    say(f"""
        F6   J^(i) = 1/2 |h(x^(i)) - y^(i)|^2, half the squared length, as h has {n[L]} entries
             J^(1..{len(X)}) = {vector(np.array(costs))}, {gap(costs, half)}
             J = 1/{len(X)} sum J^(i) = {number(BATCH.loss)}, {gap(BATCH.loss, np.mean(costs))}
             without the 1/2, as in the first seed, dJ/dTheta^(1) is twice as large: \
{gap(plain.gradients()["W1"], 2 * GRADIENTS["W1"])}
        F7   the gradient is a list; by linearity it is the mean over the examples:
    """)
    whole, each = BATCH.gradients(), [NET.run(*pair).gradients() for pair in zip(X, Y, strict=True)]
    for k in Theta:
        mean = np.mean([gradients[f"W{k}"] for gradients in each], axis=0)
        equal("", f"dJ/dTheta^({k}) = 1/{len(X)} sum dJ^(i)/dTheta^({k})", whole[f"W{k}"], mean)
    losses, net, eta = [BATCH.loss], NET, 0.1
    for _ in range(3):
        slopes = net.run(X, Y).gradients()
        net = net.with_params({name: net.params[name] - eta * g for name, g in slopes.items()})
        losses.append(net.run(X, Y).loss)
    require(all(np.diff(losses) < 0))
    say(f"""
        Theta <- Theta - eta dJ/dTheta, eta = {eta}, and so for b; J before, and after each of 3:
            {vector(np.array(losses))}
        from here on one example, the first: J = J^(1)
    """)


def the_derivation_that_breaks():
    title("THE QUESTION: THE CHAIN OF HADAMARD PRODUCTS, AND WHERE IT BREAKS")
    delta4, a3, Theta3, phi3 = a[4] - y, a[3], Theta[3], slope[3]
    G3 = jac("J", "W3")
    equal("F8", "right: delta^(4) = a^(4) - y", jac("J", "z3"), delta4, numbers=True)
    chance, words = attempt(np.multiply, delta4, a3.T)
    errors, outputs = (BATCH["a3"] - Y).T, BATCH["a2"].T
    flat, flatly = attempt(np.multiply, phi3[:, 0], phi3[:, 0])
    require(flat.size != phi3.size**2)
    say(f"""
        F9   wrong: dJ/dTheta^(3) = delta^(4) (.) a^(3)^T,  {delta4.shape} (.) {a3.T.shape}
                 {refused(hadamard, delta4, a3.T)}
                 numpy: {words}: it broadcasts a column and a row
                 to their outer product, the right numbers by luck: {gap(chance, G3)}.
                 The luck ends with several examples, a column each:
                 numpy: {refused(np.multiply, errors, outputs)}
                 and with two flat arrays of {phi3.size} entries, which should give {phi3.size**2}:
                 numpy: {flatly}
    """)
    equal("", "right: delta^(4) . a^(3)^T, the outer product", G3, delta4 @ a3.T)
    mean = errors @ outputs.T / len(X)
    equal("", "       the same line for all examples, over m", BATCH.gradients()["W3"], mean)
    the_second_layer(delta4, a3, Theta3, phi3)
    the_attempt_of_the_comment(delta4, Theta3, phi3)
    which_product_where(delta4, a3, Theta3, phi3)


def the_second_layer(delta4, a3, Theta3, phi3):
    say(f"""
        F10  wrong: delta^(3) = delta^(4) (.) Theta^(3) (.) phi'(z^(3)),  \
{delta4.shape} (.) {Theta3.shape} (.) {phi3.shape}
                 {refused(hadamard, delta4, Theta3)}
                 numpy: the first (.) {attempt(np.multiply, delta4, Theta3)[1]}; the second:
                 numpy: {refused(np.multiply, delta4, Theta3, phi3)}
    """)
    for width in (1, n[3]):
        run = Network.dense([*SIZES[:-1], width], KINDS, LOSS, seed=0).run(X[0], np.zeros(width))
        factors = column(run["a3"] - run["y"]), run["W3"], column(1 - run["a2"] ** 2)
        wrong, words = attempt(np.multiply, *factors)
        right = run.jacobian("J", "z2").materialise("gradient")
        require(wrong.shape != right.shape)
        block([f"if n_L were {width}, numpy: {words}; delta^(3) has {right.shape}"])
        if width == 1:
            found = gap(wrong.diagonal(), right[:, 0])
            block([f"and its entries are on the diagonal of that: {found}"])
    delta3, summed = jac("J", "z2"), np.sum(delta4 * Theta3 * phi3.T, axis=0)
    say(f"""
                 A sum is missing. Unit j of layer 3 is read by every unit i of layer 4, so
                 delta_j^(3) = sum_i delta_i^(4) theta_ij phi'_j, {gap(summed, delta3[:, 0])}
    """)
    right = hadamard(Theta3.T @ delta4, phi3)
    equal("", "right: (Theta^(3)^T . delta^(4)) (.) phi'(z^(3))", delta3, right)
    require(not jac("b3", "W2").any())
    say(f"""
        erratum: Theta^(3) is pulled out, the bias b^(4) stays inside, beside a^(3):
            numpy: {refused(np.add, a3, b[4])}
        it belongs outside, where it vanishes: db^(4)/dTheta^(2) has no entry but 0
    """)
    whole, kept = jac("z3", "W2", "numerator"), jac("a2", "W2", "numerator")
    right = np.tensordot(Theta3, kept, 1)
    equal("", "dz^(4)/dTheta^(2) = Theta^(3) da^(3)/dTheta^(2)", whole, right, "numerator")


def the_attempt_of_the_comment(delta4, Theta3, phi3):
    delta3 = jac("J", "z2")
    tmp, words = attempt(np.dot, Theta3, phi3)
    flat, _ = attempt(np.dot, delta4[:, 0], Theta3, phi3[:, 0])
    say(f"""
        F11  wrong: delta^(3) = delta^(4) . Theta^(3) . phi'(z^(3)),  \
{delta4.shape} . {Theta3.shape} . {phi3.shape}
                 numpy: {refused(np.dot, delta4, Theta3, phi3)}
                 from the right, tmp = Theta^(3) . phi' {words}, then
                 numpy: {refused(np.dot, delta4, tmp)}
                 as flat arrays numpy lets it pass: {number(flat)}, one number for {delta3.size},
                 the sum of the right ones: {gap(flat, delta3.sum())}
             phi' lacks its Diag (F15), and Theta^(3) its transpose and its place, on the left
    """)
    right = P[3] @ Theta3.T @ delta4
    equal("", "right: Diag(phi'(z^(3))) . Theta^(3)^T . delta^(4)", delta3, right)


def which_product_where(delta4, a3, Theta3, phi3):
    say("F12  each pair under both products:")
    rows, carried = [["factors", "shapes", "as .", "as (.)", ""]], jac("J", "a2")
    for name, left, right, wanted in (
        ("delta^(4), a^(3)^T", delta4, a3.T, jac("J", "W3")),
        ("Theta^(3)^T, delta^(4)", Theta3.T, delta4, carried),
        ("Theta^(3)^T . delta^(4), phi'", carried, phi3, jac("J", "z2")),
    ):
        found = [attempt(product, left, right)[0] for product in (np.dot, hadamard)]
        words = ["undefined" if one is None else "right" for one in found]
        (apart,) = {gap(one, wanted) for one in found if one is not None}
        rows += [[name, f"{left.shape}, {right.shape}", *words, apart]]
    block(table(rows))
    say("so to expect plain products is right for delta and for Theta, and wrong for phi'")


def frobenius(A, B):
    """A : B, the sum of the entries of A (.) B."""
    return np.sum(hadamard(A, B))


def frobenius_laws():
    rng, found = np.random.default_rng(16), []
    for _ in range(200):
        p, q, r = rng.integers(1, 9, 3)
        A, B, U, V = (rng.normal(size=s) for s in ((p, q), (p, q), (p, r), (r, q)))
        AB, C = frobenius(A, B), frobenius(B, U @ V)
        left = [AB, frobenius(A, A), AB, AB, C, C]
        right = [np.trace(A.T @ B), np.linalg.norm(A) ** 2, frobenius(B, A), frobenius(A.T, B.T)]
        found.append([left, [*right, frobenius(B @ V.T, U), frobenius(U.T @ B, V)]])
    say("F16  A:B = sum_ij A_ij B_ij takes two equal shapes. 200 times random shapes and entries:")
    laws = [("", "A:B = tr(A^T B)"), ("", "A:A = |A|_F^2"), ("F17", "A:B = B:A")]
    laws += [("", "A:B = A^T:B^T"), ("F18", "C:(AB) = (C B^T):A"), ("", "C:(AB) = (A^T C):B")]
    for (item, law), (left, right) in zip(laws, np.transpose(found, (2, 1, 0)), strict=True):
        print(f"{item:<5}{law:<73}{gap(left, right)}")
    A, B, C = made_up((4, 3), 2), made_up((3, 2), 3), made_up((4, 2), 4)
    pairs = [(C, A @ B), (C @ B.T, A), (A.T @ C, B)]
    shapes = " = ".join(f"{left.shape}:{right.shape}" for left, right in pairs)
    block([f"such as {shapes} = {number(frobenius(C, A @ B))}"])


def the_differentials(dTheta):
    title("THE ANSWER: DIFFERENTIALS AND FROBENIUS PRODUCTS")
    k, da, db = 3, made_up((5, 1), 6), made_up((4, 1), 7)
    dz = dTheta[2] @ a[2] + Theta[2] @ da

    def left_over(h):
        moved = (Theta[2] + h * dTheta[2]) @ (a[2] + h * da) + b[3]
        return moved - z[3] - h * dz

    say(f"F13  z_{k} = b_{k} + Theta_2 a_2, dz_{k} = dTheta_2 a_2 + Theta_2 da_2, shape {dz.shape}")
    equal("", "what is left of a step is dTheta_2 da_2", left_over(1.0), dTheta[2] @ da, "column")
    say(f"which quarters as the step halves: {halving(left_over)}")
    biased = z[3] + left_over(1.0) + dz + db  # z_3 after all three have moved
    moved = (Theta[2] + dTheta[2]) @ (a[2] + da) + (b[3] + db)
    equal("", "greg leaves out the bias, which adds db_3 to dz_3", moved, biased, "column")

    def activation(prediction):
        return lambda h: np.tanh(z[3] + h * dz) - a[3] - h * prediction

    second = -2 * a[3] * slope[3] * dz  # d(phi') = phi'' (.) dz
    halving(lambda h: 1 - np.tanh(z[3] + h * dz) ** 2 - slope[3] - h * second)  # or it stops
    pushed = column(RUN.jvp("a2", "z2", dz[:, 0]))
    equal("F14", "da_3 = phi'(z_3) (.) dz_3", pushed, hadamard(slope[3], dz), "column")
    say(f"tanh(z_3 + dz_3) - a_3 - da_3 quarters: {halving(activation(slope[3] * dz))}")
    wrong = halving(activation(second * dz), 2)
    say(f"erratum: a stray d, da = dphi'(z) (.) dz; with it the rest only halves: {wrong}")
    equal("F15", "P_3 dz_3 = phi'(z_3) (.) dz_3", P[3] @ dz, hadamard(slope[3], dz), "column")
    P3 = jac("a2", "z2", "numerator")
    equal("", "P_3 = Diag(phi'(z_3)) = da_3/dz_3", P[3], P3, "numerator")
    block(array_block(P[3], RUN.jacobian("a2", "z2").can_be_nonzero("numerator"), 88))
    block(["'.' is zero for every input"])
    frobenius_laws()


def the_recursion():
    """F19: g_k and G_k by greg's two lines, compared with the package."""
    g, G = {L: z[L] - y}, {}
    equal("F19", f"g_{L} = z_{L} - y", jac("J", f"z{L - 1}"), g[L], numbers=True)
    say(f"G_{L} = 0: there is no Theta_{L}, so nothing to differentiate by")
    for k in range(L - 1, 0, -1):
        G[k] = g[k + 1] @ a[k].T
        name = f"G_{k} = g_{k + 1} a_{k}^T"
        shapes = f"{g[k + 1].shape}{a[k].T.shape}"
        equal("", f"{name:<25} {shapes}", GRADIENTS[f"W{k}"], G[k], numbers=True)
        if k > 1:
            g[k] = P[k].T @ Theta[k].T @ g[k + 1]
            name = f"g_{k} = P_{k}^T Theta_{k}^T g_{k + 1}"
            shapes = f"{P[k].T.shape}{Theta[k].T.shape}{g[k + 1].shape}"
            equal("", f"{name:<25} {shapes}", jac("J", f"z{k - 1}"), g[k], numbers=True)
    say("g_1 would need z_1, which is undefined; with P_1 = I it is the slope by the input:")
    equal("", "dJ/dx = Theta_1^T g_2", jac("J", "x"), Theta[1].T @ g[2])
    biases = [column(GRADIENTS[f"b{k - 1}"]) for k in g]
    apart = gap(np.vstack(biases), np.vstack(list(g.values())))
    say(f"the biases, left out by greg: dJ/db_k = g_k for k = 2, 3, 4, {apart}")
    return g, G


def the_cost_unrolled(g, G, dTheta):
    dz, da = {}, {1: np.zeros_like(a[1])}
    for k in range(2, L + 1):
        dz[k] = dTheta[k - 1] @ a[k - 1] + Theta[k - 1] @ da[k - 1]
        da[k] = P[k] @ dz[k] if k < L else dz[k]
    J, first = 0.5 * frobenius(g[L], g[L]), frobenius(g[L], dz[L])
    say(f"""
        F20  J = 1/2 g_4:g_4 = {number(J)}, {gap(RUN.loss, J)}; y is data, dg_4 = dz_4, and
             dJ = g_4:dg_4 = g_4:dz_4 = {number(first)} for dTheta_1, dTheta_2, dTheta_3 made up.
             Now dz_4 is expanded by F13 and F15, and moved over to g_4 by F18:
    """)

    def line(item, statement, *terms):
        print(f"{item:<5}dJ = {statement:<58}{gap(np.array(sum(terms)), first)}")
        block([f"= {' + '.join(map(number, terms))}"])

    by_theta = {k: frobenius(G[k], dTheta[k]) for k in G}
    outer, rest = g[4] @ a[3].T, Theta[3] @ P[3] @ dz[3]
    statement = "(g_4 a_3^T):dTheta_3 + g_4:(Theta_3 P_3 dz_3)"
    line("F21", statement, frobenius(outer, dTheta[3]), frobenius(g[4], rest))
    line("", "G_3:dTheta_3 + g_3:dz_3", by_theta[3], frobenius(g[3], dz[3]))
    say("F22  what stands before a differential is the derivative by it; three can be read off:")
    equal("", "g_4 = dJ/dz_4", g[4], jac("J", "z3"))
    equal("", "g_3 = dJ/dz_3", g[3], jac("J", "z2"))
    equal("", "G_3 = dJ/dTheta_3", G[3], jac("J", "W3"))
    statement = "G_3:dTheta_3 + G_2:dTheta_2 + g_2:dz_2"
    line("F23", statement, by_theta[3], by_theta[2], frobenius(g[2], dz[2]))
    equal("", "g_2 = dJ/dz_2", g[2], jac("J", "z1"))
    equal("", "G_2 = dJ/dTheta_2", G[2], jac("J", "W2"))
    line("", "G_3:dTheta_3 + G_2:dTheta_2 + G_1:dTheta_1", *by_theta.values())
    equal("", "G_1 = dJ/dTheta_1; da_1 = 0, nothing is left over", G[1], jac("J", "W1"))

    def left_over(h):
        moved = {f"W{k}": Theta[k] + h * dTheta[k] for k in dTheta}
        return NET.with_params(moved).run(X[0], Y[0]).loss - RUN.loss - h * first

    quarters = halving(left_over)
    say(f"J(Theta + h dTheta) - J - h dJ quarters as h halves: smaller by {quarters}")


def diag_and_hadamard(g):
    say("F24  Diag() keeps the whole derivation in matrix notation; both forms side by side:")
    rows = [["", "Diag", "Hadamard"]]
    for k in (3, 2):
        carried = Theta[k].T @ g[k + 1]
        same = gap(P[k].T @ carried, hadamard(carried, slope[k]))
        shapes = f"{Theta[k].T.shape}{g[k + 1].shape}"
        names = f"P_{k}^T Theta_{k}^T g_{k + 1}", f"(Theta_{k}^T g_{k + 1}) (.) phi'(z_{k})"
        counts = f"{P[k].size} with P_{k}", f"{slope[k].size} with phi'(z_{k})"
        rows += [[f"g_{k}", *names], ["the two", same, ""]]
        rows += [["shapes", f"{P[k].T.shape}{shapes}", f"{shapes} (.) {slope[k].shape}"]]
        rows += [["multiplications", *counts]]
    block(table(rows))
    say("F25  does the T of P_k^T matter? a = f(z) at z = z_3, P = da/dz in layout numerator:")
    rows = [["f", "P", "not 0", "symmetric", "P^T g_3 = vjp of g_3", "P g_3 is that, too"]]
    for name in ("Tanh", "Softmax", "LogSoftmax"):
        run = Network.program(f"a = {name}(z)").run(z=z[3][:, 0])
        whole, v = run.jacobian("a", "z"), g[3][:, 0]
        local, pulled = whole.materialise("numerator"), run.vjp("a", "z", v)
        symmetric, same = (
            bool(np.allclose(*pair, rtol=0, atol=1e-12))
            for pair in ((local, local.T), (local @ v, pulled))
        )
        require(symmetric == same)
        share = f"{whole.structural_nonzeros} of {whole.size}"
        words = ["yes" if yes else "NO" for yes in (symmetric, same)]
        rows += [[name, str(whole.shape), share, words[0], gap(local.T @ v, pulled), words[1]]]
    require([row[3] for row in rows[1:]] == ["yes", "yes", "NO"])
    block(table(rows))
    say("softmax fills P and leaves it symmetric; log-softmax does not, there the T is needed")


def agreement_and_price(g, G):
    title("THE COMMENTS")
    say("F26  lynn: with matrix products, and delta^(k) for g_k, the formulas agree: here those of")
    say("the other two seeds for the second layer from the end, with this seed's numbers put in")
    second, row = Theta[3].T @ g[4] * slope[3], g[4].T @ Theta[3] @ P[3]
    equal("", "M37  delta[2] = W[3]^T delta[3] * g'(z[2])", g[3], second)
    equal("", "M47  dW[2] = delta[2] a[1]^T", G[2], second @ a[2].T)
    equal("", "J40  delta^3 = delta^4 W^4 diag(s'(z^3)), transposed", g[3], row.T)
    equal("", "J48  dC/dW^3 = a^2 (x) delta^3, transposed", G[2], (a[2] @ row).T)
    say("""
        F27  Hyperplane: v^T du/dx = d(v^T u)/dx for a fixed v. Every op u of a dense network, by
             each input x, at random numbers; du/dx in layout numerator:
                 built  entries of the whole du/dx, and multiplications in v^T du/dx
                 used   those that can be other than 0; a vjp needs no others
                 given  entries of the vjp, the result
    """)
    groups = {}
    for name in DENSE:
        for wrt, price in one_op(name, OPS[name](*OPTIONS.get(name, ()))):
            groups.setdefault(price, []).append(f"{name}({wrt})")
    rows = [["du/dx", "built", "used", "given", "u(x)"]]
    for price, names in sorted(groups.items()):
        lines = wrap(", ".join(names), 58)
        rows += [[*map(str, price), lines[0]], *([""] * 4 + [line] for line in lines[1:])]
    block(table(rows))
    total = sum(map(len, groups.values()))
    whole, book = RUN.chain("W1"), RUN.derivation("numerator").backward
    plain = sum(Theta[k].size + slope[k].size for k in (3, 2)) + G[1].size
    entries = sum(step.entries for step in book if isinstance(step, LocalStep))
    held = sum(value.size for value in (*g.values(), *G.values()))
    require(plain < whole.multiplications and held == NET.parameter_count < entries)
    say(f"""
        in all {total}: v^T du/dx = the op's own vjp, gap less than {TINY:g}, and
        = differences of the number v^T u, gap less than {SMALL:g}. A Hadamard product does it only
        where du/dx is diagonal: square, with one entry used in each row
        a whole net: dJ/dTheta^(1) takes {whole.multiplications} multiplications by whole Jacobians,
        {plain} by F19 as on the right of F24; its local Jacobians have {entries} entries,
        all g_k and G_k together {held}, the gradient itself
    """)


def one_op(name, op):
    """F27 for one op: each input by which it is differentiated, and the price; both sides agree."""
    rng, sizes, data = np.random.default_rng(27), {"n": 7, "i": 3, "k": 5}, {}
    for operand in op.parsed.inputs:
        shape = [sizes[axis] for axis in operand.axes]
        chance = operand.name in (*op.labels, "p") or name == "BinaryCrossEntropy"
        data[operand.name] = rng.uniform(0.1, 0.9, shape) if chance else rng.normal(size=shape)
    if name == "Divide":
        data["b"] = 1 + rng.random(5)  # away from 0
    if name.startswith(("CrossEntropy", "KLDivergence")):
        data["y"] /= data["y"].sum()
    net = Network.program(f"u = F({', '.join(data)})", ops={"F": op})
    run, h = net.run(**data), 1e-5
    v = rng.normal(size=run["u"].shape)
    for wrt in op.differentiable():
        whole, pulled = run.jacobian("u", wrt), run.vjp("u", wrt, v)
        array = whole.materialise("numerator")
        gap(np.tensordot(v, array, v.ndim), pulled)
        if array.ndim == 2 and whole.size == pulled.size**2 and whole.structural_nonzeros == v.size:
            gap(hadamard(v, array.diagonal()), pulled)
        slopes = np.zeros_like(pulled)
        for at in np.ndindex(pulled.shape):
            step = np.zeros_like(pulled)
            step[at] = h
            up, down = (net.run(**data | {wrt: data[wrt] + s})["u"] for s in (step, -step))
            slopes[at] = np.sum(v * (up - down)) / (2 * h)
        gap(slopes, pulled, SMALL)
        yield wrt, (whole.shape, whole.size, whole.structural_nonzeros, pulled.size)


def the_place_of_the_error(g):
    tensor, formula = jac("z3", "W3", "numerator"), RUN.jacobian("z3", "W3").formula
    pulled = np.einsum("k,kji->ji", (a[L] - y)[:, 0], tensor)
    require(tensor.shape != a[3].T.shape)
    say(f"""
        F28  frad: no new notation, only the place of the error. In the question's own indices:
             it is line 2. The chain rule adds up over the {n[4]} units k of layer {L},
                 sum_k delta_k^(4) da_k^(4)/dTheta^(3)
             and (.) adds up nothing. The last factor is not a^(3)^T {a[3].T.shape}, but a box of
             numbers {tensor.shape} in layout numerator, with the entries [k,k',i']
                 {to_ascii(formula)}, where the package's a2 is a^(3)
             The sum spends the delta of this formula; what is left is the outer product:
    """)
    equal("", "sum_k ... = delta^(4) . a^(3)^T", pulled, (a[4] - y) @ a[3].T)
    say("all of it, with the product that each pair needs:")
    delta = {L: a[L] - y}
    equal("", f"delta^({L}) = a^({L}) - y", jac("J", "z3"), delta[L])
    for k in range(L - 1, 0, -1):
        line = f"dJ/dTheta^({k}) = delta^({k + 1}) . a^({k})^T"
        equal("", line, GRADIENTS[f"W{k}"], delta[k + 1] @ a[k].T)
        if k > 1:
            delta[k] = hadamard(Theta[k].T @ delta[k + 1], slope[k])
            line = f"delta^({k}) = (Theta^({k})^T . delta^({k + 1})) (.) phi'(z^({k}))"
            equal("", line, g[k], delta[k])
    slopes = RUN.gradients("difference")
    (apart,) = {gap(slopes[name], GRADIENTS[name], SMALL) for name in slopes}
    say(f"all {NET.parameter_count} derivatives against differences of J: {apart}")


if __name__ == "__main__":
    symbols_and_shapes()
    forward_and_mean()
    the_derivation_that_breaks()
    directions = {k: made_up(Theta[k].shape, 10 + k) for k in Theta}
    the_differentials(directions)
    errors, slopes = the_recursion()
    the_cost_unrolled(errors, slopes, directions)
    diag_and_hadamard(errors)
    agreement_and_price(errors, slopes)
    the_place_of_the_error(errors)
