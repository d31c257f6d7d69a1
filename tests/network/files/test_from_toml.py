"""A network from a file, in Python and on the command line."""

import numpy as np
import pytest

from jacobian_bp import Network, SpecError, reference
from jacobian_bp.cli import main
from jacobian_bp.network.files.net_file import write_example
from jacobian_bp.network.files.weights_file import write_weights


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "net.toml"
    write_example(path)
    return path


def test_the_example_is_the_reference_network(example):
    run, expected = Network.from_toml(example).run(), reference.second_seed()
    assert run.loss == expected.run(reference.X, reference.Y).loss
    for name, gradient in expected.run(reference.X, reference.Y).gradients().items():
        np.testing.assert_array_equal(run.gradients()[name], gradient)


def test_other_data_can_be_given(example):
    net = Network.from_toml(example)
    assert net.run([0.5, 1.0, -1.0], 0).loss != net.run().loss


def test_the_files_convention_is_the_default(example):
    text = example.read_text(encoding="utf-8").replace(
        '# convention = "flat" ', 'convention = "gradient" '
    )
    example.write_text(text, encoding="utf-8")
    run = Network.from_toml(example).run()
    assert run.derivation().layout == "gradient"
    assert run.derivation("flat").layout == "flat"


def test_weights_under_the_names_of_pytorch(tmp_path):
    net = Network.dense([3, 5, 2], "tanh", "squared_error", seed=7)
    renamed = {"0.weight": "W1", "0.bias": "b1", "2.weight": "W2", "2.bias": "b2"}
    np.savez(tmp_path / "w.npz", **{new: net.params[old] for new, old in renamed.items()})
    file = tmp_path / "net.toml"
    file.write_text(
        '[network]\nsizes = [3, 5, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
        '[weights]\nfile = "w.npz"\n',
        encoding="utf-8",
    )
    for name, value in Network.from_toml(file).params.items():
        np.testing.assert_array_equal(value, net.params[name])


def test_saved_weights_come_back(tmp_path):
    net = Network.dense([3, 5, 2], "tanh", "squared_error", seed=7)
    write_weights(tmp_path / "w.npz", net.params)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        assert {name: saved[name].shape for name in saved} == {
            "W1": (5, 3),
            "b1": (5,),
            "W2": (2, 5),
            "b2": (2,),
        }


def test_commands_take_a_file(example, capsys):
    assert main(["derive", str(example)]) == 0
    assert "z1 = W1 x + b1" in capsys.readouterr().out
    assert main(["check", str(example)]) == 0
    assert main(["show", "dz2/dW2", str(example), "--convention", "second_seed"]) == 0
    assert "∂z[2]/∂W[2]" in capsys.readouterr().out


def test_new_writes_a_file_once(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    assert main(["new", str(path)]) == 0
    assert main(["derive", str(path)]) == 0
    capsys.readouterr()
    assert main(["new", str(path)]) == 2
    assert "is there already, and is left as it is" in capsys.readouterr().err


def test_an_option_beside_a_file_is_refused(example, capsys):
    assert main(["check", str(example), "--loss", "bce"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("jacobian-bp: SpecError: --loss does not go with a network file.\n")


def test_all_problems_are_told_at_once(example):
    text = example.read_text(encoding="utf-8")
    example.write_text(text.replace('"relu", "relu"', '"rellu", "relu"').replace("loss =", "los ="))
    with pytest.raises(SpecError) as caught:
        Network.from_toml(example)
    assert "did you mean 'relu'?" in str(caught.value)
    assert "did you mean 'loss'?" in str(caught.value)


@pytest.mark.parametrize("given", [3, b"net.toml", None, ["net.toml"]])
@pytest.mark.parametrize(
    ("read", "such_as"),
    [
        (Network.from_toml, 'Network.from_toml("net.toml")'),
        (Network.from_onnx, 'Network.from_onnx("m.onnx")'),
        (Network.from_keras, 'Network.from_keras("m.keras")'),
    ],
)
def test_what_is_no_path_is_told(read, such_as, given):
    with pytest.raises(SpecError) as caught:
        read(given)
    kind = type(given).__name__
    article = "an" if kind == "int" else "a"
    assert str(caught.value) == (
        f"{such_as.partition('(')[0]} takes the path of a file, not {article} {kind}.\n"
        f"  Write such as {such_as}."
    )
