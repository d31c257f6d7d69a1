"""Weights as Flax, Keras, Nielsen's program and bfloat16 have them; what is refused of these."""

import json

import numpy as np
import pytest

from jacobian_bp import Network, SpecError
from jacobian_bp.network.files.weights_file import read_weights

RNG = np.random.default_rng(17)
SIZES = [3, 7, 5, 2]
W = [RNG.standard_normal(shape) for shape in ((7, 3), (5, 7), (2, 5))]
B = [RNG.standard_normal(size) for size in SIZES[1:]]
RIGHT = {f"W{n}": w for n, w in enumerate(W, 1)} | {f"b{n}": b for n, b in enumerate(B, 1)}
NAMES = {
    "flax": [f"params/Dense_{n}/{{}}" for n in range(3)],
    "flax, with dots": [f"Dense_{n}.{{}}" for n in range(3)],
    "keras": ["dense/{}:0", "dense_1/{}:0", "dense_2/{}:0"],
}


def same(found):
    assert sorted(found) == sorted(RIGHT)
    assert all(np.array_equal(found[name], RIGHT[name]) for name in RIGHT)


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_of_inputs_by_outputs_is_turned(name, tmp_path):
    arrays = {}
    for pattern, w, b in zip(NAMES[name], W, B, strict=True):
        arrays |= {pattern.format("bias"): b, pattern.format("kernel"): w.T}
    write_npz(tmp_path / "w.npz", arrays)
    same(read_weights(tmp_path / "w.npz", tmp_path))


def write_npz(path, arrays):
    """np.savez takes names with a slash as they are, as the members of the archive."""
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def test_layers_that_count_from_0(tmp_path):
    arrays = {f"W{n}": w for n, w in enumerate(W)} | {f"b{n}": b for n, b in enumerate(B)}
    write_npz(tmp_path / "w.npz", arrays)
    same(read_weights(tmp_path / "w.npz", tmp_path))
    del arrays["b0"], arrays["W1"]
    write_npz(tmp_path / "w.npz", arrays)
    with pytest.raises(SpecError, match="missing: W2"):
        read_weights(tmp_path / "w.npz", tmp_path)


def test_a_convolution_of_flax_is_read_by_a_program(tmp_path):
    K = RNG.standard_normal((5, 2, 3))  # (outputs, inputs, taps)
    write_npz(tmp_path / "w.npz", {"Conv_0/kernel": K.transpose(2, 1, 0), "Conv_0/bias": B[1]})
    text = '[program]\nlines = ["y = Conv1d(x, K, b)"]\n[weights]\nfile = "w.npz"\n'
    (tmp_path / "net.toml").write_text(text)
    assert np.array_equal(Network.from_toml(tmp_path / "net.toml").params["K"], K)


def test_a_layer_with_two_weights_is_refused(tmp_path):
    write_npz(tmp_path / "w.npz", {"a/kernel": W[0].T, "a/scale": B[0], "a/bias": B[0]})
    with pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.npz", tmp_path)
    assert str(caught.value) == (
        "w.npz: 'a/scale' is the weight of a layer that has one already.\n  Keep one of the two."
    )


def test_bfloat16_is_the_first_half_of_a_float32(tmp_path):
    cut = W[0].astype("<f4").view("<u4") >> 16
    header = {"W1": {"dtype": "BF16", "shape": [7, 3], "data_offsets": [0, 42]}}
    header["b1"] = {"dtype": "F32", "shape": [7], "data_offsets": [42, 70]}
    head = json.dumps(header).encode()
    numbers = cut.astype("<u2").tobytes() + B[0].astype("<f4").tobytes()
    (tmp_path / "w.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + numbers)
    found = read_weights(tmp_path / "w.safetensors", tmp_path)
    assert found["W1"].dtype == np.float32
    assert np.array_equal(found["W1"], (cut << 16).view("<f4"))
    assert np.abs(found["W1"] / W[0] - 1).max() < 2**-7


def nielsen(**changed):
    columns = [b[:, None].tolist() for b in B]
    whole = {"sizes": SIZES, "weights": [w.tolist() for w in W], "biases": columns, "cost": "C"}
    return json.dumps(whole | changed)


def test_a_network_of_nielsen_is_read(tmp_path):
    (tmp_path / "w.json").write_text(nielsen())
    same(read_weights(tmp_path / "w.json", tmp_path))


FORM = 'Write {"sizes": [3, 2], "weights": [[[…], …]], "biases": [[[…], …]], "cost": "…"}.'
REFUSED = {
    "nothing": ("", "w.json is empty.\n  Save the weights with np.savez."),
    "another text": ("[1, 2]", f"w.json is no network of Nielsen's network2.py.\n  {FORM}"),
    "deep": ("[" * 200_000, f"w.json is no network of Nielsen's network2.py.\n  {FORM}"),
    "cut short": (nielsen()[:-9], f"w.json is no network of Nielsen's network2.py.\n  {FORM}"),
    "not a number": (
        nielsen(sizes=[float("nan")]),
        f"a weight is NaN, which is no finite number.\n  {FORM}",
    ),
    "a key twice": (
        '{"sizes": [1], "sizes": [2]}',
        "the key 'sizes' stands twice.\n  Keep one of the two.",
    ),
    "sizes of other arrays": (
        nielsen(sizes=[3, 7, 4, 2]),
        "w.json: weights[1] is no array of numbers of shape (4, 7), which sizes asks "
        f"for.\n  {FORM}",
    ),
    "sizes that are none": (nielsen(sizes=[3, True]), f"w.json: sizes is '[3, True]'.\n  {FORM}"),
    "too few layers": (
        nielsen(sizes=[3, 7, 5]),
        f"w.json: weights has not one array for each of 2 layers.\n  {FORM}",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_network_of_nielsen_is_refused(name, tmp_path):
    text, message = REFUSED[name]
    (tmp_path / "w.json").write_text(text)
    with pytest.raises(SpecError) as caught:
        read_weights(tmp_path / "w.json", tmp_path)
    assert str(caught.value) == message
