"""Right functions that keep gradients in dictionaries of each layer, with the arrays, in Greek."""

from backward_functions import RELU_CLASSES, RELU_TWICE_BINARY, SIGMOID_SQUARES, TANH_LINEAR, Style

KEPT = {
    "a dictionary of each layer": Style(
        RELU_CLASSES,
        """\
def grads_of(model, batch):
    x, y = batch["x"], batch["y"]
    pre = x.dot(model["fc1"]["W"]) + model["fc1"]["b"]
    act = np.maximum(pre, 0)
    logits = act.dot(model["fc2"]["W"]) + model["fc2"]["b"]
    probs = np.exp(logits)
    probs /= probs.sum(axis=1, keepdims=True)
    g = {"fc1": {}, "fc2": {}}
    dlogits = (probs - y) / x.shape[0]
    g["fc2"]["W"] = act.T.dot(dlogits)
    g["fc2"]["b"] = dlogits.sum(0)
    dpre = dlogits.dot(model["fc2"]["W"].T) * (pre > 0)
    g["fc1"]["W"] = x.T.dot(dpre)
    g["fc1"]["b"] = dpre.sum(0)
    return g
""",
        [
            ('g["fc1"]["W"] = x.T.dot(dpre)', 'g["fc1"]["W"] = x.T.dot(act)'),
            ('dot(model["fc2"]["W"].T) * (pre > 0)', 'dot(model["fc2"]["W"].T)'),
            ('g["fc2"]["b"] = dlogits.sum(0)', 'g["fc2"]["b"] = dlogits.mean(0)'),
        ],
    ),
    "with each array": Style(
        TANH_LINEAR,
        """\
def forward_and_backward(inp, targ):
    l1 = inp @ w1 + b1
    l2 = np.tanh(l1)
    out = l2 @ w2 + b2
    out.g = (out - targ) / inp.shape[0]
    l2.g = out.g @ w2.T
    w2.g = l2.T @ out.g
    b2.g = out.g.sum(0)
    l1.g = l2.g * (1 - l2**2)
    w1.g = inp.T @ l1.g
    b1.g = l1.g.sum(0)
""",
        [
            ("l1.g = l2.g * (1 - l2**2)", "l1.g = l2.g * (1 - l1**2)"),
            ("w2.g = l2.T @ out.g", "w2.g = l1.T @ out.g"),
            ("l2.g = out.g @ w2.T", "l2.g = out @ w2.T"),
        ],
    ),
    "deltas in a list": Style(
        RELU_TWICE_BINARY,
        """\
def backprop(weights, biases, x, y):
    acts, zs = [x], []
    for w, b in zip(weights, biases):
        z = acts[-1] @ w + b
        zs.append(z)
        last = len(zs) == len(weights)
        acts.append(1 / (1 + np.exp(-z)) if last else np.maximum(z, 0))
    deltas = [(acts[-1] - y) / len(x)]
    for k in range(len(weights) - 1, 0, -1):
        deltas.insert(0, (deltas[0] @ weights[k].T) * (zs[k - 1] > 0))
    dw = [acts[k].T @ deltas[k] for k in range(len(weights))]
    db = [d.sum(axis=0) for d in deltas]
    return dw, db
""",
        [("* (zs[k - 1] > 0)", "* 1"), ("acts[k].T @ deltas[k]", "zs[k].T @ deltas[k]")],
    ),
    "in Greek": Style(
        SIGMOID_SQUARES,
        """\
def gradient(x, y, W1, b1, W2, b2):
    z1 = np.dot(W1, x) + b1
    a1 = σ(z1)
    z2 = np.dot(W2, a1) + b2
    ŷ = σ(z2)
    δ2 = (ŷ - y) * ŷ * (1 - ŷ)
    δ1 = np.dot(W2.T, δ2) * a1 * (1 - a1)
    return np.dot(δ1, x.T), δ1, np.dot(δ2, a1.T), δ2
""",
        [
            ("δ2 = (ŷ - y) * ŷ * (1 - ŷ)", "δ2 = (ŷ - y) * (1 - ŷ)"),
            ("np.dot(W2.T, δ2) * a1 * (1 - a1)", "np.dot(W2.T, δ2) * a1"),
        ],
    ),
}
