"""ONNX's recurrent operators and its attention, each as the nodes that the builder has.

A recurrent operator has the tokens in front, (t, n, …), between two transposes: `turned` says
of each such value which one is the same with the examples in front. Its gates are in another
order, and each parameter has an axis of size 1 for the direction.
"""

from collections.abc import Sequence

import numpy as np

from .model import Node, Parameter
from .onnx_call import Call, Rule, UnknownError
from .onnx_file import told

TURN = [1, 0, 2]
GATES = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}  # theirs, in the order of ours
CELLS = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
OF_STATES = {*CELLS, "Transpose", "Squeeze", "Reshape"}  # what may read tokens in front
USUAL = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


def recurrent(call: Call) -> list[Node]:
    """A layer of cells from states of 0, in one direction."""
    kind = call.node.op_type
    cell = _cell(call, kind)
    W, R, *bias = call.node.input[1:4]
    units = call.known[R].shape[-1] if R in call.model.parameters else 0
    keys = [_matrix(call, key, kind, units) for key in (W, R)]
    if bias and bias[0]:
        keys += _biases(call, bias[0], kind, units)
    _require_zero_states(call)
    first = bool(call.attribute("layout", 0))
    x = call.node.input[0]
    if not first and x not in call.turned:
        raise UnknownError("its tokens stand in front and are not turned from examples in front")
    whole, *ends = call.node.output
    tokens, _, examples, _ = call.values[whole].shape if whole else (0, 0, 0, 0)
    if first and whole:
        examples, tokens = call.values[whole].shape[:2]
    key = f"{call.node.input[1]}:states#0"
    if whole:
        call.turned[whole] = key
    if ends and ends[0]:
        call.ends[ends[0]] = key.removesuffix("#0") + "#1"
    if len(ends) > 1 and ends[1] in call.readers:
        raise UnknownError("the carry behind its last token is read")
    if not tokens:
        examples, tokens = _counts(call, x, first)
    read = x if first else call.turned[x]
    options = {"cell": cell, "layers": (tuple(keys),)}
    shape = (examples, tokens, units)
    return [Node("recurrent", (read, *keys), key, shape, call.called, told(call.node), options)]


def _counts(call: Call, x: str, first: bool) -> tuple[int, int]:
    shape = call.values[x].shape if x in call.values else call.model.inputs[x]
    return (shape[0], shape[1]) if first else (shape[1], shape[0])


def _cell(call: Call, kind: str) -> str:
    """The cell by its functions; UnknownError for attributes that change it."""
    if call.attribute("direction", "forward") != "forward":
        raise UnknownError(f"its direction is {call.attribute('direction')!r}")
    for name in ("clip", "input_forget"):
        if call.attribute(name):
            raise UnknownError(f"it has {name}")
    if kind == "GRU" and not call.attribute("linear_before_reset", 0):
        raise UnknownError("it has linear_before_reset = 0")
    said = [
        name.decode() if isinstance(name, bytes) else name
        for name in call.attribute("activations", USUAL[kind])
    ]
    if kind == "RNN" and said == ["Relu"]:
        return "rnn_relu"
    if said != USUAL[kind]:
        raise UnknownError(f"its activations are {', '.join(said)}")
    return CELLS[kind]


def _rows(kind: str, units: int) -> tuple[int, ...]:
    blocks = np.arange(len(GATES[kind]) * units).reshape(-1, units)
    return tuple(int(row) for row in blocks[list(GATES[kind])].reshape(-1))


def _matrix(call: Call, key: str, kind: str, units: int) -> str:
    """W or R without the axis of the direction, its gates in our order."""
    if key not in call.model.parameters or len(call.readers[key]) > 1:
        raise UnknownError(f"its matrix {key!r} is no parameter of its own")
    array, rows = call.known[key], _rows(kind, units)
    call.model.parameters[key] = Parameter(
        key, np.ascontiguousarray(array[0][list(rows)]), None, rows, array.shape
    )
    return key


def _biases(call: Call, key: str, kind: str, units: int) -> list[str]:
    """The bias of W and that of R, which stand in one row there."""
    if key not in call.model.parameters or len(call.readers[key]) > 1:
        raise UnknownError(f"its bias {key!r} is no parameter of its own")
    del call.model.parameters[key]
    rows, found = _rows(kind, units), []
    for place, part in enumerate(np.split(call.known[key][0], 2)):
        found.append(f"{key}[{place}]")
        call.model.parameters[found[-1]] = Parameter(
            found[-1], np.ascontiguousarray(part[list(rows)]), None, rows
        )
    return found


def _require_zero_states(call: Call) -> None:
    lengths = call.constant(4)
    x = call.node.input[0]
    tokens = _counts(call, x, bool(call.attribute("layout", 0)))[1]
    if lengths is not None and (lengths != tokens).any():
        raise UnknownError("its sequences have different lengths")
    for place in (5, 6):
        state = call.constant(place)
        if state is not None and state.any():
            raise UnknownError("it begins with states that are given")
    if len(call.node.input) > 7 and call.node.input[7]:
        raise UnknownError("it has peepholes")


def is_of_tokens(call: Call) -> bool:
    """Whether a value is only turned to have its tokens in front, for a recurrent operator."""
    if call.attribute("perm") != TURN or call.node.input[0] in call.turned:
        return False
    readers = call.readers.get(call.node.output[0], [])
    return bool(readers) and all(
        reader.op_type in CELLS and reader.input[0] == call.node.output[0] for reader in readers
    )


def back(call: Call) -> list[Node] | None:
    """What a Transpose or a Squeeze of states stands for; None where it is of no states."""
    key, out = call.node.input[0], call.node.output[0]
    before, after = call.values.get(key), call.values[out]
    if key not in call.turned and key not in call.ends:
        return None
    if call.node.op_type == "Transpose" and call.attribute("perm") == TURN:
        return call.one("same", [call.turned[key]])
    if key in call.ends and before is not None and before.ndim == 3 and after.ndim == 2:
        return call.one("select", [call.ends[key]], axis=0, index=0)
    if key in call.turned and before is not None and before.ndim == 4 and after.ndim == 3:
        if before.shape[1] == 1 and after.shape == (before.shape[0], *before.shape[2:]):
            call.turned[out] = call.turned[key]
            return []
        return call.one("same", [call.turned[key]])  # layout 1
    raise UnknownError("it reads the states of a recurrent layer otherwise than examples in front")


def attention(call: Call) -> list[Node]:
    """Attention of (n, heads, t, width), or of (n, t, heads · width) with the number of heads."""
    if len(call.node.output) > 1 and any(call.node.output[1:]):
        raise UnknownError("it gives more than its value")
    for name in ("softcap", "qk_matmul_output_mode"):
        if call.attribute(name):
            raise UnknownError(f"it has {name}")
    if any(call.node.input[4:]):
        raise UnknownError("it keeps keys and values of the past")
    heads = [call.attribute(name, 0) for name in ("q_num_heads", "kv_num_heads")]
    if heads[0] != heads[1]:
        raise UnknownError("its keys have fewer heads than its queries")
    options = {"causal": bool(call.attribute("is_causal", 0)), "scale": call.attribute("scale")}
    mask = call.reads[3] if len(call.reads) > 3 else None
    out, name, place = call.node.output[0], call.called, told(call.node)
    if call.rank() == 4:
        return call.one("scaled_dot_product", [*call.reads[:3], mask], **options)
    nodes, read, shapes = [], [], []
    for letter, key in zip("qkv", call.reads[:3], strict=True):
        n, tokens, width = _shape(call, str(key))
        apart, turned = (n, tokens, heads[0], width // heads[0]), f"{out}:{letter}"
        shapes.append((n, heads[0], tokens, width // heads[0]))
        called = f"{name}_{letter}"
        nodes.append(Node("reshape", (key,), f"{turned}:apart", apart, f"{called}_heads", place))
        order = {"order": (0, 2, 1, 3)}
        nodes.append(
            Node("transpose", (f"{turned}:apart",), turned, shapes[-1], called, place, order)
        )
        read.append(turned)
    n, _, tokens, _ = shapes[0]
    each = shapes[2][-1]
    heard, row = f"{out}:heard", f"{out}:row"
    whole = (n, heads[0], tokens, each)
    nodes.append(
        Node("scaled_dot_product", (*read, mask), heard, whole, f"{name}_heard", place, options)
    )
    back_order = {"order": (0, 2, 1, 3)}
    turned_back = (n, tokens, heads[0], each)
    nodes.append(Node("transpose", (heard,), row, turned_back, f"{name}_turned", place, back_order))
    return [*nodes, *call.one("reshape", [row])]


def _shape(call: Call, key: str) -> Sequence[int]:
    return call.values[key].shape if key in call.values else call.model.inputs[key]


SEQUENCES: dict[str, Rule] = {**dict.fromkeys(CELLS, recurrent), "Attention": attention}
