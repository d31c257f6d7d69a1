"""A trained transformer of four layers: the Jacobian of each layer, by name.

    python derivations/trained_transformer.py

Width 32, 16 tokens, 2 heads. It is trained here, briefly, on sequences that repeat themselves
after four tokens; then the whole Jacobian from layer to layer is built, and each weight's
gradient is read as its factors, a sum of products over the tokens. Numbers are rounded for
print; what is said to be the same is within 1e-9. A statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.numbers.memory import format_bytes
from jacobian_bp.writing.signs import to_ascii
from jacobian_bp.writing.tables import fold_terms, table

LAYERS, WIDTH, TOKENS, HEADS, KEY, HIDDEN = 4, 32, 16, 2, 16, 64
WORDS, PERIOD, EXAMPLES, STEPS, RATE = 7, 4, 16, 60, 0.004
RNG = np.random.default_rng(11)
BLOCK = (
    "u{l} = LayerNorm(x{p}, g{l}, e{l})",
    "Q{l} = Einsum(u{l}, WQ{l}, 'ti,hki->thk')",
    "K{l} = Einsum(u{l}, WK{l}, 'ti,hki->thk')",
    "V{l} = Einsum(u{l}, WV{l}, 'ti,hji->thj')",
    "s{l} = Einsum(Q{l}, K{l}, 'thk,uhk->htu')",
    "c{l} = Multiply(s{l}, 0.25)",
    "P{l} = CausalSoftmax(c{l})",
    "o{l} = Einsum(P{l}, V{l}, 'htu,uhj->thj')",
    "m{l} = Einsum(o{l}, WO{l}, 'thj,ihj->ti')",
    "r{l} = Add(x{p}, m{l}, 't,i')",
    "v{l} = LayerNorm(r{l}, h{l}, f{l})",
    "z{l} = Linear(v{l}, A{l}, b{l})",
    "a{l} = GELU(z{l})",
    "d{l} = Linear(a{l}, B{l}, q{l})",
    "x{l} = Add(r{l}, d{l}, 't,i')",
)
ENDS = ("y0 = LayerNorm(x4, g5, e5)", "z = Linear(y0, T)", "L = CrossEntropyFromLogits(z, y)")
AXES = {"w": "n,t"}


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def spell(shape):
    return str(shape).replace(" ", "")


def lines():
    found = ["e = Embedding(w, E)", "x0 = Add(e, S, 't,i')"]
    for layer in range(1, LAYERS + 1):
        found += [line.format(l=layer, p=layer - 1) for line in BLOCK]
    return [*found, *ENDS, "J = Mean(L, over='n,t')"]


def drawn():
    """Weights of standard deviation 1/sqrt(inputs); what comes back to the sum begins small."""
    shapes = {"E": (WORDS, WIDTH), "S": (TOKENS, WIDTH), "T": (WORDS, WIDTH)}
    plain = {"g5": np.ones(WIDTH), "e5": np.zeros(WIDTH)}
    for n in range(1, LAYERS + 1):
        shapes |= {f"W{c}{n}": (HEADS, KEY, WIDTH) for c in "QKV"}
        shapes |= {
            f"WO{n}": (WIDTH, HEADS, KEY),
            f"A{n}": (HIDDEN, WIDTH),
            f"B{n}": (WIDTH, HIDDEN),
        }
        plain |= {f"{c}{n}": np.ones(WIDTH) for c in "gh"}
        plain |= {f"{c}{n}": np.zeros(WIDTH) for c in "efq"} | {f"b{n}": np.zeros(HIDDEN)}
    weights = {n: RNG.normal(size=s) / np.sqrt(s[-1]) for n, s in shapes.items()}
    return weights | plain


def sequences(count):
    """Tokens that repeat after PERIOD, and at each place the next one."""
    start = RNG.integers(0, WORDS, (count, PERIOD))
    whole = np.tile(start, TOKENS // PERIOD + 1)[:, : TOKENS + 1]
    return whole[:, :-1], whole[:, 1:]


def trained():
    """The network before and behind Adam's steps, and the cost at both ends."""
    net = Network.program(*lines(), params=drawn())
    step = net.compile(batch=EXAMPLES, axes=AXES)
    params = {name: np.array(value) for name, value in net.params.items()}
    means = {name: np.zeros_like(value) for name, value in params.items()}
    squares = {name: np.zeros_like(value) for name, value in params.items()}
    costs = []
    for n in range(1, STEPS + 1):
        w, y = sequences(EXAMPLES)
        cost, gradients = step(params, w=w, y=y)
        costs.append(float(cost))
        for name, value in params.items():
            means[name] = 0.9 * means[name] + 0.1 * gradients[name]
            squares[name] = 0.99 * squares[name] + 0.01 * gradients[name] ** 2
            mean, square = means[name] / (1 - 0.9**n), squares[name] / (1 - 0.99**n)
            params[name] = value - RATE * mean / (np.sqrt(square) + 1e-8)
    return net.with_params(params), costs


def the_model(net, costs):
    print("A transformer of four layers, trained, differentiated from layer to layer\n")
    block(["e = Embedding(w, E)", "x0 = Add(e, S, 't,i')", "for each layer l = 1 to 4, p = l - 1:"])
    block([f"    {line}" for line in BLOCK])
    block([*ENDS, "J = Mean(L, over='n,t')"])
    count = f"{net.parameter_count:,}"
    require(np.mean(costs[-10:]) < 0.75 * costs[0])
    print(f"""
x1, x2, x3, x4 are what the layers give; T reads the next token off x4, normalised.
{count} parameters. Before training the cost is {costs[0]:.1f}, after {STEPS} steps it is below
three quarters of that: log {WORDS} = {np.log(WORDS):.2f} is what guessing costs.""")


def layer_to_layer(run):
    title("FROM LAYER TO LAYER, BY NAME")
    rows = [["", "shape", "whole", "can be != 0", "paths"]]
    arrays = []
    for layer in range(1, LAYERS + 1):
        of, wrt = f"x{layer}", f"x{layer - 1}"
        whole = run.jacobian(of, wrt)
        array, mask = whole.materialise(), whole.can_be_nonzero()
        pairs = TOKENS * (TOKENS + 1) // 2
        require(whole.structural_nonzeros == mask.sum() == pairs * WIDTH * WIDTH)
        require(not array[~mask].any())
        arrays.append(array.reshape(TOKENS * WIDTH, -1))
        counted = f"{whole.structural_nonzeros:,} of {whole.size:,}"
        rows.append(
            [f"d{of}/d{wrt}", spell(whole.shape), format_bytes(whole.nbytes), counted, whole.paths]
        )
    block(table([[str(cell) for cell in row] for row in rows]))
    product = arrays[3] @ arrays[2] @ arrays[1] @ arrays[0]
    direct = run.jacobian("x4", "x0").materialise().reshape(product.shape)
    require(np.abs(product - direct).max() < 1e-9 * np.abs(direct).max())
    g = np.random.default_rng(2).normal(size=(TOKENS, WIDTH))
    back = run.vjp("x4", "x0", g)
    require(np.abs(g.ravel() @ product - back.ravel()).max() < 1e-9 * np.abs(back).max())
    pairs = TOKENS * (TOKENS + 1) // 2
    print(f"""
One sequence of {TOKENS} tokens. A token reads itself and the tokens before: {pairs} pairs,
each a block of {WIDTH} x {WIDTH}. 8 paths through a layer: past or through the attention, by Q, K
or V, and past or through the two linear maps. dx4/dx0 is the product of the four, and
g dx4/dx0 the vector-Jacobian product.""")
    return arrays


def by_distance(arrays):
    title("HOW FAR A LAYER READS: THE SIZE OF THE BLOCKS, BY DISTANCE")
    rows = [["tokens back", *(f"dx{n}/dx{n - 1}" for n in range(1, LAYERS + 1))]]
    sizes = np.zeros((LAYERS, TOKENS))
    for n, array in enumerate(arrays):
        blocks = array.reshape(TOKENS, WIDTH, TOKENS, WIDTH)
        norm = np.linalg.norm(blocks, axis=(1, 3))
        for back in range(TOKENS):
            sizes[n, back] = np.mean([norm[t, t - back] for t in range(back, TOKENS)])
    for back in range(6):
        rows.append([str(back), *(f"{size:.1f}" for size in sizes[:, back])])
    block(table(rows))
    require(sizes[0, 1:].argmax() + 1 == PERIOD - 1)
    require(all(sizes[n, 0] > 5 * sizes[n, 1:].max() for n in range(1, LAYERS)))
    print(f"""
Frobenius norm, the mean over the tokens. 0 tokens back stands the identity of the skips,
{np.sqrt(WIDTH):.1f} by itself, and what attention and the linear maps add to it. Beside its own
token the first layer reads most what stood {PERIOD - 1} back: the word that came next the time
before, as the sequences repeat themselves after {PERIOD}. The others leave a token nearly
alone.""")


def as_factors(run):
    title("A WEIGHT'S GRADIENT AS ITS FACTORS: A SUM OVER THE TOKENS")
    rows = [["", "as factors", "rank", "whole", "the factors"]]
    for layer in range(1, LAYERS + 1):
        for name, of, read in (
            (f"A{layer}", f"z{layer}", f"v{layer}"),
            (f"B{layer}", f"d{layer}", f"a{layer}"),
        ):
            delta, x = run.vjp("J", of, 1.0), run[read]
            gradient = run.gradients()[name]
            terms = [np.outer(delta[t], x[t]) for t in range(TOKENS)]
            require(np.abs(sum(terms) - gradient).max() < 1e-9 * np.abs(gradient).max())
            rank = np.linalg.matrix_rank(gradient, tol=1e-9 * np.linalg.norm(gradient))
            require(rank <= TOKENS)
            sizes = format_bytes(gradient.nbytes), format_bytes(delta.nbytes + x.nbytes)
            said = f"sum_t dJ/d{of}[t,k'] {read}[t,i']"
            rows.append([f"dJ/d{name}", said, str(rank), *sizes])
    block(table(rows))
    local = run.local_jacobian("z4", "A4")
    print()
    print("\n".join(fold_terms(to_ascii(local.statement), 99)))
    print(f"""
The delta of this Jacobian is spent, and what is left is one product of a column and a row
for each token: the gradient of a matrix with {HIDDEN} x {WIDTH} entries has at most
rank {TOKENS}.""")


def main():
    net, costs = trained()
    w, y = sequences(1)
    run = net.run(w=w[0], y=y[0], axes={"w": "t"})
    the_model(net, costs)
    by_distance(layer_to_layer(run))
    as_factors(run)
    both = run.gradients(route="vjp"), run.gradients(route="structured")
    require(all(np.abs(both[0][name] - both[1][name]).max() < 1e-9 for name in both[0]))
    print(
        "\n\nThe gradients without a Jacobian, and from Jacobians with their deltas spent, agree."
    )


if __name__ == "__main__":
    main()
