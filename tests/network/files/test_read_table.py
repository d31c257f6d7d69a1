"""Tables as people have them: the numbers that are meant are read, or both readings are told."""

import numpy as np
import pytest
from network_cases import refusal
from table_cases import READ, REFUSED

from jacobian_bp import SpecError, read_table


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
