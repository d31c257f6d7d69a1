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
TRUNCATED = """\
class RNN:
    def forward_propagation(self, x):
        T = len(x)
        s = np.zeros((T + 1, self.hidden_dim))
        s[-1] = np.zeros(self.hidden_dim)
        o = np.zeros((T, self.word_dim))
        for t in np.arange(T):
            s[t] = np.tanh(self.U[:,x[t]] + self.W.dot(s[t-1]))
            o[t] = softmax(self.V.dot(s[t]))
        return [o, s]

    def bptt(self, x, y):
        T = len(y)
        o, s = self.forward_propagation(x)
        dLdU = np.zeros(self.U.shape)
        dLdV = np.zeros(self.V.shape)
        dLdW = np.zeros(self.W.shape)
        delta_o = o
        delta_o[np.arange(len(y)), y] -= 1.
        for t in np.arange(T)[::-1]:
            dLdV += np.outer(delta_o[t], s[t].T)
            delta_t = self.V.T.dot(delta_o[t]) * (1 - (s[t] ** 2))
            for bptt_step in np.arange(max(0, t-self.bptt_truncate), t+1)[::-1]:
                dLdW += np.outer(delta_t, s[bptt_step-1])
                dLdU[:,x[bptt_step]] += delta_t
                delta_t = self.W.T.dot(delta_t) * (1 - s[bptt_step-1] ** 2)
        return [dLdU, dLdV, dLdW]
"""
CACHES_UNDER_STEPS = """\
def forward_step(x, prev_h, prev_c, Wx, Wh, b):
    N, H = prev_h.shape
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, 0:H])
    f = sigmoid(a[:, H:2*H])
    o = sigmoid(a[:, 2*H:3*H])
    g = np.tanh(a[:, 3*H:4*H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (i, f, o, g, a, x, Wx, Wh, prev_h, prev_c, next_c)
    return next_h, next_c, cache


def backward_step(dnext_h, dnext_c, cache):
    i, f, o, g, a, x, Wx, Wh, prev_h, prev_c, next_c = cache
    tanh_c = np.tanh(next_c)
    dnext_c += dnext_h * o * (1 - tanh_c ** 2)
    do = dnext_h * tanh_c
    df = dnext_c * prev_c
    dprev_c = dnext_c * f
    di = dnext_c * g
    dg = dnext_c * i
    di, df, do = i * (1 - i) * di, f * (1 - f) * df, o * (1 - o) * do
    da = np.concatenate([di, df, do, (1 - g**2) * dg], axis=1)
    dx = da.dot(Wx.T)
    dWx = x.T.dot(da)
    dprev_h = da.dot(Wh.T)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    cache = {}
    prev_h = h0
    prev_c = np.zeros((N, H))
    for t in range(T):
        prev_h, prev_c, cache[t] = forward_step(x[:, t], prev_h, prev_c, Wx, Wh, b)
        h[:, t, :] = prev_h
    return h, cache


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][5].shape[1]
    dx = np.zeros((N, T, D))
    dWx = np.zeros((D, 4 * H))
    dWh = np.zeros((H, 4 * H))
    db = np.zeros(4 * H)
    dprev_h = np.zeros((N, H))
    dprev_c = np.zeros((N, H))
    for t in reversed(range(T)):
        step = backward_step(dh[:, t, :] + dprev_h, dprev_c, cache[t])
        dx[:, t, :], dprev_h, dprev_c, dWx_t, dWh_t, db_t = step
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db
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
    "back from each step, without biases": Style(
        "RNNCell",
        TRUNCATED,
        [
            ("np.outer(delta_t, s[bptt_step-1])", "np.outer(delta_t, s[bptt_step])"),
            ("dLdV += np.outer(delta_o[t], s[t].T)", "dLdV += np.outer(delta_o[t], s[t-1].T)"),
            (" * (1 - (s[t] ** 2))", ""),
            ("dLdU[:,x[bptt_step]]", "dLdU[:,x[t]]"),
        ],
    ),
    "an lstm with its caches under the steps": Style(
        "LSTMCell",
        CACHES_UNDER_STEPS,
        [
            ("dprev_c = dnext_c * f", "dprev_c = dnext_c * i"),
            ("db += db_t", "db = db_t"),
            ("next_c = f * prev_c + i * g", "next_c = i * prev_c + f * g"),
        ],
    ),
}
