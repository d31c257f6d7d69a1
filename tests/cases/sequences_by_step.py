"""Steps of recurrent cells with every gate in a list of its own, or gradients called g."""

from backward_functions import Style

GATES_IN_LISTS = """\
def through_time(xs, h, c, i, f, o, g, Wx, Wh, b, dhs):
    T = len(xs)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh_next, dc_next = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in reversed(range(T)):
        dh = dhs[t] + dh_next
        tc = np.tanh(c[t + 1])
        do = dh * tc * o[t] * (1 - o[t])
        dc = dc_next + dh * o[t] * (1 - tc**2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t] * f[t] * (1 - f[t])
        dg = dc * i[t] * (1 - g[t] ** 2)
        da = np.concatenate([di, df, do, dg], axis=1)
        dWx += xs[t].T @ da
        dWh += h[t].T @ da
        db += da.sum(axis=0)
        dh_next = da @ Wh.T
        dc_next = dc * f[t]
    return dWx, dWh, db
"""
CALLED_G = """\
def loss_and_grads(xs, targets, h0, Wxh, Whh, Why, bh, by):
    T = len(xs)
    hs, ys = {-1: h0}, {}
    for t in range(T):
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        ys[t] = Why @ hs[t] + by
    gWxh, gWhh, gWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    gbh, gby = np.zeros_like(bh), np.zeros_like(by)
    carry = np.zeros_like(h0)
    for t in reversed(range(T)):
        gy = ys[t] - targets[t]
        gWhy += gy @ hs[t].T
        gby += gy
        gh = Why.T @ gy + carry
        ga = gh * (1 - hs[t] * hs[t])
        gWxh += ga @ xs[t].T
        gWhh += ga @ hs[t - 1].T
        gbh += ga
        carry = Whh.T @ ga
    return gWxh, gWhh, gWhy, gbh, gby
"""
BY_STEP = {
    "an lstm with lists of gates": Style(
        "LSTMCell",
        GATES_IN_LISTS,
        [
            ("dc_next = dc * f[t]", "dc_next = dc * i[t]"),
            ("dh = dhs[t] + dh_next", "dh = dhs[t] * dh_next"),
            ("dc = dc_next + dh * o[t]", "dc = dh * o[t]"),
            ("do = dh * tc", "do = dh * c[t + 1]"),
            ("dWh += h[t].T @ da", "dWh += h[t + 1].T @ da"),
        ],
    ),
    "gradients called g, states from -1": Style(
        "sequence",
        CALLED_G,
        [
            ("gWhh += ga @ hs[t - 1].T", "gWhh += ga @ hs[t].T"),
            ("carry = Whh.T @ ga", "carry = Whh.T @ gh"),
            ("ga = gh * (1 - hs[t] * hs[t])", "ga = gh"),
            ("gWhy += gy @ hs[t].T", "gWhy += gy @ hs[t - 1].T"),
        ],
    ),
}
