"""Several submissions graded at once, in processes; what comes back is in the order of the jobs.

Each job is graded as it would be alone. A process that ends takes no other job with it: the
next job then has a process to itself, and one that ends that, twice, has done so itself.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from ...errors import JacobianError, SpecError
from ..exercises.catalogue import exercises_of
from ..sandbox import stopped_in_order

MOST = 256
TRIES = 2  # of a job that has a process to itself

Job = TypeVar("Job")
Graded = TypeVar("Graded")


def require_workers(workers: Any, several: bool) -> None:
    """SpecError for no number of workers, and for several of them for one submission."""
    if not 1 <= workers <= MOST:
        raise SpecError(f"--workers is {workers}.\n  Write a whole number from 1 to {MOST}.")
    if workers > 1 and not several:
        raise SpecError(
            "--workers is for a folder, whose submissions are graded at once.\n"
            "  Write --out-dir DIR or --roster CSV, or leave --workers out."
        )


def graded(
    grade: Callable[[Job], Graded], jobs: Sequence[Job], workers: int, files: Sequence[str] = ()
) -> Iterator[Graded | JacobianError]:
    """What `grade` gives for each job, or its JacobianError, in their order.

    With one worker each is graded when it is asked for, in this process. `files` hold exercises of
    one's own, which each process reads.
    """
    if workers == 1:
        yield from (outcome(grade, job) for job in jobs)
        return
    done = 0
    while done < len(jobs):
        for found in _until_one_ends(grade, jobs[done:], workers, files):
            yield found
            done += 1
        if done < len(jobs):  # which of those at work ended it is not known: the next goes alone
            yield _alone(grade, jobs[done], files)
            done += 1


def _until_one_ends(
    grade: Callable[[Job], Graded], jobs: Sequence[Job], workers: int, files: Sequence[str]
) -> Iterator[Graded | JacobianError]:
    """What `grade` gives for the first jobs: all of them, or those before a process ended."""
    with _processes(min(workers, len(jobs)), files) as pool:
        waiting: list[Future] = [pool.submit(outcome, grade, job) for job in jobs]
        for future in waiting:
            try:
                found = future.result()
            except BrokenProcessPool:
                return
            yield found


def _alone(
    grade: Callable[[Job], Graded], job: Job, files: Sequence[str]
) -> Graded | JacobianError:
    """What `grade` gives for one job that has a process to itself, which nobody else can end."""
    for _ in range(TRIES):
        for found in _until_one_ends(grade, [job], 1, files):
            return found
    return SpecError("the process that graded it was ended, twice.")


@contextmanager
def _processes(workers: int, files: Sequence[str]) -> Iterator[ProcessPoolExecutor]:
    """A pool; whatever ends the block early ends its processes too, each in order."""
    before = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (tuple(files),))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - before:
            child.terminate()  # a SystemExit there, which ends the sheet that it runs
        raise
    pool.shutdown()


def _begin(files: tuple[str, ...]) -> None:
    """A process of the pool: Ctrl-C is the parent's, a request to end is obeyed in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stack = ExitStack()
    stack.enter_context(stopped_in_order())
    stack.enter_context(exercises_of(*files))
    _OPEN.append(stack)  # for as long as the process lives


_OPEN: list[ExitStack] = []


def outcome(grade: Callable[[Job], Graded], job: Job) -> Graded | JacobianError:
    """What is graded, or why it is not."""
    try:
        return grade(job)
    except JacobianError as error:
        return error
