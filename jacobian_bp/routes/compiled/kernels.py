"""One kernel an op: its value and its vector-Jacobian product, written into planned buffers.

A kernel is two functions without arguments, `forward` and `backward`, that read
and write arrays which stay where they are. Inside `LIMITS` its short formulas
are as accurate as the op's own stable ones, and the step checks that every
pre-activation lies inside. An op without a kernel is called as it is.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy import add, copyto, exp, maximum, multiply, reciprocal

from ...numbers.outer_products import is_wide, write_product
from ...ops import (
    Add,
    BinaryCrossEntropyFromLogits,
    CrossEntropyFromLogits,
    HalfSquaredError,
    Identity,
    Mean,
    Op,
    ReLU,
    Sigmoid,
    SquaredError,
    Sum,
    Tanh,
)
from .loss_kernels import binary_cross_entropy, cross_entropy, squared_error
from .place import Kernel, Place, general

# |z| beyond which e^z, or its reciprocal, is no longer a normal number
LIMITS = {np.dtype(np.float64): 700.0, np.dtype(np.float32): 80.0}

LARGE = 2**14  # entries of a product, from which clearing them takes longer than a call


def sigmoid(op: Op, at: Place) -> Kernel:
    """σ(z) = h/(1+h) and σ' = σ(z)/(1+h), h = e^z; 1/(1+h) is σ(−z), without a difference."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    r, one = at.buffer(), at.number(1)

    def forward() -> None:
        exp(z, out=a)
        add(a, one, out=r)
        reciprocal(r, out=r)
        multiply(a, r, out=a)

    def backward() -> None:
        multiply(a, r, out=r)
        multiply(at.bar, r, out=z_bar)

    return forward, backward


def tanh(op: Op, at: Place) -> Kernel:
    """tanh z and its slope (2/(h + 1/h))², h = e^z."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    h, r = at.buffer(), at.buffer()

    def forward() -> None:
        np.tanh(z, out=a)

    def backward() -> None:
        exp(z, out=h)
        reciprocal(h, out=r)
        add(h, r, out=r)
        reciprocal(r, out=r)
        add(r, r, out=r)
        multiply(r, r, out=r)
        multiply(at.bar, r, out=z_bar)

    return forward, backward


def relu(op: Op, at: Place) -> Kernel:
    """max(0, z) and its slope, the sign of max(0, z) where nothing else is chosen at 0."""
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    slope, zero = at.buffer(), at.number(0)
    if not isinstance(op, ReLU) or op.at_zero != 0:
        return general(op, at)

    def forward() -> None:
        maximum(z, zero, out=a)

    def backward() -> None:
        np.sign(a, out=slope)
        multiply(at.bar, slope, out=z_bar)

    return forward, backward


def identity(op: Op, at: Place) -> Kernel:
    """The value itself."""
    (z,), (z_bar,) = at.inputs, at.input_bars

    def backward() -> None:
        if z_bar is not None:
            copyto(z_bar, at.bar)

    return lambda: copyto(at.value, z), backward


def addition(op: Op, at: Place) -> Kernel:
    """a + b, both of the value's shape: the cotangent passes unchanged to each."""
    a, b = at.inputs
    if a.shape != b.shape:
        return general(op, at)

    def backward() -> None:
        for bar in at.input_bars:
            if bar is not None:
                copyto(bar, at.bar)

    return lambda: add(a, b, out=at.value), backward


def reduction(op: Op, at: Place) -> Kernel:
    """The mean or the sum over the examples: a product with equal weights."""
    (L,), (L_bar,) = at.inputs, at.input_bars
    if L.ndim != 1:
        return general(op, at)
    weights = np.full_like(L, 1 / len(L) if isinstance(op, Mean) else 1)
    return lambda: L.dot(weights, out=at.value), lambda: multiply(at.bar, weights, out=L_bar)


def linear(late: Mapping[str, np.ndarray], names: tuple[str, ...], at: Place) -> Kernel:
    """z = a Wᵀ + b; parameters and data lie where the caller has them, found in `late`."""
    a_name, w_name, b_name = names
    a_bar, w_bar, b_bar = at.input_bars
    z, z_bar = at.value, at.bar
    column, ones = z_bar.T, np.ones((1, len(z)), z.dtype)
    total = None if b_bar is None else b_bar[None]

    def forward() -> None:
        product(z, late[a_name], late[w_name].T)
        add(z, late[b_name], out=z)

    def backward() -> None:
        if w_bar is not None:
            product(w_bar, column, late[a_name])
        if total is not None:
            ones.dot(z_bar, out=total)
        if a_bar is not None:
            product(a_bar, z_bar, late[w_name])

    return forward, backward


def linear_of_one(late: Mapping[str, np.ndarray], names: tuple[str, ...], at: Place) -> Kernel:
    """The same for one example: matrix times vector, and an outer product for ∂J/∂W.

    Vectors are in `late` without a batch axis. The cotangent of the bias is that
    of z; where the plan lets the two share their memory, nothing is left to do.
    """
    a_name, w_name, b_name = names
    z, z_bar = at.value.reshape(-1), at.bar.reshape(-1)
    a_bar, w_bar, b_bar = at.input_bars
    a_bar = None if a_bar is None else a_bar.reshape(-1)
    column = z_bar[:, None]
    outer = write_product if w_bar is not None and is_wide(w_bar) else np.dot
    own = None if b_bar is None or np.shares_memory(b_bar, z_bar) else b_bar

    def forward() -> None:
        late[w_name].dot(late[a_name], out=z)
        add(z, late[b_name], out=z)

    def backward() -> None:
        if w_bar is not None:
            outer(column, late[a_name][None], out=w_bar)
        if own is not None:
            copyto(own, z_bar)
        if a_bar is not None:
            z_bar.dot(late[w_name], out=a_bar)

    return forward, backward


def product(out: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """left · right, written into `out`.

    dot has the shorter way to BLAS, but clears a result before it writes it.
    """
    if out.size < LARGE:
        left.dot(right, out=out)
    else:
        np.matmul(left, right, out=out)


KERNELS: dict[type[Op], Callable[[Op, Place], Kernel]] = {
    Sigmoid: sigmoid,
    Tanh: tanh,
    ReLU: relu,
    Identity: identity,
    Add: addition,
    SquaredError: squared_error,
    HalfSquaredError: squared_error,
    CrossEntropyFromLogits: cross_entropy,
    BinaryCrossEntropyFromLogits: binary_cross_entropy,
    Mean: reduction,
    Sum: reduction,
}
# the kernels that take e^z
EXPONENTIAL = {Sigmoid, Tanh, CrossEntropyFromLogits, BinaryCrossEntropyFromLogits}
# the kernels that may write the cotangent of their input over that of their value
IN_PLACE = {Sigmoid, Tanh, ReLU}
