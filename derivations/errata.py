"""The slips of the three seeds (X6), each with what is right and a run that shows it.

    python derivations/errata.py

J, the tensor chain rule, counts layers from the input: its W^2 is "W1" in the
package. M, the post on the 3-4-2-1 classifier: W[1] is "W1". F, the question on
a network with a linear output: Theta^(1) is "W1", b^(2) is "b1". A run that
does not show what it should ends the script.
"""

import re
from textwrap import dedent

import numpy as np

from jacobian_bp import Network, ReLU, taylor_test
from jacobian_bp.reference import PARAMS, X, Y, second_seed
from jacobian_bp.writing.signs import number, vector

M_NET, LABEL = second_seed(), [1.0, 0.0]
TWO = {name: PARAMS[name] for name in ("W1", "b1", "W2", "b2")}
J = Network.dense([3, 4, 2], "sigmoid", "squared_error", params=TWO, squash_input=True)
F = Network.dense([3, 4, 2], ["sigmoid", "identity"], "half_squared_error", params=TWO)
J, M, F = J.run(X, LABEL), M_NET.run(X, Y), F.run(X, LABEL)
SECTIONS = {(0, 1): "3.2", (1, 1): "3.3", (1, 2): "3.5"}  # axes of the value, of the variable


def jac(run, of, wrt, layout):
    return run.jacobian(of, wrt).materialise(layout)


def columns(run, *names):
    """Values as the seeds have them: a vector is a column, a matrix stays as it is."""
    return [v if v.ndim == 2 else v.reshape(-1, 1) for v in map(run.__getitem__, names)]


def sigma(v):
    return 1 / (1 + np.exp(-v))


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


def slip(text):
    """What the seed says, what is right, and a run; a blank line before each item."""
    print(re.sub(r"^(?=[A-Z]\d)", "\n", dedent(text).strip("\n"), flags=re.MULTILINE))


def heading():
    print(
        dedent("""\
        X6   The slips of the three seeds, each with a run that shows what is right

        gap         how far two computed sides are apart
        refused     numpy or Python does not compute it, and the error that it raises
        (.)         entry by entry; f o g is f after g
        own         layout of values and parameters: a vector is a column
        transposed  layout of J's Jacobians: a gradient by a vector is a row, and a matrix
                    argument is turned round
        flat        layout of M's Jacobians: outputs x flattened inputs
        gradient    the variable's own axes first: a gradient by a vector is a column""")
    )


def cost(v):
    return ((sigma(v) - np.array([LABEL]).T) ** 2).sum()


def first_seed_slips():
    print("\n\nJ: HOW I THINK ABOUT THE NEURAL NETWORK BACKPROPAGATION ALGORITHM")
    layer = Network.dense([3, 2], "sigmoid", None, seed=0, squash_input=True).run(X)
    weights, biases = (np.count_nonzero(jac(layer, "z1", p, "flat")[0]) for p in ("W1", "b1"))
    require((weights, biases) == (layer["a0"].size, 1))
    slip(f"""
        J9   says   'edges that arrive at each summation node in layer l-1'
             right  in layer l
             run    Figure 2: {layer["z1"].size} nodes, as layer l has units (layer l-1 has \
{layer["a0"].size}); each is reached
                    by {weights} weights and {biases} bias, N_(l-1) + 1 = {weights + biases} edges
    """)
    W2, b2, W3, b3, z2, a2, z3 = columns(J, "W1", "b1", "W2", "b2", "z1", "a1", "z2")
    a1, C = columns(J, "a0")[0], J.loss
    C_1 = cost(W3 @ sigma(W2 @ a1 + b2) + b3)
    slip(f"""
        J28  says   C_l is defined on R^(N_L), before (4) and again in 4.2
             right  on R^(N_l)
             run    C_2 takes z^2 {z2.shape}, own: {number(cost(W3 @ sigma(z2) + b3))}, \
{gap(cost(W3 @ sigma(z2) + b3), C)} to C
                    C_2 of N_L = {z3.size} entries: {refused(lambda: W3 @ sigma(z3) + b3)}
    """)
    delta, df = jac(J, "J", "z2", "transposed"), jac(J, "a2", "z2", "transposed")
    slip(f"""
        J30  says   'row vectors with dimensions N_l x 1'
             right  1 x N_l
             run    delta^3 . W^3 = {delta.shape} . {W3.shape} = {(delta @ W3).shape}, transposed
                    {delta.T.shape} . {W3.shape}: {refused(lambda: delta.T @ W3)}
    """)
    kinds = [J.jacobian(*pair) for pair in (("J", "z2"), ("a2", "z2"), ("z2", "W2"))]
    right = [SECTIONS[len(kind.out_axes), len(kind.wrt_axes)] for kind in kinds]
    shapes = [kind.shape_in("transposed") for kind in kinds]
    slip(f"""
        J30  says   gradients, Jacobians and 3-tensors are in Sections 2.2, 2.3 and 2.5
             right  in {right[0]}, {right[1]} and {right[2]}
             run    a scalar by a vector, dC/dz^3 {shapes[0]}, is {right[0]}
                    a vector by a vector, da^3/dz^3 {shapes[1]}, is {right[1]}
                    a vector by a matrix, dz^3/dW^3 {shapes[2]}, is {right[2]}; transposed
    """)
    defined = 2 * (J["a2"] - J["y"]) @ np.diag(J["a2"] * (1 - J["a2"]))
    slip(f"""
        J30  says   'the helper gradient of Section 3.3'
             right  of section 4, where delta^l and (5) stand
             run    (5) is delta^3 {delta.shape}, transposed, {gap(defined[None], delta)}
        J30  says   'delta^L = df/dz^L'
             right  d(C o sigma)/dz^L
             run    df/dz^3 = da^3/dz^3 is {df.shape}, delta^3 {delta.shape}, transposed
    """)
    whole, product = jac(J, "z2", "z1", "transposed"), W3 @ np.diagflat(a2 * (1 - a2))
    slip(f"""
        J38  says   dz^(l+1)/dz^l = dphi_l(z^l)/dz^l
             right  dphi_(l+1)(z^l)/dz^l
             run    of phi_3(z^2): {whole.shape}, transposed, W^3 diag, {gap(whole, product)}
                    phi_2(z^2) = W^2 {W2.shape} . sigma(z^2) {a2.shape}: {refused(lambda: W2 @ a2)}
        J38  says   W^(l+1) . a^l + b^l, in (7)
             right  W^(l+1) . a^l + b^(l+1)
             run    W^3 . a^2 {(W3 @ a2).shape} + b^3 {b3.shape}, own, is z^3, \
{gap(W3 @ a2 + b3, z3)}
                    W^3 . a^2 {(W3 @ a2).shape} + b^2 {b2.shape}: {refused(lambda: W3 @ a2 + b2)}
        J43  says   C_1 = C_l o phi_(l-1) o ... o phi_1
             right  C_l o phi_l o ... o phi_2
             run    C_3 o phi_3 o phi_2 gives {number(C_1)}, {gap(C_1, C)} to C
                    C_3 o phi_2: {refused(lambda: cost(W2 @ a1 + b2))}; \
phi_1 with W^1: {refused(lambda: {2: W2, 3: W3}[1])}
        J52  says   'for l = 1, ..., L' calculate a^l and z^(l+1)
             right  for l = L stop after a^L
             run    z^4 with W^4: {refused(lambda: {2: W2, 3: W3}[4])}
    """)


def second_seed_slips():
    print("\n\nM: THE MATH BEHIND NEURAL NETWORKS - BACKPROPAGATION")
    x, z1, W1, W2, W3, a3, y = columns(M, "x", "z1", "W1", "W2", "W3", "a3", "y")
    reads = next(step for step in M_NET.steps if step.startswith("z3"))
    slip(f"""
        M4   says   z[1] is 'a column vector with 3 entries'
             right  {z1.size}, one for each row of W[1]
             run    W[1] x = {W1.shape} {x.shape} = {(W1 @ x).shape}, own; x has {x.size}
        M19  says   'two variables, W[3] and W[3]'
             right  W[3] and b[3]
             run    {reads}; dz[3]/dW[3] {jac(M, "z3", "W3", "flat").shape}, \
dz[3]/db[3] {jac(M, "z3", "b3", "flat").shape}, flat
    """)
    h, relu, origin = 1e-6, ReLU(), M_NET.with_params({"b1": np.zeros(4)}).run(np.zeros(3), Y)
    left, zero, plus = relu.forward(np.array([-h, 0.0, h]))
    require(zero == 0 and abs(left) <= h and abs(plus) <= h and not origin["z1"].any())
    slip(f"""
        M31  says   ReLU is not differentiable at 0, its limits from left and right being 0 and 1
             right  its limits agree, so it is continuous; its slopes are 0 and 1
             run    g(-h) = {number(left)}, g(0) = {number(zero)}, g(h) = {number(plus)} \
for h = {number(h)}; (g(0) - g(-h)) / h = {number((zero - left) / h)},
                    (g(h) - g(0)) / h = {number((plus - zero) / h)}
        M31  says   z is never exactly 0 in software
             right  it is, for instance where input and bias are 0; g'(0) has to be chosen
             run    x = {vector(origin["x"])}, b[1] = {vector(origin["b1"])}: \
z[1] = {vector(origin["z1"])}
    """)
    row = jac(M, "z2", "W2", "flat")[0, :4]
    slip(f"""
        M32  says   dz_1/dW_1k is 'that scalar component of W'
             right  component k of a[1]
             run    a[1] = {vector(M["a1"])}, {gap(row, M["a1"])}; row 1 of W[2] is {vector(W2[0])}
    """)
    require(np.max(np.abs(row - W2[0])) > 0.1)
    A, B, C = a3 - y, W3, jac(M, "a2", "z2", "flat")
    delta, local, row = (jac(M, *pair, "flat") for pair in (("J", "z2"), ("z2", "z1"), ("J", "z1")))
    slip(f"""
        M37  says   'given three matrices A, B, and d the (ABC)^T = C^T B^T A^T'
             right  A, B and C
             run    ({A.shape} {B.shape} {C.shape})^T, flat, = {(A @ B @ C).T.shape}, gradient, \
{gap((A @ B @ C).T, C.T @ B.T @ A.T)}
        M44  says   the product delta[2]^T dz[2]/dz[1] is the Jacobian by z[2]
             right  by z[1]
             run    {delta.shape} {local.shape} = {row.shape}, flat, is dJ/dz[1], \
{gap(delta @ local, row)}; dJ/dz[2] is {delta.shape}
    """)


def third_seed_slips():
    print("\n\nF: THE QUESTION ON THE BACKPROPAGATION EQUATIONS")
    W1, W2, b1, b2, x, z1, a1, d3 = columns(F, "W1", "W2", "b1", "b2", "x", "z1", "a1", "a2")
    d3, slopes = d3 - columns(F, "y")[0], sigma(z1) * (1 - sigma(z1))
    numerator, denominator = (jac(F, "z2", "a1", layout) for layout in ("flat", "gradient"))
    back, bias = F.jacobian("a1", "z2"), F.jacobian("b2", "W1")
    require(back.structural_nonzeros == 0 == bias.structural_nonzeros)
    slip(f"""
        F1   says   '.' is the scalar product; a column vector is 'denominator layout'
             right  '.' is the matrix product; columns go with either layout
             run    Theta^(1) . a^(1) = {W1.shape} . {x.shape} = {(W1 @ x).shape}, own, no scalar
                    dz^(3)/da^(2), columns both: {numerator.shape} flat, or {denominator.shape} \
gradient, {gap(numerator, denominator.T)}
        F2   says   theta_ij^(l) goes from unit i of layer l+1 to unit j of layer l
             right  from unit j of layer l to unit i of layer l+1
             run    dz_i^(3)/da_j^(2) = theta_ij^(2), {numerator.shape} flat, {gap(numerator, W2)}
                    the other way, da^(2)/dz^(3): {back.structural_nonzeros} of {back.size} \
entries can be non-zero
        F5   says   (n_l x 1) + (n_L x 1)
             right  (n_l x 1) + (n_l x 1)
             run    l = 2: {(W1 @ x).shape} + {b1.shape} = {(W1 @ x + b1).shape}, own; \
{(W1 @ x).shape} + {b2.shape}: {refused(lambda: W1 @ x + b2)}
        F10  says   delta^(L) (.) Theta^(L-1) (.) phi'(z^(L-1)), (.) entry by entry
             right  (Theta^(L-1)^T delta^(L)) (.) phi'(z^(L-1))
             run    {d3.shape} (.) {W2.shape} (.) {slopes.shape}: \
{refused(lambda: d3 * W2 * slopes)}
                    right: {(W2.T @ d3 * slopes).shape} gradient, dJ/dz^(2), \
{gap(W2.T @ d3 * slopes, jac(F, "J", "z1", "gradient"))}
        F10  says   Theta^(L-1) (.) d/dTheta^(L-2) (a^(L-1) + b^(L))
             right  b^(L) does not vary with Theta^(L-2): it is gone
             run    db^(3)/dTheta^(1): {bias.structural_nonzeros} of {bias.size} entries can be \
non-zero
                    a^(2) {a1.shape} + b^(3) {b2.shape}: {refused(lambda: a1 + b2)}
    """)
    z, phi_1 = F["z1"], F["a1"] * (1 - F["a1"])
    right = taylor_test(sigma, z, F.jacobian("a1", "z1"), first_step=2.0**-5).ratios[-1]
    stray = [
        np.linalg.norm(sigma(z + h) - F["a1"] - h * h * phi_1 * (1 - 2 * F["a1"]))
        for h in (2.0**-9, 2.0**-10)
    ]
    require(abs(right - 4) < 0.03 and abs(stray[0] / stray[1] - 2) < 0.03)
    slip(f"""
        F14  says   da_k = d phi'(z_k) (.) dz_k
             right  da_k = phi'(z_k) (.) dz_k, without the stray d
             run    what da leaves out gets smaller, as dz is halved,
                    by {right:.1f} with phi' (.) dz: second order, right
                    by {stray[0] / stray[1]:.1f} with d phi' (.) dz: first order, wrong
    """)


if __name__ == "__main__":
    heading()
    first_seed_slips()
    second_seed_slips()
    third_seed_slips()
