"""Ops of one's own that read at positions, through every route, check_op and the printed line."""

import pickle

import numpy as np
import pytest
from position_ops import CumSum, LargestOfTwo, Rows, ShiftedWindow, Window

from jacobian_bp import LAYOUTS, Network, check_op, from_layout, to_layout
from jacobian_bp.routes.structured import records

RNG = np.random.default_rng(13)
OPS = {"Window": Window, "LargestOfTwo": LargestOfTwo, "CumSum": CumSum, "Rows": Rows}


def drawn(*shape):
    return RNG.standard_normal(shape)


def windows():
    """Two convolutions with a maximum between them, for one example of 2 channels and 7 places."""
    params = {"K1": drawn(3, 2, 3), "b1": drawn(3), "K2": drawn(2, 3, 2), "b2": drawn(2)}
    return Network.program(
        "z = Window(x, K1, b1)",
        "p = LargestOfTwo(z)",
        "q = Window(p, K2, b2)",
        "J = Einsum(q, q, 'di,di->')",
        params=params,
        ops=OPS,
    )


def embedded():
    return Network.program(
        "e = Rows(E, u)",
        "J = Einsum(e, e, w, 'td,td,t->')",
        params={"E": drawn(11, 3), "w": drawn(5)},
        ops=OPS,
    )


@pytest.mark.parametrize(
    ("op", "inputs"),
    [
        (Window, {"x": (2, 7), "K": (3, 2, 3), "b": (3,)}),
        (Window, {"x": (5, 2, 7), "K": (3, 2, 2), "b": (3,)}),
        (LargestOfTwo, {"x": (3, 7)}),
        (LargestOfTwo, {"x": (5, 3, 7)}),
        (CumSum, {"x": (11,)}),
        (CumSum, {"x": (5, 7)}),
    ],
)
def test_jacobians_vjp_and_finite_differences_of_an_op_with_positions_agree(op, inputs):
    report = check_op(op, {name: drawn(*shape) for name, shape in inputs.items()})
    assert report.ok, str(report)


def test_a_window_that_is_shifted_is_found():
    inputs = {"x": drawn(2, 7), "K": drawn(3, 2, 3), "b": drawn(3)}
    report = check_op(ShiftedWindow, inputs)
    assert not report.ok
    assert "∂y/∂x" in str(report)


def test_rows_of_a_table_are_differentiated_by_the_table():
    assert check_op(Rows, {"E": drawn(11, 3), "u": np.array([4.0, 0, 4, 10, 1])}).ok


@pytest.mark.parametrize(
    ("net", "data"),
    [(windows, lambda: {"x": drawn(2, 7)}), (embedded, lambda: {"u": np.array([4, 0, 4, 10, 1])})],
    ids=["windows", "rows"],
)
def test_all_routes_agree_on_a_program_with_positions(net, data):
    assert net().run(**data()).check().ok


@pytest.mark.parametrize(("of", "wrt"), [("q", "K1"), ("q", "x"), ("p", "K1"), ("q", "z")])
def test_a_chain_of_windows_is_one_array_by_every_way(of, wrt):
    run = windows().run(drawn(2, 7))
    J = run.jacobian(of, wrt)
    whole = J.materialise()
    np.testing.assert_allclose(J.collapse().materialise(), whole, rtol=1e-12, atol=1e-13)
    v, u = drawn(*run[of].shape), drawn(*run[wrt].shape)
    np.testing.assert_allclose(J.pull(v), np.tensordot(v, whole, v.ndim), atol=1e-12)
    np.testing.assert_allclose(J.push(u), np.tensordot(whole, u, u.ndim), atol=1e-12)
    np.testing.assert_allclose(run.vjp(of, wrt, v), J.pull(v), atol=1e-12)
    assert not whole[~J.can_be_nonzero()].any()
    assert J.can_be_nonzero().sum() == J.structural_nonzeros < J.size
    side_by_side = run.jacobian(of, [wrt]).materialise()
    np.testing.assert_allclose(side_by_side.reshape(whole.shape), whole, atol=1e-13)
    for layout in LAYOUTS:
        turned = J.materialise(layout)
        np.testing.assert_array_equal(turned, to_layout(whole, layout, J.out_axes, J.wrt_axes))
        back = from_layout(turned, layout, J.out_axes, J.wrt_axes)
        np.testing.assert_array_equal(back, whole)


def test_other_indices_replay_the_same_record():
    """A look-up is a leaf of the record: the first indices must not stay in it."""
    net = embedded()
    for numbers in ([4, 0, 4, 10, 1], [1, 1, 1, 1, 1], [10, 9, 8, 7, 0]):
        run = net.run(u=np.array(numbers))
        found, fast = run.gradients("structured"), run.gradients("vjp")
        np.testing.assert_allclose(found["E"], fast["E"], rtol=1e-12, atol=1e-14)
        assert len(records(run.forward_pass.program)) == 1
    (first,) = records(run.forward_pass.program).values()
    again = net.run(u=np.array([2, 3, 5, 7, 2]))
    again.gradients("structured")
    assert [*records(again.forward_pass.program).values()] == [first]


def test_two_runs_with_other_places_of_the_largest_replay_the_same_record():
    net = windows()
    for _ in range(3):
        run = net.run(drawn(2, 7))
        found, fast = run.gradients("structured"), run.gradients("vjp")
        for name in net.params:
            np.testing.assert_allclose(found[name], fast[name], rtol=1e-11, atol=1e-12)
        assert len(records(run.forward_pass.program)) == 1


def test_what_is_printed_is_the_formula():
    run = windows().run(drawn(2, 7))
    texts = {
        ("z", "x"): "∂z/∂x[d,i,c',i'] = Σ_r K1[d,c',r] δ[i',i+r−1]\n"
        "  layout numerator, shape (3, 7, 2, 7): shifted window ⊗ 3-tensor; "
        "114 of 294 entries can be non-zero; 2.3 KiB",
        ("z", "K1"): "∂z/∂K1[d,i,d',c',r'] = Σ_j δ[d,d'] x[c',j] δ[j,i+r'−1]\n"
        "  layout numerator, shape (3, 7, 3, 2, 3): delta ⊗ shifted window ⊗ matrix; "
        "114 of 378 entries can be non-zero; 3.0 KiB",
        ("p", "z"): "∂p/∂z[c,i,c',i'] = Σ_r δ[c,c'] δ[r,a[c,i]] δ[i',i+r−1]\n"
        "  layout numerator, shape (3, 7, 3, 7): "
        "delta ⊗ shifted window ⊗ selection chosen by the values; "
        "39 of 441 entries can be non-zero; 3.4 KiB",
    }
    assert {pair: run.jacobian(*pair).text() for pair in texts} == texts
    assert run.jacobian("z", "x").latex() == (
        r"\left(\frac{\partial z}{\partial x}\right)_{d,i,c',i'}="
        r"\sum_{r}(K_{1})_{d,c',r}\,\delta_{i',i+r-1}"
    )


def test_a_collapse_spends_the_window_and_says_why():
    collapsed = windows().run(drawn(2, 7)).jacobian("q", "z").collapse()
    assert collapsed.formula == "Σ_r K2[d,c',r] δ[i',a[c',i+r−1]+i+r−2] [0≤i+r−1≤6]"
    assert [step.reason for step in collapsed.trace] == [
        "δ[c,c'] is 0 unless c = c': one term of Σ_c is left",
        "δ[j,i+r−1] is 0 unless j = i+r−1: one term of Σ_j is left",
        "δ[l,a[c',i+r−1]] is 0 unless l = a[c',i+r−1]: one term of Σ_l is left",
    ]
    assert collapsed.trace[1].after == (
        "Σ_r Σ_l K2[d,c',r] δ[l,a[c',i+r−1]] δ[i',l+i+r−2] [0≤i+r−1≤6]"
    )


def test_the_derivation_shows_the_windows_and_both_kinds_of_zero():
    text = windows().run(drawn(2, 7)).derivation().text()
    assert "Σ_r K2[d,c',r] δ[i',i+r−1]" in text
    assert "entry i reads the window that begins one before it" in text
    assert "[0≤i+r−1≤6] = 1 where that holds, else 0" in " ".join(text.split())
    assert "Σ_i ∂J/∂q[d',i] p[c',i+r'−1] [0≤i+r'−1≤6]" in text
    rows = text[text.index("∂p/∂z") :].splitlines()
    first = next(place for place, row in enumerate(rows) if row.strip().startswith("[1  ."))
    assert rows[first].split("]")[0].split() == ["[1", *"......"]
    second = rows[first + 1].split("]")[0].strip(" [").split()
    assert sorted(second[:2]) == ["0", "1"]
    assert second[2:] == [*"....."]


def test_a_copy_of_a_jacobian_is_the_same_and_asking_leaves_it_as_it_was():
    J = windows().run(drawn(2, 7)).jacobian("q", "z")
    before = pickle.dumps(J)
    copy = pickle.loads(before)
    v = drawn(2, 7)
    np.testing.assert_array_equal(copy.materialise(), J.materialise())
    np.testing.assert_array_equal(copy.pull(v), J.pull(v))
    assert copy.collapse().text() == J.collapse().text()
    J.can_be_nonzero()[...] = False
    J.materialise()[...] = 7.0
    assert pickle.dumps(J) == before


def test_float32_stays_float32():
    net = windows()
    params = {name: value.astype(np.float32) for name, value in net.params.items()}
    run = net.with_params(params).run(drawn(2, 7).astype(np.float32))
    J = run.jacobian("q", "K1")
    assert J.materialise().dtype == np.float32
    assert J.pull(np.ones((2, 7), np.float32)).dtype == np.float32
    found = run.gradients("structured")
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("wrt", ["K1", "x", "z"])
def test_sums_inside_a_float32_jacobian_are_float32(wrt):
    net = windows()
    params = {name: value.astype(np.float32) for name, value in net.params.items()}
    found = net.with_params(params).run(drawn(2, 7).astype(np.float32)).jacobian("q", wrt)
    arrays = [a for link in found.collapse().links for a in link.expression.arrays]
    floats = [a for a in arrays if a.dtype.kind == "f"]
    assert floats
    assert {a.dtype for a in floats} == {np.dtype(np.float32)}
