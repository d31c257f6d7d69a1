"""The same gradient and the same Jacobians in PyTorch, JAX and autograd, where they are installed.

A peer is imported only when it is asked for. One that is missing, broken or too old
is named, with the reason or the command that installs it, and the others run.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

import numpy as np

from ...errors import SpecError
from ...ops.peer_functions import Functions
from ...writing.signs import did_you_mean, safe
from .foreign_text import quoted, reason
from .jax_layers import layer_functions
from .machine import EXTRA
from .optional import MissingPackageError, optional
from .peer_ops import evaluate
from .subjects import Subject
from .workload import Arrays, Workload

OLDEST = {"torch": (2, 0), "jax": (0, 4, 30), "autograd": (1, 5)}

Cost = Callable[[Any, dict[str, Any]], Any]  # of all parameters as one vector, and of the rest


@dataclass(frozen=True)
class Peer:
    """One other package: its name, its functions, and how it differentiates."""

    name: str
    version: str
    functions: Functions
    array: Callable[[np.ndarray], Any]
    gradient: Callable[[Callable[..., Any], dict[str, Any], dict[str, Any]], Callable[[], Any]]
    jacobian: Callable[[Callable[..., Any], dict[str, Any], Any], Callable[[], Any]]
    session: Callable[[Workload, int | None], Any]
    by_columns: Callable[[Callable[[Any], Any], Any], Callable[[], Any]] | None = None
    pull: Callable[[Callable[[Any], Any], Any, Any], Callable[[], Any]] | None = None
    hessian: Callable[[Cost, Any, dict[str, Any]], Callable[[], Any]] | None = None
    hessian_vector: Callable[[Cost, Any, dict[str, Any], Any], Callable[[], Any]] | None = None

    def gradient_subject(self, workload: Workload) -> Subject:
        """The cost and the gradient by every parameter; (cost, gradients by name)."""

        def prepare() -> Callable[[], Any]:
            data = {"x": self.array(workload.x), "y": self.array(workload.run["y"])}
            params = {name: self.array(value) for name, value in workload.params.items()}

            def cost(params: dict[str, Any], data: dict[str, Any]) -> Any:
                values = data | {name: params[name] for name in workload.params}
                return evaluate(workload.program, self.functions, values, workload.run.cost)

            return self.gradient(cost, params, data)

        return self._subject(prepare, lambda found: _arrays(found[1]))

    def weight_jacobian_subject(self, workload: Workload) -> Subject:
        """∂z1/∂W1 of one example, whole."""

        def prepare() -> Callable[[], Any]:
            x, b = self.array(workload.first_inputs), self.array(workload.params["b1"])
            wanted = {"W": self.array(workload.params["W1"])}
            return self.jacobian(lambda params, x: x @ params["W"].T + b, wanted, x)

        return self._subject(prepare, lambda found: {"whole": np.asarray(found["W"])})

    def parameter_jacobian_subject(self, workload: Workload) -> Subject:
        """∂f/∂θ for each example, whole, a block for each parameter."""

        def prepare() -> Callable[[], Any]:
            params = {name: self.array(value) for name, value in workload.params.items()}

            def output(params: dict[str, Any], x: Any) -> Any:
                values = {"x": x} | {name: params[name] for name in workload.params}
                return evaluate(workload.program, self.functions, values, workload.output)

            return self.jacobian(output, params, self.array(workload.x))

        def whole(found: dict[str, Any]) -> Arrays:
            lead = workload.run[workload.output].ndim
            blocks = [np.asarray(found[name]) for name in workload.params]
            flat = [block.reshape(*block.shape[:lead], -1) for block in blocks]
            return {"whole": np.concatenate(flat, axis=-1)}

        return self._subject(prepare, whole)

    def _subject(
        self, prepare: Callable[[], Callable[[], Any]], arrays: Callable[[Any], Arrays]
    ) -> Subject:
        return Subject(self.name, prepare, traced=False, arrays=arrays, foreign=True)


def find(names: Sequence[str]) -> tuple[list[Peer], list[str]]:
    """The peers that can be used, and a sentence for each that cannot."""
    found, remarks = [], []
    for name in names:
        try:
            found.append(_peer(name))
        except MissingPackageError as error:
            remarks.append(str(error))
    return found, remarks


def _peer(name: str) -> Peer:
    """One peer; MissingPackageError with a whole sentence where it cannot be had."""
    try:
        module = optional(name)
    except MissingPackageError as error:
        install = f": {EXTRA}, or pip install {name}" if "not installed" in str(error) else ""
        raise MissingPackageError(f"{name} {error}{install}") from None
    version, oldest = _version_of(name, module), ".".join(map(str, OLDEST[name]))
    if not _numbers(version):
        own = f"its version is {quoted(version, 30)}" if version else "it has no version"
        raise MissingPackageError(f"{name} cannot be used: {own}, and {oldest} is needed")
    if _numbers(version) < OLDEST[name]:
        raise MissingPackageError(
            f"{name} {safe(version)[:30]} is too old, {oldest} is needed: pip install -U {name}"
        )
    try:
        return _MAKERS[name](version)
    except (Exception, SystemExit) as error:  # a part of it is missing, or is another
        raise MissingPackageError(f"{name} cannot be imported: {reason(error)}") from None


def parse_names(text: str | None) -> list[str]:
    """The names in torch,jax,autograd; SpecError for one that is not known, or comes twice."""
    if text is None:
        return []
    names = text.split(",")
    for position, name in enumerate(names):
        if name not in OLDEST:
            raise SpecError(
                f"--against: {quoted(name, 26)} is not a package to compare with."
                f"{did_you_mean(name, OLDEST)}\n  Write some of {','.join(OLDEST)}, with commas."
            )
        if name in names[:position]:
            raise SpecError(f"--against names {name} twice.\n  Name it once.")
    return names


@contextmanager
def session(peers: Sequence[Peer], workload: Workload, threads: int | None) -> Iterator[None]:
    """Inside the block each peer has the workload's precision and the number of threads."""
    with ExitStack() as stack:
        for peer in peers:
            stack.enter_context(peer.session(workload, threads))
        yield


def _torch(version: str) -> Peer:
    torch, func = import_module("torch"), import_module("torch.func")

    def gradient(
        cost: Callable[..., Any], params: dict[str, Any], data: dict[str, Any]
    ) -> Callable[[], Any]:
        leaves = {name: value.requires_grad_() for name, value in params.items()}

        def call() -> Any:
            value = cost(leaves, data)
            parts = torch.autograd.grad(value, tuple(leaves.values()))
            return value, dict(zip(leaves, parts, strict=True))

        return call

    def jacobian(f: Callable[..., Any], params: dict[str, Any], x: Any) -> Callable[[], Any]:
        whole = func.jacrev(f)
        if x.ndim == 2:
            whole = func.vmap(whole, in_dims=(None, 0))
        return lambda: whole(params, x)

    @contextmanager
    def session(workload: Workload, threads: int | None) -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    functions = Functions(
        torch.sigmoid,
        torch.tanh,
        torch.relu,
        torch.nn.functional.softplus,
        lambda z: torch.softmax(z, -1),
        lambda z: torch.log_softmax(z, -1),
        torch.log,
    )
    array: Callable[[np.ndarray], Any] = lambda value: torch.from_numpy(np.array(value))  # noqa: E731
    return Peer("torch", version, functions, array, gradient, jacobian, session)


def _jax(version: str) -> Peer:
    jax = import_module("jax")

    def gradient(
        cost: Callable[..., Any], params: dict[str, Any], data: dict[str, Any]
    ) -> Callable[[], Any]:
        both = jax.jit(jax.value_and_grad(cost))
        return lambda: jax.block_until_ready(both(params, data))

    def jacobian(f: Callable[..., Any], params: dict[str, Any], x: Any) -> Callable[[], Any]:
        whole = jax.jacrev(f)
        if x.ndim == 2:
            whole = jax.vmap(whole, in_axes=(None, 0))
        whole = jax.jit(whole)
        return lambda: jax.block_until_ready(whole(params, x))

    @contextmanager
    def session(workload: Workload, threads: int | None) -> Iterator[None]:
        with _double_precision(jax)(workload.dtype == np.float64):
            yield

    functions = Functions(
        jax.nn.sigmoid,
        jax.numpy.tanh,
        jax.nn.relu,
        jax.nn.softplus,
        jax.nn.softmax,
        jax.nn.log_softmax,
        jax.numpy.log,
        **layer_functions(jax),
    )

    def by_columns(f: Callable[[Any], Any], x: Any) -> Callable[[], Any]:
        whole = jax.jit(jax.jacfwd(f))
        return lambda: jax.block_until_ready(whole(x))

    def pull(f: Callable[[Any], Any], x: Any, v: Any) -> Callable[[], Any]:
        pulled = jax.jit(lambda x, v: jax.vjp(f, x)[1](v)[0])
        return lambda: jax.block_until_ready(pulled(x, v))

    def hessian(f: Cost, theta: Any, rest: dict[str, Any]) -> Callable[[], Any]:
        whole = jax.jit(jax.hessian(f))
        return lambda: jax.block_until_ready(whole(theta, rest))

    def hessian_vector(f: Cost, theta: Any, rest: dict[str, Any], v: Any) -> Callable[[], Any]:
        def pushed(theta: Any, rest: dict[str, Any], v: Any) -> Any:
            return jax.jvp(lambda at: jax.grad(f)(at, rest), (theta,), (v,))[1]

        compiled = jax.jit(pushed)
        return lambda: jax.block_until_ready(compiled(theta, rest, v))

    return Peer(
        *("jax", version, functions, jax.numpy.asarray, gradient, jacobian, session),
        *(by_columns, pull, hessian, hessian_vector),
    )


def _double_precision(jax: Any) -> Callable[[bool], Any]:
    """JAX's context for float64, which older versions keep elsewhere."""
    here = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
    return here.enable_x64


def _autograd(version: str) -> Peer:
    autograd, anp = import_module("autograd"), import_module("autograd.numpy")

    def gradient(
        cost: Callable[..., Any], params: dict[str, Any], data: dict[str, Any]
    ) -> Callable[[], Any]:
        both = autograd.value_and_grad(cost)
        return lambda: both(params, data)

    def jacobian(f: Callable[..., Any], params: dict[str, Any], x: Any) -> Callable[[], Any]:
        def by(name: str, example: Any) -> Any:
            return autograd.jacobian(lambda value: f({**params, name: value}, example))(
                params[name]
            )

        if x.ndim == 1:
            return lambda: {name: by(name, x) for name in params}
        return lambda: {name: np.stack([by(name, row) for row in x]) for name in params}

    @contextmanager
    def session(workload: Workload, threads: int | None) -> Iterator[None]:
        with np.errstate(all="ignore"):
            yield

    def log_softmax(z: Any) -> Any:
        away = z - anp.max(z, axis=-1, keepdims=True)
        return away - anp.log(anp.sum(anp.exp(away), axis=-1, keepdims=True))

    functions = Functions(
        lambda z: 0.5 * (anp.tanh(0.5 * z) + 1),
        anp.tanh,
        lambda z: anp.maximum(z, 0),
        lambda z: anp.logaddexp(0, z),
        lambda z: anp.exp(log_softmax(z)),
        log_softmax,
        anp.log,
    )
    return Peer("autograd", version, functions, np.array, gradient, jacobian, session)


_MAKERS: dict[str, Callable[[str], Peer]] = {"torch": _torch, "jax": _jax, "autograd": _autograd}


def _version_of(name: str, module: Any) -> str:
    """What the module says, else what is installed under its name; nothing where neither does."""
    if version := getattr(module, "__version__", None):
        return str(version)
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; none where it begins with none.

    >>> _numbers("2.13.0+cpu"), _numbers("0.4.30rc1"), _numbers("dev")
    ((2, 13, 0), (0, 4, 30), ())
    """
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _arrays(found: dict[str, Any]) -> Arrays:
    return {name: np.asarray(value) for name, value in found.items()}
