"""A seed's notation as a whole: symbols, layer numbers, layout, and the network it has in mind.

    package        x    W1     z1     a1     δ1    J
    first seed     z^1  W^2    z^2    a^2    δ^2   C    rows, transposed, input squashed
    second seed    x    W[1]   z[1]   a[1]   δ[1]  J    flat Jacobians
    third seed     a^(1) Θ^(1) z^(2)  a^(2)  δ^(2) J    columns, ½, linear output

A seed is one of three texts that derive backpropagation by hand; each convention
of a seed names its text.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..algebra.layouts import LAYOUTS
from ..errors import SpecError
from ..writing.signs import did_you_mean


@dataclass(frozen=True)
class Convention:
    """A layout, and for a seed's convention its names and its kind of network."""

    name: str
    layout: str
    about: str = ""
    source: str = ""  # the seed's text: author and title
    hidden: str = ""
    last: str = ""
    loss: str = ""
    squash_input: bool = False
    sizes: tuple[int, ...] = ()

    @property
    def is_seed(self) -> bool:
        return bool(self.about)

    def names(self, layers: int) -> dict[str, str]:
        """How each symbol of a layered network is written; nothing for a plain layout."""
        found = dict(_FIXED.get(self.name, {}))
        for layer in range(layers + 1):
            for symbol in ("W", "b", "z", "a", "δ"):
                rule = _NUMBERED.get(self.name)
                if rule:
                    found[f"{symbol}{layer}"] = rule(symbol, layer)
        return found


def find_convention(name: str) -> Convention:
    """A layout or a seed by name, or SpecError with the nearest name.

    >>> find_convention("first_seed").names(1)["W1"], find_convention("third_seed").layout
    ('W^2', 'gradient')
    """
    for convention in CONVENTIONS:
        if convention.name == name:
            return convention
    names = [convention.name for convention in CONVENTIONS]
    asked = "gradient" if name == "denominator" else name  # as textbooks call that layout
    guess = did_you_mean(asked, names, "'")
    raise SpecError(f"convention {name!r} is not known.{guess}\n  Write one of {', '.join(names)}.")


def _first(symbol: str, layer: int) -> str:
    return f"{symbol}^{layer + 1}"


def _second(symbol: str, layer: int) -> str:
    return f"{symbol}[{layer}]"


def _third(symbol: str, layer: int) -> str:
    return f"Θ^({layer})" if symbol == "W" else f"{symbol}^({layer + 1})"


_NUMBERED: dict[str, Callable[[str, int], str]] = {
    "first_seed": _first,
    "second_seed": _second,
    "third_seed": _third,
}
_FIXED = {
    "first_seed": {"x": "z^1", "y": "λ", "J": "C", "relu'": "σ'", "tanh'": "σ'"},
    "second_seed": {"relu'": "g'"},
    "third_seed": {"x": "a^(1)", "relu'": "φ'", "tanh'": "φ'", "σ'": "φ'"},
}
CONVENTIONS = (
    *(Convention(layout, layout) for layout in LAYOUTS),
    Convention(
        "first_seed",
        "transposed",
        "the first seed: layer 1 is the input, derivatives of the cost are rows",
        'Carolyn Johnston, "How I think about the neural network backpropagation algorithm", 2020',
        hidden="sigmoid",
        last="sigmoid",
        loss="squared_error",
        squash_input=True,
        sizes=(3, 4, 2),
    ),
    Convention(
        "second_seed",
        "flat",
        "the second seed: layer 1 is the first hidden one, Jacobians are flat",
        'the blog post "The Math behind Neural Networks - Backpropagation"',
        hidden="relu",
        last="sigmoid",
        loss="bce",
        sizes=(3, 4, 2, 1),
    ),
    Convention(
        "third_seed",
        "gradient",
        "the third seed: layer 1 is the input, Θ^(l) leads away from layer l",
        "a question by frad on deriving the equations, and the answer by greg, with differentials",
        hidden="tanh",
        last="identity",
        loss="half_squared_error",
        sizes=(3, 5, 2),
    ),
)
