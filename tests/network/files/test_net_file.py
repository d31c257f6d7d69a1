"""A network from a TOML file: what is read, and what a wrong or hostile file gets."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from network_cases import TooMuchWork, at_most, refusal
from sampled import seldom

from jacobian_bp import Network, SpecError, memory_limit, reference
from jacobian_bp.derivation.ready_made import NAMES
from jacobian_bp.network.files.net_file import EXAMPLE, read_net_file, write_example
from jacobian_bp.network.files.toml_text import LIMIT
from jacobian_bp.network.layers import ACTIVATIONS, LOSSES, REDUCTIONS

RNG = np.random.default_rng(3)
HEAD = '[network]\nsizes = [3, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
CLASSES = HEAD.replace("tanh", "softmax").replace("squared_error", "cross_entropy")
BINARY = HEAD.replace("tanh", "sigmoid").replace("squared_error", "bce")
IRIS = CLASSES.replace("[3, 2]", "[4, 5, 3]") + '[data]\nfile = "iris"\ntarget = "species"\n'
WEIGHTS = "[weights]\nW1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [0.5, -1]\n"
FILES = "\n  Give the name of an .npz or .safetensors file."
BESIDE = "\n  Put the file beside the network file, and write its name."
CALLS = 200_000  # of a small file with its data
ONE_KEY = "\n  Write key = value, one a line, and each key once."


@pytest.fixture
def net(tmp_path):
    """Write a network file, and read it."""

    def read(content, name="net.toml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_net_file(path)

    return read


@pytest.fixture
def told(net):
    """The message by which a network file is refused, after few calls a byte."""

    def refused(content):
        with at_most(CALLS + 10 * len(content)):
            return refusal(SpecError, net, content)

    return refused


# ---------------------------------------------------------------- what is read


def test_the_example_is_the_reference(tmp_path):
    write_example(tmp_path / "net.toml")
    spec = read_net_file(tmp_path / "net.toml")
    assert (tmp_path / "net.toml").read_bytes() == EXAMPLE.encode()
    own = reference.second_seed()
    assert spec.sizes == own.facts.sizes
    assert spec.activations == own.facts.activations
    assert (spec.loss, spec.reduction, spec.seed) == ("bce", "mean", 0)
    assert (spec.convention, spec.squash_input) == (None, False)
    assert list(spec.params) == list(own.params)
    for name, value in own.params.items():
        np.testing.assert_array_equal(spec.params[name], value, strict=True)
    np.testing.assert_array_equal(spec.x, reference.X)
    np.testing.assert_array_equal(spec.y, reference.Y)
    assert spec.remarks == ("weights read from net.toml",)
    built = Network.dense(spec.sizes, spec.activations, spec.loss, params=spec.params)
    assert built.run(spec.x, spec.y).loss == own.run(reference.X, reference.Y).loss


def test_the_example_names_every_word_that_there_is(net):
    for name in [*ACTIVATIONS, *LOSSES, *REDUCTIONS, *NAMES]:
        assert name in EXAMPLE
    assert max(map(len, EXAMPLE.splitlines())) <= 100
    more = EXAMPLE
    for key in ("reduction", "seed", "convention", "squash_input"):
        more = more.replace(f"# {key} =", f"{key} =")
    spec = net(more)
    assert (spec.reduction, spec.seed, spec.convention, spec.squash_input) == (
        ("mean", 0, "flat", True)
    )


def test_the_example_is_not_written_over_a_file(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text("mine")
    assert refusal(SpecError, write_example, path) == (
        "net.toml is there already, and is left as it is.\n  Choose another name."
    )
    assert path.read_text() == "mine"
    dangling = tmp_path / "link.toml"
    dangling.symlink_to(tmp_path / "elsewhere.toml")
    refusal(SpecError, write_example, dangling)
    assert not (tmp_path / "elsewhere.toml").exists()
    assert refusal(SpecError, write_example, tmp_path / "no" / "net.toml") == (
        "net.toml cannot be written: No such file or directory.\n  Choose another folder or name."
    )


def test_without_weights_and_data(net):
    spec = net(HEAD + "seed = 7\nsquash_input = 'tanh'\nconvention = 'second_seed'\n")
    assert (spec.sizes, spec.activations, spec.loss) == ((3, 2), ("tanh",), "squared_error")
    assert (spec.seed, spec.squash_input, spec.convention) == (7, "tanh", "second_seed")
    assert (spec.params, spec.x, spec.y) == (None, None, None)
    assert spec.remarks == ("weights drawn with seed 7",)


@pytest.mark.parametrize(
    "content",
    [
        HEAD + WEIGHTS,
        b"\xef\xbb\xbf" + (HEAD + WEIGHTS).encode(),
        (HEAD + WEIGHTS).replace("\n", "\r\n"),
        "weights = {W1 = [[1, 2, 3], [4, 5, 6]], b1 = [0.5, -1]}\n" + HEAD,
        "network.sizes = [3, 2]\nnetwork.activations = ['tanh']\nnetwork.loss='squared_error'\n"
        + WEIGHTS,
    ],
    ids=["plain", "BOM", "CRLF", "inline table", "dotted"],
)
def test_weights_written_in_the_file_are_read(net, content):
    spec = net(content)
    assert spec.activations == ("tanh",)
    np.testing.assert_array_equal(spec.params["W1"], [[1.0, 2, 3], [4, 5, 6]], strict=True)
    np.testing.assert_array_equal(spec.params["b1"], [0.5, -1], strict=True)


@pytest.mark.parametrize("names", [("W1", "b1"), ("net.0.weight", "net.0.bias")])
@pytest.mark.parametrize("where", ["w.npz", "sub/w.npz"])
def test_weights_of_a_file(net, tmp_path, names, where):
    W, b = RNG.standard_normal((2, 3)), RNG.standard_normal(2)
    (tmp_path / "sub").mkdir()
    np.savez(tmp_path / where, **dict(zip(names, (W, b), strict=True)))
    spec = net(f'{HEAD}[weights]\nfile = "{where}"\n')
    np.testing.assert_array_equal(spec.params["W1"], W, strict=True)
    np.testing.assert_array_equal(spec.params["b1"], b, strict=True)
    assert spec.remarks == (f"weights read from {where}",)


@pytest.mark.parametrize(
    ("head", "x", "y", "shapes"),
    [
        (HEAD, "[1, 2, 3]", "[1, 2.5]", ((3,), (2,))),
        (HEAD, "[[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 1]]", "[[1, 2]" + ", [1, 2]" * 3 + "]",
         ((4, 3), (4, 2))),
        (HEAD.replace("[3, 2]", "[3, 1]"), "[1, 2, 3]", "5", ((3,), ())),
        (HEAD.replace("[3, 2]", "[3, 1]"), "[1, 2, 3]", "[5]", ((3,), (1,))),
        (HEAD.replace("[3, 2]", "[3, 1]"), "[[1, 2, 3]]", "[5]", ((1, 3), (1,))),
        (BINARY, "[1, 2, 3]", "[1, 0]", ((3,), (2,))),
        (CLASSES, "[1, 2, 3]", "1", ((3,), ())),
        (CLASSES, "[1, 2, 3]", "[0.25, 0.75]", ((3,), (2,))),
        (CLASSES, "[[1, 2, 3], [3, 2, 1], [0, 0, 0]]", "[0, 1, 1]", ((3, 3), (3,))),
    ],
)  # fmt: skip
def test_a_network_runs_on_data_written_in_its_file(net, head, x, y, shapes):
    spec = net(f"{head}[data]\nx = {x}\ny = {y}\n")
    assert (spec.x.shape, spec.y.shape) == shapes
    assert spec.x.dtype == np.float64
    network = Network.dense(spec.sizes, spec.activations, spec.loss, seed=spec.seed)
    assert np.isfinite(network.run(spec.x, spec.y).loss)


def test_data_of_a_file(net, tmp_path):
    rows = "a,b,c,y\n1,0,2,5\n2,1,2,6\n3,5,2,7\n"
    (tmp_path / "x.csv").write_text(rows)
    head = HEAD.replace("[3, 2]", "[3, 1]") + '[data]\nfile = "x.csv"\ntarget = "y"\n'
    spec = net(head + "example = 2\nraw = true\n")
    np.testing.assert_array_equal(spec.x, [3.0, 5, 2], strict=True)
    np.testing.assert_array_equal(spec.y, [7.0], strict=True)
    assert spec.remarks[0] == "x.csv: 3 rows, 4 columns; line 1 is the header (header = false)"
    assert spec.remarks[1:] == (
        "3 number columns as they are, not standardised",
        "target column y as it is",
        "one example: row 2",
        "weights drawn with seed 0",
    )
    spec = net(head + "batch = 2\n")
    assert (spec.x.shape, spec.y.tolist()) == ((2, 3), [[5.0], [6.0]])
    assert spec.remarks[3] == "a batch: the first 2 rows"
    assert net(head + 'batch = "all"\n').x.shape == (3, 3)
    assert net(head).remarks[3] == "one example: row 0"


def test_a_shipped_data_set(net, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("iris").write_text("not,this\n1,2\n")
    spec = net(IRIS + "batch = 16\n")
    assert (spec.x.shape, spec.y.dtype.kind, spec.y.tolist()) == ((16, 4), "i", [0] * 16)
    network = Network.dense(spec.sizes, spec.activations, spec.loss, seed=0)
    assert network.run(spec.x, spec.y).check().ok
    one = net(IRIS + "example = 149\n")
    assert (one.x.shape, one.y.shape, int(one.y)) == ((4,), (), 2)


# ---------------------------------------------------------------- several problems at once


MANY = """\
# a comment with network.seed = 3 in it
[network]
sizes = [3, "4", 3.0, true, -1, 0, nan]
activations = ["rleu", 3, "Sigmoid"]
losss = "bce"
reduction = "average"
seed = -1
convention = "{0.__class__}"
squash_input = "true"

[weights]
W1 = [
  [1, 2],   # seed = 4
  [3],
]
b1 = [1, "a]"]

[data]
x = [[1, inf]]
y = "one"

[dta]
x = 3
"""


def test_every_problem_is_said_at_once(told):
    width = "is not a whole number from 1 to 999,999,999.\n"
    digits = "  Write it in digits, without a point and without quotes.\n"
    names = f"  Write one of {', '.join(ACTIVATIONS)}.\n"
    numbers = "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."
    assert told(MANY) == (
        "net.toml has 20 problems.\n"
        "net.toml, line 2, network.loss: the key is missing.\n"
        "  Write it under [network].\n"
        f"net.toml, line 3, network.sizes[1]: '4' {width}{digits}"
        f"net.toml, line 3, network.sizes[2]: 3.0 {width}{digits}"
        f"net.toml, line 3, network.sizes[3]: true {width}{digits}"
        f"net.toml, line 3, network.sizes[4]: -1 {width}{digits}"
        f"net.toml, line 3, network.sizes[5]: 0 {width}{digits}"
        f"net.toml, line 3, network.sizes[6]: nan {width}{digits}"
        "net.toml, line 4, network.activations[0]: 'rleu' is not known; did you mean 'relu'?\n"
        f"{names}"
        f"net.toml, line 4, network.activations[1]: 3 is not a name.\n{names}"
        "net.toml, line 4, network.activations[2]: 'Sigmoid' is not known; "
        f"did you mean 'sigmoid'?\n{names}"
        "net.toml, line 5, network.losss: the key is not known; did you mean 'loss'?\n"
        "  Write one of sizes, activations, loss, reduction, penalty, seed, "
        "convention, squash_input.\n"
        "net.toml, line 6, network.reduction: 'average' is not known; did you mean 'mean'?\n"
        "  Write one of mean, sum, mean_over_entries.\n"
        "net.toml, line 7, network.seed: -1 is not a whole number from 0 to "
        f"9,223,372,036,854,775,807.\n{digits}"
        "net.toml, line 8, network.convention: '{0.__class__}' is not known.\n"
        f"  Write one of {', '.join(NAMES)}.\n"
        "net.toml, line 9, network.squash_input: 'true' is text.\n"
        "  Write true, without quotes.\n"
        "net.toml, line 12, weights.W1: ragged: entry 0 is a row of 2, entry 1 is a row of 1.\n"
        f"{numbers}\n"
        f"net.toml, line 16, weights.b1[1]: 'a]' is not a number.\n{numbers}\n"
        f"net.toml, line 19, data.x[0,1]: inf is not a finite number.\n{numbers}\n"
        f"net.toml, line 20, data.y: 'one' is not a number.\n{numbers}\n"
        "net.toml, line 22, dta: the table is not known.\n"
        "  Write [network], [weights], [data] and [convention]."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "net.toml, network: the table is missing.\n"
             "  Write [network] with sizes, activations, loss, or [program] with lines."),
        ("network = 3\n", "net.toml, line 1, network: 3 is not a table.\n"
                          "  Write [network] on a line of its own."),
        (HEAD + "[[weights]]\n", "net.toml, line 5, weights: a list of 1 is not a table.\n"
                                 "  Write [weights] on a line of its own."),
        ("seeed = 3\n" + HEAD, "net.toml, line 1, seeed: the key is not known.\n"
                               "  Write [network], [weights], [data] and [convention], "
                               "and keys under them."),
        (HEAD.replace("[3, 2]", "3"),
         "net.toml, line 2, network.sizes: 3 is not a list of widths.\n"
         "  Write the input width and those of 1 to 10,000 layers, as [3, 4, 2, 1]."),
        (HEAD.replace("[3, 2]", "[3]"),
         "net.toml, line 2, network.sizes: 1 width does not make a network.\n"
         "  Write the input width and those of 1 to 10,000 layers, as [3, 4, 2, 1]."),
        (HEAD.replace('"tanh"', '["tanh", "tanh"]'),
         "net.toml, line 3, network.activations: 2 names for 1 layer.\n"
         "  Write one name for all layers, or one a layer; the input is not a layer."),
        (HEAD.replace('"tanh"', "true"),
         "net.toml, line 3, network.activations: true is neither a name nor a list of names.\n"
         '  Write one name for all layers, or one a layer, such as ["relu", "sigmoid"].'),
        (HEAD.replace("squared_error", "mse"),
         "net.toml, line 4, network.loss: 'mse' is not known; did you mean 'squared_error'?\n"
         "  Write one of squared_error, half_squared_error, huber, bce, "
         "cross_entropy, kl_divergence, hinge."),
        (HEAD.replace("squared_error", "bce"),
         "net.toml, line 4, network.loss: 'bce' compares probabilities; "
         "the last activation is 'tanh'.\n"
         "  Make the last activation 'sigmoid' or 'softmax'."),
        (HEAD + "squash_input = 1\n",
         "net.toml, line 5, network.squash_input: 1 is not a name.\n"
         f"  Write one of true, false, {', '.join(ACTIVATIONS)}."),
        (HEAD + 'weights = "w.npz"\n',
         "net.toml, line 5, network.weights: the key is not known.\n"
         '  It is a table of its own: write [weights], and under it file = "w.npz".'),
        (HEAD + "seed = 1979-05-27\n",
         "net.toml, line 5, network.seed: a date is not a whole number from 0 to "
         "9,223,372,036,854,775,807.\n"
         "  Write it in digits, without a point and without quotes."),
    ],
)  # fmt: skip
def test_a_wrong_network_is_refused_with_line_and_key(told, content, message):
    assert told(content) == message


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("W1 = [[1, 2], [3, 4], [5, 6]]\nb1 = [1, 2]\n",
         "line 6, weights.W1: W1 has shape (3, 2); the layer needs (2, 3).\n"
         "  W1 looks transposed: write a row for each of the 2 outputs."),
        ("W1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [[1], [2]]\n",
         "line 7, weights.b1: b1 has shape (2, 1); the layer needs (2,).\n"
         "  Write b1 with shape (2,)."),
        ("W1 = [[1, 2, 3], [4, 5, 6]]\n",
         "line 5, weights.b1: b1 is missing.\n  Add it, with shape (2,)."),
        ("", "line 5, weights: the table is empty.\n"
             "  Write W1, b1, …, or file; or leave it out."),
        ("flie = 'w.npz'\n",
         "line 6, weights.flie: the key is not known; did you mean 'file'?\n"
         "  Write one of W1, b1, file."),
        ("W1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [1, 2]\nW2 = [[1, 2]]\n",
         "line 8, weights.W2: W2 has no layer.\n"
         "  network.sizes makes 1 layers; add a width, or leave W2 out."),
        ("W1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [1, true]\n",
         "line 7, weights.b1[1]: true is not a number.\n"
         "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."),
        ("W1 = [[1, 2, 3], [4, 5, [6]]]\nb1 = [1, 2]\n",
         "line 6, weights.W1[1]: ragged: entry 0 is a number, entry 2 is a row of 1.\n"
         "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."),
        ("W1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [1, 0x" + "f" * 400 + "]\n",
         "line 7, weights.b1[1]: an integer of 482 digits is too large.\n"
         "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."),
        ("file = 3\n",
         "line 6, weights.file: 3 is not the name of a file.\n"
         "  Write the name of an .npz or .safetensors file beside the network file."),
    ],
)  # fmt: skip
def test_wrong_weights_are_refused_with_line_and_key(told, weights, message):
    assert told(f"{HEAD}[weights]\n{weights}") == f"net.toml, {message}"


def test_weights_that_do_not_fit_the_sizes_are_each_told(told, tmp_path):
    np.savez(tmp_path / "w.npz", W1=np.ones((3, 2)), b1=np.ones(2), W2=[[1, 1, 1]], b2=[1])
    assert told(HEAD + '[weights]\nfile = "w.npz"\nb1 = [1, 2]\n') == (
        "net.toml has 4 problems.\n"
        "net.toml, line 6, weights.file: W1 has shape (3, 2); the layer needs (2, 3).\n"
        "  W1 looks transposed: write a row for each of the 2 outputs.\n"
        "net.toml, line 6, weights.file: W2 has no layer.\n"
        "  network.sizes makes 1 layers; add a width, or leave W2 out.\n"
        "net.toml, line 6, weights.file: b2 has no layer.\n"
        "  network.sizes makes 1 layers; add a width, or leave b2 out.\n"
        "net.toml, line 7, weights.b1: the weights are in a file already.\n"
        "  Write one of the two."
    )


@pytest.mark.parametrize(
    ("head", "data", "message"),
    [
        (HEAD, "x = [1, 2]\ny = [1, 2]", "line 6, data.x: x has shape (2,); the network has "
         "3 inputs.\n  Write a row with one number for each input, or a list of such rows."),
        (HEAD, "x = [[1, 2], [1, 2], [1, 2]]\ny = [1, 2]", "line 6, data.x: x has shape (3, 2); "
         "the network has 3 inputs.\n  x looks transposed: write one row for each example."),
        (HEAD, "x = []\ny = [1, 2]", "line 6, data.x: the list is empty.\n"
         "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]]."),
        (HEAD, "x = [1, 2, 3]", "line 5, data.y: the key is missing.\n  Write it under [data]."),
        (HEAD, "x = [1, 2, 3]\ny = 1", "line 7, data.y: y has shape (); the outputs have (2,).\n"
         "  Write y with shape (2,)."),
        (BINARY, "x = [1, 2, 3]\ny = [-1, 1]", "line 7, data.y: y[0] is -1, outside 0 to 1.\n"
         "  Write 0 for -1: the loss takes labels of 0 and 1."),
        (BINARY, "x = [1, 2, 3]\ny = [0, 1.7]", "line 7, data.y: y[1] is 1.7, outside 0 to 1.\n"
         "  Write labels between 0 and 1."),
        (CLASSES, "x = [1, 2, 3]\ny = 2", "line 7, data.y: class 2 is none of the network's 2.\n"
         "  Write classes from 0 to 1, or give the network more outputs."),
        (CLASSES, "x = [1, 2, 3]\ny = -1", "line 7, data.y: class -1 is none of the network's 2.\n"
         "  Write classes from 0 to 1, or give the network more outputs."),
        (CLASSES, "x = [1, 2, 3]\ny = 1.0", "line 7, data.y: 1.0 is not a class.\n"
         "  Write 0 to 1, without a point, or a row of 2 weights."),
        (CLASSES, "x = [1, 2, 3]\ny = [0.5, 0.6]", "line 7, data.y: a row of class weights does "
         "not sum to 1.\n  Write a 1 and zeros, or weights of which each row sums to 1."),
        (CLASSES, "x = [[1, 2, 3]]\ny = [[1], [2]]", "line 7, data.y: y has shape (2, 1); the "
         "outputs have (1, 2).\n  y looks transposed: write one row for each example."),
        (HEAD, "targt = 'y'\nbatch = 3", "line 6, data.targt"),
        (HEAD, "file = 3\ntarget = 4\nraw = 1", "line 6, data.file"),
    ],
)  # fmt: skip
def test_wrong_data_are_refused_with_line_and_key(told, head, data, message):
    found = told(f"{head}[data]\n{data}\n")
    if "\n" in message:
        assert found == f"net.toml, {message}"
    else:
        assert f"net.toml, {message}" in found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('target = "specis"', "line 7, data.target: iris.csv has no column 'specis'. Did you mean "
         "species?\n  Its columns are sepal_length_cm, sepal_width_cm, petal_length_cm, "
         "petal_width_cm, species."),
        ('target = "species"\nexample = 150', "line 8, data.example: 150 is beyond the file.\n"
         "  The file has 150 rows, 0 to 149."),
        ('target = "species"\nbatch = 151', "line 8, data.batch: 151 is beyond the file.\n"
         "  The file has 150 rows."),
        ('target = "species"\nbatch = "al"', "line 8, data.batch: 'al' is not a whole number from "
         '1 to 1,000,000,000.\n  Write a number of rows, or "all".'),
        ('target = "species"\nexample = true', "line 8, data.example: true is not a whole number "
         "from 0 to 1,000,000,000.\n  Write it in digits, without a point and without quotes."),
        ('target = "species"\nexample = 1\nbatch = 2', "line 9, data.batch: example asks for one "
         "row, batch for many.\n  Write one of the two."),
        ('target = "petal_width_cm"', "line 7, data.target: petal_width_cm is 0.2 in data row 0; "
         "cross-entropy takes classes numbered 0, 1, 2, ….\n  Number the classes; a regression "
         "has the loss squared_error."),
        ("", "line 5, data.target: the key is missing.\n  Write it under [data]."),
        ('target = "species"\nx = [1]', "line 8, data.x: the data are in a file already.\n"
         "  Write one of the two."),
    ],
)  # fmt: skip
def test_a_wrong_choice_from_a_data_file_is_refused_with_line_and_key(told, data, message):
    assert told(IRIS.replace('target = "species"', data)) == f"net.toml, {message}"


def test_data_files_against_the_network(told, tmp_path):
    assert told(IRIS.replace("[4, 5, 3]", "[5, 3]")) == (
        "net.toml, line 6, data.file: the file has 4 input columns; the network has 5 inputs.\n"
        "  Write 4 as the first of network.sizes."
    )
    assert told(IRIS.replace("cross_entropy", "squared_error")) == (
        "net.toml, line 7, data.target: one column is one label an example; "
        "the network has 3 outputs.\n"
        "  Write 1 as the last of network.sizes."
    )
    assert told(IRIS.replace("[4, 5, 3]", "[4, 2]") + 'batch = "all"\n') == (
        "net.toml, line 7, data.target: species[100] is 2; "
        "with 2 classes an index lies from 0 to 1.\n"
        "  Count classes from 0, or give the network more outputs."
    )
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3\n")
    assert told(HEAD + '[data]\nfile = "x.csv"\ntarget = "b"\n') == (
        "net.toml, line 6, data.file: x.csv, line 3: the row is ragged.\n"
        "  2 of 3 lines have 2 columns\n"
        "  line 3 has 1: '3'\n"
        "  Give every row one cell for each column."
    )
    (tmp_path / "x.csv").write_bytes(b"")
    os.truncate(tmp_path / "x.csv", 2**40)
    assert told(HEAD + '[data]\nfile = "x.csv"\ntarget = "b"\n') == (
        "net.toml, line 6, data.file: x.csv has 1.0 TiB; the limit is 8.0 MiB.\n  Keep fewer rows."
    )


# ---------------------------------------------------------------- rows 75 to 84


def test_a_number_of_thousands_of_digits_is_refused(told):
    for line in ("seed = " + "9" * 5000, "sizes = [\n  3,\n  1" + "0_0" * 2500 + "\n]"):
        key = line.split()[0]
        found = told(HEAD.replace("sizes = [3, 2]\n", "") + f'# "\n{line}\n')
        at = 5 if key == "seed" else 7
        assert found == (
            f"net.toml, line {at}, network.{key}: an integer of 5,0{'00' if at == 5 else '01'} "
            "digits.\n  Write a number that a computer can hold."
        )
    assert told(f"{HEAD}seed = 0x{'9' * 500_000}\n") == (
        "net.toml, line 5, network.seed: an integer of 602,061 digits is not a whole number "
        "from 0 to 9,223,372,036,854,775,807.\n"
        "  Write it in digits, without a point and without quotes."
    )


@pytest.mark.parametrize("nest", ["[", "{a=", "[{a="])
def test_deep_nesting_is_refused(told, nest):
    assert told(HEAD + "seed = " + nest * 200_000) == (
        "net.toml: lists or tables are nested too deeply.\n"
        "  A matrix is a list of rows, and a row is a list of numbers."
    )


@pytest.mark.parametrize("part", ["a.", '"a\\"" . ', "'a'."])
def test_a_key_of_many_parts_is_refused(told, part):
    """A key of n parts takes tomllib n² steps."""
    for line in (part * 100_000 + "a = 1", "[" + part * 100_000 + "a]"):
        assert told(HEAD + line) == (
            "net.toml, line 5: a key of more than 20 parts.\n"
            "  Write [network], [weights] and [data], and plain keys under them."
        )


def of_quotes(count):
    """Texts with this many quotes that a backslash takes away."""
    quotes = '\\"' * count
    return [
        f'a = "{quotes}',
        f'a = """{quotes}',
        f'a = """{quotes}' + "9" * 5_000 + '"""\nb = ' + "9" * 5000,
        f'seed = 1\nseed = 1\na = "{quotes}',
    ]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "hostile",
    [
        *of_quotes(60_000),
        '"' * 500_001,
        "a = " + " " * 500_000,
        "a" * 500_000,
        ("b" * 99 + "\n") * 5_000,
        "a = 1." + "1" * 500_000 + "e400",
        "\n".join(f"{chr(97 + n % 26)}{n} = 1" for n in range(6_000)),
        "\n".join(f"[a{n}]" for n in range(6_000)),
        "[weights]\n" + "\n".join(f"W{n} = 1" for n in range(1, 6_000)),
        "[weights]\n" + "\n".join(f"w{n} = 1" for n in range(1, 6_000)),
        "[weights]\nW1 = [" + "[]," * 20_000 + "]",
        "[weights]\nW1 = [" + "'a'," * 20_000 + "]",
        *map(seldom, of_quotes(250_000)),
    ],
    ids=range(19),
)
def test_no_hostile_text_takes_long(told, hostile):
    assert len(told(HEAD + hostile)) < 5_000


def test_quadratic_work_would_be_seen():
    keys = [f"{n} = 1" for n in range(2_000)]
    allowed = CALLS + 10 * len("".join(keys))
    with pytest.raises(TooMuchWork), at_most(allowed):
        assert all(sum(key == other for other in keys) == 1 for key in keys)
    with at_most(allowed):
        assert all(sum(key == other for other in keys[:9]) < 2 for key in keys)


def test_a_key_that_stands_twice_is_refused(told):
    assert told(HEAD + "seed = 1\nseed = 2\n[weights]\n") == (
        f"net.toml, line 6, network.seed: it stands in line 5 already.{ONE_KEY}"
    )
    assert told(HEAD + "[data]\n[network]\n") == (
        f"net.toml, line 6, network: it stands in line 1 already.{ONE_KEY}"
    )


def test_wrong_syntax_is_refused_with_its_place(told):
    assert told(HEAD + "seed 3\n") == (
        f"net.toml, line 5, column 6: Expected '=' after a key in a key/value pair.{ONE_KEY}"
    )
    assert told("[network") == (
        f"net.toml, at its end: Expected ']' at the end of a table declaration.{ONE_KEY}"
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (HEAD.encode("utf-16"), "line 1: byte 0 is 0xff, which is not UTF-8.\n  Save it as UTF-8."),
        (
            HEAD.encode() + b"# caf\xe9\n",
            "line 5: byte 74 is 0xe9, which is not UTF-8.\n  Save it as UTF-8.",
        ),
    ],
)
def test_what_is_not_utf_8_is_refused(told, raw, message):
    assert told(raw) == f"net.toml, {message}"


def test_files_that_are_none(told, tmp_path):
    instead = "\n  Give a TOML file of at most 1.0 MiB; large weights go into an .npz file."
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "large.toml").touch()
    os.truncate(tmp_path / "large.toml", 2**40)
    for name, message in {
        "folder.toml": "folder.toml is a folder, not a regular file.",
        "pipe.toml": "pipe.toml is a named pipe, not a regular file.",
        "none.toml": "none.toml cannot be found.",
        "nul\0.toml": "nul\\x00.toml cannot be found.",
        "large.toml": "large.toml has 1,099,511,627,776 bytes; the limit is 1,048,576.",
        "/dev/zero": "zero is a device, not a regular file.",
    }.items():
        assert refusal(SpecError, read_net_file, tmp_path / name) == message + instead
    assert (
        told("#" * (LIMIT + 1)) == f"net.toml has 1,048,577 bytes; the limit is 1,048,576.{instead}"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/passwd", f"'/etc/passwd' is an absolute path.{BESIDE}"),
        ("../w.npz", f"'../w.npz' goes up with '..'.{BESIDE}"),
        ("sub/../w.npz", f"'sub/../w.npz' goes up with '..'.{BESIDE}"),
        ("\\\\\\\\host\\\\w.npz", f"'\\\\\\\\host\\\\w.npz' is a path of Windows.{BESIDE}"),
        ("//host/share/w.npz", f"'//host/share/w.npz' is a path of Windows.{BESIDE}"),
        ("C:/w.npz", f"'C:/w.npz' is a path of Windows.{BESIDE}"),
        ("", f"'' names no file.{BESIDE}"),
        ("a\\u001b[31m\\u202e.npz",
         f"'a\\x1b[31m\\u202e.npz' has characters that no path needs.{BESIDE}"),
        ("a\\u0000.npz", f"'a\\x00.npz' has characters that no path needs.{BESIDE}"),
        ("out.npz", "out.npz leads out of its folder; no file outside is read.\n"
                    "  Put the file itself into the folder of the network file."),
        ("out/w.npz", "w.npz leads out of its folder; no file outside is read.\n"
                      "  Put the file itself into the folder of the network file."),
        ("zero.npz", "zero.npz leads out of its folder; no file outside is read.\n"
                     "  Put the file itself into the folder of the network file."),
        ("pipe.npz", f"pipe.npz is a named pipe, not a regular file.{FILES}"),
        (".", f". does not end in .npz or .safetensors.{FILES}"),
        ("none.npz", f"none.npz cannot be found.{FILES}"),
        ("{0.__class__}.npz", f"{{0.__class__}}.npz cannot be found.{FILES}"),
        ("x" * 300 + ".npz", None),
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder(tmp_path, name, message):
    folder, outside = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    outside.mkdir()
    np.savez(outside / "w.npz", W1=np.ones((2, 3)), b1=np.ones(2))
    np.savez(tmp_path / "w.npz", W1=np.ones((2, 3)), b1=np.ones(2))
    (folder / "out.npz").symlink_to(outside / "w.npz")
    (folder / "out").symlink_to(outside)
    (folder / "zero.npz").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.npz")
    path = folder / "net.toml"
    path.write_text(f'{HEAD}[weights]\nfile = "{name}"\n')
    found = refusal(SpecError, read_net_file, path)
    assert found.startswith("net.toml, line 6, weights.file: ")
    if message is not None:
        assert found == f"net.toml, line 6, weights.file: {message}"
    path.write_text(f'{HEAD}[data]\nfile = "{name.replace("npz", "csv")}"\ntarget = "y"\n')
    (folder / "out.csv").symlink_to("/etc/passwd")
    found = refusal(SpecError, read_net_file, path)
    assert found.startswith("net.toml, line 6, data.file: ")
    assert "root:" not in found


@pytest.mark.parametrize(
    "name", ["__import__", "os.system", "Linear", "__class__", "{0.__class__}"]
)
def test_only_the_names_of_the_table_are_activations(told, name):
    known = f"  Write one of {', '.join(ACTIVATIONS)}."
    assert told(HEAD.replace("tanh", name)).splitlines()[-2:] == [
        f"net.toml, line 3, network.activations: '{name}' is not known{_guess(name)}",
        known,
    ]


def _guess(name):
    return "; did you mean 'identity'?" if name == "Linear" else "."


def test_foreign_names_are_shown_escaped(told):
    assert told(HEAD + '"\\u001b[31m{0.__class__}%s\\u202e" = 1\n["<b>\\n"]\n') == (
        "net.toml has 2 problems.\n"
        "net.toml, line 5, network.\\x1b[31m{0.__class__}%s\\u202e: the key is not known.\n"
        "  Write one of sizes, activations, loss, reduction, penalty, seed, "
        "convention, squash_input.\n"
        "net.toml, line 6, <b>\\n: the table is not known.\n"
        "  Write [network], [weights], [data] and [convention]."
    )


def test_nothing_large_is_built(told):
    tracemalloc.start()
    found = told(HEAD.replace("[3, 2]", "[999999999, 999999999]"))
    with memory_limit(63):
        small = told(HEAD)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    assert found.startswith("net.toml, line 2, network.sizes: the weights would have 6.9 EiB; the ")
    assert small == (
        "net.toml, line 2, network.sizes: the weights would have 64 bytes; the limit is 63 bytes.\n"
        "  Write narrower layers."
    )
