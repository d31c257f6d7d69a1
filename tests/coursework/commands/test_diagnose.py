"""jacobian-bp diagnose: a student's arrays in a file, or one line, against a network file."""

import io
import zipfile

import numpy as np
import pytest

from jacobian_bp import Network, SpecError
from jacobian_bp.cli import main
from jacobian_bp.network.files.answer_file import key_of, read_answers

NET = """
[network]
sizes = [3, 5, 2]
activations = ["tanh", "identity"]
loss = "half_squared_error"
seed = 4
[data]
x = [0.5, -1.0, 2.0]
y = [1.0, -0.5]
"""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(NET)
    return path


@pytest.fixture
def right(net):
    run = Network.from_toml(net).run()
    one = np.ones(())
    return {**run.gradients(), **{name: run.vjp("J", name, one) for name in ("z1", "z2")}}


def call(capsys, *arguments):
    code = main(["diagnose", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def handed_in(tmp_path, **arrays):
    np.savez(tmp_path / "answer.npz", **arrays)
    return tmp_path / "answer.npz"


def test_a_right_answer_is_called_right(net, right, tmp_path, capsys):
    answer = handed_in(tmp_path, dW2=right["W2"], delta1=right["z1"])
    assert call(capsys, net, answer) == (0, "W2: W2 is right.\nz1: z1 is right.\n", "")


def test_a_mistake_is_named(net, right, tmp_path, capsys):
    answer = handed_in(tmp_path, dW1=right["W1"].T, dW2=right["W2"], d2=right["z2"])
    code, out, err = call(capsys, net, answer)
    assert (code, err) == (1, "")
    assert out.startswith("z2: z2 is right.\nW2: W2 is right.\nW1: ")
    assert "transpose" in out


def test_an_answer_that_follows_from_a_wrong_one_is_not_all_right(net, right, tmp_path, capsys):
    wrong = -right["z1"]
    answer = handed_in(tmp_path, delta1=wrong, db1=wrong)
    code, out, _ = call(capsys, net, answer)
    assert code == 1
    assert "follows from your own z1" in out


def test_an_answer_is_judged_in_its_convention(net, right, tmp_path, capsys):
    W2 = np.column_stack([right["b2"], right["W2"]])
    answer = handed_in(tmp_path, Theta2_grad=W2, delta3=right["z2"][:, None])
    (tmp_path / "c.toml").write_text(
        '[convention]\nexamples = "columns"\nbias = "first"\nfirst = 2\n'
        'names = { "Theta{l-1}" = "W" }\n'
    )
    assert call(capsys, net, answer, "--convention", tmp_path / "c.toml") == (
        0,
        "delta3: z3 is right.\nTheta2_grad: Theta2 is right.\n",
        "",
    )
    answer = handed_in(tmp_path, dW2=right["W2"].T, dW1=right["W1"].T)
    assert call(capsys, net, answer, "--weights", "in,out")[0] == 0
    code, out, _ = call(capsys, net, answer, "--weights", "out,in")
    assert code == 1
    assert "is the transpose of the right array" in out
    assert call(capsys, net, "--line", "dW2 = a1 @ d2.T", "--weights", "in,out", "--examples",
                "columns")[0] == 0  # fmt: skip


def test_the_table_of_the_network_s_file_says_the_convention(net, right, tmp_path, capsys):
    net.write_text(f'{NET}[convention]\nweights = "in,out"\nfirst = 2\n')
    answer = handed_in(tmp_path, dW3=right["W2"].T)
    assert call(capsys, net, answer) == (0, "dW3: W3 is right.\n", "")
    assert call(capsys, net, "--line", "dW3 = np.outer(a2, d3)")[0] == 0
    assert call(capsys, net, answer, "--weights", "in,out")[0] == 2  # there is no W3, then


@pytest.mark.parametrize("named", [True, False], ids=["nielsen", "numerator"])
def test_the_name_under_network_says_the_convention(net, right, tmp_path, capsys, named):
    name = "nielsen" if named else "numerator"
    net.write_text(NET.replace("seed = 4", f'seed = 4\nconvention = "{name}"'))
    code = tmp_path / "backward.py"
    code.write_text(
        "delta3 = a3 - y\ndw3 = np.dot(delta3, a2.T)\n"
        "delta2 = np.dot(w3.T, delta3) * (1 - a2**2)\ndw2 = np.dot(delta2, x.T)\ndb2 = delta2\n"
    )
    answer = handed_in(tmp_path, dw3=right["W2"], dw2=right["W1"])
    line = "dw3 = np.dot(delta3, a2.T)"
    for arguments in ([answer], ["--line", line], ["--code", code]):
        without = "--code" in arguments  # a layout's name says no names: there is no layer 3
        assert call(capsys, net, *arguments)[0] == (0 if named else 1 if without else 2)
    assert call(capsys, net, "--line", line.replace("a2", "z2"))[0] == (1 if named else 2)


def test_a_line_that_breaks_and_one_that_is_right(net, capsys):
    code, out, _ = call(capsys, net, "--line", "dW2 = a1 * d2")
    assert code == 1
    assert out.startswith("dW2 = a1 * d2: breaks at a1 * d2.\n")
    assert call(capsys, net, "--line", "np.outer(d2, a1)", "--target", "W2")[0] == 0


def test_a_line_without_a_goal_is_told_what_to_write_in_a_shell(net, capsys):
    code, out, _ = call(capsys, net, "--line", "a1 * 3")
    assert code == 1
    assert out.endswith("is not clear: name it in front, as in dW2 = d2.T @ a1.\n")


def test_the_layout_of_arrays(net, right, tmp_path, capsys):
    answer = handed_in(tmp_path, dW1=right["W1"].T)
    assert call(capsys, net, answer, "--layout", "transposed")[:2] == (0, "W1: W1 is right.\n")
    remark = "W1: W1 is right, in another layout: transposed.\n"
    assert call(capsys, net, answer)[:2] == (0, remark)
    assert call(capsys, net, answer, "--layout", "flat")[0] == 1


KNOWN = ("x", "y", "z1", "a1", "z2", "a2", "J", "W1", "b1", "W2", "b2")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("W2", "W2"),
        ("dW2", "W2"),
        ("b1", "b1"),
        ("delta2", "z2"),
        ("delta_2", "z2"),
        ("d1", "z1"),
        ("dz1", "z1"),
        ("dz2_dW2", ("z2", "W2")),
        ("dz2/dW2", ("z2", "W2")),
        ("z2_a1", ("z2", "a1")),
        ("W7", None),
        ("delta9", None),
        ("z2_W2_x", None),
        ("", None),
        ("../W2", None),
    ],
)
def test_common_names_of_arrays_are_known(name, key):
    assert key_of(name, KNOWN) == key


def refused(path, known=KNOWN):
    with pytest.raises(SpecError) as error:
        read_answers(str(path), known)
    return str(error.value)


def test_files_that_are_none(tmp_path):
    hint = '\n  Write it with np.savez("answer.npz", dW2=dW2, delta2=delta2).'
    (tmp_path / "a.npz").write_text("hello")
    assert refused(tmp_path / "a.npz") == "a.npz is no archive of arrays." + hint
    assert refused(tmp_path / "a.pkl") == "a.pkl does not end in .npz." + hint
    assert "cannot be found" in refused(tmp_path / "none.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("W2.npy", b"\x93NUMPY cut short")
    assert refused(tmp_path / "b.npz")


def test_names_that_stand_for_nothing_or_twice(tmp_path):
    assert refused(handed_in(tmp_path, dW3=np.ones(2))) == (
        "answer.npz: 'dW3' names no object of the network.\n"
        "  Write dW2 for a gradient, delta2 for ∂J/∂z2, dz2_dW2 for a Jacobian."
    )
    assert refused(handed_in(tmp_path, dW2=np.ones(2), W2=np.ones(2))) == (
        "answer.npz: 'W2' is there twice, under two names.\n  Keep one of the two."
    )


def test_a_pickle_inside_is_not_opened(tmp_path):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.array([{}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("W2.npy", data.getvalue())
    assert refused(tmp_path / "p.npz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "diagnose takes a file of arrays, or one line, or the code of a function."),
        (
            ("a.npz", "--line", "d2"),
            "diagnose takes a file of arrays, or one line, or the code of a function.",
        ),
        (("a.npz", "--target", "W2"), "--target goes with --line."),
        (("--line", "d2", "--layout", "flat"), "--layout goes with a file of arrays."),
        (("--line", "d2", "--examples", "x"), "--examples x is not known."),
        (
            ("a.npz", "--examples", "rows", "--convention", "ng"),
            "--examples and --convention both say how it is written.",
        ),
        (("a.npz", "--convention", "nq"), "convention 'nq' is not known."),
    ],
)
def test_options_that_do_not_go_together(net, capsys, arguments, message):
    code, out, err = call(capsys, net, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"jacobian-bp: SpecError: {message}\n")


def test_a_network_without_data(tmp_path, capsys):
    bare = tmp_path / "bare.toml"
    bare.write_text(NET.partition("[data]")[0])
    code, _, err = call(capsys, bare, "--line", "d2")
    assert code == 2
    assert "has no data to run on" in err


CODE = """\
def backward(x, y):
    dz2 = a2 - y
    dW2 = np.outer(dz2, a1) + c * W2
    dz1 = (W2.T @ dz2) * (1 - a1 ** 2)
    dW1 = np.outer(dz1, x) + c * W1
    return dW1, dW2
"""


@pytest.fixture
def code_file(tmp_path):
    path = tmp_path / "backward.py"
    path.write_text(CODE)
    return path


def test_a_right_function_is_called_right(net, code_file, capsys):
    code, out, err = call(capsys, net, "--code", code_file, "--let", "c=0.5")
    assert (code, err) == (0, "")
    assert out.startswith("Right: 4 lines, with the gradients of W1, W2.\n")
    assert "c * W is added to the gradients of W2, W1: a cost with c.\n" in out


def test_how_to_say_the_layout_is_advised_as_the_command_takes_it(net, code_file, capsys):
    net.write_text(NET.replace("[0.5, -1.0, 2.0]", "[[0.5, -1.0, 2.0], [0.1, 0.4, -0.3]]"))
    net.write_text(net.read_text().replace("[1.0, -0.5]", "[[1.0, -0.5], [0.2, 0.7]]"))
    code_file.write_text("dW2 = A1.T @ dZ2\ndZ1 = dZ2 @ W2 * (1 - A1 ** 2)\n")
    _, out, _ = call(capsys, net, "--code", code_file)
    advice = "--examples rows --weights out,in"
    assert f"say it, such as {advice}." in " ".join(out.split())
    code, out, err = call(capsys, net, "--code", code_file, *advice.split())
    assert (code, err) == (1, "")
    assert out.startswith("Line 1 is the first wrong one")


def test_the_first_wrong_line_of_a_function_is_named(net, code_file, capsys):
    code_file.write_text(CODE.replace("1 - a1 ** 2", "1 - a1"))
    code, out, err = call(capsys, net, "--code", code_file, "--let", "c=0.5")
    assert (code, err) == (1, "")
    assert out.startswith("Line 4 is the first wrong one; 3 others are right, given its right")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--let", "c"), "--let c gives no number.\n  Write --let reg=0.01.\n"),
        (("--target", "W2"), "--target does not go with --code.\n  Leave it out: names say it.\n"),
        (
            ("--examples", "rows"),
            "--examples and --weights go together with --code.\n  Write both, such as "
            "--examples columns --weights out,in; or neither: the lines tell.\n",
        ),
        (
            ("--examples", "rows", "--weights", "x"),
            "--weights x is not known.\n  Write out,in or in,out.\n",
        ),
        (
            ("--function", "forward"),
            "diagnose_code: the text has no function 'forward'.\n  Its functions: backward.\n",
        ),
    ],
)
def test_an_option_that_does_not_fit_the_code_is_refused(
    net, code_file, capsys, arguments, message
):
    code, out, err = call(capsys, net, "--code", code_file, *arguments)
    assert (code, out, err) == (2, "", f"jacobian-bp: SpecError: {message}")


@pytest.mark.parametrize("option", [("--function", "f"), ("--let", "a=1")])
def test_an_option_of_the_code_does_not_go_with_a_line(net, capsys, option):
    code, out, err = call(capsys, net, "--line", "d2", *option)
    assert (code, out) == (2, "")
    assert err == (
        f"jacobian-bp: SpecError: {option[0]} goes with --code.\n"
        "  Leave it out, or name the file.\n"
    )


def test_a_file_of_code_that_cannot_be_read_is_named(net, tmp_path, capsys):
    bad = tmp_path / "bad.py"
    bad.write_bytes(b"a = 1\nb = \xff\n")
    code, out, err = call(capsys, net, "--code", bad)
    assert (code, out) == (2, "")
    assert err == (
        f"jacobian-bp: SpecError: {bad}, line 2: this is no UTF-8 text.\n  Save it as UTF-8.\n"
    )
    code, out, err = call(capsys, net, "--code", tmp_path / "none.py")
    assert (code, out) == (2, "")
    assert err == "jacobian-bp: SpecError: none.py cannot be found.\n  Name a file of Python.\n"
