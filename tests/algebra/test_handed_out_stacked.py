"""Blocks side by side give their entries at their places in the whole."""

import sys

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, MemoryLimitError, Network, SpecError, memory_limit
from jacobian_bp.algebra import handed_out_stacked

RNG = np.random.default_rng(47)


def wholes():
    """Of a batch and of one example, of a scalar and of a value, by parameters and by an input."""
    net = Network.dense([3, 5, 2], ["relu", "softmax"], "cross_entropy", seed=1)
    run = net.run(RNG.normal(size=(7, 3)), np.eye(2)[RNG.integers(0, 2, 7)])
    one = net.run(RNG.normal(size=3), np.eye(2)[0])
    conv = Network.program(
        "z = Conv1d(x, K, b)",
        "a = Tanh(z)",
        "f = Flatten(a)",
        "J = SquaredError(f, y)",
        params={"K": RNG.normal(size=(2, 1, 3)), "b": RNG.normal(size=2)},
    ).run(RNG.normal(size=(1, 7)), RNG.normal(size=10))
    for each, of in ((run, "z1"), (run, "a2"), (one, "z2"), (one, "J"), (conv, "z"), (conv, "J")):
        yield each.jacobian(of, each.params)
    yield run.jacobian("a1", ["b1", "x"])
    yield run.hessian(run.params)
    yield one.hessian(["b2", "W1", "x"])
    yield one.hessian(["W2", "b1"], of="z2")
    yield conv.hessian(["b", "K"])
    yield conv.hessian(conv.params).gauss_newton
    yield conv.hessian(conv.params).residual


@pytest.fixture(scope="module")
def every():
    return [*wholes()]


def close(found, whole):
    return np.abs(found - whole).max(initial=0.0) <= 1e-13 * max(np.abs(whole).max(initial=0), 1e-9)


def test_the_coordinates_are_those_of_the_whole(every):
    for stacked in every:
        values, rows, columns, shape = stacked.coo()
        found = np.zeros(shape)
        found[rows, columns] = values
        assert shape == (np.prod(stacked.shape[:-1], dtype=int), stacked.shape[-1])
        assert close(found.reshape(stacked.shape), stacked.materialise())
        assert len(values) == stacked.structural_nonzeros
        places = rows * shape[1] + columns
        assert (np.diff(places) > 0).all()  # row by row, each once
        assert values.dtype == stacked.dtype


def test_a_block_in_the_wrong_place_would_be_seen(every, monkeypatch):
    right = handed_out_stacked._in_the_whole

    def shifted(stacked, block, row, column):
        values, rows, columns = right(stacked, block, row, column)
        return values, rows, (columns + 1) % stacked.shape[-1]

    monkeypatch.setattr(handed_out_stacked, "_in_the_whole", shifted)
    for stacked in every:
        values, rows, columns, shape = stacked.coo()
        found = np.zeros(shape)
        found[rows, columns] = values
        assert not close(found.reshape(stacked.shape), stacked.materialise())


def test_scipy_stores_what_can_be_other_than_zero(every):
    pytest.importorskip("scipy.sparse")
    for stacked in every:
        sparse, mask = stacked.to_scipy(), stacked.to_scipy(mask=True)
        whole = stacked.materialise().reshape(sparse.shape)
        assert sparse.format == mask.format == "csr"
        assert close(sparse.toarray(), whole)
        assert mask.dtype == bool
        assert mask.nnz == sparse.nnz == stacked.structural_nonzeros
        assert not whole[~mask.toarray()].any()


def test_xarray_has_each_entry_by_name(every):
    pytest.importorskip("xarray")
    by_name = every[1].to_xarray()
    assert by_name.dims == ("n", "k", "entries")
    whole = every[1].materialise()
    place = every[1].columns["W1"].start + 2 * 3 + 1
    assert np.array_equal(by_name.sel(entries="W1[2,1]").values, whole[..., place])
    H = every[8].to_xarray()
    assert H.dims == ("entries", "entries'")
    assert H.attrs == {"of": "J", "wrt": "b2, W1, x"}
    start = every[8].places["W1"].start
    assert (
        H.sel({"entries": "W1[0,2]", "entries'": "b2[1]"}) == every[8].materialise()[start + 2, 1]
    )
    for stacked in every:
        found = stacked.to_xarray()
        assert found.name == stacked.name
        assert np.array_equal(found.values, stacked.materialise())
        zeros = found.structural_zero.values
        assert not found.values[zeros].any()
        assert zeros.sum() == zeros.size - stacked.structural_nonzeros


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_the_whole_as_an_array_of_another_package(every, package):
    pytest.importorskip(package)
    for stacked in every:
        array = np.asarray(getattr(stacked, f"to_{package}")())
        assert np.allclose(array, stacked.materialise(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "module"),
    [
        ("to_scipy", "scipy.sparse"),
        ("to_xarray", "xarray"),
        ("to_torch", "torch"),
        ("to_jax", "jax"),
    ],
)
def test_without_the_package_the_call_says_what_installs_it(every, monkeypatch, call, module):
    for name in (module, f"{module}.numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    for stacked in every[:1] + every[7:8]:
        words = refusal(SpecError, getattr(stacked, call))
        assert words.startswith(f"{stacked.name}.{call}()")
        assert module.split(".")[0] in words


def test_entries_above_the_limit_are_refused_before_anything_is_built(every):
    H = every[7]
    with memory_limit("1 KiB"):
        words = refusal(MemoryLimitError, H.coo)
    assert words.splitlines()[0].startswith(f"{H.name} as values, rows and columns")
    assert words.splitlines()[1] == "  Take one block at a time, or its product with a vector."


def test_an_entry_that_is_not_finite_is_refused():
    steps = "u = Multiply(w, x)", "v = Multiply(u, x)", "J = Einsum(v, x, 'k,k->')"
    run = Network.program(*steps, params={"w": np.zeros(2)}).run(np.full(2, 1e150))
    assert "∂J/∂w" in refusal(DomainError, run.jacobian("J", ["w"]).coo)
    assert "∂J/∂w" in refusal(DomainError, run.jacobian("J", ["w"]).materialise)
