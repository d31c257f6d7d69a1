"""Files of weights and answers that are refused, how each is read, and what is done then."""

import io
import json
import os
import re
import struct
import zipfile
from itertools import repeat
from pathlib import Path

import numpy as np
from network_file_rows import HEAD, B, W, said

from jacobian_bp import Network, memory_limit
from jacobian_bp.network.files.answer_file import read_answers
from jacobian_bp.network.files.convention_file import convention_of
from jacobian_bp.network.files.net_file import write_example
from jacobian_bp.network.files.weights_file import read_weights, write_weights


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


def convention_file(text, change):
    """A file of a convention alone, and how its text is changed."""

    def follow(message):
        path = Path("mine.toml")
        path.write_text(change(path.read_text(), message))

    return put("mine.toml", text.encode()), lambda: convention_of("mine.toml"), follow


NIELSEN = json.dumps(
    {"sizes": [3, 2], "weights": [W.tolist()], "biases": [B[:, None].tolist()], "cost": "C"}
)


def little_memory():
    """The arrays where they are saved, else the text, with little memory."""
    with memory_limit(900):
        name = "arrays.npz" if Path("arrays.npz").exists() else "w.json"
        return read_weights(Path(name), Path())


GIVEN = {}
FILES = {  # what is there, how it is read, and what is done
    "a number for a path": (
        lambda: (write_example(Path("net.toml")), GIVEN.update(path=3)),
        lambda: Network.from_toml(GIVEN["path"]),
        lambda message: GIVEN.update(path=said(r'Write such as .*\("(.*)"\)', message)),
    ),
    "a table that is no convention": convention_file(
        "[konvention]\nfirst = 0\n",
        lambda text, message: text.replace(
            "[konvention]", said(r"Write (\[convention\]), alone", message)
        ),
    ),
    "no convention": convention_file(
        "",
        lambda text, message: (
            "[convention]\n" + said(r'Write the table with (examples = "columns")', message) + "\n"
        ),
    ),
    "a layer with two weights": (
        archive(*((f"a/{n}.npy", npy(W)) for n in ("kernel", "scale"))),
        weights(),
        again("Keep one of the two", archive(("a/kernel.npy", npy(W.T)), ("a/bias.npy", npy(B)))),
    ),
    "no network of Nielsen's": (
        put("w.json", b"{}"),
        weights("w.json"),
        again(r'Write {"sizes": \[3, 2\], "weights": ', put("w.json", NIELSEN.encode())),
    ),
    "a key twice": (
        put("w.json", b'{"sizes": [1], "sizes": [2]}'),
        weights("w.json"),
        again("Keep one of the two", put("w.json", NIELSEN.encode())),
    ),
    "much text": (
        put("w.json", NIELSEN.encode()),
        little_memory,
        again(r"np\.savez", lambda: np.savez("arrays.npz", W1=W, b1=B)),
    ),
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
                + struct.pack("<H", 224)
                + (
                    b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"1," * 65 + b"), }"
                ).ljust(224),
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
        archive(*zip((f"W{k}.npy" for k in range(10_001)), repeat(npy(1.0)))),
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


def begin_anew():
    """What the rows that write files have learnt is forgotten."""
    ENDING[:], PLACE[:], NAMES[:], FOLDER[:] = START[0], START[1], START[2], START[4]
    REPLACE.clear()
