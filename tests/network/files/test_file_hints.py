"""What is said of a file is done, and then the file is read: networks, weights, answers, tables.

Each row has what is wrong and what is done about it, taken out of the message and no more. A last
test looks through the source for advice without a row.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from array_file_rows import FILES, begin_anew, put
from followed import Told, advice_in, lines_run, not_covered
from network_file_rows import TOML as OF_LAYERS
from network_file_rows import B, W
from program_file_rows import PROGRAMS
from table_cases import REFUSED
from table_rows import TABLES

from jacobian_bp import Network, read_table
from jacobian_bp.errors import JacobianError

TOML = {**OF_LAYERS, **PROGRAMS}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(tmp_path / "course")
    begin_anew()
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
    np.savez("data.npz", x=W[0], y=B)
    rows = "".join(f"{k * 3 % 11},{k * k},{k % 5},{k % 7},{k % 3}\n" for k in range(11))
    Path("flowers.csv").write_text(f"a,b,c,d,species\n{rows}")


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("text", "change"), TOML.values(), ids=TOML)
def test_what_is_said_of_a_network_file_is_done_and_it_is_read(folder, text, change):
    beside()
    message = refused(of_network(text))
    new = change(text, message)
    assert new != text
    of_network(new)()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("prepare", "read", "follow"), FILES.values(), ids=FILES)
def test_what_is_said_of_a_file_is_done_and_it_is_read(folder, prepare, read, follow):
    prepare()
    follow(refused(read))
    read()


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("prepare", "read", "follow"), TABLES.values(), ids=TABLES)
def test_what_is_said_of_a_table_is_done_and_it_is_read(folder, prepare, read, follow):
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
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)
    assert len(not_covered(advice, told[: len(told) // 2])) > len(NOT_FOLLOWED) + 10


SAVE = "Save model.state_dict() alone: torch.save(model.state_dict(), 'w.pt')."
KERAS = "Save the weights again: model.save_weights('model.weights.h5')."
NOT_FOLLOWED = {  # and why
    f"network/files/hdf5_arrays.py: {KERAS}": "where h5py is, by its own tests",
    "network/files/hdf5_arrays.py: Save the model in float32.": "where h5py is, by its own tests",
    f"network/files/torch_file.py: {SAVE}": "where torch is installed, by tests of their own",
    "network/files/tables/text.py: Give a file that is finished.": "it grows between two looks",
    "network/files/tables/text.py: Give the path of a CSV file.": "it goes between two looks",
    "network/files/toml_text.py: Write numbers in digits.": "a ValueError of a later tomllib",
}
