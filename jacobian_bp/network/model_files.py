"""A file with a model of another library, as a command takes it: network, loss, data."""

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SpecError
from ..numbers.memory import require_memory
from ..ops import CrossEntropy
from ..ops.labels import CLASSES
from ..ops.names import LOSSES, REDUCTIONS, label_kind
from ..writing.signs import did_you_mean, dims, safe
from .drawn_from_seed import draw_data
from .files.answer_file import read_arrays
from .files.first_bytes import PICKLE, ending_of, head_of, is_torch, kind_of
from .files.torch_file import ENDINGS as TORCH_ENDINGS
from .network import Network
from .run import Run

READERS: dict[str, Callable[[Path], Network]] = {
    ".onnx": Network.from_onnx,
    ".keras": Network.from_keras,
}
ENDINGS = tuple(READERS)
WEIGHTS = (".npz", ".safetensors", ".h5", ".json")
PICKLES = (".pkl", ".pickle", ".joblib", ".ckpt", ".bin")
SIZES = re.compile(r"\d+(-\d+)+")
WIDTHS = re.compile(r"(\d+|auto)(-(\d+|auto))*")
IN_A_FILE = 'Weights are named in a network file, jacobian-bp new net.toml: [weights] file = "…".'
LOSS_OF_LAST = {"Softmax": "cross_entropy", "Sigmoid": "bce"}
FROM_LOGITS = {"cross_entropy": "CrossEntropyFromLogits", "bce": "BinaryCrossEntropyFromLogits"}


def is_model_file(text: str | None) -> bool:
    """Whether an argument names a model of another library, by its ending.

    >>> is_model_file("net.onnx"), is_model_file("net.toml"), is_model_file("4-5-3")
    (True, False, False)
    """
    return text is not None and text.lower().endswith(ENDINGS)


def require_a_network(name: str | None) -> None:
    """SpecError for a file that is no network, by its ending or by its first bytes."""
    if name is None or name.lower().endswith((".toml", *ENDINGS)) or WIDTHS.fullmatch(name):
        return
    ending, head, said = Path(name).suffix.lower(), head_of(Path(name)), safe(name)
    if ending in TORCH_ENDINGS or is_torch(head):
        raise SpecError(
            f"{said} is what PyTorch saved; no command reads a network from it.\n"
            "  Export the module, torch.onnx.export(model, (x,), 'model.onnx'), or read it in "
            "Python: Network.from_torch(model, x).\n"
            f"  {IN_A_FILE}"
        )
    if ending in WEIGHTS or ending_of(head):
        raise SpecError(f"{said} has weights, and no network.\n  {IN_A_FILE}")
    if ending in PICKLES or kind_of(head) == PICKLE:
        raise SpecError(
            f"{said} is a pickle, which is not opened.\n"
            "  Open it in Python, and read the model: Network.from_sklearn(model)."
        )


def require_no_file(name: str) -> None:
    """SpecError for a file of another ending, where the widths of layers are asked for."""
    if head_of(Path(name)) and not WIDTHS.fullmatch(name):
        raise SpecError(
            f"{safe(name)} is a file, and no network by its ending.\n"
            f"  A command reads .toml, {' and '.join(ENDINGS)}; "
            "jacobian-bp new net.toml writes one."
        )


def require_a_pair(text: str, network: str | None) -> None:
    """SpecError where a network stands in the place of the Jacobian that is to be shown."""
    if not (is_model_file(text) or text.lower().endswith(".toml") or SIZES.fullmatch(text)):
        return
    pair = network if network and "/" in network else f"dJ/d{_first_parameter(text)}"
    raise SpecError(
        f"{safe(text)} is a network; the Jacobian stands in front of it.\n"
        f"  Write jacobian-bp show {safe(pair)} {safe(text)}."
    )


def _first_parameter(name: str) -> str:
    return next(iter(read_model(name).params), "x") if is_model_file(name) else "W1"


def read_model(name: str) -> Network:
    """The network of a model's file, whichever it is."""
    return READERS[Path(name).suffix.lower()](Path(name))


def widths_of(net: Network, name: str) -> tuple[int, int]:
    """How many numbers a model reads and gives for one example. SpecError for other shapes."""
    foreign = net.facts.foreign
    assert foreign is not None
    shapes = [s for n, s in foreign.shapes.items() if n not in net._program.labels]
    if len(shapes) != 1 or len(shapes[0]) != 2 or len(foreign.output) != 2:
        told = ", ".join(f"{n} {dims(s)}" for n, s in foreign.shapes.items())
        raise SpecError(
            f"{safe(name)} reads {told}; a command gives it rows of numbers.\n"
            "  Run it in Python: Network.from_onnx(path).run(x)."
        )
    return shapes[0][1], foreign.output[1]


def with_loss(net: Network, loss: str | None, reduction: str, asked: str | None) -> Network:
    """The network with a loss behind its output, J; one that has a cost already is left as it is.

    Without `loss` it is that of the last activation, softmax or sigmoid, or else the one that
    the data ask for.
    """
    last = net._program.steps[-1]
    if net._program.labels:
        if loss is not None:
            raise SpecError(
                "--loss does not go with a model that has a loss of its own.\n  Leave it out."
            )
        return net
    named = loss or LOSS_OF_LAST.get(last.op.name) or asked or "squared_error"
    if named not in LOSSES:
        raise SpecError(
            f"the loss is {safe(repr(named))[:60]}, which is not known."
            f"{did_you_mean(named, LOSSES, chr(39))}\n  Write one of {', '.join(LOSSES)}."
        )
    op = LOSSES[named].__name__
    if LOSS_OF_LAST.get(last.op.name) != named:  # its values are logits
        op = FROM_LOGITS.get(named, op)
    lines = [f"L = {op}({last.name}, y)"]
    if reduction not in REDUCTIONS:
        raise SpecError(
            f"the reduction is {safe(repr(reduction))[:60]}.\n"
            f"  Write one of {', '.join(REDUCTIONS)}."
        )
    assert net.facts.foreign is not None
    of = "L"
    if reduction == "mean_over_entries" and LOSSES[named] is not CrossEntropy:
        lines.append(f"E = MeanOverOutputs(L, {net.facts.foreign.output[-1]})")
        of = "E"
    lines.append(f"J = {'Sum' if reduction == 'sum' else 'Mean'}({of})")
    return net.followed_by(*lines)


def drawn_for(
    net: Network, loss: str | None, widths: tuple[int, int], seed: int, count: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the numbers' own precision, drawn with a seed."""
    inputs, outputs = widths
    require_memory("x", (count or 1, inputs), 8, "Ask for fewer examples: --batch.")
    x, y = draw_data((inputs, outputs), loss, seed, count)
    dtype = next((p.dtype for p in net.params.values()), np.dtype(float))
    return x.astype(dtype), y if label_kind(loss) == CLASSES else y.astype(dtype)


def loss_of(net: Network) -> str | None:
    """The name of the loss that a network ends in; its labels are of that kind."""
    for step in net._program.steps:
        for name, op in LOSSES.items():
            if step.op.name in (op.__name__, FROM_LOGITS.get(name)):
                return name
    return None


def run_on_arrays(name: str, data: str | None, loss: str | None) -> tuple[Run, list[str]]:
    """A model's run on the arrays x and y of an .npz file, and what is to be said of it."""
    if data is None:
        raise SpecError(
            f"{safe(name)} has no data to run on.\n"
            "  Give an .npz file with x and y, the numbers the answer was computed for: --data."
        )
    net = with_loss(read_model(name), loss, "mean", None)
    arrays = read_arrays(Path(data))
    known = set(net._program.inputs) - set(net.constants)
    if set(arrays) != known:
        raise SpecError(
            f"{safe(data)} holds {', '.join(map(safe, sorted(arrays))) or 'nothing'}; "
            f"{safe(name)} reads {', '.join(sorted(known))}.\n"
            "  Save these: np.savez(path, x=x, y=y)."
        )
    given: dict[str, Any] = dict(arrays)
    return net.run(**given), [f"data read from {safe(data)}"]


def require_own_layers(given: Sequence[str]) -> None:
    """SpecError for an option that says what a model says itself."""
    for name in ("activations", "squash_input"):
        if name in given:
            raise SpecError(
                f"--{name.replace('_', '-')} does not go with a model; it has its own.\n"
                "  Leave it out."
            )


def rows_that_fit(options: argparse.Namespace, inputs: int, found: int, source: str) -> None:
    """SpecError where a table has another number of input columns than the model reads."""
    if inputs != found:
        raise SpecError(
            f"{safe(options.network)} has {inputs} inputs, {source} has {found} input columns.\n"
            "  Choose them: --columns, --drop, --target."
        )
