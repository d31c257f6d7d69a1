"""Small blocks side by side are written as one, and the rows of W and of b out of one strip."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import identical
from second_cases import close

from jacobian_bp import DomainError, Network
from jacobian_bp.curvature.planned_strips import PlannedStrip

RNG = np.random.default_rng(41)


def deep(dtype=np.float64):
    """Three layers of tanh, 2-3-5-7, and data."""
    net = Network.dense([2, 3, 5, 7], "tanh", "squared_error", seed=4, dtype=dtype)
    x, y = RNG.normal(size=2), RNG.normal(size=7)
    return net.run(x.astype(dtype), y.astype(dtype))


def planned(run, names, of=None):
    """What writes the whole Hessian: the rows of each strip by name, and the blocks alone."""
    record, _ = run.hessian(names, of=of)._replayed()
    strips = [part for part in record.plan if isinstance(part, PlannedStrip)]
    alone = [part.block for part in record.plan if not isinstance(part, PlannedStrip)]
    rows = [[row.stretch.blocks[0].first for row in strip.rows] for strip in strips]
    return rows, [(block.first, block.second) for block in alone]


def requires_blocks(run, names, of=None):
    """The whole is its blocks, each derived alone, and equal to itself turned round."""
    whole = run.hessian(names, of=of)
    H, places = whole.materialise(), whole.places
    for p in names:
        for q in names:
            expected = run.hessian(p, q, of=of).materialise()
            front = len(whole.shape) - 2
            flat = expected.reshape(*expected.shape[:front], *[run[n].size for n in (p, q)])
            close(H[..., places[p], places[q]], flat, 1e-13 if H.dtype == float else 1e-5)
            if p != q:
                identical(
                    H[..., places[p], places[q]], H[..., places[q], places[p]].swapaxes(-1, -2)
                )


@pytest.mark.parametrize("names", [("W1", "b1", "W2", "b2", "W3", "b3"), ("b1", "W1", "b2", "W2")])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_row_of_a_bias_is_the_strip_of_its_weights(names, dtype):
    run = deep(dtype)
    rows, alone = planned(run, list(names))
    layers = len(names) // 2
    bent = range(1, min(layers, 2) + 1)  # behind the last layer only its own entries: a δ
    assert [sorted(row) for row in rows] == [[f"W{n}", f"b{n}"] for n in bent]
    assert {first[1:] for first, _ in alone} == {str(n) for n in range(3, layers + 1)}
    requires_blocks(run, list(names))


def test_blocks_with_a_gap_between_are_no_one_strip():
    run = deep()
    rows, alone = planned(run, ["W1", "x", "W3", "b1"])
    assert rows == [["W1", "b1"]]  # ∂²J/∂W1∂W3, ∂²J/∂W1∂b1 side by side, and ∂²J/∂b1²
    assert {("W1", "W1"), ("W1", "x")} <= {*alone}
    requires_blocks(run, ["W1", "x", "W3", "b1"])


def test_a_value_with_axes_has_strips_with_these_in_front():
    run = deep()
    rows, _ = planned(run, ["W1", "b1", "W2"], of="z3")
    assert ["W1"] in rows
    requires_blocks(run, ["W1", "b1", "W2"], of="z3")


def test_an_entry_that_is_zero_for_every_input_is_placed_and_not_multiplied():
    """x[i] δ[k,k'] h[k] x[i'] with an x below 0, beside a block that has every entry."""
    net = Network.program(
        "z = Linear(x, W, b)",
        "a = Tanh(z)",
        "J = Einsum('k,k,k->', a, a, c)",
        params={"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=3), "c": RNG.normal(size=3)},
    )
    run = net.run(x=-np.abs(RNG.normal(size=2)))
    H = run.hessian(["W", "b", "c"]).materialise()
    assert (H == 0).any()
    assert not np.signbit(H[H == 0]).any()
    requires_blocks(run, ["W", "b", "c"])


def test_a_strip_that_overflows_names_its_block():
    net = Network.program(
        "z = Linear(x, W, b)",
        "a = Tanh(z)",
        "y = Linear(a, V, d)",
        "J = Einsum('k,k->', y, y)",
        params={
            "W": 1e-200 * RNG.normal(size=(3, 2)),
            "b": RNG.normal(size=3),
            "V": RNG.normal(size=(5, 3)),
            "d": RNG.normal(size=5),
        },
    )
    run = net.run(x=1e200 * RNG.normal(size=2))
    rows, _ = planned(run, ["b", "W", "V"])
    assert rows[0] == ["b", "W"]
    found = refusal(DomainError, run.hessian(["b", "W", "V"]).materialise)
    assert found == (
        "∂²J/∂W²[0,0,0,0] is inf; 36 of 36 entries of ∂²J/∂W² are not finite.\n"
        "  J, the values before it and every slope are finite; a product of slopes passes\n"
        "  1.8e+308, the largest float64.\n"
        "  Standardise the data, or start from smaller weights."
    )


def test_a_strip_times_the_wrong_factor_is_caught():
    run = deep()
    names = ["W1", "b1", "W2", "b2"]
    whole = run.hessian(names)
    record, _ = whole._replayed()
    row = record.plan[0].rows[0]
    assert row.common
    object.__setattr__(row, "common", [seat + 1 for seat in row.common])
    with pytest.raises((AssertionError, ValueError)):
        requires_blocks(run, names)


def test_what_weights_and_bias_need_is_contracted_once():
    """The sweep from ∂J/∂b1 makes nothing that the one from ∂J/∂W1 has not made."""
    run = deep()
    counts = [len(run.hessian(names)._replayed()[0].tape.calls) for names in (["W1"], ["W1", "b1"])]
    assert counts[0] == counts[1] > 3


def test_h_v_of_two_biases_of_one_value_is_two_arrays():
    bias = {name: RNG.normal(size=3) for name in ("b", "c")}
    net = Network.program(
        "s = Add(x, b)", "z = Add(s, c)", "a = Tanh(z)", 'J = Einsum("k->", a)', params=bias
    )
    run = net.run(x=RNG.normal(size=3))
    found = run.hvp({"b": np.ones(3), "c": np.ones(3)})
    kept = found["c"].copy()
    identical(found["b"], kept)
    found["b"][...] = 7
    identical(found["c"], kept)
    factored = run.hessian(["b", "c"]).factored()
    assert not any(a.flags.writeable for e in factored.values() for a in e.arrays)
