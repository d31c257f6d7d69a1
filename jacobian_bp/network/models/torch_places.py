"""aten functions that move, cut, join and reduce entries."""

from .model import Node
from .torch_call import Call, Rule

LONGEST = 2**62  # a stop beyond it is the end of an axis


def reshape(call: Call) -> list[Node]:
    return call.one("reshape", [call["self"]])


def transpose(call: Call) -> list[Node]:
    rank = call.rank_of()
    order = list(range(rank))
    if "dims" in call.given:
        order = [d % rank for d in call["dims"]]
    elif "dim0" in call.given:
        a, b = call["dim0"] % rank, call["dim1"] % rank
        order[a], order[b] = order[b], order[a]
    else:  # t, mT
        order[-2:] = order[-2:][::-1]
    return call.one("transpose", [call["self"]], order=tuple(order))


def part(call: Call) -> list[Node]:
    axis = call["dim"] % call.rank_of()
    stop = call["end"]
    stop = None if stop is None or stop > LONGEST else stop
    options = {"start": call["start"], "stop": stop, "step": call["step"]}
    return call.one("slice", [call["self"]], axis=axis, **options)


def select(call: Call) -> list[Node]:
    return call.one(
        "select", [call["self"]], axis=call["dim"] % call.rank_of(), index=call["index"]
    )


def narrow(call: Call) -> list[Node]:
    start = call["start"]
    return call.one(
        "slice", [call["self"]], axis=call["dim"], start=start, stop=start + call["length"]
    )


def split(call: Call) -> list[Node]:
    """Parts of an axis, one behind the other: as many nodes as there are parts."""
    axis = call["dim"] % call.rank_of()
    nodes, start = [], 0
    for place, value in enumerate(call.node.meta["val"]):
        stop = start + int(value.shape[axis])
        nodes.append(call.output(place, "slice", [call["self"]], axis=axis, start=start, stop=stop))
        start = stop
    return nodes


def unbind(call: Call) -> list[Node]:
    """Each index of an axis as a node."""
    axis = call["dim"] % call.rank_of()
    return [
        call.output(place, "select", [call["self"]], axis=axis, index=place)
        for place in range(len(call.node.meta["val"]))
    ]


def broadcast(call: Call) -> list[Node]:
    """Values as large as each other; one that is smaller is left to what reads it."""
    return [call.output(place, "same", [key]) for place, key in enumerate(call["tensors"])]


def concat(call: Call) -> list[Node]:
    return call.one("concat", call["tensors"], axis=call["dim"] % len(call.shape))


def stack(call: Call) -> list[Node]:
    return call.one("stack", call["tensors"], axis=call["dim"] % len(call.shape))


def reduction(kind: str) -> Rule:
    """A mean or a sum over axes, all of them without dim."""

    def rule(call: Call) -> list[Node]:
        dims = call.given.get("dim")
        axes = tuple(d % call.rank_of() for d in (dims or ()))
        return call.one(kind, [call["self"]], axes=axes, keep=bool(call.given.get("keepdim")))

    return rule


def softmax(log: bool) -> Rule:
    """Softmax along dim, or its logarithm."""
    return lambda call: call.one(
        "softmax", [call["self"]], axis=call["dim"] % call.rank_of(), log=log
    )
