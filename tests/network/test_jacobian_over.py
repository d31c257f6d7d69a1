"""Over batches the Jacobian of each example is its own row, from an iterator or from arrays."""

from itertools import pairwise

import numpy as np
import pytest
from large_cases import RNG
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, JacobianError, Network, SpecError
from jacobian_bp.network import batches as batches_module
from jacobian_bp.network import jacobian_over

NET = Network.dense([5, 7, 3], ["relu", "softmax"], "cross_entropy", seed=1)
X = RNG.normal(size=(23, 5))
WHOLE = NET.run(X).jacobian("a2", NET.params).materialise()


def batches(*sizes):
    cuts = np.cumsum([0, *sizes])
    return ({"x": X[a:b]} for a, b in pairwise(cuts))


def put_together(over, shape):
    found, times = np.zeros(shape), np.zeros(shape, int)
    for slices, array in over:
        found[slices] = array
        times[slices] += 1
    assert (times == 1).all()
    return found


def close(found, whole=WHOLE):
    return np.abs(found - whole).max() <= 1e-14 * np.abs(whole).max()


def test_blocks_of_batches_of_any_size_make_up_the_rows_of_all_examples():
    for sizes, most in (((23,), "64MiB"), ((4, 11, 8), 5000), ((1,) * 23, 1584)):
        over = NET.jacobian_over(batches(*sizes), "a2", NET.params, max_bytes=most)
        blocks = list(over)
        assert max(array.nbytes for _, array in blocks) <= (
            WHOLE.nbytes if most == "64MiB" else most
        )
        assert close(put_together(blocks, WHOLE.shape))
    one = NET.jacobian_over(batches(4, 19), "z1", "W1")
    whole = NET.run(X).jacobian("z1", ["W1"]).materialise()
    assert close(put_together(one, whole.shape), whole)


def test_rows_that_are_counted_from_their_batch_are_found_wrong(monkeypatch):
    monkeypatch.setattr(jacobian_over.Alike, "examples", lambda *_: 0)
    found = np.zeros(WHOLE.shape)
    for slices, array in NET.jacobian_over(batches(4, 11, 8), "a2", NET.params):
        found[slices] = array
    assert not close(found)


def test_blocks_of_one_run_make_up_the_whole():
    stacked = NET.run(X).jacobian("a2", NET.params)
    assert len(list(stacked.blocks(5000))) == 8
    assert close(put_together(stacked.blocks(5000), WHOLE.shape))
    assert close(put_together(stacked.blocks(), WHOLE.shape))
    z = NET.run(X).jacobian("z2", ["b1", "W2"])
    assert close(put_together(z.blocks(3000), z.shape), z.materialise())


def test_of_arrays_the_shape_is_known_and_the_product_is_that_of_the_whole(tmp_path):
    np.save(tmp_path / "x.npy", X)
    for rows in (X, np.load(tmp_path / "x.npy", mmap_mode="r")):
        over = NET.jacobian_over({"x": rows}, "a2", NET.params)
        assert over.shape == WHOLE.shape
        assert close(put_together(over, WHOLE.shape))
        v = RNG.normal(size=WHOLE.shape[:2])
        found = over.contract_blocks(v, chunks=5000)
        assert close(found, np.tensordot(v, WHOLE, 2))


def test_pulled_and_pushed_it_is_the_product_of_the_rows(monkeypatch):
    monkeypatch.setattr(batches_module, "ROWS", 7)
    over = NET.jacobian_over({"x": X}, "a2", NET.params)
    v, u = RNG.normal(size=WHOLE.shape[:2]), RNG.normal(size=WHOLE.shape[-1])
    assert close(over.pull(v), np.tensordot(v, WHOLE, 2))
    assert not close(over.pull(v[::-1]), np.tensordot(v, WHOLE, 2))
    assert close(over.push(u), WHOLE @ u)
    assert not close(over.push(u[::-1]), WHOLE @ u)
    assert refusal(AxisError, over.pull, v.T) == (
        "net.jacobian_over(…).pull: the cotangent does not fit.\n"
        "  cotangent has shape (3, 23)\n"
        "  ∂a2/∂(W1, b1, W2, b2) has shape (23, 3, 66), so it takes (23, 3)\n"
        "  Pass an array of the shape of a2 over all rows."
    )
    assert refusal(AxisError, over.push, u[1:]) == (
        "net.jacobian_over(…).push: the tangent does not fit.\n"
        "  tangent has shape (65,)\n"
        "  ∂a2/∂(W1, b1, W2, b2) has shape (23, 3, 66), so it takes (66,)\n"
        "  Pass the entries of W1, b1, W2, b2, row by row, as one vector."
    )
    for name, vector in (("pull", v), ("push", u)):
        once = NET.jacobian_over(batches(23), "a2", NET.params)
        assert refusal(SpecError, getattr(once, name), vector) == (
            f"net.jacobian_over: {name} asks how many examples there are, which an iterator does "
            "not say.\n  Give arrays of rows, of numpy, a memory map or Dask: "
            "net.jacobian_over((X, Y), 'a2', …)."
        )


def test_a_sum_over_batches_that_overflows_is_told_from_one_within_a_batch(monkeypatch):
    monkeypatch.setattr(batches_module, "ROWS", 1)
    net = Network.dense([2, 3], "identity", None, seed=1)
    over = net.jacobian_over({"x": np.full((2, 2), 1.0)}, "z1", "W1")
    assert refusal(DomainError, over.pull, np.full((2, 3), 1e308)) == (
        "v ∂z1/∂(W1): the sum over 2 examples is not finite; that of each batch is.\n"
        "  Pass a smaller cotangent."
    )
    steep = net.jacobian_over({"x": np.full((2, 2), 1e10)}, "z1", "W1")
    said = refusal(DomainError, steep.pull, np.full((2, 3), 1e308))
    assert said.startswith("net.jacobian_over: batch 0: v ∂z1/∂W1[0,0] is inf;"), said


def test_a_dask_array_of_rows_is_taken_chunk_by_chunk(tmp_path):
    array = pytest.importorskip("dask.array", reason="dask is an extra")
    rows = array.from_array(X, chunks=(6, 5))
    over = NET.jacobian_over({"x": rows}, "a2", NET.params)
    assert close(put_together(over, WHOLE.shape))
    for chunks in ("auto", 5000):
        lazy = over.to_dask(chunks)
        assert (lazy.shape, lazy.dtype) == (WHOLE.shape, WHOLE.dtype)
        assert close(lazy.compute(scheduler="threads"))
    v = RNG.normal(size=WHOLE.shape[:2])
    assert close(over.pull(v), np.tensordot(v, WHOLE, 2))
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    over.to_zarr(tmp_path / "a.zarr", 5000)
    assert close(zarr.open_group(tmp_path / "a.zarr", mode="r")["jacobian"][...])
    other = NET.jacobian_over({"x": rows + 1e-6}, "a2", NET.params)
    said = refusal(SpecError, other.to_zarr, tmp_path / "a.zarr", resume=True)
    assert "of other numbers: the data or the parameters were not these" in said


def test_what_is_not_of_each_example_is_refused():
    labelled = {"x": X, "y": RNG.integers(0, 3, 23)}
    assert refusal(JacobianError, list, NET.jacobian_over([labelled], "J", NET.params)) == (
        "net.jacobian_over: J is a mean over the examples, not a value of each.\n"
        "  Name a value with the axis n of the examples; the gradient of a cost is "
        "net.gradients_over(batches)."
    )
    assert len(list(NET.jacobian_over([labelled], "L", NET.params))) == 1
    normed = Network.program(
        "z = Linear(x, W)",
        "h = BatchNorm(z, g, c)",
        params={"W": RNG.normal(size=(2, 5)), "g": np.ones(2), "c": np.zeros(2)},
    )
    said = refusal(JacobianError, list, normed.jacobian_over([{"x": X}], "h", "W"))
    assert said.startswith("BatchNorm 'h' gives each example what depends on its batch"), said
    assert len(list(normed.jacobian_over([{"x": X}], "z", "W"))) == 1


def test_what_names_no_parameter_or_no_number_of_rows_is_refused():
    known = "W1, b1, W2, b2."
    none = f"  The parameters are {known}"
    for of, wrt, message in (
        ("a2", ["W3"], f"net.jacobian_over: 'W3' is no parameter.\n{none}"),
        ("a2", "x", f"net.jacobian_over: 'x' is no parameter.\n{none}"),
        (
            "a2",
            5,
            "net.jacobian_over: the variable is an int.\n"
            '  Write a name such as "W1", or several: net.params.',
        ),
        (
            "a2",
            [],
            "net.jacobian_over of a2 is by no parameter.\n"
            f"  Name each once, and at least one of {known}",
        ),
        (
            "a2",
            ("W1", "b1", "W1"),
            "net.jacobian_over of a2 is by W1, b1, W1.\n"
            f"  Name each once, and at least one of {known}",
        ),
        (
            "a9",
            "W1",
            "net.jacobian_over: no value is named 'a9'.\n  The values are z1, a1, z2, a2, L, J.",
        ),
    ):
        assert refusal(SpecError, NET.jacobian_over, batches(23), of, wrt) == message
    assert refusal(DomainError, NET.jacobian_over, batches(23), "a2", "W1", max_bytes="much") == (
        "net.jacobian_over(max_bytes=…): 'much' is not a number of bytes.\n"
        "  Write a whole number such as 8000000000, or one with a unit such as '8GiB'."
    )
    small = NET.jacobian_over(batches(23), "z2", ["W2", "b2"], max_bytes=510)
    assert refusal(DomainError, list, small) == (
        "net.jacobian_over: batch 0: ∂z2/∂(W2, b2).blocks: rows of shape (1, 3, 24), the fewest, "
        "take 576 bytes.\n  Write max_bytes=576, or ask for fewer variables at once, such as W2 "
        "alone."
    )
    for names, most in ((["W2", "b2"], 576), ("W2", 510)):
        assert len(list(NET.jacobian_over(batches(23), "z2", names, max_bytes=most))) == 23
    assert refusal(SpecError, NET.jacobian_over(batches(23), "a2", "W1").contract_blocks, X) == (
        "net.jacobian_over: contract_blocks asks how many examples there are, which an iterator "
        "does not say.\n  Give arrays of rows, of numpy, a memory map or Dask: "
        "net.jacobian_over((X, Y), 'a2', …)."
    )
    assert refusal(DomainError, list, NET.jacobian_over([], "a2", "W1")) == (
        "net.jacobian_over: there is no batch.\n"
        "  Give at least one; an iterator that was gone through gives none again."
    )
    over = NET.jacobian_over({"x": X}, "a2", "W1")
    assert refusal(AxisError, over.contract_blocks, np.ones((23, 3)), chunks=(4, 2, 35)) == (
        "∂a2/∂(W1).contract_blocks: only the rows n are cut here.\n"
        "  chunks is (4, 2, 35), the shape is (23, 3, 35)\n"
        "  Write chunks=(4, 3, 35)."
    )
    assert over.contract_blocks(np.ones((23, 3)), chunks=(4, 3, 35)).shape == (35,)


def test_a_tangent_by_names_is_the_one_row_of_its_entries():
    u = {name: RNG.normal(size=array.shape) for name, array in NET.params.items()}
    row = np.concatenate([array.ravel() for array in u.values()])
    beside = NET.run(X).jacobian("a2", NET.params)
    for J in (beside, NET.jacobian_over(X, "a2", NET.params)):
        assert close(J.push(u), WHOLE @ row)
        assert close(J.push({"b1": u["b1"]}), WHOLE[..., beside.columns["b1"]] @ u["b1"])
        message = refusal(SpecError, lambda J=J: J.push({"b3": u["b1"]}))
        assert message.endswith("push: 'b3' is none of its variables.\n  They are W1, b1, W2, b2.")
        message = refusal(AxisError, lambda J=J: J.push({"W1": u["W1"].T}))
        assert message.endswith(
            "push: the tangent of W1 does not fit.\n  it has shape (5, 7)\n"
            "  W1 has shape (7, 5)\n  Pass an array of the shape of W1."
        )
    message = refusal(SpecError, lambda: beside.contract_blocks(tangent=u))
    assert message.endswith("Pass np.concatenate([np.ravel(v) for v in tangent.values()]).")
    found = beside.contract_blocks(tangent=np.concatenate([np.ravel(v) for v in u.values()]))
    assert close(found, WHOLE @ row)


def test_a_cotangent_by_name_is_that_of_the_one_value_that_there_is():
    v = RNG.normal(size=WHOLE.shape[:2])
    run = NET.run(X)
    for J in (run.jacobian("a2", NET.params), NET.jacobian_over(X, "a2", NET.params)):
        assert np.array_equal(J.pull({"a2": v}), J.pull(v))
        message = refusal(SpecError, lambda J=J: J.pull({"W1": v, "b1": v}))
        assert message.endswith(
            "pull: the cotangent is a dict of W1, b1; there is one of a2 alone.\n"
            '  Pass {"a2": v}, v of the shape of a2, or v itself.'
        )
    J, u = run.jacobian("a2", "W1"), NET.params["W1"]
    assert np.array_equal(J.pull({"a2": v}), J.pull(v))
    assert np.array_equal(J.push({"W1": u}), J.push(u))
    assert refusal(SpecError, lambda: J.push({"W1": u, "b1": v})) == (
        "∂a2/∂W1.push: the tangent is a dict of W1, b1; there is one of W1 alone.\n"
        '  Pass {"W1": v}, v of the shape of W1, or v itself; one of several variables goes to '
        'run.jacobian("a2", run.params).push(…).'
    )
    both = {"W1": u, "b1": NET.params["b1"]}
    pushed = run.jacobian("a2", run.params).push(both)
    parts = J.push(u) + run.jacobian("a2", "b1").push(both["b1"])
    assert close(pushed, parts)


def test_what_is_made_anew_is_an_array_and_what_is_never_whole_says_so():
    run = NET.run(X[:2], [0, 2])
    for made in (run.jacobian("a2", ["W1", "b2"]), run.hessian(["W1", "b2"])):
        np.testing.assert_array_equal(np.asarray(made), made.materialise())
        assert np.asarray(made, np.float32).dtype == np.float32
    message = refusal(JacobianError, lambda: np.asarray(NET.jacobian_over(X, "a2", ["W1"])))
    assert message == (
        "np.asarray of ∂a2/∂(W1) over batches: it is made block by block.\n"
        "  Go through it, for rows, block in J, or write J.to_dask() or J.to_zarr(path)."
    )
