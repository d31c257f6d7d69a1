"""Backward functions of recurrent cells, in the styles of public courses and repositories.

Written before they were first read; each with one mistake. The network is the cell of one step,
or the steps of a sequence: see `recurrent_runs`.
"""

from backward_functions import Style

STYLES = {
    "one step with a cache": Style(
        "RNNCell",
        """\
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(prev_h.dot(Wh) + x.dot(Wx) + b)
    cache = (x, Wx, Wh, prev_h, next_h)
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    x, Wx, Wh, prev_h, next_h = cache
    dtanh = dnext_h * (1 - next_h * next_h)
    dx = dtanh.dot(Wx.T)
    dprev_h = dtanh.dot(Wh.T)
    dWx = x.T.dot(dtanh)
    dWh = prev_h.T.dot(dtanh)
    db = dtanh.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db
""",
        [("(1 - next_h * next_h)", "(1 - next_h)")],
    ),
    "one step in columns with parameters": Style(
        "RNNCell",
        """\
def rnn_cell_backward(da_next, cache):
    (a_next, a_prev, xt, parameters) = cache
    Wax = parameters["Wax"]
    Waa = parameters["Waa"]
    Wya = parameters["Wya"]
    ba = parameters["ba"]
    by = parameters["by"]
    dtanh = (1 - a_next ** 2) * da_next
    dxt = np.dot(Wax.T, dtanh)
    dWax = np.dot(dtanh, xt.T)
    da_prev = np.dot(Waa.T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)
    dba = np.sum(dtanh, axis=1, keepdims=True)
    gradients = {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}
    return gradients
""",
        [("np.dot(Waa.T, dtanh)", "np.dot(Wax.T, dtanh)")],
    ),
    "one step of an lstm with its gates in one array": Style(
        "LSTMCell",
        """\
def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    N, H = prev_h.shape
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, 0:H])
    f = sigmoid(a[:, H:2*H])
    o = sigmoid(a[:, 2*H:3*H])
    g = np.tanh(a[:, 3*H:4*H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tanh_c = np.tanh(next_c)
    do = dnext_h * tanh_c
    dc = dnext_c + dnext_h * o * (1 - tanh_c ** 2)
    df = dc * prev_c
    dprev_c = dc * f
    di = dc * g
    dg = dc * i
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dag = dg * (1 - g ** 2)
    da = np.hstack((dai, daf, dao, dag))
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db
""",
        [("df = dc * prev_c", "df = dc * next_c")],
    ),
    "an lstm with a weight for each gate": Style(
        "LSTMCell",
        """\
def lstm_cell_backward(da_next, dc_next, cache):
    (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters) = cache
    n_x, m = xt.shape
    n_a, m = a_next.shape
    Wf, Wi, Wc, Wo = parameters["Wf"], parameters["Wi"], parameters["Wc"], parameters["Wo"]
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dcct = (dc_next * it + ot * (1 - np.tanh(c_next) ** 2) * it * da_next) * (1 - cct ** 2)
    dit = (dc_next * cct + ot * (1 - np.tanh(c_next) ** 2) * cct * da_next) * it * (1 - it)
    dft = (dc_next * c_prev + ot * (1 - np.tanh(c_next) ** 2) * c_prev * da_next) * ft * (1 - ft)
    concat = np.concatenate((a_prev, xt), axis=0)
    dWf = np.dot(dft, concat.T)
    dWi = np.dot(dit, concat.T)
    dWc = np.dot(dcct, concat.T)
    dWo = np.dot(dot, concat.T)
    dbf = np.sum(dft, axis=1, keepdims=True)
    dbi = np.sum(dit, axis=1, keepdims=True)
    dbc = np.sum(dcct, axis=1, keepdims=True)
    dbo = np.sum(dot, axis=1, keepdims=True)
    da_prev = (np.dot(Wf[:, :n_a].T, dft) + np.dot(Wi[:, :n_a].T, dit)
               + np.dot(Wc[:, :n_a].T, dcct) + np.dot(Wo[:, :n_a].T, dot))
    dc_prev = dc_next * ft + ot * (1 - np.tanh(c_next) ** 2) * ft * da_next
    dxt = (np.dot(Wf[:, n_a:].T, dft) + np.dot(Wi[:, n_a:].T, dit)
           + np.dot(Wc[:, n_a:].T, dcct) + np.dot(Wo[:, n_a:].T, dot))
    return dxt, da_prev, dc_prev, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo
""",
        [("dWi = np.dot(dit, concat.T)", "dWi = np.dot(dft, concat.T)")],
    ),
    "characters with dictionaries of states": Style(
        "characters",
        """\
def lossFun(inputs, targets, hprev):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t-1].T)
        dhnext = np.dot(Whh.T, dhraw)
    for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
        np.clip(dparam, -5, 5, out=dparam)
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs)-1]
""",
        [("np.dot(dhraw, hs[t-1].T)", "np.dot(dhraw, hs[t].T)")],
    ),
    "a time axis in the middle": Style(
        "sequence",
        """\
def rnn_backward(dh, cache):
    x, h0, h, Wx, Wh, b = cache
    N, T, H = dh.shape
    D = x.shape[2]
    dx = np.zeros((N, T, D))
    dWx = np.zeros((D, H))
    dWh = np.zeros((H, H))
    db = np.zeros(H)
    dprev_h = np.zeros((N, H))
    for t in reversed(range(T)):
        prev_h = h0 if t == 0 else h[:, t - 1, :]
        dnext_h = dh[:, t, :] + dprev_h
        da = dnext_h * (1 - h[:, t, :] ** 2)
        dx[:, t, :] = da.dot(Wx.T)
        dprev_h = da.dot(Wh.T)
        dWx += x[:, t, :].T.dot(da)
        dWh += prev_h.T.dot(da)
        db += da.sum(axis=0)
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db
""",
        [("dnext_h = dh[:, t, :] + dprev_h", "dnext_h = dh[:, t, :]")],
    ),
    "u, v and w through time": Style(
        "characters",
        """\
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
        for bptt_step in np.arange(0, t + 1)[::-1]:
            dLdW += np.outer(delta_t, s[bptt_step - 1])
            dLdU[:, x[bptt_step]] += delta_t
            delta_t = self.W.T.dot(delta_t) * (1 - s[bptt_step - 1] ** 2)
    return [dLdU, dLdV, dLdW]
""",
        [("(1 - s[bptt_step - 1] ** 2)", "(1 - s[bptt_step] ** 2)")],
    ),
    "a class with its last states": Style(
        "characters",
        """\
class RNN:
    def __init__(self, input_size, hidden_size, output_size):
        self.Wxh = np.random.randn(hidden_size, input_size) * 0.01
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01
        self.Why = np.random.randn(output_size, hidden_size) * 0.01
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((output_size, 1))

    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        self.last_inputs = inputs
        self.last_hs = {0: h}
        ys = []
        for i, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.last_hs[i + 1] = h
            ys.append(self.Why @ h + self.by)
        return ys

    def backward(self, dys):
        n = len(self.last_inputs)
        dWxh = np.zeros(self.Wxh.shape)
        dWhh = np.zeros(self.Whh.shape)
        dWhy = np.zeros(self.Why.shape)
        dbh = np.zeros(self.bh.shape)
        dby = np.zeros(self.by.shape)
        dh_next = np.zeros(self.last_hs[0].shape)
        for t in reversed(range(n)):
            dWhy += dys[t] @ self.last_hs[t + 1].T
            dby += dys[t]
            dh = self.Why.T @ dys[t] + dh_next
            dz = (1 - self.last_hs[t + 1] ** 2) * dh
            dbh += dz
            dWhh += dz @ self.last_hs[t].T
            dWxh += dz @ self.last_inputs[t].T
            dh_next = self.Whh.T @ dz
        return dWxh, dWhh, dWhy, dbh, dby
""",
        [("dh_next = self.Whh.T @ dz", "dh_next = self.Whh @ dz")],
    ),
    "an elman network with lists": Style(
        "characters",
        """\
def backward(xs, targets, states, probs, U, W, V, b, c):
    dU = np.zeros_like(U)
    dW = np.zeros_like(W)
    dV = np.zeros_like(V)
    db = np.zeros_like(b)
    dc = np.zeros_like(c)
    dh_next = np.zeros_like(b)
    for t in range(len(xs) - 1, -1, -1):
        do = probs[t] - targets[t]
        dV += np.outer(do, states[t])
        dc += do
        dh = V.T @ do + dh_next
        da = dh * (1 - states[t] ** 2)
        dU += np.outer(da, xs[t])
        dW += np.outer(da, states[t - 1])
        db += da
        dh_next = W.T @ da
    return dU, dW, dV, db, dc
""",
        [("dc += do", "dc += do * states[t]")],
    ),
    "a gru in one step": Style(
        "GRUCell",
        """\
def gru_step_backward(dh_next, cache):
    x, h_prev, z, r, n, hn, Wr, Wz, Wn, Ur, Uz, Un = cache
    dn = dh_next * (1 - z)
    dz = dh_next * (h_prev - n)
    dh_prev = dh_next * z
    dan = dn * (1 - n ** 2)
    dr = dan * hn
    daz = dz * z * (1 - z)
    dar = dr * r * (1 - r)
    dx = dar @ Wr.T + daz @ Wz.T + dan @ Wn.T
    dh_prev = dh_prev + dar @ Ur.T + daz @ Uz.T + (dan * r) @ Un.T
    dWr = x.T @ dar
    dWz = x.T @ daz
    dWn = x.T @ dan
    dUr = h_prev.T @ dar
    dUz = h_prev.T @ daz
    dUn = h_prev.T @ (dan * r)
    dbr = dar.sum(axis=0)
    dbz = daz.sum(axis=0)
    dbn = dan.sum(axis=0)
    return dx, dh_prev, dWr, dWz, dWn, dUr, dUz, dUn, dbr, dbz, dbn
""",
        [("dUn = h_prev.T @ (dan * r)", "dUn = h_prev.T @ dan")],
    ),
}
