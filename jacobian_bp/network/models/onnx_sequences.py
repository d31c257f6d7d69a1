"""ONNX's recurrent operators and its attention, each as the nodes that the builder has.

A recurrent operator has the tokens in front, (t, n, …), and gives (t, directions, n, units). Its
gates are in another order, and each parameter has the directions on its first axis.
"""

from typing import Any

import numpy as np

from .model import Node, Parameter
from .onnx_call import Call, Rule, UnknownError
from .onnx_file import told

GATES = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}  # theirs, in the order of ours
CELLS = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
USUAL = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


def recurrent(call: Call) -> list[Node]:
    """A layer of cells, in one direction or both: its values in the order of axes of ONNX."""
    kind = call.node.op_type
    cell, ways = _cell(call, kind), _directions(call)
    W, R, *bias = call.node.input[1:4]
    units = call.known[R].shape[-1] if R in call.model.parameters else 0
    matrices = [_matrices(call, key, kind, units) for key in (W, R)]
    biases = _biases(call, bias[0], kind, units) if bias and bias[0] else [[]] * ways
    keys = [[*pair, *more] for pair, more in zip(zip(*matrices, strict=True), biases, strict=True)]
    x, *states = call.node.input[0], *_first_states(call)
    first = bool(call.attribute("layout", 0))
    front, behind, _ = call.shape_of(0)
    key, place = f"{call.node.output[0] or W}:states", told(call.node)
    options: dict[str, Any] = {
        "cell": cell,
        "layers": tuple(map(tuple, keys)),
        "states": tuple(states),
    }
    options |= {"first": first, "directions": ways}
    reads = (x, *(key for way in keys for key in way), *(s for s in states if s))
    given = (front, behind, ways * units)
    nodes = [Node("recurrent", reads, f"{key}#0", given, call.called, place, options)]
    whole, *ends = call.node.output
    for number, end in enumerate(ends, start=1):
        shape = tuple(call.values[end].shape) if end else ()
        kept = "transpose" if first else "same"
        turned = {"order": (1, 0, 2)} if first else {}
        if end:
            nodes.append(
                Node(kept, (f"{key}#{number}",), end, shape, f"{call.called}_end", place, turned)
            )
    if whole:
        apart, name = (front, behind, ways, units), f"{call.called}_ways"
        nodes.append(Node("reshape", (f"{key}#0",), f"{key}:apart", apart, name, place))
        shape = tuple(call.values[whole].shape)
        if first:
            nodes.append(Node("same", (f"{key}:apart",), whole, shape, name, place))
        else:
            order = {"order": (0, 2, 1, 3)}
            nodes.append(Node("transpose", (f"{key}:apart",), whole, shape, name, place, order))
    return nodes


def _directions(call: Call) -> int:
    """1, or 2 where it goes forth and back."""
    direction = call.attribute("direction", "forward")
    if direction == "reverse":
        raise UnknownError("its direction is 'reverse'")
    return 2 if direction == "bidirectional" else 1


def _cell(call: Call, kind: str) -> str:
    """The cell by its functions; UnknownError for attributes that change it."""
    for name in ("clip", "input_forget"):
        if call.attribute(name):
            raise UnknownError(f"it has {name}")
    if kind == "GRU" and not call.attribute("linear_before_reset", 0):
        raise UnknownError("it has linear_before_reset = 0")
    said = [
        name.decode() if isinstance(name, bytes) else name
        for name in call.attribute("activations", USUAL[kind])
    ]
    each = said[: len(USUAL[kind])]
    both = each * (len(said) // len(each)) == said
    if kind == "RNN" and each == ["Relu"] and both:
        return "rnn_relu"
    if each != USUAL[kind] or not both:
        raise UnknownError(f"its activations are {', '.join(said)}")
    return CELLS[kind]


def _rows(kind: str, units: int) -> tuple[int, ...]:
    blocks = np.arange(len(GATES[kind]) * units).reshape(-1, units)
    return tuple(int(row) for row in blocks[list(GATES[kind])].reshape(-1))


def _matrices(call: Call, key: str, kind: str, units: int) -> list[str]:
    """W or R of each direction, its gates in our order."""
    if key not in call.model.parameters or len(call.readers[key]) > 1:
        raise UnknownError(f"its matrix {key!r} is no parameter of its own")
    array, rows = call.known[key], _rows(kind, units)
    if len(array) == 1:
        own = np.ascontiguousarray(array[0][list(rows)])
        call.model.parameters[key] = Parameter(key, own, None, rows, array.shape)
        return [key]
    return _in_parts(call, key, list(array), rows)


def _in_parts(call: Call, key: str, parts: list[np.ndarray], rows: tuple[int, ...]) -> list[str]:
    """An array as several parameters, key[0], key[1], …, the gates of each in our order."""
    del call.model.parameters[key]
    found = [f"{key}[{place}]" for place in range(len(parts))]
    for name, part in zip(found, parts, strict=True):
        own = np.ascontiguousarray(part[list(rows)])
        call.model.parameters[name] = Parameter(name, own, None, rows)
    return found


def _biases(call: Call, key: str, kind: str, units: int) -> list[list[str]]:
    """The bias of W and that of R of each direction, which stand in one row there."""
    if key not in call.model.parameters or len(call.readers[key]) > 1:
        raise UnknownError(f"its bias {key!r} is no parameter of its own")
    parts = [part for way in call.known[key] for part in np.split(way, 2)]
    found = _in_parts(call, key, parts, _rows(kind, units))
    return [found[place : place + 2] for place in range(0, len(found), 2)]


def _first_states(call: Call) -> list[str | None]:
    """The keys of the states that it begins with; None for zeros."""
    first = bool(call.attribute("layout", 0))
    tokens = call.shape_of(0)[1 if first else 0]
    lengths = call.constant(4)
    if lengths is not None and (lengths != tokens).any():
        raise UnknownError("its sequences have different lengths")
    if len(call.node.input) > 7 and call.node.input[7]:
        raise UnknownError("it has peepholes")
    found: list[str | None] = []
    for key in call.node.input[5:7]:
        known = np.asarray(call.known[key]) if key in call.fixed else None
        if known is not None and not known.any():
            key = ""
        elif first:
            raise UnknownError("it begins with states that are given, and has layout 1")
        found.append(key or None)
    return found


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
    for at, (letter, key) in enumerate(zip("qkv", call.reads[:3], strict=True)):
        n, tokens, width = call.shape_of(at)
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


SEQUENCES: dict[str, Rule] = {**dict.fromkeys(CELLS, recurrent), "Attention": attention}
