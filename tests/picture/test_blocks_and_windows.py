"""The blocks of a Hessian and the windows of a convolution, against the arrays themselves."""

import numpy as np
import pytest
from drawn import read, shapes, words
from network_cases import refusal
from sampled import seldom
from window_nets import window_net

from jacobian_bp import Network, SpecError
from jacobian_bp.picture.cells import said
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(19)
RUN = second_seed().run(X, Y)


def signs(value, possible):
    return [
        "".join(
            "." if not p else "0" if x == 0 else "+" if x > 0 else "-"
            for x, p in zip(*row, strict=True)
        )
        for row in zip(value, possible, strict=True)
    ]


def test_the_blocks_of_a_hessian_have_its_numbers_and_its_zeros():
    hessian = RUN.hessian(["W3", "b3"])
    picture = hessian.picture()
    assert words(picture, r"i\d") == [said(x) for x in hessian.materialise().ravel()]
    whole = RUN.hessian(RUN.params)
    value, names = whole.materialise(), RUN.params
    possible = np.block([[whole.block(p, q).can_be_nonzero("flat") for q in names] for p in names])
    assert list(whole.picture().lines) == signs(value, possible)
    assert list(whole.picture().lines) != signs(np.roll(value, 1, axis=1), possible)
    assert words(whole.picture(), "m")[1:7] == list(names)


def test_jacobians_by_several_variables_stand_side_by_side():
    stacked = RUN.jacobian("z2", RUN.params)
    possible = np.hstack([RUN.jacobian("z2", n).can_be_nonzero("flat") for n in RUN.params])
    assert list(stacked.picture().lines) == signs(stacked.materialise(), possible)
    assert "zero for every input" in words(stacked.picture())


def test_of_many_entries_each_block_says_how_many_can_be_other_than_zero():
    net = Network.dense([13, 11, 3], ["tanh", "softmax"], "cross_entropy", seed=0)
    run = net.run(RNG.normal(size=13), np.eye(3)[1])
    stacked = run.jacobian("z1", run.params)
    picture = stacked.picture()
    counts = [run.jacobian("z1", name).structural_nonzeros for name in run.params]
    assert counts == [143, 11, 0, 0]
    assert picture.lines == ("143  11  0  0",)
    assert words(picture, r"i\d") == ["143", "11"]
    assert "none: zero for every input" in words(picture)
    assert "every entry can" not in words(picture)
    assert picture.alt.endswith(
        "too many entries to be drawn: in each block, how many can be other than zero."
    )


@pytest.mark.parametrize("layers", [7, seldom(11)])
def test_of_a_hessian_of_many_blocks_the_first_ones_and_the_last_are_drawn(layers):
    sizes = [5] * (layers + 1)
    many = Network.dense(sizes, seed=0).run(RNG.normal(size=5), RNG.normal(size=5))
    hessian = many.hessian(many.params).picture()
    assert "of more than 12 blocks the first ones and the last" in hessian.alt
    assert len(hessian.svg) < 60_000


def test_a_hessian_of_a_vector_is_refused_and_the_advice_holds():
    assert refusal(SpecError, RUN.hessian(["W1", "b1"], of="z2").picture) == (
        "∂²z2/∂(W1, b1)²: a matrix for each entry of z2, shape (2,), is not drawn.\n"
        "  Draw that of a scalar, such as run.hessian(['W1', 'b1'])."
    )
    RUN.hessian(["W1", "b1"]).picture()


@pytest.mark.parametrize("name", ["a sequence", "stride, padding, dilation", "average pool"])
def test_each_window_is_what_the_output_reads(name):
    net, data = window_net(name, 1)
    jacobian = net.run(**{key: value[0] for key, value in data.items()}).jacobian("v", "u")
    picture = jacobian.picture(kind="windows")
    read(picture)
    mask = jacobian.can_be_nonzero()
    reads = mask.any(axis=(0, mask.ndim // 2))  # over the channels of the output and the input
    front = reads.ndim // 2
    maps = reads.reshape(-1, *reads.shape[front:])
    lines = []
    for index, window in zip(np.ndindex(*reads.shape[:front]), maps, strict=True):
        rows = ["".join(".#"[int(cell)] for cell in row) for row in np.atleast_2d(window)]
        head = f"[{','.join(map(str, index))}]"
        lines += [f"{head} {rows[0]}"] if len(rows) == 1 else [head, *rows]
    if len(maps) <= 36:
        assert list(picture.lines) == lines
        assert len(shapes(picture, "rect", "c7")) == maps.sum() + 1  # and the legend's
    else:
        assert "left out" in picture.alt


def test_what_has_no_windows_is_refused():
    assert refusal(SpecError, RUN.jacobian("z1", "x").picture, kind="windows") == (
        "∂z1/∂x: no output reads a window of x, of one axis or two.\n"
        "  Draw ∂z/∂x of a convolution or a pool; or leave kind out."
    )


def test_windows_in_a_long_input_are_refused_and_the_advice_holds():
    params = {"K": RNG.normal(size=(2, 3, 5)), "c": RNG.normal(size=2)}
    net = Network.program("z = Conv1d(x, K, c, stride=3)", params=params)
    jacobian = net.run(RNG.normal(size=(3, 97))).jacobian("z", "x")
    assert refusal(SpecError, jacobian.picture, kind="windows") == (
        "∂z/∂x: its windows lie in (97,) entries, and at most 96 along an axis are drawn.\n"
        '  Write kind="sparsity", or draw a smaller input.'
    )
    assert len(jacobian.picture(kind="sparsity").svg) < 60_000
    fits = net.run(RNG.normal(size=(3, 89))).jacobian("z", "x").picture(kind="windows")
    assert len(fits.svg) < 90_000
