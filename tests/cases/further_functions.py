"""Backward functions in further styles of courses and books, and mistakes to plant in them."""

from backward_functions import Style

RELU_CLASSES = ([3, 7, 11, 5], ["relu", "relu", "softmax"], "cross_entropy")
RELU_BINARY = ([3, 7, 11, 1], ["relu", "relu", "sigmoid"], "bce")
SIGMOID_THREE = ([3, 7, 11, 2], ["sigmoid", "sigmoid", "sigmoid"], "half_squared_error")
SIGMOID_BINARY = ([3, 7, 11, 2], ["sigmoid", "sigmoid", "sigmoid"], "bce")
SIGMOID_CLASSES = ([3, 7, 5], ["sigmoid", "softmax"], "cross_entropy")
SIGMOID_SQUARES = ([3, 7, 2], ["sigmoid", "sigmoid"], "half_squared_error")
TANH_CLASSES = ([3, 7, 5], ["tanh", "softmax"], "cross_entropy")
TANH_LINEAR = ([3, 7, 2], ["tanh", "identity"], "half_squared_error")

STYLES = {
    "helpers for each layer and a list of caches": Style(
        RELU_BINARY,
        """\
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1./m * np.dot(dZ, A_prev.T)
    db = 1./m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db

def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ

def sigmoid_backward(dA, cache):
    Z = cache
    s = 1/(1+np.exp(-Z))
    dZ = dA * s * (1-s)
    return dZ

def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
        dA_prev, dW, db = linear_backward(dZ, linear_cache)
    return dA_prev, dW, db

def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    m = AL.shape[1]
    Y = Y.reshape(AL.shape)
    dAL = - (np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    current_cache = caches[L-1]
    found = linear_activation_backward(dAL, current_cache, activation="sigmoid")
    grads["dA" + str(L-1)], grads["dW" + str(L)], grads["db" + str(L)] = found
    for l in reversed(range(L-1)):
        current_cache = caches[l]
        dA_prev_temp, dW_temp, db_temp = linear_activation_backward(
            grads["dA" + str(l + 1)], current_cache, activation="relu")
        grads["dA" + str(l)] = dA_prev_temp
        grads["dW" + str(l + 1)] = dW_temp
        grads["db" + str(l + 1)] = db_temp
    return grads
""",
        [
            (
                "np.divide(Y, AL) - np.divide(1 - Y, 1 - AL)",
                "np.divide(Y, AL) + np.divide(1 - Y, 1 - AL)",
            ),
        ],
    ),
    "a mini-batch, and a cost with a delta of its own": Style(
        SIGMOID_BINARY,
        """\
def update_mini_batch(self, mini_batch, eta, lmbda, n):
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    for x, y in mini_batch:
        delta_nabla_b, delta_nabla_w = self.backprop(x, y)
        nabla_b = [nb+dnb for nb, dnb in zip(nabla_b, delta_nabla_b)]
        nabla_w = [nw+dnw for nw, dnw in zip(nabla_w, delta_nabla_w)]
    self.weights = [(1-eta*(lmbda/n))*w-(eta/len(mini_batch))*nw
                    for w, nw in zip(self.weights, nabla_w)]
    self.biases = [b-(eta/len(mini_batch))*nb
                   for b, nb in zip(self.biases, nabla_b)]

def backprop(self, x, y):
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(self.biases, self.weights):
        z = np.dot(w, activation)+b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = (self.cost).delta(zs[-1], activations[-1], y)
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, self.num_layers):
        z = zs[-l]
        sp = sigmoid_prime(z)
        delta = np.dot(self.weights[-l+1].transpose(), delta) * sp
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())
    return (nabla_b, nabla_w)
""",
        [
            ("self.weights[-l+1].transpose()", "self.weights[-l].transpose()"),
            (
                "nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())",
                "nabla_w[-l] = np.dot(delta, activations[-l].transpose())",
            ),
        ],
    ),
    "the examples of a batch by their index, l2 as a number": Style(
        SIGMOID_CLASSES,
        """\
def _backprop(self, X_train, y_train_enc, batch_idx):
    z_h, a_h, z_out, a_out = self._forward(X_train[batch_idx])
    delta_out = a_out - y_train_enc[batch_idx]
    sigmoid_derivative_h = a_h * (1. - a_h)
    delta_h = (np.dot(delta_out, self.w_out.T) * sigmoid_derivative_h)
    grad_w_h = np.dot(X_train[batch_idx].T, delta_h)
    grad_b_h = np.sum(delta_h, axis=0)
    grad_w_out = np.dot(a_h.T, delta_out)
    grad_b_out = np.sum(delta_out, axis=0)
    delta_w_h = (grad_w_h + self.l2 * self.w_h)
    delta_b_h = grad_b_h
    self.w_h -= self.eta * delta_w_h
    self.b_h -= self.eta * delta_b_h
    delta_w_out = (grad_w_out + self.l2 * self.w_out)
    delta_b_out = grad_b_out
    self.w_out -= self.eta * delta_w_out
    self.b_out -= self.eta * delta_b_out
""",
        [
            ("a_h * (1. - a_h)", "a_h * (1. + a_h)"),
            (
                "grad_w_h = np.dot(X_train[batch_idx].T, delta_h)",
                "grad_w_h = np.dot(X_train[batch_idx].T, delta_out)",
            ),
            ("grad_b_h = np.sum(delta_h, axis=0)", "grad_b_h = np.sum(delta_h, axis=1)"),
        ],
    ),
    "means of squares kept for each parameter": Style(
        TANH_CLASSES,
        """\
def train_step(X, Y, params, cache, lr=1e-3, decay=0.9, eps=1e-8):
    N = X.shape[0]
    W1, b1 = params['W1'], params['b1']
    W2, b2 = params['W2'], params['b2']
    h = np.tanh(X @ W1 + b1)
    scores = h @ W2 + b2
    scores -= scores.max(axis=1, keepdims=True)
    probs = np.exp(scores)
    probs /= probs.sum(axis=1, keepdims=True)
    dscores = probs.copy()
    dscores[np.arange(N), Y] -= 1
    dscores /= N
    grads = {}
    grads['W2'] = h.T @ dscores
    grads['b2'] = dscores.sum(axis=0)
    dh = dscores @ W2.T
    dh_raw = (1 - h * h) * dh
    grads['W1'] = X.T @ dh_raw
    grads['b1'] = dh_raw.sum(axis=0)
    for k in params:
        cache[k] = decay * cache[k] + (1 - decay) * grads[k] ** 2
        params[k] -= lr * grads[k] / (np.sqrt(cache[k]) + eps)
    return params, cache
""",
        [
            ("dh_raw = (1 - h * h) * dh", "dh_raw = (1 - h) * dh"),
            ("grads['b1'] = dh_raw.sum(axis=0)", "grads['b1'] = dh.sum(axis=0)"),
        ],
    ),
    "moments and a counter of steps": Style(
        RELU_CLASSES,
        """\
class Net:
    def backward(self, X, y):
        m = X.shape[0]
        delta3 = self.a3.copy()
        delta3[range(m), y] -= 1
        delta3 /= m
        self.dW3 = self.a2.T.dot(delta3)
        self.db3 = np.sum(delta3, axis=0, keepdims=True)
        delta2 = delta3.dot(self.W3.T) * np.where(self.z2 > 0, 1, 0)
        self.dW2 = self.a1.T.dot(delta2)
        self.db2 = np.sum(delta2, axis=0, keepdims=True)
        delta1 = delta2.dot(self.W2.T) * np.where(self.z1 > 0, 1, 0)
        self.dW1 = X.T.dot(delta1)
        self.db1 = np.sum(delta1, axis=0, keepdims=True)
        self.t += 1
        self.mW1 = self.beta1 * self.mW1 + (1 - self.beta1) * self.dW1
        self.vW1 = self.beta2 * self.vW1 + (1 - self.beta2) * self.dW1 ** 2
        m_hat = self.mW1 / (1 - self.beta1 ** self.t)
        v_hat = self.vW1 / (1 - self.beta2 ** self.t)
        self.W1 -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
""",
        [
            ("delta3[range(m), y] -= 1", "delta3[range(m), y] += 1"),
            ("delta1 = delta2.dot(self.W2.T)", "delta1 = delta3.dot(self.W3.T).dot(self.W2.T)"),
            ("np.where(self.z1 > 0, 1, 0)", "np.where(self.z1 > 0, 0, 1)"),
        ],
    ),
    "velocities": Style(
        SIGMOID_CLASSES,
        """\
def step(X, Y, W1, b1, W2, b2, V_dW1, V_db1, V_dW2, V_db2, beta, learning_rate):
    m_batch = X.shape[1]
    Z1 = np.matmul(W1, X) + b1
    A1 = sigmoid(Z1)
    Z2 = np.matmul(W2, A1) + b2
    A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)
    dZ2 = A2 - Y
    dW2 = (1./m_batch) * np.matmul(dZ2, A1.T)
    db2 = (1./m_batch) * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.matmul(W2.T, dZ2)
    dZ1 = dA1 * sigmoid(Z1) * (1 - sigmoid(Z1))
    dW1 = (1./m_batch) * np.matmul(dZ1, X.T)
    db1 = (1./m_batch) * np.sum(dZ1, axis=1, keepdims=True)
    V_dW1 = (beta * V_dW1 + (1. - beta) * dW1)
    V_db1 = (beta * V_db1 + (1. - beta) * db1)
    V_dW2 = (beta * V_dW2 + (1. - beta) * dW2)
    V_db2 = (beta * V_db2 + (1. - beta) * db2)
    W2 = W2 - learning_rate * V_dW2
    b2 = b2 - learning_rate * V_db2
    W1 = W1 - learning_rate * V_dW1
    b1 = b1 - learning_rate * V_db1
""",
        [
            ("dZ1 = dA1 * sigmoid(Z1) * (1 - sigmoid(Z1))", "dZ1 = dA1 * sigmoid(Z1) * (1 - Z1)"),
            (
                "A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=0)",
                "A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=1)",
            ),
            (
                "db1 = (1./m_batch) * np.sum(dZ1, axis=1, keepdims=True)",
                "db1 = (1./m_batch) * np.sum(dZ1, axis=0, keepdims=True)",
            ),
        ],
    ),
    "parameters unpacked by a generator": Style(
        RELU_CLASSES,
        """\
def loss(self, X, y):
    W1, b1, W2, b2, W3, b3 = (self.params[k] for k in ['W1', 'b1', 'W2', 'b2', 'W3', 'b3'])
    h1 = np.maximum(0, X.dot(W1) + b1)
    h2 = np.maximum(0, h1.dot(W2) + b2)
    scores = h2.dot(W3) + b3
    N = X.shape[0]
    shift = scores - scores.max(axis=1)[:, np.newaxis]
    log_probs = shift - np.log(np.exp(shift).sum(axis=1))[:, np.newaxis]
    dscores = np.exp(log_probs)
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW3 = h2.T.dot(dscores) + self.reg * W3
    db3 = dscores.sum(axis=0)
    dh2 = dscores.dot(W3.T) * (h2 > 0)
    dW2 = h1.T.dot(dh2) + self.reg * W2
    db2 = dh2.sum(axis=0)
    dh1 = dh2.dot(W2.T) * (h1 > 0)
    dW1 = X.T.dot(dh1) + self.reg * W1
    db1 = dh1.sum(axis=0)
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2, W3=dW3, b3=db3)
""",
        [
            ("dh1 = dh2.dot(W2.T) * (h1 > 0)", "dh1 = dh2.dot(W2.T) * (h2 > 0)"),
            ("dW1 = X.T.dot(dh1) + self.reg * W1", "dW1 = X.T.dot(dh1) + self.reg * W2"),
            ("db2 = dh2.sum(axis=0)", "db2 = dh2.sum(axis=1)"),
            ("dW3 = h2.T.dot(dscores)", "dW3 = h1.T.dot(dscores)"),
        ],
    ),
    "gradients inserted in front": Style(
        SIGMOID_THREE,
        """\
def backprop(weights, biases, x, y):
    a = [x]
    z = []
    for W, b in zip(weights, biases):
        z.append(a[-1] @ W + b)
        a.append(sigmoid(z[-1]))
    delta = (a[-1] - y) * sigmoid_prime(z[-1]) / x.shape[0]
    dW, db = [], []
    for i in reversed(range(len(weights))):
        dW.insert(0, a[i].T @ delta)
        db.insert(0, delta.sum(axis=0))
        if i > 0:
            delta = delta @ weights[i].T * sigmoid_prime(z[i - 1])
    return dW, db
""",
        [
            ("dW.insert(0, a[i].T @ delta)", "dW.insert(0, a[i + 1].T @ delta)"),
            (
                "delta @ weights[i].T * sigmoid_prime(z[i - 1])",
                "delta @ weights[i].T * sigmoid(z[i - 1])",
            ),
        ],
    ),
    "masks of dropout": Style(
        RELU_BINARY,
        """\
def backward_propagation_with_dropout(X, Y, cache, keep_prob):
    m = X.shape[1]
    (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = A3 - Y
    dW3 = 1./m * np.dot(dZ3, A2.T)
    db3 = 1./m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dA2 = dA2 * D2
    dA2 = dA2 / keep_prob
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    dW2 = 1./m * np.dot(dZ2, A1.T)
    db2 = 1./m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dA1 = dA1 * D1
    dA1 = dA1 / keep_prob
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1./m * np.dot(dZ1, X.T)
    db1 = 1./m * np.sum(dZ1, axis=1, keepdims=True)
""",
        [
            ("dW2 = 1./m * np.dot(dZ2, A1.T)", "dW2 = 1./m * np.dot(dZ3, A1.T)"),
            ("dA1 = np.dot(W2.T, dZ2)", "dA1 = np.dot(W2, dZ2)"),
        ],
    ),
    "gradients called g": Style(
        TANH_LINEAR,
        """\
def grad(params, X, Y):
    (W1, b1), (W2, b2) = params
    H = np.tanh(X @ W1 + b1)
    Yhat = H @ W2 + b2
    E = Yhat - Y
    n = len(X)
    gW2 = H.T @ E / n
    gb2 = E.mean(axis=0)
    D = (E @ W2.T) * (1 - H**2)
    gW1 = X.T @ D / n
    gb1 = D.mean(0)
    return [(gW1, gb1), (gW2, gb2)]
""",
        [
            ("D = (E @ W2.T) * (1 - H**2)", "D = (E @ W2.T) * (1 - H)**2"),
            ("gb1 = D.mean(0)", "gb1 = D.mean(1)"),
            ("E = Yhat - Y", "E = Y - Yhat"),
        ],
    ),
    "a bias repeated by tile": Style(
        SIGMOID_THREE,
        """\
def sparse_cost(data, target, W1, W2, W3, b1, b2, b3, lambda_):
    m = data.shape[1]
    z2 = W1.dot(data) + np.tile(b1, (1, m))
    a2 = sigmoid(z2)
    z3 = W2.dot(a2) + np.tile(b2, (1, m))
    a3 = sigmoid(z3)
    z4 = W3.dot(a3) + np.tile(b3, (1, m))
    h = sigmoid(z4)
    delta4 = -(target - h) * h * (1 - h)
    delta3 = W3.T.dot(delta4) * a3 * (1 - a3)
    delta2 = W2.T.dot(delta3) * a2 * (1 - a2)
    W3grad = delta4.dot(a3.T) / m + lambda_ * W3
    W2grad = delta3.dot(a2.T) / m + lambda_ * W2
    W1grad = delta2.dot(data.T) / m + lambda_ * W1
    b3grad = np.sum(delta4, axis=1, keepdims=True) / m
    b2grad = np.sum(delta3, axis=1, keepdims=True) / m
    b1grad = np.sum(delta2, axis=1, keepdims=True) / m
""",
        [
            (
                "W1grad = delta2.dot(data.T) / m + lambda_ * W1",
                "W1grad = delta2.dot(data.T) / m - lambda_ * W1",
            ),
            (
                "delta2 = W2.T.dot(delta3) * a2 * (1 - a2)",
                "delta2 = W2.T.dot(delta3) * a3 * (1 - a2)",
            ),
            ("delta4 = -(target - h) * h * (1 - h)", "delta4 = (target - h) * h * (1 - h)"),
        ],
    ),
    "changes in a dictionary": Style(
        SIGMOID_SQUARES,
        """\
def backward_pass(self, y_train, output):
    params = self.params
    change_w = {}
    error = (output - y_train) / output.shape[0] * self.sigmoid(params['Z2'], derivative=True)
    change_w['W2'] = np.dot(error.T, params['A1'])
    error = np.dot(error, params['W2']) * self.sigmoid(params['Z1'], derivative=True)
    change_w['W1'] = np.dot(error.T, params['A0'])
    return change_w
""",
        [
            (
                "change_w['W1'] = np.dot(error.T, params['A0'])",
                "change_w['W1'] = np.dot(error.T, params['A1'])",
            ),
            (
                "np.dot(error, params['W2']) * self.sigmoid(params['Z1'], derivative=True)",
                "np.dot(error, params['W2']) * self.sigmoid(params['Z1'])",
            ),
        ],
    ),
    "biases counted from 0": Style(
        SIGMOID_SQUARES,
        """\
def nonlin(x, deriv=False):
    if deriv == True:
        return x*(1-x)
    return 1/(1+np.exp(-x))

for j in range(60000):
    l0 = X
    l1 = nonlin(np.dot(l0, syn0) + b0)
    l2 = nonlin(np.dot(l1, syn1) + b1)
    l2_error = y - l2
    if (j % 10000) == 0:
        print("Error:" + str(np.mean(np.abs(l2_error))))
    l2_delta = l2_error*nonlin(l2, deriv=True)
    l1_error = l2_delta.dot(syn1.T)
    l1_delta = l1_error * nonlin(l1, deriv=True)
    syn1 += l1.T.dot(l2_delta)
    syn0 += l0.T.dot(l1_delta)
""",
        [
            ("l1_error = l2_delta.dot(syn1.T)", "l1_error = l2_error.dot(syn1.T)"),
            ("syn0 += l0.T.dot(l1_delta)", "syn0 += l0.T.dot(l1_error)"),
        ],
    ),
}
