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


def in_little_memory(read):
    def limited():
        with memory_limit(40):
            return read()

    return limited


def unlimited(read):
    return lambda: read()


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
    print(*not_covered(advice, told), sep="\n")
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)


TABLES = {}
NOT_FOLLOWED = {}
