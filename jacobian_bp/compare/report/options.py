"""The options of `compare`, all looked at before anything is timed."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...document.files import DOCUMENTS, place_for
from ...errors import SpecError
from ...network.from_options import Case, case_of
from ...network.sizes import format_sizes
from ...source.engines import step_class
from ...source.numba_step import require_numba
from ...writing.signs import did_you_mean, with_article
from ..timing.foreign_text import quoted
from ..timing.peers import OLDEST, Peer, find, parse_names
from ..timing.sweep import AXES, Sweep, parse_sweep
from ..timing.timer import Timer
from ..timing.workload import Workload, workload_of
from .plot import SUFFIXES, require_matplotlib
from .presets import PRESETS
from .result_files import Output

DTYPES = ("float64", "float32")
MOST_THREADS, MOST_REPEATS = 1024, 100_000
UNHEARD = ("convention", "all")  # options of a network that belong to a printed derivation
# options of a network that go with what makes its networks itself
GOES_WITH = {"preset": ("seed",), "sweep": ("seed", "batch", "activations", "loss", "reduction")}

Options = Callable[[], argparse.ArgumentParser]


@dataclass(frozen=True)
class Asked:
    """What is to be measured, how, and where the results go."""

    options: argparse.Namespace
    parser: Options
    sweep: Sweep | None
    preset: str | None
    peers: tuple[Peer, ...]
    remarks: tuple[str, ...]  # of peers that are not there
    timer: Timer
    threads: int | None
    dtype: str
    outputs: dict[str, Output]
    long: bool = False  # whether also what takes very long is timed
    engine: str = "numpy"  # of the compiled step that is timed beside the planned one
    yes: bool = False  # whether a long comparison is started without being asked about

    def case(self) -> Case:
        """The network and the data of a cost card."""
        return case_of(self.options, self.parser)

    def make(self, sizes: list[int], batch: int | None, label: str) -> Workload:
        """A network of a sweep, with the options that describe it, on drawn data."""
        changed = {"network": format_sizes(sizes), "batch": batch and str(batch)}
        options = argparse.Namespace(**(vars(self.options) | changed))
        return workload_of(case_of(options, self.parser).run, label, self.dtype)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `compare` has besides those that describe a network."""
    add = parser.add_argument
    add(
        "--widths",
        metavar="8,16,32",
        help="sweep the width of every layer, such as 32,64,128,256,512",
    )
    add("--depths", metavar="1,2,4", help="sweep the number of layers")
    add("--batches", metavar="1,8,64", help="sweep the number of examples")
    add("--preset", metavar="NAME", help=", ".join(PRESETS))
    add("--against", metavar="A,B", help=",".join(OLDEST) + ": time the same in these")
    add(
        "--engine",
        metavar="NAME",
        default="numpy",
        help="numba: time also the step that it compiles (default: numpy, the planned step)",
    )
    add("--threads", metavar="N", help="threads of the matrix products")
    add("--workers", metavar="N", help=argparse.SUPPRESS)  # refused, with the reason
    add("--repeats", metavar="N", help="rounds of timing (default: 15, slow calls fewer)")
    add("--long", action="store_true", help="time also what takes very long, else left out")
    add(
        "--yes",
        action="store_true",
        help="on a terminal: start also what takes over a minute, or over half of the memory limit",
    )
    add("--dtype", metavar="NAME", help=" or ".join(DTYPES) + " (default: float64)")
    ends = f"write a document too; the name ends in {DOCUMENTS.named}"
    add("--out", metavar="FILE", help=ends)
    add("--json", metavar="FILE.json", help="write the results")
    add("--csv", metavar="FILE.csv", help="write the results")
    add("--plot", metavar="FILE", help="draw the growth: FILE.png or FILE.svg")


def parse(options: argparse.Namespace, parser: Options) -> Asked:
    """Every option, checked; SpecError for the first that is wrong."""
    _require_effect(options, parser)
    _require_one_at_a_time(options)
    sweep = parse_sweep(options.widths, options.depths, options.batches, options.batch)
    preset = _preset(options.preset)
    _require_no_others(options, parser, sweep, preset)
    dtype = options.dtype or DTYPES[0]
    if dtype not in DTYPES:
        raise SpecError(
            f"--dtype {quoted(dtype)} is not known.{did_you_mean(dtype, DTYPES)}\n"
            f"  Write {' or '.join(DTYPES)}."
        )
    threads = _whole("--threads", options.threads, MOST_THREADS)
    engine = _engine(options.engine)
    timer = Timer(_whole("--repeats", options.repeats, MOST_REPEATS))
    names = parse_names(options.against)
    outputs = _outputs(options, sweep, preset)
    peers, remarks = find(names)
    asked = Asked(
        *(options, parser, sweep, preset, tuple(peers), tuple(remarks)),
        *(timer, threads, dtype, outputs),
        long=options.long,
        engine=engine,
        yes=options.yes,
    )
    if sweep is not None:
        for size in (sweep.sizes[0], sweep.sizes[-1]):  # the options fit the networks
            sizes, batch = sweep.at(size)
            asked.make([2] * len(sizes), batch and 1, "")
    return asked


def _engine(name: str) -> str:
    """An engine that is there, loaded before anything is timed; SpecError for any other."""
    step_class(name, "--engine")
    if name == "numba":
        require_numba("--engine numba")
    return name


def _preset(name: str | None) -> str | None:
    if name is not None and name not in PRESETS:
        raise SpecError(
            f"--preset {quoted(name, 36)} is not known.{did_you_mean(name, PRESETS)}\n"
            f"  Write one of {', '.join(PRESETS)}."
        )
    return name


def _outputs(
    options: argparse.Namespace, sweep: Sweep | None, preset: str | None
) -> dict[str, Output]:
    """The files to be written, each tried."""
    found = {}
    if options.plot is not None:
        if sweep is None:
            told = "Add one"
            if options.network is not None:
                told = f"Write one in place of {quoted(options.network, 16)[1:-1]}"
            raise SpecError(
                f"--plot draws the growth along a sweep.\n  {told}, such as --widths 8,16,32,64."
            )
        found["plot"] = Output("--plot", options.plot, SUFFIXES)
        require_matplotlib()
    if options.out is not None:
        found["out"] = Output("--out", str(place_for(options.out)), DOCUMENTS.endings)
    for kind in ("json", "csv"):
        name = getattr(options, kind)
        if name is not None:
            found[kind] = Output(f"--{kind}", name, (f".{kind}",))
    return found


def _require_effect(options: argparse.Namespace, parser: Options) -> None:
    """Notation and length belong to a derivation, which is not printed here."""
    plain = vars(parser().parse_args([]))
    for name in UNHEARD:
        if getattr(options, name) != plain[name]:
            raise SpecError(
                f"--{name} does not go with compare, which prints no derivation.\n  Leave it out."
            )


def _require_one_at_a_time(options: argparse.Namespace) -> None:
    """Calls are timed one at a time: side by side they would change each other's seconds."""
    if options.workers is not None:
        raise SpecError(
            "--workers: calls that are timed side by side change each other's times.\n"
            "  Leave it out; --threads N gives the matrix products N cores."
        )


def _require_no_others(
    options: argparse.Namespace, parser: Options, sweep: Sweep | None, preset: str | None
) -> None:
    """A sweep and a preset make their networks themselves."""
    if sweep is None and preset is None:
        return
    if preset is not None:
        besides = [axis for axis in ("widths", "depths", "batches") if getattr(options, axis)]
        if besides or options.dtype:
            other = besides[0] if besides else "dtype"
            raise SpecError(
                f"--{other} does not go with --preset, which has sizes and dtypes of its own.\n"
                "  Leave one of the two out."
            )
    kind = "preset" if preset is not None else "sweep"
    plain: dict[str, Any] = vars(parser().parse_args([]))
    for name, value in plain.items():
        if name not in GOES_WITH[kind] and getattr(options, name) != value:
            shown = "--" + name.replace("_", "-")
            if name == "network":
                shown = quoted(options.network, 16).strip("'")
            raise SpecError(
                f"{shown} does not go with {with_article(kind)}, which makes its networks itself.\n"
                f"  Leave it out, or leave out {'--preset' if preset else _sweep_options()}."
            )


def _sweep_options() -> str:
    return ", ".join(f"--{axis}{'es' if axis == 'batch' else 's'}" for axis in AXES)


def _whole(option: str, text: str | None, most: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise SpecError(
            f"{option} {quoted(text, 20)} is not a whole number from 1 to {most:,}.\n"
            f"  Write such as {option} 1."
        )
    return int(text)
