"""Transposed convolutions against nested loops, and as the transposes of convolutions."""

from itertools import product

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import AxisError, DomainError, Network, check_op, ops

RNG = np.random.default_rng(29)
CASES = [  # an op, and the shapes of x and K
    (ops.ConvTranspose1d(), (2, 7), (2, 3, 5)),
    (ops.ConvTranspose1d(2, 1, output_padding=1), (3, 5), (3, 2, 4)),
    (ops.ConvTranspose1d(3, 2, dilation=2), (2, 5), (2, 3, 4)),
    (ops.ConvTranspose1d(dilation=3, output_padding=2), (3, 5), (3, 2, 2)),
    (ops.ConvTranspose1d(5, output_padding=4), (2, 3), (2, 3, 2)),  # windows with gaps between
    (ops.ConvTranspose1d(2, 1, groups=2), (6, 5), (6, 2, 3)),
    (ops.ConvTranspose2d(), (2, 3, 5), (2, 3, 3, 2)),
    (ops.ConvTranspose2d((2, 1), (0, 1), (1, 0), dilation=(1, 2)), (2, 3, 5), (2, 3, 2, 3)),
    (ops.ConvTranspose2d((3, 2), 1, (0, 1), groups=2), (4, 3, 2), (4, 3, 3, 2)),
]
every_case = pytest.mark.parametrize(("op", "x", "K"), CASES, ids=[repr(c[0]) for c in CASES])


def numbers(o):
    """An option for each axis."""
    return (o, o) if isinstance(o, int) else o


def written(op, x, K, b):
    """y and its Jacobians, one example, each entry of x written through each tap of its kernel."""
    each = K.shape[1]
    counts = [
        (i - 1) * s - 2 * p + d * (r - 1) + more + 1
        for i, r, s, p, d, more in zip(
            *(x.shape[1:], K.shape[2:]),
            *map(numbers, (op.stride, op.padding, op.dilation, op.output_padding)),
            strict=False,
        )
    ]
    y = np.zeros((len(b), *counts))
    by_x, by_K = np.zeros((*y.shape, *x.shape)), np.zeros((*y.shape, *K.shape))
    for (c, *at), (e, *tap) in product(np.ndindex(x.shape), np.ndindex(K.shape[1:])):
        to = [
            s * i + d * r - p
            for i, r, s, d, p in zip(
                at, tap, *map(numbers, (op.stride, op.dilation, op.padding)), strict=False
            )
        ]
        if not all(0 <= o < n for o, n in zip(to, counts, strict=True)):
            continue
        place = (c // (len(K) // op.groups) * each + e, *to)
        y[place] += K[(c, e, *tap)] * x[(c, *at)]
        by_x[(*place, c, *at)] += K[(c, e, *tap)]
        by_K[(*place, c, e, *tap)] += x[(c, *at)]
    by_b = np.zeros((*y.shape, len(b)))
    for d in range(len(b)):
        y[d] += b[d]
        by_b[d, ..., d] = 1
    return y, {"x": by_x, "K": by_K, "b": by_b}


def drawn(op, x, K):
    shapes = x, K, (op.groups * K[1],)
    return [np.random.default_rng(29).normal(size=shape) for shape in shapes]


@every_case
def test_a_transposed_convolution_is_its_nested_loops(op, x, K):
    inputs = drawn(op, x, K)
    y, jacobians = written(op, *inputs)
    agree(op.forward(*inputs), y)
    net = Network.program(
        "y = Step(x, K, b)", params={"K": inputs[1], "b": inputs[2]}, ops={"Step": op}
    )
    run, touched = net.run(inputs[0]), written(op, *map(np.ones_like, inputs))[1]
    for name, expected in jacobians.items():
        agree(dense_jacobian(op, name, inputs), expected)
        agree(swept_vjp(op, name, inputs), expected)
        assert np.array_equal(run.jacobian("y", name).can_be_nonzero(), touched[name] != 0), name


@pytest.mark.one_in(3)
@every_case
def test_with_and_without_a_bias_a_batch_is_right(op, x, K):
    examples, kernel, bias = drawn(op, (3, *x), K)
    report = check_op(op, {"x": examples, "K": kernel, "b": bias})
    assert report.ok, str(report)
    report = check_op(op, {"x": examples[:2], "K": kernel})
    assert report.ok, str(report)


@pytest.mark.parametrize("groups", [1, 3])
def test_its_jacobian_is_that_of_the_convolution_transposed(groups):
    """The same kernels: what the convolution reads from, this one writes to."""
    options = {"stride": 2, "padding": 1, "dilation": 2, "groups": groups}
    K = RNG.normal(size=(3, 5, 3))
    read, place = RNG.normal(size=(5 * groups, 11)), RNG.normal(size=(3, 5))
    there = dense_jacobian(ops.Conv1d(**options), "x", [read, K, np.ones(3)])
    back = dense_jacobian(ops.ConvTranspose1d(**options), "x", [place, K, np.ones(5 * groups)])
    np.testing.assert_array_equal(back, there.transpose(2, 3, 0, 1))


def test_the_printed_lines_say_where_it_writes():
    net = Network.program(
        "y = ConvTranspose1d(x, K, stride=2, padding=1)", params={"K": RNG.normal(size=(2, 3, 4))}
    )
    run = net.run(RNG.normal(size=(2, 5)))
    assert run.jacobian("y", "x").formula == "Σ_r K[c',d,r] δ[o,2i'+r−1]"
    assert run.jacobian("y", "K").formula == "Σ_i δ[d,d'] x[c',i] δ[o,2i+r'−1]"


def test_a_window_one_entry_off_is_caught():
    class Off(ops.ConvTranspose1d):
        def vjp(self, y_bar, x, K, b=None, wanted=None):
            return super().vjp(np.roll(y_bar, 1, axis=-1), x, K, b, wanted=wanted)

    x, K, b = drawn(Off(2), (2, 5), (2, 3, 4))
    findings = check_op(Off(2), {"x": x, "K": K, "b": b}).findings
    assert [str(f).splitlines()[1] for f in findings] == [
        "    vjp() is wrong; 150 of 360 entries differ",
        "    vjp() is wrong; 240 of 864 entries differ",
    ]


@pytest.mark.parametrize(
    ("error", "op", "shapes", "message"),
    [
        (
            DomainError,
            ops.ConvTranspose1d(2, output_padding=2),
            {"x": (2, 5), "K": (2, 3, 4)},
            "ConvTranspose1d: output_padding is 2 along o, and the stride 2, the dilation 1.\n"
            "  Write at most 1; for more zeros, a step Pad behind it.",
        ),
        (
            DomainError,
            ops.ConvTranspose1d(groups=2),
            {"x": (3, 5), "K": (3, 2, 4)},
            "ConvTranspose1d: 2 groups do not fit.\n"
            "  x has 3 channels, and K a kernel for each\n"
            "  Let their number be a multiple of groups.",
        ),
        (
            DomainError,
            ops.ConvTranspose1d(groups=2),
            {"x": (6, 5), "K": (6, 2, 3), "b": (2,)},
            "ConvTranspose1d: b has 2 entries, and the value 4 channels.\n"
            "  K makes 2 in each of 2 groups\n"
            "  Pass a bias of 4 entries.",
        ),
        (
            AxisError,
            ops.ConvTranspose2d(padding=(0, 2)),
            {"x": (2, 3, 2), "K": (2, 3, 2, 3)},
            "ConvTranspose2d 'y': axis q would have size 0.\n"
            "  q = j - 1 + s - 4, with j = 2, s = 3\n"
            "  x[c,i,j] has shape (2, 3, 2), so j = 2\n"
            "  K[c,d,r,s] has shape (2, 3, 2, 3), so s = 3\n"
            "  It has an entry with j = 3 or s = 4, all else as it is.",
        ),
        (
            AxisError,
            ops.ConvTranspose1d(),
            {"x": (3, 5), "K": (2, 3, 4)},
            "ConvTranspose1d 'y': axis c has two sizes.\n"
            "  x[c,i]   has shape (3, 5),    so c = 3\n"
            "  K[c,d,r] has shape (2, 3, 4), so c = 2\n"
            "  K looks to be (outputs, inputs, taps), as a convolution has it: "
            "pass np.swapaxes(K, 0, 1).",
        ),
        (
            AxisError,
            ops.ConvTranspose1d(),
            {"x": (7, 5, 2), "K": (2, 3, 4)},
            "ConvTranspose1d 'y': axis c has two sizes.\n"
            "  x[n,c,i] has shape (7, 5, 2), so c = 5\n"
            "  K[c,d,r] has shape (2, 3, 4), so c = 2\n"
            "  x looks to have its channels last: pass np.moveaxis(x, -1, -2).",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_write(error, op, shapes, message):
    inputs = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    assert refusal(error, lambda: check_op(op, inputs)) == message


@pytest.mark.parametrize(
    "mended",
    [
        lambda x, K: (x, np.swapaxes(K, 0, 1)),
        lambda x, K: (np.moveaxis(np.stack([x.T, -x.T]), -1, -2), np.swapaxes(K, 0, 1)),
    ],
)
def test_what_a_refusal_tells_to_write_is_taken(mended):
    x, K = mended(RNG.normal(size=(3, 5)), RNG.normal(size=(2, 3, 4)))
    assert check_op(ops.ConvTranspose1d(), {"x": x, "K": K}).ok
