"""Models in ONNX files: operators beside the reference evaluation, names, hostile files."""

import json
from pathlib import Path

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import JacobianError, MemoryLimitError, SpecError
from jacobian_bp.numbers.memory import memory_limit

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
helper, FLOAT, INT = onnx.helper, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64
RNG = np.random.default_rng(31)
N, D, T = 3, 5, 7


def array(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def model(nodes, arrays, reads, out="z", kind=FLOAT, ints=(), opset=21):
    """A model of these nodes, whose input x has this shape."""
    initial = [onnx.numpy_helper.from_array(a, n) for n, a in arrays.items()]
    inputs = [helper.make_tensor_value_info("x", kind, reads)]
    outputs = [helper.make_tensor_value_info(out, FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def at(folder, made):
    path = Path(folder) / "model.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def node(op, reads, gives, **attributes):
    return helper.make_node(op, reads.split(), gives.split(), **attributes)


def unary(op, **attributes):
    return [node(op, "x", "z", **attributes)], {}, ["n", D]


GRAPHS = {
    **{op: unary(op) for op in ("Relu", "Sigmoid", "Tanh", "Softplus", "Exp", "Abs", "Neg")},
    **{op: unary(op) for op in ("Softmax", "LogSoftmax", "Gelu", "Elu")},
    "LeakyRelu": unary("LeakyRelu", alpha=0.2),
    "Gemm of (outputs, inputs)": (
        [node("Gemm", "x W b", "z", transB=1)],
        {"W": array(T, D), "b": array(T)},
        ["n", D],
    ),
    "Gemm of (inputs, outputs)": (
        [node("Gemm", "x W b", "z")],
        {"W": array(D, T), "b": array(T)},
        ["n", D],
    ),
    "MatMul and the bias in front": (
        [node("MatMul", "x W", "m"), node("Add", "b m", "z")],
        {"W": array(D, T), "b": array(T)},
        ["n", T, D],
    ),
    "MatMul alone, for tokens": ([node("MatMul", "x W", "z")], {"W": array(D, T)}, ["n", T, D]),
    "norms": (
        [
            node("LayerNormalization", "x g s", "a", epsilon=1e-3),
            node("BatchNormalization", "a g s mean var", "z"),
        ],
        {
            "g": array(D),
            "s": array(1, D)[0],
            "mean": array(1, 1, D)[0, 0],
            "var": 1 + array(D) ** 2,
        },
        ["n", D],
    ),
    "a convolution": (
        [
            node(
                "Conv", "x K b", "c", strides=[2, 1], pads=[1, 0, 1, 0], dilations=[1, 2], group=2
            ),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[1, 1]),
            node("GlobalAveragePool", "p", "q"),
            node("Flatten", "q", "f"),
            node("Gemm", "f W", "z", transB=1),
        ],
        {"K": array(4, 1, 3, 2), "b": array(4), "W": array(3, 4)},
        ["n", 2, 7, 6],
    ),
    "means": (
        [
            node("AveragePool", "x", "p", kernel_shape=[2], strides=[2], count_include_pad=1),
            node("ReduceMean", "p two", "z", keepdims=0),
        ],
        {"two": np.array([2])},
        ["n", 2, 8],
    ),
    "parts": (
        [
            node("Split", "x", "a b", axis=1, num_outputs=2),
            node("Slice", "x one five one two", "c"),
            node("Concat", "a b c", "j", axis=1),
            node("Transpose", "k", "w", perm=[0, 2, 1]),
            node("Reshape", "j shape", "k"),
            node("Reshape", "w flat", "z"),
        ],
        {
            "one": np.array([1]),
            "five": np.array([5]),
            "two": np.array([2]),
            "shape": np.array([0, 4, 2]),
            "flat": np.array([0, -1]),
        },
        ["n", 6],
    ),
    "arithmetic": (
        [
            node("Mul", "x s", "a"),
            node("Sub", "one x", "b"),
            node("Pow", "x two", "c"),
            node("Add", "c three", "d"),
            node("Div", "a d", "e"),
            node("Add", "e b", "z"),
        ],
        {
            "s": array(D),
            "one": np.array(1.0),
            "two": np.array(2.0),
            "three": np.array([3.0]),
        },
        ["n", D],
    ),
    "scores under a mask": (
        [
            node("Einsum", "x x", "s", equation="nti,nui->ntu"),
            node("Where", "mask s low", "m"),
            node("Softmax", "m", "p", axis=-1),
            node("MatMul", "p x", "z"),
        ],
        {"mask": np.tri(T, dtype=bool)[None], "low": np.array(-np.inf)},
        ["n", T, D],
    ),
    "limits and gates": (
        [
            node("Clip", "x low high", "a"),
            node("HardSwish", "a", "b"),
            node("Selu", "b", "c"),
            node("PRelu", "c slopes", "d"),
            node("Mish", "d", "e"),
            node("HardSigmoid", "e", "f", alpha=0.3, beta=0.4),
            node("Celu", "f", "g", alpha=0.7),
            node("Softsign", "g", "z"),
        ],
        {"low": np.array(-1.5), "high": np.array(1.25), "slopes": array(D)},
        ["n", D],
    ),
    "norms and the largest": (
        [
            node("ReduceL2", "x one", "length"),
            node("Div", "x length", "a"),
            node("ReduceMax", "a two", "b", keepdims=0),
            node("ReduceSumSquare", "x two", "c", keepdims=0),
            node("ReduceLogSumExp", "x two", "d", keepdims=0),
            node("Sum", "b c d", "z"),
        ],
        {"one": np.array([1]), "two": np.array([2])},
        ["n", T, D],
    ),
    "pixels repeated, padded, and in blocks": (
        [
            node("Resize", "x nothing scales", "a", mode="nearest", nearest_mode="floor",
                 coordinate_transformation_mode="asymmetric"),
            node("Pad", "a pads", "b"),
            node("ConvTranspose", "b K s", "c", strides=[3, 2]),
            node("DepthToSpace", "c", "d", blocksize=2, mode="CRD"),
            node("Conv", "d Q", "e", pads=[0, 1, 2, 0]),
            node("Tile", "e times", "f"),
            node("CumSum", "f two", "z"),
        ],
        {
            "nothing": np.zeros(0, "f"),
            "scales": np.array([1, 1, 2, 3], "f"),
            "pads": np.array([0, 0, 1, 0, 0, 0, 2, 1]),
            "K": array(2, 8, 3, 2),
            "s": array(8),
            "Q": array(1, 2, 2, 3),
            "times": np.array([1, 3, 1, 1]),
            "two": np.array(2),
        },
        ["n", 2, 5, 3],
    ),
    "windows of as many places, and a matrix that is computed": (
        [
            node("Conv", "x K", "c", auto_pad="SAME_UPPER", strides=[2, 3], dilations=[2, 1]),
            node("Conv", "c Q", "d", auto_pad="SAME_LOWER"),
            node("Flatten", "d", "f"),
            node("Mul", "W W", "V"),
            node("Gemm", "f V b", "z", transB=1),
        ],
        {"K": array(3, 2, 2, 4), "Q": array(2, 3, 2, 2), "W": array(T, 12), "b": array(T)},
        ["n", 2, 5, 6],
    ),
    "angles, and a part read backwards": (
        [
            node("Sin", "x", "s"),
            node("Cos", "s", "c"),
            node("Slice", "c last first two back", "z"),
        ],
        {
            "last": np.array([-2]),
            "first": np.array([-1000]),
            "two": np.array([2]),
            "back": np.array([-2]),
        },
        ["n", T, D],
    ),
    "between pixels": (
        [
            node("Resize", "x nothing scales", "a", mode="linear"),
            node("Resize", "a nothing nothing sizes", "b", mode="linear",
                 coordinate_transformation_mode="align_corners"),
            node("Resize", "b nothing nothing few", "c", mode="linear",
                 coordinate_transformation_mode="asymmetric"),
            node("Resize", "c nothing nothing one", "z", mode="linear",
                 coordinate_transformation_mode="pytorch_half_pixel"),
        ],
        {
            "nothing": np.zeros(0, "f"),
            "scales": np.array([1, 1, 2, 3], "f"),
            "sizes": np.array([3, 2, 7, 5]),
            "few": np.array([3, 2, 5, 11]),
            "one": np.array([3, 2, 1, 7]),
        },
        [N, 2, 5, 3],
    ),
    "the larger and the smaller": (
        [
            node("MatMul", "x W", "a"),
            node("Max", "a x", "b"),
            node("Min", "b half", "c"),
            node("Min", "a c", "d"),
            node("ReduceMean", "d", "z", keepdims=1),
        ],
        {"W": array(D, D), "half": np.array(0.5)},
        ["n", D],
    ),
    "windows that are written": (
        [
            node("ConvTranspose", "x K b", "a", strides=[2, 3], pads=[1, 0, 0, 2],
                 output_padding=[1, 0]),
            node("ConvTranspose", "a Q", "c", dilations=[2, 1], pads=[1, 1, 1, 1]),
            node("ConvTranspose", "c V", "d", auto_pad="SAME_LOWER", strides=[2, 2]),
            node("ConvTranspose", "d V", "z", auto_pad="SAME_UPPER", strides=[1, 2],
                 output_shape=[24, 66]),
        ],
        {"K": array(2, 5, 3, 4), "b": array(5), "Q": array(5, 2, 2, 3), "V": array(2, 2, 3, 4)},
        ["n", 2, 5, 6],
    ),
    "one output": (
        [node("MatMul", "x W", "m"), node("Add", "m b", "z")],
        {"W": array(D, 1), "b": np.array([0.7])},
        ["n", D],
    ),
}  # fmt: skip
GRAPHS["parts"][0][3:5] = GRAPHS["parts"][0][3:5][::-1]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_gives_what_the_reference_evaluation_gives(name, tmp_path):
    nodes, arrays, reads = GRAPHS[name]
    made = model(nodes, arrays, reads)
    x = RNG.normal(size=[N if s == "n" else s for s in reads])
    net = Network.from_onnx(at(tmp_path, made))
    expected = onnx.reference.ReferenceEvaluator(made).run(None, {"x": x})[0]
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=1e-7 * max(1, np.abs(expected).max()))
    state = net.state_dict() if net.params else {}
    assert all(np.array_equal(state[key], arrays[key]) for key in state)


def test_groups_that_the_evaluation_mixes_are_evaluated_one_by_one(tmp_path):
    """The reference evaluation cuts the kernels of a transposed convolution across its groups."""
    x, K, b = RNG.normal(size=(N, 6, T)), array(6, 2, 3), array(4)
    made = model([node("ConvTranspose", "x K b", "z", group=2)], {"K": K, "b": b}, ["n", 6, T])
    net = Network.from_onnx(at(tmp_path, made))
    halves = []
    for part in (0, 1):
        own = {"K": K[3 * part : 3 * part + 3], "b": b[2 * part : 2 * part + 2]}
        half = model([node("ConvTranspose", "x K b", "z")], own, ["n", 3, T])
        given = {"x": x[:, 3 * part : 3 * part + 3]}
        halves.append(onnx.reference.ReferenceEvaluator(half).run(None, given)[0])
    np.testing.assert_allclose(net(x), np.concatenate(halves, axis=1), rtol=0, atol=1e-13)


def copied(second, opset=21):
    """tanh(U b + W x), where `second` stands for each of the N examples that the file has."""
    nodes = [node("Gemm", "x W", "a", transB=1), node("Add", "copies a", "s"),
             node("Tanh", "s", "t"), node("Reshape", "t rows", "h"),
             node("Gemm", "h U b", "z", transB=1)]  # fmt: skip
    arrays = {"W": array(T, D), "copies": second, "U": array(T, T), "b": array(1, T)[0]}
    arrays["rows"] = np.array([-1, T])
    return model(nodes, arrays, [N, D], opset=opset)


def test_a_bias_that_an_exporter_has_copied_for_each_example_is_that_bias(tmp_path):
    b = array(1, T)[0]
    for copies in (np.tile(b, (N, 1)), np.tile(b, (1, N, 1))):
        net = Network.from_onnx(at(tmp_path, copied(copies)))
        assert net.steps[1].split(" = ")[1].startswith("Add(b, a")
        x = RNG.normal(size=(N + 2, D))
        h = np.tanh(x @ array(T, D).T + b)
        np.testing.assert_allclose(net(x), h @ array(T, T).T + b, rtol=0, atol=1e-13)
    other = np.tile(-b, (N, 1))
    net = Network.from_onnx(at(tmp_path, copied(other)))
    assert list(net.constants) == ["s_constant"]
    assert np.array_equal(net.constants["s_constant"], other[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"mode": "nearest", "nearest_mode": "ceil",
             "coordinate_transformation_mode": "asymmetric"},
            "its nearest_mode is 'ceil' of 'asymmetric' places, which repeats pixels unequally; "
            "write 'floor' and 'asymmetric'",
        ),
        ({"mode": "cubic"}, "its mode is 'cubic'; 'nearest' and 'linear' are read"),
    ],
)  # fmt: skip
def test_a_way_of_resizing_that_is_not_read_is_named(options, said, tmp_path):
    scales = {"scales": np.array([1, 1, 3, 2], np.float32), "nothing": np.zeros(0, "f")}
    made = model([node("Resize", "x nothing scales", "z", **options)], scales, ["n", 2, 5, 6])
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(at(tmp_path, made))
    assert str(caught.value) == (
        "model.onnx cannot be written as a program: 1 problem.\n"
        f"  the node of 'z', Resize: {said}\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_numbers_that_differ_between_the_examples_of_a_file_are_refused(tmp_path):
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(at(tmp_path, copied(array(N, T))))
    assert str(caught.value) == (
        "model.onnx cannot be written as a program: 1 problem.\n"
        "  the node of 's', Add: a constant that it reads differs between examples; make it an "
        "input\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_a_kernel_is_turned_and_given_back(tmp_path):
    nodes, arrays, reads = GRAPHS["MatMul and the bias in front"]
    net = Network.from_onnx(at(tmp_path, model(nodes, arrays, reads)))
    assert net.steps == ("z = Linear(x, W, b)",)
    assert np.array_equal(net.params["W"], arrays["W"].T)
    moved = net.with_params({"W": 2 * net.params["W"]})
    assert np.array_equal(moved.state_dict()["W"], 2 * arrays["W"])


def test_tokens_are_embedded(tmp_path):
    nodes = [node("Gather", "E x", "e"), node("Tanh", "e", "z")]
    made = model(nodes, {"E": array(11, D)}, ["n", T], kind=INT)
    u = RNG.integers(0, 11, (N, T))
    net = Network.from_onnx(at(tmp_path, made))
    np.testing.assert_allclose(net(u), np.tanh(array(11, D)[u]), rtol=1e-14)


def test_all_operators_that_are_not_known_are_named_at_once(tmp_path):
    nodes = [
        helper.make_node("Round", ["x"], ["a"], name="/round/Round"),
        node("Hardmax", "a", "z"),
    ]
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(at(tmp_path, model(nodes, {}, ["n", D])))
    assert str(caught.value) == (
        "model.onnx cannot be written as a program: 2 problems.\n"
        "  node '/round/Round', Round: it is not known\n"
        "  the node of 'z', Hardmax: it is not known\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def linear():
    return model(*GRAPHS["Gemm of (outputs, inputs)"])


def with_external(place):
    made = linear()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    return made.SerializeToString()


def claiming(*dims):
    made = linear()
    made.graph.initializer[0].dims[:] = dims
    return made.SerializeToString()


HOSTILE = {
    "empty": (b"", "model.onnx is empty.\n  Export the model again."),
    "a pickle": (
        b"\x80\x04\x95\x10",
        "model.onnx is a Python pickle, which is never read.\n  Export the model again.",
    ),
    "an archive": (b"PK\x03\x04", "model.onnx is a zip archive.\n  Export the model again."),
    "text": (
        json.dumps({"a": 1}).encode(),
        "model.onnx cannot be read as an ONNX model: DecodeError.\n"
        "  It is cut short, or another kind of file. Export the model again.",
    ),
    "external data": (
        with_external("../../etc/passwd"),
        "model.onnx has the numbers of 'W' in another file, '../../etc/passwd'; no file beside it "
        "is read.\n  Save it in one file: onnx.save(model, path), without external data.",
    ),
    "a shape that is not filled": (
        claiming(10**9, 10**9),
        "model.onnx: 'W' claims shape (1000000000, 1000000000), 1,000,000,000,000,000,000 numbers; "
        "it holds 35.\n  Export the model again.",
    ),
    "a negative size": (
        claiming(-7, -5),
        "model.onnx: 'W' has a shape that is none.\n  Export the model again.",
    ),
    "no node": (
        onnx.ModelProto(ir_version=10).SerializeToString(),
        "model.onnx holds no graph of nodes.\n  Export the model again.",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_what_it_is(name, tmp_path):
    content, message = HOSTILE[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(path)
    assert str(caught.value) == message


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_short_is_refused(part, tmp_path):
    whole = linear().SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(JacobianError):
        Network.from_onnx(path)


def test_values_that_do_not_fit_into_memory_are_refused_before_they_are_made(tmp_path):
    nodes = [
        node("ConstantOfShape", "s", "c"),
        node("ReduceSum", "c", "d"),
        node("Add", "x d", "z"),
    ]
    path = at(tmp_path, model(nodes, {"s": np.array([2**20, 2**20])}, ["n", D]))
    with pytest.raises(MemoryLimitError, match=r"^the values of model\.onnx have 8\.0 TiB"):
        Network.from_onnx(path)
    with memory_limit(100), pytest.raises(SpecError, match="the limit is 100"):
        Network.from_onnx(at(tmp_path, linear()))


def test_another_ending_is_refused_before_the_file_is_opened(tmp_path):
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(tmp_path / "model.pt")
    assert str(caught.value) == (
        "model.pt does not end in .onnx.\n  Give the name of an .onnx file."
    )


MANY = 2**38
GROWING = {
    "Range": (
        [node("Range", "zero many one", "r"), node("Cast", "r", "c", to=FLOAT),
         node("ReduceSum", "c", "s", keepdims=0), node("Add", "x s", "z")],
        {"zero": np.array(0), "many": np.array(MANY), "one": np.array(1)},
    ),
    "ConstantOfShape": (
        [node("Mul", "many one", "shape"), node("ConstantOfShape", "shape", "c"),
         node("ReduceSum", "c", "s", keepdims=0), node("Add", "x s", "z")],
        {"many": np.array([MANY]), "one": np.array([1])},
    ),
    "Tile": (
        [node("Mul", "times times", "t"), node("Tile", "x t", "z")],
        {"times": np.array([1, 2**19])},
    ),
    "Expand": (
        [node("Mul", "shape shape", "s"), node("Expand", "x s", "z")],
        {"shape": np.array([2**19, 1, 1])},
    ),
    "Pad": (
        [node("Mul", "pads pads", "p"), node("Pad", "x p", "z")],
        {"pads": np.array([0, 2**19, 0, 0])},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", GROWING)
def test_an_operator_that_makes_more_than_fits_is_refused_before_it_does(kind, tmp_path):
    """Its size is computed by another node, so that no shape of the file tells it."""
    path = at(tmp_path, model(*GROWING[kind], [N, D]))
    with memory_limit("64MiB"), pytest.raises(MemoryLimitError) as caught:
        Network.from_onnx(path)
    first, *more = str(caught.value).splitlines()
    assert first.endswith(" for one run; the limit is 64.0 MiB.")
    assert "model.onnx" in first
    assert more == ["  Give a smaller example: example=x[:1]."]


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ([-3, D], "model.onnx reads x of shape (-3, 5), which is none.\n  Export the model again."),
        (
            [2**30, 2**30],
            "model.onnx reads x of shape (1073741824, 1073741824), 8.0 EiB; the limit is 64.0 MiB."
            "\n  Give a smaller example: Network.from_onnx(path, example=x).",
        ),
    ],
)
def test_an_input_that_is_none_or_does_not_fit_is_refused_before_it_is_drawn(reads, told, tmp_path):
    path = at(tmp_path, model([node("Relu", "x", "z")], {}, reads))
    with memory_limit("64MiB"), pytest.raises(JacobianError) as caught:
        Network.from_onnx(path)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (
            [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "z")],
            "model.onnx: the node of 'a', Add reads 'b', which nothing before it gives.",
        ),
        ([node("Relu", "x", "a")], "model.onnx: no node gives its output 'z'."),
        (
            [node("Relu", "x", "z"), onnx.helper.make_node("Relu", ["z"], [])],
            "model.onnx: node 1 gives no value.",
        ),
    ],
)
def test_a_graph_that_does_not_hang_together_is_refused(nodes, told, tmp_path):
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(at(tmp_path, model(nodes, {}, [N, D])))
    assert str(caught.value) == f"{told}\n  Export the model again."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (b"relu", b"rel\xff", "has a name that is no text, b'rel\\xff'."),
        (b"\x08\x0b\x12", b"\x08\x3b\x12", ": 'x' holds no numbers that are read, data type 59."),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text_and_no_kind_of_number_are_refused(before, after, told, tmp_path):
    path = Path(at(tmp_path, model([node("Relu", "x", "relu"), node("Neg", "relu", "z")], {}, [5])))
    whole = path.read_bytes()
    assert whole.count(before)
    path.write_bytes(whole.replace(before, after))
    with pytest.raises(SpecError) as caught:
        Network.from_onnx(path)
    joint = "" if told[0] == ":" else " "
    assert str(caught.value) == f"model.onnx{joint}{told}\n  Export the model again."
