"""Weights from files: what is read, and what a wrong or hostile file gets."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from network_cases import refusal
from sampled import seldom

from jacobian_bp import DomainError, MemoryLimitError, Network, SpecError, memory_limit
from jacobian_bp.network.files import weights_file
from jacobian_bp.network.files.weights_file import FROM_TORCH, read_weights, write_weights

RNG = np.random.default_rng(5)
PARAMS = {
    "W1": RNG.standard_normal((5, 3)),
    "b1": RNG.standard_normal(5),
    "W2": RNG.standard_normal((2, 5)),
    "b2": RNG.standard_normal(2),
}
TORCH = ["0.weight", "0.bias", "2.weight", "2.bias"]
ADVICE = "\n  Name the arrays W1, b1, W2, b2, …, or as PyTorch does: 0.weight, 0.bias, 2.weight, …."
DAMAGED = "is damaged: a part of it is missing or changed.\n  Write the file again."
SAFE_DTYPES = {"float16": "F16", "float32": "F32", "float64": "F64"}


class Trap:
    """A pickle that would leave a mark."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def npz(folder, arrays, name="w.npz", save=np.savez):
    path = folder / name
    with open(path, "wb") as file:
        save(file, **arrays)
    return path


def members(folder, content, name="w.npz", method=zipfile.ZIP_STORED):
    """An archive of (name, bytes), by hand."""
    path = folder / name
    with zipfile.ZipFile(path, "w", method) as archive:
        for member, raw in content:
            archive.writestr(member, raw)
    return path


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text, data=b"", version=b"\x01\x00"):
    raw = text.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(raw)) + raw + data


def tensors(folder, arrays, name="w.safetensors", change=lambda entries: None, tail=b""):
    """A .safetensors file, by hand."""
    entries, place, data = {"__metadata__": {"format": "pt"}}, 0, b""
    for key, array in arrays.items():
        raw = array.tobytes()
        dtype = SAFE_DTYPES.get(array.dtype.name, "I64")
        end = place + len(raw)
        entries[key] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [place, end]}
        place, data = end, data + raw
    change(entries)
    return safetensors(folder, json.dumps(entries).encode(), data + tail, name)


def safetensors(folder, head, data=b"", name="w.safetensors"):
    path = folder / name
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)
    return path


def named(names):
    return dict(zip(names, PARAMS.values(), strict=True))


def assert_params(found, expected=PARAMS):
    assert list(found) == list(expected)
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, strict=True)


def message(path, error=SpecError):
    return refusal(error, read_weights, Path(path.name), path.parent)


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "names",
    [
        list(PARAMS),
        TORCH,
        [f"net.{name}" for name in TORCH],
        [f"layers.{n}" for n in ("9.weight", "9.bias", "10.weight", "10.bias")],
        ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"],
        ["block.0.fc.weight", "block.0.fc.bias", "block.1.fc.weight", "block.1.fc.bias"],
        ["inner.weight", "inner.bias", "head.weight", "head.bias"],
    ],
    ids=lambda names: names[0],
)
@pytest.mark.parametrize("sort", [False, True], ids=["in order", "sorted"])
@pytest.mark.parametrize("make", [npz, tensors])
def test_layers_are_found_under_every_known_naming(tmp_path, names, sort, make):
    """Sorted by name, as the safetensors library writes; unnumbered layers go by their widths."""
    if sort and make is npz and names[0] == "inner.weight":
        pytest.skip("an .npz keeps the order in which it was written")
    arrays = named(names)
    path = make(tmp_path, dict(sorted(arrays.items())) if sort else arrays)
    assert_params(read_weights(path, tmp_path))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", ">f8", "<i4", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_number_format_of_an_npz_is_read(tmp_path, save, dtype, order):
    W = np.asarray(np.arange(15).reshape(5, 3), dtype, order=order)
    found = read_weights(npz(tmp_path, {"W1": W, "b1": W[:, 0]}, save=save), tmp_path)
    small = dtype in ("<f2", ">f4")
    expected = np.arange(15.0).reshape(5, 3).astype(np.float32 if small else np.float64)
    assert_params(found, {"W1": expected, "b1": expected[:, 0].copy()})
    assert found["W1"].flags.writeable
    assert found["W1"].flags.c_contiguous


@pytest.mark.parametrize(("dtype", "to"), [("f2", "f4"), ("f4", "f4"), ("f8", "f8")])
def test_every_number_format_of_safetensors_is_read(tmp_path, dtype, to):
    arrays = {key: array.astype(dtype) for key, array in PARAMS.items()}
    found = read_weights(tensors(tmp_path, arrays), tmp_path)
    assert_params(found, {key: array.astype(to) for key, array in arrays.items()})


def test_the_library_writes_what_is_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    library.save_file(named(TORCH), tmp_path / "w.safetensors", {"made": "here"})
    assert_params(read_weights(Path("w.safetensors"), tmp_path))


def test_large_arrays_come_in_pieces(tmp_path):
    arrays = {"W1": RNG.standard_normal((700, 401)), "b1": RNG.standard_normal(700)}
    for path in (npz(tmp_path, arrays), tensors(tmp_path, arrays)):
        assert_params(read_weights(path, tmp_path), arrays)


def test_what_is_written_is_read_again(tmp_path):
    write_weights(tmp_path / "w.npz", PARAMS)
    assert_params(read_weights(Path("w.npz"), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"]
    net = Network.dense([3, 5, 2], params=read_weights(Path("w.npz"), tmp_path))
    assert_params(net.params)
    first = (tmp_path / "w.npz").read_bytes()
    write_weights(tmp_path / "w.npz", PARAMS, replace=True)
    assert (tmp_path / "w.npz").read_bytes() == first


# ---------------------------------------------------------------- what is written


def test_an_existing_file_stays(tmp_path):
    path = tmp_path / "w.npz"
    path.write_text("mine")
    assert refusal(SpecError, write_weights, path, PARAMS) == (
        "w.npz is there already.\n  Choose another name, or say replace=True."
    )
    assert path.read_text() == "mine"


def test_what_is_no_file_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "w.npz")
    assert refusal(SpecError, write_weights, tmp_path / "w.npz", PARAMS, replace=True) == (
        "w.npz is a named pipe, and is left as it is.\n  Name a file for the weights."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.npz"
    path.write_text("old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert refusal(SpecError, write_weights, path, PARAMS, replace=True) == (
        "w.npz cannot be written: No space left on device.\n  Choose another folder."
    )
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("w.npz", "old")]


@pytest.mark.parametrize(
    ("name", "params", "error", "told"),
    [
        ("w.npy", PARAMS, SpecError, "w.npy does not end in .npz.\n  Write it such as w.npz."),
        (
            "w.npz",
            {"../W1": [[1.0]]},
            SpecError,
            "w.npz: '../W1' is no name of a weight.\n  Name the arrays W1, b1, W2, b2, ….",
        ),
        (
            "w.npz",
            {},
            SpecError,
            "w.npz: there are no weights.\n  Name the arrays W1, b1, W2, b2, ….",
        ),
        (
            "w.npz",
            {"W1": [[1.0, np.inf]]},
            DomainError,
            "W1[0,1] is inf; 1 of 2 entries of W1 are not finite.\n  A weight is a finite number.",
        ),
    ],
)
def test_what_is_not_written(tmp_path, name, params, error, told):
    assert refusal(error, write_weights, tmp_path / name, params) == told
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- rows 64 to 72


def test_objects_are_not_unpickled(tmp_path):
    mark = tmp_path / "mark"
    bad = np.array([Trap(mark)], dtype=object)
    path = npz(tmp_path, {"W1": bad, "b1": np.ones(1)})
    assert message(path) == (
        "w.npz does not hold the weights of a network.\n"
        "  'W1' has dtype |O: Python objects, stored as a pickle, which is never read\n"
        "  Supported are float16, float32 and float64, and integers; "
        "convert the others before saving."
    )
    assert not mark.exists()


def test_what_unpacks_to_a_hundred_times_its_size_is_refused(tmp_path):
    zeros = np.zeros((4_000, 1_000))
    path = npz(tmp_path, {"W1": zeros, "b1": zeros[0]}, save=np.savez_compressed)
    told = message(path)
    packed = path.stat().st_size / 1024
    assert told == (
        f"w.npz has {packed:.1f} KiB and would unpack to 30.5 MiB, more than 100 times as much.\n"
        "  Save it with np.savez, which does not compress."
    )


def test_all_arrays_together_stay_within_the_memory_limit(tmp_path):
    path = npz(tmp_path, PARAMS)
    with memory_limit(300):
        told = message(path, MemoryLimitError)
    assert told == (
        "the arrays of w.npz have 768 bytes; the limit is 300 bytes.\n"
        "  Keep the weights of the network alone."
    )
    small = {key: array.astype(np.int8) for key, array in PARAMS.items()}
    with memory_limit(32 * 8 - 1):  # integers grow to float64
        told = message(npz(tmp_path, small), MemoryLimitError)
    assert told.startswith("the arrays of w.npz have ")


def test_a_directory_that_lies_about_sizes_is_refused(tmp_path):
    """The directory says 8 bytes more than there are, and 8 fewer."""
    raw = npz(tmp_path, {"W1": np.ones((1, 1)), "b1": np.ones(1)}).read_bytes()
    at = raw.index(b"PK\x01\x02")
    size = int.from_bytes(raw[at + 24 : at + 28], "little")
    claims = (
        "w.npz: 'W1.npy' claims shape (1, 1) of float64, 8 bytes; it holds 16.\n"
        "  Write the file again; it is cut short or changed."
    )
    for wrong, told in ((size + 8, claims), (size - 8, f"w.npz {DAMAGED}")):
        changed = raw[: at + 24] + wrong.to_bytes(4, "little") + raw[at + 28 :]
        (tmp_path / "w.npz").write_bytes(changed)
        assert message(tmp_path / "w.npz") == told


def test_a_huge_directory_is_refused(tmp_path):
    path = members(tmp_path, [(f"{'x' * 200}{n}", b"") for n in range(6_000)])
    assert message(path) == (
        "the list of the arrays of w.npz has 1.4 MiB; the limit is 1.0 MiB.\n"
        "  Keep the weights of the network alone."
    )
    path = members(tmp_path, [(f"{n}", b"") for n in range(10_001)])
    assert message(path) == (
        "w.npz holds 10,001 members; the limit is 10,000.\n  Keep the weights of the network alone."
    )


@pytest.mark.parametrize(
    ("shape", "bytes_"), [("(1000000, 1000000)", "8,000,000,000,000"), ("(2, 1)", "16")]
)
def test_a_header_that_claims_too_much_is_refused_before_any_array(tmp_path, shape, bytes_):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    path = members(tmp_path, [("W1.npy", header(text, b"\0" * 24))])
    tracemalloc.start()
    told = message(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert told == (
        f"w.npz: 'W1.npy' claims shape {shape} of float64, {bytes_} bytes; it holds 24.\n"
        "  Write the file again; it is cut short or changed."
    )


@pytest.mark.parametrize(
    "raw",
    [
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 70 + "), }"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
        header("{'shape': __import__('os').mkdir('mark')}"),
        header("(" * 60_000),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", version=b"\x09\x00"),
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    ],
    ids=["digits", "axes", "negative", "code", "nested", "version", "cut", "long"],
)
def test_a_header_that_is_not_numpys_is_refused_and_never_executed(tmp_path, raw, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = members(tmp_path, [("W1.npy", raw)])
    assert message(path) == (
        "w.npz: 'W1.npy' has a header that is not numpy's.\n  Save it with np.savez."
    )
    assert not Path("mark").exists()


@pytest.mark.parametrize(
    ("name", "raw", "kind"),
    [
        ("w.npz", b"", "empty"),
        ("w.npz", npy(np.ones(3)), "a single .npy array"),
        ("w.npz", b"PK\x05\x06" + b"\0" * 18, "an archive without members"),
        ("w.npz", b"\x89HDF\r\n\x1a\n....", "an HDF5 file"),
        ("w.npz", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("w.npz", b"W1,b1\n1,2\n", r"no zip archive: it begins b'W1,b1\n1,'"),
        ("w.safetensors", b"", "empty"),
        ("w.safetensors", b"PK\x03\x04" + b"\0" * 18, "a zip archive"),
        ("w.safetensors", b"hello", "no .safetensors file: it begins b'hello'"),
        ("w.safetensors", b"\1" + b"\0" * 7, r"no .safetensors file: it begins b'\x01"),
    ],
)
def test_what_another_format_begins_like_is_named(tmp_path, name, raw, kind):
    (tmp_path / name).write_bytes(raw)
    told = message(tmp_path / name)
    assert told.startswith(f"{name} is {kind}")
    assert told.endswith(".\n  Save the weights with np.savez.")


@pytest.mark.parametrize("step", [7, seldom(1)])  # of the bytes: one in seven, or each
@pytest.mark.parametrize("make", [npz, tensors])
def test_every_cut_is_refused_and_no_changed_byte_gives_another_error(tmp_path, make, step):
    """A cut file is refused; a changed one is refused or gives arrays, never another error."""
    path = make(tmp_path, {"W1": np.ones((2, 3)), "b1": np.ones(2)})
    raw = path.read_bytes()
    for end in range(0, len(raw), step):
        path.write_bytes(raw[:end])
        message(path)
    seen = set()
    for place in range(0, len(raw), step):
        for value in (0, 255, raw[place] ^ 1):
            path.write_bytes(raw[:place] + bytes([value]) + raw[place + 1 :])
            try:
                read_weights(path, tmp_path)
            except (SpecError, DomainError, MemoryLimitError) as error:
                seen.add(type(error))
    assert SpecError in seen


def test_a_changed_number_fails_the_checksum(tmp_path):
    path = npz(tmp_path, {"W1": np.full((2, 3), 0.7), "b1": np.ones(2)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(np.float64(0.7).tobytes(), np.float64(0.8).tobytes(), 1))
    assert message(path) == f"w.npz {DAMAGED}"


def test_a_byte_order_written_twice_is_refused(tmp_path):
    text = "{'descr': '<<f8', 'fortran_order': False, 'shape': (1, 1), }"
    path = members(tmp_path, [("W1.npy", header(text, b"\0" * 8)), ("b1.npy", npy(np.ones(1)))])
    assert message(path) == (
        "w.npz does not hold the weights of a network.\n"
        "  'W1' has dtype <<f8: a number format of one machine\n"
        "  Supported are float16, float32 and float64, and integers; "
        "convert the others before saving."
    )


def test_members_are_names_and_never_paths(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    good = npy(np.ones((1, 1)))
    path = members(
        folder,
        [("../../evil.npy", good), ("/W1.npy", good), ("b1.npy", npy(np.ones(1))), ("r.txt", b"a")],
    )
    assert message(path) == (
        "w.npz does not hold the weights of a network.\n"
        "  unknown: '../../evil'\n"
        "  unknown: '/W1'; did you mean 'W1'?\n"
        "  unknown: 'r.txt'\n"
        "  missing: W1\n"
        "  'r.txt' is no array"
        f"{ADVICE}\n"
        "  Supported are float16, float32 and float64, and integers; "
        "convert the others before saving."
    )
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "w.npz"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["W1.npy", "W1"])
def test_a_member_that_stands_twice_is_refused(tmp_path, second):
    path = members(tmp_path, [("W1.npy", npy(np.ones((1, 1)))), (second, npy(np.zeros((1, 1))))])
    assert message(path) == "w.npz holds 'W1' twice.\n  Keep one of the two."


def test_encrypted_and_rarely_compressed_members_are_refused(tmp_path):
    path = members(tmp_path, [("W1.npy", npy(np.ones((1, 1))))], method=zipfile.ZIP_LZMA)
    assert message(path) == "w.npz: 'W1.npy' is compressed by method 14.\n  Save it with np.savez."
    raw = bytearray(npz(tmp_path, {"W1": np.ones((1, 1))}).read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert message(path) == "w.npz: 'W1.npy' is encrypted.\n  Save it openly."


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["w1", "b1", "W2", "bias2"], ["unknown: 'w1'; did you mean W1?",
          "unknown: 'bias2'; did you mean b2?", "missing: W1", "missing: b2"]),
        (["W1", "b1", "2.weight", "2.bias"],
         ["mixed: W1 is a name of this package, '2.weight' one of PyTorch's"]),
        (["0.weight", "0.bias", "2.wieght", "2.bias"],
         ["unknown: '2.wieght'; did you mean '2.weight'?", "missing: 2.weight"]),
        (["W1", "b1", "W9", "b9"],
         ["missing: W2", "missing: b2", "missing: W3", "missing: b3", "missing: W4",
          "missing: b4", "missing: W5", "missing: b5",
          "missing: the layers before W9", "missing: the layers before b9"]),
        (["\x1b[31m", "{0.__class__}", "W01", "W0"],
         [r"unknown: '\x1b[31m'", "unknown: '{0.__class__}'", "unknown: 'W01'", "unknown: 'W0'"]),
    ],
    ids=["misspelt", "mixed", "torch misspelt", "gap", "foreign"],
)  # fmt: skip
@pytest.mark.parametrize("make", [npz, tensors])
def test_names_that_make_no_layers_are_each_told(tmp_path, make, names, lines):
    path = make(tmp_path, named(names))
    told = "".join(f"\n  {line}" for line in lines)
    assert message(path) == f"{path.name} does not hold the weights of a network.{told}{ADVICE}"


def test_many_unknown_names_are_counted(tmp_path):
    path = tensors(tmp_path, {f"w{n}x": np.ones(1) for n in range(9_999)})
    told = message(path).splitlines()
    assert len(told) == 23
    assert told[21] == "  … and 9,979 more"


def test_shapes_that_are_no_dense_layer_are_each_told(tmp_path):
    path = npz(tmp_path, {"0.weight": np.ones((2, 3, 5, 5)), "0.bias": np.ones(0)})
    assert message(path) == (
        "w.npz does not hold the weights of a network.\n"
        "  '0.weight' has shape (2, 3, 5, 5); a weight has (outputs, inputs)\n"
        "  '0.bias' has shape (0,); a bias has (outputs,)\n"
        "  Only layers that multiply by a matrix and add a bias are read."
    )


def test_layers_whose_order_is_not_known_are_refused(tmp_path):
    square = {"in.weight": np.ones((3, 3)), "in.bias": np.ones(3)}
    square |= {"out.weight": np.zeros((3, 3)), "out.bias": np.ones(3)}
    assert message(tensors(tmp_path, square)) == (
        "w.safetensors does not hold the weights of a network.\n"
        "  the order of the layers is not known: 'in' (3, 3), 'out' (3, 3); "
        f".safetensors files are sorted by name, so number the layers{ADVICE}"
    )
    assert list(read_weights(npz(tmp_path, square), tmp_path)) == ["W1", "b1", "W2", "b2"]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (
            b"{" * 20,
            "has a header that cannot be read as JSON: it begins b'{{{{{{{{{{{{'.\n  This is no",
        ),
        (b'{"a":' * 100_000, "has a header that cannot be read as JSON: it begins"),
        (b'{"a": ' + b"9" * 5000 + b"}", "has a header that cannot be read as JSON: it begins"),
        (b'{"a": "\xff"}', "has a header that cannot be read as JSON: it begins"),
        (b'{"W1": [], "W1": []}', "holds 'W1' twice.\n  Keep one of the two."),
        (b'{"W1": 3}', "the entry of 'W1' is not of the form of a tensor.\n  It has dtype,"),
        (
            b'{"W1": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}',
            "the entry of 'W1' is not of the form of a tensor.\n  It has dtype,",
        ),
        (
            b'{"W1": {"dtype": "F32", "shape": [1e999], "data_offsets": [0, 4]}}',
            "the entry of 'W1' is not of the form of a tensor.\n  It has dtype,",
        ),
    ],
)
def test_a_header_of_junk_is_refused(tmp_path, head, told):
    found = message(safetensors(tmp_path, head, b"\0" * 4))
    assert found.startswith(("w.safetensors " + told, "w.safetensors: " + told))


def test_a_header_longer_than_the_file_is_refused(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", 2**62) + b'{"W1": 3}')
    assert message(tmp_path / "w.safetensors") == (
        "w.safetensors claims a header of 4,611,686,018,427,387,904 bytes; the file has 17, "
        "and a header at most 1,048,576.\n"
        "  This is no .safetensors file, or one cut short."
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"shape": [10**12, 10**5]},
            "the tensor 'W1' claims shape (1000000000000, 100000) of float64, "
            "800,000,000,000,000,000 bytes; it holds 16.\n"
            "  Write the file again; it is cut short or changed.",
        ),
        (
            {"data_offsets": [0, 10**12]},
            "the tensor 'W1' claims bytes 0 to 1,000,000,000,000; it should begin at 0, "
            "and the file ends at 24.\n  Write the file again; it is cut short or changed.",
        ),
        (
            {"data_offsets": [8, 24]},
            "the tensor 'W1' claims bytes 8 to 24; it should begin at 0, and the file ends at 24.\n"
            "  Write the file again; it is cut short or changed.",
        ),
    ],
)
def test_offsets_that_do_not_fit_are_refused(tmp_path, change, told):
    arrays = {"W1": np.ones((1, 2)), "b1": np.ones(1)}
    path = tensors(tmp_path, arrays, change=lambda entries: entries["W1"].update(change))
    assert message(path) == f"w.safetensors: {told}"


def test_bytes_behind_the_last_tensor_are_refused(tmp_path):
    path = tensors(tmp_path, {"W1": np.ones((1, 2)), "b1": np.ones(1)}, tail=b"MZ")
    assert message(path) == (
        "w.safetensors has 2 bytes behind its last tensor.\n"
        "  Write the file again; nothing may stand there."
    )


def test_dtypes_of_safetensors_that_are_not_supported_are_each_told(tmp_path):
    def change(entries):
        entries["W1"]["dtype"], entries["W2"]["dtype"] = "F8_E5M2", "F8_E4M3"
        entries["b1"]["dtype"] = "\x1b[2J"

    arrays = PARAMS | {"b2": np.ones(2, np.int64)}
    assert message(tensors(tmp_path, arrays, change=change)) == (
        "w.safetensors does not hold the weights of a network.\n"
        "  'W1' has dtype F8_E5M2\n"
        "  'b1' has dtype \\x1b[2J\n"
        "  'W2' has dtype F8_E4M3\n"
        "  'b2' has dtype I64\n"
        "  Supported are float16, float32 and float64; convert the others before saving."
    )


def test_dtypes_of_an_npz_that_are_no_numbers_are_each_told(tmp_path):
    arrays = {
        "W1": np.ones((1, 1), np.complex128),
        "b1": np.array(["1"]),
        "W2": np.zeros((1, 1), "V2"),
        "b2": np.array([True]),
        "W3": np.zeros((1, 1), [("re", "f8")]),
        "b3": np.array([b"a"]),
    }
    assert message(npz(tmp_path, arrays)) == (
        "w.npz does not hold the weights of a network.\n"
        "  'W1' has dtype <c16: complex numbers\n"
        "  'b1' has dtype <U1: text\n"
        "  'W2' has dtype |V2: raw bytes; numpy stores bfloat16 in this way\n"
        "  'b2' has dtype |b1: booleans\n"
        "  'W3' holds records, not numbers\n"
        "  'b3' has dtype |S1: bytes\n"
        "  Supported are float16, float32 and float64, and integers; "
        "convert the others before saving."
    )


@pytest.mark.parametrize("name", ["w.pt", "w.PTH", "w.pkl", "w.ckpt", "w.bin"])
def test_a_pickle_by_its_name_is_never_opened(tmp_path, name, monkeypatch):
    monkeypatch.setattr(weights_file, "torch_can_load", lambda: False)
    mark = tmp_path / "mark"
    (tmp_path / name).write_bytes(pickle.dumps(Trap(mark)))
    assert message(tmp_path / name) == (
        f"{name} is a pickle by its ending; reading one can run code.\n"
        "  Save it without pickle: "
        "safetensors.torch.save_file(model.state_dict(), 'w.safetensors'),\n"
        "  or np.savez('w.npz', **{k: v.numpy() for k, v in model.state_dict().items()})."
    )
    assert not mark.exists()


def test_a_pickle_under_another_name_is_never_loaded(tmp_path):
    mark = tmp_path / "mark"
    path = tmp_path / "w.npz"
    path.write_bytes(pickle.dumps(Trap(mark)))
    assert message(path).startswith("w.npz is a Python pickle.\n  Save it without pickle: ")
    members(tmp_path, [("archive/data.pkl", pickle.dumps(Trap(mark))), ("archive/data/0", b"1")])
    assert message(path).startswith("w.npz is a PyTorch pickle; reading one can run code.\n  Save")
    renamed = tmp_path / "w.safetensors"
    renamed.write_bytes(path.read_bytes())
    told = message(path).replace("w.npz is", "w.safetensors is", 1)
    assert message(renamed) == told
    assert not mark.exists()


def test_a_weight_that_is_nan_is_refused_with_its_place(tmp_path):
    W = np.ones((2, 3))
    W[1, 2] = np.nan
    for make, name in ((npz, "w.npz"), (tensors, "w.safetensors")):
        assert message(make(tmp_path, {"0.weight": W, "0.bias": np.ones(2)}), DomainError) == (
            f"{name}, array '0.weight': W1[1,2] is nan; 1 of 6 entries of W1 are not finite.\n"
            "  A weight is a finite number."
        )


# ---------------------------------------------------------------- the path, for any file


def test_only_regular_files_inside_the_folder_are_read(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    npz(outside, PARAMS)
    npz(inside, PARAMS, "real.npz")
    (inside / "out.npz").symlink_to(outside / "w.npz")
    (inside / "in.npz").symlink_to("real.npz")
    (inside / "loop.npz").symlink_to("loop.npz")
    (inside / "null.npz").symlink_to("/dev/zero")
    (inside / "folder.npz").mkdir()
    os.mkfifo(inside / "pipe.npz")
    assert_params(read_weights(Path("in.npz"), inside))
    leads = (
        "leads out of its folder; no file outside is read.\n"
        "  Put the file itself into the folder of the network file."
    )
    instead = "\n  Give the name of an .npz or .safetensors file."
    for name, told in {
        "../out/w.npz": f"w.npz {leads}",
        str(outside / "w.npz"): f"w.npz {leads}",
        "out.npz": f"out.npz {leads}",
        "null.npz": f"null.npz {leads}",
        "folder.npz": f"folder.npz is a folder, not a regular file.{instead}",
        "pipe.npz": f"pipe.npz is a named pipe, not a regular file.{instead}",
        "none.npz": f"none.npz cannot be found.{instead}",
        "w.txt": f"w.txt does not end in .npz or .safetensors.{instead}",
    }.items():
        assert refusal(SpecError, read_weights, Path(name), inside) == told
    assert refusal(SpecError, read_weights, Path("loop.npz"), inside).startswith("loop.npz cannot")


def test_a_file_of_another_ending_is_known_by_its_first_bytes(tmp_path):
    npz(tmp_path, PARAMS, "w.npz")
    (tmp_path / "w.weights").write_bytes((tmp_path / "w.npz").read_bytes())
    with zipfile.ZipFile(tmp_path / "w.model", "w") as archive:
        archive.writestr("w/data.pkl", b"")
    (tmp_path / "w.st").write_bytes((2).to_bytes(8, "little") + b"{}")
    (tmp_path / "w.txt").write_bytes(b"W1 = 1")
    ending, may_be = "does not end in .npz or .safetensors.", "By its first bytes it may be one:"
    for name, told in {
        "w.weights": f"w.weights {ending}\n  {may_be} give it the ending .npz.",
        "w.st": f"w.st {ending}\n  {may_be} give it the ending .safetensors.",
        "w.txt": f"w.txt {ending}\n  Give the name of an .npz or .safetensors file.",
        "w.model": f"w.model is a PyTorch pickle; reading one can run code.\n  {FROM_TORCH}",
    }.items():
        assert refusal(SpecError, read_weights, Path(name), tmp_path) == told
    (tmp_path / "w.weights").rename(tmp_path / "v.npz")
    assert_params(read_weights(Path("v.npz"), tmp_path))
