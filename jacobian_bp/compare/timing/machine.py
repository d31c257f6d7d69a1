"""What a time depends on besides the code: versions, processor, threads."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...version import __version__
from ...writing.signs import safe
from .optional import MissingPackageError, optional

PACKAGES = ("numpy", "opt_einsum")
EXTRA = "pip install 'jacobian-bp[peers]'"
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def versions(more: tuple[str, ...] = ()) -> dict[str, str]:
    """The versions of Python, of this package, and of what it stands on."""
    found = {"python": platform.python_version(), "jacobian_bp": __version__}
    for name in (*PACKAGES, *more):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """Processor, cores that may be used, system, and the BLAS that numpy was built with."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": _blas(),
    }


def blas_threads() -> int | None:
    """The threads that numpy's matrix products use; None where nothing can tell."""
    control = _threadpoolctl()
    if control is not None:
        pools = [p for p in control.threadpool_info() if p.get("user_api") == "blas"]
        return max((int(p["num_threads"]) for p in pools), default=None)
    for name in VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return None


def threads_line(asked: int | None = None) -> str:
    """The number of BLAS threads in words, with the way to learn it where it is not known.

    Where another number was asked for than the library takes, that is said.
    """
    count = blas_threads()
    if count is not None:
        capped = f", not the {asked} asked for" if asked not in (None, count) else ""
        return f"BLAS threads: {count}{capped} ({_cores()} cores)"
    return f"BLAS threads: not known, most likely {_cores()}; {EXTRA} brings threadpoolctl"


@contextmanager
def limited_threads(count: int | None) -> Iterator[None]:
    """Inside the block BLAS uses `count` threads; None changes nothing.

    Raises SpecError where threadpoolctl cannot be had, with both ways out.
    """
    if count is None:
        yield
        return
    try:
        control = optional("threadpoolctl")
    except MissingPackageError as error:
        raise SpecError(
            f"--threads needs threadpoolctl, which {error.in_lines()}.\n"
            f"  Write {EXTRA}, or OPENBLAS_NUM_THREADS={count} in front of the command."
        ) from None
    with control.threadpool_limits(count, "blas"):
        yield


def _threadpoolctl() -> Any:
    try:
        return optional("threadpoolctl")
    except MissingPackageError:
        return None


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return safe(line.partition(":")[2].strip())
    except OSError:
        pass
    return safe(platform.processor() or platform.machine() or "not known")


def _blas() -> str:
    try:
        built: Any = np.show_config(mode="dicts")
        blas = built["Build Dependencies"]["blas"]
        return safe(f"{blas['name']} {blas['version']}")
    except (KeyError, TypeError):
        return "not known"
