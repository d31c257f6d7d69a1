"""Backward functions in the styles of public courses: layers as classes.

Written before they were first read; each with one mistake, of many kinds.
"""

from backward_functions import RELU_CLASSES, SIGMOID_SQUARES, SIGMOID_THREE, TANH_LINEAR, Style

SIGMOID_CLASSES = ([3, 7, 2], ["sigmoid", "softmax"], "cross_entropy")
RELU_TWICE_CLASSES = ([3, 7, 11, 2], ["relu", "relu", "softmax"], "cross_entropy")
RELU_LINEAR = ([3, 7, 2], ["relu", "identity"], "half_squared_error")

STYLES = {
    "layers in an ordered dictionary": Style(
        RELU_CLASSES,
        """\
class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = (x <= 0)
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        dx = dout
        return dx


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        out = np.dot(x, self.W) + self.b
        return out

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class SoftmaxWithLoss:
    def __init__(self):
        self.loss = None
        self.y = None
        self.t = None

    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        self.loss = cross_entropy_error(self.y, self.t)
        return self.loss

    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        dx = (self.y - self.t) / batch_size
        return dx


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
        self.params = {}
        self.params['W1'] = weight_init_std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = weight_init_std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

        self.layers = OrderedDict()
        self.layers['Affine1'] = Affine(self.params['W1'], self.params['b1'])
        self.layers['Relu1'] = Relu()
        self.layers['Affine2'] = Affine(self.params['W2'], self.params['b2'])
        self.lastLayer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        y = self.predict(x)
        return self.lastLayer.forward(y, t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = 1
        dout = self.lastLayer.backward(dout)
        layers = list(self.layers.values())
        layers.reverse()
        for layer in layers:
            dout = layer.backward(dout)
        grads = {}
        grads['W1'], grads['b1'] = self.layers['Affine1'].dW, self.layers['Affine1'].db
        grads['W2'], grads['b2'] = self.layers['Affine2'].dW, self.layers['Affine2'].db
        return grads
""",
        [("self.dW = np.dot(self.x.T, dout)", "self.dW = np.dot(dout.T, self.x)")],
    ),
    "a deep net in an ordered dictionary": Style(
        RELU_TWICE_CLASSES,
        """\
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t, self.y = t, softmax(x)
        return cross_entropy_error(self.y, t)

    def backward(self, dout=1):
        return dout * (self.y - self.t) / self.t.shape[0]


class MultiLayerNet:
    def __init__(self, sizes):
        self.params = {}
        for i in range(1, len(sizes)):
            self.params['W' + str(i)] = np.random.randn(sizes[i - 1], sizes[i])
            self.params['b' + str(i)] = np.zeros(sizes[i])
        self.layers = OrderedDict()
        self.num = len(sizes) - 1
        for i in range(1, self.num):
            self.layers['Affine' + str(i)] = Affine(
                self.params['W' + str(i)], self.params['b' + str(i)])
            self.layers['Relu' + str(i)] = Relu()
        self.layers['Affine' + str(self.num)] = Affine(
            self.params['W' + str(self.num)], self.params['b' + str(self.num)])
        self.last_layer = SoftmaxWithLoss()

    def gradient(self, x, t):
        for layer in self.layers.values():
            x = layer.forward(x)
        self.last_layer.forward(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(list(self.layers.values())):
            dout = layer.backward(dout)
        grads = {}
        for i in range(1, self.num + 1):
            grads['W' + str(i)] = self.layers['Affine' + str(i)].dW
            grads['b' + str(i)] = self.layers['Affine' + str(i)].db
        return grads
""",
        [("return dout * self.mask", "return dout * (1 - self.mask)")],
    ),
    "two layers without classes of layers": Style(
        SIGMOID_CLASSES,
        """\
class TwoLayerNet:
    def gradient(self, x, t):
        W1, W2 = self.params['W1'], self.params['W2']
        b1, b2 = self.params['b1'], self.params['b2']
        grads = {}
        batch_num = x.shape[0]
        a1 = np.dot(x, W1) + b1
        z1 = sigmoid(a1)
        a2 = np.dot(z1, W2) + b2
        y = softmax(a2)
        dy = (y - t) / batch_num
        grads['W2'] = np.dot(z1.T, dy)
        grads['b2'] = np.sum(dy, axis=0)
        dz1 = np.dot(dy, W2.T)
        da1 = sigmoid_grad(a1) * dz1
        grads['W1'] = np.dot(x.T, da1)
        grads['b1'] = np.sum(da1, axis=0)
        return grads
""",
        [("da1 = sigmoid_grad(a1) * dz1", "da1 = sigmoid_grad(z1) * dz1")],
    ),
    "params and grads in lists of a model": Style(
        SIGMOID_CLASSES,
        """\
class Sigmoid:
    def __init__(self):
        self.params, self.grads = [], []
        self.out = None

    def forward(self, x):
        out = 1 / (1 + np.exp(-x))
        self.out = out
        return out

    def backward(self, dout):
        dx = dout * (1.0 - self.out) * self.out
        return dx


class Affine:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.x = None

    def forward(self, x):
        W, b = self.params
        out = np.dot(x, W) + b
        self.x = x
        return out

    def backward(self, dout):
        W, b = self.params
        dx = np.dot(dout, W.T)
        dW = np.dot(self.x.T, dout)
        db = np.sum(dout, axis=0)
        self.grads[0][...] = dW
        self.grads[1][...] = db
        return dx


class SoftmaxWithLoss:
    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        return cross_entropy_error(self.y, self.t)

    def backward(self, dout=1):
        dx = (self.y - self.t) * dout / self.t.shape[0]
        return dx


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        I, H, O = input_size, hidden_size, output_size
        W1 = 0.01 * np.random.randn(I, H)
        b1 = np.zeros(H)
        W2 = 0.01 * np.random.randn(H, O)
        b2 = np.zeros(O)
        self.layers = [Affine(W1, b1), Sigmoid(), Affine(W2, b2)]
        self.loss_layer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def forward(self, x, t):
        score = self.predict(x)
        loss = self.loss_layer.forward(score, t)
        return loss

    def backward(self, dout=1):
        dout = self.loss_layer.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout
""",
        [("dx = np.dot(dout, W.T)", "dx = np.dot(dout, dW.T)")],
    ),
    "dense layers that learn, one example": Style(
        TANH_LINEAR,
        """\
class Layer:
    def __init__(self):
        self.input = None
        self.output = None


class Dense(Layer):
    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(output_size, input_size)
        self.bias = np.random.randn(output_size, 1)

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient
        return input_gradient


class Activation(Layer):
    def __init__(self, activation, activation_prime):
        self.activation = activation
        self.activation_prime = activation_prime

    def forward(self, input):
        self.input = input
        return self.activation(self.input)

    def backward(self, output_gradient, learning_rate):
        return np.multiply(output_gradient, self.activation_prime(self.input))


class Tanh(Activation):
    def __init__(self):
        def tanh(x):
            return np.tanh(x)

        def tanh_prime(x):
            return 1 - np.tanh(x) ** 2

        super().__init__(tanh, tanh_prime)
""",
        [
            (
                "self.bias -= learning_rate * output_gradient",
                "self.bias -= learning_rate * input_gradient",
            )
        ],
    ),
    "layers that keep their input and error": Style(
        TANH_LINEAR,
        """\
class FCLayer(Layer):
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5

    def forward_propagation(self, input_data):
        self.input = input_data
        self.output = np.dot(self.input, self.weights) + self.bias
        return self.output

    def backward_propagation(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        weights_error = np.dot(self.input.T, output_error)
        self.weights -= learning_rate * weights_error
        self.bias -= learning_rate * np.sum(output_error, axis=0, keepdims=True)
        return input_error


class TanhLayer(Layer):
    def forward_propagation(self, input_data):
        self.input = input_data
        self.output = np.tanh(self.input)
        return self.output

    def backward_propagation(self, output_error, learning_rate):
        return (1 - np.tanh(self.input) ** 2) * output_error
""",
        [
            (
                "input_error = np.dot(output_error, self.weights.T)",
                "input_error = np.dot(output_error, self.weights)",
            )
        ],
    ),
    "modules with an optimiser": Style(
        RELU_LINEAR,
        """\
class Linear:
    def __init__(self, n_in, n_out):
        self.weight = np.random.randn(n_in, n_out)
        self.bias = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, grad):
        self.grad_weight = self.x.T @ grad
        self.grad_bias = grad.sum(axis=0)
        return grad @ self.weight.T

    def step(self, lr):
        self.weight -= lr * self.grad_weight
        self.bias -= lr * self.grad_bias


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, grad):
        return grad * (self.x > 0).astype(float)

    def step(self, lr):
        pass


class MSELoss:
    def forward(self, pred, target):
        self.pred, self.target = pred, target
        return 0.5 * np.mean(np.sum((pred - target) ** 2, axis=1))

    def backward(self):
        return (self.pred - self.target) / self.pred.shape[0]


class Sequential:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def step(self, lr):
        for layer in self.layers:
            layer.step(lr)


model = Sequential(Linear(3, 7), ReLU(), Linear(7, 2))
loss_fn = MSELoss()
for epoch in range(100):
    pred = model.forward(X)
    loss = loss_fn.forward(pred, Y)
    model.backward(loss_fn.backward())
    model.step(0.1)
""",
        [
            (
                "return (self.pred - self.target) / self.pred.shape[0]",
                "return (self.pred - self.target) / self.pred.shape[1]",
            )
        ],
    ),
    "objects wired one by one": Style(
        RELU_CLASSES,
        """\
class Layer_Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Activation_ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


class Activation_Softmax_Loss_CategoricalCrossentropy:
    def forward(self, inputs, y_true):
        exp_values = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = exp_values / np.sum(exp_values, axis=1, keepdims=True)

    def backward(self, dvalues, y_true):
        samples = len(dvalues)
        self.dinputs = dvalues.copy()
        self.dinputs[range(samples), y_true] -= 1
        self.dinputs = self.dinputs / samples


dense1 = Layer_Dense(3, 7)
activation1 = Activation_ReLU()
dense2 = Layer_Dense(7, 2)
loss_activation = Activation_Softmax_Loss_CategoricalCrossentropy()
dense1.forward(X)
activation1.forward(dense1.output)
dense2.forward(activation1.output)
loss_activation.forward(dense2.output, y)
loss_activation.backward(loss_activation.output, y)
dense2.backward(loss_activation.dinputs)
activation1.backward(dense2.dinputs)
dense1.backward(activation1.dinputs)
""",
        [
            (
                "self.dbiases = np.sum(dvalues, axis=0, keepdims=True)",
                "self.dbiases = np.sum(dvalues, axis=1, keepdims=True)",
            )
        ],
    ),
    "a layer with its activation, rows": Style(
        SIGMOID_THREE,
        """\
class DenseLayer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * np.sqrt(1 / n_in)
        self.b = np.zeros((1, n_out))

    def forward(self, A_prev):
        self.A_prev = A_prev
        self.Z = A_prev @ self.W + self.b
        self.A = 1 / (1 + np.exp(-self.Z))
        return self.A

    def backward(self, dA):
        m = dA.shape[0]
        dZ = dA * self.A * (1 - self.A)
        self.dW = self.A_prev.T @ dZ / m
        self.db = np.sum(dZ, axis=0, keepdims=True) / m
        return dZ @ self.W.T

    def update(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


class Network:
    def __init__(self, sizes):
        self.layers = [DenseLayer(a, b) for a, b in zip(sizes[:-1], sizes[1:])]

    def train_step(self, X, Y, lr):
        A = X
        for layer in self.layers:
            A = layer.forward(A)
        dA = A - Y
        for layer in reversed(self.layers):
            dA = layer.backward(dA)
        for layer in self.layers:
            layer.update(lr)
""",
        [("dZ = dA * self.A * (1 - self.A)", "dZ = dA * self.A_prev * (1 - self.A_prev)")],
    ),
    "forward and backward of single layers": Style(
        SIGMOID_SQUARES,
        """\
def fc_forward(x, w, b):
    return x @ w + b, (x, w)


def fc_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def sigmoid_forward(x):
    s = 1 / (1 + np.exp(-x))
    return s, s


def sigmoid_backward(dout, s):
    return dout * s * (1 - s)


def step(x, t, p):
    z1, c1 = fc_forward(x, p["W1"], p["b1"])
    a1, s1 = sigmoid_forward(z1)
    z2, c2 = fc_forward(a1, p["W2"], p["b2"])
    a2, s2 = sigmoid_forward(z2)
    dz2 = sigmoid_backward((a2 - t) / len(x), s2)
    da1, dW2, db2 = fc_backward(dz2, c2)
    dz1 = sigmoid_backward(da1, s1)
    dx, dW1, db1 = fc_backward(dz1, c1)
    return dW1, db1, dW2, db2
""",
        [("return dout * s * (1 - s)", "return dout * s * (1 + s)")],
    ),
}
