"""What results were measured on: said on the screen, and written into every file."""

from collections.abc import Callable
from datetime import UTC, datetime

from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import plural
from ..timing.growth import exponents_of, growths
from ..timing.machine import blas_threads, machine, threads_line, versions
from ..timing.measure import Journal
from ..timing.result import Result
from ..timing.timer import ROUNDS
from .options import Asked

Clock = Callable[[], datetime]


def now() -> datetime:
    """The date and the time, UTC."""
    return datetime.now(UTC)


def network_lines(row: Result, seed: int | None = None) -> list[str]:
    """The network of a row: sizes, activations, loss; the seed where it is asked for."""
    loss = f"{row.loss}, {row.reduction}" if row.batch else row.loss
    words = f"{row.task}; {row.activations or 'no activations'}; {loss}"
    return [f"network   {words}" + ("" if seed is None else f"; seed {seed}")]


def circumstances(asked: Asked) -> list[str]:
    """What the times depend on, and how they were taken."""
    here, packages = machine(), versions(tuple(peer.name for peer in asked.peers))
    named = ", ".join(f"{name} {version}" for name, version in packages.items())
    rounds = plural(asked.timer.rounds or ROUNDS, "round")
    return [
        f"machine   {here['processor']}; {threads_line(asked.threads)}; "
        f"memory limit {format_bytes(current_limit())}",
        f"versions  {named}; {here['blas']}",
        f"timing    {rounds} by turns, warmed up unless a call takes over 1 s; "
        "spread: interquartile range",
    ]


def provenance(asked: Asked, clock: Clock = now) -> dict[str, object]:
    """What the results were measured on, for a file."""
    options, sweep = asked.options, asked.sweep
    swept = sweep and {"axis": sweep.axis, "sizes": list(sweep.sizes)}
    return {
        "measured": asked.preset or ("sweep" if sweep else "card"),
        "date": clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": versions(tuple(peer.name for peer in asked.peers)),
        "machine": machine(),
        "memory_limit": current_limit(),
        "threads": blas_threads(),
        "threads_asked": asked.threads,
        "seed": options.seed,
        "dtype": "float64 and float32" if asked.preset == "gradient" else asked.dtype,
        "data": options.data,
        "swept": swept,
        "repeats": asked.timer.rounds or ROUNDS,
        "not_there": list(asked.remarks),
    }


def fitted(asked: Asked, journal: Journal) -> dict[str, object]:
    """The exponents of growth as far as the rows go, for a file; nothing where no size grows."""
    axis = asked.sweep.axis if asked.sweep else "depth" if asked.preset == "growth" else ""
    if not axis:
        return {}
    return {
        "overhead": dict(journal.overhead),
        "exponents": exponents_of(growths(axis, journal.rows, journal.overhead)),
    }
