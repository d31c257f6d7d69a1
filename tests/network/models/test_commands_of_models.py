"""A model's file as the argument of a command: its loss, its data, what does not go with it."""

from pathlib import Path

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.cli import main

pytest.importorskip("onnx", reason="the extra onnx is not installed")

IRIS = str(Path(__file__).parent / "made" / "iris.onnx")


@pytest.mark.parametrize(
    "arguments",
    [
        ["derive", IRIS, "--data", "iris", "--target", "species", "--batch", "7"],
        ["check", IRIS, "--loss", "cross_entropy"],
        ["show", "dJ/dp0_weight", IRIS],
        ["draw", IRIS, "graph"],
        ["source", IRIS],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_takes_the_file_of_a_model(arguments, capsys):
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert ("all routes agree" if arguments[0] == "check" else "p0_weight") in printed.out
    assert not printed.err


def test_classes_in_a_table_give_the_loss_of_the_logits(capsys):
    main(["derive", IRIS, "--data", "iris", "--target", "species", "--batch", "all"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    net = Network.from_onnx(IRIS)
    output = net.steps[-1].partition(" = ")[0]
    assert f"L = CrossEntropyFromLogits({output}, y)" in " ".join(lines)
    assert f"data      weights read from {IRIS}" in lines


def answers(folder):
    net = Network.from_onnx(IRIS)
    output = net.steps[-1].partition(" = ")[0]
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(5, 4)).astype(np.float32), np.arange(5) % 3
    lines = f"L = CrossEntropyFromLogits({output}, y)", "J = Mean(L)"
    gradients = net.followed_by(*lines).run(x, y).gradients()
    np.savez(folder / "data.npz", x=x, y=y)
    wrong = 5 * gradients["p2_weight"]
    np.savez(folder / "a.npz", dp2_weight=wrong, dp0_bias=gradients["p0_bias"])
    return str(folder / "a.npz"), str(folder / "data.npz")


def test_a_gradient_of_a_models_file_is_diagnosed(tmp_path, capsys):
    answer, data = answers(tmp_path)
    code = main(["diagnose", IRIS, answer, "--data", data, "--loss", "cross_entropy"])
    out = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "p2_weight: The gradient of p2_weight lacks the 1/m of the mean" in out
    assert "p0_bias: p0_bias is right." in out


IN_A_FILE = 'Weights are named in a network file, jacobian-bp new net.toml: [weights] file = "…".'
REFUSED = {
    "no Jacobian": (
        ["show", IRIS, "--data", "iris"],
        f"{IRIS} is a network; the Jacobian stands in front of it.\n"
        f"  Write jacobian-bp show dJ/dp0_weight {IRIS}.",
    ),
    "the Jacobian behind the network": (
        ["show", "3-5-2", "dz2/dW1"],
        "3-5-2 is a network; the Jacobian stands in front of it.\n"
        "  Write jacobian-bp show dz2/dW1 3-5-2.",
    ),
    "what PyTorch saved": (
        ["derive", "run/w.pt"],
        "run/w.pt is what PyTorch saved; no command reads a network from it.\n"
        "  Export the module, torch.onnx.export(model, (x,), 'model.onnx'), or read it in Python: "
        f"Network.from_torch(model, x).\n  {IN_A_FILE}",
    ),
    "weights": (["compare", "w.npz"], f"w.npz has weights, and no network.\n  {IN_A_FILE}"),
    "weights of Keras": (
        ["diagnose", "m.weights.h5", "a.npz"],
        f"m.weights.h5 has weights, and no network.\n  {IN_A_FILE}",
    ),
    "a pickle": (
        ["check", "clf.joblib"],
        "clf.joblib is a pickle, which is not opened.\n"
        "  Open it in Python, and read the model: Network.from_sklearn(model).",
    ),
    "activations": (
        ["check", IRIS, "--activations", "relu"],
        "--activations does not go with a model; it has its own.\n  Leave it out.",
    ),
    "an unknown loss": (
        ["check", IRIS, "--loss", "cross_entropi"],
        "the loss is 'cross_entropi', which is not known. Did you mean 'cross_entropy'?\n"
        "  Write one of squared_error, half_squared_error, huber, bce, cross_entropy, "
        "kl_divergence, hinge.",
    ),
    "another table": (
        ["check", IRIS, "--data", "diabetes", "--target", "progression"],
        f"{IRIS} has 4 inputs, diabetes.csv has 10 input columns.\n"
        "  Choose them: --columns, --drop, --target.",
    ),
    "no data to diagnose": (
        ["diagnose", IRIS, "a.npz"],
        f"{IRIS} has no data to run on.\n"
        "  Give an .npz file with x and y, the numbers the answer was computed for: --data.",
    ),
    "a file that is not there": (
        ["check", "nowhere.onnx"],
        "nowhere.onnx cannot be found.\n  Give the name of an .onnx file.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_with_a_model_is_refused(name, capsys):
    arguments, message = REFUSED[name]
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"jacobian-bp: SpecError: {message}\n"
