"""Plain tables, those of the package among them: standardised, and taken as classes."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, read_table
from jacobian_bp.network.files.data_files import SHIPPED, shipped_names
from jacobian_bp.network.files.tables.encoding import class_indices

GOOD = "height,width,class\n1.5,2,0\n-3,4e2,1\n0.5,-.25,1\n"
VALUES = np.array([[1.5, 2, 0], [-3, 400, 1], [0.5, -0.25, 1]])


@pytest.fixture
def table(tmp_path):
    """Write a file, and give its path."""

    def write(content):
        path = tmp_path / "t.csv"
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("name", "shape", "target"),
    [
        ("iris", (150, 5), "species"),
        ("breast_cancer", (569, 31), "benign"),
        ("diabetes", (442, 11), "progression"),
    ],
)
def test_the_shipped_tables_are_read_by_name_to_the_bit(name, shape, target):
    assert name in shipped_names()
    values = np.loadtxt(SHIPPED / f"{name}.csv", delimiter=",", skiprows=1)
    assert values.shape == shape
    for source in (name, f"{name}.csv"):
        found = read_table(source, target, raw=True)
        np.testing.assert_array_equal(found.x, values[:, :-1], strict=True)
        np.testing.assert_array_equal(found.y, values[:, -1], strict=True)
        assert (found.targets, found.classes) == ((target,), ())
        assert found.remarks == (
            f"{name}.csv: {shape[0]} rows, {shape[1]} columns; line 1 is the header (header=False)",
            f"{shape[1] - 1} number columns as they are, not standardised",
            f"target column {target} as it is",
        )
    x = values[:, :-1]
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(read_table(name, target).x, standard, rtol=1e-9, atol=1e-12)


def test_a_file_of_ones_own_comes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.csv").write_text(GOOD)
    assert read_table("iris.csv", -1).x.shape == (3, 2)
    assert read_table("iris", -1).x.shape == (150, 4)


def test_columns_are_standardised_and_that_is_said(table):
    found = read_table(table(GOOD), "class")
    x = VALUES[:, :2]
    np.testing.assert_allclose(found.x, (x - x.mean(0)) / x.std(0), rtol=1e-14)
    np.testing.assert_array_equal(found.y, [0, 1, 1])
    assert found.features == ("height", "width")
    assert found.remarks == (
        "t.csv: 3 rows, 3 columns; line 1 is the header (header=False)",
        "2 number columns standardised to mean 0 and standard deviation 1 (raw=True)",
        "target column class as it is",
    )


@pytest.mark.parametrize("value", ["7", "0.1", "1e300", "1e-300"])
def test_a_constant_column_becomes_zero_and_that_is_said(table, value):
    content = "a,b,y\n" + "".join(f"{k},{value},{k % 2}\n" for k in range(7))
    found = read_table(table(content), "y")
    np.testing.assert_array_equal(found.x[:, 1], np.zeros(7))
    assert found.remarks[1].endswith("; constant, hence 0: b")


@pytest.mark.parametrize("scale", ["e300", "e-300"])
def test_large_and_small_columns_are_standardised_without_overflow(table, scale):
    content = "a,y\n" + "".join(f"{k}{scale},{k}\n" for k in (1, 2, 4))
    plain = read_table(table("a,y\n1,1\n2,2\n4,4\n"), "y").x
    np.testing.assert_allclose(read_table(table(content), "y").x, plain, rtol=1e-12)


def test_classes_are_whole_numbers():
    np.testing.assert_array_equal(class_indices(np.array([0.0, 2.0]), "c"), [0, 2])
    assert refusal(DomainError, class_indices, np.array([0, 1, 0.5]), "c") == (
        "c is 0.5 in data row 2; cross-entropy takes classes numbered 0, 1, 2, ….\n"
        "  Number the classes; a regression has the loss squared_error."
    )
