"""What is timed of second derivatives: the whole Hessian, its factors, and H v."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .layer_subjects import NoCounterpart
from .peer_ops import evaluate
from .peers import Peer
from .subjects import Subject, whole_result
from .workload import Arrays, Workload


def whole_hessian(names: Sequence[str], workload: Workload, peers: list[Peer]) -> list[Subject]:
    """∂²J/∂θ² by several names: at the values of a run, and with the run; a peer's has it too."""
    whole = workload.run.hessian([*names])

    def there() -> np.ndarray:
        workload.forget()
        return whole.materialise()

    def anew() -> np.ndarray:
        return workload.run_again().hessian([*names]).materialise()

    def theirs(peer: Peer) -> Callable[[], Any]:
        if peer.hessian is None:
            raise NoCounterpart(f"no Hessian is timed in {peer.name}")
        return peer.hessian(*_cost(names, workload, peer))

    own = [("materialise", there), ("net.run, then that", anew)]
    subjects = [_own(name, call, whole.nbytes) for name, call in own]
    return subjects + [_theirs(peer, theirs, whole.nbytes) for peer in peers]


def factors(names: Sequence[str], workload: Workload, peers: list[Peer]) -> list[Subject]:
    """The whole Hessian as products of factors, on and above the diagonal; no peer has that."""

    def call() -> Any:
        workload.forget()
        return workload.run.hessian([*names]).factored()

    def prepare() -> Callable[[], Any]:
        call()  # the sweep is recorded
        return call

    return [Subject("factored", prepare)]


def product(names: Sequence[str], workload: Workload, peers: list[Peer]) -> list[Subject]:
    """H v, at the values of a run, and with the run; a peer's has it too."""
    run, rng = workload.run, np.random.default_rng(1)
    vectors = {name: rng.standard_normal(run[name].shape) for name in names}

    def flat(found: Arrays) -> Arrays:
        return whole_result(np.concatenate([found[name].ravel() for name in names]))

    def there() -> Arrays:
        workload.forget()
        return run.hvp(vectors)

    def theirs(peer: Peer) -> Callable[[], Any]:
        if peer.hessian_vector is None:
            raise NoCounterpart(f"no H v is timed in {peer.name}")
        v = peer.array(np.concatenate([vectors[name].ravel() for name in names]))
        return peer.hessian_vector(*_cost(names, workload, peer), v)

    calls = {
        "H v": there,
        "H v, again": lambda: run.hvp(vectors),
        "net.run, then H v": lambda: workload.run_again().hvp(vectors),
    }
    own = [_own(name, call, 0, flat) for name, call in calls.items()]
    return own + [_theirs(peer, theirs, 0) for peer in peers]


def _own(
    name: str, call: Callable[[], Any], needs: int, arrays: Callable[[Any], Arrays] = whole_result
) -> Subject:
    def prepare() -> Callable[[], Any]:
        call()  # the sweep is recorded
        return call

    return Subject(name, prepare, arrays=arrays, needs=needs)


def _theirs(peer: Peer, made: Callable[[Peer], Callable[[], Any]], needs: int) -> Subject:
    def prepare() -> Callable[[], Any]:
        return made(peer)

    def whole(found: Any) -> Arrays:
        return whole_result(np.asarray(found))

    return Subject(peer.name, prepare, traced=False, arrays=whole, needs=needs, foreign=True)


def _cost(
    names: Sequence[str], workload: Workload, peer: Peer
) -> tuple[Callable[[Any, dict[str, Any]], Any], Any, dict[str, Any]]:
    """The cost as a peer's function of all entries of `names` and of the other values; both."""
    run, program = workload.run, workload.program
    given = [name for name in (*program.inputs, *workload.params) if name not in names]
    fixed = {name: peer.array(run[name]) for name in given}
    theta = peer.array(np.concatenate([run[name].ravel() for name in names]))

    def cost(theta: Any, fixed: dict[str, Any]) -> Any:
        values, start = dict(fixed), 0
        for name in names:
            stop = start + run[name].size
            values[name] = theta[start:stop].reshape(run[name].shape)
            start = stop
        return evaluate(program, peer.functions, values, run.cost)

    return cost, theta, fixed
