"""A network's file with a program: read as it is written, refused with all that is wrong in it."""

import numpy as np
import pytest

from jacobian_bp import Network, SpecError
from jacobian_bp.cli import main

RNG = np.random.default_rng(19)

PROGRAMS = {
    "a convolution": (
        [
            "z = Conv2d(x, K, c, padding=1)",
            "p = MaxPool2d(z, 2)",
            "o = Einsum(p, W, 'cij,kcij->k')",
            "L = CrossEntropyFromLogits(o, y)",
            "J = Mean(L)",
        ],
        {"K": (2, 1, 3, 3), "c": (2,), "W": (3, 2, 2, 1)},
        {"x": (5, 1, 4, 3)},
        {},
    ),
    "attention": (
        [
            "q = Linear(x, Q)",
            "k = Linear(x, M)",
            "v = Linear(x, V)",
            "s = Einsum(q, k, 'te,se->ts')",
            "A = Softmax(s)",
            "o = Einsum(A, v, 'ts,se->te')",
            "L = HalfSquaredError(o, y)",
            "J = Sum(L, over='t')",
        ],
        {"Q": (2, 3), "M": (2, 3), "V": (5, 3)},
        {"x": (4, 3), "y": (4, 5)},
        {"x": "t"},
    ),
    "formulas": (
        [
            "z = theta @ x + b",
            "o = Linear(z, V)",
            "L = sum((o - y)**2) + lam * sum(theta**2)",
            "J = Mean(L)",
        ],
        {"theta": (3, 2), "b": (3,), "V": (5, 3), "lam": ()},
        {"x": (7, 2), "y": (7, 5)},
        {},
    ),
    "a batch norm": (
        [
            "z = Linear(x, W, b)",
            "u = BatchNorm(z, gamma, beta)",
            "o = Linear(u, V, d)",
            "L = HalfSquaredError(o, y)",
            "J = Mean(L)",
        ],
        {"W": (3, 2), "b": (3,), "gamma": (3,), "beta": (3,), "V": (1, 3), "d": (1,)},
        {"x": (5, 2), "y": (5, 1)},
        {},
    ),
}


def arrays(shapes):
    return {name: RNG.standard_normal(shape).round(3) for name, shape in shapes.items()}


def text_of(lines, params, data, axes):
    said = [f"lines = [{', '.join(map(repr_of, lines))}]"]
    if axes:
        said.append("axes = { " + ", ".join(f'{k} = "{v}"' for k, v in axes.items()) + " }")
    tables = {"program": said}
    for name, held in (("weights", params), ("data", data)):
        tables[name] = [f"{key} = {value.tolist()}" for key, value in held.items()]
    return "\n".join("\n".join([f"[{name}]", *held]) for name, held in tables.items())


def test_formulas_with_a_weights_file_and_the_axes_of_its_arrays(tmp_path):
    lines, shapes, given, _ = PROGRAMS["formulas"]
    params, data = arrays(shapes), arrays(given)
    np.savez(tmp_path / "w.npz", **params)
    np.savez(tmp_path / "d.npz", **data)
    path = tmp_path / "net.toml"
    said = f"[program]\nlines = [{', '.join(map(repr_of, lines))}]\n"
    path.write_text(said + '[weights]\nfile = "w.npz"\n[data]\nfile = "d.npz"\n')
    expected = Network.program(*lines, params=params).run(**data).gradients()
    found = Network.from_toml(path).run().gradients()
    assert all(found[name].tobytes() == expected[name].tobytes() for name in params)


def test_a_formula_that_does_not_fit_its_weights_is_told_with_its_file(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text('[program]\nlines = ["z = x", "J = sum(z)"]\n[data]\nx = [1.0, 2.0]\n')
    with pytest.raises(SpecError, match=r"net\.toml, line 2, program\.lines: line 1: 'z = x'"):
        Network.from_toml(path)
    path.write_text('[program]\nlines = ["J = tr(P)"]\n[weights]\nP = [1.0, 2.0]\n')
    with pytest.raises(SpecError, match=r"net\.toml, line 2, program\.lines: line 1: 'J = tr"):
        Network.from_toml(path)


def repr_of(line):
    return '"' + line + '"'


@pytest.fixture
def written(tmp_path):
    def write(name):
        lines, shapes, given, axes = PROGRAMS[name]
        params, data = arrays(shapes), arrays(given)
        if "y" not in data:
            data["y"] = np.array([0, 2, 1, 1, 0])
        path = tmp_path / "net.toml"
        path.write_text(text_of(lines, params, data, axes), encoding="utf-8")
        return path, Network.program(*lines, params=params), data, axes

    return write


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_file_is_the_program_with_its_parameters_and_data(written, name):
    path, net, data, axes = written(name)
    read = Network.from_toml(path)
    assert read.steps == net.steps
    expected, found = net.run(**data, axes=axes or None), read.run()
    for key, gradient in expected.gradients().items():
        np.testing.assert_array_equal(found.gradients()[key], gradient, strict=True)


COMMANDS = ["derive --convention numerator", "check", "compare"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_command_takes_it(written, name, command, capsys):
    path, *_ = written(name)
    verb, *options = command.split()
    assert main([verb, str(path), *options]) == 0
    printed = capsys.readouterr().out
    assert "not timed" not in printed
    if verb != "compare":
        assert "all routes agree" in printed


def test_show_prints_one_jacobian_of_it(written, capsys):
    path, *_ = written("a convolution")
    assert main(["show", "dz/dK", str(path)]) == 0
    assert "Σ_i Σ_j δ[d,d'] x[n,c',i,j] δ[i,o+r'−1] δ[j,q+s'−1]" in capsys.readouterr().out


TORCH = {
    "0.weight": (2, 1, 3, 3),
    "0.bias": (2,),
    "1.weight": (2,),
    "1.bias": (2,),
    "1.running_mean": (2,),
    "1.num_batches_tracked": (),
    "10.weight": (3, 2),
}
LAYERS = [
    "z = Conv2d(x, K, c)",
    "m = Mean(z, over='o,q')",
    "u = LayerNorm(m, gamma, beta)",
    "o = Linear(u, W)",
    "L = HalfSquaredError(o, y)",
    "J = Mean(L)",
]


def torch_file(tmp_path, shapes):
    stored = {name: RNG.standard_normal(shape) for name, shape in shapes.items()}
    np.savez(tmp_path / "w.npz", **stored)
    rows = ", ".join(map(repr_of, LAYERS))
    path = tmp_path / "net.toml"
    path.write_text(f'[program]\nlines = [{rows}]\n[weights]\nfile = "w.npz"\n', encoding="utf-8")
    return path, stored


def test_pytorchs_names_are_the_parameters_of_the_steps_in_order(tmp_path):
    path, stored = torch_file(tmp_path, TORCH)
    net = Network.from_toml(path)
    meant = dict(zip(("K", "c", "gamma", "beta"), TORCH, strict=False)) | {"W": "10.weight"}
    assert set(net.params) == set(meant)
    for name, theirs in meant.items():
        np.testing.assert_array_equal(net.params[name], stored[theirs], strict=True)
    left = "left out: 1.running_mean, 1.num_batches_tracked, which training does not change"
    assert left in net.facts.remarks


def test_pytorchs_layers_that_are_not_those_of_the_program_are_told(tmp_path):
    shapes = {k: v for k, v in TORCH.items() if not k.startswith("10")} | {"1.bias": (2, 5)}
    path, _ = torch_file(tmp_path, shapes)
    with pytest.raises(SpecError) as caught:
        Network.from_toml(path)
    assert str(caught.value) == (
        "net.toml, line 4, weights.file: w.npz does not hold the weights of a network.\n"
        "  '1.bias' has shape (2, 5); LayerNorm 'u' reads beta as beta[k]\n"
        "  2 layers in the file, '0', '1'; 3 steps with parameters: Conv2d 'z', LayerNorm 'u', "
        "Linear 'o'\n"
        "  Name the arrays as the lines do, or as PyTorch does: 0.weight, 0.bias, …."
    )


GOOD = '[program]\nlines = ["z = Linear(x, W)", "J = SquaredError(z, y)"]\n'
WEIGHTS = "[weights]\nW = [[1.0, 2.0]]\n"
REFUSED = {
    "an op that is none": (
        '[program]\nlines = ["z = Conv3d(x, W)"]\n',
        "net.toml, line 2, program.lines: line 1: 'z = Conv3d(x, W)': no op is named Conv3d. "
        "Did you mean Conv2d?",
    ),
    "no lines": (
        "[program]\n",
        "net.toml, line 1, program.lines: the key is missing.\n  Write it under [program].",
    ),
    "a line that is no text": (
        "[program]\nlines = [3]\n",
        "net.toml, line 2, program.lines[0]: 3 is not a line of text.\n"
        '  Write them such as ["z = Linear(x, W, b)", "L = SquaredError(z, y)", "J = Mean(L)"].',
    ),
    "layers beside the program": (
        GOOD + WEIGHTS + "[network]\nsizes = [2, 1]\n",
        "net.toml, line 5, network: the file has a [program] already.\n"
        "  Leave one of the two tables out.",
    ),
    "a weight that no line reads": (
        GOOD + "[weights]\nW = [[1.0, 2.0]]\nV = 1.0\n",
        "net.toml, line 5, weights.V: the key is not known.\n  Write one of x, W, y.",
    ),
    "ragged rows": (
        GOOD + "[weights]\nW = [[1.0, 2.0], [3.0]]\n",
        "net.toml, line 4, weights.W: ragged: entry 0 is a row of 2, entry 1 is a row of 1.\n"
        "  Write a number, a row such as [1.0, 2.0], or rows such as [[1.0], [2.0]].",
    ),
    "an input without numbers": (
        GOOD + WEIGHTS + "[data]\nx = [1.0, 2.0]\n",
        "net.toml, line 5, data.y: y is missing.\n  No line computes it: write it under [data].",
    ),
    "a parameter among the missing": (
        GOOD + "[data]\nx = [1.0, 2.0]\ny = [1.0]\n",
        "net.toml, line 3, data.W: W is missing.\n  No line computes it: write it under [weights].",
    ),
    "a table of rows": (
        GOOD + WEIGHTS + '[data]\nfile = "rows.csv"\n',
        "net.toml, line 6, data.file: 'rows.csv' is no .npz file; a program reads arrays, no "
        "table.\n  Write the name of an .npz file beside the network file.",
    ),
    "axes that are no names": (
        '[program]\nlines = ["J = Sum(x)"]\naxes = 3\n',
        "net.toml, line 3, program.axes: 3 does not name axes.\n"
        '  Write the axes in front, such as axes = { x = "n,t" }.',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_with_its_line(tmp_path, name):
    text, expected = REFUSED[name]
    path = tmp_path / "net.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        Network.from_toml(path)
    assert str(caught.value).startswith(expected)


def test_a_program_without_data_says_what_it_reads(tmp_path, capsys):
    path = tmp_path / "net.toml"
    path.write_text(GOOD + WEIGHTS, encoding="utf-8")
    assert main(["derive", str(path)]) == 2
    told = f"{path} has a program, and no data to run it on.\n  Add a table [data] with x, y."
    assert told in capsys.readouterr().err
