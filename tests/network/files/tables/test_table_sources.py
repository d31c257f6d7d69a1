"""Frames of pandas and polars, and arrays in files, are read by the rules of a text file."""

import datetime
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from network_cases import refusal
from table_cases import READ

from jacobian_bp import SpecError, read_table

RNG = np.random.default_rng(7)
TEXT = (
    "sort,day,ok,u,v,w\n"
    "a,2021-03-05,True,2,1.5,x\nb,2021-03-06,False,5,,y\na,2021-03-07,True,11,-2.25,y\n"
)


class Series(list):
    """A column as both packages have it."""

    def to_list(self):
        return list(self)


class Frame:
    """What pandas and polars have in common, so that the tests need neither."""

    iloc = None

    def __init__(self, index=None, **columns):
        self._columns = columns
        self.columns = list(columns)
        self.index = range(len(self)) if index is None else index

    def __len__(self):
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, name):
        return Series(self._columns[name])


def own_frame():
    day = [datetime.date(2021, 3, d) for d in (5, 6, 7)]
    return Frame(
        sort=["a", "b", "a"],
        day=day,
        ok=[True, False, True],
        u=[2, 5, 11],
        v=[1.5, float("nan"), -2.25],
        w=["x", "y", "y"],
    )


def pandas_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({name: list(own_frame()[name]) for name in own_frame().columns})
    frame["day"] = pandas.to_datetime(frame["day"])
    frame["sort"] = frame["sort"].astype("category")
    frame["u"] = frame["u"].astype("Int64")
    return frame


def polars_frame():
    polars = pytest.importorskip("polars")
    return polars.DataFrame({name: list(own_frame()[name]) for name in own_frame().columns})


@pytest.mark.parametrize("make", [own_frame, pandas_frame, polars_frame])
def test_a_frame_gives_what_its_file_gives(tmp_path, make):
    (tmp_path / "t.csv").write_text(TEXT)
    written = read_table(tmp_path / "t.csv", "w", missing="class")
    held = read_table(make(), "w", missing="class")
    np.testing.assert_array_equal(held.x, written.x, strict=True)
    np.testing.assert_array_equal(held.y, written.y, strict=True)
    assert (held.features, held.classes) == (written.features, written.classes)
    assert held.remarks[0] == "the data frame: 3 rows, 6 columns"
    assert held.remarks[2:] == written.remarks[2:]
    message = refusal(SpecError, read_table, make(), "w")
    assert message.startswith("the data frame, row 1, column v: '' is a missing value;")


def test_a_frame_of_numbers_is_plain_and_an_index_is_not_used():
    frame = Frame(u=[2, 7], v=[3.5, np.float32(11)], w=[np.int64(5), 13])
    plain = read_table(frame, "w", raw=True)
    np.testing.assert_array_equal(plain.x, [[2, 3.5], [7, 11]])
    assert plain.remarks == (
        "the data frame: 2 rows, 3 columns",
        "2 number columns as they are, not standardised",
        "target column w as it is",
    )
    frame.index = ["first", "second"]
    assert read_table(frame, "w").remarks[0] == (
        "the data frame: 2 rows, 3 columns; its index is not used"
    )


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            Frame(u=[2, [3]], w=[5, 7]),
            "the data frame, row 1, column u: a list is neither a number nor a text.\n"
            "  Leave the column out, or turn it into numbers.",
        ),
        (
            Frame(u=[2, float("inf")], w=[5, 7]),
            "the data frame, row 1, column u: 'inf' is not a finite number.\n"
            "  Leave the row out or mend it.",
        ),
        (
            Frame(u=[], w=[]),
            "the data frame has no rows.\n  Give it one row for each example.",
        ),
        (
            Frame(**{"u": [2, 3], " u": [5, 7], "w": [11, 13]}),
            "the data frame has two columns with the name 'u'.\n"
            "  Give each column a name of its own.",
        ),
    ],
    ids=["list", "inf", "empty", "twice"],
)
def test_a_frame_that_is_no_table_is_refused(frame, message):
    assert refusal(SpecError, read_table, frame, "w") == message


def test_what_only_a_text_has_cannot_be_said_of_a_frame():
    for option, shown in [({"skip": 3}, "skip=3"), ({"delimiter": "tab"}, 'delimiter="tab"')]:
        assert refusal(SpecError, read_table, Frame(u=[2, 3], w=[5, 7]), "w", **option) == (
            f"the data frame holds values, no text: {shown} says nothing of it.\n  Leave it out."
        )
    assert read_table(Frame(u=[2, 3], w=[5, 7]), "w", missing="drop").x.shape == (2, 1)


def test_a_frame_that_is_not_computed_yet_is_refused_without_a_warning(recwarn):
    polars = pytest.importorskip("polars")
    assert refusal(SpecError, read_table, polars.LazyFrame({"u": [2]}), "u").startswith(
        "a table cannot be read from a LazyFrame.\n"
    )
    assert not recwarn.list


def test_no_frame_package_is_imported_to_read_a_file(tmp_path, monkeypatch):
    for package in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, package, None)  # an import of it would fail
    (tmp_path / "t.csv").write_text(TEXT)
    assert read_table(tmp_path / "t.csv", "u", missing="drop").x.shape == (2, 4)
    assert read_table(own_frame(), "u", missing="drop").x.shape == (2, 4)


# ---------------------------------------------------------------- arrays in files


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "d.npz", **arrays)
        return tmp_path / "d.npz"

    return write


X, CLASSES = RNG.standard_normal((5, 3)), np.array([2, 0, 1, 1, 0])
IMAGES = RNG.integers(0, 256, (5, 2, 7)).astype(np.uint8)


@pytest.mark.parametrize(
    ("arrays", "x", "y", "words"),
    [
        ({"X": X, "Y": CLASSES}, X, CLASSES, ["inputs as they are, not standardised (raw=False)"]),
        ({"x_train": X, "y_train": CLASSES[:, None]}, X, CLASSES, []),
        ({"X": np.asfortranarray(X), "y": CLASSES}, X, CLASSES, []),
        (
            {"train_set_x": X.T, "train_set_y": CLASSES[None]},
            X,
            CLASSES,
            ["examples stood in columns, turned: x is (5, 3)"],
        ),
        ({"X": X.T, "Y": np.eye(3)[CLASSES].T}, X, np.eye(3)[CLASSES], ["examples stood"]),
        (
            {"images": IMAGES, "labels": CLASSES},
            IMAGES.reshape(5, 14) / 255,
            CLASSES,
            [
                "images 2×7 flattened to rows of 14, last axis fastest",
                "bytes from 0 to 255 divided by 255 (raw=True)",
            ],
        ),
        ({"X": X[:3], "Y": CLASSES[:3, None]}, X[:3], CLASSES[:3], []),
    ],
    ids=["rows", "train", "Fortran", "columns", "one-hot columns", "images", "square"],
)
def test_inputs_and_targets_are_found_in_an_archive(npz, arrays, x, y, words):
    found = read_table(npz(**arrays, other=RNG.standard_normal(2)))
    np.testing.assert_array_equal(found.x, x.astype(float), strict=True)
    np.testing.assert_array_equal(found.y, y.astype(float), strict=True)
    (first, second) = list(arrays)
    shapes = [str(arrays[name].shape) for name in (first, second)]
    assert found.remarks[0] == (
        f"d.npz: inputs {first} {shapes[0]}, targets {second} {shapes[1]} (columns=…, target=…)"
    )
    for word in words:
        assert any(remark.startswith(word) for remark in found.remarks)


@pytest.mark.parametrize("kind", [str, "U9", "S9"])
def test_targets_of_text_are_classes_in_a_stated_order(npz, kind):
    names = np.array(["oak", "elm", "ash", "elm", "oak"]).astype(kind)
    found = read_table(npz(X=X, Y=names))
    np.testing.assert_array_equal(found.x, X, strict=True)
    np.testing.assert_array_equal(found.y, [2, 1, 0, 1, 2], strict=True)
    assert (found.classes, found.loss()) == (("ash", "elm", "oak"), "cross_entropy")
    assert found.remarks == (
        "d.npz: inputs X (5, 3), targets Y (5,) (columns=…, target=…)",
        "inputs as they are, not standardised (raw=False)",
        "target Y, 3 classes: 0 = ash (1 row), 1 = elm (2 rows), 2 = oak (2 rows)",
    )
    part = read_table(npz(X=X, Y=names[:, None]), rows="2-")
    np.testing.assert_array_equal(part.y, [0, 1, 2], strict=True)
    assert refusal(SpecError, read_table, npz(X=names[:, None], Y=CLASSES)) == (
        "d.npz: X holds texts.\n  Save it as an array of numbers."
    )


def test_what_is_done_to_the_inputs_of_an_archive_can_be_changed(npz):
    path = npz(images=IMAGES, labels=CLASSES)
    flat = IMAGES.reshape(5, 14).astype(float)
    flat[:, 3] = IMAGES[0, 0, 3]
    as_read = read_table(path, raw=True)
    np.testing.assert_array_equal(as_read.x, IMAGES.reshape(5, 14).astype(float), strict=True)
    assert as_read.remarks[-1] == "inputs as they are, not standardised"
    spread = read_table(npz(X=flat, Y=CLASSES), raw=False)
    deviation = np.where(flat.std(0) == 0, 1, flat.std(0))
    np.testing.assert_allclose(spread.x, (flat - flat.mean(0)) / deviation, rtol=1e-12, atol=1e-14)
    assert spread.remarks[-1] == (
        "14 inputs standardised to mean 0 and standard deviation 1; constant, hence 0: 1 of them"
    )


def test_arrays_of_other_names_are_told_by_name(npz):
    path = npz(M=X, c=CLASSES, rest=X[0])
    found = read_table(path, "c", columns="M", rows="1-3")
    np.testing.assert_array_equal(found.x, X[1:4])
    np.testing.assert_array_equal(found.labels("cross_entropy", 3)[0], CLASSES[1:4])
    shown = "\n".join(["  M: (5, 3)", "  c: (5,)", "  rest: (3,)"])
    assert refusal(SpecError, read_table, path) == (
        f"d.npz: which arrays are inputs and targets?\n{shown}\n"
        '  Say columns=["NAME"] for the inputs and target="NAME".'
    )
    assert refusal(SpecError, read_table, path, "d") == (
        f"d.npz holds no array 'd'.\n{shown}\n  Name one of these."
    )
    assert read_table(npz(M=X, c=CLASSES), "c").x.shape == (5, 3)


def test_what_fits_twice_or_not_at_all_is_refused(npz):
    square = npz(X=X[:3], Y=CLASSES[:3])
    assert refusal(SpecError, read_table, square) == (
        "d.npz: X (3, 3), Y (3,) fit in two ways.\n"
        "  one example a row\n"
        "  one example a column\n"
        "  Save one number for each example: Y of shape (3, 1) says rows, (1, 3) says columns."
    )
    turned = read_table(npz(X=X[:3], Y=CLASSES[None, :3]))
    np.testing.assert_array_equal(turned.x, X[:3].T)
    assert refusal(SpecError, read_table, npz(X=X, Y=CLASSES[:2])) == (
        "d.npz: inputs and targets are not of as many examples.\n"
        "  X has shape (5, 3)\n"
        "  Y has shape (2,)\n"
        '  Write it with np.savez("data.npz", X=X, Y=Y).'
    )


def test_an_array_that_runs_code_or_has_holes_is_refused(npz):
    objects = npz(X=X, Y=np.array([SimpleNamespace()] * 5))
    assert refusal(SpecError, read_table, objects) == (
        "d.npz: Y has dtype |O: Python objects, stored as a pickle, which is never read.\n"
        "  Save it as an array of numbers."
    )
    holes = X.copy()
    holes[3, 1] = np.nan
    assert refusal(SpecError, read_table, npz(X=holes, Y=CLASSES)) == (
        "d.npz: X has nan at [3,1].\n  Fill it or leave the example out before you save."
    )
    assert refusal(SpecError, read_table, npz(X=X, Y=CLASSES), header=True) == (
        "d.npz holds arrays, no text: header=True says nothing of it.\n  Leave it out."
    )


def test_an_array_of_rows_is_a_table_without_names(tmp_path):
    np.save(tmp_path / "d.npy", np.column_stack([X, CLASSES]))
    found = read_table(tmp_path / "d.npy", -1, raw=True)
    np.testing.assert_array_equal(found.x, X)
    np.testing.assert_array_equal(found.y, CLASSES)
    assert found.remarks[0] == "d.npy: 5 rows, 4 columns; an array, columns numbered from 1"
    np.save(tmp_path / "d.npy", IMAGES)
    assert refusal(SpecError, read_table, tmp_path / "d.npy", -1) == (
        "d.npy holds one array of shape (5, 2, 7), which is no table of rows.\n"
        '  Write it with np.savez("data.npz", X=X, Y=Y).'
    )
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01")
    message = refusal(SpecError, read_table, tmp_path / "d.npy", -1)
    assert message == "d.npy has a header that is not numpy's.\n  Save it with np.savez."
    np.save(tmp_path / "d.npy", X)
    content = (tmp_path / "d.npy").read_bytes()
    (tmp_path / "d.npy").write_bytes(content[:-8])
    assert refusal(SpecError, read_table, tmp_path / "d.npy", -1).startswith(
        "d.npy claims shape (5, 3) of float64, 120 bytes; it holds 112.\n"
    )


# ---------------------------------------------------------------- commands and network files


@pytest.fixture
def call(capsys):
    """Run a command; its exit code, its lines, and what it said to standard error."""
    from jacobian_bp.cli import main

    def run(*command):
        code = main([str(word) for word in command])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


def iris_without_names(folder):
    path = folder / "flowers.csv"
    path.write_text("5.1,3.5,setosa\n7,3.25,versicolor\n5.75,4.5,setosa\n6.5,3,virginica\n")
    return path


def joined(lines):
    """The lines as one, those under `data` without that word."""
    return " ".join(" ".join(line.removeprefix("data      ") for line in lines).split())


SAID = [
    "flowers.csv: 4 rows, 3 columns; no header, columns numbered from 1 ({header})",
    "2 number columns standardised to mean 0 and standard deviation 1 ({raw})",
    "target column 3, 3 classes: 0 = setosa (2 rows), 1 = versicolor (1 row), "
    "2 = virginica (1 row)",
    "a batch: the first 4 rows",
    "widths 2-5-3: auto is what the data have",
    "3 classes, hence softmax and cross_entropy ({loss})",
    "weights drawn with seed 0",
]  # fmt: skip


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", ["check", "derive", "show", "compare"])
def test_a_command_leaves_widths_and_loss_to_the_data(tmp_path, call, command):
    pair = ["dz2/dW2"] if command == "show" else []
    given = ["auto-5-auto", "--data", iris_without_names(tmp_path), "--target", "-1"]
    given += ["--batch", "all"] + (["--repeats", "1"] if command == "compare" else [])
    code, lines, err = call(command, *pair, *given)
    assert (code, err if command != "compare" else "") == (0, "")
    text = joined(lines)
    words = {"header": "--header", "raw": "--raw", "loss": "--activations, --loss"}
    for said in SAID if command != "compare" else SAID[:1]:
        assert said.format(**words) in text


def test_a_network_file_says_the_same_of_its_table(tmp_path, call):
    iris_without_names(tmp_path)
    net = tmp_path / "net.toml"
    net.write_text(
        '[network]\nsizes = ["auto", 5, "auto"]\n'
        '[data]\nfile = "flowers.csv"\ntarget = -1\nbatch = "all"\n'
    )
    code, lines, err = call("check", net)
    assert (code, err) == (0, "")
    text = joined(lines)
    words = {"header": "header = true", "raw": "raw = true", "loss": "activations, loss"}
    for said in SAID:
        assert said.format(**words) in text
    net.write_text(net.read_text().replace('batch = "all"', 'missing = "dorp"\nheader = 1'))
    code, lines, err = call("check", net)
    assert (code, lines) == (2, [])
    assert err == (
        "jacobian-bp: SpecError: net.toml has 2 problems.\n"
        "net.toml, line 6, data.missing: missing = …: 'dorp' is not what it takes. "
        "Did you mean drop?\n"
        "  Write one of refuse, drop, mean, class.\n"
        "net.toml, line 7, data.header: 1 is not true or false.\n"
        "  Write header = true.\n"
    )


def test_a_diagnosis_says_what_was_assumed_of_the_table(tmp_path, call):
    iris_without_names(tmp_path)
    net, code = tmp_path / "net.toml", tmp_path / "backward.py"
    head = '[network]\nsizes = ["auto", 5, "auto"]\n[data]\n'
    net.write_text(head + 'file = "flowers.csv"\ntarget = -1\n')
    code.write_text("dz2 = a2 - y\ndW2 = np.outer(dz2, a1)\n")
    inline = tmp_path / "inline.toml"
    sizes = '[network]\nsizes = [2, 1]\nactivations = "tanh"\nloss = "squared_error"\n'
    inline.write_text(f"{sizes}[data]\nx = [2.0, 3]\ny = [5.0]\n")
    words = {"header": "header = true", "raw": "raw = true", "loss": "activations, loss"}
    for question in (["--line", "dW2 = np.outer(d2, a1)"], ["--code", code]):
        _, lines, _ = call("diagnose", net, *question)
        text = joined(lines)
        for said in SAID[:2]:
            assert said.format(**words) in text
        assert "weights drawn" not in text
    _, lines, _ = call("diagnose", inline, "--line", "dW1 = np.outer(d1, x)")
    assert not any(line.startswith("data") for line in lines)


def test_a_network_file_and_a_command_take_arrays(tmp_path, call, npz):
    path = npz(X=IMAGES, Y=CLASSES)
    given = ["auto-2-auto", "--data", path, "--loss", "cross_entropy", "--batch", "2"]
    code, lines, err = call("check", *given)
    assert (code, err, lines[-1]) == (0, "", "all routes agree")
    assert "data      widths 14-2-3: auto is what the data have" in lines
    net = tmp_path / "net.toml"
    net.write_text(
        '[network]\nsizes = ["auto", 2, 3]\nactivations = ["tanh", "softmax"]\n'
        'loss = "cross_entropy"\n[data]\nfile = "d.npz"\nexample = 4\n'
    )
    code, lines, err = call("check", net)
    assert (code, err, lines[-1]) == (0, "", "all routes agree")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "auto-3-2",
            "SpecError: 'auto-3-2' leaves a width to the data, and none is there for it.\n"
            "  The first and the last width can be auto, with --data FILE; write the others.\n",
        ),
        (
            "2-auto-2 --data iris --target species",
            "SpecError: '2-auto-2' leaves a width to the data, and none is there for it.\n"
            "  The first and the last width can be auto, with --data FILE; write the others.\n",
        ),
        (
            "2-2 --no-header",
            "SpecError: --no-header goes with --data.\n  Name the file: --data FILE.csv.\n",
        ),
        (
            "2-2 --missing drop",
            "SpecError: --missing goes with --data.\n  Name the file: --data FILE.csv.\n",
        ),
        (
            "4-3 --data iris --target species --missing dropp",
            "SpecError: --missing: 'dropp' is not what it takes. Did you mean drop?\n"
            "  Write one of refuse, drop, mean, class.\n",
        ),
    ],
)
def test_a_command_that_says_what_cannot_be_is_refused(call, given, message):
    assert call("check", *given.split()) == (2, [], f"jacobian-bp: {message}")


def test_what_a_command_advises_works_when_it_is_typed(tmp_path, call):
    path = tmp_path / "t.csv"
    path.write_text(READ["missing, dropped"][0].replace("v,", "shoe size,"))
    given = ["check", "auto-2-auto", "--data", path, "--target", "w"]
    code, _, err = call(*given)
    assert (code, err) == (
        2,
        "jacobian-bp: SpecError: t.csv, line 2, column shoe size: '?' is a missing value; "
        "nothing is guessed.\n"
        "  2 cells in 2 of 3 rows; column shoe size: 2\n"
        "  Say --missing drop (1 row stays), --missing mean, --missing class "
        "or --drop 'shoe size'.\n",
    )
    for way in (["--missing", "mean"], ["--missing", "class"], ["--drop", "shoe size"]):
        assert call(*given, *way)[0] == 0
