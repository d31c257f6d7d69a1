"""What names mean within a call: dw of a layer's backward is ∂J/∂ whatever its w is there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..lines.vocabulary import GRADIENT, OF_GRADIENTS, Quantity, words
from .classes import BACK, FORWARD, OF_A_LAYER, Class
from .quantities import Quantities
from .trace import near

WEIGHT = words("w weight weights theta kernel")
BIAS = words("b bias biases")
BEFORE = words(
    "x input inputs a_prev aprev prev_a h_prev x_in a_in inp last_input input_data layer_input "
    "prev a_in_prev"
)
LINEAR_PART = words("z pre_activation preactivation linear_output zcurr z_curr")
BEHIND = words("out output outputs a y s activation activated h act")
UPSTREAM = words(
    "dout d_out dy dz da grad grads delta dvalues output_gradient grad_output upstream dl_dout "
    "upstream_grad output_error gradient d error dnext grad_out output_grad dh d_output dl_dz err "
    "dl_da up loss_gradient"
)


@dataclass(eq=False)
class Instance:
    """An object of a class of the text; `layer` is the number of its weights, where it has some."""

    cls: Class
    number: int
    layer: int | None = None

    def path(self, name: str) -> str:
        """Where an attribute is stored, whoever reads it."""
        return f"#{self.number}.{name}"


@dataclass
class Scope:
    """One call: of what, from which lines, on which object, with which derivative handed in."""

    number: int = 0
    function: str = ""
    calls: tuple[int, ...] = ()
    instance: Instance | None = None
    upstream: Quantity | None = None
    layer: int | None = None
    of_activation: bool = False
    of_network: bool = True  # its names are those of the whole network
    calls_others: bool = False


def spoken_of(word: str) -> str | None:
    """The name whose derivative a name says: w of dw, of grad_w, of w_gradient.

    >>> [spoken_of(word) for word in ("dW", "input_gradient", "mask")]
    ['w', 'input', None]
    """
    low = word.lower().strip("_")
    before = re.fullmatch(GRADIENT + r"(\w+)", low)
    behind = re.fullmatch(r"(\w+?)_?(?:gradients?|grads?|delta|error)", low)
    found = behind or before
    return found[1].strip("_") if found else None


def last_name(path: str) -> str:
    """W of self.W, dW of self.grads['dW']."""
    keyed = re.fullmatch(r".*\['(\w+)'\]", path)
    return keyed[1] if keyed else path.split(".")[-1]


def value_that_it_is(value: Any, quantities: Quantities) -> Quantity | None:
    """The value of the network that an array is, as it is."""
    for quantity in quantities.named(value):
        if quantity.kind == "value":
            return quantity
    for match in quantities.matches(value):
        if match.quantity.kind == "value" and not match.turned and near(match.factor, 1):
            return match.quantity
    return None


def derivative_that_it_is(value: Any, quantities: Quantities) -> Quantity | None:
    """∂J/∂z or ∂J/∂a of a layer that an array is a multiple of: what a layer is handed."""
    of_layer = [
        m.quantity
        for m in quantities.matches(value)
        if not m.turned
        and m.quantity.kind == "gradient"
        and re.fullmatch(r"[za]\d+", m.quantity.of)
    ]
    return of_layer[0] if of_layer else None


def _key_of_gradients(path: str) -> str | None:
    """w of self.grads['W']."""
    keyed = re.fullmatch(r"(.*)\['(\w+)'\]", path)
    return keyed[2].lower() if keyed and OF_GRADIENTS.search(keyed[1]) else None


def local_goal(
    path: str, scope: Scope, stored: Mapping[str, Any], quantities: Quantities
) -> Quantity | None:
    """The derivative that the name of a store within a call says."""
    inner = spoken_of(last_name(path)) or _key_of_gradients(path)
    if inner is None:
        return None
    lead = scope.instance.path("") if scope.instance else "self."
    for other, value in stored.items():
        if other[0] == "#" and not other.startswith(lead):
            continue  # of another object
        if last_name(other).lower().strip("_") == inner and value is not None:
            found = value_that_it_is(value, quantities)
            if found:
                return _known(Quantity("gradient", found.of), quantities)
    if scope.layer and inner in WEIGHT | BIAS:
        kind = "W" if inner in WEIGHT else "b"
        return _known(Quantity("gradient", f"{kind}{scope.layer}"), quantities)
    if inner in BEFORE and scope.upstream:
        return handed_back(scope, quantities)
    return None


def handed_back(scope: Scope, quantities: Quantities) -> Quantity | None:
    """What a layer's backward gives: ∂J/∂a of the layer before, of an activation ∂J/∂z."""
    if scope.upstream is None or scope.layer is None:
        return None
    if scope.of_activation:
        return _known(Quantity("gradient", f"z{scope.layer}"), quantities)
    before = "x" if scope.layer == 1 else f"a{scope.layer - 1}"
    return _known(Quantity("gradient", before), quantities)


def goal_of_return(scope: Scope, quantities: Quantities) -> Quantity | None:
    """What a layer's forward or backward returns, where it calls no other function of the text."""
    if scope.calls_others or scope.of_network or scope.layer is None:
        return None
    back = OF_A_LAYER.search(scope.function) and "forward" not in scope.function.lower()
    if BACK.fullmatch(scope.function) or back:
        return handed_back(scope, quantities)
    if FORWARD.fullmatch(scope.function) or re.search("forward", scope.function):
        kind = "a" if scope.of_activation else "z"
        return _known(Quantity("value", f"{kind}{scope.layer}"), quantities)
    return None


def _known(quantity: Quantity, quantities: Quantities) -> Quantity | None:
    return quantity if quantity in quantities.known else None


def value_of_layer(word: str, scope: Scope, quantities: Quantities) -> Any:
    """What a name stands for that a layer's function only reads; None where nothing tells."""
    low, n = word.lower().strip("_"), scope.layer
    if n is None or scope.of_network:
        return None
    if low in WEIGHT:
        return quantities.value(f"W{n}")
    if low in BIAS and quantities.bias == "own":
        return quantities.value(f"b{n}")
    if low in LINEAR_PART or (scope.of_activation and low in BEFORE | {"cache"}):
        return quantities.value(f"z{n}")
    if low in BEFORE:
        return quantities.value("x" if n == 1 else f"a{n - 1}")
    if low in BEHIND and scope.of_activation:
        return quantities.value(f"a{n}")
    return None
