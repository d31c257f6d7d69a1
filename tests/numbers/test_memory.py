"""Bytes are predicted in Python integers, and refused before anything is built."""

import threading

import numpy as np
import pytest

from jacobian_bp import Jacobian, memory_limit
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import delta, dense, one
from jacobian_bp.errors import DomainError, MemoryLimitError
from jacobian_bp.numbers.memory import VARIABLE, current_limit, format_bytes, nbytes, require_memory

GIB = 2**30


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def linear(size):
    """∂z/∂W of a layer of `size` units; its one array is a single number in memory."""
    k, k_primed, i = Axis("k", size), Axis("k'", size), Axis("i'", size)
    a = dense("a[i']", np.broadcast_to(2.5, (size,)))
    return Jacobian.local("z", "W", (k,), (k_primed, i), delta("k,k'") * a)


def refusal(call, *arguments, error=MemoryLimitError):
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


# ---------------------------------------------------------------- the limit in force


@pytest.mark.parametrize(
    ("limit", "count"),
    [
        (0, 0),
        (235, 235),
        ("235", 235),
        ("235 B", 235),
        ("1.5KiB", 1536),
        ("8GiB", 8 * GIB),
        (" 8 gib ", 8 * GIB),
        ("3MB", 3_000_000),
        ("2TiB", 2**41),
    ],
)
def test_a_block_says_the_limit(limit, count):
    with memory_limit(limit):
        assert current_limit() == count


@pytest.mark.parametrize("limit", ["", "lots", "-3", "1e9", "5 PB", "GiB", -1, 1.5, True, None])
def test_what_is_no_number_of_bytes_is_refused(limit):
    def enter():
        with memory_limit(limit):
            pytest.fail("the block was entered")

    assert refusal(enter, error=DomainError) == (
        f"memory_limit: {limit!r} is not a number of bytes.\n"
        "  Write a whole number such as 8000000000, or one with a unit such as '8GiB'."
    )


def test_the_environment_says_the_limit_and_a_block_overrules_it(monkeypatch):
    monkeypatch.setenv(VARIABLE, "512MiB")
    assert current_limit() == 512 * 2**20
    with memory_limit(3):
        assert current_limit() == 3
    assert current_limit() == 512 * 2**20


def test_a_bad_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv(VARIABLE, "plenty")
    assert refusal(linear(3).materialise, error=DomainError) == (
        """\
JACOBIAN_BP_MEMORY_LIMIT: 'plenty' is not a number of bytes.
  Write a whole number such as 8000000000, or one with a unit such as '8GiB'."""
    )


def test_without_either_it_is_a_share_of_the_available_memory():
    assert 0 < current_limit() < 2**60


def test_blocks_nest_and_end_also_after_an_exception():
    @memory_limit(5)
    def fail():
        raise ZeroDivisionError(current_limit())

    with memory_limit("2KiB"):
        assert refusal(fail, error=ZeroDivisionError) == "5"
        assert current_limit() == 2048


def test_a_block_holds_for_its_own_thread():
    seen = []
    with memory_limit(5):
        thread = threading.Thread(target=lambda: seen.append(current_limit()))
        thread.start()
        thread.join()
    assert seen[0] > 5


# ---------------------------------------------------------------- what is refused


def test_the_message_has_the_size_the_reason_and_the_alternative():
    with memory_limit("8GiB"):
        assert refusal(linear(4096).materialise) == (
            "∂z/∂W has shape (4096, 4096, 4096): 68,719,476,736 entries, 512.0 GiB; "
            "the limit is 8.0 GiB.\n"
            "  Only 1 entry in 4096 can be non-zero (δ[k,k']). "
            'Use J.pull(v), or run.gradients(route="vjp"); '
            "for its entries J.blocks(max_bytes=…), or J.to_zarr(path)."
        )


def test_sizes_beyond_int64_do_not_overflow():
    size = 2**40
    J = linear(size)
    assert nbytes((size, size), 8) == 2**83
    assert J.size == 2**120
    assert J.nbytes == 2**123
    assert J.structural_nonzeros == 2**80
    assert int(np.prod([size, size])) == 0  # what int64 would say
    with memory_limit("8GiB"):
        assert refusal(J.materialise).startswith(
            "∂z/∂W has shape (1099511627776, 1099511627776, 1099511627776): "
            "1,329,227,995,784,915,872,903,807,060,280,344,576 entries, "
        )


@pytest.mark.parametrize(("limit", "refused"), [(3 * 3 * 3 * 8, False), (3 * 3 * 3 * 8 - 1, True)])
def test_the_limit_itself_is_admitted(limit, refused):
    with memory_limit(limit):
        if refused:
            refusal(linear(3).materialise)
        else:
            assert linear(3).materialise().nbytes == limit


def test_a_dense_jacobian_and_a_zero_one_give_their_own_reason():
    k, i = (Axis("k", 3),), (Axis("i'", 5),)
    ones = Jacobian.local("z", "a", k, i, one("k") * one("i'"))
    with memory_limit(7):
        assert refusal(ones.materialise) == (
            """\
∂z/∂a has shape (3, 5): 15 entries, 120 bytes; the limit is 7 bytes.
  Every entry can be non-zero. Use J.pull(v), or run.gradients(route="vjp"); \
for its entries J.blocks(max_bytes=…), or J.to_zarr(path)."""
        )
        zero = Jacobian.local("z", "a", k, i, 0 * one("k") * one("i'"))
        assert refusal(zero.materialise).startswith("∂z/∂a has shape (3, 5): 15 entries")


def test_the_alternative_works_under_the_same_limit():
    v, size = np.random.default_rng(3).standard_normal(101), 101
    with memory_limit(size * size * 8):
        assert np.array_equal(linear(size).pull(v), np.multiply.outer(v, np.full(size, 2.5)))
        refusal(linear(size).materialise)


def test_a_vector_keeps_python_s_spelling_of_its_shape():
    with memory_limit(5):
        assert refusal(require_memory, "g", (7,), 8, "Take fewer.") == (
            "g has shape (7,): 7 entries, 56 bytes; the limit is 5 bytes.\n  Take fewer."
        )


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (512 * GIB, "512.0 GiB"),
        (2**70, "1,024.0 EiB"),
    ],
)
def test_bytes_are_printed_as_a_reader_writes_them(count, text):
    assert format_bytes(count) == text
