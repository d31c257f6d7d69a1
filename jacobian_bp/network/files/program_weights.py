"""The arrays of a weights file as the parameters of a program: by its names, or by PyTorch's.

PyTorch calls the parameters of every layer weight and bias: those of a convolution, of a norm,
of an embedding. The layers of the file, in order, are the steps that have parameters, in order.
"""

from collections.abc import Mapping, Sequence

from ...program.step import Step
from ...writing.signs import dims, plural, safe
from .paths import brief
from .weight_names import TORCH, Names, Shapes, joined, layer_of, layers_in_order

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")  # of a norm, no parameters
KINDS = ("weight", "bias")


def parameters_of(steps: Sequence[Step]) -> list[str]:
    """The names that ops read as parameters, in order, and that no step computes."""
    return list(dict.fromkeys(name for read in _read_by(steps).values() for name in read.values()))


def program_names(steps: Sequence[Step], left_out: list[str]) -> Names:
    """Which parameter each array of a file is, and what is wrong, a line each.

    What PyTorch keeps beside its parameters goes to `left_out`.
    """

    def named(shapes: Shapes, by_width: bool) -> tuple[dict[str, str], list[str]]:
        made = {step.name for step in steps}
        given = list(dict.fromkeys(a for step in steps for a in step.args if a not in made))
        if not shapes:
            return {}, ["it holds no array"]
        if all(name in given for name in shapes):
            return {name: name for name in shapes}, []
        left_out[:] = [name for name in shapes if name.rpartition(".")[2] in BUFFERS]
        rest = {name: shape for name, shape in shapes.items() if name not in left_out}
        unknown = [name for name in rest if not TORCH.fullmatch(name)]
        if unknown:
            known = f"the names of the program are {', '.join(given)}"
            return {}, [f"unknown: {brief(name)}" for name in unknown] + [known]
        return _of_torch(rest, steps, by_width)

    return named


def _of_torch(
    shapes: Shapes, steps: Sequence[Step], by_width: bool
) -> tuple[dict[str, str], list[str]]:
    """Layer by layer: weight is the first parameter that the op reads, bias the second."""
    layers = list(dict.fromkeys(layer_of(name) for name in shapes))
    ordered = layers_in_order(layers)
    if ordered is None and by_width:
        return {}, [
            "the order of the layers is not known: .safetensors files are sorted by name, "
            "so number the layers, or name the arrays as the program does"
        ]
    reads = _read_by(steps)
    found: dict[str, str] = {}
    lines: list[str] = []
    for layer, (step, read) in zip(ordered or layers, reads.items(), strict=False):
        for kind, (operand, arg) in zip(KINDS, read.items(), strict=False):
            name = joined(layer, kind)
            if name not in shapes:
                lines.append(f"missing: {safe(name)}, which is {arg} of {step}")
                continue
            found[name] = arg
            axes = operand.partition("[")[2].rstrip("]").split(",")
            if len(shapes[name]) != len(axes):
                lines.append(
                    f"{brief(name)} has shape {dims(shapes[name])}; {step} reads {arg} as {operand}"
                )
        extra = [k for k in KINDS[len(read) :] if joined(layer, k) in shapes]
        lines += [f"{brief(joined(layer, kind))} is not read by {step}" for kind in extra]
    if len(layers) != len(reads):
        file = f"{plural(len(layers), 'layer')} in the file, {', '.join(map(brief, layers[:8]))}"
        lines.append(f"{file}; {plural(len(reads), 'step')} with parameters: {', '.join(reads)}")
    return found, lines


def _read_by(steps: Sequence[Step]) -> Mapping[str, dict[str, str]]:
    """For each step that has parameters: K[d,c,r] as the op writes it, and its name.

    What a step before it has read already is not read again.
    """
    made = {step.name for step in steps}
    seen: set[str] = set()
    found: dict[str, dict[str, str]] = {}
    for step in steps:
        own = {}
        for operand in step.op.parsed.inputs:
            arg = step.called.get(operand.name)
            if operand.name in step.op.parameters and arg is not None and arg not in made | seen:
                own[str(operand)] = arg
        seen.update(own.values())
        if own:
            found[step.who] = own
    return found
