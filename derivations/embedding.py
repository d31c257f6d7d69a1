"""An embedding: one-hot times table, without the one-hot and without the product.

    python derivations/embedding.py

Every number is a short binary fraction, exact in floating point: 'same' means the
same to the last bit. Indices count from 0. A statement that does not hold ends the
script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.numbers.memory import format_bytes
from jacobian_bp.writing.signs import to_ascii, vector
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number

RNG = np.random.default_rng(2)
WORDS = ["a", "cat", "dog", "sees", "sleeps"]
SENTENCE = ["a", "cat", "sees", "a", "cat", "a"]
U = np.array([WORDS.index(word) for word in SENTENCE])
E = np.array(
    [[0.5, -1.0, 0.25], [1.5, 0.75, -0.5], [-0.25, 2.0, 1.0], [-1.5, 0.5, 1.25], [1, -2, -0.75]]
)
G = RNG.permutation(np.array([*range(-9, 0), *range(1, 10)])).reshape(6, 3) / 4
ONE_HOT = np.eye(len(WORDS))[U]
LOOK_UP = Network.program("e = Embedding(u, E)", "J = Einsum(e, g, 'td,td->')", params={"E": E})
PRODUCT = Network.program(
    "e = Einsum(H, E, 'tv,vd->td')", "J = Einsum(e, g, 'td,td->')", params={"E": E}
)
RUN, OTHER = LOOK_UP.run(u=U, g=G, axes={"u": "t"}), PRODUCT.run(H=ONE_HOT, g=G)
tokens, width = RUN["e"].shape
vocabulary = len(WORDS)


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def block(lines):
    print(indent("\n".join(lines), "    "))


def equal(statement, left, right, layout):
    """left = right, both computed, to the last bit."""
    left, right = np.asarray(left), np.asarray(right)
    require(np.array_equal(left, right))
    print(f"{statement:<58}{left.shape!s:<14}{layout:<12}same")


def the_table():
    print("An embedding, differentiated\n")
    rows = [["v", "word", "row v of E"]]
    block(table(rows + [[str(v), word, vector(E[v], 12)] for v, word in enumerate(WORDS)], "   "))
    print(f"""
the sentence '{" ".join(SENTENCE)}' is u = {vector(U)}

t, v, d    token, word of the vocabulary, entry of a vector; a prime marks the variable
numerator  layout of a Jacobian: the axes of the output, then those of the variable
gradient   layout of a gradient: the shape of the table {E.shape}
delta      delta[v,u[t]] = 1 if v = u[t], else 0; u is data, and nothing is differentiated by it
zeros      '.' is zero for every table and every g, while the sentence stays""")


def the_one_hot():
    title("A DELTA IS A ONE-HOT ROW")
    print("H[t,v] = delta[v,u[t]]: one 1 in each row\n")
    heads = ["", *WORDS]
    block(
        right_aligned(
            [
                heads,
                *(
                    [w, *zero_or_number(r, r != 0, 6)]
                    for w, r in zip(SENTENCE, ONE_HOT, strict=True)
                ),
            ]
        )
    )
    print("""
e[t,d] = sum_v H[t,v] E[v,d]
       = sum_v delta[v,u[t]] E[v,d] = E[u[t],d]    the delta is spent
""")
    equal("H E = E[u], rows of the table", OTHER["e"], E[U], "value")
    equal("    = Embedding(u, E)", OTHER["e"], RUN["e"], "value")


def the_jacobian():
    title("THE SAME JACOBIAN, KNOWN AND NOT KNOWN TO BE EMPTY")
    looked, multiplied = (run.jacobian("e", "E") for run in (RUN, OTHER))
    for text, found in (("look-up", looked), ("product", multiplied)):
        print(f"{text}  {found.text(ascii_only=True).splitlines()[0]}")
    print()
    equal("de/dE of both", looked.materialise(), multiplied.materialise(), "numerator")
    ones = int(looked.materialise().sum())
    require(ones == looked.structural_nonzeros == tokens * width)
    require(multiplied.structural_nonzeros == tokens * width * vocabulary)
    of_look_up = f"{looked.structural_nonzeros} of {looked.size}"
    of_product = f"{multiplied.structural_nonzeros} of {multiplied.size}"
    print(f"""
token t reads row u[t], hence delta[v',u[t]]; entry d of it alone, hence delta[d,d'].
look-up: {of_look_up} entries can be non-zero, {tokens} x {width}, and each is a 1
product: {of_product}; H is an array like any other: nobody says that it has one 1 a row""")


def the_gradient():
    title("BACKWARD: ROWS ARE ADDED WHERE THEY WERE READ")
    (step,) = RUN.derivation("flat").gradients
    before, after = (to_ascii(text.replace("∂J/∂e", "g")) for text in (step.before, step.after))
    print(f"g = dJ/de {G.shape} comes from above:\n\ndJ/dE = {before}\n      = {after}\n")
    found = RUN.gradients()["E"]
    rows = [["word", "read at t =", "row of dJ/dE"]]
    read = RUN.jacobian("J", "E").collapse().can_be_nonzero()
    for v, word in enumerate(WORDS):
        at = np.flatnonzero(v == U)
        require(
            np.array_equal(found[v], G[at].sum(axis=0))
            and read[v].all() == read[v].any() == bool(len(at))
        )
        sums = " + ".join(vector(G[t], 12) for t in at)
        cells = vector(found[v], 12) if len(at) else "[.  .  .]"
        rows += [
            [
                word,
                ", ".join(map(str, at)) or "never",
                cells + (f" = {sums}" if len(at) > 1 else ""),
            ]
        ]
    block(table(rows, "   "))
    print()
    equal("H^T g", found, ONE_HOT.T @ G, "gradient")
    added = np.zeros_like(E)
    np.add.at(added, U, G)
    equal("np.add.at(dE, u, g)", found, added, "gradient")
    lost = np.zeros_like(E)
    lost[U] += G
    wrong = [WORDS[v] for v in range(vocabulary) if not np.array_equal(lost[v], found[v])]
    require(wrong == [word for v, word in enumerate(WORDS) if np.sum(v == U) > 1])
    print(f"""
a trap: dE[u] += g. numpy reads all rows, adds, and writes: of a word that stands there more than
once, the last g alone is left. Wrong for: {", ".join(wrong)}; the shape is right.""")


def a_vocabulary():
    title("A VOCABULARY OF THE USUAL SIZE")
    words, entries, length = 50_000, 64, 256
    big = Network.program("e = Embedding(u, E)", params={"E": np.zeros((words, entries))})
    run = big.run(u=RNG.integers(0, words, length), axes={"u": "t"})
    whole = run.jacobian("e", "E")
    require(whole.structural_nonzeros == length * entries)
    rows = [["", "entries", "bytes"]]
    for name, count in (
        ("E, the table", words * entries),
        ("H, one-hot rows", length * words),
        ("de/dE, whole", whole.size),
        ("    of which 1", whole.structural_nonzeros),
        ("u, all that is kept of de/dE", length),
    ):
        rows += [[name, f"{count:,}", format_bytes(8 * count)]]
    require(format_bytes(whole.nbytes) == format_bytes(8 * whole.size))
    print(f"""\
{words:,} words, vectors of {entries}, {length} tokens; 8 bytes a number; de/dE is not built:
""")
    block(table(rows, "   "))
    every, of_ones = length * words * entries, length * entries
    print(f"""
H E takes {every:,} multiplications, all but {of_ones:,} of them by 0; the look-up none.""")


if __name__ == "__main__":
    the_table()
    the_one_hot()
    the_jacobian()
    the_gradient()
    a_vocabulary()
