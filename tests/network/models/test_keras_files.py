"""Files of Keras 3: forward against Keras itself, kernels, and hostile files."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError
from jacobian_bp.numbers.memory import memory_limit

h5py = pytest.importorskip("h5py", reason="the extra h5py is not installed")
os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("torch", reason="Keras computes by torch here, which is not installed")
keras = pytest.importorskip("keras", reason="keras is not installed")
layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of its own


def functional():
    x = keras.Input((9, 7, 2))
    h = layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh")(x)
    h = layers.BatchNormalization()(h)
    h = layers.MaxPooling2D(2, strides=1)(h)
    h = layers.Conv2D(3, (2, 1), use_bias=False)(h)
    h = layers.Flatten()(h)
    a = layers.Dense(5, name="wide")(h)
    b = layers.ReLU()(a)
    c = layers.Concatenate()([layers.Add()([a, b]), layers.Multiply()([a, b])])
    return keras.Model(x, layers.Dense(1, activation="sigmoid")(layers.LayerNormalization()(c)))


def attention():
    x = keras.Input((5, 6))
    h = layers.Dense(4)(x)
    h = layers.MultiHeadAttention(3, 2, use_bias=False)(h, x)
    h = layers.Add()([h, layers.MultiHeadAttention(1, 4, value_dim=3)(h, h, key=h)])
    return keras.Model(x, h)


MODELS = {
    "layers": lambda: keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(7, activation="relu", name="first"),
            layers.Dropout(0.3),
            layers.BatchNormalization(scale=False),
            layers.Dense(5, use_bias=False, activation="gelu"),
            layers.LeakyReLU(0.1),
            layers.Dense(2, activation="softmax"),
        ]
    ),
    "images": functional,
    "tokens": lambda: keras.Sequential(
        [
            keras.Input((11,), dtype="int32"),
            layers.Embedding(13, 5),
            layers.Conv1D(4, 3, padding="same", activation="elu"),
            layers.AveragePooling1D(2),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
            layers.Activation("softplus"),
        ]
    ),
    "attention": attention,
    "cells": lambda: keras.Sequential(
        [
            keras.Input((5, 6)),
            layers.LSTM(4, use_bias=False, return_sequences=True),
            layers.GRU(3, use_bias=False, return_sequences=True),
            layers.SimpleRNN(7, activation="relu", return_sequences=True),
            layers.GRU(2, use_bias=False),
        ]
    ),
    "shapes": lambda: keras.Sequential(
        [
            keras.Input((4, 6)),
            layers.Permute((2, 1)),
            layers.Reshape((3, -1)),
            layers.Dense(2),
            layers.Flatten(),
        ]
    ),
}


def saved(folder, model):
    keras.utils.set_random_seed(4)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.path else -1.0
        weight.assign(np.random.uniform(low, 1.5, weight.shape))
    model.save(folder / "model.keras")
    return folder / "model.keras"


@pytest.mark.parametrize("name", MODELS)
def test_a_file_gives_what_keras_gives(name, tmp_path):
    model = MODELS[name]()
    net = Network.from_keras(saved(tmp_path, model))
    rng = np.random.default_rng(6)
    shape = (5, *model.input_shape[1:])
    tokens = name == "tokens"
    x = rng.integers(0, 13, shape) if tokens else rng.normal(size=shape).astype("f")
    expected = np.asarray(model.predict(x, verbose=0))
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=2e-5 * max(1, abs(expected).max()))
    state = net.state_dict()
    trained = model.trainable_weights
    assert len(state) == len(trained) == len(net.params)
    for key, array in state.items():
        (weight,) = [w for w in trained if f"/{w.path}".endswith(f"/{key}")]
        assert np.array_equal(array, np.asarray(weight.value.detach())), key


def test_a_kernel_has_outputs_by_inputs(tmp_path):
    net = Network.from_keras(saved(tmp_path, MODELS["layers"]()))
    assert net.params["first_kernel"].shape == (7, 3)
    assert net.steps[0] == "first = Linear(x, first_kernel, first_bias)"


def archive(folder, config, weights, **more):
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", **more) as file:
        file.writestr("config.json", config)
        file.writestr("model.weights.h5", weights)
    return path


def parts(folder):
    with zipfile.ZipFile(saved(folder, MODELS["layers"]())) as file:
        return file.read("config.json"), file.read("model.weights.h5")


def changed(weights, change):
    stream = io.BytesIO(weights)
    with h5py.File(stream, "a") as file:
        change(file)
    return stream.getvalue()


def replaced(make):
    def change(file):
        group = file["layers/dense/vars"]
        del group["0"]
        make(group)

    return change


END = "  Give the name of a file that model.save('model.keras') wrote."
HOSTILE = {
    "a link to another file": (
        replaced(lambda g: g.__setitem__("0", h5py.ExternalLink("/etc/passwd", "/"))),
        "model.keras: 'layers/dense/vars/0' is a link; no file beside it is read.\n" + END,
    ),
    "a soft link": (
        replaced(lambda g: g.__setitem__("0", h5py.SoftLink("/layers"))),
        "model.keras: 'layers/dense/vars/0' is a link; no file beside it is read.\n" + END,
    ),
    "numbers in another file": (
        replaced(lambda g: g.create_dataset("0", (3, 7), "f4", external=[("/etc/passwd", 0, 84)])),
        "model.keras has the numbers of 'layers/dense/vars/0' in another file; none beside it is "
        "read.\n" + END,
    ),
    "a shape without numbers": (
        replaced(lambda g: g.create_dataset("0", (3000, 7000), "f4", chunks=(30, 70))),
        "model.keras: 'layers/dense/vars/0' claims shape (3000, 7000) of float32; it holds 0 "
        "bytes.\n" + END,
    ),
    "objects": (
        replaced(lambda g: g.create_dataset("0", data=["a"], dtype=h5py.string_dtype())),
        "model.keras: 'layers/dense/vars/0' has dtype object, which is no weight.\n"
        "  Save the model in float32.",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_weights_are_refused(name, tmp_path):
    change, message = HOSTILE[name]
    config, weights = parts(tmp_path)
    path = archive(tmp_path, config, changed(weights, change))
    with pytest.raises(SpecError) as caught:
        Network.from_keras(path)
    assert str(caught.value) == message


def test_hostile_archives_are_refused(tmp_path):
    config, weights = parts(tmp_path)
    whole = archive(tmp_path, config, weights).read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        (tmp_path / "model.keras").write_bytes(whole[:size])
        with pytest.raises(SpecError, match=r"is no \.keras file, or one that is cut short"):
            Network.from_keras(tmp_path / "model.keras")
    packed = {"compression": zipfile.ZIP_DEFLATED}
    with pytest.raises(SpecError, match=r"config\.json would unpack to 64\.0 MiB"):
        Network.from_keras(archive(tmp_path, b" " * 2**26, weights, **packed))
    with pytest.raises(SpecError, match="is no HDF5 file"):
        Network.from_keras(archive(tmp_path, config, weights[:900]))
    deep = b"[" * 100_000
    with pytest.raises(SpecError, match="is no configuration of a model"):
        Network.from_keras(archive(tmp_path, deep, weights))
    with memory_limit(2_000), pytest.raises(SpecError, match="the limit is 2,000"):
        Network.from_keras(archive(tmp_path, config, weights))


def test_a_class_in_a_file_is_looked_up_and_never_imported(tmp_path):
    config, weights = parts(tmp_path)
    given = json.loads(config)
    dense, dropout = given["config"]["layers"][1:3]
    dense["class_name"], dense["module"] = "system", "os"
    dropout["class_name"] = "Lambda"
    with pytest.raises(SpecError) as caught:
        Network.from_keras(archive(tmp_path, json.dumps(given), weights))
    assert str(caught.value) == (
        "model.keras cannot be written as a program: 2 problems.\n"
        "  layer 'first', system: it is not known\n"
        "  layer 'dropout', Lambda: it is not known\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    ).replace("'dropout'", repr(dropout["config"]["name"]))


def test_other_endings_are_told(tmp_path):
    for name, message in {
        "w.weights.h5": "w.weights.h5 has weights alone, or is of Keras 2.\n"
        "  Save the model whole, model.save('model.keras'), with Keras 3; or name it as the "
        "weights of a network file.",
        "model.pt": f"model.pt does not end in .keras.\n{END}",
    }.items():
        with pytest.raises(SpecError) as caught:
            Network.from_keras(tmp_path / name)
        assert str(caught.value) == message
