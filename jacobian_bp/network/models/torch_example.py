"""The example that a module of PyTorch is traced with: its inputs, its labels, what it gives."""

import inspect
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from ...errors import SpecError
from ...writing.signs import plural, safe, type_of

WHO = "Network.from_torch"


def tensors_of(torch: Any, example: Any) -> tuple[Any, ...]:
    """The inputs of an example; SpecError for what is no tensor of real numbers."""
    given = tuple(example) if isinstance(example, list | tuple) else (example,)
    return tuple(_tensor(torch, value, place) for place, value in enumerate(given))


def require_known_dtypes(torch: Any, module: Any) -> None:
    """SpecError for parameters in a dtype that numpy does not have."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.dtype is torch.bfloat16:
            raise SpecError(
                f"{WHO}: {name} is of torch.bfloat16, which numpy does not have.\n"
                "  Write Network.from_torch(model.float(), x.float()), with a copy of the model "
                "if it is to stay as it is."
            )


def _tensor(torch: Any, value: Any, place: int) -> Any:
    if isinstance(value, torch.Tensor) and not value.is_complex():
        return value.detach()
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        return torch.from_numpy(np.array(value))
    raise SpecError(
        f"{WHO}: input {place} of the example is {_kind(value)}, not a tensor of real numbers.\n"
        "  Give x as the module reads it, or a tuple of its inputs."
    )


def _kind(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return type_of(value) + (f" of {dtype}" if dtype is not None else "")


def with_loss(torch: Any, module: Any, loss: Any, tensors: tuple[Any, ...]) -> Any:
    """A module that gives the loss of another one, read by its last input."""
    if not callable(loss) or len(tensors) < 2:
        fact = "no labels" if callable(loss) else f"the loss {safe(repr(loss))[:60]}"
        raise SpecError(
            f"{WHO} is given {fact}.\n"
            "  Write Network.from_torch(model, (x, y), loss=torch.nn.CrossEntropyLoss())."
        )

    seen: list[Any] = []  # what the model gave, once it ran

    class WithLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = module
            self.loss = loss
            self.training = module.training

        def given_by_model(self) -> list[Any]:
            return seen

        def forward(self, *given: Any) -> Any:
            *inputs, labels = given
            found = self.model(*inputs)
            seen.append(found)
            return self.loss(found, labels)

    return WithLoss()


def seen_of(module: Any) -> list[Any]:
    """What a model gave to its loss so far; nothing without a loss."""
    return module.given_by_model() if hasattr(module, "given_by_model") else []


def named_loss(loss: Any) -> str:
    """How a message calls a loss: by its class, or as a function by its name."""
    name = getattr(loss, "__name__", type(loss).__name__)
    return f"the loss {safe(name)}" if name.isidentifier() else "the loss"


def require_its_inputs(module: Any, tensors: tuple[Any, ...], loss: Any) -> None:
    """SpecError where forward takes another number of inputs: labels without a loss, say."""
    inputs = tensors if loss is None else tensors[:-1]
    try:
        signature = inspect.signature(module.forward)
    except (TypeError, ValueError):  # compiled ones do not say
        return
    try:
        signature.bind(*inputs)
        return
    except TypeError:
        plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        taken = [p.name for p in signature.parameters.values() if p.kind in plain]
        needed = [p.name for p in signature.parameters.values() if p.default is p.empty]
    said = f"{plural(len(taken), 'input')}" + (f", {', '.join(taken)}" if taken else "")
    fact = f"{WHO}: the forward of {type(module).__name__} takes {said}; the example has "
    fact += f"{len(inputs)}" + ("" if loss is None else " beside the labels")
    if loss is None and len(inputs) == len(taken) + 1:
        last = inputs[-1]
        name = "MSELoss" if last.is_floating_point() else "CrossEntropyLoss"
        read = "x" if len(taken) == 1 else ", ".join(taken)
        raise SpecError(
            f"{fact}.\n  If the last holds labels, write Network.from_torch(model, ({read}, y), "
            f"loss=torch.nn.{name}())."
        )
    needed += [] if loss is None else ["y"]
    raise SpecError(f"{fact}.\n  Give a tuple of {', '.join(needed)}.")


def input_names(module: Any, count: int) -> list[str]:
    """What a module calls its inputs, so many of them: x the only one."""
    if count == 1:
        return ["x"]
    own = [*inspect.signature(module.forward).parameters]
    return (own + [f"x{place}" for place in range(len(own), count)])[:count]


def given_by(
    torch: Any, module: Any, tensors: tuple[Any, ...], name: str
) -> tuple[Any, tuple[str, ...]]:
    """What the module gives for the example, on copies of its state: it may count batches.

    And the functions that say their backward themselves, torch.autograd.Function, by their names;
    a module that runs without slopes alone has none. Raises SpecError that says whether the module
    or its loss does not run.
    """
    try:
        with torch.enable_grad():
            found = _run(torch, module, tuple(map(_free, tensors)), differentiable=True)
        return found, _own_backwards(torch, found)
    except Exception:
        seen_of(module).clear()
    try:
        with torch.no_grad():
            return _run(torch, module, tensors), ()
    except Exception as error:
        shapes = [str(tuple(t.shape)) for t in tensors]
        seen = seen_of(module)
        if not seen:
            inputs = shapes[:-1] if hasattr(module, "given_by_model") else shapes
            raise SpecError(
                f"{WHO}: {name} does not run on the example: {in_one_line(error)}\n"
                f"  Its inputs have the shapes {', '.join(inputs)}: give what the module reads, "
                "with its axis of examples."
            ) from None
        gives = str(tuple(seen[-1].shape)) if hasattr(seen[-1], "shape") else _kind(seen[-1])
        raise SpecError(
            f"{WHO}: {named_loss(module.loss)} does not run on what {name} gives: "
            f"{in_one_line(error)}\n"
            f"  It is given {gives} and labels of shape {shapes[-1]}, {tensors[-1].dtype}: "
            "write a loss that reads both, or give other labels."
        ) from None


def _run(torch: Any, module: Any, tensors: tuple[Any, ...], differentiable: bool = False) -> Any:
    trained, kept = dict(module.named_parameters()), dict(module.named_buffers())
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        copies = {name: tensor.detach().clone() for name, tensor in {**trained, **kept}.items()}
        for name in trained if differentiable else ():  # a buffer may be written over
            copies[name].requires_grad_(copies[name].is_floating_point())
        return torch.func.functional_call(module, copies, tensors)


def _own_backwards(torch: Any, found: Any) -> tuple[str, ...]:
    values = found if isinstance(found, list | tuple) else [found]
    todo = [getattr(value, "grad_fn", None) for value in values]
    seen: set[Any] = set()
    names: set[str] = set()
    while todo:
        call = todo.pop()
        if call is None or call in seen:
            continue
        seen.add(call)
        if isinstance(call, torch.autograd.function.BackwardCFunction):
            names.add(type(call).__name__.removesuffix("Backward"))
        todo += [before for before, _ in call.next_functions]
    return tuple(sorted(names))


def _free(tensor: Any) -> Any:
    """A copy that has a slope, and may be written over as an input may."""
    copy = tensor.detach().clone()
    return copy.requires_grad_().clone() if copy.is_floating_point() else copy


def in_one_line(error: Exception) -> str:
    """An error of PyTorch's in one line."""
    return f"{type(error).__name__}: {safe(str(error).strip().partition(chr(10))[0][:300])}"


@contextmanager
def silently(torch: Any) -> Iterator[None]:
    """Nothing that this thread warns of, logs or prints is shown; the random state stays."""
    shown = redirect_stdout(_OfOthers(sys.stdout)), redirect_stderr(_OfOthers(sys.stderr))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), shown[0], shown[1]:
        warnings.simplefilter("ignore")
        yield


class _OfOthers:
    """A stream for all threads but this one, whose words are dropped."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.mine = stream, threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() == self.mine:
            return len(text)
        return int(self.stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
