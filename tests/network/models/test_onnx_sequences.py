"""ONNX's recurrent operators and its attention: as its own evaluation has them, or refused."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
helper = onnx.helper
RNG = np.random.default_rng(67)
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
N, T, WIDTH, H = 3, 5, 7, 2
MORE = {"GRU": {"linear_before_reset": 1}}


def file_of(folder, nodes, arrays, inputs, output, opset=22):
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output, floats, None)],
        [onnx.numpy_helper.from_array(a.astype("i8" if a.dtype == int else "f"), name)
         for name, a in arrays.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    path = folder / "model.onnx"
    onnx.save(model, path)
    return path, model


def evaluated(model, **inputs):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, {k: v.astype("f") for k, v in inputs.items()})[0]


def weights(kind, inputs, number=""):
    rows = GATES[kind] * H
    return {
        f"W{number}": RNG.normal(size=(1, rows, inputs)),
        f"R{number}": RNG.normal(size=(1, rows, H)),
        f"B{number}": RNG.normal(size=(1, 2 * rows)),
    }


def layers(kind, ends="all", **more):
    """Two layers between two transposes, as PyTorch writes them; or the last state alone."""
    options = {"hidden_size": H, **MORE.get(kind, {}), **more}
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
        helper.make_node(kind, ["xt", "W0", "R0", "B0"], ["Y0"], **options),
        helper.make_node("Squeeze", ["Y0", "one"], ["h0"]),
        helper.make_node(kind, ["h0", "W1", "R1"], ["Y1", "end"], **options),
    ]
    arrays = (
        weights(kind, WIDTH, 0)
        | weights(kind, H, 1)
        | {"one": np.array([1]), "zero": np.array([0])}
    )
    del arrays["B1"]
    if ends == "all":
        nodes.append(helper.make_node("Squeeze", ["Y1", "one"], ["h1"]))
        nodes.append(helper.make_node("Transpose", ["h1"], ["y"], perm=[1, 0, 2]))
    else:
        nodes.append(helper.make_node("Squeeze", ["end", "zero"], ["y"]))
    return nodes, arrays


@pytest.mark.parametrize("ends", ["all", "last"])
@pytest.mark.parametrize("kind", GATES)
def test_layers_give_what_the_evaluation_of_onnx_gives(kind, ends, tmp_path):
    nodes, arrays = layers(kind, ends)
    path, model = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    net, x = Network.from_onnx(path), RNG.normal(size=(N + 1, T, WIDTH))
    expected = evaluated(model, x=x)
    assert expected.shape == ((N + 1, T, H) if ends == "all" else (N + 1, H))
    assert np.abs(net(x) - expected).max() < 2e-6
    state = net.state_dict()
    for name in ("W0", "R0", "W1", "R1"):
        assert np.array_equal(state[name], arrays[name].astype("f")), name
    both = np.concatenate([state["B0[0]"], state["B0[1]"]])
    assert np.array_equal(both, arrays["B0"][0].astype("f"))


def test_a_layer_of_relu_is_read_though_the_evaluation_does_not_know_it(tmp_path):
    nodes, arrays = layers("RNN", "last", activations=["Relu"])
    arrays["W1"] = np.abs(arrays["W1"])  # some units are on
    path, _ = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    net, x = Network.from_onnx(path), RNG.normal(size=(N + 1, T, WIDTH))
    read = {name: np.float64(array.astype("f")) for name, array in arrays.items()}
    sequence = x
    for layer in "01":
        h, steps = np.zeros((N + 1, H)), []
        for t in range(T):
            s = sequence[:, t] @ read[f"W{layer}"][0].T + h @ read[f"R{layer}"][0].T
            if f"B{layer}" in read:
                s += sum(np.split(read[f"B{layer}"][0], 2))
            h = np.maximum(s, 0)
            steps.append(h)
        sequence = np.stack(steps, 1)
    assert 0 < (h > 0).mean() < 1
    assert np.abs(net(x) - h).max() < 2e-6


def test_gates_in_another_order_are_found_before_the_network_is_handed_out(tmp_path, monkeypatch):
    from jacobian_bp.network.models import onnx_sequences

    nodes, arrays = layers("LSTM")
    path, _ = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    monkeypatch.setitem(onnx_sequences.GATES, "LSTM", (0, 1, 2, 3))
    with pytest.raises(SpecError):
        Network.from_onnx(path)


ATTENTION = {
    "heads as an axis": ((N, 2, T, 4), (N, 2, 6, 4), (N, 2, 6, 3), {}),
    "causal": ((N, 2, T, 4), (N, 2, T, 4), (N, 2, T, 3), {"is_causal": 1}),
    "heads in rows": ((N, T, 8), (N, 6, 8), (N, 6, 4), {"q_num_heads": 2, "kv_num_heads": 2}),
    "a scale": ((N, 2, T, 4), (N, 2, T, 4), (N, 2, T, 4), {"scale": 0.25}),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_gives_what_the_evaluation_of_onnx_gives(name, tmp_path):
    q, k, v, options = ATTENTION[name]
    nodes = [helper.make_node("Attention", ["q", "k", "v"], ["y"], **options)]
    path, model = file_of(tmp_path, nodes, {}, {"q": q, "k": k, "v": v}, "y", opset=23)
    given = {n: RNG.normal(size=shape) for n, shape in zip("qkv", (q, k, v), strict=True)}
    net = Network.from_onnx(path)
    found = net.run(**given)
    assert np.abs(found[found.cost] - evaluated(model, **given)).max() < 1e-6


REFUSED = {
    "back alone": ({"direction": "reverse"}, "its direction is 'reverse'"),
    "a clip": ({"clip": 3.0}, "it has clip"),
    "other functions": (
        {"activations": ["HardSigmoid", "Tanh", "Tanh"]},
        "its activations are HardSigmoid, Tanh, Tanh",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_attribute_that_is_not_read_is_named(name, tmp_path):
    options, said = REFUSED[name]
    nodes, arrays = layers("LSTM", **options)
    path, _ = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    with pytest.raises(SpecError, match=said):
        Network.from_onnx(path)


def test_a_reset_before_the_product_is_refused(tmp_path):
    nodes, arrays = layers("GRU", linear_before_reset=0)
    path, _ = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    with pytest.raises(SpecError, match="it has linear_before_reset = 0"):
        Network.from_onnx(path)


def test_states_with_tokens_in_front_are_read_on_and_refused_as_an_output(tmp_path):
    nodes, arrays = layers("RNN")
    path, _ = file_of(tmp_path, nodes[:-1], arrays, {"x": [N, T, WIDTH]}, "h1")
    with pytest.raises(SpecError, match="its output has another axis in front of the examples"):
        Network.from_onnx(path)
    nodes[-1:] = [
        helper.make_node("Tanh", ["h1"], ["a"]),
        helper.make_node("Transpose", ["a"], ["y"], perm=[1, 0, 2]),
    ]
    path, model = file_of(tmp_path, nodes, arrays, {"x": [N, T, WIDTH]}, "y")
    x = RNG.normal(size=(N + 1, T, WIDTH))
    assert np.abs(Network.from_onnx(path)(x) - evaluated(model, x=x)).max() < 2e-6
