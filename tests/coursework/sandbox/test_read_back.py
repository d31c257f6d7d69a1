"""What a sheet's process hands back is read as arrays only where it is one."""

import numpy as np
import pytest

from jacobian_bp.coursework.sandbox.read_back import _array

CONTENT = memoryview(np.arange(7.0).tobytes())


@pytest.mark.parametrize("shape", [[-1], [7.0], [True], ["7"], [2, -3]])
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(ValueError, match=r"^no such shape$"):
        _array(["<f8", shape], CONTENT)


def test_an_array_is_read_and_the_bytes_behind_it_are_left():
    array, rest = _array(["<f8", [2, 3]], CONTENT)
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.frombuffer(rest).tolist() == [6]
