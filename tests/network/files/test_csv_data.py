"""A CSV file is read strictly: what is no table of numbers is refused, with line and column."""

import os

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, MemoryLimitError, SpecError, memory_limit
from jacobian_bp.network.files.csv_data import class_indices, examples, read_csv, shipped_names

GOOD = "height,width,class\n1.5,2,0\n-3,4e2,1\n0.5,-.25,1\n"
VALUES = [[1.5, 2, 0], [-3, 400, 1], [0.5, -0.25, 1]]


@pytest.fixture
def table(tmp_path):
    """Write a file, and give its path."""

    def write(content):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip(),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace("\n", "\n\n"),
        GOOD + "  \n , , \n",
        GOOD.replace(",", " , "),
        '"height","width","class"\n"1.5","2","0"\n-3,4e2,1\n0.5,-.25,1\n',
        b"\xef\xbb\xbf" + GOOD.encode(),
    ],
    ids=["plain", "no last newline", "CRLF", "CR", "blank", "blank end", "spaces", "quotes", "BOM"],
)
def test_a_table_is_read(table, content):
    found = read_csv(table(content))
    assert (found.source, found.columns) == ("t.csv", ("height", "width", "class"))
    np.testing.assert_array_equal(found.values, VALUES, strict=True)


@pytest.mark.parametrize(
    ("name", "shape", "target"),
    [
        ("iris", (150, 5), "species"),
        ("breast_cancer", (569, 31), "benign"),
        ("diabetes", (442, 11), "progression"),
    ],
)
def test_the_shipped_tables_are_read_by_name(name, shape, target):
    assert name in shipped_names()
    found = read_csv(name)
    assert (found.values.shape, found.columns[-1]) == (shape, target)
    assert np.isfinite(found.values).all()
    np.testing.assert_array_equal(found.values, read_csv(f"{name}.csv").values)


def test_a_file_of_ones_own_comes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.csv").write_text(GOOD)
    assert read_csv("iris.csv").values.shape == (3, 3)
    assert read_csv("iris").values.shape == (150, 5)


# ---------------------------------------------------------------- standardising


def test_columns_are_standardised_and_that_is_said(table):
    found = examples(read_csv(table(GOOD)), "class")
    x = np.array(VALUES)[:, :2]
    np.testing.assert_allclose(found.x, (x - x.mean(0)) / x.std(0), rtol=1e-14)
    np.testing.assert_allclose(found.x.mean(0), 0, atol=1e-15)
    np.testing.assert_allclose(found.x.std(0), 1, rtol=1e-15)
    np.testing.assert_array_equal(found.y, [0, 1, 1])
    assert found.features == ("height", "width")
    assert found.remarks == (
        "t.csv: 3 rows, target column class as it is",
        "2 input columns standardised to mean 0 and standard deviation 1",
    )


def test_raw_columns_stay_as_they_are(table):
    found = examples(read_csv(table(GOOD)), "height", standardise=False)
    np.testing.assert_array_equal(found.x, np.array(VALUES)[:, 1:])
    np.testing.assert_array_equal(found.y, [1.5, -3, 0.5])
    assert found.remarks[1] == "2 input columns as they are, not standardised"


@pytest.mark.parametrize("value", ["7", "0.1", "1e300", "1e-300"])
def test_a_constant_column_becomes_zero_and_that_is_said(table, value):
    content = "a,b,y\n" + "".join(f"{k},{value},{k % 2}\n" for k in range(7))
    found = examples(read_csv(table(content)), "y")
    np.testing.assert_array_equal(found.x[:, 1], np.zeros(7))
    assert found.remarks[1].endswith("; constant, hence 0: b")


@pytest.mark.parametrize("scale", ["e300", "e-300"])
def test_large_and_small_columns_are_standardised_without_overflow(table, scale):
    content = "a,y\n" + "".join(f"{k}{scale},0\n" for k in (1, 2, 4))
    plain = examples(read_csv(table("a,y\n1,0\n2,0\n4,0\n")), "y").x
    np.testing.assert_allclose(examples(read_csv(table(content)), "y").x, plain, rtol=1e-12)


# ---------------------------------------------------------------- what is refused

NUMBERS = "  Write numbers with a point; number the classes of a text column 0, 1, 2, …."
MISSING = "  Fill it, or leave the row out; nothing is guessed."
INFINITE = "  Leave the row out or mend it."
TEXT_FILE = "so this is not a text file.\n  Save the table as CSV."
EMPTY = "t.csv is empty.\n  Write a header line and one line for each example."
TWICE = "Give each column a name of its own."
RAGGED = """\
t.csv, line 3: the row is ragged.
  the header has 2 columns
  line 3 has {}
  Give every row one cell for each column."""
BAD = {
    "empty": ("", EMPTY),
    "blank": ("\n  \n", EMPTY),
    "header only": (
        "a,y\n",
        "t.csv has a header and no rows.\n  Write one line for each example.",
    ),
    "no header": (
        "1,2\n3,4\n",
        "t.csv begins with numbers: the header is missing.\n"
        "  Write the column names in the first line.",
    ),
    "ragged, short": ("a,y\n1,2\n3\n", RAGGED.format(1)),
    "ragged, long": ("a,y\n1,2\n3,4,5\n", RAGGED.format(3)),
    "text": ("a,y\n1,red\n", f"t.csv, line 2, column y: 'red' is not a number.\n{NUMBERS}"),
    "comma": ('a,y\n"1,5",2\n', f"t.csv, line 2, column a: '1,5' is not a number.\n{NUMBERS}"),
    "underscore": ("a,y\n1_0,2\n", f"t.csv, line 2, column a: '1_0' is not a number.\n{NUMBERS}"),
    "formula": ("a,y\n=1+1,2\n", f"t.csv, line 2, column a: '=1+1' is not a number.\n{NUMBERS}"),
    "complex": ("a,y\n1+2j,2\n", f"t.csv, line 2, column a: '1+2j' is not a number.\n{NUMBERS}"),
    "missing": (
        "a,y\n1,\n",
        f"t.csv, line 2, column y: the cell '' is a missing value.\n{MISSING}",
    ),
    "NaN": (
        "a,y\n1,2\n\nNaN,1\n",
        f"t.csv, line 4, column a: the cell 'NaN' is a missing value.\n{MISSING}",
    ),
    "inf": (
        "a,y\n-inf,1\n",
        f"t.csv, line 2, column a: '-inf' is not a finite number.\n{INFINITE}",
    ),
    "1e999": (
        "a,y\n1e999,1\n",
        f"t.csv, line 2, column a: '1e999' is not a finite number.\n{INFINITE}",
    ),
    "twice": ("a,a\n1,2\n", f"t.csv: the header has the name 'a' twice.\n  {TWICE}"),
    "unnamed": ("a,\n1,2\n", f"t.csv: the header has a column without a name.\n  {TWICE}"),
    "not UTF-8": (
        b"a,y\n1,2\xe9\n",
        "t.csv is not UTF-8: byte 7 is 0xe9.\n  Save it as UTF-8.",
    ),
    "UTF-16": (
        GOOD.encode("utf-16"),
        "t.csv is not UTF-8: byte 0 is 0xff.\n  Save it as UTF-8.",
    ),
    "NUL": ("a,y\n1,2\n3,\0\n", f"t.csv, line 3: a NUL character, {TEXT_FILE}"),
    "escapes": (
        "\x1b[31ma,y\nred\u202e,1\n",
        f"t.csv, line 2, column \\x1b[31ma: 'red\\u202e' is not a number.\n{NUMBERS}",
    ),
    "open quote": (
        'a,y\n1,"2\n3,4\n',
        "t.csv, line 3: unexpected end of data.\n  Save the table as plain CSV.",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused(table, content, message):
    assert refusal(SpecError, read_csv, table(content)) == message


@pytest.mark.parametrize("cell", ["1" * 5000, "9" * 400 + "!", "x" * 10_000])
def test_odd_numbers_are_read_or_refused_in_one_line(table, cell):
    """As many digits as one likes."""
    message = refusal(SpecError, read_csv, table(f"a,y\n{cell},1\n"))
    assert message.startswith("t.csv, line 2, column a: ")
    assert max(map(len, message.splitlines())) < 120


def test_a_folder_a_pipe_and_nothing_are_refused(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        message = f"{path} is not a regular file.\n  Give the path of a CSV file."
        assert refusal(SpecError, read_csv, path) == message
    for path in (tmp_path / "none.csv", "no\x1bne", "a\0b"):
        shown = str(path).replace("\x1b", "\\x1b").replace("\0", "\\x00")
        message = f"{shown} cannot be found.\n"
        message += "  Give the path of a CSV file, or one of breast_cancer, diabetes, iris."
        assert refusal(SpecError, read_csv, path) == message


def test_a_table_over_the_memory_limit_is_refused(table):
    with memory_limit(50):
        message = refusal(MemoryLimitError, read_csv, table(GOOD))
    assert message == (
        "the table of t.csv has shape (3, 3): 9 entries, 72 bytes; the limit is 50 bytes.\n"
        "  Keep fewer rows or columns of the file."
    )


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        (
            GOOD,
            "clas",
            "t.csv has no column 'clas'. Did you mean class?\n"
            "  Its columns are height, width, class.",
        ),
        (GOOD, "zzz", "t.csv has no column 'zzz'.\n  Its columns are height, width, class."),
        (
            "y\n1\n",
            "y",
            "t.csv has no column beside the target y.\n"
            "  A network needs at least one input column.",
        ),
    ],
)
def test_a_target_that_does_not_fit_is_refused(table, content, target, message):
    assert refusal(SpecError, examples, read_csv(table(content)), target) == message


def test_classes_are_whole_numbers():
    np.testing.assert_array_equal(class_indices(np.array([0.0, 2.0]), "c"), [0, 2])
    assert refusal(DomainError, class_indices, np.array([0, 1, 0.5]), "c") == (
        "c is 0.5 in data row 2; cross-entropy takes classes numbered 0, 1, 2, ….\n"
        "  Number the classes; a regression has the loss squared_error."
    )
