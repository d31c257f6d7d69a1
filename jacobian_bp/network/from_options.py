"""From the options of a command to a run: the network, and the data that it runs on."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..derivation.ready_made import ReadyMade
from ..errors import SpecError
from ..numbers.memory import parse_bytes, require_memory
from ..ops.labels import CLASSES
from ..ops.names import LOSSES, label_kind, last_activation
from ..writing.signs import plural, safe
from . import reference_network as reference
from .drawn_from_seed import draw_data
from .facts import NetworkFacts
from .files.convention_file import convention_of
from .files.data_files import LIMIT
from .files.tables.switches import switch_of, table_asked_for
from .model_files import (
    drawn_for,
    is_model_file,
    loss_of,
    read_model,
    require_a_network,
    require_no_file,
    require_own_layers,
    rows_that_fit,
    widths_of,
    with_loss,
)
from .network import Network
from .run import Run
from .sizes import format_sizes, parse_sizes, with_widths

if TYPE_CHECKING:
    from .files.tables.read_table import TableData

LAST_FOR_LOSS = {loss: last for loss in LOSSES if (last := last_activation(loss))}
LOSS_FOR_LAST = {last: loss for loss, last in reversed(LAST_FOR_LOSS.items())}  # the first


@dataclass(frozen=True, eq=False)
class Case:
    """A run, what there is to say of its data, and what is known of its network."""

    run: Run
    remarks: tuple[str, ...]
    facts: NetworkFacts


def case_of(options: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser]) -> Case:
    """The network and the data that the options ask for; the reference case without any."""
    if options.network is not None and options.network.endswith(".toml"):
        return _case_from_file(options, parser)
    require_a_network(options.network)
    if is_model_file(options.network):
        return _case_from_model(options, parser)
    convention = convention_of(options.convention or "flat")
    if options.network is None and convention.sizes and convention.name != "second_seed":
        options.network = format_sizes(convention.sizes)
        if convention.examples and options.batch is None and options.data is None:
            options.batch = str(convention.examples)
    if options.network is None:
        given = options_given(options, parser, "convention", "all")
        if given:
            raise SpecError(
                f"the network is missing: --{given[0].replace('_', '-')} goes with one.\n"
                "  Write its sizes, such as 4-5-3."
            )
        net = reference.second_seed()
        return Case(net.run(reference.X, reference.Y), (), net.facts)
    require_no_file(options.network)
    _require_effect(options)
    table = None if options.data is None else table_asked_for(options)
    sizes, activations, loss, remarks = _layers(options, convention, table)
    net = Network.dense(
        sizes,
        activations,
        loss,
        reduction=options.reduction,
        seed=options.seed,
        squash_input=options.squash_input or convention.squash_input,
    )
    remarks.append(f"weights drawn with seed {options.seed}")
    if table is None:
        x, y = _drawn(sizes, loss, options.seed, options.batch)
        remarks.append(_said_of_drawn(x, options.seed))
    else:
        x, y, said = _examples_of(table, sizes, loss, options)
        remarks = [*said, *remarks]
    if label_kind(loss) == CLASSES:
        line = convention.convention.examples
        remarks.append(f"y: class indices, given to the loss as one-hot {line}")
    return Case(net.run(x, y), tuple(remarks), net.facts)


def _case_from_file(
    options: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser]
) -> Case:
    """A network file says all but the notation; x and y are drawn where it has no data."""
    given = options_given(options, parser, "network", "convention", "all", "data_limit")
    if given:
        raise SpecError(
            f"--{given[0].replace('_', '-')} does not go with a network file.\n"
            f"  Write it into {safe(options.network)}."
        )
    net = Network.from_toml(options.network, _limit(options))
    facts = net.facts
    if facts.data:
        return Case(net.run(), facts.remarks, facts)
    if not facts.sizes:
        raise SpecError(
            f"{safe(options.network)} has a program, and no data to run it on.\n"
            f"  Add a table [data] with {', '.join(net._program.inputs)}."
        )
    x, y = _drawn(facts.sizes, facts.loss, facts.seed, options.batch)
    return Case(net.run(x, y), (*facts.remarks, _said_of_drawn(x, facts.seed)), facts)


def _case_from_model(
    options: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser]
) -> Case:
    """A model of another library, on rows of a table, or on rows that are drawn."""
    require_own_layers(options_given(options, parser))
    _require_effect(options)
    table = None if options.data is None else table_asked_for(options)
    net = read_model(options.network)
    widths = widths_of(net, options.network)
    asked = None if table is None else table.loss(widths[1])
    numbered = asked is None and table is not None and options.loss is None
    if numbered and table is not None and widths[1] > 1 and _classes(table):
        asked = "cross_entropy"
    net = with_loss(net, options.loss, options.reduction, asked)
    loss = loss_of(net)
    remarks = [*net.facts.remarks, f"weights read from {safe(options.network)}"]
    if table is None:
        count = _count(options.batch, 5)
        x, y = drawn_for(net, loss, widths, options.seed, count)
        return Case(net.run(x, y), (*remarks, _said_of_drawn(x, options.seed)), net.facts)
    rows_that_fit(options, widths[0], len(table.features), table.source)
    x, y, said = _examples_of(table, list(widths), loss or "squared_error", options)
    return Case(net.run(x.astype(x.dtype), y), (*said, *remarks), net.facts)


def options_given(
    options: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser], *besides: str
) -> list[str]:
    """The options that are not as they are by default."""
    plain = vars(parser().parse_args([]))
    return [n for n, v in plain.items() if n not in besides and vars(options)[n] != v]


def _require_effect(options: argparse.Namespace) -> None:
    """An option that would change nothing is a mistake, and said."""
    if options.data is None:
        switch = switch_of(options)
        if switch:
            raise SpecError(f"{switch} goes with --data.\n  Name the file: --data FILE.csv.")
    elif options.batch is not None and options.example:
        raise SpecError("--example and --batch exclude each other.\n  Leave one of them out.")


def _layers(
    options: argparse.Namespace, convention: ReadyMade, data: "TableData | None"
) -> tuple[list[int], list[str], str, list[str]]:
    """Sizes, activations and loss, and in words which of them the data decided."""
    text: str = options.network
    remarks: list[str] = []
    if data is None:
        sizes = parse_sizes(text)
        return sizes, *_names(options, convention, len(sizes) - 1, None), remarks
    last = text.rpartition("-")[2]
    asked = data.loss(int(last) if last.isascii() and last.isdigit() and len(last) < 10 else None)
    activations, loss = _names(options, convention, text.count("-"), asked)
    filled = with_widths(text, len(data.features), data.outputs(loss))
    sizes = parse_sizes(filled)
    if filled != text:
        remarks.append(f"widths {filled}: auto is what the data have")
    of_seed = convention.is_seed and convention.loss
    if asked and not (options.loss or options.activations or of_seed):
        classes = plural(len(data.classes), "class", "classes")
        remarks.append(f"{classes}, hence {activations[-1]} and {loss} (--activations, --loss)")
    elif label_kind(loss) != CLASSES and not asked and not _said(options) and _classes(data):
        name = safe(data.targets[0])
        remarks.append(f"{name}: whole numbers from 0, taken as numbers (--loss cross_entropy)")
    return sizes, activations, loss, remarks


def _said(options: argparse.Namespace) -> bool:
    """Whether the options say what the network ends in."""
    return bool(options.loss or options.activations)


def _classes(data: "TableData") -> bool:
    """Whether a target of numbers is 0, 1, 2, … each in several rows."""
    if data.y.ndim > 1:
        return False
    values, counts = np.unique(data.y, return_counts=True)
    return len(values) > 2 and np.array_equal(values, range(len(values))) and counts.min() > 2


def _names(
    options: argparse.Namespace, convention: ReadyMade, layers: int, asked: str | None
) -> tuple[list[str], str]:
    """Activations and loss; what is not given follows from the other, the convention, the data."""
    names = options.activations.split(",") if options.activations else []
    loss = options.loss or (LOSS_FOR_LAST.get(names[-1]) if names else None)
    if not convention.is_seed:  # the notation of a course goes with any network
        loss = loss or asked
    loss = loss or convention.loss or asked or "squared_error"
    if not names:
        last = LAST_FOR_LOSS.get(loss, convention.last or "identity")
        names = [convention.hidden or "relu"] * (layers - 1) + [last]
    elif len(names) == 1:
        names *= layers
    return names, loss


def _drawn(
    sizes: Sequence[int], loss: str | None, seed: int, batch: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """An example, or a batch, that fits into memory."""
    count = _count(batch, 5)
    shape = (sizes[0],) if count is None else (count, sizes[0])
    require_memory("x", shape, 8, "Ask for fewer examples: --batch.")
    return draw_data(sizes, loss, seed, count)


def _said_of_drawn(x: np.ndarray, seed: int) -> str:
    of = f"{plural(len(x), 'example')} of " if x.ndim > 1 else ""
    return f"{of}x and y drawn with seed {seed}"


def _examples_of(
    data: "TableData", sizes: list[int], loss: str, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """One example or a batch of the table, and what was done to it."""
    if len(data.features) != sizes[0]:
        hint = format_sizes([len(data.features), *sizes[1:]])
        raise SpecError(
            f"the network has {sizes[0]} inputs, {data.source} has "
            f"{len(data.features)} input columns.\n  Write {hint}."
        )
    y, said = data.labels(loss, sizes[-1])
    count = _count(options.batch, len(data.x))
    if count is None:
        row = options.example
        if not 0 <= row < len(data.x):
            raise SpecError(
                f"--example {row} is not there: {data.source} has rows 0 to {len(data.x) - 1}."
            )
        return data.x[row], y[row], [*said, f"one example: row {row}"]
    if count > len(data.x):
        raise SpecError(f"--batch {count}: {data.source} has {len(data.x)} rows.")
    return data.x[:count], y[:count], [*said, f"a batch: the first {count} rows"]


def _limit(options: argparse.Namespace) -> int:
    """The bytes that a data file may have."""
    return parse_bytes(options.data_limit, "--data-limit") if options.data_limit else LIMIT


def _count(batch: str | None, rows: int) -> int | None:
    """How many examples are asked for; None is one example without a batch axis."""
    if batch is None:
        return None
    if batch == "all":
        return rows
    if not (batch.isascii() and batch.isdigit() and len(batch) < 10 and int(batch) > 0):
        raise SpecError(f"--batch {batch!r} is neither a number from 1 up nor all.")
    return int(batch)
