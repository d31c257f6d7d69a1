"""Weights that Keras saved alone, read by h5py; what is refused of such a file."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import MemoryLimitError, Network, SpecError, memory_limit
from jacobian_bp.network.files.weights_file import read_weights

h5py = pytest.importorskip("h5py", reason="the extra h5py is not installed")
MADE = Path(__file__).parents[1] / "models" / "made"
RNG = np.random.default_rng(19)
W = [RNG.standard_normal(shape) for shape in ((7, 3), (5, 7), (2, 5))]
B = [RNG.standard_normal(size) for size in (7, 5, 2)]
SAVE = "\n  Save the weights again: model.save_weights('model.weights.h5')."


def test_weights_that_keras_saved_give_what_keras_gives(tmp_path):
    (tmp_path / "dense.weights.h5").write_bytes((MADE / "dense.weights.h5").read_bytes())
    sizes = [3, *[5] * 11, 2]
    text = f'[network]\nsizes = {sizes}\nactivations = "tanh"\nloss = "squared_error"\n'
    (tmp_path / "net.toml").write_text(text + '[weights]\nfile = "dense.weights.h5"\n')
    net = Network.from_toml(tmp_path / "net.toml")
    expected = np.load(MADE / "keras_answers.npz")["dense"]
    found = net(np.linspace(-1, 1, 21).reshape(7, 3).astype("f"))
    assert np.abs(found - expected).max() < 2e-6
    params = dict(net.params)
    params["W2"], params["W11"] = params["W11"], params["W2"]  # as dense_10 before dense_2 would be
    other = net.with_params(params)(np.linspace(-1, 1, 21).reshape(7, 3).astype("f"))
    assert np.abs(other - expected).max() > 1e-3


def keras_3(file):
    for number, (w, b) in enumerate(zip(W, B, strict=True)):
        group = file.create_group(f"layers/dense{f'_{number}' if number else ''}/vars")
        group["0"], group["1"] = w.T, b


def keras_2(file):
    for number, (w, b) in enumerate(zip(W, B, strict=True)):
        name = f"dense{f'_{number}' if number else ''}"
        group = file.create_group(f"model_weights/{name}/{name}")
        group["kernel:0"], group["bias:0"] = w.T, b


def written(path, *fill):
    with h5py.File(path, "w") as file:
        for each in fill:
            each(file)
    return path


@pytest.mark.parametrize("fill", [keras_3, keras_2])
def test_layers_are_found_in_files_of_both_kinds(fill, tmp_path):
    found = read_weights(written(tmp_path / "w.h5", fill), tmp_path)
    right = {f"W{n}": w for n, w in enumerate(W, 1)} | {f"b{n}": b for n, b in enumerate(B, 1)}
    assert sorted(found) == sorted(right)
    assert all(np.array_equal(found[name], right[name]) for name in right)


def at(place, make):
    def change(file):
        if place in file:
            del file[place]
        make(file)

    return change


HOSTILE = {
    "a link to another file": (
        at("layers/x", lambda f: f.__setitem__("layers/x", h5py.ExternalLink("/etc/passwd", "/"))),
        "w.h5: 'layers/x' is a link; no file beside it is read." + SAVE,
    ),
    "a link inside": (
        at("layers/x", lambda f: f.__setitem__("layers/x", h5py.SoftLink("/layers"))),
        "w.h5: 'layers/x' is a link; no file beside it is read." + SAVE,
    ),
    "whole numbers": (
        at("layers/dense/vars/1", lambda f: f.__setitem__("layers/dense/vars/1", np.arange(7))),
        "w.h5: 'layers/dense/vars/1' has dtype int64, which is no weight.\n"
        "  Save the model in float32.",
    ),
    "more than it holds": (
        at(
            "layers/dense/vars/1",
            lambda f: f.create_dataset("layers/dense/vars/1", (10**12,), "f8", chunks=(2**20,)),
        ),
        "w.h5: 'layers/dense/vars/1' claims shape (1000000000000,) of float64; it holds 0 bytes."
        + SAVE,
    ),
    "numbers of another file": (
        at(
            "layers/dense/vars/1",
            lambda f: f.create_dataset(
                "layers/dense/vars/1", (7,), "f8", external=[("/etc/passwd", 0, 56)]
            ),
        ),
        "w.h5 has the numbers of 'layers/dense/vars/1' in another file; none beside it is read."
        + SAVE,
    ),
    "an optimizer's": (
        at("optimizer", lambda f: f.__setitem__("layers/dense/vars/2", np.ones((7, 3)))),
        "w.h5 does not hold the weights of a network.\n"
        "  unknown: 'dense/vars/2'\n"
        "  Name the arrays W1, b1, W2, b2, …, or as PyTorch does: 0.weight, 0.bias, 2.weight, ….",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name, tmp_path):
    change, said = HOSTILE[name]
    path = written(tmp_path / "w.h5", keras_3, change)
    assert refusal(SpecError, read_weights, path, tmp_path) == said
    again = written(tmp_path / "w.h5", keras_3)  # saved again, the weights alone
    assert sorted(read_weights(again, tmp_path)) == ["W1", "W2", "W3", "b1", "b2", "b3"]


def test_weights_of_whole_numbers_are_read_when_they_are_saved_in_float32(tmp_path):
    def as_saved(dtype):
        value = np.arange(7, dtype=dtype)
        return at("layers/dense/vars/1", lambda f: f.__setitem__("layers/dense/vars/1", value))

    path = written(tmp_path / "w.h5", keras_3, as_saved(np.int64))
    assert "Save the model in float32." in refusal(SpecError, read_weights, path, tmp_path)
    written(path, keras_3, as_saved(np.float32))
    assert np.array_equal(read_weights(path, tmp_path)["b1"], np.arange(7))


def test_a_file_that_is_none_or_too_large_is_refused(tmp_path):
    path = tmp_path / "w.h5"
    path.write_bytes(b"not HDF5 at all")
    damaged = "w.h5 is no HDF5 file, or one that is cut short." + SAVE
    assert refusal(SpecError, read_weights, path, tmp_path) == damaged
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        keras_3(file)
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])
    assert refusal(SpecError, read_weights, path, tmp_path) == damaged
    path.write_bytes(b"")
    assert refusal(SpecError, read_weights, path, tmp_path).startswith("w.h5 is empty.")
    written(path, keras_3)
    assert os.path.getsize(path) > 1000
    with memory_limit(1000):
        said = refusal(MemoryLimitError, read_weights, path, tmp_path)
    assert said.startswith("the arrays of w.h5 have "), said
