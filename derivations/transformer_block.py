"""A transformer block in a table: every Jacobian's shape, structure, bytes and non-zeros.

    python derivations/transformer_block.py

First a block so small that every Jacobian is built and counted; then one of a usual size,
of which none is built: what is printed there follows from the deltas. Indices count from 0.
A statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import MemoryLimitError, Network
from jacobian_bp.numbers.memory import format_bytes, memory_limit
from jacobian_bp.writing.signs import to_ascii
from jacobian_bp.writing.tables import fold_all, fold_terms, table

LINES = (
    "u = LayerNorm(x, g1, e1)",
    "Q = Einsum(u, WQ, 'ti,hki->thk')",
    "K = Einsum(u, WK, 'ti,hki->thk')",
    "V = Einsum(u, WV, 'ti,hji->thj')",
    "s = Einsum(Q, K, c, 'thk,uhk,->htu')",
    "P = CausalSoftmax(s)",
    "o = Einsum(P, V, 'htu,uhj->thj')",
    "m = Einsum(o, WO, 'thj,ihj->ti')",
    "r = Add(x, m)",
    "v = LayerNorm(r, g2, e2)",
    "z = Linear(v, W1, b1)",
    "a = GELU(z)",
    "f = Linear(a, W2, b2)",
    "y = Add(r, f)",
)
SMALL = {"sentences": 3, "tokens": 5, "width": 4, "heads": 2, "key": 3, "hidden": 7}
USUAL = {"sentences": 2, "tokens": 128, "width": 768, "heads": 12, "key": 64, "hidden": 3072}


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def a_run(sizes):
    """The block with random weights, on random sentences."""
    D, H, k, F = (sizes[name] for name in ("width", "heads", "key", "hidden"))
    rng = np.random.default_rng(1)
    shapes = {"WQ": (H, k, D), "WK": (H, k, D), "WV": (H, k, D), "WO": (D, H, k)}
    shapes |= {"W1": (F, D), "W2": (D, F)}
    params = {name: rng.normal(size=shape) / np.sqrt(D) for name, shape in shapes.items()}
    params |= {"g1": rng.uniform(0.5, 2, D), "g2": rng.uniform(0.5, 2, D)}
    params |= {"e1": rng.normal(size=D), "e2": rng.normal(size=D)}
    params |= {"b1": rng.normal(size=F), "b2": rng.normal(size=D)}
    x = rng.normal(size=(sizes["sentences"], sizes["tokens"], D))
    return Network.program(*LINES, params=params).run(x, c=1 / np.sqrt(k), axes={"x": "n,t"})


def links():
    """Each step by each thing that it reads, but the number c."""
    for line in LINES:
        of, _, call = line.partition(" = ")
        for wrt in call[call.index("(") + 1 : -1].split(", "):
            if wrt != "c" and not wrt.startswith("'"):
                yield of, wrt


def spell(shape):
    return str(shape).replace(" ", "")


def the_block(small):
    print("A transformer block, differentiated\n")
    shapes = [str(small[line.split(" = ")[0]].shape) for line in LINES]
    block(table([[line, shape] for line, shape in zip(LINES, shapes, strict=True)], "   "))
    print("""
n, h       sentence, head
t, u       token that asks, token that is asked; a prime marks the variable
i, k, j    entry of x, of a query and a key, of a value; k too: unit of a layer
numerator  layout of every Jacobian here: the axes of the output, then those of the variable
c          1/sqrt(length of a key), a number
(x)        times, of factors over different axes
LayerNorm has gain g and shift e; GELU is applied entry by entry""")


def each_one(small):
    title("EACH JACOBIAN: ITS FORMULA, WHAT IT IS, AND WHY")
    for of, wrt in links():
        local = small.local_jacobian(of, wrt)
        equation = to_ascii(local.statement)
        print("\n".join(fold_terms(equation, 99)))
        said = f"    {to_ascii(local.structure)}: {to_ascii(small.reason(of, wrt))}"
        print("\n".join(fold_all([said], 99)))


def built(small):
    title(f"BUILT: {words(SMALL)}")
    rows = [["", "shape", "can be != 0", "are != 0", "whole", "those alone"]]
    whole_bytes = kept_bytes = 0
    for of, wrt in links():
        local = small.local_jacobian(of, wrt)
        array, mask = local.materialise(), local.can_be_nonzero()
        require(local.structural_nonzeros == mask.sum() and not array[~mask].any())
        require(local.nbytes == array.nbytes)
        own = 8 * local.structural_nonzeros
        whole_bytes, kept_bytes = whole_bytes + array.nbytes, kept_bytes + own
        counts = f"{local.structural_nonzeros:,} of {local.size:,}", f"{np.count_nonzero(array):,}"
        sizes = format_bytes(array.nbytes), format_bytes(own)
        rows += [[f"d{of}/d{wrt}", spell(array.shape), *counts, *sizes]]
    rows += [["all", "", "", "", format_bytes(whole_bytes), format_bytes(kept_bytes)]]
    block(table(rows))
    soft, zeros = small.local_jacobian("P", "s"), SMALL["sentences"] * SMALL["heads"]
    require(soft.structural_nonzeros - np.count_nonzero(soft.materialise()) == zeros)
    print(f"""
bytes: of the whole array, and of the entries that can be other than 0. dP/ds has {zeros} zeros more
by the numbers: the first token of every sentence and head asks itself alone, P = 1, slope 0.""")


def the_whole(small):
    title("FROM y BACK TO x")
    whole = small.jacobian("y", "x")
    array, mask = whole.materialise(), whole.can_be_nonzero()
    n, t, d = (SMALL[name] for name in ("sentences", "tokens", "width"))
    require(whole.structural_nonzeros == mask.sum() == n * t * (t + 1) // 2 * d * d)
    require(whole.paths == 8)
    g = np.random.default_rng(2).normal(size=small["y"].shape)
    gap = np.max(np.abs(np.einsum("nti,ntimuj->muj", g, array) - small.vjp("y", "x", g)))
    require(gap < 1e-12)
    counted = f"{whole.structural_nonzeros:,} of {whole.size:,}"
    pairs = t * (t + 1) // 2
    print(f"""\
8 paths: past or through the attention, by Q, K or V, 1 + 3; then past or through the two
layers, 1 + 1. dy/dx {spell(whole.shape)}: {counted} entries can be non-zero,
{n} sentences x {pairs} pairs of tokens, none later, x {d} x {d}: those of attention and no more, as
every other step keeps token by token. g dy/dx is the vector-Jacobian product, gap < 1e-12.""")


def not_built():
    title(f"NOT BUILT: {words(USUAL)}")
    run = a_run(USUAL)
    rows = [["", "shape", "can be != 0", "one in", "whole", "those alone"]]
    whole_bytes = kept_bytes = 0
    for of, wrt in links():
        local = run.local_jacobian(of, wrt)
        count = local.structural_nonzeros
        whole_bytes, kept_bytes = whole_bytes + local.nbytes, kept_bytes + 8 * count
        sizes = format_bytes(local.nbytes), format_bytes(8 * count)
        counts = f"{count:,}", f"{local.size // count:,}"
        rows += [[f"d{of}/d{wrt}", spell(local.shape), *counts, *sizes]]
    rows += [["all", "", "", "", format_bytes(whole_bytes), format_bytes(kept_bytes)]]
    block(table(rows))
    n, t, d, f = (USUAL[name] for name in ("sentences", "tokens", "width", "hidden"))
    by_W1, gelu = run.local_jacobian("z", "W1"), run.local_jacobian("a", "z")
    require(by_W1.size == n * t * f * f * d and by_W1.structural_nonzeros == n * t * f * d)
    require(gelu.size == (n * t * f) ** 2 and gelu.structural_nonzeros == n * t * f)
    locals_ = [run.local_jacobian(*link) for link in links()]
    require(max(j.nbytes for j in locals_) == by_W1.nbytes)
    rarest = max(j.size // j.structural_nonzeros for j in locals_)
    require(gelu.size // gelu.structural_nonzeros == rarest)
    values = format_bytes(sum(run[line.split(" = ")[0]].nbytes for line in LINES))
    largest = format_bytes(by_W1.nbytes)
    print(f"""
'one in' is rounded down. dz/dW1 is the largest, {largest}, with one entry in {f:,};
the emptiest is da/dz, entry by entry, with one in {rarest:,}. All values of the forward
pass take {values}: a vector-Jacobian product reads them and the weights, and builds none
of these. Whoever asks for one all the same is told:
""")
    try:
        with memory_limit(8 * 2**30):
            by_W1.materialise()
    except MemoryLimitError as error:
        block(fold_all(to_ascii(str(error)).splitlines(), 90))
    else:
        require(False)


def words(sizes):
    names = {"sentences": "SENTENCES", "tokens": "TOKENS", "width": "ENTRIES", "heads": "HEADS"}
    said = ", ".join(f"{sizes[name]} {word}" for name, word in names.items())
    return f"{said} OF {sizes['key']}, {sizes['hidden']} HIDDEN UNITS"


if __name__ == "__main__":
    SMALL_RUN = a_run(SMALL)
    the_block(SMALL_RUN)
    each_one(SMALL_RUN)
    built(SMALL_RUN)
    the_whole(SMALL_RUN)
    not_built()
