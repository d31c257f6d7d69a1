"""One op between what it reads and a cost that weighs its value: a run with all its gradients."""

from string import ascii_lowercase

import numpy as np

from jacobian_bp.ops import Add, Einsum, Mean
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.program import Program
from jacobian_bp.program.step import Step

FREE = ascii_lowercase.replace("n", "")


def weighed(op, inputs):
    """The forward pass of op(inputs), each input that bends it moved by a parameter of its own.

    The cost is the sum over the entries of the value by weights of their own, so that no two
    of them can be exchanged; of a batch, the mean.
    """
    rng = np.random.default_rng(11)
    names = [operand.name for operand in op.parsed.inputs]
    given = dict(zip(names, inputs, strict=True))
    steps, params, data = [], {}, {}
    for operand in op.parsed.inputs:
        name = operand.name
        if name in op.parameters:
            params[name] = given[name]
            continue
        data[name] = given[name]
        if name in op.differentiable():
            axes = ",".join(FREE[: len(operand.axes)])
            size = given[name].shape[len(given[name].shape) - len(operand.axes) :]
            params[f"p_{name}"] = np.zeros(size, given[name].dtype)
            steps.append(Step(f"m_{name}", Add(axes), (name, f"p_{name}")))
    read = {step.args[0]: step.name for step in steps}
    steps.append(Step("out", op, tuple(read.get(name, name) for name in names)))
    value = np.asarray(op.forward(*inputs))
    rank = len(op.parsed.output.axes)
    letters = FREE[:rank]
    steps.append(Step("weighed", Einsum(f"{letters},{letters}->"), ("out", "weights")))
    data["weights"] = rng.normal(size=value.shape).astype(value.dtype)
    if value.ndim > rank:
        steps.append(Step("cost", Mean(), ("weighed",)))
    return run_forward(Program.build(steps, list(params)), params, data)
