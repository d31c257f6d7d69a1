"""Any plain table as inputs and targets: what was assumed is said, what is open is asked.

bytes → text → rows → names → kinds of columns → roles
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import DomainError
from ....ops.labels import BINARY, CLASSES, require_classes
from ....ops.names import label_kind
from ....writing.signs import number, plural, safe, type_of
from ..data_files import LIMIT
from .arrays import ARRAY_FILES, read_array_file
from .cells import MISSING
from .columns import judge_columns
from .dialect import require_few, split_rows
from .encoding import class_indices, said_of_classes, titled
from .frames import SOURCE, is_frame, named_columns
from .header import Named, name_columns
from .numeral_signs import in_plain_numerals
from .options import OF_TEXT, TableOptions, refuse, require_unsaid, some, table_options
from .places import places_of, unused_columns
from .roles import split_roles
from .text import find_file, read_text

MOST_CLASSES = 50  # that numbers are taken for


@dataclass(frozen=True, eq=False)
class TableData:
    """Inputs and targets of a table, and in words what was assumed and done.

    x (m, i); y (m,), or (m, k) for several targets. The y of a target of text are numbers of
    its `classes`, in their order; without such a target there are no classes.
    """

    source: str
    x: np.ndarray
    y: np.ndarray
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    remarks: tuple[str, ...]

    def loss(self, outputs: int | None = None) -> str | None:
        """The loss that classes ask for: cross_entropy, or bce for two classes and one output.

        None for numbers, of which none can be told.
        """
        if not self.classes:
            return None
        return "bce" if outputs == 1 and len(self.classes) == 2 else "cross_entropy"

    def outputs(self, loss: str | None) -> int:
        """How many outputs a network for these targets has."""
        if label_kind(loss) == CLASSES and len(self.targets) == 1 and self.y.ndim == 1:
            if self.classes:
                return len(self.classes)
            values = np.unique(self.y)
            whole = not _is_not_whole(values) and values.min() >= 0
            counted = whole and values.max() < len(values)
            return int(values.max()) + 1 if counted else len(values)
        return 1 if self.y.ndim == 1 else self.y.shape[1]

    def labels(self, loss: str | None, outputs: int) -> tuple[np.ndarray, tuple[str, ...]]:
        """The targets as a loss takes them, for a network of so many outputs; and the remarks.

        Numbers that are classes but not 0, 1, 2, … are numbered in their order. Raises
        SpecError where targets, loss and outputs do not fit together.
        """
        kind = label_kind(loss)
        if self.y.ndim > 1:
            _require_outputs(self, outputs, self.y.shape[1])
            return self.y.copy(), self.remarks
        if self.classes and kind in (BINARY, CLASSES):
            _require_two_classes(self)
        if kind == CLASSES:
            if self.classes:
                _require_outputs(self, outputs, len(self.classes))
                return self.y.copy(), self.remarks
            return _numbered(self, outputs)
        name = safe(self.targets[0])
        if self.classes and kind != BINARY:
            refuse(
                f"{self.source}: the target {name}",
                f" holds classes ({some(self.classes, 3)}), and {loss} compares numbers.",
                [
                    "classes: the loss cross_entropy, or bce for two classes and one output",
                    "numbers: another target",
                ],
                "Choose one of the two.",
            )
        if self.classes and len(self.classes) != 2:
            refuse(
                f"{self.source}: the target {name}",
                f" has {plural(len(self.classes), 'class', 'classes')}, and bce compares two.",
                (),
                f"Choose the loss cross_entropy, and {len(self.classes)} outputs.",
            )
        if outputs != 1:
            told = "For numbered classes write the loss cross_entropy (--loss cross_entropy); "
            told += "else let the sizes end in 1."
            refuse(f"the network has {outputs} outputs, and {name} is one number.", "", (), told)
        if kind == BINARY and not self.classes:
            return _two_numbers(self)
        return self.y.astype(np.float64)[:, None], self.remarks


def read_table(
    source: Any,
    target: str | int | Sequence[str | int] | None = None,
    *,
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    encoding: str | None = None,
    skip: int = 0,
    missing: str = "refuse",
    missing_token: str | Sequence[str] = (),
    category: str | int | Sequence[str | int] = (),
    drop: str | int | Sequence[str | int] = (),
    keep: str | int | Sequence[str | int] = (),
    columns: str | int | Sequence[str | int] = (),
    rows: str | None = None,
    raw: bool | None = None,
    data_limit: int = LIMIT,
) -> TableData:
    """Read a table as inputs x and targets y: a file, a shipped data set, or a data frame.

    `source` is the path of a text file, of an .npz or .npy file, the name of a data set of
    the package, or a frame of pandas or polars. `target` is a column by its name or its
    number from 1, -1 being the last, or several.

    >>> data = read_table("iris", target="species")
    >>> data.x.shape, data.y.shape, data.features[0]
    ((150, 4), (150,), 'sepal_length_cm')
    >>> print(*data.remarks, sep="\\n")
    iris.csv: 150 rows, 5 columns; line 1 is the header (header=False)
    4 number columns standardised to mean 0 and standard deviation 1 (raw=True)
    target column species as it is

    What is not said is found from the file: the header, the sign between columns, the decimal
    sign, which columns are numbers, classes, dates, row numbers. `remarks` says all of it.
    Columns of text become columns of 0 and 1; number columns are standardised unless `raw`.

    A file of more than `data_limit` bytes is refused before it is read.

    Raises SpecError for what is no table, cannot be decided, or has missing values while
    `missing` is "refuse"; MemoryLimitError for what is too large.
    """
    options = table_options(
        "python",
        header=header,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        encoding=encoding,
        skip=skip,
        missing=missing,
        missing_token=missing_token,
        category=category,
        drop=drop,
        keep=keep,
        columns=columns,
        rows=rows,
        raw=raw,
        data_limit=data_limit,
    )
    return table_of(source, _targets(target), options)


def table_of(source: Any, target: Sequence[str], options: TableOptions) -> TableData:
    """What `read_table` gives, the options being put together already."""
    if isinstance(source, str | os.PathLike):
        path = find_file(source)
        if path.suffix.lower() in ARRAY_FILES:
            return _of_arrays(path, target, options)
        return _of_file(path, target, options)
    if is_frame(source):
        require_unsaid(SOURCE, "values, no text", OF_TEXT, options)
        return _of_named(named_columns(source), target, options)
    refuse(
        f"a table cannot be read from {type_of(source)}.",
        "",
        (),
        "Give the path of a file, or a data frame; arrays go to net.run(x, y) as they are.",
    )


def _targets(target: Any) -> tuple[str, ...]:
    if target is None:
        return ()
    listed = [target] if isinstance(target, str | int) else target
    good = isinstance(listed, Sequence) and all(
        isinstance(each, str | int) and not isinstance(each, bool) for each in listed
    )
    if not good:
        refuse("", f"target is {safe(repr(target)[:40])}.", (), "Write a name, or a number from 1.")
    return tuple(map(str, listed))


def _tokens(options: TableOptions) -> set[str]:
    return MISSING | {token.lower() for token in options.missing_token}


def _of_file(path: Path, target: Sequence[str], options: TableOptions) -> TableData:
    source = safe(path.name)
    grid = split_rows(source, read_text(path, options), options)
    return _of_named(name_columns(grid, _tokens(options), options), target, options)


def _of_named(table: Named, target: Sequence[str], options: TableOptions) -> TableData:
    """The roles of columns that have names."""
    tokens = _tokens(options)
    if not target:
        told = "Its columns are"
        if all(table.unnamed):
            told = "They are numbered from 1; -1 is the last:"
        way = options.way("target")
        refuse(
            f"{way} is missing: which column of {table.source} is to be predicted?",
            "",
            (),
            f"{told} {some(table.names, 40)}.",
        )
    targets = places_of(table, target, options, "target")
    whole = len(table.lines)
    table, of_rows = _chosen_rows(table, options)
    forced = places_of(table, options.category, options, "category")
    unused = unused_columns(table, targets, options)
    table, of_signs = in_plain_numerals(table, tokens, options, {*forced, *unused})
    if table.unit == "line":
        require_few(table.source, len(table.names) - len(unused), options, " that are used")
    columns, of_numerals = judge_columns(table, tokens, options, forced, unused)
    parts = split_roles(table, columns, targets, tokens, options)
    head = f"{table.source}: {plural(whole, 'row')}, {plural(len(table.names), 'column')}"
    remarks = ("; ".join([head, *table.remarks, *of_rows, *of_signs, *of_numerals]), *parts.remarks)
    return TableData(
        table.source, parts.x, parts.y, parts.features, parts.targets, parts.classes, remarks
    )


def _chosen_rows(table: Named, options: TableOptions) -> tuple[Named, list[str]]:
    if options.rows is None:
        return table, []
    first, _, last = options.rows.partition("-")
    count = len(table.lines)
    begin, end = int(first), int(last) if last else count - 1
    if not begin <= end < count:
        fact = f" has rows 0 to {count - 1}; {options.rows} is not among them."
        refuse(table.source, fact, (), f"Say {options.way('rows', f'0-{count - 1}')} for all.")
    part = slice(begin, end + 1)
    chosen = replace(table, columns=[c[part] for c in table.columns], lines=table.lines[part])
    return chosen, [f"rows {begin} to {end} of these, counted from 0"]


def _of_arrays(path: Path, target: Sequence[str], options: TableOptions) -> TableData:
    """The pair of arrays of an .npz file; or a table of numbers, in an .npy file."""
    found = read_array_file(path, target, options)
    if isinstance(found, Named):
        return _of_named(found, target, options)
    features = tuple(f"{found.input_name}[{i}]" for i in range(found.x.shape[1]))
    targets = (found.target_name,)
    x, y, remarks = found.x, found.y, list(found.remarks)
    if options.rows is not None:
        count = len(x)
        rows = Named(safe(path.name), [], [], [], [*range(count)], [])
        chosen, said = _chosen_rows(rows, options)
        x, y = x[chosen.lines].copy(), y[chosen.lines].copy()
        remarks += said
    return TableData(safe(path.name), x, y, features, targets, found.classes, tuple(remarks))


def _require_outputs(data: TableData, outputs: int, needed: int) -> None:
    if outputs != needed:
        what = plural(needed, "target")
        if data.classes:
            what = f"{plural(needed, 'class', 'classes')}: {some(data.classes, 6)}"
        refuse(
            f"the network has {plural(outputs, 'output')},",
            f" {safe(data.source)} has {what}.",
            (),
            f"Let the sizes end in {needed}.",
        )


def _require_two_classes(data: TableData) -> None:
    if len(data.classes) < 2:
        refuse(
            f"{data.source}: the target {safe(data.targets[0])}",
            f" is {some(data.classes)} in every row, so there is nothing to tell apart.",
            (),
            "Choose another target, or more rows.",
        )


def _is_not_whole(values: np.ndarray) -> bool:
    return bool((values != np.floor(values)).any())


def _numbered(data: TableData, outputs: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """A target of numbers as classes: as they are where they can be, else in their order."""
    values = np.unique(data.y)
    whole = not _is_not_whole(values)
    if whole and not (values[0] >= 0 and values[-1] < outputs):
        if len(values) == 1:
            _require_two_classes(replace(data, classes=(number(values[0], 17),)))
        if len(values) == outputs <= MOST_CLASSES:
            return _in_their_order(data, values)
    y = class_indices(data.y, data.targets[0])
    require_classes(y, outputs, data.targets[0])
    return y, data.remarks


def _two_numbers(data: TableData) -> tuple[np.ndarray, tuple[str, ...]]:
    """A target of numbers for bce: from 0 to 1 as they are, else two of them as 0 and 1."""
    values = np.unique(data.y)
    if values[0] >= 0 and values[-1] <= 1:
        return data.y.astype(np.float64)[:, None], data.remarks
    if len(values) != 2:
        raise DomainError(
            f"{data.source}: the target {safe(data.targets[0])} has {len(values)} different "
            f"numbers, {number(values[0])} to {number(values[-1])}; bce compares two classes.\n"
            "  Choose the loss cross_entropy for classes, squared_error for a regression."
        )
    y, remarks = _in_their_order(data, values)
    return y.astype(np.float64)[:, None], remarks


def _in_their_order(data: TableData, values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers as classes 0, 1, 2, … in their order; that of the target says so."""
    name = data.targets[0]
    y = np.searchsorted(values, data.y).astype(np.int64)
    as_it_is = f"target {titled(name)} as it is"
    kept = [r for r in data.remarks if not r.startswith(as_it_is)]
    said = said_of_classes(name, [number(value, 17) for value in values], y)
    return y, (*kept, said)
