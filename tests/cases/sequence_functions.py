"""Backpropagation through time in the styles of public courses, and mistakes to plant in it.

The network is a recurrent cell: its steps are read where a text goes through them in a loop.
"""

from backward_functions import Style

RNN_STEPS = """\
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    cache = x, prev_h, Wx, Wh, next_h
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    caches = []
    prev_h = h0
    for t in range(T):
        prev_h, cache = rnn_step_forward(x[:, t, :], prev_h, Wx, Wh, b)
        h[:, t, :] = prev_h
        caches.append(cache)
    return h, caches


def rnn_backward(dh, caches):
    N, T, H = dh.shape
    D = caches[0][0].shape[1]
    dx = np.zeros((N, T, D))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev_h = np.zeros((N, H))
    for t in reversed(range(T)):
        dnext_h = dh[:, t, :] + dprev_h
        dx[:, t, :], dprev_h, dWx_t, dWh_t, db_t = rnn_step_backward(dnext_h, caches[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db
"""

LSTM_STEPS = """\
def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tanh_c = np.tanh(next_c)
    do = dnext_h * tanh_c
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    df, dprev_c = dc * prev_c, dc * f
    di, dg = dc * g, dc * i
    da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    x = cache[0][0]
    D = x.shape[1]
    dx = np.zeros((N, T, D))
    dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    dprev_h, dprev_c = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dnext_h = dh[:, t, :] + dprev_h
        dx_t, dprev_h, dprev_c, dWx_t, dWh_t, db_t = lstm_step_backward(dnext_h, dprev_c, cache[t])
        dx[:, t, :] = dx_t
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dprev_h, dWx, dWh, db
"""

COLUMNS = """\
def rnn_cell_backward(da_next, cache):
    (a_next, a_prev, xt, parameters) = cache
    Wax, Waa = parameters["Wax"], parameters["Waa"]
    dtanh = (1 - a_next**2) * da_next
    dxt = np.dot(Wax.T, dtanh)
    dWax = np.dot(dtanh, xt.T)
    da_prev = np.dot(Waa.T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)
    dba = np.sum(dtanh, axis=1, keepdims=True)
    return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def rnn_backward(da, caches):
    (caches, x) = caches
    (a1, a0, x1, parameters) = caches[0]
    n_a, m, T_x = da.shape
    n_x, m = x1.shape
    dx = np.zeros((n_x, m, T_x))
    dWax = np.zeros((n_a, n_x))
    dWaa = np.zeros((n_a, n_a))
    dba = np.zeros((n_a, 1))
    da_prevt = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        gradients = rnn_cell_backward(da[:, :, t] + da_prevt, caches[t])
        dxt, da_prevt = gradients["dxt"], gradients["da_prev"]
        dx[:, :, t] = dxt
        dWax += gradients["dWax"]
        dWaa += gradients["dWaa"]
        dba += gradients["dba"]
    da0 = da_prevt
    return {"dx": dx, "da0": da0, "dWax": dWax, "dWaa": dWaa, "dba": dba}
"""

LISTS = """\
def train_step(xs, targets, h0, Wxh, Whh, Why, bh, by):
    hs, ps = [h0], []
    for x in xs:
        h = np.tanh(Wxh @ x + Whh @ hs[-1] + bh)
        scores = Why @ h + by
        e = np.exp(scores - np.max(scores))
        hs.append(h)
        ps.append(e / e.sum())
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dh_next = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        dscores = ps[t] - targets[t]
        dWhy += np.outer(dscores, hs[t + 1])
        dby += dscores
        dh = Why.T @ dscores + dh_next
        dz = dh * (1 - hs[t + 1] ** 2)
        dbh += dz
        dWxh += np.outer(dz, xs[t])
        dWhh += np.outer(dz, hs[t])
        dh_next = Whh.T @ dz
    for grad in (dWxh, dWhh, dWhy, dbh, dby):
        np.clip(grad, -5, 5, out=grad)
    return dWxh, dWhh, dWhy, dbh, dby
"""

LAST_ALONE = """\
class RNN:
    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        self.last_inputs = inputs
        self.last_hs = {0: h}
        for i, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.last_hs[i + 1] = h
        y = self.Why @ h + self.by
        return y, h

    def backprop(self, d_y, learn_rate=2e-2):
        n = len(self.last_inputs)
        d_Why = d_y @ self.last_hs[n].T
        d_by = d_y
        d_Whh = np.zeros(self.Whh.shape)
        d_Wxh = np.zeros(self.Wxh.shape)
        d_bh = np.zeros(self.bh.shape)
        d_h = self.Why.T @ d_y
        for t in reversed(range(n)):
            temp = (1 - self.last_hs[t + 1] ** 2) * d_h
            d_bh += temp
            d_Whh += temp @ self.last_hs[t].T
            d_Wxh += temp @ self.last_inputs[t].T
            d_h = self.Whh.T @ temp
        for d in [d_Wxh, d_Whh, d_Why, d_bh, d_by]:
            np.clip(d, -1, 1, out=d)
        self.Whh -= learn_rate * d_Whh
        self.Wxh -= learn_rate * d_Wxh
        self.Why -= learn_rate * d_Why
        self.bh -= learn_rate * d_bh
        self.by -= learn_rate * d_by
"""

SHARED_NAMES = """\
def loss_and_grads(X, y, h0, Wx, Wh, b, Wy, by):
    N, T, D = X.shape
    hs = [h0]
    for t in range(T):
        hs.append(np.tanh(X[:, t] @ Wx + hs[-1] @ Wh + b))
    dWx, dWh, db, dWy, dby = [np.zeros_like(p) for p in (Wx, Wh, b, Wy, by)]
    dh = np.zeros_like(h0)
    for t in range(T, 0, -1):
        s = hs[t] @ Wy + by
        p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        ds = p - y[:, t - 1]
        dWy += hs[t].T @ ds
        dby += ds.sum(0)
        dh = dh + ds @ Wy.T
        dz = dh * (1 - hs[t] ** 2)
        dWx += X[:, t - 1].T @ dz
        dWh += hs[t - 1].T @ dz
        db += dz.sum(0)
        dh = dz @ Wh.T
    return dWx, dWh, db, dWy, dby
"""

SEQUENCES = {
    "a loss of the last step, with an update": Style(
        "RNNCell",
        LAST_ALONE,
        [
            ("temp @ self.last_hs[t].T", "temp @ self.last_hs[t + 1].T"),
            ("d_h = self.Whh.T @ temp", "d_h = self.Whh @ temp"),
            ("d_h = self.Why.T @ d_y", "d_h = self.Why @ d_y"),
            ("self.bh -= learn_rate * d_bh", "self.bh += learn_rate * d_bh"),
        ],
    ),
    "one name for what is carried and for the total": Style(
        "RNNCell",
        SHARED_NAMES,
        [
            ("dh = dh + ds @ Wy.T", "dh = ds @ Wy.T"),
            ("dWh += hs[t - 1].T @ dz", "dWh += hs[t].T @ dz"),
            ("db += dz.sum(0)", "db += dh.sum(0)"),
        ],
    ),
    "steps as functions, time in the middle": Style(
        "RNNCell",
        RNN_STEPS,
        [
            ("dnext_h = dh[:, t, :] + dprev_h", "dnext_h = dh[:, t, :]"),
            ("da = dnext_h * (1 - next_h**2)", "da = dnext_h"),
            ("dWh = prev_h.T.dot(da)", "dWh = next_h.T.dot(da)"),
            ("dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh)"),
            ("dWh += dWh_t", "dWh = dWh_t"),
            ("np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)", "np.tanh(x.dot(Wx) + prev_h.dot(Wh))"),
        ],
    ),
    "an lstm, time in the middle": Style(
        "LSTMCell",
        LSTM_STEPS,
        [
            ("dnext_h = dh[:, t, :] + dprev_h", "dnext_h = dh[:, t, :]"),
            ("dc = dnext_c + dnext_h * o", "dc = dnext_h * o"),
            ("df, dprev_c = dc * prev_c, dc * f", "df, dprev_c = dc * prev_c, dc * i"),
            ("do * o * (1 - o)", "do * (1 - o)"),
            ("dWx += dWx_t", "dWx += dWx_t + db_t"),
        ],
    ),
    "steps as functions, time last": Style(
        "RNNCell",
        COLUMNS,
        [
            ("da[:, :, t] + da_prevt", "da[:, :, t]"),
            ("dtanh = (1 - a_next**2) * da_next", "dtanh = (1 - a_next) * da_next"),
            ("da_prev = np.dot(Waa.T, dtanh)", "da_prev = np.dot(Waa, dtanh)"),
            ('dWaa += gradients["dWaa"]', 'dWaa = gradients["dWaa"]'),
        ],
    ),
    "lists that are appended to": Style(
        "characters",
        LISTS,
        [
            ("Whh @ hs[-1] + bh", "Whh @ hs[0] + bh"),
            ("np.outer(dscores, hs[t + 1])", "np.outer(dscores, hs[t])"),
            ("dh = Why.T @ dscores + dh_next", "dh = Why.T @ dscores"),
            ("dz = dh * (1 - hs[t + 1] ** 2)", "dz = dh * (1 - hs[t] ** 2)"),
            ("np.outer(dz, hs[t])", "np.outer(dz, hs[t + 1])"),
            ("dh_next = Whh.T @ dz", "dh_next = Whh @ dz"),
            ("dby += dscores", "dby = dscores"),
        ],
    ),
}
