"""What is timed of layers that are not dense: ∂y/∂x whole, its vjp, and a step of a network."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .peer_ops import evaluate
from .peers import Peer
from .subjects import NoCounterpart, Subject, compiled, run_and_vjp, whole_result
from .workload import Workload


def whole_by_x(workload: Workload, peers: list[Peer]) -> list[Subject]:
    """∂y/∂x of the first step, materialised; by a peer column by column, as y is the longer."""
    run, y = workload.run, workload.program.steps[0].name

    def ours() -> np.ndarray:
        workload.forget()
        return run.jacobian(y, "x").materialise()

    def theirs(peer: Peer) -> Callable[[], Any]:
        return _layered(peer).by_columns(_first(workload, peer, "x"), peer.array(workload.x))

    needs = run.jacobian(y, "x").nbytes
    own = Subject("materialise", lambda: ours, arrays=whole_result, needs=needs)
    return [own, *_beside(peers, theirs)]


def vjp_by(wrt: str, workload: Workload, peers: list[Peer]) -> list[Subject]:
    """v ∂y/∂wrt of the first step, the forward pass being done; a peer's needs none."""
    run, y = workload.run, workload.program.steps[0].name
    v = np.linspace(-1, 1, run[y].size, dtype=workload.dtype).reshape(run[y].shape)

    def theirs(peer: Peer) -> Callable[[], Any]:
        at = peer.array(run[wrt])
        return _layered(peer).pull(_first(workload, peer, wrt), at, peer.array(v))

    own = Subject("vjp", lambda: lambda: run.vjp(y, wrt, v), arrays=whole_result)
    return [own, *_beside(peers, theirs)]


def steps(workload: Workload, peers: list[Peer]) -> list[Subject]:
    """The cost and all gradients: compiled, as a run and its vjp, and by the peers."""

    def theirs(peer: Peer) -> Subject:
        made = peer.gradient_subject(workload)

        def prepare() -> Callable[[], Any]:
            _layered(peer)
            return made.prepare()

        return Subject(peer.name, prepare, traced=False, arrays=made.arrays, foreign=True)

    return [compiled(workload), run_and_vjp(workload), *map(theirs, peers)]


def _first(workload: Workload, peer: Peer, wrt: str) -> Callable[[Any], Any]:
    """The first step in a peer's functions, as a function of one of its inputs."""
    step = workload.program.steps[0]
    fixed = {name: peer.array(workload.run[name]) for name in step.args if name != wrt}

    def value(given: Any) -> Any:
        return evaluate(workload.program, peer.functions, fixed | {wrt: given}, step.name)

    return value


def _layered(peer: Peer) -> Any:
    if peer.by_columns is None or peer.pull is None:
        raise NoCounterpart(f"these layers are not written in the functions of {peer.name}")
    return peer


def _beside(peers: list[Peer], made: Callable[[Peer], Callable[[], Any]]) -> list[Subject]:
    def subject(peer: Peer) -> Subject:
        return Subject(
            peer.name,
            lambda: made(peer),
            traced=False,
            arrays=lambda found: whole_result(np.asarray(found)),
            foreign=True,
        )

    return [subject(peer) for peer in peers]
