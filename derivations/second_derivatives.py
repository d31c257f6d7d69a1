"""The second derivatives of the second seed's network, and the same by hand.

    python derivations/second_derivatives.py

First the page that `jacobian-bp derive --second` prints; then each block once more in plain
numpy, from the formulas of the page. A statement that does not hold ends the script.
"""

from textwrap import dedent, indent

import numpy as np

from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.signs import number
from jacobian_bp.writing.tables import array_block

RUN = second_seed().run(X, Y)
PAGE = RUN.second_derivation()


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def title(text):
    print(f"\n\n{text}\n")


def say(text):
    print(indent(dedent(text).strip("\n"), "  "))


def matrix(array):
    print(indent("\n".join(array_block(np.atleast_2d(array), None, 90)), "      "))


def same(statement, left, right):
    """left = right to rounding, both computed."""
    require(left.shape == right.shape and np.allclose(left, right, rtol=1e-12, atol=1e-15))
    print(f"    {statement:<62}{left.shape!s:<12}equal")


def flat(p, q):
    return RUN.hessian(p, q).materialise("flat")


def the_page():
    print("The second derivatives of a 3-4-2-1 classifier\n")
    print(PAGE.text(ascii_only=True))
    require(PAGE.check.ok)


def by_hand():
    title("THE SAME BY HAND")
    x, a1, a2, p = (RUN[name] for name in ("x", "a1", "a2", "a3"))
    W2, W3 = RUN["W2"], RUN["W3"]
    s1, s2 = ((RUN[z] > 0) * 1.0 for z in ("z1", "z2"))
    d3 = p - RUN["y"]
    d2 = (W3.T @ d3) * s2
    H33 = np.diag(p * (1 - p))
    H32 = H33 @ W3 * s2
    H22 = np.diag(s2) @ W3.T @ H33 @ W3 @ np.diag(s2)
    H21 = H22 @ W2 * s1
    H11 = np.diag(s1) @ W2.T @ H22 @ W2 @ np.diag(s1)
    say("""
        A loss behind its activation bends by p (1 - p); a rectifier is straight, so H goes down
        through W and the slopes s1, s2 alone:
    """)
    print()
    same("H33 = diag(p (1 - p))", H33, flat("z3", "z3"))
    same("H32 = H33 W3 diag(s2)", H32, flat("z3", "z2"))
    same("H22 = diag(s2) W3' H33 W3 diag(s2)", H22, flat("z2", "z2"))
    same("H21 = H22 W2 diag(s1)", H21, flat("z2", "z1"))
    same("H11 = diag(s1) W2' H22 W2 diag(s1)", H11, flat("z1", "z1"))
    print()
    say("""
        A weight adds what it multiplies on its side, a Kronecker product in layout flat. Two
        weights of which one moves what the other multiplies have a row of their own:
    """)
    print()
    kron = np.kron
    same("W3, W3: H33 (x) a2 a2'", kron(H33, np.outer(a2, a2)), flat("W3", "W3"))
    same("W2, W2: H22 (x) a1 a1'", kron(H22, np.outer(a1, a1)), flat("W2", "W2"))
    same("W1, W1: H11 (x) x x'", kron(H11, np.outer(x, x)), flat("W1", "W1"))
    own = np.einsum("k,i,ij,l->kijl", d3, s2, np.eye(2), a1).reshape(2, 8)
    same(
        "W3, W2: H32 (x) a2 a1' + its own row", kron(H32, np.outer(a2, a1)) + own, flat("W3", "W2")
    )
    own = np.einsum("k,i,ij,l->kijl", d2, s1, np.eye(4), x).reshape(8, 12)
    same("W2, W1: H21 (x) a1 x' + its own row", kron(H21, np.outer(a1, x)) + own, flat("W2", "W1"))
    print()
    say("that row of W2 and W1, d2[k] s1[i] [i = k'] x[i'], with unit 0 of layer 2 in front:")
    print()
    matrix(own[:4])


def what_it_is_good_for():
    title("WHAT IT IS GOOD FOR")
    H = RUN.hessian(RUN.params).materialise()
    g = np.concatenate([RUN.gradients()[name].ravel() for name in RUN.params])
    bend = g @ H @ g / (g @ g)
    say(f"""
        Along the gradient g the cost bends by g' H g / g' g = {number(bend, 4)}: a step -t g
        changes it by -t g' g + t^2 g' H g / 2, up to the third order. At t = 0.01:
    """)
    t, net = 0.01, second_seed()
    moved = {n: net.params[n] - t * v for n, v in RUN.gradients().items()}
    found = net.with_params(moved).run(X, Y).loss - RUN.loss
    first, second = -t * (g @ g), -t * (g @ g) + t * t / 2 * (g @ H @ g)
    require(abs(found - second) < abs(found - first) / 20)
    print(f"\n    the cost changes by     {number(found, 6)}")
    print(f"    first order alone       {number(first, 6)}")
    print(f"    with the second order   {number(second, 6)}")


the_page()
by_hand()
what_it_is_good_for()
