"""One array under two names is one parameter, whoever made it; arrays that overlap are refused."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Network, SpecError
from jacobian_bp.numbers.shared_memory import sharing
from jacobian_bp.routes.gradients import ROUTES

RNG = np.random.default_rng(47)
W, C = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
X, Y = RNG.standard_normal((7, 3)), RNG.standard_normal((7, 3))
LINES = ["z1 = Linear(x, W1, b1)", "a1 = Tanh(z1)", "z2 = Linear(a1, W2, b2)"]
LINES += ["L = SquaredError(z2, y)", "J = Mean(L)"]


class Tensor:
    """Like torch's: a new object for each view, one storage, read by numpy without a copy."""

    def __init__(self, storage):
        self.storage = storage

    def __array__(self, dtype=None, copy=None):
        return np.array(self.storage, dtype, copy=copy)

    def detach(self):
        return Tensor(self.storage)

    def clone(self):
        return Tensor(self.storage.copy())


class OnDevice(Tensor):
    """Like JAX's on an accelerator: each reading is a copy, so that only the object tells."""

    def __array__(self, dtype=None, copy=None):
        return np.array(self.storage, dtype, copy=True)


class Asking(Tensor):
    requires_grad = True


def dense(**params):
    biases = {"b1": C, "b2": np.array(C)}
    return Network.dense([3, 3, 3], ["tanh", "identity"], params={**biases, **params})


def program(**params):
    return Network.program(*LINES, params={"b1": C, "b2": np.array(C), **params})


ROW = RNG.standard_normal(3)
tensor, held, here = Tensor(W), OnDevice(W), W.copy()
FORTRAN = np.asfortranarray(W)
SAME = {
    "numpy array": (W, W),
    "view of the whole": (W, W[:]),
    "view of a view": (W, W.T.T),
    "closed view": (W, W.view(np.matrix)),
    "Fortran order": (FORTRAN, FORTRAN[:, :]),
    "from the end": (W[::-1], W[::-1]),
    "broadcast": (np.broadcast_to(ROW, (3, 3)), np.broadcast_to(ROW, (3, 3))),
    "tensor": (tensor, tensor),
    "detached tensor": (tensor, tensor.detach()),
    "tensor and numpy": (tensor, W),
    "array on a device": (held, held),
}
APART = {
    "equal numbers": (W, W.copy()),
    "two arrays on a device": (held, OnDevice(W)),
    "one list": ((nested := W.tolist()), nested),
    "halves of one array": ((both := np.concatenate([W, W]))[:3], both[3:]),
    "columns of one array": ((wide := np.hstack([W, W]))[:, ::2], wide[:, 1::2]),
}
builders = pytest.mark.parametrize("build", [dense, program])


@builders
@pytest.mark.parametrize("given", SAME.values(), ids=SAME)
def test_the_same_array_is_one_parameter(build, given):
    first, second = given
    net, run = (n := build(W1=first, W2=second)), n.run(X, Y)
    free = build(W1=np.array(first), W2=np.array(second)).run(X, Y).gradients()
    assert (net.tied, net.parameter_count) == ({"W2": "W1"}, 9 + 3 + 3)
    for route in ROUTES:
        found = run.gradients(route)
        assert set(found) == {"W1", "b1", "b2"}
        np.testing.assert_allclose(found["W1"], free["W1"] + free["W2"], rtol=1e-6)
    _, gradients = net.compile(batch=7)(dict(net.params), X, Y)
    np.testing.assert_allclose(gradients["W1"], free["W1"] + free["W2"], rtol=1e-12)
    assert not np.allclose(gradients["W1"], free["W1"])


@builders
@pytest.mark.parametrize("given", APART.values(), ids=APART)
def test_other_arrays_are_two_parameters(build, given):
    first, second = given
    assert build(W1=first, W2=second).tied == {}


OVERLAP = """\
W1 and W2 share memory, and are not the same array.
  W1 has shape (3, 3), strides {}
  W2 has shape (3, 3), strides {}
  To train each by itself give W2.{}()."""
TRANSPOSE = """ To train them as one, leave W2 out
  and read W1 transposed: z = Einsum(a, W1, 'k,ki->i')."""
LONG = RNG.standard_normal(12)
OVERLAPPING = {
    "transposed": (here, here.T),
    "tensor transposed": (Tensor(here), Tensor(here.T)),
    "turned": (here, here[::-1]),
    "shifted": (LONG[:9].reshape(3, 3), LONG[1:10].reshape(3, 3)),
    "other dtype": (here, here.view(np.int64)),
}


@builders
@pytest.mark.parametrize("given", OVERLAPPING.values(), ids=OVERLAPPING)
def test_arrays_that_share_a_part_are_refused_and_the_advice_works(build, given):
    first, second = given
    text = refusal(SpecError, build, W1=first, W2=second)
    one, other = np.asarray(first), np.asarray(second)
    turned = np.array_equal(one.T, other)
    method = "copy" if isinstance(second, np.ndarray) else "clone"
    assert text == OVERLAP.format(one.strides, other.strides, method) + TRANSPOSE * turned
    apart = build(W1=first, W2=getattr(second, method)())
    assert apart.tied == {}
    np.testing.assert_array_equal(apart.params["W2"], other)


def test_a_matrix_that_is_read_transposed_is_one_parameter():
    """As the message says: an autoencoder whose decoder is the encoder transposed."""
    lines = ["z = Linear(x, W1, b1)", "a = Einsum(z, W1, 'k,ki->i')", "J = SquaredError(a, y)"]
    M, x, y = RNG.standard_normal((2, 3)), RNG.standard_normal(3), RNG.standard_normal(3)
    b = RNG.standard_normal(2)
    run = Network.program(*lines, params={"W1": M, "b1": b}).run(x, y)
    np.testing.assert_allclose(run["a"], (M @ x + b) @ M, rtol=1e-13)
    bar = 2 * (run["a"] - y)
    expected = np.outer(M @ bar, x) + np.outer(M @ x + b, bar)
    np.testing.assert_allclose(run.gradients()["W1"], expected, rtol=1e-12)


def test_the_first_pair_that_shares_is_named_in_the_order_given():
    big = np.zeros((5, 5))
    views = {"b": big[4], "W": big[:2, :2], "V": big[1:3, :2], "all": big}
    assert sharing(views) == [("b", "all"), ("W", "V"), ("W", "all"), ("V", "all")]
    interwoven = {f"c{i}": big[:, i] for i in range(5)}
    assert sharing(interwoven) == []
    assert sharing({**interwoven, "row": big[2, 1:3]}) == [("c1", "row"), ("c2", "row")]


@builders
def test_what_cannot_be_read_is_refused_before_it_is_compared(build):
    asking = Asking(W)
    text = refusal(DomainError, build, W1=asking, W2=asking)
    assert text.startswith("W1 is an Asking that requires grad")


@pytest.mark.parametrize(("first", "second"), [(tensor, tensor.detach()), (W, W.copy())])
def test_a_tied_parameter_takes_its_numbers_twice(first, second):
    """Of tied names both may be given, in any container, as long as the numbers are the same."""
    net = dense(W1=here, W2=here)
    both = {**net.params, "W1": first, "W2": second}
    assert net.with_params(both).tied == {"W2": "W1"}
    np.testing.assert_array_equal(net.with_params(both).params["W2"], W)
    step = net.compile(batch=7)
    for _ in range(2):
        loss = net.with_params({"W1": W}).run(X, Y).loss
        np.testing.assert_allclose(step(both, X, Y)[0], loss, rtol=1e-14)
    wrong = {**both, "W2": Tensor(W + 1)}
    for call in (lambda: net.with_params(wrong), lambda: step(wrong, X, Y)):
        text = refusal(SpecError, call)
        assert text == "W2 and W1 are tied, and get two arrays.\n  Give one of them."
    assert net.with_params({"W2": Tensor(W + 1)}).tied == {"W2": "W1"}


@pytest.mark.parametrize("given", [SAME["detached tensor"], OVERLAPPING["transposed"]])
def test_where_numbers_are_replaced_nothing_is_tied(given):
    net = dense(W1=W, W2=W.copy())
    new = dict(zip(("W1", "W2"), given, strict=True))
    assert net.with_params(new).tied == {}
    _, gradients = net.compile(batch=7)({**net.params, **new}, X, Y)
    expected = net.with_params(new).run(X, Y).gradients()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12)
    assert not np.allclose(gradients["W1"], gradients["W2"])
