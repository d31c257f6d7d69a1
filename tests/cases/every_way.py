"""Every way to a gradient, of one random program: the routes, the compiled step, torch."""

import numpy as np
from moved_values import moved_by_rounding
from wide_programs import FRONTS

from jacobian_bp.numbers.rounding import of_sums
from jacobian_bp.program.program_text import OPS
from jacobian_bp.routes.structured import structured

FROM_TORCH = 1e-10
# not drawn by wide_programs: cells, masks, selections, square matrices, windows that are written
LEFT_OUT = {
    *("CausalSoftmax", "Dropout", "Max", "Min", "Inverse", "LogDet", "LogSumExp"),
    *("Det", "Kron", "Vec", "Diag", "Part", "Sin", "Cos", "ConvTranspose1d", "ConvTranspose2d"),
    *("Reshape", "Flatten", "RNNCell", "GRUCell", "LSTMCarry", "LSTMOutput", "GroupNorm", "Hinge"),
}


def kinds(net):
    """The ops that a program reads, an einsum by its class."""
    drawn = [step.partition(" = ")[2].partition("(")[0] for step in net.steps]
    return {"Einsum" if kind not in OPS else kind for kind in drawn}


def apart(net, data, axes):
    """Where two ways differ by more than rounding, as words; nothing where all agree.

    The routes start from the same values: 16·u·Σ|terms|. A compiled step adds in another order in
    its forward pass too, and what a value is off by comes to the gradient as well.
    """
    run = net.run(**data, axes=axes)
    found = []
    agreement = run.check()
    if not agreement.ok:
        found.append(str(agreement))
    vjp = run.gradients("vjp")
    scale = structured(run.forward_pass, list(net.params), magnitudes=True)
    front = FRONTS[axes["x" if "x" in axes else "w"]] if axes else ()
    step = net.compile(batch=front[0] if front else None, axes=axes)
    step(net.params, **{name: np.flip(array) for name, array in data.items()})
    loss, gradients = step(net.params, **data)
    if not abs(loss - run.loss) <= 64 * np.finfo(float).eps * max(1.0, abs(run.loss)):
        found.append(f"compiled cost {loss}, of the run {run.loss}")
    moved = None
    for name, gradient in gradients.items():
        far, bar = np.abs(gradient - vjp[name]), of_sums(scale[name], np.float64)
        if not np.all(far <= bar):
            moved = moved or moved_by_rounding(run, list(net.params))
            if not np.all(far <= bar + moved[name]):
                found.append(f"compiled {name}: {gradient} and {vjp[name]}")
    return found


def from_torch(net, data, axes, cost_and_gradients):
    """The worst difference from torch where it is large; else nothing.

    It is relative to Σ|terms|, or to 1 where that is less: torch's slope of tanh is 1 − t², that
    of a sigmoid s (1 − s), which is 0 or rounding alone where a unit is saturated.
    """
    run = net.run(**data, axes=axes)
    cost, gradients = cost_and_gradients(net, data)
    scale = structured(run.forward_pass, list(net.params), magnitudes=True)
    worst = abs(cost - run.loss) / max(1.0, abs(run.loss))
    for name, own in run.gradients("vjp").items():
        whole = np.maximum(scale[name], 1.0)
        worst = max(worst, float((np.abs(own - gradients[name]) / whole).max()))
    return worst if worst > FROM_TORCH else 0.0
