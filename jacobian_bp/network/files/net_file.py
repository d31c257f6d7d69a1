"""A network in a TOML file: layers, loss, weights and data, read strictly.

    [network]   sizes, activations, loss; reduction, penalty, seed, convention, squash_input
    [weights]   W1, b1, W2, b2, …, or file
    [data]      x and y, or file, target and example or batch
    [convention]  how its derivation is written, in place of the key

Names are looked up in fixed tables, and nothing in the file is run. Only files
in the folder of the TOML file are read.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...derivation.ready_made import NAMES, ReadyMade
from ...numbers.memory import current_limit, format_bytes
from ...ops import CrossEntropy, MeanOverOutputs
from ...ops.names import ACTIVATIONS, LOSSES, PENALTIES, REDUCTIONS, fitting, last_activation
from ...writing.signs import plural, safe
from ..penalised import PLAIN
from ..sizes import AUTO, format_sizes
from . import convention_file
from .data_files import LIMIT
from .net_data import NOTHING, read_data, read_data_file
from .net_program import TABLE as PROGRAM
from .net_program import ProgramSpec, read_program_tables
from .net_weights import read_params
from .paths import write_new
from .tables.read_table import TableData
from .toml_text import Problems, Section, read_toml, shown

TABLES = ("network", "weights", "data")
KNOWN = (*TABLES, convention_file.TABLE)
REQUIRED = ("sizes", "activations", "loss")
KEYS = (*REQUIRED, "reduction", "penalty", "seed", "convention", "squash_input")
MOST_LAYERS = 10_000
WIDEST = 10**9 - 1
LARGEST_RATE = 1e300  # of a penalty; nan and inf are no rates
PENALTY = "Write rates from 0 up, such as { W1 = 0.01 } or { W1 = { l1 = 0.01 } }."


@dataclass(frozen=True, eq=False)
class NetSpec:
    """What a network file says; `remarks` tells in words where weights and data come from."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]  # one a layer
    loss: str
    loss_option: float | None = None  # the number beside it, as in { huber = 0.5 }
    reduction: str = "mean"
    penalty: dict[str, dict[str, float]] = field(default_factory=dict)
    seed: int = 0
    convention: str | ReadyMade | None = None  # None: the file does not say
    squash_input: bool | str = False
    params: dict[str, np.ndarray] | None = None  # None: to be drawn with `seed`
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    remarks: tuple[str, ...] = field(default=())


def read_net_file(path: str | Path, data_limit: int = LIMIT) -> NetSpec | ProgramSpec:
    """Read a network from a TOML file, or raise SpecError with everything that is wrong in it.

    With a table [program] it is any graph of ops, otherwise one layer after another.

    Each problem has its line and key, and names the nearest valid word. Nothing
    outside the file's own folder is read, and nothing large is built before the
    file has been found right.
    """
    path = Path(path)
    tables, problems = read_toml(path)
    if PROGRAM in tables:
        return read_program_tables(problems, tables, path.parent)
    network, weights, data = (_section(problems, tables, name) for name in TABLES)
    for name, value in tables.items():
        if name not in KNOWN:
            guess = problems.guess(name, [t for t in KNOWN if t not in tables])
            kind = "table" if isinstance(value, dict) else "key"
            told = (
                "Write [network], [weights], [data] and [convention]"
                f"{', and keys under them' * (kind == 'key')}."
            )
            problems.wrong((name, ""), safe(name[:60]), f"the {kind} is not known{guess}", told)
    folder = path.parent
    table = read_data_file(data, folder, data_limit) if data else None
    if network is None:
        if "network" not in tables:
            told = f"Write [network] with {', '.join(REQUIRED)}, or [program] with lines."
            problems.wrong(("", ""), "network", "the table is missing", told)
        facts: dict[str, Any] = {}
    else:
        facts = _network(network, table, data is not None and "file" in data.values)
    sizes = facts.get("sizes") or ()
    said = facts.pop("remarks", [])
    if convention_file.TABLE in tables:
        facts["convention"] = convention_file.read_table(problems, tables)
    params, origin = None, f"weights drawn with seed {facts.get('seed', 0)}"
    if weights is not None:
        params, origin = read_params(weights, sizes, folder)
    x, y, remarks = read_data(data, sizes, facts.get("loss"), table) if data else NOTHING
    problems.done()
    return NetSpec(**facts, params=params, x=x, y=y, remarks=(*remarks, *said, origin))


def write_example(path: str | Path) -> None:
    """Write the commented EXAMPLE to a new file; SpecError if there is one already."""
    write_new(Path(path), EXAMPLE)


def _section(problems: Problems, tables: dict[str, Any], name: str) -> Section | None:
    value = tables.get(name)
    if value is None or isinstance(value, dict):
        return None if value is None else Section(problems, name, value)
    problems.wrong(
        (name, ""), name, f"{shown(value)} is not a table", f"Write [{name}] on a line of its own."
    )
    return None


def _network(section: Section, table: TableData | None, of_file: bool) -> dict[str, Any]:
    """The facts of the network; what is wrong is noted and left out.

    A table of classes says what loss and last activation are left out.
    """
    values = section.values
    left_out = of_file and "loss" not in values and "activations" not in values
    classes = left_out and (table is None or bool(table.classes))
    section.only(KEYS, ("sizes",) if classes else REQUIRED)
    facts: dict[str, Any] = {}
    if isinstance(values.get("loss"), dict):
        facts["loss"], facts["loss_option"] = _loss_and_option(section, values["loss"])
        values = {key: value for key, value in values.items() if key != "loss"}
    for key, names in (
        ("loss", LOSSES),
        ("reduction", REDUCTIONS),
        ("convention", NAMES),
    ):
        if key in values:
            facts[key] = section.choice(key, values[key], names)
    if classes and table is not None:
        facts |= _of_classes(values.get("sizes"), table)
    if "sizes" in values:
        widths = _with_widths(section, values["sizes"], facts, table, of_file)
        facts["sizes"] = None if widths is None else _sizes(section, widths)
    if "activations" in values:
        facts["activations"] = _activations(section, values["activations"], facts.get("sizes"))
    if "penalty" in values:
        facts["penalty"] = _penalty(section, values["penalty"], facts.get("sizes"))
    if "seed" in values:
        facts["seed"] = section.whole("seed", values["seed"], 0, 2**63 - 1)
    squash = values.get("squash_input", False)
    if not isinstance(squash, bool):
        squash = section.choice("squash_input", squash, ["true", "false", *ACTIVATIONS])
        if squash in ("true", "false"):
            section.wrong("squash_input", f"{squash!r} is text", f"Write {squash}, without quotes.")
    facts["squash_input"] = squash
    _require_probabilities(section, facts)
    loss = facts.get("loss") or ""
    if facts.get("reduction") == MeanOverOutputs.reduction and LOSSES.get(loss) is CrossEntropy:
        fact = f"{loss} has one term for each example, that of its class"
        section.wrong("reduction", fact, 'Write "mean", the mean over the examples.')
    return facts


def _of_classes(sizes: Any, table: TableData) -> dict[str, Any]:
    """The loss that the classes ask for, and layers that end as it asks."""
    last = sizes[-1] if isinstance(sizes, list) and sizes else None
    loss = table.loss(last if type(last) is int else None)
    assert loss is not None
    layers = len(sizes) - 1 if isinstance(sizes, list) else 1
    activations = ("relu",) * (layers - 1) + (last_activation(loss) or "identity",)
    said = f"{plural(len(table.classes), 'class', 'classes')}, hence {activations[-1]} and {loss}"
    return {"loss": loss, "activations": activations, "remarks": [f"{said} (activations, loss)"]}


def _with_widths(
    section: Section, value: Any, facts: dict[str, Any], table: TableData | None, of_file: bool
) -> Any:
    """The sizes with those of the data in place of "auto"; None where the data have none."""
    if not isinstance(value, list) or len(value) < 2 or AUTO not in (value[0], value[-1]):
        return value
    if table is None:
        if not of_file:
            told = "Write its number, or [data] with a file."
            section.wrong("sizes", f"{AUTO!r} is a width that a data file has", told)
        return None
    filled = list(value)
    if value[0] == AUTO:
        filled[0] = len(table.features)
    if value[-1] == AUTO:
        filled[-1] = table.outputs(facts.get("loss"))
    said = f"widths {format_sizes(filled)}: {AUTO} is what the data have"
    facts["remarks"] = [said, *facts.get("remarks", [])]
    return filled


def _sizes(section: Section, value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_LAYERS + 1:
        told = f"Write the input width and those of 1 to {MOST_LAYERS:,} layers, as [3, 4, 2, 1]."
        fact = f"{shown(value)} is not a list of widths"
        if isinstance(value, list):
            do = "does" if len(value) == 1 else "do"
            fact = f"{plural(len(value), 'width')} {do} not make a network"
        section.wrong("sizes", fact, told)
        return None
    found = [section.whole("sizes", w, 1, WIDEST, f"[{i}]") for i, w in enumerate(value)]
    sizes = tuple(width for width in found if width is not None)
    if len(sizes) < len(found):
        return None
    needed = 8 * sum(outputs * (inputs + 1) for inputs, outputs in pairwise(sizes))
    limit = current_limit()
    if needed > limit:
        section.wrong(
            "sizes",
            f"the weights would have {format_bytes(needed)}; the limit is {format_bytes(limit)}",
            "Write narrower layers.",
        )
        return None
    return sizes


def _activations(
    section: Section, value: Any, sizes: tuple[int, ...] | None
) -> tuple[str, ...] | None:
    if isinstance(value, str):
        name = section.choice("activations", value, ACTIVATIONS)
        return (name,) * (len(sizes or ()) - 1) if name else None
    if not isinstance(value, list):
        section.wrong(
            "activations",
            f"{shown(value)} is neither a name nor a list of names",
            'Write one name for all layers, or one a layer, such as ["relu", "sigmoid"].',
        )
        return None
    found = [
        section.choice("activations", name, ACTIVATIONS, f"[{i}]") for i, name in enumerate(value)
    ]
    if sizes and len(value) != len(sizes) - 1:
        section.wrong(
            "activations",
            f"{plural(len(value), 'name')} for {plural(len(sizes) - 1, 'layer')}",
            "Write one name for all layers, or one a layer; the input is not a layer.",
        )
    names = tuple(name for name in found if name)
    return names if len(names) == len(value) else None


def _loss_and_option(section: Section, value: dict[str, Any]) -> tuple[str | None, float | None]:
    """A loss with the number beside it, or a note of what it should be."""
    for name, number in value.items():
        if len(value) == 1 and name in LOSSES and LOSSES[name].loss_option:
            if type(number) in (int, float) and 0 < number <= LARGEST_RATE:
                return name, float(number)
            fact = f"{shown(number)} is not a number above 0"
            section.wrong("loss", fact, "Write it such as { huber = 0.5 }.", f".{name}")
            return None, None
    fact = "a table is no loss of this form"
    section.wrong("loss", fact, "Write a name, or { huber = 0.5 } for its δ.")
    return None, None


def _penalty(
    section: Section, value: Any, sizes: tuple[int, ...] | None
) -> dict[str, dict[str, float]]:
    """The rate of each kind of penalty on each parameter; what is wrong is noted and left out."""
    if not isinstance(value, dict):
        section.wrong("penalty", f"{shown(value)} is not a table", PENALTY)
        return {}
    layers = range(1, len(sizes or ()))
    params = [f"{letter}{layer}" for layer in layers for letter in "Wb"]
    found: dict[str, dict[str, float]] = {}
    for name, said in value.items():
        if params and name not in params:
            listed = params if len(params) <= 12 else [*params[:4], "…", *params[-2:]]
            told = f"Write one of {', '.join(listed)}."
            section.wrong("penalty", f"{shown(name)} is no parameter", told)
            continue
        place = f".{safe(name[:60])}"
        for kind, rate in (said if isinstance(said, dict) else {PLAIN: said}).items():
            if section.choice("penalty", kind, PENALTIES, place) is None:
                continue
            if type(rate) not in (int, float) or not 0 <= rate <= LARGEST_RATE:
                within = f".{kind}" if isinstance(said, dict) else ""
                section.wrong("penalty", f"{shown(rate)} is not a rate", PENALTY, place + within)
                continue
            found.setdefault(name, {})[kind] = float(rate)
    return found


def _require_probabilities(section: Section, facts: dict[str, Any]) -> None:
    """Note a loss that compares probabilities behind an activation that gives none."""
    allowed = fitting(facts.get("loss"))
    names = section.values.get("activations")
    last = names[-1] if isinstance(names, list) and names else names
    if allowed and isinstance(last, str) and last in ACTIVATIONS and last not in allowed:
        section.wrong(
            "loss",
            f"{facts['loss']!r} compares probabilities; the last activation is {last!r}",
            f"Make the last activation {' or '.join(map(repr, allowed))}.",
        )


EXAMPLE = """\
# A network for jacobian-bp, and what to derive it on:  jacobian-bp derive net.toml
# This one is the 3-4-2-1 classifier of the second seed, with numbers for which one unit is off.

[network]
sizes = [3, 4, 2, 1]                       # the input first, then each layer
activations = ["relu", "relu", "sigmoid"]  # one a layer, or one name for all of them:
# identity, sigmoid, tanh, relu, leaky_relu, softplus, elu, silu, gelu, softmax
loss = "bce"                               # behind a sigmoid; or one of:
# squared_error, half_squared_error, hinge, huber or { huber = 0.5 } for its δ;
# cross_entropy, kl_divergence (behind a softmax)

# These may be left out:
# reduction = "mean"         # over a batch: mean or sum; or mean_over_entries, outputs too
# penalty = { W1 = 0.01 }    # adds 0.01 Σ W1² to the cost, which is { W1 = { l2 = 0.01 } };
#                            # or half_l2, ½ λ Σ W1², or l1, λ Σ |W1|
# seed = 0                   # of the weights that are drawn where [weights] is left out
# convention = "flat"        # numerator, transposed, flat, flat_column, gradient;
#                            # or first_seed, second_seed, third_seed; ng, nielsen, cs231n;
#                            # or your own, in the table [convention] at the end
# squash_input = true        # a0 = sigmoid(x), as in the first seed

[weights]                    # W has a row for each output, b a number; or, instead:
# file = "w.npz"             # beside this file; .safetensors and PyTorch's names do as well
W1 = [
    [0.2, -0.4, 0.1],
    [0.5, 0.3, -0.2],
    [-0.3, -0.6, 0.4],
    [0.1, -0.2, -0.5],
]
b1 = [0.1, -0.1, -0.15, 0.05]
W2 = [
    [0.3, -0.5, 0.2, 0.7],
    [-0.6, 0.4, 0.9, 0.1],
]
b2 = [0.05, 0.1]
W3 = [[0.8, -1.1]]
b3 = [0.1]

[data]                       # one example, or a list of rows for a batch; or, instead:
# file = "x.csv"             # beside this file; or iris, breast_cancer, diabetes
# target = "column"          # what is predicted: a name, a number from 1, -1 for the last
# missing = "drop"           # or mean, class; header, delimiter, columns, … as on the command line
# example = 0                # one row, counted from 0; or batch = 16; or batch = "all"
# raw = true                 # do not standardise the columns
x = [1.0, -2.0, 0.5]
y = [1.0]

# [convention]               # how the derivation is printed; what stands above stays as it is
# examples = "columns"       # or "rows"
# weights = "in,out"         # W (inputs, outputs); or "out,in"
# mean = "gradient"          # the 1/m of a mean cost is in the gradients; or "delta"
# bias = "own"               # or "first", "last": that column of W
# first = 1                  # the number of the first layer with weights: 0, 1, 2
# layout = "gradient"        # of printed Jacobians
# names = { "Theta{l}" = "W", "delta{l}" = "delta" }    # yours = ours, {l} the layer
"""
