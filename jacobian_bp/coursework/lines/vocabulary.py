"""What a student's name says: W2, a1, the output, the label, a number, a gradient."""

import re
from dataclasses import dataclass
from typing import NamedTuple

GRADIENT = (
    r"(?:dj_?d|dl_?d|dc_?d|de_?d|dcost_?d|dloss_?d|d_loss_d?|grad_?|nabla_?|delta_?|derivative_"
    r"|d_|d)"
)
OF_GRADIENTS = re.compile(r"grad|nabla|delta|change|\bupdates?\b", re.IGNORECASE)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OUTPUT = words(
    "p output outputs yhat y_hat y_pred ypred yh pred preds prediction probs probabilities al "
    "a_out out predictions final_output a_o h_out output_layer output_activations "
    "output_activation scores_probs softmax_output y_prob"
)
LABEL = words(
    "y t y_true ytrue targ target targets label labels true_labels truelabels y_onehot one_hot_y "
    "y_train y_train_enc y_train_onehot y_batch yb enc_y "
    "expected ground_truth y_enc y_one_hot onehot_y y_mini batch_y batch_labels batch_targets y_b"
)
INPUT = words(
    "x inp input inputs inputdata input_data data x_train x_batch batch_input xb l0 a0 h0 "
    "input_layer layer0 x_mini batch_x batch_inputs x_b"
)
MINI_BATCH = words("mini_batch minibatch batch")
ROUNDS = words("epochs num_epochs n_epochs iterations num_iterations n_iter max_iter num_iters")
COUNT = words(
    "m n batch_size batch_num num_examples n_samples num_train num_samples bs nsamples "
    "m_batch n_examples"
)
PENALTY = words(
    "reg lambd lambda_ lambda lamda lmbda lmbd lam lambda_reg l2 reg_lambda weight_decay alpha_reg "
    "regularization decay l2_reg reg_strength"
)
RATE = words("lr eta learning_rate learn_rate learningrate alpha epsilon rate step_size l_rate")
SWITCHED_OFF = {"dropout", "use_reg", "verbose", "print_cost", "debug"}
LISTS = {
    "W": {"weights", "w", "ws", "thetas"},
    "b": {"biases", "b", "bs", "bias"},
    "a": {"activations", "as", "a", "acts"},
    "z": {"zs", "z", "pre_activations", "weighted_inputs"},
}
KINDS = {
    **dict.fromkeys(("w", "weight", "weights", "theta", "syn", "synapse"), "W"),
    **dict.fromkeys(("b", "bias", "biases"), "b"),
    **dict.fromkeys(("a", "h", "l", "layer", "act", "activation", "hidden"), "a"),
    "z": "z",
    "input": "z",
}
NUMBERED = re.compile(
    r"(w|weights?|theta|syn|synapse|b|bias(?:es)?|z|a|h|l|layer|act|activation|hidden)_?(\d+)"
    r"(?:_?(?:output|out|act))?"
)
PLACED = re.compile(  # W_hidden, hidden_bias, z_out
    r"(?P<first>w|weights?|b|bias|z|a)_?(?P<then>hidden|h|output|out|o)"
    r"|(?P<before>hidden|h|output|out)_?"
    r"(?P<last>w|weights?|b|bias|z|a|input|activations?|layer_output|output)"
)
OF_LAYER = re.compile(r"(.*?[A-Za-z_\]])(?:\['[A-Za-z_]+?(\d+)'\]|(\d+))\['([A-Za-z_]+)'\]")
WIDTHS = words(
    "sizes layers layer_sizes layer_dims dims layers_dims layers_sizes layer_dimensions "
    "architecture"
)
SIZES = {  # what courses call the number of units of a layer
    "input": words(
        "n_x n_in n_input n_inputs n_features num_features in_dim input_dim input_size "
        "input_layer_size num_inputs nn_idim"
    ),
    "hidden": words(
        "n_h n_hidden n_hid hidden_dim hidden_size hidden_layer_size num_hidden hidden_units "
        "hidden_nodes nn_hdim"
    ),
    "output": words(
        "n_y n_out n_output n_outputs out_dim output_dim output_size output_layer_size num_labels "
        "num_classes n_classes num_outputs nn_odim"
    ),
}
IN_WORDS = str.maketrans({"δ": "delta", "θ": "theta", "ŷ": "y_hat", "λ": "lambda", "η": "eta"})
HIDDEN = {"h", "hidden", "hidden_layer", "hidden_values", "hidden_output"}


class Quantity(NamedTuple):
    """What an array is: a value, ∂J/∂ a value, the slope at one, or output minus label.

    Where the bias is a column of W, an activation is "padded" with the 1s that meet it; "result"
    is the ∂J/∂ that the function of a single op hands back, "share" what one step adds to one.

    >>> print(Quantity("gradient", "W2"), Quantity("slope", "z1"))
    ∂J/∂W2 the slope at z1
    """

    kind: str
    of: str

    def __str__(self) -> str:
        if self.kind == "error":
            return f"{self.of} − y"
        if self.kind == "padded":
            return f"{self.of} with its 1s"
        of = {"gradient": "∂J/∂", "result": "∂J/∂", "slope": "the slope at "}
        return of.get(self.kind, "") + self.of

    @property
    def is_parameter_gradient(self) -> bool:
        return self.kind == "result" or (self.kind == "gradient" and self.of[0] in "Wb")

    @property
    def is_derivative(self) -> bool:
        return self.kind in ("gradient", "result", "error", "share")


@dataclass(frozen=True)
class Naming:
    """What differs from text to text: which letter is which, and what a derivative stands for.

    With `swapped`, a is the pre-activation and z the activation; `y_is_output` has t for the
    label; a slope function takes z, or the activation where `slope_takes` is "a"; weights are
    counted from `first`, and z and a from the input, which is layer `input`: with 1, z2 = W1 x;
    a derivative that the text only reads is `given` times ∂J/∂z. Where the bias is a column of
    W, an activation that is only read is `padded` with its 1s, or is not. With `bare`, W and b
    without a number are those of layer 1; num_layers `counts_input` as one, or does not. Where W
    has the rows of an LSTM's gates one below the other, these are in the order of `gates`.
    The letters in `before`, h or c, are the state before a recurrent step, h_new that behind it.
    Of several steps the axis of time is the one of a "list", in the "middle" or the "last" one;
    in a list of states that before the first step is "kept" last, h[-1], or first, h[0]; inputs x
    and labels y that are "coded" are classes; of the other letters there v says that both have the
    same number of them, a that the state is called so, u that U weighs x, 0 that it starts from 0,
    n that it has no biases.
    """

    swapped: bool = False
    y_is_output: bool = False
    slope_takes: str = "z"
    first: int = 1
    given: str = "1"
    input: int = 0
    padded: bool = False
    bare: bool = False
    counts_input: bool = True
    gates: str = "ifgo"
    before: str = ""
    times: str = "list"
    kept: str = "last"
    coded: str = ""


def spelt_out(word: str) -> str:
    """A name in small letters, its Greek ones and its hats in words.

    >>> spelt_out("δ2"), spelt_out("ŷ"), spelt_out("dZ2")
    ('delta2', 'y_hat', 'dz2')
    """
    return word.lower().translate(IN_WORDS)


def value_of(word: str, naming: Naming, layers: int) -> str | None:
    """The value of the network that a name means, or None.

    >>> [value_of(word, Naming(), 2) for word in ("A1", "w_hidden", "cost")]
    ['a1', 'W1', None]
    """
    low = spelt_out(word).strip("_")
    if naming.y_is_output and low == "y":
        return f"a{layers}"
    if low in LABEL:
        return "y"
    if low in OUTPUT:
        return f"a{layers}"
    if low in INPUT:
        return "x"
    if naming.bare and low in ("w", "b", "weights", "bias"):
        return "W1" if low[0] == "w" else "b1"
    if found := NUMBERED.fullmatch(low):
        return _numbered(found[1], int(found[2]), naming, layers)
    found = PLACED.fullmatch(low)
    if found and layers == 2:
        kind, where = found["first"] or found["last"], found["then"] or found["before"]
        return f"{KINDS.get(kind, 'a')}{1 if where.startswith('h') else 2}"
    if layers == 2 and low in HIDDEN:
        return "a1"
    return f"z{layers}" if low in ("zl", "logits", "scores") else None


def is_numbered(path: str) -> bool:
    """Whether a name says its layer: W3 is no name for something else where there is no layer 3."""
    word = re.sub(r"^(delta|grad|d)_?", "", path.split(".")[-1].lower().strip("_"))
    return bool(NUMBERED.fullmatch(word)) or word.isdigit()


def is_penalty(word: str) -> bool:
    """Whether a name is that of a regularising number: reg, lambd."""
    return word.rsplit(".", 1)[-1].lower().strip("_") in PENALTY


def _numbered(word: str, number: int, naming: Naming, layers: int) -> str | None:
    kind = KINDS[word]
    if word in ("syn", "synapse"):
        number += 1
    elif kind in "Wb":
        number += 1 - naming.first
    else:
        number -= naming.input
    if naming.swapped and word in "az":
        kind = "z" if word == "a" else "a"
    if kind == "a" and number == 0:
        return "x"
    return f"{kind}{number}" if 1 <= number <= layers else None


def derivative_of(word: str, naming: Naming, layers: int) -> str | None:
    """The value whose derivative a name means: dW2, grad_b1, l2_delta, d2.

    >>> [derivative_of(word, Naming(), 2) for word in ("dW2", "delta2", "l2_delta", "data")]
    ['W2', 'z2', 'z2', None]
    """
    low = spelt_out(word)
    before = re.fullmatch(GRADIENT + r"(\w+)", low) or re.fullmatch(r"g_?([wb]_?\d+)", low)
    behind = re.fullmatch(r"(\w+?)_?(?:gradients?|grads?|delta)", low)
    for found in filter(None, (before, behind)):
        inner = found[1].strip("_")
        if inner.isdigit():
            layer = int(inner) - naming.input
            return f"z{layer}" if 1 <= layer <= layers else None
        value = value_of(inner, naming, layers)
        plain = re.fullmatch(r"(w|weights?|b|bias|z|a)_?\d+|[zw]_?(hidden|output)|x", inner)
        if low.endswith("delta") and value and value[0] == "a":
            return f"z{value[1:]}"  # Trask's l2_delta is that of the layer
        if value and (value[0] in "Wb" or plain or inner in ("scores", "logits")):
            return value
    return None


def gradient_of_no_layer(path: str, naming: Naming, layers: int) -> str | None:
    """W7 of dW7 and grads['dW7'], where the network has fewer layers, or counts from 1.

    >>> [gradient_of_no_layer(path, Naming(), 2) for path in ("dW7", "grads['db0']", "dW2")]
    ['W7', 'b0', None]
    """
    word = re.search(r"(\w+)(?:'\])?$", path)
    found = re.fullmatch(GRADIENT + r"([wb])_?(\d+)", word[1].lower()) if word else None
    if word is None or found is None or derivative_of(word[1], naming, layers):
        return None
    return f"{'W' if found[1] == 'w' else 'b'}{found[2]}"


def list_kind(path: str) -> str | None:
    """W or b for a list of gradients such as nabla_w."""
    low = path.lower()
    for kind in "wb":
        if re.search(rf"(nabla|grads?|d|delta)_?{kind}", low):
            return kind.upper() if kind == "w" else kind
    return None


def parameter_of(path: str, naming: Naming, layers: int) -> str | None:
    """W2 for self.W2, params['W2'] and weights[-1]; None for what is no parameter."""
    low = path.lower()
    if re.search(r"grad|nabla|delta|cache", low.split("[")[0]):
        return None
    listed = re.fullmatch(r"(?:.*[^a-z])?(weights|biases|w|b)\[(-?\d+)\]", low)
    if listed:
        number = int(listed[2])
        number = number + 1 if number >= 0 else layers + 1 + number
        return f"{'W' if listed[1][0] == 'w' else 'b'}{number}"
    word = re.search(r"(\w+)(?:'\])?$", path)
    value = value_of(word[1], naming, layers) if word else None
    return value if value and value[0] in "Wb" else None


def in_one_key(path: str) -> str:
    """A dictionary of a layer is one of the whole network, with the layer's number in its keys.

    >>> in_one_key("g['fc2']['W']"), in_one_key("layer1['b']"), in_one_key("g['W2']")
    ("g['W2']", "layer['b1']", "g['W2']")
    """
    found = OF_LAYER.fullmatch(path)
    return f"{found[1]}['{found[4]}{found[2] or found[3]}']" if found else path


def goal_of(path: str, naming: Naming, layers: int) -> Quantity | None:
    """The quantity that the name of a store says.

    >>> print(goal_of("grads['dW2']", Naming(), 2), goal_of("self.a1", Naming(), 2))
    ∂J/∂W2 a1
    """
    keyed = re.fullmatch(r"(.*?)\['(\w+)'\]", path)
    bag, word = (keyed[1], keyed[2]) if keyed else ("", path.split(".")[-1])
    if kept := re.fullmatch(r"(?:.*\.)?(\w+)\.(g|grad)", path):
        bag, word = kept[2] + "grad", kept[1]  # W2.g, W2.grad: kept with the array itself
    value = value_of(word, naming, layers)
    if value:
        return Quantity("gradient" if OF_GRADIENTS.search(bag) else "value", value)
    derivative = derivative_of(word, naming, layers)
    return Quantity("gradient", derivative) if derivative else None
