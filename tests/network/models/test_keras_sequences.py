"""Keras's attention and recurrent layers, from a file that Keras wrote, read without Keras."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

h5py = pytest.importorskip("h5py", reason="the extra h5py is not installed")
MADE = Path(__file__).parent / "made"
X = np.linspace(-1, 1, 210).reshape(7, 5, 6).astype("f")
EXPECTED = np.load(MADE / "keras_answers.npz")["tokens"]


def parts():
    with zipfile.ZipFile(MADE / "tokens.keras") as file:
        return json.loads(file.read("config.json")), file.read("model.weights.h5")


def archive(folder, config, weights):
    with zipfile.ZipFile(folder / "model.keras", "w") as file:
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights)
    return folder / "model.keras"


def test_attention_and_cells_give_what_keras_gives():
    net = Network.from_keras(MADE / "tokens.keras")
    assert np.abs(net(X) - EXPECTED).max() < 1e-6
    assert np.abs(net(X[3]) - EXPECTED[3]).max() < 1e-6
    whole = net.followed_by("L = SquaredError(dense_12, y)", "J = Mean(L)")
    assert whole.run(X[:2].astype(float), np.ones((2, 2))).check().ok


def test_parameters_are_given_back_as_keras_has_them():
    net, (_, weights) = Network.from_keras(MADE / "tokens.keras"), parts()
    state, found = net.state_dict(), {}
    with h5py.File(io.BytesIO(weights), "r") as file:
        file.visititems(lambda path, item: found.update({path: item}))
        arrays = {path: item[()] for path, item in found.items() if isinstance(item, h5py.Dataset)}
    attention, gru = "layers/multi_head_attention", arrays["layers/gru/cell/vars/2"]
    for name in ("query", "key", "value"):
        for number, kind in enumerate(("kernel", "bias")):
            array = arrays[f"{attention}/{name}_dense/vars/{number}"]
            assert np.array_equal(state[f"multi_head_attention/{name}/{kind}"], array)
    cells = {"lstm": "lstm_cell", "gru": "gru_cell", "simple_rnn": "simple_rnn_cell"}
    for layer, cell in {**cells, "lstm_1": "lstm_cell"}.items():
        for number, kind in enumerate(("kernel", "recurrent_kernel")):
            array = arrays[f"layers/{layer}/cell/vars/{number}"]
            assert np.array_equal(state[f"{layer}/{cell}/{kind}"], array), layer
    assert np.array_equal([state[f"gru/gru_cell/bias[{n}]"] for n in (0, 1)], gru)
    assert len(state) == len(net.params)
    assert net.params["multi_head_attention_query_kernel"].shape == (6, 6)
    assert net.params["gru_gru_cell_kernel"].shape == (9, 7)


def test_gates_in_another_order_are_found_wrong(tmp_path):
    config, weights = parts()
    stream = io.BytesIO(weights)
    with h5py.File(stream, "a") as file:
        kernel = file["layers/gru/cell/vars/0"]
        kernel[...] = np.roll(kernel[()], 3, axis=1)
    net = Network.from_keras(archive(tmp_path, config, stream.getvalue()))
    assert np.abs(net(X) - EXPECTED).max() > 1e-3


def layer_of(config, kind):
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == kind)


REFUSED = {  # layer, option, value: what is said
    ("GRU", "reset_after", False): "it has reset_after=False",
    ("LSTM", "go_backwards", True): "it has go_backwards=True",
    ("LSTM", "stateful", True): "it has stateful=True",
    ("LSTM", "activation", "relu"): "its activation is 'relu'",
    ("GRU", "recurrent_activation", "hard_sigmoid"): ("its recurrent_activation is 'hard_sigmoid'"),
    ("SimpleRNN", "activation", "softplus"): "its activation is 'softplus'",
    ("MultiHeadAttention", "use_gate", True): "it has use_gate=True",
    ("MultiHeadAttention", "sliding_window", 3): "it has sliding_window=3",
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: " ".join(map(str, case)))
def test_an_option_that_is_not_read_is_named_with_its_layer(case, tmp_path):
    kind, option, value = case
    config, weights = parts()
    layer = layer_of(config, kind)
    layer["config"][option] = value
    with pytest.raises(SpecError) as caught:
        Network.from_keras(archive(tmp_path, config, weights))
    assert str(caught.value) == (
        "model.keras cannot be written as a program: 1 problem.\n"
        f"  layer {layer['config']['name']!r}, {kind}: {REFUSED[case]}\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_a_mask_that_is_given_is_refused(tmp_path):
    config, weights = parts()
    layer = layer_of(config, "MultiHeadAttention")
    layer["inbound_nodes"][0]["kwargs"]["attention_mask"] = [[1]]
    with pytest.raises(SpecError, match="MultiHeadAttention: it is called with attention_mask"):
        Network.from_keras(archive(tmp_path, config, weights))
