"""What rich does on a terminal: lines in colour, a progress bar.

terminal.py imports this where there is a terminal: a pipe does not wait for rich.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

COUNTS = 16  # columns for 10,000/10,000 behind a bar
HEADINGS = ("network", "data", "forward", "signs", "step", "gradient", "checks", "next")


def write_coloured(lines: Iterable[str]) -> None:
    """Write lines to standard output: headings bold, agreement green, an error red."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(_styled(line), soft_wrap=True)


@contextmanager
def progress_bar(what: str, width: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; what it gives is told how many are done, and of how many."""
    bar_column = BarColumn(max(4, min(40, width - len(what) - COUNTS)))
    columns = (TextColumn("{task.description}"), bar_column, MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True, width=width), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def _styled(line: str) -> Text:
    text = Text(line)
    head = line.split(" ", 1)[0]
    if head in HEADINGS:
        text.stylize("bold", 0, len(head))
    if "DISAGREE" in line or "WRONG" in line:
        text.stylize("bold red")
    elif line.endswith(" agree"):
        text.stylize("green")
    text.highlight_regex(r"(?<=[\[ ])\.(?=[ \]])", "dim")
    return text
