"""Causal self-attention for a small batch of sentences: every Jacobian, and what it counts.

    python derivations/causal_attention.py

Two sentences of 6 tokens, vectors of 4, keys of 3. A token reads itself and what comes
before it. Numbers are rounded for print; what is said to be the same is within 1e-12.
Indices count from 0. A statement that does not hold ends the script.
"""

from textwrap import indent

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import to_ascii
from jacobian_bp.writing.tables import right_aligned, table, zero_or_number

RNG = np.random.default_rng(11)
N, T, D, H = 2, 6, 4, 3
C = 1 / np.sqrt(H)
LINES = (
    "Q = Einsum(x, WQ, 'ti,ki->tk')",
    "K = Einsum(x, WK, 'ti,ki->tk')",
    "V = Einsum(x, WV, 'ti,ji->tj')",
    "s = Einsum(Q, K, c, 'tk,uk,->tu')",
    "P = CausalSoftmax(s)",
    "o = Einsum(P, V, 'tu,uj->tj')",
)
PARAMS = {"WQ": RNG.normal(size=(H, D)), "WK": RNG.normal(size=(H, D))}
PARAMS |= {"WV": RNG.normal(size=(D, D))}
X, G = RNG.normal(size=(N, T, D)), RNG.normal(size=(N, T, D))
NET = Network.program(*LINES, params=PARAMS)
ONE, BATCH = NET.run(X[0], c=C), NET.run(X, c=C)
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
    print(f"{statement:<58}{np.shape(left)!s:<14}{layout:<12}gap < {TINY:g}")


def jac(of, wrt, run=ONE):
    return run.jacobian(of, wrt).materialise()


def formula(jacobian):
    print(jacobian.text(ascii_only=True).partition("\n  layout")[0])


def counted(jacobian):
    return f"{jacobian.structural_nonzeros:,} of {jacobian.size:,}"


def the_program():
    print("Causal self-attention, differentiated\n")
    shapes = [ONE[step.split(" = ")[0]].shape for step in NET.steps]
    block(table([[to_ascii(s), str(z)] for s, z in zip(NET.steps, shapes, strict=True)], "   "))
    print(f"""
n          sentence, {N} of them; the shapes above are those of one
t, u       token that asks, token that is asked, {T}; a prime marks the variable
i, k, j    entry of x ({D}), of a query and a key ({H}), of a value and an output ({D})
c          1/sqrt({H})
[u<=t]     1 where u is not later than t, else 0
numerator  layout of a Jacobian: the axes of the output, then those of the variable
gradient   layout of a gradient: the shape of its variable
zeros      '.' is zero for every input, '0' is zero by the numbers""")


def every_local_jacobian():
    title("EACH STEP, ONE SENTENCE")
    links = [("Q", "x"), ("Q", "WQ"), ("V", "x"), ("V", "WV"), ("s", "Q"), ("s", "K")]
    links += [("P", "s"), ("o", "P"), ("o", "V")]
    said = {
        ("Q", "x"): "every token by the same WQ; K with WK likewise",
        ("Q", "WQ"): "entry k of a query reads row k of WQ",
        ("V", "x"): "every token by the same WV",
        ("V", "WV"): "entry j of a value reads row j of WV",
        ("s", "Q"): "row t of the scores asks with query t",
        ("s", "K"): "column u of the scores asks key u",
        ("P", "s"): "row t shares one sum, and what is later has no part in it",
        ("o", "P"): "output t weighs by row t",
        ("o", "V"): "entry j of V[u] only, and only where u is not later",
    }
    for of, wrt in links:
        local = ONE.jacobian(of, wrt)
        require(np.count_nonzero(local.materialise()) <= local.structural_nonzeros)
        formula(local)
        shape = str(local.shape).replace(" ", "")
        print(f"    {shape}, {counted(local)}: {said[of, wrt]}")


def the_textbook():
    title("FROM o BACK TO Q, K AND V, WRITTEN OUT")
    P, V, Q, K, o = (ONE[name] for name in "PVQKo")
    spread = V[None] - o[:, None]  # t, u, j
    eye = np.eye(T)
    by_Q = C * np.einsum("ts,tu,tuj,uk->tjsk", eye, P, spread, K)
    by_K = C * np.einsum("tu,tuj,tk->tjuk", P, spread, Q)
    by_V = np.einsum("tu,jl->tjul", P, np.eye(D))
    print("""\
P (1-P) on the diagonal and -P P' beside it are one: dP/ds = P[t,u] (delta[u,u'] - P[t,u']).
It puts V[u] - o[t] in the place of V[u]: a score moves o[t] towards the value that it weighs,
away from the mean of all.
""")
    equal(
        "do/dQ: delta[t,t'] c sum_u P[t,u] (V[u,j]-o[t,j]) K[u,k']",
        jac("o", "Q"),
        by_Q,
        "numerator",
    )
    equal("do/dK: c P[t,u'] (V[u',j]-o[t,j]) Q[t,k']", jac("o", "K"), by_K, "numerator")
    equal("do/dV: P[t,u'] delta[j,j']", jac("o", "V"), by_V, "numerator")


def the_counts():
    title("91 OF A SOFTMAX, 336 OF AN ATTENTION")
    soft, whole = ONE.jacobian("P", "s"), ONE.jacobian("o", "x")
    squares = [(t + 1) ** 2 for t in range(T)]
    require(soft.structural_nonzeros == sum(squares) == 91)
    added = " + ".join(map(str, squares))
    print(f"""\
dP/ds: row t has a square of t+1 by t+1, {added} = {sum(squares)} of {soft.size:,}.
Rows 0 to 2:
""")
    own, mask = soft.materialise(), soft.can_be_nonzero()
    sides = []
    for t in range(3):
        pairs = zip(own[t, :, t], mask[t, :, t], strict=True)
        sides += [right_aligned([zero_or_number(np.round(v, 2), m, 3) for v, m in pairs])]
    block(
        table(
            [[f"t = {t}: dP[{t},u]/ds[{t},u']" for t in range(3)], *zip(*sides, strict=True)],
            "     ",
        )
    )
    require(own[0, 0, 0, 0] == 0)
    print(
        "\nrow 0 has one probability, 1 whatever its score: its slope P(1-P) is 0 by the numbers.\n"
    )
    pairs = T * (T + 1) // 2
    require(whole.structural_nonzeros == pairs * D * D == 336)
    require(whole.paths == 3)
    print(f"""\
do/dx: {whole.paths} paths, by Q, K and V. Each t, t' has a block, where t' is not later:
{pairs} pairs x {D} x {D} = {pairs * D * D} of {whole.size}. The paths that reach a block:
""")
    reach = {}
    for name in "QKV":
        path = ONE.jacobian("o", name) @ ONE.jacobian(name, "x")
        reach[name] = path.can_be_nonzero().any(axis=(1, 3))
    require(np.array_equal(reach["Q"], np.eye(T, dtype=bool)))
    require(np.array_equal(reach["K"], np.tri(T, dtype=bool)))
    require(np.array_equal(reach["V"], np.tri(T, dtype=bool)))
    heads = ["", *(f"x[{t}]" for t in range(T))]
    rows = []
    for t in range(T):
        cells = ["".join(name for name in "QKV" if reach[name][t, u]) for u in range(T)]
        rows += [[f"o[{t}]", *(cell or "." for cell in cells)]]
    block(table([heads, *rows], "   "))
    print("""
a token asks for itself alone, Q, on the diagonal; it is asked, K, and gives its value, V, for
itself and for all that come later.""")


def what_is_later():
    title("WHAT IS LATER CANNOT BE READ, TO THE LAST BIT")
    x = X[0].copy()
    x[-1] = RNG.normal(size=D) * 100
    require(np.array_equal(NET.run(x, c=C)["o"][:-1], ONE["o"][:-1]))
    g = np.zeros((T, D))
    g[2] = G[0, 2]
    back = ONE.vjp("o", "x", g)
    require(not back[3:].any() and back[:3].all())
    print(
        "another last token, 100 times as large: o[0] to o[4] are the same to the last bit. And the"
    )
    print("cost of o[2] alone gives dJ/dx[3], dJ/dx[4], dJ/dx[5] that are exactly 0.")


def the_batch():
    title(f"A BATCH OF {N} SENTENCES: SENTENCES DO NOT MIX, WEIGHTS ARE SHARED")
    whole, one = BATCH.jacobian("o", "x"), ONE.jacobian("o", "x")
    require(whole.structural_nonzeros == N * one.structural_nonzeros)
    formula(BATCH.jacobian("o", "V"))
    print(f"""\
do/dx: {counted(whole)}, {N} x {one.structural_nonzeros}; delta[n,n'] stands in front of every one
""")
    print("the sweep back, with g = dJ/do, matrices of one sentence; .* is entry by entry:\n")
    P, V, Q, K = (BATCH[name] for name in "PVQK")
    dV, dP = np.swapaxes(P, 1, 2) @ G, G @ np.swapaxes(V, 1, 2)
    ds = P * (dP - (dP * P).sum(axis=-1, keepdims=True))
    dQ, dK = C * ds @ K, C * np.swapaxes(ds, 1, 2) @ Q
    found = {"V": dV, "P": dP, "s": ds, "Q": dQ, "K": dK}
    words = {
        "V": "P^T g",
        "P": "g V^T",
        "s": "P .* (dP - row sums of dP .* P)",
        "Q": "c ds K",
        "K": "c ds^T Q",
    }
    for name, value in found.items():
        equal(f"d{name} = {words[name]}", BATCH.vjp("o", name, G), value, "gradient")
    for name in "QKV":
        summed = np.einsum("nta,nti->ai", found[name], X)
        equal(f"dW{name} = sum_n d{name}^T x", BATCH.vjp("o", f"W{name}", G), summed, "gradient")
    dx = sum(found[name] @ PARAMS[f"W{name}"] for name in "QKV")
    equal("dx = dQ WQ + dK WK + dV WV, the three paths", BATCH.vjp("o", "x", G), dx, "gradient")
    full = np.einsum("ntj,ntjmui->mui", G, whole.materialise())
    equal("   = g times the whole do/dx", full, dx, "gradient")
    print("\nds has its zeros from P: where u is later, P[t,u] = 0, and so is what comes back.")


if __name__ == "__main__":
    the_program()
    every_local_jacobian()
    the_textbook()
    the_counts()
    what_is_later()
    the_batch()
