"""What is said of a file is done, and then the file is read: networks, weights, answers, tables.

Each row has what is wrong and what is done about it, taken out of the message and no more. A last
test looks through the source for advice without a row.
"""

import io
import json
import os
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from followed import Told, advice_in, lines_run, not_covered
from table_cases import REFUSED

from jacobian_bp import Network, memory_limit, read_table
from jacobian_bp.errors import JacobianError
from jacobian_bp.network.files.answer_file import read_answers
from jacobian_bp.network.files.net_file import write_example
from jacobian_bp.network.files.weights_file import read_weights, write_weights

RNG = np.random.default_rng(11)
HEAD = '[network]\nsizes = [3, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
CLASSES = HEAD.replace("tanh", "softmax").replace("squared_error", "cross_entropy")
BINARY = HEAD.replace("tanh", "sigmoid").replace("squared_error", "bce")
DATA = "[data]\nx = [2.0, 3.0, 5.0]\ny = [0.5, 0.25]\n"
IRIS = '[data]\nfile = "iris"\ntarget = "species"\n'
OF_IRIS = CLASSES.replace("[3, 2]", "[4, 3]") + IRIS
W, B = RNG.standard_normal((2, 3)), RNG.standard_normal(2)
INLINE = "[weights]\nW1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [0.5, -1]\n"
FILE = '[weights]\nfile = "w.npz"\n'


def said(pattern, message):
    found = re.search(pattern, message)
    assert found, (pattern, message)
    return found[1]


def instead(wrong, pattern):
    """What the message shows, in place of what is wrong."""
    return lambda text, message: once(text, wrong, said(pattern, message))


def by_hand(wrong, right, sentence):
    """What the message asks for, in the reader's own numbers."""

    def change(text, message):
        assert re.search(sentence, message), message
        return once(text, wrong, right)

    return change


def once(text, old, new):
    assert text.count(old) == 1, (old, text)
    return text.replace(old, new)


def under(text, message):
    """The key that is missing, where the message says."""
    key, table = (
        said(r"\.(\w+): the key is missing", message),
        said(r"Write it under (\S+)\.", message),
    )
    values = {
        "loss": '"squared_error"',
        "y": "[0.5, 0.25]",
        "target": '"species"',
        "x": "[2, 3, 5]",
    }
    return once(text, f"{table}\n", f"{table}\n{key} = {values[key]}\n")


def left_out(line):
    def change(text, message):
        assert re.search("Write one of the two|leave it out", message), message
        return once(text, line, "")

    return change


SIZES = "sizes = [3, 2]"
TOML = {  # a network file, and how it is changed
    "a table that is not known": (
        HEAD + "[dta]\n",
        lambda text, message: once(text, "[dta]", said(r"and (\[data\])", message)) + DATA[7:],
    ),
    "a key above": (
        "seed = 3\n" + HEAD,
        lambda text, message: (
            once(text, "seed = 3\n", "") + "seed = 3\n" * ("keys under them" in message)
        ),
    ),
    "no table": ("", lambda text, message: said(r"Write (\[network\])", message) + HEAD[9:]),
    "a table that is none": (
        'network = "x"\n',
        lambda text, message: HEAD if said(r"Write (\[network\]) on", message) else "",
    ),
    "a key that is missing": (HEAD.replace('loss = "squared_error"\n', ""), under),
    "a key nearly": (
        HEAD.replace("loss", "los"),
        lambda text, message: once(text, "los =", said(r"did you mean '(\w+)'", message) + " ="),
    ),
    "a key that is none": (
        HEAD + "depth = 3\n",
        lambda text, message: once(text, "depth = 3", said(r"(seed)", message) + " = 3"),
    ),
    "text for true": (HEAD + "squash_input = 'true'\n", instead("'true'", r"Write (\w+), without")),
    "a width in quotes": (
        HEAD.replace("[3, 2]", '[3, "2"]'),
        by_hand('"2"', "2", "without quotes"),
    ),
    "no widths": (
        HEAD.replace("[3, 2]", "3"),
        lambda text, message: once(text, "sizes = 3", "sizes = " + said(r"as (\[3.*\])", message)),
    ),
    "a width of the data": (
        HEAD.replace("[3, 2]", '["auto", 2]'),
        by_hand('"auto"', "3", "Write its number, or"),
    ),
    "a width of data that are there": (
        CLASSES.replace("[3, 2]", '["auto", 3]'),
        lambda text, message: text + IRIS if "or [data] with a file" in message else text,
    ),
    "too wide": (
        HEAD.replace("[3, 2]", "[999999999, 999999999]"),
        by_hand("[999999999, 999999999]", "[3, 2]", "Write narrower layers"),
    ),
    "activations of no kind": (
        HEAD.replace('"tanh"', "true"),
        lambda text, message: once(
            once(text, "true", said(r"such as (\[.*\])", message)), "[3, 2]", "[3, 4, 2]"
        ),
    ),
    "an activation too many": (
        HEAD.replace('"tanh"', '["tanh", "tanh"]'),
        by_hand('["tanh", "tanh"]', '["tanh"]', "or one a layer; the input is not"),
    ),
    "an activation nearly": (HEAD.replace("tanh", "tnh"), instead("tnh", r"did you mean '(\w+)'")),
    "a loss of no kind": (
        HEAD.replace('"squared_error"', "3"),
        by_hand("loss = 3", 'loss = "huber"', "Write"),
    ),
    "a loss with an option": (
        HEAD.replace('"squared_error"', "{ hubr = 0.5 }"),
        lambda text, message: once(
            text, "{ hubr = 0.5 }", said(r"(\{ huber = 0.5 \})|$", message) or ""
        ),
    ),
    "a loss of two": (
        HEAD.replace('"squared_error"', "{ huber = 0.5, bce = 1 }"),
        instead("{ huber = 0.5, bce = 1 }", r"(\{ huber = 0.5 \})"),
    ),
    "an option of a loss": (
        HEAD.replace('"squared_error"', "{ huber = true }"),
        instead("{ huber = true }", r"such as (\{ huber = 0.5 \})"),
    ),
    "a reduction": (HEAD + 'reduction = "average"\n', instead("average", r"did you mean '(\w+)'")),
    "a mean over entries of classes": (
        CLASSES + 'reduction = "mean_over_entries"\n',
        instead('"mean_over_entries"', r'Write ("mean")'),
    ),
    "a penalty": (
        HEAD + "penalty = 3\n",
        lambda text, message: once(
            text, "penalty = 3", "penalty = " + said(r"such as (\{ W1 = 0.01 \})", message)
        ),
    ),
    "a penalty on nothing": (
        HEAD + "penalty = { W9 = 0.1 }\n",
        lambda text, message: once(text, "W9", said(r"Write one of (\w+)", message)),
    ),
    "a last activation": (
        HEAD.replace("squared_error", "bce"),
        lambda text, message: once(
            text, '"tanh"', said(r"Make the last activation ('\w+')", message)
        ),
    ),
    "weights that are missing": (
        HEAD + "[weights]\nW1 = [[1, 2, 3], [4, 5, 6]]\n",
        lambda text, message: text + f"b1 = [0.5, -1]  # {said(r'with shape (.2,.)', message)}\n",
    ),
    "empty weights": (
        HEAD + "[weights]\n",
        lambda text, message: (
            once(text, "[weights]\n", "") if "or leave it out" in message else text
        ),
    ),
    "a weight of another shape": (
        HEAD + INLINE.replace("[0.5, -1]", "[[0.5], [-1]]"),
        by_hand("[[0.5], [-1]]", "[0.5, -1]", r"Write b1 with shape \(2,\)"),
    ),
    "weights twice": (HEAD + FILE + "b1 = [0.5, -1]\n", left_out("b1 = [0.5, -1]\n")),
    "ragged weights": (
        HEAD + INLINE.replace("[4, 5, 6]", "[4]"),
        by_hand("[4]", "[4, 5, 6]", r"or rows such as \[\[1.0\], \[2.0\]\]"),
    ),
    "a file that is none": (
        HEAD + "[weights]\nfile = 3\n",
        by_hand("file = 3", 'file = "w.npz"', "Write the name of an .npz or"),
    ),
    "a data file that is none": (
        CLASSES.replace("[3, 2]", "[4, 3]") + IRIS.replace('"iris"', "3"),
        by_hand("file = 3", 'file = "flowers.csv"', "name of a CSV file beside the network file"),
    ),
    "a file outside": (
        HEAD + FILE.replace("w.npz", "../course/w.npz"),
        by_hand(
            "../course/w.npz", "w.npz", "Put the file beside the network file, and write its name"
        ),
    ),
    "two kinds of data": (OF_IRIS + "x = [2, 3]\n", left_out("x = [2, 3]\n")),
    "one row and many": (OF_IRIS + "example = 1\nbatch = 3\n", left_out("batch = 3\n")),
    "an input of another width": (
        HEAD + DATA.replace("[2.0, 3.0, 5.0]", "[2.0, 3.0]"),
        by_hand("[2.0, 3.0]", "[2.0, 3.0, 5.0]", "Write a row with one number for each input"),
    ),
    "a class with a point": (
        CLASSES + DATA.replace("[0.5, 0.25]", "1.0"),
        lambda text, message: once(
            text, "y = 1.0", "y = " + said(r"Write 0 to (\d+), without", message)
        ),
    ),
    "a class too many": (
        CLASSES + DATA.replace("[0.5, 0.25]", "2"),
        lambda text, message: once(text, "y = 2", "y = " + said(r"from 0 to (\d+)", message)),
    ),
    "labels of another shape": (
        HEAD + DATA.replace("[0.5, 0.25]", "3"),
        by_hand("y = 3", "y = [0.5, 0.25]", r"Write y with shape \(2,\)"),
    ),
    "classes of another shape": (
        CLASSES + DATA.replace("[0.5, 0.25]", "[[[0]]]").replace("[[[0]]]", "[0, 1, 1]"),
        by_hand("[0, 1, 1]", "1", r"Write classes of shape \(\)"),
    ),
    "labels beyond 1": (
        BINARY + DATA.replace("[0.5, 0.25]", "[0, 1.7]"),
        by_hand("[0, 1.7]", "[0, 1]", "Write labels between 0 and 1"),
    ),
    "signs": (
        BINARY + DATA.replace("[0.5, 0.25]", "[-1, 1]"),
        lambda text, message: once(text, "[-1, 1]", f"[{said(r'Write (0) for -1', message)}, 1]"),
    ),
    "weights of classes": (
        CLASSES + DATA,
        by_hand("[0.5, 0.25]", "[0.75, 0.25]", "weights of which each row sums to 1"),
    ),
    "labels that are missing": (HEAD + "[data]\nx = [2, 3, 5]\n", under),
    "a target that is missing": (OF_IRIS.replace('target = "species"\n', ""), under),
    "a target of no kind": (
        OF_IRIS.replace('"species"', "true"),
        lambda text, message: once(text, "true", said(r"or (-1) for the last", message)),
    ),
    "a column nearly": (
        OF_IRIS.replace("species", "specis"),
        instead("specis", r"Did you mean (\w+)\?"),
    ),
    "text for a switch": (
        OF_IRIS + "raw = 'yes'\n",
        lambda text, message: once(text, "raw = 'yes'", said(r"Write (raw = true)", message)),
    ),
    "an option of a table": (
        OF_IRIS + "missing = 'dorp'\n",
        instead("dorp", r"Did you mean (\w+)\?"),
    ),
    "a row in words": (OF_IRIS + "batch = 'al'\n", instead("'al'", r'or ("all")')),
    "another number of inputs": (
        OF_IRIS.replace("[4, 3]", "[5, 3]"),
        lambda text, message: once(text, "[5,", f"[{said(r'Write (.) as the first', message)},"),
    ),
    "another number of outputs": (
        HEAD.replace("[3, 2]", "[4, 2]") + IRIS,
        lambda text, message: once(text, "2]", said(r"Write (1) as the last", message) + "]"),
    ),
    "twice": (HEAD + "seed = 1\nseed = 2\n", by_hand("seed = 2\n", "", "and each key once")),
    "no TOML": (HEAD + "seed 1\n", by_hand("seed 1", "seed = 1", "Write key = value, one a line")),
    "dots": (
        HEAD + "a" + ".a" * 200 + " = 1\n",
        by_hand("a" + ".a" * 200 + " = 1\n", "", "and plain keys under them"),
    ),
    "thousands of digits": (
        HEAD + f"seed = {'7' * 5000}\n",
        by_hand("7" * 5000, "7", "Write a number that a computer can hold"),
    ),
    "too large": (
        HEAD + "# comment\n" * 120_000,
        lambda text, message: (
            text.replace("# comment\n", "") if "of at most 1.0 MiB" in message else text
        ),
    ),
}


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def archive(*members, name="w.npz", method=zipfile.ZIP_STORED):
    def write():
        with zipfile.ZipFile(name, "w", method) as file, np.errstate(all="ignore"):
            for member, raw in members:
                file.writestr(member, raw)

    return write


def put(name, content):
    return lambda: Path(name).write_bytes(content)


def saved(**arrays):
    return lambda: np.savez("w.npz", **(arrays or {"W1": W, "b1": B}))


def tensors(entries, data=b"", tail=b""):
    head = json.dumps(entries).encode() if isinstance(entries, dict) else entries
    return put("w.safetensors", struct.pack("<Q", len(head)) + head + data + tail)


ENTRY = {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]}
ENTRIES = {"W1": ENTRY, "b1": {"dtype": "F64", "shape": [2], "data_offsets": [48, 64]}}
RAW = W.tobytes() + B.tobytes()
WHOLE = tensors(ENTRIES, RAW)


def weights(name="w.npz"):
    return lambda: read_weights(Path(name), Path())


def answers():
    return read_answers("answer.npz", ["x", "W1", "b1", "z1", "a1", "J"])


def again(sentence, write):
    """The file is written anew where the message asks for it."""

    def follow(message):
        assert re.search(sentence, message), message
        write()

    return follow


def as_told(message):
    """The call that the message shows, made."""
    code = said(r"(np\.savez\(.*\))", message.replace("**{", "**dict_of_").split("or np")[-1])
    names = {"dW2": np.ones((2, 3)), "delta2": np.ones(2), "X": np.eye(3), "Y": np.ones(3)}
    eval(code, {"np": np, **names})


def renamed(old, pattern):
    """An array gets the name that the message shows."""

    def follow(message):
        with np.load("w.npz") as file:
            arrays = {said(pattern, message) if key == old else key: file[key] for key in file}
        np.savez("w.npz", **arrays)

    return follow


FILES = {  # what is there, how it is read, and what is done
    "twice": (
        archive(("W1.npy", npy(W)), ("W1", npy(W))),
        weights(),
        again("Keep one of the two", saved()),
    ),
    "encrypted": (
        lambda: (saved()(), encrypt("w.npz")),
        weights(),
        again("Save it openly", saved()),
    ),
    "bzip2": (
        archive(("W1.npy", npy(W)), method=zipfile.ZIP_BZIP2),
        weights(),
        again(r"np\.savez", saved()),
    ),
    "compressed": (
        archive(("W1.npy", npy(np.zeros((2, 2**21)))), method=zipfile.ZIP_DEFLATED),
        weights(),
        again(r"np\.savez, which does not compress", saved()),
    ),
    "a header": (
        archive(("W1.npy", b"\x93NUMPY\x01\x00\x04\x00{}  ")),
        weights(),
        again(r"np\.savez", saved()),
    ),
    "a shape": (
        archive(("W1.npy", npy(W).replace(b"(2, 3)", b"(" + b"1," * 1 + b"9" * 1 + b" )")[:])),
        weights(),
        again("Write the file again", saved()),
    ),
    "a shape of many axes": (
        archive(
            (
                "W1.npy",
                many_axes := b"\x93NUMPY\x01\x00"
                + struct.pack("<H", 160)
                + (
                    b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"1," * 33 + b"), }"
                ).ljust(160),
            )
        ),
        weights(),
        again(r"np\.savez", saved()),
    ),
    "cut short": (
        put("w.npz", b"PK\x03\x04" + b"\0" * 40),
        weights(),
        again("Write the file again", saved()),
    ),
    "too many": (
        archive(*((f"W{k}.npy", npy(1.0)) for k in range(10_001))),
        weights(),
        again("Keep the weights of the network alone", saved()),
    ),
    "names that are none": (saved(V=W, b1=B), weights(), renamed("V", r"Name the arrays (\w+)")),
    "a name nearly": (saved(w1=W, b1=B), weights(), renamed("w1", r"did you mean (\w+)\?")),
    "a layer without": (
        lambda: np.savez("w.npz", **{"net.0.weight": W, "net.0.biass": B}),
        weights(),
        renamed("net.0.biass", r"did you mean '([\w.]+)'\?"),
    ),
    "an ending": (
        put("w.txt", b""),
        lambda: read_weights(Path(ENDING[0]), Path()),
        lambda message: (saved()(), ENDING.__setitem__(0, "w" + said(r"of an (\.npz)", message))),
    ),
    "a pickle": (
        put("w.safetensors", b"\x80\x04\x95"),
        weights("w.safetensors"),
        again("Save it without pickle: safetensors.torch.save_file", WHOLE),
    ),
    "another kind": (
        put("w.npz", b"\x89HDF"),
        weights(),
        again(r"Save the weights with np\.savez", saved()),
    ),
    "a tensor that begins late": (
        tensors({"W1": ENTRY | {"data_offsets": [8, 56]}}, RAW),
        weights("w.safetensors"),
        again("Write the file again", WHOLE),
    ),
    "more behind": (
        tensors(ENTRIES, RAW, b"x"),
        weights("w.safetensors"),
        again("nothing may stand there", WHOLE),
    ),
    "a tensor twice": (
        tensors(b'{"W1": 1, "W1": 2}'),
        weights("w.safetensors"),
        again("Keep one of the two", WHOLE),
    ),
    "a name of weights": (
        lambda: None,
        lambda: write_weights(Path(PLACE[0]), {"W1": W, "b1": B}),
        lambda message: PLACE.__setitem__(0, said(r"such as (\w+\.npz)", message)),
    ),
    "names of weights": (
        lambda: None,
        lambda: write_weights(Path("v.npz"), {NAMES[0]: W, "b1": B}),
        lambda message: NAMES.__setitem__(0, said(r"Name the arrays (\w+)", message)),
    ),
    "weights that are there": (
        saved(),
        lambda: write_weights(Path("w.npz"), {"W1": W, "b1": B}, **REPLACE),
        lambda message: REPLACE.update(
            eval(said(r"say (replace=True)", message).replace("replace=", "{'replace':") + "}")
        ),
    ),
    "weights in a folder's place": (
        lambda: os.mkdir("v.npz"),
        lambda: write_weights(Path("v.npz"), {"W1": W, "b1": B}, replace=True),
        lambda message: (
            os.rename("v.npz", "u") if "Name a file for the weights" in message else None
        ),
    ),
    "weights in no folder": (
        lambda: None,
        lambda: write_weights(Path("no/v.npz"), {"W1": W, "b1": B}),
        lambda message: os.mkdir("no") if "Choose another folder" in message else None,
    ),
    "a file that leads out": (
        lambda: os.symlink("/etc/hostname", "w.npz"),
        weights(),
        lambda message: (
            (os.unlink("w.npz"), saved()()) if "Put the file itself into" in message else None
        ),
    ),
    "a folder that is gone": (
        lambda: None,
        lambda: read_weights(Path("w.npz"), Path(FOLDER[0])),
        lambda message: (
            (saved()(), FOLDER.__setitem__(0, "."))
            if "Write the name of a file" in message
            else None
        ),
    ),
    "an answer by no name": (
        lambda: np.savez("answer.npz", dV=W),
        answers,
        lambda message: np.savez("answer.npz", **{said(r"Write (d\w)2 for", message) + "1": W}),
    ),
    "an answer nearly": (
        lambda: np.savez("answer.npz", grad_w1=W),
        answers,
        lambda message: np.savez("answer.npz", **{said(r"Did you mean (\w+)\?", message): W}),
    ),
    "an answer twice": (
        lambda: np.savez("answer.npz", dW1=W, grad_W1=W),
        answers,
        lambda message: np.savez("answer.npz", dW1=W) if "Keep one of the two" in message else None,
    ),
    "no archive of answers": (
        put("answer.npz", b"no"),
        lambda: read_answers("answer.npz", ["z2", "W2"]),
        as_told,
    ),
    "a file that is there": (
        put("net.toml", b""),
        lambda: write_example(PLACE[1]),
        lambda message: (
            PLACE.__setitem__(1, "other.toml") if "Choose another name" in message else None
        ),
    ),
    "a folder that is not there": (
        lambda: None,
        lambda: write_example(Path(PLACE[2])),
        lambda message: (
            PLACE.__setitem__(2, "n.toml") if "Choose another folder or name" in message else None
        ),
    ),
    "not UTF-8": (
        put("net.toml", (HEAD + "# größe\n").encode("latin-1")),
        lambda: Network.from_toml("net.toml"),
        again("Save it as UTF-8", put("net.toml", (HEAD + "# größe\n").encode())),
    ),
}
ENDING, PLACE, NAMES, REPLACE, FOLDER = (
    ["w.txt"],
    ["v.txt", "net.toml", "no/n.toml"],
    ["V"],
    {},
    ["gone"],
)
START = (list(ENDING), list(PLACE), list(NAMES), dict(REPLACE), list(FOLDER))


def encrypt(name):
    """The flag by which a member says that it is encrypted."""
    raw = bytearray(Path(name).read_bytes())
    for magic, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = raw.find(magic)
        raw[at + place] |= 1
    Path(name).write_bytes(bytes(raw))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(tmp_path / "course")
    ENDING[:], PLACE[:], NAMES[:], FOLDER[:] = START[0], START[1], START[2], START[4]
    REPLACE.clear()
    return tmp_path


def of_network(text):
    Path("net.toml").write_text(text, encoding="utf-8")
    return lambda: Network.from_toml("net.toml")


def refused(read):
    with pytest.raises(JacobianError) as caught:
        read()
    return str(caught.value)


def beside():
    np.savez("w.npz", W1=W, b1=B)
    rows = "".join(f"{k * 3 % 11},{k * k},{k % 5},{k % 7},{k % 3}\n" for k in range(11))
    Path("flowers.csv").write_text(f"a,b,c,d,species\n{rows}")


@pytest.mark.parametrize(("text", "change"), TOML.values(), ids=TOML)
def test_what_is_said_of_a_network_file_is_done_and_it_is_read(folder, text, change):
    beside()
    message = refused(of_network(text))
    new = change(text, message)
    assert new != text
    of_network(new)()


@pytest.mark.parametrize(("prepare", "read", "follow"), FILES.values(), ids=FILES)
def test_what_is_said_of_a_file_is_done_and_it_is_read(folder, prepare, read, follow):
    prepare()
    follow(refused(read))
    read()


ASKED = {}  # what is asked of the table of a row, as it was changed


def of_table():
    asked = dict(ASKED)
    loss, outputs = asked.pop("loss", None), asked.pop("outputs", None)
    table = read_table(asked.pop("source", "t.csv"), **asked)
    return table.labels(loss, outputs) if loss else table


def table(content, follow, **asked):
    """A row of which the file is t.csv, or what `content` writes."""

    def prepare():
        (content if callable(content) else put("t.csv", as_bytes(content)))()
        ASKED.clear()
        ASKED.update({"target": -1} | asked)

    return prepare, of_table, follow


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def saying(*options):
    """The option that the message says, in Python."""

    def follow(message):
        for option in options:
            ASKED[option] = eval(
                said(rf"\b{option}=(\[.*?\]|\".*?\"|\w+)", message.splitlines()[-1])
            )

    return follow


def asking(sentence, **asked):
    """What the message asks for, where it asks for it."""

    def follow(message):
        assert re.search(sentence, message), message
        ASKED.update(asked)

    return follow


def arrays(**found):
    return lambda: np.savez("a.npz", **found)


class Frame:
    """What pandas and polars have in common."""

    iloc = None

    def __init__(self, columns, *cells):
        self.columns, self._cells = columns, dict(zip(columns, cells, strict=False))

    def __len__(self):
        return len(next(iter(self._cells.values()), ()))

    def __getitem__(self, name):
        return Column(self._cells[name])


class Column(list):
    def to_list(self):
        return list(self)


X, Y = RNG.standard_normal((7, 3)), RNG.standard_normal(7)
PLAIN = "u,v,w\n2,3,5\n7,11,13\n"
GRADES = "u,w\n2,7\n3,5\n5,10\n7,5\n"
WORDS = "u,w\n2,a\n3,b\n5,c\n7,a\n11,b\n13,c\n"
OF_ARRAYS = {"source": "a.npz", "target": None}
GOOD_FRAME = {"source": Frame(["u", "w"], [2, 3], [5, 7])}
NO_DATA = 'Write it with np.savez("data.npz", X=X, Y=Y)'


def rewritten(sentence, content=PLAIN):
    return again(sentence, put("t.csv", as_bytes(content)))


def rearranged(sentence, **found):
    return again(sentence, lambda: np.savez("a.npz", **found))


def of_numbers_told(message):
    """The shape that says that the examples stand in rows."""
    rows = eval(said(r"of shape (\(\d+, 1\)) says rows", message))
    np.savez("a.npz", X=X[:3], Y=np.arange(3.0).reshape(rows))


TABLES = {
    "above the limit": table(PLAIN, asking("data_limit=1 ", data_limit=1 * 2**20), data_limit=3),
    "classes and a loss of numbers": table(
        WORDS,
        asking("classes: the loss cross_entropy", loss="cross_entropy", outputs=3),
        loss="huber",
        outputs=1,
    ),
    "three classes and bce": table(
        WORDS,
        lambda message: ASKED.update(
            loss=said(r"the loss (\w+), and", message),
            outputs=int(said(r"and (\d) outputs", message)),
        ),
        loss="bce",
        outputs=1,
    ),
    "one class": table(
        "u,w,v\n2,a,b\n3,a,c\n5,a,b\n",
        asking("Choose another target", target=-1),
        target="w",
        loss="cross_entropy",
        outputs=2,
    ),
    "three numbers and bce": table(
        GRADES,
        lambda message: ASKED.update(loss=said(r"the loss (\w+) for classes", message), outputs=3),
        loss="bce",
        outputs=1,
    ),
    "outputs and classes": table(
        WORDS,
        lambda message: ASKED.update(outputs=int(said(r"end in (\d)", message))),
        loss="cross_entropy",
        outputs=2,
    ),
    "halves as classes": table(
        "u,w\n2,0.5\n3,1\n5,0\n",
        lambda message: ASKED.update(loss=said(r"has the loss (\w+)", message), outputs=1),
        loss="cross_entropy",
        outputs=2,
    ),
    "a dict": table(PLAIN, asking("Give the path of a file", source="t.csv"), source={"u": [1]}),
    "rows that are not there": table(PLAIN, saying("rows"), rows="1-5"),
    "a target of no kind": table(
        PLAIN, asking("Write a name, or a number from 1", target=1), target=2.5
    ),
    "a list of no kind": table(
        PLAIN,
        lambda message: ASKED.update(
            drop=[n.replace("NAME", "u") for n in eval(said(r"Write drop=(\[.*\])", message))]
        ),
        drop=2.5,
    ),
    "a choice nearly": table(
        PLAIN, lambda message: ASKED.update(missing=said(r"mean (\w+)\?", message)), missing="dorp"
    ),
    "a limit of no kind": table(PLAIN, asking("how many bytes", data_limit=10_000), data_limit=-1),
    "lines of no kind": table(PLAIN, asking("how many lines", skip=0), skip=True),
    "a span of no kind": table(
        PLAIN,
        lambda message: ASKED.update(rows=said(r'rows="(.*?)"', message).replace("99", "1")),
        rows="all",
    ),
    "true of no kind": table(
        PLAIN,
        lambda message: ASKED.update(header=eval(said(r"Write (True)", message))),
        header="yes",
    ),
    "a name of several": table("u,v,u\n2,3,5\n7,11,13\n", saying("target"), target="u"),
    "dates as a target": table(
        "u,day\n2,2021-03-05\n3,2021-03-06\n", asking("Its columns are u", target="u", keep="day")
    ),
    "a target and dropped": table(PLAIN, asking("Name another", drop="u"), drop="w"),
    "texts of several": table(
        "u,v,w\n2,3,a\n3,5,b\n5,7,a\n7,2,b\n",
        asking("Name one target", target="w"),
        target=["v", "w"],
    ),
    "nothing but empty columns": table(
        "u,w\n,3\n,5\n",
        lambda message: (
            ASKED.update(target="w", keep=())
            or (put("t.csv", PLAIN.encode())() if "Choose another target" in message else None)
        ),
    ),
    "every row has a gap": table("u,v,w\n,3,5\n7,,13\n", saying("missing"), missing="drop"),
    "a gap": table("u,v,w\n,3,5\n7,3,13\n", saying("missing")),
    "an infinite number": table(
        "u,w\n2,3\n-inf,5\n3,7\n5,11\n", rewritten("Leave the row out or mend it")
    ),
    "a name too few": table(
        "u,v\n2,3,5\n2,11,13\n17,19,23\n", rewritten("Write all the names in the first line")
    ),
    "a header alone": table("u,v\n", rewritten("Write one line for each example")),
    "a NUL": table("u,w\n2,\0\n", rewritten("Save the table as CSV")),
    "a long line": table(
        "u,w\n" + "7" * (4 * 2**20 + 1) + ",3\n", rewritten("Write one line for each example")
    ),
    "a long cell": table(f"u,w\n2,{'7' * 131_073}\n", rewritten("Shorten it, or leave it out")),
    "too wide": table(
        f"{','.join(f'g{k}' for k in range(20_001))}\n{'2,' * 20_000}3\n",
        lambda message: ASKED.update(
            columns=eval(said(r"columns=(\[.*\])", message).replace("NAME", "g7"))
        ),
    ),
    "elsewhere": table(
        PLAIN, asking("Save it here", source="t.csv"), source="https://example.org/t.csv"
    ),
    "not there": table(
        PLAIN, lambda message: ASKED.update(source=said(r"one of (\w+),", message)), source="s.csv"
    ),
    "a folder": table(PLAIN, asking("Give the path of a CSV file", source="t.csv"), source="."),
    "an option of texts": table(
        arrays(X=X, Y=Y),
        lambda message: ASKED.pop("skip") if "Leave it out" in message else None,
        **OF_ARRAYS,
        skip=2,
    ),
    "an array of texts": table(
        arrays(X=np.array([["a"]]), Y=Y),
        rearranged("Save it as an array of numbers", X=X, Y=Y),
        **OF_ARRAYS,
    ),
    "a NaN in an array": table(
        arrays(X=np.where(X[0, 0] == X, np.nan, X), Y=Y),
        rearranged("Fill it or leave", X=X, Y=Y),
        **OF_ARRAYS,
    ),
    "another array": table(
        arrays(X=X, Y=Y),
        lambda message: (
            ASKED.update(target=said(r"\n  (Y): ", message))
            if "Name one of these" in message
            else None
        ),
        source="a.npz",
        target="Z",
    ),
    "names that are not usual": table(
        arrays(P=X, Q=Y, R=Y),
        lambda message: ASKED.update(
            {
                option: [value.replace("NAME", name) for value in ["NAME"]]
                for option, name in zip(
                    re.findall(r"(\w+)=", message.splitlines()[-1]), "PQ", strict=True
                )
            }
        ),
        **OF_ARRAYS,
    ),
    "no archive of arrays": table(
        put("a.npz", b"no"), rearranged(re.escape(NO_DATA), X=X, Y=Y), **OF_ARRAYS
    ),
    "two ways": table(arrays(X=X[:3], Y=np.full((3, 3), 2.0)), of_numbers_told, **OF_ARRAYS),
    "columns of arrays": table(
        arrays(X=X, Y=Y),
        lambda message: (
            (np.savez("a.npz", X=X[:, 1:], Y=Y), ASKED.pop("drop"))
            if "Leave columns out" in message
            else None
        ),
        **OF_ARRAYS,
        drop="X",
    ),
    "two columns of one name": table(
        PLAIN, asking("a name of its own", **GOOD_FRAME), source=Frame(["u", "u"], [2, 3])
    ),
    "a frame without rows": table(
        PLAIN, asking("one row for each example", **GOOD_FRAME), source=Frame(["u", "w"], [], [])
    ),
    "a frame of lists": table(
        PLAIN,
        lambda message: ASKED.update(GOOD_FRAME) if "Leave the column out" in message else None,
        source=Frame(["u", "w"], [[2], 3], [5, 7]),
    ),
    "a frame of many cells": table(
        PLAIN,
        asking("Give fewer rows or columns", **GOOD_FRAME),
        source=Frame(["u", "w"], range(5_000_001)),
    ),
}


def limited(name, limit, sentence):
    """A row that a memory limit refuses, and a larger limit or a smaller file lets in."""
    prepare, read, _ = name
    LIMITS = [limit]

    def reading():
        with memory_limit(LIMITS[0] or "1 GiB"):
            return read()

    def follow(message):
        assert re.search(sentence, message), message
        LIMITS[0] = None

    def prepared():
        LIMITS[0] = limit
        prepare()

    return prepared, reading, follow


TABLES |= {
    "little memory for the text": limited(table(PLAIN, None), 20, "Keep fewer rows"),
    "little memory for the cells": limited(
        table(PLAIN, None), 300, "Keep fewer rows or columns of the file"
    ),
    "little memory for the numbers": limited(
        table("u,w\n" + "".join(f"{k % 29},{k % 5}\n" for k in range(60)), None, category="u"),
        20_000,
        "Keep fewer rows or columns",
    ),
    "little memory for examples": limited(
        table(arrays(X=np.zeros((100, 3), np.uint8), Y=np.zeros(100, np.uint8)), None, **OF_ARRAYS),
        2000,
        "Keep fewer examples",
    ),
}


@pytest.mark.parametrize(("prepare", "read", "follow"), TABLES.values(), ids=TABLES)
def test_what_is_said_of_a_table_is_done_and_it_is_read(folder, prepare, read, follow):
    prepare()
    follow(refused(read))
    read()


def test_no_advice_about_files_is_without_a_row(folder):
    advice, told = advice_in("network/files", without=["network/files/data/"]), []

    def tell(prepare, read):
        prepare()
        with lines_run(advice) as lines:
            message = refused(read)
        told.append(Told(message, lines))

    beside()
    for text, _ in TOML.values():
        tell(lambda: None, of_network(text))
    for number, (prepare, read, _) in enumerate([*FILES.values(), *TABLES.values()]):
        os.mkdir(f"../{number}")
        os.chdir(f"../{number}")
        tell(prepare, read)
    for text, options, _ in REFUSED.values():
        content = text if isinstance(text, bytes) else text.encode()
        tell(put("t.csv", content), lambda: read_table("t.csv", -1, **options))  # noqa: B023
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)
    assert len(not_covered(advice, told[: len(told) // 2])) > len(NOT_FOLLOWED) + 10


NOT_FOLLOWED = {  # and why
    "network/files/table_text.py: Give a file that is finished.": "it grows between two looks",
    "network/files/table_text.py: Give the path of a CSV file.": "it goes between two looks",
    "network/files/toml_text.py: Write numbers in digits.": "a ValueError of a later tomllib",
}
