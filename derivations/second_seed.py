"""The second seed, "The Math behind Neural Networks - Backpropagation", every step computed.

    python derivations/second_seed.py

The post derives the six gradient matrices of a 3-4-2-1 classifier by hand and
leaves out the numbers. Here they are, section by section, in its own notation:
columns, indices from 1, a[0] = x; W[2] of the post is "W2" in the package. A
statement that does not hold ends the script.
"""

import re
from textwrap import dedent, indent

import numpy as np

from jacobian_bp import BinaryCrossEntropy, Einsum, Network, ReLU
from jacobian_bp.derivation.ledger import DeltaStep, LocalStep
from jacobian_bp.picture.network import Layer, network
from jacobian_bp.reference import PARAMS, X, Y, second_seed
from jacobian_bp.writing.signs import bound, number, to_ascii, vector
from jacobian_bp.writing.tables import array_block, right_aligned, table, zero_or_number

NET = second_seed()
RUN = NET.run(X, Y)
STEPS = RUN.derivation("flat")  # the package's own record of the derivation
GRADIENTS = RUN.gradients()  # by the fast route, which builds no Jacobian
EXAMPLES = [X, [0.5, 1.0, -1.0], [-1.0, 0.5, 2.0], [2.0, 0.3, -0.7], [-0.4, -1.2, 0.9]]  # made up
LABELS = [*Y, 0.0, 1.0, 0.0, 0.0]
KINDS = NET.facts.activations
FUNCTIONS = {"relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
SIZE = {name: value.size for name, value in NET.params.items()}


def column(value):
    """As the post has it: a vector is a column, a matrix stays as it is."""
    return value if value.ndim == 2 else value.reshape(-1, 1)


x, y, W1, b1, W2, b2, W3, b3, z1, a1, z2, a2, z3, a3, cost = (column(RUN[name]) for name in RUN)


def jac(of, wrt, layout="flat"):
    return RUN.jacobian(of, wrt).materialise(layout)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def gap(left, right):
    """How far two arrays are apart at most."""
    apart = np.max(np.abs(left - right))
    require(left.shape == right.shape and apart < 1e-12)
    return f"gap {bound(max(apart, 1e-15))}"  # rounding differs from one machine to another


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    """Lines with their number in the margin; lines without one are set in behind it."""
    text = dedent(text).strip("\n")
    print(text if text[0] == "M" else indent(text, " " * 5))


def block(lines):
    print(indent("\n".join(lines), " " * 9))


def equal(item, statement, left, right, layout="flat", numbers=None):
    """left = right: shape, layout, gap between the two computed sides, numbers of a new item."""
    print(f"{item:<5}{statement:<49}{left.shape!s:<10}{layout:<12}{gap(left, right)}")
    if item:
        block(numbers or array_block(left, None, 88))


def picture(of, wrt, layout="flat"):
    """A Jacobian with its two kinds of zero; the columns of one by a matrix have headings."""
    whole, variable = RUN.jacobian(of, wrt), RUN[wrt]
    rows = zip(whole.materialise(layout), whole.can_be_nonzero(layout), strict=True)
    cells = [[f"{post(of)}_{i}1", *zero_or_number(*row, 6)] for i, row in enumerate(rows, 1)]
    names = np.array([f"{wrt[0]}{j + 1}{k + 1}" for j, k in np.ndindex(column(variable).shape)])
    order = "F" if layout == "flat_column" else "C"
    heads = names.reshape(column(variable).shape).ravel(order)
    return right_aligned([["", *heads], *cells])


def post(text):
    """The post's spelling: dz2/dW2 is dz[2]/dW[2]."""
    return re.sub(r"(delta|[Wbza])(\d)", r"\1[\2]", to_ascii(text))


def tex(symbol, layer, value):
    """The post's type: bold for vectors and matrices, plain for scalars."""
    sign = symbol.replace("delta", r"\delta")
    bold = rf"\boldsymbol{{{sign}}}" if symbol == "delta" else rf"\textbf{{{sign}}}"
    return f"{bold if value.size > 1 else sign}^{{[{layer}]}}"


def count(layer):
    """M17: how many parameters have their derivative once this layer is done."""
    W, b, total = SIZE[f"W{layer}"], SIZE[f"b{layer}"], NET.parameter_count
    done = sum(SIZE[name] for name in SIZE if int(name[1]) >= layer)
    say(f"M17  {done}/{total} done: layer {layer} gave {W} + {b} derivatives, {total - done} to go")


def architecture(index=""):
    """Columns of nodes, with the parameters on the edges; `index` is that of the example."""
    made = [Layer(f"x^{{{index}}}" if index else "x", RUN["x"].size)]
    for n, kind in enumerate(KINDS, 1):
        units = RUN[f"a{n}"].size
        made.append(Layer(f"a^{{{index}[{n}]}}", units, kind, f"W^{{[{n}]}}", f"b^{{[{n}]}}"))
    return network(made, first=1)


def some_notation():
    print("The Math behind Neural Networks - Backpropagation, every step computed\n")
    say("""
        Margin     M1 to M50, the steps of the post; 'erratum' corrects the post
        gap        how far the two sides of a line 'left = right' are apart, both computed
        column     a value of m entries as (m, 1); a row is its transpose, (1, m)
        flat       layout of a Jacobian: outputs x flattened inputs, a matrix row by row
        gradient   layout of a gradient: the parameter's own shape, a vector as a column
        zeros      '.' is zero for every input, '0' is zero for this input
    """)
    title("SOME NOTATION")
    say(f"""
        M1   a {len(KINDS)}-layer network: the input is not counted, x = a[0]. Columns of nodes:
             x {x.shape}, a[1] {a1.shape} {KINDS[0]}, a[2] {a2.shape} {KINDS[1]}, \
a[3] = yhat {a3.shape} {KINDS[2]}, a scalar
        M2   a[1] is the column {a1.shape}, a[1]^T the row {a1.T.shape}. In LaTeX: a vector
             {tex("a", 1, a1)}, a matrix {tex("W", 2, W2)}, a scalar {tex("a", 3, a3)};
             the third entry of a[1], row 3 and column 1, is a[1]_31 = {number(a1[2, 0])}
        M3   the architecture, with the example index (i) and without it, W[l] and b[l] on the
             edges, drawn in docs/pictures/second_seed_of_example.svg and second_seed_network.svg:
             x^(i) --W[1],b[1]--> a^(i)[1] --W[2],b[2]--> a^(i)[2] --W[3],b[3]--> a^(i)[3]
             x     --W[1],b[1]--> a[1]     --W[2],b[2]--> a[2]     --W[3],b[3]--> a[3]
        M4   W has a row for each unit it goes to, a column for each unit it comes from
    """)
    for k, (W, b, z, a) in enumerate(((W1, b1, z1, x), (W2, b2, z2, a1), (W3, b3, z3, a2)), 1):
        require(W.shape == (z.size, a.size) and b.shape == z.shape)
        say(f"    W[{k}] {W.shape}: from {a.size} to {z.size}, b[{k}] {b.shape}, z[{k}] {z.shape}")
    say(f"erratum: z[1] has {z1.size} entries, as W[1] has rows; the post says 3, as x has")


def forward_propagation():
    title("FORWARD PROPAGATION")
    say(f"""
        M50  is part one of the post; everything below is taken at this point:
             x = {vector(x[:, 0])}^T, y = {number(y.item())}
    """)
    for name, value in NET.params.items():
        block([f"{post(name)} = {vector(value)}{'^T' * (value.ndim == 1)}"])
    a = x
    for k, kind in enumerate(KINDS, 1):
        z = RUN[f"W{k}"] @ a + column(RUN[f"b{k}"])
        a = FUNCTIONS[kind](z)
        z_run, a_run = RUN[f"z{k}"], RUN[f"a{k}"]
        affine, numbers = f"z[{k}] = W[{k}] a[{k - 1}] + b[{k}]", [f"{vector(z_run)}^T"]
        equal("M5", affine, column(z_run), z, "column", numbers)
        numbers = [f"{vector(a_run)}^T"]
        equal("M5", f"a[{k}] = {kind}(z[{k}])", column(a_run), a, "column", numbers)
    stacked = np.array(EXAMPLES).T
    say(f"relu is the post's g(); here it switches off unit {a1.argmin() + 1} of layer 1")
    say(f"""
        M6   m = {len(EXAMPLES)} examples as columns: X is (3, m) = {stacked.shape}; \
the package takes rows, X^T {stacked.T.shape}
        M7   happy is 0, sad is 1: yhat = P(y = 1 | x) = {number(a3.item())}, \
so the guess is {"sad" if a3 > 0.5 else "happy"}
    """)


def bends(net, name, index, grid):
    """L(w-h) - 2 L(w) + L(w+h) along one weight: nowhere negative where L is convex."""
    losses = []
    for w in grid:
        moved = net.params[name].copy()
        moved[index] = w
        losses.append(net.with_params({name: moved}).run(X, Y).loss)
    return np.diff(losses, 2)


def the_loss_function():
    title("UNDERSTANDING THE LOSS FUNCTION")
    squared = Network.dense([3, 4, 2, 1], KINDS, "half_squared_error", params=PARAMS)
    grid = np.arange(-6.0, 7.0)
    square, entropy = bends(squared, "W3", (0, 0), grid), bends(NET, "W3", (0, 0), grid)
    below = bends(NET, "W1", (0, 1), grid).min()
    require(square.min() < 0 < entropy.min() and below < 0)
    say("""
        M8   candidate: L = 1/2 (yhat - y)^2. If L is convex in the weight w = W[3]_11,
             L(w-1) - 2 L(w) + L(w+1) is nowhere negative:
    """)
    rows = [["w", *map(number, grid[1:-1:2])], ["square", *(number(b, 3) for b in square[::2])]]
    block(table([*rows, ["cross-entropy", *(number(b, 3) for b in entropy[::2])]]))
    loss = -(y * np.log(a3) + (1 - y) * np.log(1 - a3))
    say(f"""
        the square bends down for small w, so it is not convex; cross-entropy bends up at every w
        probed. Below the last layer it bends down too: {number(below, 3)} along W[1]_12
    """)
    say(f"""
        M9   used: L = -[y log yhat + (1-y) log(1-yhat)] = {number(RUN.loss)}, {gap(loss, cost)}
             log is ln: log 2 = {number(np.log(2))}, while log10 2 = {number(np.log10(2))}
        M10  y = 1: L = -log yhat pushes yhat to 1; y = 0: L = -log(1-yhat) pushes it to 0
    """)
    yhat = np.array([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
    zero, one = (BinaryCrossEntropy().forward(yhat[:, None], np.full((7, 1), k)) for k in (0, 1))
    require(np.all(np.diff(one) < 0) and np.all(np.diff(zero) > 0))
    rows = [["yhat", *map(number, yhat)], ["L, y = 1", *map(number, one)]]
    block(table([*rows, ["L, y = 0", *map(number, zero)]]))
    say("M11  Bernoulli: P = p^k (1-p)^(1-k); with p = yhat, k = y, P = yhat^y (1-yhat)^(1-y)")
    for k, L in ((1, one), (0, zero)):
        P = yhat**k * (1 - yhat) ** (1 - k)
        require(P.argmax() == L.argmin())
        best = f"P is largest, L least at yhat = {number(yhat[P.argmax()])} above"
        say(f"y = {k}: log P = -L, {gap(np.log(P), -L)}; {best}")
    losses = NET.run(EXAMPLES, LABELS)["L"]
    say(f"M12  L of the {len(losses)} examples: {vector(losses)}")
    for name, m in (("stochastic", 1), ("mini-batch", 2), ("batch", len(losses))):
        J = np.array(NET.run(EXAMPLES[:m], LABELS[:m]).loss)
        apart = gap(J, losses[:m].mean())
        say(f"{name:<11} the first {m}: J = 1/{m} sum L = {number(J):<9} {apart}")
    say("from here on one example, the first: J = L")


def introducing_backpropagation():
    title("INTRODUCING BACKPROPAGATION")
    say("M13  parameters of each step; an activation has none")
    for step in NET.steps[:-2]:
        own = " + ".join(str(SIZE[name]) for name in SIZE if name in step)
        block([f"{post(step):<35}{own or 0}"])
    dW1, tensor = GRADIENTS["W1"], jac("z1", "W1", "numerator")
    require(np.count_nonzero(tensor[:, 1, 2]) == 1 and tensor[1, 1, 2] == x[2, 0])
    second = NET.run(EXAMPLES[1], LABELS[1]).gradients()["W1"][1, 2]
    W, b = ([SIZE[f"{kind}{k}"] for k in (1, 2, 3)] for kind in "Wb")
    say(f"""
        M14  dJ/dW[1]_23, the weight from input 3 to unit 2, is entry (2,3) of dW[1]: \
{number(dW1[1, 2])}
             for this x, as unit 2 is off; {number(second)} for the second example of M12
        M15  weights {" + ".join(map(str, W))} = {sum(W)}, \
biases {" + ".join(map(str, b))} = {sum(b)}, \
together {sum(W) + sum(b)} parameters and partial derivatives
        M16  they collapse into {len(GRADIENTS)} matrices, each of its parameter's shape \
(layout gradient):
    """)
    block(["  ".join(f"d{post(name)} {column(g).shape}" for name, g in GRADIENTS.items())])
    whole, grads = RUN.jacobian("J", "W2"), GRADIENTS["W2"]
    flat = {name: RUN.jacobian("J", name).shape_in("flat") for name in ("W1", "W2", "W3")}
    require([name for name in flat if flat[name] == GRADIENTS[name].shape] == ["W3"])
    say(f"""
        M18  the Jacobian dJ/dW[2] and the gradient dW[2] are two objects, the first a step
             towards the second; only in layer 3 do their shapes coincide
             run.jacobian("J", "W2"):  {type(whole).__name__}, \
{whole.shape_in("flat")} in layout flat
             run.gradients()["W2"]:    {type(grads).__name__}, {grads.shape} in layout gradient
    """)


def layer_3():
    title("CALCULATING dW[3] AND db[3]")
    say("M19  dJ/dW[3] = dL/da[3] da[3]/dz[3] dz[3]/dW[3]; for dJ/db[3] the last is dz[3]/db[3]")
    reads = {step.split(" = ")[0]: re.findall(r"\b[Wba]\d|\(z\d", step) for step in NET.steps}
    for of, wrt in (("L", "a3"), ("a3", "z3"), ("z3", "W3"), ("z3", "b3")):
        names = [post(name.strip("(")) for name in reads[of] if name != of]
        kind = "ordinary d" if len(names) == 1 else "round d, here d too"
        block([f"{post(f'd{of}/d{wrt}'):<14}{kind:<22}{post(of)} varies with {', '.join(names)}"])
    say("erratum: 'two variables W[3] and W[3]' is W[3] and b[3], as the list for z[3] shows")
    slope, e = -y / a3 + (1 - y) / (1 - a3), np.exp(-z3)
    equal("M20", "dL/da[3] = -y/a[3] + (1-y)/(1-a[3])", jac("J", "a3"), slope)
    equal("M21", "da[3]/dz[3] = a[3] (1 - a[3])", jac("a3", "z3"), a3 * (1 - a3))
    equal("", "  since 1 - sigma(z) = e^-z / (1 + e^-z)", 1 - a3, e / (1 + e), "column")
    say("M22  a Jacobian is (outputs, inputs), be they columns or rows; try z = W[2] a as both:")
    for kind, equation, a in (("columns", "ki,ic->kc", a1), ("rows", "ki,ci->ck", a1.T)):
        f = Network.program("z = F(W, a)", params={"W": W2}, ops={"F": Einsum(equation)}).run(a=a)
        whole = f.jacobian("z", "a").materialise("flat")
        equal("", f"{kind}, a {a.shape}, z {f['z'].shape}: dz/da = W[2]", whole, W2)
    equal("M23", "dz[3]/dW[3] = a[2]^T", jac("z3", "W3"), a2.T)
    equal("M24", "dz[3]/db[3] = 1", jac("z3", "b3"), np.eye(1))
    delta3 = a3 - y
    equal("M25", "dL/da[3] da[3]/dz[3] = a[3] - y", jac("J", "a3") @ jac("a3", "z3"), delta3)
    equal("", "dJ/dz[3] = a[3] - y, the two fused", jac("J", "z3"), delta3)
    equal("M26", "dW[3] = (a[3] - y) a[2]^T", GRADIENTS["W3"], delta3 @ a2.T, "gradient")
    equal("", "dJ/dW[3] = dW[3], they coincide", jac("J", "W3"), GRADIENTS["W3"])
    equal("M26", "db[3] = a[3] - y, a scalar", column(GRADIENTS["b3"]), delta3, "gradient")
    lines = [f"{s.symbol} = {s.product}" for s in STEPS.backward if isinstance(s, DeltaStep)]
    lines += [f"{step.name} = {step.after}" for step in STEPS.gradients]
    readers = [line for line in map(post, lines) if "delta[3]" in line.split(" = ")[1]]
    once = number(delta3.item())
    say(
        f"M27  delta[3] = dJ/dz[3] = {once} is computed once and then read, rows k', columns i', by"
    )
    block([*readers[1:], f"{readers[0]}, numbered as in M49"])
    count(3)
    return delta3


def the_slope_of_relu():
    default = number(ReLU().at_zero)
    say(
        f"M31  g'(z) is 0 for z < 0, 1 for z > 0, undefined at 0: "
        f"there you set it, {default} by default"
    )
    for chosen in (0.0, 0.5, 1.0):
        f = Network.program("a = G(z)", ops={"G": ReLU(at_zero=chosen)}).run(z=[-1.0, 0.0, 1.0])
        slopes = f.jacobian("a", "z").materialise("flat").diagonal()
        block([f"ReLU(at_zero={number(chosen)}): g'(-1), g'(0), g'(1) = {vector(slopes)}"])
    h, g = 1e-6, FUNCTIONS["relu"]
    left, right = (g(0) - g(-h)) / h, (g(h) - g(0)) / h
    say(f"""
        erratum: g is continuous at 0, g(-h) = {g(-h):g} and g(h) = {g(h):g} for h = {h:g};
        its limits agree, its slopes differ: {left:g} from the left, {right:g} from the right
    """)
    say("erratum: the post says z is never exactly 0; it is for x = 0, b[1] = 0, and g'(0) counts")
    for chosen in (0.0, 1.0):
        params, own = {**PARAMS, "b1": np.zeros(4)}, {"ReLU": ReLU(at_zero=chosen)}
        run = Network.program(*NET.steps, params=params, ops=own).run(np.zeros(3), Y)
        slopes = vector(run.gradients()["b1"])
        block([f"g'(0) = {number(chosen)}: z[1] = {vector(run['z1'])}^T, db[1] = {slopes}^T"])


def layer_2(delta3):
    title("CALCULATING dW[2] AND db[2]")
    slopes, J_z2, z2_W2 = np.where(z2 > 0, 1.0, 0.0), jac("J", "z2"), jac("z2", "W2")
    diag, dW2 = np.diag(slopes[:, 0]), GRADIENTS["W2"]
    product = jac("z3", "a2") @ jac("a2", "z2")
    equal("M28", "dz[3]/dz[2] = dz[3]/da[2] da[2]/dz[2]", jac("z3", "z2"), product)
    equal("M29", "dz[3]/da[2] = W[3]", jac("z3", "a2"), W3)
    equal("M30", "da[2]/dz[2] = diag(g'(z[2]))", jac("a2", "z2"), diag, "flat", picture("a2", "z2"))
    the_slope_of_relu()
    staircase = np.block([[a1.T, 0 * a1.T], [0 * a1.T, a1.T]])
    numbers, whole = picture("z2", "W2"), RUN.jacobian("z2", "W2")
    equal("M32", "dz[2]/dW[2] = [a[1]^T 0; 0 a[1]^T]", z2_W2, staircase, "flat", numbers)
    some = f"{whole.structural_nonzeros} can be non-zero, {np.count_nonzero(z2_W2)} are for this x"
    say(f"{whole.size} entries: {some}")
    say(f"erratum: dz_1/dW_1k is entry k of a[1], {vector(z2_W2[0, :4])}; the post says of W,")
    say(f"which would be {vector(W2[0])}")
    the_two_orders(whole, z2_W2)
    equal("M35", "dz[2]/db[2] = I", jac("z2", "b2"), np.eye(2), "flat", picture("z2", "b2"))
    rows = [
        ["M36  dimensions", "layout flat", ""],
        ["     delta[3]", str(delta3.shape), "a scalar"],
    ]
    rows += [["     dz[3]/dz[2]", str(jac("z3", "z2").shape), "the product of the next two"]]
    for of, wrt in (("z3", "a2"), ("a2", "z2"), ("z2", "W2"), ("z2", "b2")):
        rows += [[post(f"     d{of}/d{wrt}"), str(jac(of, wrt).shape), ""]]
    print("\n".join(table(rows)))
    delta2 = W3.T @ delta3 * slopes
    equal("M37", "dJ/dz[2] = delta[3] W[3] diag(g'(z[2]))", J_z2, delta3 @ W3 @ diag)
    turned = diag.T @ W3.T @ delta3.T
    equal("M37", "delta[2] = (dJ/dz[2])^T", jac("J", "z2", "gradient"), J_z2.T, "gradient")
    equal("", "  = diag(g'(z[2]))^T W[3]^T delta[3]^T", J_z2.T, turned, "gradient")
    equal("", "  = W[3]^T delta[3] * g'(z[2]), * elementwise", turned, delta2, "gradient")
    say("erratum: 'A, B, and d' is A, B and C in (ABC)^T = C^T B^T A^T, used two lines above")
    equal("M38", "dJ/dW[2] = delta[2]^T dz[2]/dW[2]", jac("J", "W2"), delta2.T @ z2_W2)
    reshaped = jac("J", "W2").reshape(2, 4)
    equal("M39", "dW[2] = dJ/dW[2] reshaped, row by row", dW2, reshaped, "gradient")
    equal("", "dW[2] = delta[2] a[1]^T, an outer product", dW2, delta2 @ a1.T, "gradient")
    J_b2, db2 = jac("J", "b2"), column(GRADIENTS["b2"])
    equal("M40", "dJ/db[2] = delta[2]^T I", J_b2, delta2.T @ np.eye(2))
    equal("M40", "db[2] = (dJ/db[2])^T", db2, J_b2.T, "gradient")
    equal("", "      = delta[2]", db2, delta2, "gradient")
    count(2)
    return delta2


def the_two_orders(whole, z2_W2):
    say("M33  dz_i/dW_jk can be non-zero, '#', for i = j only")
    mask, tensor = whole.can_be_nonzero("numerator"), whole.materialise("transposed")
    require(np.array_equal(mask, np.eye(2)[:, :, None] * np.ones(4)))
    flags = np.where(mask, "#", ".").reshape(2, 8)
    block(f"z[2]_{i}1   {'  '.join(row)}" for i, row in enumerate(flags, 1))
    slices = [array_block(*pair, 40) for pair in zip(tensor, mask.swapaxes(1, 2), strict=True)]
    numbers = [f"{row}   {other}" for row, other in zip(*slices, strict=True)]
    numbers[0] += "   i = 1, i = 2; rows k, columns j"
    statement = "dz_i/dW_jk, axes i,k,j: (2,8) unflattened"
    unflattened = z2_W2.reshape(2, 2, 4).swapaxes(1, 2)
    equal("M34", statement, tensor, unflattened, "transposed", numbers)
    flattened = tensor.swapaxes(1, 2).reshape(2, 8)
    equal("", "back: last axes swapped, flat = dz[2]/dW[2]", flattened, z2_W2)
    equal("", "dz[2]/dW[2] = kron(I, a[1]^T)", z2_W2, np.kron(np.eye(2), a1.T))
    columnwise, numbers = whole.materialise("flat_column"), picture("z2", "W2", "flat_column")
    kron = np.kron(a1.T, np.eye(2))
    equal("M34", "W[2] column by column: kron(a[1]^T, I)", columnwise, kron, "flat_column", numbers)


def layer_1(delta2):
    title("CALCULATING dW[1] AND db[1]")
    slopes, J_z1, z1_W1 = np.where(z1 > 0, 1.0, 0.0), jac("J", "z1"), jac("z1", "W1")
    diag, dW1, numbers = np.diag(slopes[:, 0]), GRADIENTS["W1"], picture("z1", "W1")
    shown = picture("a1", "z1")
    equal("M41", "da[1]/dz[1] = diag(g'(z[1]))", jac("a1", "z1"), diag, "flat", shown)
    equal("M41", "dz[2]/dz[1] = W[2] diag(g'(z[1]))", jac("z2", "z1"), W2 @ diag)
    equal("M42", "dz[1]/dW[1] = kron(I, x^T)", z1_W1, np.kron(np.eye(4), x.T), "flat", numbers)
    say(f"{z1_W1.size} entries: {RUN.jacobian('z1', 'W1').structural_nonzeros} can be non-zero")
    equal("M43", "dz[1]/db[1] = I", jac("z1", "b1"), np.eye(4), "flat", picture("z1", "b1"))
    equal("M44", "dJ/dz[1] = delta[2]^T dz[2]/dz[1]", J_z1, delta2.T @ jac("z2", "z1"))
    delta1 = W2.T @ delta2 * slopes
    equal("", "delta[1] = (dJ/dz[1])^T", jac("J", "z1", "gradient"), J_z1.T, "gradient")
    equal("", "  = W[2]^T delta[2] * g'(z[1])", J_z1.T, delta1, "gradient")
    say(f"erratum: by z[1], not by z[2]: {J_z1.size} entries, as z[1] has; z[2] has {z2.size}")
    equal("M45", "dJ/dW[1] = delta[1]^T dz[1]/dW[1]", jac("J", "W1"), delta1.T @ z1_W1)
    reshaped = jac("J", "W1").reshape(4, 3)
    equal("M45", "dW[1] = dJ/dW[1] reshaped, row by row", dW1, reshaped, "gradient")
    equal("", "dW[1] = delta[1] x^T, an outer product", dW1, delta1 @ x.T, "gradient")
    J_b1, db1 = jac("J", "b1"), column(GRADIENTS["b1"])
    equal("M46", "dJ/db[1] = delta[1]^T I", J_b1, delta1.T @ np.eye(4))
    equal("M46", "db[1] = (dJ/db[1])^T", db1, J_b1.T, "gradient")
    equal("", "      = delta[1]", db1, delta1, "gradient")
    count(1)
    return delta1


def in_summary(deltas):
    title("IN SUMMARY")
    for k, a in ((3, a2), (2, a1), (1, x)):
        delta, before = deltas[k], f"a[{k - 1}]" if k > 1 else "x"
        dW, db, sign = GRADIENTS[f"W{k}"], column(GRADIENTS[f"b{k}"]), tex("delta", k, delta)
        bold = tex("a", k - 1, a)[:-1] + "T}" if k > 1 else r"\textbf{x}^T"
        latex = [f"d{tex('W', k, dW)} = {sign} {bold}", f"d{tex('b', k, db)} = {sign}"]
        lines = [[vector(dW, 4), latex[0]], [f"{vector(db[:, 0], 4)}^T", latex[1]]]
        equal("M47", f"dW[{k}] = delta[{k}] {before}^T", dW, delta @ a.T, "gradient", lines[0])
        equal("M47", f"db[{k}] = delta[{k}]", db, delta, "gradient", lines[1])
    rate = 0.5
    moved = {name: NET.params[name] - rate * GRADIENTS[name] for name in SIZE}
    after = NET.with_params(moved).run(X, Y).loss
    require(after < RUN.loss)
    say(f"""
        M48  W <- W - rate dW and b <- b - rate db, entry by entry, since the shapes match;
             with rate {rate} J falls from {number(RUN.loss)} to {number(after)}
    """)
    say("M49  most tutorials show M47 only; here is every step from J down to the parameters")
    rows = [["", "object", "flat", "can be non-zero", "value"]]
    for step in STEPS.backward:
        value = vector(step.value, 4) if step.value.size < 8 else "as above"
        if isinstance(step, LocalStep):
            share = f"{step.nonzeros} of {step.entries}"
            rows += [[f"[{step.number}]", post(step.name), str(step.shape), share, value]]
        else:
            product = post(f"{step.symbol} = {step.product}")
            rows += [["", product, str(step.shape), "", value]]
    block(table(rows))
    slopes = RUN.gradients("difference")
    apart = max(np.max(np.abs(slopes[name] - GRADIENTS[name])) for name in SIZE)
    require(apart < 1e-9)
    largest = bound(max(apart, 1e-12))
    say(f"all {NET.parameter_count} derivatives against differences of J: gap {largest}")


if __name__ == "__main__":
    some_notation()
    forward_propagation()
    the_loss_function()
    introducing_backpropagation()
    delta3 = layer_3()
    delta2 = layer_2(delta3)
    delta1 = layer_1(delta2)
    in_summary({1: delta1, 2: delta2, 3: delta3})
