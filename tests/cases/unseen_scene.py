"""A network with its right derivatives, and two ops of one's own, for mistakes in layers."""

import numpy as np

from jacobian_bp import Network, Op, delta, dense

LOSS = ("L = HalfSquaredError({}, y)", "J = Mean(L)")


class Scene:
    """A network with its right derivatives."""

    def __init__(self, lines, params, data, loss=True):
        text = [*lines]
        if loss:
            text += [LOSS[0].format(lines[-1].split(" = ")[0]), LOSS[1]]
        own = {"Swish": Swish, "Bilinear": Bilinear}
        ops = {name: op for name, op in own.items() if any(name in line for line in text)}
        net = Network.program("\n".join(text), params=params, ops=ops)
        self.run = net.run(**data)
        self.v = {name: np.array(self.run[name]) for name in self.run}
        self.gradients = self.run.gradients()

    def d(self, name):
        if name in self.gradients:
            return self.gradients[name]
        return self.run.jacobian("J", name).materialise().reshape(self.v[name].shape)

    def plant(self, name, key, wrong, labels, *given):
        arrays = {one: self.d(one) for one in given} | {key: wrong}
        return name, self.run, arrays, key, labels


def whole(*lines, params, **data):
    """The scene of a network whose lines go on to its cost."""
    return Scene(lines, params, data, loss=False)


class Swish(Op):
    """a = z σ(z)."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return z / (1 + np.exp(-z))

    def jacobians(self, z):
        s = 1 / (1 + np.exp(-z))
        return {"z": delta("k,k'") * (dense("s[k]", s) + dense("z s (1−s)[k]", z * s * (1 - s)))}

    def vjp(self, bar, z):
        s = 1 / (1 + np.exp(-z))
        return {"z": bar * (s + z * s * (1 - s))}


class Bilinear(Op):
    """c[k] = a[k] s b[k], with one number s for all."""

    signature = "a[k], b[k], s[] -> c[k]"
    parameters = ("s",)

    def forward(self, a, b, s):
        return s * a * b

    def jacobians(self, a, b, s):
        own = delta("k,k'")
        return {
            "a": own * dense("s", s) * dense("b[k]", b),
            "b": own * dense("s", s) * dense("a[k]", a),
            "s": dense("a[k]", a) * dense("b[k]", b),
        }

    def vjp(self, bar, a, b, s):
        return {"a": bar * s * b, "b": bar * s * a, "s": np.asarray((bar * a * b).sum())}
