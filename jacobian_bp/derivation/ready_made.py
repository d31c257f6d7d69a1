"""Ready-made conventions: the five layouts, the three seeds, and those of well-known courses.

    package        x    W1     z1     a1     δ1    J
    first_seed     z^1  W^2    z^2    a^2    δ^2   C    transposed, input squashed
    second_seed    x    W[1]   z[1]   a[1]   δ[1]  J    flat Jacobians
    third_seed     a^(1) Θ^(1) z^(2)  a^(2)  δ^(2) J    ½, linear output
    ng             X    W1     Z1     A1     dZ1   J    columns, 1/m in the gradients
    nielsen        x    w^2    z^2    a^2    δ^2   C    columns, the input is layer 1
    cs231n         X    W1     z1     a1     dz1   J    rows, W (inputs, outputs)

A seed is one of three texts that derive backpropagation by hand; each of these
names the text that it follows.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..algebra.layouts import LAYOUTS
from ..errors import SpecError
from ..writing.signs import did_you_mean, safe
from .convention import Convention

_SLOPE = re.compile(r"(?<![\w'])([^\W\d]\w*')\(")  # relu' of relu'(z1)
SYMBOLS = {"W": "W", "b": "b", "z": "z", "a": "a", "δ": "delta"}  # as printed, as a convention says


@dataclass(frozen=True)
class ReadyMade:
    """A convention; of a text also what it is, its network, and words that follow no rule."""

    convention: Convention
    name: str = ""
    about: str = ""
    source: str = ""  # the text: author and title
    hidden: str = ""
    last: str = ""
    loss: str = ""
    squash_input: bool = False
    sizes: tuple[int, ...] = ()
    examples: int | None = None  # drawn where nothing is asked for; None: one, without a batch
    words: Mapping[str, str] = field(default_factory=dict, hash=False)  # x, or a slope: relu'
    of_last_layer: Mapping[str, str] = field(default_factory=dict, hash=False)  # z: scores
    in_code: Mapping[str, str] = field(default_factory=dict, hash=False)  # of its programs
    is_seed: bool = False

    @property
    def layout(self) -> str:
        """The layout of printed Jacobians."""
        return self.convention.layout

    def names(
        self, layers: int, last: int | None = None, values: Container[str] = ("x", "y", "J")
    ) -> dict[str, str]:
        """How each symbol of a layered network is written, where it is not as the package does.

        `layers` is how far the numbers go; `last` is the number of the last layer. Names without
        a number are those of `values`: no other word of a text is one.
        """
        said = reversed(list(self.convention.names.items()))
        found = {meant: name for name, meant in said if "{" not in name and meant in values}
        for layer in range(layers + 1):
            for sign, symbol in SYMBOLS.items():
                found[f"{sign}{layer}"] = self._numbered(sign, symbol, layer)
        found |= self.words
        if last:
            found |= {f"{sign}{last}": name for sign, name in self.of_last_layer.items()}
        return {ours: name for ours, name in found.items() if ours != name}

    def _numbered(self, sign: str, symbol: str, layer: int) -> str:
        meant = self.convention.names.values()
        if sign == symbol or symbol in meant or f"{symbol}{layer}" in meant:
            return self.convention.name(f"{symbol}{layer}")
        return f"{sign}{layer + self.convention.first - 1}"

    def gradient_names(self, params: Iterable[str]) -> dict[str, str]:
        """How the gradient by a parameter is written, where it has a name of its own: dW2."""
        meant = set(self.convention.names.values())
        found = {}
        for param in params:
            symbol = re.sub(r"\d+$", "", param)
            if meant & {f"d{symbol}", f"d{param}"}:
                found[param] = self.convention.name(f"d{param}")
        return found

    def slope_names(self, formulas: Iterable[str]) -> dict[str, str]:
        """How the slope in these formulas is written, if they have one kind: sigmoid_prime."""
        kinds = {slope for text in formulas for slope in _SLOPE.findall(text)}
        has_name = "slope" in self.convention.names.values()
        return {kinds.pop(): self.convention.name("slope")} if has_name and len(kinds) == 1 else {}

    def heading(self, has_mean: bool = True) -> list[str]:
        """For the head of a derivation: whose notation it is, and the axes where they differ.

        Of a cost without a mean over examples, nothing is said of where a 1/m stands.
        """
        lines = []
        if self.about:
            lines += [f"notation of {self.about}", f"its text: {self.source}"]
        said = str(self.convention if has_mean else replace(self.convention, mean="delta"))
        return lines if self.is_seed or said == str(Convention()) else [*lines, f"written: {said}"]


def find_convention(given: "str | Convention | ReadyMade") -> ReadyMade:
    """A convention by the name of a ready-made one, or as an object; SpecError else.

    >>> find_convention("first_seed").names(1)["W1"], find_convention("third_seed").layout
    ('W^2', 'gradient')
    >>> find_convention("ng").names(2)["δ2"], str(find_convention("cs231n").convention)
    ('dZ2', 'examples in rows, W (inputs, outputs)')
    """
    if isinstance(given, ReadyMade):
        return given
    if isinstance(given, Convention):
        return ReadyMade(given)
    if not isinstance(given, str):
        raise SpecError(
            f"the convention is {safe(repr(given))[:60]}.\n"
            "  Write a name such as 'ng', the path of a TOML file, or a Convention."
        )
    for ready in READY_MADE:
        if ready.name == given:
            return ready
    asked = "gradient" if given == "denominator" else given  # as textbooks call that layout
    guess = did_you_mean(asked, NAMES, "'")
    raise SpecError(
        f"convention {safe(repr(given[:60]))} is not known.{guess}\n"
        f"  Write one of {', '.join(NAMES[: len(LAYOUTS)])},\n"
        f"  {', '.join(NAMES[len(LAYOUTS) :])};\n"
        "  or the name of a TOML file with a table [convention]."
    )


def as_typed(names: Mapping[str, str], signs: bool = False) -> dict[str, str]:
    """What names mean that a reader types: as they are printed, and without signs: w2 for w^2.

    With `signs` they are typed as printed only.

    >>> as_typed({"W1": "w^2", "z1": "Z1"})
    {'w^2': 'W1', 'Z1': 'z1', 'w2': 'W1'}
    """
    printed = {name: ours for ours, name in names.items()}
    if signs:
        return printed
    plain = {re.sub(r"[][^(){}]", "", name): ours for name, ours in printed.items()}
    return printed | {name: ours for name, ours in plain.items() if name not in printed}


SEEDS = (
    ReadyMade(
        Convention(
            first=2,
            names={
                "W^{l}": "W",
                "b^{l}": "b",
                "z^{l}": "z",
                "a^{l}": "a",
                "δ^{l}": "delta",
                "λ": "y",
                "C": "J",
            },
            layout="transposed",
        ),
        "first_seed",
        "the first seed: layer 1 is the input, derivatives of the cost are rows",
        'Carolyn Johnston, "How I think about the neural network backpropagation algorithm", 2020',
        hidden="sigmoid",
        last="sigmoid",
        loss="squared_error",
        squash_input=True,
        sizes=(3, 4, 2),
        words={"x": "z^1", "relu'": "σ'", "tanh'": "σ'"},
        is_seed=True,
    ),
    ReadyMade(
        Convention(
            names={
                "W[{l}]": "W",
                "b[{l}]": "b",
                "z[{l}]": "z",
                "a[{l}]": "a",
                "δ[{l}]": "delta",
            },
        ),
        "second_seed",
        "the second seed: layer 1 is the first hidden one, Jacobians are flat",
        'the blog post "The Math behind Neural Networks - Backpropagation"',
        hidden="relu",
        last="sigmoid",
        loss="bce",
        sizes=(3, 4, 2, 1),
        words={"relu'": "g'"},
        is_seed=True,
    ),
    ReadyMade(
        Convention(
            first=2,
            names={
                "Θ^({l-1})": "W",
                "b^({l})": "b",
                "z^({l})": "z",
                "a^({l})": "a",
                "δ^({l})": "delta",
            },
            layout="gradient",
        ),
        "third_seed",
        "the third seed: layer 1 is the input, Θ^(l) leads away from layer l",
        "a question by frad on deriving the equations, and the answer by greg, with differentials",
        hidden="tanh",
        last="identity",
        loss="half_squared_error",
        sizes=(3, 5, 2),
        words={"x": "a^(1)", "relu'": "φ'", "tanh'": "φ'", "σ'": "φ'"},
        is_seed=True,
    ),
)
COURSES = (
    ReadyMade(
        Convention(
            examples="columns",
            mean="gradient",
            names={
                "X": "x",
                "Y": "y",
                "Z{l}": "z",
                "A{l}": "a",
                "dZ{l}": "delta",
                "dW{l}": "dW",
                "db{l}": "db",
            },
            layout="gradient",
        ),
        "ng",
        "Andrew Ng's courses: dZ is of each example, dW and db are the means",
        'Andrew Ng, "Neural Networks and Deep Learning", deeplearning.ai on Coursera, 2017',
        hidden="relu",
        last="sigmoid",
        loss="bce",
        sizes=(2, 3, 1),
        examples=5,
    ),
    ReadyMade(
        Convention(
            examples="columns",
            mean="gradient",
            first=2,
            names={
                "w^{l}": "W",
                "b^{l}": "b",
                "z^{l}": "z",
                "a^{l}": "a",
                "δ^{l}": "delta",
                "C": "J",
            },
            layout="gradient",
        ),
        "nielsen",
        "Michael Nielsen's book: layer 1 is the input, δ is of each example",
        'Michael Nielsen, "Neural Networks and Deep Learning", 2015, chapter 2',
        hidden="sigmoid",
        last="sigmoid",
        loss="half_squared_error",
        sizes=(2, 3, 1),
        examples=5,
        in_code={"nabla_w{l}": "dW", "nabla_b{l}": "db"},
    ),
    ReadyMade(
        Convention(
            weights="in,out",
            names={"X": "x", "dz{l}": "delta", "dW{l}": "dW", "db{l}": "db"},
            layout="numerator",
        ),
        "cs231n",
        "Stanford's CS231n: a derivative is d and the name, and has the 1/N in it",
        'CS231n, course notes, "Putting it together: Minimal Neural Network Case Study"',
        hidden="relu",
        last="softmax",
        loss="cross_entropy",
        sizes=(2, 4, 3),
        examples=5,
        of_last_layer={"z": "scores", "a": "probs", "δ": "dscores"},
    ),
)
READY_MADE = (
    *(ReadyMade(Convention(layout=layout), layout) for layout in LAYOUTS),
    *SEEDS,
    *COURSES,
)
NAMES = tuple(ready.name for ready in READY_MADE)
