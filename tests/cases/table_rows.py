"""Tables that are refused, how each is read, and what is done then."""

import os
import re

import numpy as np
from array_file_rows import again, put
from network_file_rows import RNG, said

from jacobian_bp import memory_limit, read_table

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
        rearranged("a.npz: X holds texts.\n  Save it as an array of numbers", X=X, Y=Y),
        **OF_ARRAYS,
    ),
    "texts with a gap": table(
        arrays(X=X, Y=np.where(Y[3] == Y, "", "a")),
        rearranged(r"Y has a missing text, '', at \[3\].\n  Fill it or leave", X=X, Y=Y),
        **OF_ARRAYS,
    ),
    "bytes that are no text": table(
        arrays(X=X, Y=np.array([b"\xff"] * len(X))),
        rearranged("Save the classes as text or numbers", X=X, Y=Y),
        **OF_ARRAYS,
    ),
    "missing values of arrays": table(
        arrays(X=X, Y=Y),
        lambda message: ASKED.pop("missing") if "Leave it out" in message else None,
        **OF_ARRAYS,
        missing="drop",
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
    "an array whose name ends in .csv": table(
        lambda: (np.save("d.npy", np.eye(3)), os.replace("d.npy", "t.csv")),
        lambda message: (
            os.replace("t.csv", "t.npy") or ASKED.update(source="t.npy")
            if "Let its name end in .npy" in message
            else None
        ),
    ),
    "a database": table(
        b"SQLite format 3\0\x10", rewritten("Save one table of it as CSV in UTF-8")
    ),
    "little memory for classes": limited(
        table(
            arrays(X=np.zeros((100, 3), np.uint8), Y=np.array(["a", "b"] * 50)), None, **OF_ARRAYS
        ),
        15_000,
        "Keep fewer examples",
    ),
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
