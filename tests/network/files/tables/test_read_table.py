"""Tables as people have them: the numbers that are meant are read, or both readings are told."""

import ast
import os
import re

import numpy as np
import pytest
from network_cases import refusal
from table_cases import READ, REFUSED

from jacobian_bp import DomainError, MemoryLimitError, SpecError, memory_limit, read_table


@pytest.fixture
def file(tmp_path):
    """Write a table, and give its path."""

    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def require_equal(found, x, y, classes):
    np.testing.assert_array_equal(found.x, np.array(x, dtype=float), strict=True)
    np.testing.assert_array_equal(found.y, y)
    assert found.classes == classes


@pytest.mark.one_in(5)
@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_it_is_meant(file, name):
    text, target, options, x, y, classes = READ[name]
    require_equal(read_table(file(text), target, raw=True, **options), x, y, classes)


def test_a_number_that_is_not_meant_is_found():
    text, _, _, x, y, classes = READ["tabs, decimal commas"]
    del text
    wrong = type("Found", (), {"x": np.array(x) * 10, "y": np.array(y), "classes": classes})
    with pytest.raises(AssertionError):
        require_equal(wrong, x, y, classes)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decided_is_refused_with_both_readings(file, name):
    text, options, message = REFUSED[name]
    assert refusal(SpecError, read_table, file(text), -1, **options) == message


# ---------------------------------------------------------------- advice works when it is followed

ADVICE = re.compile(r"(\w+)=(\[[^\]]*\]|\"[^\"]*\"|\w+)")
FOLLOWED = [
    (name, option, value)
    for name, (_, _, message) in REFUSED.items()
    for option, value in ADVICE.findall(message)
    if name not in ("another decimal sign than was said", "an ARFF file")  # READ follows both
]
STILL_OPEN = {  # the file is to be mended: with these it is refused for another reason
    ("votes that differ", "header", "False"),
    ("the header again", "header", "False"),
    ("text that never recurs", "header", "False"),
    ("a value that is no number in the first row", "header", "False"),
    ("two delimiters", "delimiter", '"semicolon"'),
    ("two delimiters", "delimiter", '"comma"'),
}


@pytest.mark.parametrize(("name", "option", "value"), FOLLOWED)
def test_what_a_refusal_advises_is_read_when_it_is_followed(file, name, option, value):
    text, options, message = REFUSED[name]
    path = file(text)
    said = {**options, option: ast.literal_eval(value)}
    if option == "missing_token":
        said["missing"] = "drop"
    if (name, option, value) in STILL_OPEN:
        assert refusal(SpecError, read_table, path, -1, **said) != message
    else:
        assert read_table(path, -1, **said).remarks


# ---------------------------------------------------------------- what is said


def test_nothing_that_was_assumed_is_left_unsaid(file):
    text = "sort,day,u,v,w\na,2021-03-05,2,1,x\nb,2021-03-06,5,1,y\na,2021-03-07,,1,y\n"
    found = read_table(file(text.replace(",", ";")), "w", missing="mean")
    assert found.remarks == (
        "t.csv: 3 rows, 5 columns; columns separated by semicolon (delimiter=…); "
        "line 1 is the header (header=False)",
        "date, left out (keep=…): day (2021-03-05, …)",
        "missing: 1 cell in 1 of 3 rows; column u: 1; numbers filled by their column's mean",
        "2 number columns standardised to mean 0 and standard deviation 1 (raw=True); "
        "constant, hence 0: v",
        "1 text column as 0 and 1, in alphabetical order, not standardised (drop=…): "
        "sort 0 = a, 1 = b",
        "target column w, 2 classes: 0 = x (1 row), 1 = y (2 rows)",
    )
    assert found.features == ("sort", "u", "v")
    u = np.array([2, 5, 3.5])
    expected = np.column_stack([[0, 1, 0], (u - u.mean()) / u.std(), [0, 0, 0]])
    np.testing.assert_allclose(found.x, expected, rtol=1e-14, atol=1e-15)


def test_the_numerals_and_codes_that_were_assumed_are_said(file):
    text = 'zip,u,v,w\n"01234","1,234.5","2,146",3\n"56789","7,001.25","9,875",5\n'
    assert read_table(file(text), "w").remarks[0] == (
        "t.csv: 2 rows, 4 columns; line 1 is the header (header=False); a comma between "
        "thousands; commas read as in the other columns: v; "
        "read as numbers, perhaps codes (drop=…, category=…): zip"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zip,w\n01234,3\n56789,5\n", "perhaps codes (drop=…, category=…): zip"),
        ("u,student_no,w\n1,31,3\n2,17,5\n", "perhaps codes (drop=…, category=…): student_no"),
        ("u,userId,w\n1,31,3\n2,17,5\n", "perhaps codes (drop=…, category=…): userId"),
        (
            "".join(f"{842302 + 917 * k * k},{k % 7},{k}\n" for k in range(11)),
            "read as numbers, perhaps codes (drop=…, category=…): column 1",
        ),
        (
            "".join(f"{k},{k * k % 7 / 2},{k % 3}\n" for k in range(1, 7)),
            "read as numbers, perhaps codes (drop=…, category=…): column 1",
        ),
        ("m,w\n202011,3\n202012,5\n", "perhaps months or days (drop=…, category=…): m"),
        ("u,w\n−1,3\n2,5\n", "a number read as a minus (category=…, drop=…): u"),
        ("u,w\n1 234,3\n5,7\n", "between thousands (category=…, drop=…): u"),
        ("u,w\n2%,3\n5%,7\n", "without their unit (category=…, drop=…): u in %"),
        ("u,w\n2,+\n5,-\n", 'is a class, no missing value (missing_token=["-"]): w'),
        ("# a\n# b\nu,w\n2,3\n5,7\n", "; 2 comment lines above the table left out; line 3"),
        ("# u,w\n2,3\n5,7\n", "; names behind the # of line 1; line 1 is the header"),
    ],
)
def test_a_reading_that_may_be_another_is_said_in_the_first_line(file, text, said):
    assert said in read_table(file(text), -1).remarks[0]
    assert said not in read_table(file("u,w\n2,3\n5,7\n"), -1).remarks[0]


def test_an_order_of_rows_and_a_number_of_one_kind_are_said(file):
    digits = "month,w\n202011,3\n202012,7\n202101,13\n"
    assert read_table(file(digits), "w", keep="month").remarks[1] == (
        "month as the numbers that its digits are"
    )
    assert refusal(SpecError, read_table, file(digits), "w") == (
        "t.csv: no input column is left beside the target.\n"
        "  left out: month, a date (202011 to 202101)\n"
        '  Say keep=["month"] to use it all the same.'
    )
    np.testing.assert_array_equal(
        read_table(file(f"u,{digits}".replace("\n2", "\n5,2")), "month").y, [202011, 202012, 202101]
    )
    assert read_table(file("u,w\n2,7\n3,7\n"), "w").remarks[-1] == (
        "target column w as it is, 7 in every row"
    )
    many = "u,w\n" + "".join(f"{k},{'abcdefgg'[k % 8]}\n" for k in range(8, 16)) + "3,A\n5,A\n"
    assert read_table(file(many), "w").remarks[-1] == (
        "target column w, 8 classes: 0 = A (2 rows), 1 = a (1 row), 2 = b (1 row), …, "
        "7 = g (2 rows); 6 of them in 1 row each; they differ in capitals alone: A, a"
    )


def test_each_reading_is_fresh(file):
    path = file(READ["categories"][0])
    before = path.read_bytes()
    first, second = read_table(path, "rings"), read_table(path, "rings")
    first.x[:] = first.y[:] = 0
    labels, _ = second.labels("squared_error", 1)
    labels[:] = 0
    assert second.x.any()
    assert second.y.any()
    assert path.read_bytes() == before


# ---------------------------------------------------------------- rows that change


LONG = "Id,u,v,w\n" + "".join(
    f"{k},{k * k % 97 / 4},{'abc'[k * k % 7 % 3]},{'yn'[k % 3 % 2]}\n" for k in range(1, 62)
)


@pytest.mark.parametrize("line", [2, 31, 62])
def test_a_lost_cell_is_refused_at_its_line(file, line):
    lines = LONG.splitlines()
    lines[line - 1] = lines[line - 1].rpartition(",")[0]
    message = refusal(SpecError, read_table, file("\n".join(lines)), "w")
    assert message.startswith(f"t.csv, line {line}: the row is ragged.\n")


@pytest.mark.parametrize("line", [2, 31, 62])
@pytest.mark.parametrize("cell", ["", "?", "oops", "1e999", "1,5"])
def test_a_cell_that_is_no_number_is_refused_at_its_line(file, line, cell):
    lines = [each.split(",") for each in LONG.splitlines()]
    lines[line - 1][1] = f'"{cell}"' if cell else ""
    message = refusal(SpecError, read_table, file("\n".join(map(",".join, lines))), "w")
    assert message.startswith(f"t.csv, line {line}, column u: {cell!r}")


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_a_table_is_the_same_whatever_separates_its_columns(file, sign):
    plain = read_table(file(LONG), "w")
    other = read_table(file(LONG.replace(",", sign)), "w")
    swiss = read_table(file(LONG.replace(",", ";").replace(".", ",")), "w")
    for found in (other, swiss):
        np.testing.assert_array_equal(found.x, plain.x, strict=True)
        np.testing.assert_array_equal(found.y, plain.y, strict=True)
        assert found.remarks[1:] == plain.remarks[1:]
    assert plain.remarks[1] == "row number, left out (keep=…): Id (1, 2, …)"


def test_the_header_is_told_from_values_when_it_is_taken_away(file):
    named = read_table(file(LONG), "w")
    without = read_table(file(LONG.partition("\n")[2]), -1)
    np.testing.assert_array_equal(without.x, named.x, strict=True)
    assert without.targets == ("column 4",)
    assert "no header, columns numbered from 1 (header=True)" in without.remarks[0]


# ---------------------------------------------------------------- targets and losses


def test_a_column_is_named_by_name_number_or_place_from_the_end(file):
    path = file("u,v,w\n2,3,5\n7,11,13\n")
    for target in ("v", 2, "2", -2, ["v"], ("-2",)):
        assert read_table(path, target).targets == ("v",)
    assert refusal(SpecError, read_table, path, 4) == (
        "t.csv has no column 4.\n  Its columns are numbered from 1 to 3; -1 is the last."
    )
    assert refusal(SpecError, read_table, path, 0).startswith("t.csv has no column 0.\n")
    assert refusal(SpecError, read_table, path) == (
        "target=… is missing: which column of t.csv is to be predicted?\n  Its columns are u, v, w."
    )
    several = refusal(SpecError, read_table, file("u,v,u\n2,3,5\n7,11,13\n"), "u")
    assert several == (
        't.csv has several columns \'u\'.\n  Say target="u (column 1)" or target="u (column 3)".'
    )


def test_labels_are_what_the_loss_takes(file):
    three = read_table(file("u,w\n2,c\n3,a\n5,b\n7,a\n11,c\n13,b\n"), "w")
    assert (three.loss(), three.loss(1), three.outputs("cross_entropy")) == (
        "cross_entropy",
        "cross_entropy",
        3,
    )
    np.testing.assert_array_equal(three.labels("cross_entropy", 3)[0], [2, 0, 1, 0, 2, 1])
    assert refusal(SpecError, three.labels, "cross_entropy", 2) == (
        "the network has 2 outputs, t.csv has 3 classes: a, b, c.\n  Let the sizes end in 3."
    )
    assert refusal(SpecError, three.labels, "bce", 1) == (
        "t.csv: the target w has 3 classes, and bce compares two.\n"
        "  Choose the loss cross_entropy, and 3 outputs."
    )
    assert refusal(SpecError, three.labels, "squared_error", 1) == (
        "t.csv: the target w holds classes (a, b, c), and squared_error compares numbers.\n"
        "  classes: the loss cross_entropy, or bce for two classes and one output\n"
        "  numbers: another target\n"
        "  Choose one of the two."
    )
    two = read_table(file("u,w\n2,no\n3,yes\n5,no\n"), "w")
    assert (two.loss(), two.loss(1)) == ("cross_entropy", "bce")
    np.testing.assert_array_equal(two.labels("bce", 1)[0], [[0.0], [1.0], [0.0]], strict=True)
    one = read_table(file("u,w\n2,no\n3,no\n"), "w")
    assert refusal(SpecError, one.labels, "cross_entropy", 1) == (
        "t.csv: the target w is no in every row, so there is nothing to tell apart.\n"
        "  Choose another target, or more rows."
    )


def test_numbers_that_are_classes_are_numbered_in_their_order(file):
    grades = read_table(file("u,w\n2,7\n3,5\n5,10\n7,5\n"), "w")
    assert grades.outputs("cross_entropy") == 3
    y, remarks = grades.labels("cross_entropy", 3)
    np.testing.assert_array_equal(y, [1, 0, 2, 0])
    assert remarks == (
        "t.csv: 4 rows, 2 columns; line 1 is the header (header=False)",
        "1 number column standardised to mean 0 and standard deviation 1 (raw=True)",
        "target column w, 3 classes: 0 = 5 (2 rows), 1 = 7 (1 row), 2 = 10 (1 row)",
    )
    as_it_is, said = grades.labels("cross_entropy", 11)
    np.testing.assert_array_equal(as_it_is, [7, 5, 10, 5])
    assert said == grades.remarks
    signs = read_table(file("u,w\n2,-1\n3,1\n5,1\n"), "w")
    np.testing.assert_array_equal(signs.labels("bce", 1)[0], [[0.0], [1.0], [1.0]])
    assert refusal(DomainError, grades.labels, "bce", 1) == (
        "t.csv: the target w has 3 different numbers, 5 to 10; bce compares two classes.\n"
        "  Choose the loss cross_entropy for classes, squared_error for a regression."
    )


# ---------------------------------------------------------------- options and files


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"missing": "dorp"},
            "missing=…: 'dorp' is not what it takes. Did you mean drop?\n"
            "  Write one of refuse, drop, mean, class.",
        ),
        (
            {"rows": "all"},
            "rows=…: 'all' is not what it takes.\n"
            '  Write the first and the last, from 0: rows="0-99".',
        ),
        (
            {"rows": "1-5"},
            't.csv has rows 0 to 1; 1-5 is not among them.\n  Say rows="0-1" for all.',
        ),
        ({"skip": True}, "skip=…: True is not what it takes.\n"
            "  Write how many lines stand above the table."),
        ({"drop": 2.5}, 'drop=…: 2.5 is not what it takes.\n  Write drop=["NAME"].'),
        ({"header": "yes"}, "header=…: 'yes' is not what it takes.\n  Write True or False."),
        (
            {"drop": "w"},
            "t.csv: column w is the target, and cannot be dropped.\n  Name another.",
        ),
        (
            {"columns": "v,nn"},
            "t.csv has no column 'nn'.\n  Its columns are u, v, w.",
        ),
    ],
)  # fmt: skip
def test_an_option_that_says_nothing_is_refused(file, option, message):
    path = file("u,v,w\n2,3,5\n7,11,13\n")
    assert refusal(SpecError, read_table, path, "w", **option) == message


@pytest.mark.parametrize(
    "path", ["https://example.org/t.csv", "//server/t.csv", "\\\\server\\t.csv", "file://t.csv"]
)
def test_nothing_is_fetched(path):
    message = refusal(SpecError, read_table, path, 1)
    assert message == f"{path} is on another machine; nothing is fetched.\n  Save it here."


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        message = f"{path} is not a regular file.\n  Give the path of a CSV file."
        assert refusal(SpecError, read_table, path, 1) == message
    message = "none\\x1b.csv cannot be found.\n"
    message += "  Give the path of a CSV file, or one of breast_cancer, diabetes, iris."
    assert refusal(SpecError, read_table, "none\x1b.csv", 1) == message
    assert refusal(SpecError, read_table, {"u": [1]}, 1).startswith(
        "a table cannot be read from a dict.\n"
    )


def test_what_is_too_large_is_refused(file):
    with memory_limit(300):
        message = refusal(MemoryLimitError, read_table, file("u,w\n2,3\n5,7\n"), "w")
    assert message == (
        "the grid of cells of t.csv has shape (7,): 7 entries, 700 bytes; the limit is 300 bytes.\n"
        "  Keep fewer rows or columns of the file."
    )
    long = file("u,w\n2,3\n" + "5" * (4 * 2**20 + 1) + ",7\n")
    assert refusal(SpecError, read_table, long, "w") == (
        "t.csv, line 3 is longer than 4.0 MiB.\n  Write one line for each example."
    )
    wide = file(",".join(["1.5"] * 20_001) + "\n" + ",".join(["2.5"] * 20_001) + "\n")
    assert refusal(SpecError, read_table, wide, -1) == (
        "t.csv, line 1 has 20,001 columns; at most 20,000 are used.\n"
        '  Say columns=["NAME"] for the inputs, or keep fewer columns.'
    )


def test_a_message_about_many_columns_is_short(file):
    names = [f"c{k}" for k in range(3000)]
    path = file(",".join(names) + "\n" + ",".join(["2"] * 3000) + "\n")
    for target in (None, "zzz"):
        assert len(refusal(SpecError, read_table, path, target)) < 400
