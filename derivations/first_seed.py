"""The first seed, "How I think about the neural network backpropagation algorithm", computed.

    python derivations/first_seed.py

Carolyn Johnston derives backpropagation as a chain rule between vectors,
matrices and boxes of numbers. Here is each of her steps on the network of her
Figure 1, in her own notation: layer 1 is the input, superscripts count layers.
NAMES says what the package calls her objects. A statement that does not hold
ends the script.
"""

import inspect
import re
from itertools import pairwise
from textwrap import dedent, indent

import numpy as np

from jacobian_bp import Einsum, Network, ReLU, Sigmoid, SquaredError, taylor_test
from jacobian_bp.picture.graph import Value, chain
from jacobian_bp.picture.network import Layer, network, one_layer
from jacobian_bp.reference import PARAMS, X, Y, second_seed
from jacobian_bp.writing.signs import number, to_ascii, vector
from jacobian_bp.writing.tables import array_block, table

NAMES = {"z^1": "x", "a^1": "a0", "W^2": "W1", "b^2": "b1", "z^2": "z1", "a^2": "a1"}
NAMES |= {"W^3": "W2", "b^3": "b2", "z^3": "z2", "a^3": "a2", "lambda": "y", "C": "J"}
SEED = {ours: hers for hers, ours in NAMES.items()}
SECTIONS = {(1, 0): "3.1", (0, 1): "3.2", (1, 1): "3.3", (0, 2): "3.4", (1, 2): "3.5"}

SIZES, COSTS = [3, 4, 2], ("sigmoid", "squared_error")
PARAMETERS = {name: PARAMS[name] for name in ("W1", "b1", "W2", "b2")}
NET = Network.dense(SIZES, *COSTS, params=PARAMETERS, squash_input=True)
DATA = np.array([X, [0.5, 1.0, -1.0], [-1.0, 0.5, 2.0]])  # made up
LABELS = np.where(DATA[:, :2] > 0, 1.0, 0.0)  # lambda_i = g(z_i), a made-up g
RUN = NET.run(DATA[0], LABELS[0])


def column(value):
    """As the seed has it: a vector is a column, a matrix stays as it is."""
    return value if value.ndim == 2 else value.reshape(-1, 1)


VALUES = {name: column(RUN[ours]) for name, ours in NAMES.items()}
W, b, z, a = ({n: VALUES.get(f"{kind}^{n}") for n in (1, 2, 3)} for kind in "Wbza")
LABEL, COST, N = VALUES["lambda"], RUN.loss, {n: z[n].size for n in z}


def whole(of, wrt):
    return RUN.jacobian(NAMES[of], NAMES[wrt])


def d(of, wrt):
    return whole(of, wrt).materialise("transposed")


def d_column(n):
    """delta^n as a column."""
    return whole("C", f"z^{n}").materialise("gradient")


def sigma(v):
    return 1 / (1 + np.exp(-v))


def diag(n):
    """diag{sigma'(z_j^n)}"""
    return np.diagflat(a[n] * (1 - a[n]))


def phi(n, v):
    """Equation (1): the map of layer n, from z^(n-1) to z^n."""
    return W[n] @ sigma(v) + b[n]


def cost_from(n, v):
    """Equation (4), C_n: the maps phi_(n+1) to phi_L, then sigma, then C."""
    for layer in range(n + 1, 4):
        v = phi(layer, v)
    return ((sigma(v) - LABEL) ** 2).sum()


def cost_passing(n, v):
    """C_1 with v in place of z^n: b^n, or the input itself, is moved until z^n is v."""
    if n == 1:
        return NET.run(v[:, 0], LABELS[0]).loss
    return with_params(f"b^{n}", (b[n] + v - z[n])[:, 0]).loss


def with_params(name, value):
    return NET.with_params({NAMES[name]: value}).run(DATA[0], LABELS[0])


def differences(f, point, h=1e-5):
    """df/dpoint by central differences, output axes first."""
    ways = h * np.eye(point.size).reshape(-1, *point.shape)
    slopes = np.stack([(f(point + way) - f(point - way)) / (2 * h) for way in ways], -1)
    return slopes.reshape(*slopes.shape[:-1], *point.shape)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def gap(left, right, within=1e-12):
    """How far two arrays are apart at most: rounding differs from one machine to another."""
    require(np.shape(left) == np.shape(right) and np.max(np.abs(left - right)) < within)
    return f"gap < {within:.0e}"


def refused(call):
    """The name of the error by which numpy or Python refuses to compute something."""
    try:
        call()
    except (ValueError, KeyError) as error:
        return f"refused, {type(error).__name__}"
    raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    """Lines with their number in the margin; lines without one are set in behind it."""
    text = dedent(text).strip("\n")
    print(text if text[0] == "J" else indent(text, " " * 9))


def block(*lines):
    print(indent("\n".join(lines), " " * 13))


def equal(item, statement, left, right, layout="transposed", within=1e-12):
    """left = right: shape, layout, and how far the two computed sides are apart."""
    what = f"{np.shape(left)!s:<11}{layout:<12}" if np.ndim(left) else f"{'a number':<23}"
    print(f"{item:<9}{statement:<51}{what}{gap(left, right, within)}")


def contraction(item, statement, equation, of, between, wrt):
    """d of/d wrt = [d of/d between].[d between/d wrt], a row (1, N) going in as N entries."""
    left, right, result = d(of, between), d(between, wrt), d(of, wrt)
    equal(item, statement, result, np.einsum(equation, left[0], right).reshape(result.shape))
    block(f"einsum {equation:<10} {left.shape} . {right.shape} = {result.shape}, transposed")


def kind(item, what, jacobian, function, point):
    """One kind of derivative: section, shape, Taylor remainder at halving steps."""
    ratios = taylor_test(function, point, jacobian, first_step=2.0**-5).ratios[-2:]
    require(len(ratios) == 2 and max(abs(ratio - 4) for ratio in ratios) < 0.03)
    smaller = " and ".join(f"{ratio:.1f}" for ratio in ratios)
    section = SECTIONS[len(jacobian.out_axes), len(jacobian.wrt_axes)]
    say(f"{item:<9}{section} {what}")
    block(f"{jacobian.shape_in('transposed')} transposed; remainder smaller by {smaller}")


def seed(text):
    """The seed's spelling: dz1/dW1 is dz^2/dW^2, its axes k', i' are the seed's j, i."""
    text = (
        to_ascii(text.replace("σ", "sigma"))
        .replace("k'", "j")
        .replace("i'", "i")
        .replace("delta[k,j]", "I[j=k]")
    )
    return re.sub(r"(?<![a-z])(d?)([WbzaJxy]\d?)\b", lambda m: m[1] + SEED[m[2]], text)


HEAD = """\
How I think about the neural network backpropagation algorithm, every step computed

Margin      J1 to J54, the steps of the seed, with the numbers (1) to (15) of its equations;
            'erratum' corrects the seed
z^2, W^2    superscripts count layers, A^t is a transpose
products    . is the matrix or tensor product, (.) goes entry by entry, (x) is the outer product,
            f o g is f after g; I[j=k] is 1 where j = k, else 0
d           in derivatives, where the seed has delta; here delta^l is always a helper gradient
transposed  layout of a Jacobian: a gradient by a vector is a row, a matrix argument is
            turned round, and the axes of a vector-valued function stand in front
gradient    layout of a gradient: the shape of its variable, a vector as a column
own         layout of values and parameters: a vector is a column
gap         how far the two computed sides of a line 'left = right' are apart
einsum      a row (1, N) goes in as its N entries
refused     numpy or Python does not compute it, and the error that it raises
zeros       '.' is zero for every input"""


def introduction():
    print(HEAD)
    title("1 INTRODUCTION")
    say(f"""
        J1       one network, two functions. Parameters fixed, it is a function of the input:
                     f(z^1) = {vector(NET(DATA[0]))}^t at z^1 = {vector(DATA[0])}^t
                 z^1 and its label lambda fixed, it is a function of the parameters:
                     C = {number(COST)} here, {number(with_params("b^3", RUN["b2"] + 0.1).loss)} \
once both entries of b^3 are 0.1 larger
        J2       the chain rule below joins 1-, 2- and 3-tensors as if they were numbers:
    """)
    for of, wrt in (("C", "z^3"), ("z^3", "z^2"), ("z^3", "W^3")):
        rank, shape = len(whole(of, wrt).axes), d(of, wrt).shape
        block(f"{f'd{of}/d{wrt}':<11}a {rank}-tensor, {shape} transposed" + ", a row" * (rank == 1))
    say("the last section derives the same for 1-1-1, where each of them is one number")


def figure_1():
    """The network: layer 1 is the input, unit i of layer l has the weights w_ij^l."""
    layers = [Layer("z^{1}", N[1], "units of layer 1")]
    for n in (2, 3):
        made = f"units of layer {n}"
        layers.append(Layer(f"z^{{{n}}}", N[n], made, f"W^{{{n}}}", f"b^{{{n}}}"))
    return network(layers, first=1)


def figure_2():
    """One layer, sigma nodes and sums apart; N_l = 2 and N_(l-1) = 3 are the seed's."""
    before, after = Layer("z", 3), Layer("z", 2, "", "W^{l}", "b^{l}")
    return one_layer(before, after, "σ", first=1)


def figure_3():
    """The chain z^1, ..., z^L, a^L, C, with the shapes on the way."""
    names = ["z^1", "z^2", "z^3", "a^3", "C"]
    values = [
        Value(name.replace("^", "^{") + "}" * ("^" in name), RUN[NAMES[name]].shape, op, op)
        for name, op in zip(names, ["", "φ2", "φ3", "σ", "C(·,λ)"], strict=True)
    ]
    shapes = {
        (of.name, wrt.name): whole(names[at + 1], names[at]).shape_in("flat")
        for at, (wrt, of) in enumerate(pairwise(values))
    }
    return chain(values, shapes)


def the_network():
    title("2 THE FEED-FORWARD NEURAL NETWORK AND THE COST FUNCTION")
    one_more = W[2] + np.outer([0, 0, 1, 0], [0, 1, 0])
    shift = with_params("W^2", one_more)["z1"] - RUN["z1"]
    require(np.flatnonzero(shift).tolist() == [2])
    say(f"""
        J3       Figure 1, drawn in docs/pictures/first_seed_figure_1.svg: f from R^{N[1]} to \
R^{N[3]}, layers
                 of size {N[1]}, {N[2]}, {N[3]}; as text, o is a unit and 1 a '1' node:
                 {"o" * N[1]} 1 --W^2,b^2--> {"o" * N[2]} 1 --W^3,b^3--> {"o" * N[3]}
                 w_ij^l goes from unit j of layer l-1 to unit i of layer l: 1 more on w_32^2
                 adds a_2^1 = {number(shift[2])} to z_3^2, {gap(shift[2], a[1][1, 0])}, \
and nothing to the other z_i^2
    """)
    shapes = ", ".join(f"{SEED[name]} {column(v).shape}" for name, v in NET.params.items())
    counts = " + ".join(str(value.size) for value in NET.params.values())
    say(f"J4       {shapes}, own: {counts} = {NET.parameter_count} parameters")
    block(*(f"{SEED[name]} = {vector(v)}{'^t' * (v.ndim == 1)}" for name, v in NET.params.items()))
    summed = Network.dense(SIZES, *COSTS, params=PARAMETERS, squash_input=True, reduction="sum")
    total, mean = (net.run(DATA, LABELS).loss for net in (summed, NET))
    costs = [NET.run(v, label).loss for v, label in zip(DATA, LABELS, strict=True)]
    say(f"""
        J5       {len(DATA)} pairs (z_i, lambda_i), lambda_i = g(z_i), 1 where z_1, z_2 > 0, else 0:
                     C = {vector(np.array(costs))}
                     E = {number(total)} as the sum, {gap(total, sum(costs))}
                     E = {number(mean)} as the average, {gap(mean, np.mean(costs))}
                 from here on one pair, the first: lambda = {vector(LABEL[:, 0])}^t
    """)
    exact = NET.run(DATA[0], NET(DATA[0]))
    steepest = max(abs(g).max() for g in exact.gradients().values())
    require(exact.loss == 0 == steepest and min(costs) > 0)
    squared = gap(COST, ((a[3] - LABEL) ** 2).sum())
    say(f"""
        J6       for lambda = f(z^1), C = {number(exact.loss)} and the largest derivative is \
{number(steepest)}; C > 0 for the pairs above
        J7       C = |f(z^1) - lambda|^2 = {number(COST)}, without a 1/2, {squared}
    """)
    layer = Network.dense([3, 2], "sigmoid", None, seed=0, squash_input=True).run(DATA[0])
    weights, biases = (layer.jacobian("z1", name).materialise()[0] for name in ("W1", "b1"))
    drawn = "s" * layer["a0"].size, "+" * layer["z1"].size
    edges = np.count_nonzero(weights) + np.count_nonzero(biases)
    require(edges == layer["a0"].size + 1 != layer["z1"].size + 1)
    say(f"""
        J8       Figure 2, drawn in docs/pictures/first_seed_figure_2.svg: one layer, its sigma
                 nodes and its + nodes apart; as text, s is a sigma node and 1 the '1' node:
                 z^(l-1) -> {drawn[0]} 1 --W^l,b^l--> {drawn[1]} -> z^l
                 N_l = {layer["z1"].size}, N_(l-1) = {layer["a0"].size}, \
W^l {layer["W1"].shape}, b^l {column(layer["b1"]).shape}, own
        J9       {np.count_nonzero(weights)} weights and {np.count_nonzero(biases)} bias change \
z_1^l: N_(l-1) + 1 = {edges} edges arrive at its + node
                 erratum: these + nodes are not 'in layer l-1'. In Figure 2 there are \
{layer["z1"].size} of them,
                 as layer l has units; layer l-1 has {layer["a0"].size}
    """)


def two_viewpoints():
    title("2.1 THE SCALAR VIEWPOINT, 2.2 THE VECTOR VIEWPOINT")
    points = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])
    squashed, w, bias = Sigmoid().forward(points), W[2][0], b[2][0, 0]
    products = " + ".join(f"({number(p)})({number(q)})" for p, q in zip(w, a[1][:, 0], strict=True))
    with np.errstate(over="ignore"):
        literal, plain = np.exp(1000.0), sigma(points)
    say(f"""
        J10      sigma(x) = 1/(1 + exp(-x)), {gap(squashed, plain)}; \
at x = {vector(points)}
                     {vector(squashed)}; taken literally, exp(1000) = {literal}
        J11      ReLU, max(0, x), at the same x: {vector(ReLU().forward(points))}
        J12      z_1^2 = w_11^2 a_1^1 + w_12^2 a_2^1 + w_13^2 a_3^1 + b_1^2
                     = {products} + {number(bias)}
                     = {number(z[2][0, 0])}, {gap(sum(w * a[1][:, 0]) + bias, z[2][0, 0])}
    """)
    equal("J13", "z^2 = W^2 . a^1 + b^2", z[2], W[2] @ a[1] + b[2], "own")
    block(f"{W[2].shape} . {a[1].shape} + {b[2].shape} = {z[2].shape}, own: {vector(RUN['z1'])}^t")
    entries = np.array([[sigma(entry)] for entry in z[2][:, 0]])
    equal("J14", "sigma(z^2) = (sigma(z_1^2),...,sigma(z_4^2))^t", a[2], entries, "own")
    equal("J15 (1)", "z^2 = phi^2(z^1) = W^2 . sigma(z^1) + b^2", z[2], phi(2, z[1]), "own")
    plain = Network.dense(SIZES, *COSTS, params=PARAMETERS).run(DATA[0], LABELS[0])
    row, off = (plain.jacobian("J", name).materialise("transposed") for name in ("z1", "W1"))
    say("the input is squashed too: in the package, squash_input=True")
    equal("", "on:  dC/dW^2 = sigma(z^1) (x) delta^2", d("C", "W^2"), sigma(z[1]) @ d("C", "z^2"))
    equal("", "off: dC/dW^2 = z^1 (x) delta^2", off, z[1] @ row)
    looped = z[1]
    for n in (2, 3):
        looped = phi(n, looped)
    composed = sigma(phi(3, phi(2, z[1])))
    equal("J16 (2)", "f(z^1) = sigma(phi^3 o phi^2 (z^1))", a[3], composed, "own")
    equal("", "       = a loop over l = 2, 3, then sigma", a[3], sigma(looped), "own")
    say(f"""
        J17      Figure 3, drawn in docs/pictures/first_seed_figure_3.svg; as text, own:
                 z^1 {z[1].shape} -> phi_2 -> z^2 {z[2].shape} -> phi_3 -> z^3 {z[3].shape}
                 -> sigma -> a^3 {a[3].shape} -> C(., lambda) -> {number(COST)}
    """)


def five_kinds():
    title("3 SOME LINEAR ALGEBRA AND MULTIVARIATE CALCULUS NOTATION")
    say("""
        the remainder f(x + h u) - f(x) - [df/dx].(h u) is of second order in h: each time that h
        is halved it gets 4 times smaller. By how much it did the last two times:
    """)
    line, bent = ("v = F(u, s)", "f = Sigmoid(v)"), {"F": Einsum("i,->i")}
    f = Network.program(*line, params={"u": RUN["z1"]}, ops=bent)
    slope, dW, w = f.run(s=0.5).jacobian("f", "s"), np.arange(8.0).reshape(2, 4) - 3, W[3]
    row, tensor, change = d("C", "W^3"), d("a^3", "W^3"), lambda w: with_params("W^3", w)
    what = "vector by scalar: df/ds of f(s) = sigma(s z^2), a vector that scales ds"
    kind("J18", what, slope, lambda s: f.run(s=s)["f"], 0.5)
    what = "scalar by vector: dC/dz^1, a row, since row . column is 1 x 1"
    kind("J19", what, whole("C", "z^1"), lambda v: NET.run(v, LABELS[0]).loss, DATA[0])
    what = "vector by vector: dz^3/dz^2, the Jacobian, entry (i,j) = dz_i^3/dz_j^2"
    kind("J20", what, whole("z^3", "z^2"), lambda v: phi(3, column(v))[:, 0], RUN["z1"])
    stacked = np.stack([RUN.vjp("z2", "z1", unit) for unit in np.eye(2)])
    equal("", "  = the rows dz_1^3/dz^2, dz_2^3/dz^2 stacked", d("z^3", "z^2"), stacked)
    what = "scalar by matrix: dC/dW^3, [dC/dW]_ji = dC/dw_ij, the shape of W^t"
    kind("J21", what, whole("C", "W^3"), lambda w: change(w).loss, w)
    say(f"no standard product will do: M . dW has the {dW.shape[1]} columns of dW, not 1")
    product = np.einsum("ji,ij->", row, dW)
    double = sum(row[j, i] * dW[i, j] for i, j in np.ndindex(2, 4))
    equal("J22 (3)", "[dC/dW^3].dW = sum_ij dC/dw_ij dw_ij", product, double)
    block(f"einsum ji,ij->    {row.shape} . {dW.shape} = one number")
    equal("", "  = trace([dC/dW^3] dW)", product, np.trace(row @ dW))
    half = taylor_test(lambda w: change(w).loss, w, row.T / 2).ratios[-1]
    require(abs(half - 2) < 0.03)
    say(f"a wrong derivative is seen: without the 2 of J32, the remainder is smaller by {half:.1f}")
    what = "vector by matrix: da^3/dW^3, a column of matrices, indices [k,i,j]"
    kind("J23", what, whole("a^3", "W^3"), lambda w: change(w)["a2"], w)
    for k, unit in enumerate(np.eye(2)):
        slice_k = RUN.vjp("a2", "W2", unit).T
        equal("J24", f"slice [{k + 1},.,.] = da_{k + 1}^3/dW^3", tensor[k], slice_k)
    vectors = np.einsum("kij,ji->k", tensor, dW), [np.einsum("ij,ji->", m, dW) for m in tensor]
    equal("J25", "[da^3/dW^3].dW, entry k by (3)", *vectors)
    block(f"einsum kij,ji->k  {tensor.shape} . {dW.shape} = {vectors[0].shape}, transposed")
    require(taylor_test(lambda w: change(w)["z2"], w, whole("z^3", "W^3")).exact)
    say("dz^3/dW^3, used in section 4, leaves no remainder at all: z^3 is linear in W^3")
    say("""
        J26      [4] treats scalars by matrices, [5] all that fits into a matrix; the 3-tensor of
                 3.5 is in neither (the references stand at J54)
    """)


class CountedError(SquaredError):
    """The cost, counting its evaluations and the passes that go back through it."""

    passes = {"forward": 0, "backward": 0}

    def forward(self, a, y):
        self.passes["forward"] += 1
        return super().forward(a, y)

    def vjp(self, L_bar, a, y):
        self.passes["backward"] += 1
        return super().vjp(L_bar, a, y)


def costs_and_strategy():
    title("4 DERIVATION OF BACKPROPAGATION")
    net = Network.program(*NET.steps, params=PARAMETERS, ops={"SquaredError": CountedError()})
    run, passes = net.run(DATA[0], LABELS[0]), CountedError.passes
    passes["forward"] = 0  # the one that saved z^l and a^l
    grads, backward = run.gradients(), passes["backward"]
    require(passes["forward"] == 0)
    slopes = run.gradients("difference")
    (apart,) = {gap(grads[name], slopes[name], 1e-9) for name in grads}
    say(f"""
        J27      {NET.parameter_count} derivatives, counted: by differences \
{passes["forward"]} evaluations of C, 2 a parameter;
                 by backpropagation {backward} pass back; {apart}
    """)
    for n in (1, 2, 3):
        maps = " o ".join(["C", "sigma", *(f"phi_{m}" for m in range(3, n, -1))])
        statement = f"C_{n}(z^{n}) = C(f(z^1), lambda), z^{n} in R^{N[n]}"
        equal("J28 (4)" if n == 1 else "", statement, cost_from(n, z[n]), COST)
        block(f"C_{n} = {maps}: {number(cost_from(n, z[n]))}")
    equal("", "C_1 = C_2 o phi_2", cost_from(1, z[1]), cost_from(2, phi(2, z[1])))
    no, tall = refused(lambda: cost_from(1, z[3])), d("C", "z^3").T
    shapes = ", ".join(f"delta^{n} {d('C', f'z^{n}').shape}" for n in (3, 2, 1))
    say(f"erratum: C_l is defined on R^(N_l), not on R^(N_L); C_1 of {N[3]} entries: {no}")
    say(f"""
        J29      strategy: delta^l for l = L, ..., 1; then each dC_1/dW^l; then each dC_1/db^l
        J30      delta^l = dC_l/dz^l, called 'error in layer l' in [1], is a row:
                     {shapes}, transposed
                 erratum: not 'row vectors with dimensions N_l x 1' but 1 x N_l: in (9),
                 {tall.shape} . W^3 {W[3].shape} would be {refused(lambda: tall @ W[3])}
    """)
    for wrong, of, wrt in (("2.2", "C", "z^3"), ("2.3", "a^3", "z^3"), ("2.5", "z^3", "W^3")):
        right = SECTIONS[len(whole(of, wrt).out_axes), len(whole(of, wrt).wrt_axes)]
        say(f"erratum: for d{of}/d{wrt}, 'Section {wrong}' is {right}, as above")
    say(f"""
        erratum: 'the helper gradient of Section 3.3' is defined in section 4, here
        erratum: 'delta^L = df/dz^L' is d(C o sigma)/dz^L: df/dz^3 = da^3/dz^3 is
        {d("a^3", "z^3").shape}, transposed, and delta^3 {d("C", "z^3").shape}
    """)


def helper_gradients():
    title("4.1 THE HELPER GRADIENT IN THE LAST LAYER")
    dC, slopes, last = d("C", "a^3"), d("a^3", "z^3"), d("C", "z^3")
    contraction("J31", "delta^3 = [dC/da^3].[da^3/dz^3]", "k,kj->j", "C", "a^3", "z^3")
    block(vector(last))
    equal("J32", "dC/da^3 = 2 (a^3 - lambda)^t", dC, 2 * (a[3] - LABEL).T)
    block(vector(dC))
    jacobian, mask = whole("a^3", "z^3"), whole("a^3", "z^3").can_be_nonzero("transposed")
    require(np.array_equal(mask, np.eye(2)) and not slopes[~mask].any())
    equal("J33", "da^3/dz^3 = diag{sigma'(z_j^3)}", slopes, diag(3))
    block(*array_block(slopes, mask, 80))
    count = f"{jacobian.structural_nonzeros} of {jacobian.size}"
    say(f"{count} entries can be non-zero, N_L of N_L^2; the others are exactly 0")
    prime = diag(3).diagonal()
    entries = np.array([[dC[0, j] * prime[j] for j in range(2)]])
    equal("J34", "delta_j^3 = dC/da_j^3 sigma'(z_j^3)", last, entries)
    equal("J35 (5)", "delta^3 = dC/da^3 . diag{sigma'(z_j^3)}", last, dC @ diag(3))
    require(np.array_equal(dC @ diag(3), dC * prime))
    apart = number(abs(dC @ diag(3) - dC * prime).max())
    say(f"[1] has dC/da^3 (.) sigma'(z^3), the Hadamard product; the two differ by {apart}")
    title("4.2 THE HELPER GRADIENT OF A LAYER FROM THAT OF THE NEXT")
    for n in (2, 1):
        up, here, delta = f"z^{n + 1}", f"z^{n}", d("C", f"z^{n}")
        above, J, local = d("C", up), d(up, here), d(f"a^{n}", here)
        statement = f"delta^{n} = delta^{n + 1} . [d{up}/d{here}]"
        contraction("J36 (6)", statement, "k,kj->j", "C", up, here)
        shapes = f"{above.shape} . {J.shape} = {(above @ J).shape}"
        say(f"J37      (1 x N_{n + 1}) (N_{n + 1} x N_{n}) = (1 x N_{n}): {shapes}, transposed")
        equal("J38 (7)", f"d{up}/d{here} = W^{n + 1} . [da^{n}/d{here}]", J, W[n + 1] @ local)
        equal("J39 (8)", f"da^{n}/d{here} = diag{{sigma'(z_j^{n})}}", local, diag(n))
        product, nielsen = above @ W[n + 1] @ diag(n), W[n + 1].T @ above.T * (a[n] * (1 - a[n]))
        statement = f"delta^{n} = delta^{n + 1} . W^{n + 1} . diag{{sigma'(z_j^{n})}}"
        equal("J40 (9)", statement, delta, product)
        shapes = f"{above.shape} . {W[n + 1].shape} . {diag(n).shape} = {product.shape}"
        block(f"{shapes}, transposed", vector(delta))
        statement = f"(delta^{n})^t = (W^{n + 1})^t (delta^{n + 1})^t (.) sigma'(z^{n})"
        equal("J41", statement, d_column(n), nielsen, "gradient")
    say("that is (BP2) of [1]: columns where (9) has rows, and no other difference")
    say(f"""
        J38      erratum: phi_l(z^l) before (7) is phi_(l+1)(z^l); phi_2(z^2) multiplies
                 W^2 {W[2].shape} by sigma(z^2) {z[2].shape}: {refused(lambda: phi(2, z[2]))}
                 erratum: b^l in (7) is b^(l+1); W^3 . a^2 {(W[3] @ a[2]).shape} + \
b^2 {b[2].shape}: {refused(lambda: W[3] @ a[2] + b[2])}
    """)


def the_weights():
    title("4.3 THE DERIVATIVES BY THE WEIGHT MATRICES")
    for n in (3, 2):
        product = whole("C", f"z^{n}") @ whole(f"z^{n}", f"W^{n}")
        statement = f"dC_1/dW^{n} = [dC_1/dz^{n}].[dz^{n}/dW^{n}]"
        equal("J42 (10)", statement, d("C", f"W^{n}"), product.materialise("transposed"))
    for n in (3, 2, 1):
        delta = d("C", f"z^{n}")
        by = f"dC_1/dz^{n} = delta^{n}, by differences of C_1"
        slopes = differences(lambda v, n=n: cost_passing(n, v), z[n]).T
        equal("J43 (11)", by, slopes, delta, within=1e-9)
        if n > 1:
            slopes = differences(lambda v, n=n: cost_from(n, v), z[n]).T
            equal("", by.replace("C_1", f"C_{n}"), slopes, delta, within=1e-9)
    right, no = gap(cost_from(3, phi(3, phi(2, z[1]))), COST), refused(lambda: cost_from(3, z[2]))
    say(f"""
        in dC_1/dz^l, z^l is moved by moving b^l as far, or for l = 1 by itself
        erratum: 'C_l o phi_(l-1) o ... o phi_1' is C_l o phi_l o ... o phi_2; there is no phi_1,
        and C_3 o phi_2 hands C_3 a vector of {N[2]} entries: {no};
        C_3 o phi_3 o phi_2 = C_1, {right}
    """)
    for n in (3, 2):
        the_weights_of_layer(n)


def the_weights_of_layer(n):
    jacobian, delta, W_n, z_n = whole(f"z^{n}", f"W^{n}"), d("C", f"z^{n}"), f"W^{n}", f"z^{n}"
    tensor, mask, before = d(z_n, W_n), jacobian.can_be_nonzero("transposed"), a[n - 1]
    say(f"J44      dz^{n}/dW^{n} is N_{n} x (N_{n - 1} x N_{n}): {tensor.shape} transposed")
    lines = array_block(tensor, mask, 80)  # slices, counted from 1 as in J24
    block(*(re.sub(r"^.(\d+)", lambda m: f"[{int(m[1]) + 1}", line) for line in lines))
    built = np.einsum("jk,i->kij", np.eye(N[n]), before[:, 0])
    equal("J45", f"dz_k^{n}/dw_ji^{n} = I[j=k] a_i^{n - 1}", tensor, built)
    block(f"einsum jk,i->kij  ({N[n]}, {N[n]}) . ({N[n - 1]},) = {built.shape}, transposed")
    slopes = differences(lambda w: (w @ before + b[n])[:, 0], W[n]).swapaxes(1, 2)
    equal("", f"  = differences of z^{n} by each w_ji^{n}", tensor, slopes, within=1e-9)
    some, size = jacobian.structural_nonzeros, jacobian.size
    require(some == mask.sum() == N[n] * N[n - 1] and size == N[n] ** 2 * N[n - 1])
    density = f"density 1/{size // some} = 1/N_{n}"
    say(f"J46      {some} of {size} entries can be non-zero, {density}")
    if n == 3:
        dead = second_seed().run(X, Y).jacobian("z2", "W2")
        say(f"""
            this counts what can be non-zero. Where a ReLU unit is off, fewer are: in the network
            of the second seed {np.count_nonzero(dead.materialise())}, \
while {dead.structural_nonzeros} of {dead.size} can be
        """)
    summed, outer = np.einsum("k,kij->ij", delta[0], tensor), before @ delta
    statement = f"[dC_1/dW^{n}]_ij = sum_k delta_k I[j=k] a_i"
    contraction("J47 (12)", statement, "k,kij->ij", "C", z_n, W_n)
    spent = (whole("C", z_n).collapse() @ jacobian).collapse().trace[0]
    words = [seed(t).replace(f"dC/d{z_n}", f"delta^{n}") for t in (spent.before, spent.after)]
    block(" = ".join(words), f"since {seed(spent.reason)}")
    equal("J48 (13)", f"dC_1/dW^{n} = a^{n - 1} (x) delta^{n}", d("C", W_n), outer)
    block(*array_block(outer, None, 80))
    require(np.array_equal(summed, outer))
    say(f"(12) and (13) differ by {number(abs(summed - outer).max())}")
    gradient = RUN.gradients()[NAMES[W_n]]
    equal("", f"turned round, it is shaped like W^{n}", gradient, outer.T, "gradient")


def the_biases():
    title("4.4 THE DERIVATIVES BY THE BIAS VECTORS")
    for n in (3, 2):
        statement, delta = f"dC_1/db^{n} = [dC_1/dz^{n}].[dz^{n}/db^{n}]", d("C", f"z^{n}")
        contraction("J49 (14)", statement, "k,kj->j", "C", f"z^{n}", f"b^{n}")
        equal("J50", f"dz^{n}/db^{n} = I", d(f"z^{n}", f"b^{n}"), np.eye(N[n]))
        product = delta @ np.eye(N[n])
        equal("J51 (15)", f"dC_1/db^{n} = delta^{n} . I = delta^{n}", d("C", f"b^{n}"), product)
        block(vector(delta))


def backpropagation(z1, label, W, b, L):
    """The six steps; n counts the layers, a gradient is a row (1, N)."""
    z, a, delta, dW, db = {1: z1}, {}, {}, {}, {}  # 1. input
    for n in range(1, L + 1):  # 2. feed-forward
        a[n] = sigma(z[n])
        if n < L:
            z[n + 1] = W[n + 1] @ a[n] + b[n + 1]  # (1)
    slope = {n: np.diagflat(a[n] * (1 - a[n])) for n in a}  # (8)
    delta[L] = 2 * (a[L] - label).T @ slope[L]  # 3. (5)
    for n in range(L - 1, 0, -1):
        delta[n] = delta[n + 1] @ W[n + 1] @ slope[n]  # 4. (9)
    for n in range(L, 1, -1):
        dW[n] = a[n - 1] @ delta[n]  # 5. (13)
        db[n] = delta[n]  # 6. (15)
    return delta, dW, db


def summary():
    title("5 SUMMARY")
    say("J52      the six steps, as the program that ran for the lines below it")
    block(*inspect.getsource(backpropagation).splitlines())
    delta, dW, db = backpropagation(z[1], LABEL, W, b, L=3)
    for n in (3, 2):
        equal("", f"dW[{n}] = dC_1/dW^{n} of the package", dW[n], d("C", f"W^{n}"))
        equal("", f"db[{n}] = dC_1/db^{n} of the package", db[n], d("C", f"b^{n}"))
    say(f"""
        erratum: at l = L the seed's step 2 asks for z^(L+1) too; it must stop after a^L, as 'if'
        does above: z^4 needs W^4, which is {refused(lambda: W[4])}
    """)
    slopes = differences(lambda v: NET.run(v[:, 0], LABELS[0]).loss, z[1]).T
    equal("J53", "delta^1, though no parameter needs it", delta[1], d("C", "z^1"))
    block(vector(delta[1]))
    equal("", "  = dC/dz^1, by differences in the input", delta[1], slopes, within=1e-9)
    say("""
        J54      [1] M. Nielsen, Neural Networks and Deep Learning
                 [2] B. Porat, A Gentle Introduction to Tensors
                 [3] 3Blue1Brown, Backpropagation calculus (Deep learning, chapter 4)
                 [4] K.B. Petersen, M.S. Pedersen, The Matrix Cookbook
                 [5] T.P. Minka, Old and New Matrix Algebra Useful for Statistics
    """)


def one_dimension():
    title("THE SAME FOR 1-1-1, WHERE EVERY JACOBIAN IS A NUMBER")
    net = Network.dense([1, 1, 1], *COSTS, seed=0, squash_input=True)
    run, value = net.run([0.5], [1.0]), {}
    rows = [["layout transposed", "", "3-4-2", "1-1-1", "the number"]]
    for pair in ("C a^3", "a^3 z^3", "z^3 W^3", "z^3 b^3", "z^3 a^2", "a^2 z^2", "z^2 W^2"):
        of, wrt = pair.split()
        small, large = run.jacobian(NAMES[of], NAMES[wrt]), whole(of, wrt)
        value[pair] = small.materialise().item()
        shapes = [str(jacobian.shape_in("transposed")) for jacobian in (large, small)]
        rows += [[f"d{of}/d{wrt}", f"= {seed(small.formula)}", *shapes, number(value[pair])]]
    say("J2       each local Jacobian; in 1-1-1 all indices are 1, so that I[j=k] = 1")
    block(*table(rows))
    delta3 = value["C a^3"] * value["a^3 z^3"]
    delta2 = delta3 * value["z^3 a^2"] * value["a^2 z^2"]
    say("""
        the chain rule multiplies these numbers: delta^3 = dC/da^3 da^3/dz^3,
        delta^2 = delta^3 dz^3/da^2 da^2/dz^2, dC/dW^l = delta^l dz^l/dW^l, dC/db^l = delta^l
    """)
    products = {"W2": delta3 * value["z^3 W^3"], "b2": delta3}
    products |= {"W1": delta2 * value["z^2 W^2"], "b1": delta2}
    for name, product in products.items():
        apart = gap(product, run.gradients()[name].item())
        block(f"dC/d{SEED[name]} = {number(product):<12}{apart}")


if __name__ == "__main__":
    introduction()
    the_network()
    two_viewpoints()
    five_kinds()
    costs_and_strategy()
    helper_gradients()
    the_weights()
    the_biases()
    summary()
    one_dimension()
