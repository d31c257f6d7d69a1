"""The shares of a sparsity picture are those of the whole mask, in every cell and exactly."""

import numpy as np
import pytest
from network_cases import refusal
from window_nets import window_net

from jacobian_bp import MemoryLimitError, Network
from jacobian_bp.algebra import coverage as module
from jacobian_bp.algebra.coverage import coverage

RNG = np.random.default_rng(41)


def runs():
    one = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=1)
    yield one.run(RNG.normal(size=3), np.eye(2)[0]), ["z1/W1", "a1/z1", "a2/z2", "z2/W1", "z2/b2"]
    many = one.run(RNG.normal(size=(7, 3)), np.eye(2)[RNG.integers(0, 2, 7)])
    yield many, ["z1/W1", "a2/z2", "z2/x", "J/W1", "a2/W2"]
    skip = Network.program(
        "z = Linear(x, W, b)",
        "a = Tanh(z)",
        "s = Add(a, z)",
        "J = SquaredError(s, y)",
        params={"W": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3)},
    )
    yield skip.run(RNG.normal(size=3), RNG.normal(size=3)), ["s/z", "s/W", "s/x"]
    for name in ("a sequence", "max pool of a sequence"):
        net, data = window_net(name, 2)
        yield net.run(**data), ["v/u", "z/u"] + ["v/K"] * (name == "a sequence")


def real(mask, share):
    """The mean of the mask in each cell, cell by cell."""
    rows, columns = (np.arange(n) * c // n for n, c in zip(mask.shape, share.shape, strict=True))
    return np.array(
        [
            [mask[np.ix_(rows == r, columns == c)].mean() for c in range(share.shape[1])]
            for r in range(share.shape[0])
        ]
    )


def test_each_share_is_the_one_of_the_mask():
    seen = 0
    for run, names in runs():
        for of, wrt in (name.split("/") for name in names):
            jacobian = run.jacobian(of, wrt)
            axes = jacobian.out_axes, jacobian.wrt_axes
            for layout in ("flat", "flat_column"):
                mask = jacobian.can_be_nonzero(layout)
                for grid in ((1000, 1000), (3, 4), (2, 3)):
                    share = coverage(jacobian.patterns, *axes, layout, grid, jacobian.name)
                    assert share == pytest.approx(real(mask, share), abs=1e-12), (of, wrt, layout)
                    seen += 1
    assert seen > 90


def test_a_mask_that_is_shifted_by_one_has_other_shares():
    jacobian = next(runs())[0].jacobian("z1", "W1")
    axes = jacobian.out_axes, jacobian.wrt_axes
    share = coverage(jacobian.patterns, *axes, "flat", (5, 7), jacobian.name)
    assert (share != real(np.roll(jacobian.can_be_nonzero("flat"), 1, axis=1), share)).any()


def test_a_jacobian_beyond_any_memory_is_covered_from_its_patterns():
    net = Network.dense([3001, 997], seed=0)
    jacobian = net.run(np.ones(3001), np.ones(997)).jacobian("z1", "W1")
    assert jacobian.nbytes > 2e10
    axes = jacobian.out_axes, jacobian.wrt_axes
    share = coverage(jacobian.patterns, *axes, "flat", (7, 11), jacobian.name)
    heights, widths = (np.bincount(np.arange(n) * c // n) for n, c in ((997, 7), (997 * 3001, 11)))
    entries = share * np.outer(heights, widths)
    assert entries.sum() == pytest.approx(jacobian.structural_nonzeros, rel=1e-9)


def test_what_has_too_many_lines_or_entries_is_refused_before_it_is_gone_through(monkeypatch):
    net, data = window_net("a sequence", 2)
    jacobian = net.run(**data).jacobian("v", "u")
    monkeypatch.setattr(module, "MOST_LISTED", 7)
    assert refusal(MemoryLimitError, jacobian.picture, kind="sparsity") == (
        f"∂v/∂u is not drawn: {jacobian.structural_nonzeros} entries can be other than zero.\n"
        "  At most 7 are listed where positions choose them. "
        "Draw fewer examples, or a smaller network of this form."
    )
    monkeypatch.setattr(module, "MOST_LINES", 11)
    rows, columns = jacobian.shape_in("flat")
    assert refusal(MemoryLimitError, jacobian.picture, kind="sparsity") == (
        f"∂v/∂u is not drawn: it has {rows} rows and {columns} columns.\n"
        "  At most 11 of each are counted. Draw a smaller network of this form."
    )
