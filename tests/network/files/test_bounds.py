"""Work and text are bounded: a data file above the limit is not read, a long message is cut."""

import pytest
from network_cases import refusal

from jacobian_bp import Network, SpecError, read_table
from jacobian_bp.cli import main
from jacobian_bp.errors import LONGEST
from jacobian_bp.network.files import table_text
from jacobian_bp.network.files.data_files import LIMIT

MANY = 20_000


@pytest.fixture
def large(tmp_path):
    """A table just above the limit: 8 MiB and some rows."""
    path = tmp_path / "large.csv"
    path.write_text("u,v\n" + "1.25,2.5\n" * (LIMIT // 9 + 1), encoding="utf-8")
    return path


@pytest.fixture
def wide(tmp_path):
    path = tmp_path / "wide.csv"
    names = ",".join(f"column_number_{i}" for i in range(MANY))
    path.write_text(f"{names}\n{','.join(['1'] * MANY)}\n", encoding="utf-8")
    return path


TOO_LARGE = "large.csv has 8.0 MiB; the limit is 8.0 MiB.\n"
TOO_LARGE += "  Keep fewer rows, or raise the limit: --data-limit 9MiB."


def test_a_data_file_above_the_limit_is_refused_before_it_is_read(large, monkeypatch, capsys):
    monkeypatch.setattr(table_text, "open_regular", lambda *_: pytest.fail("the file is read"))
    assert main(["check", "1-1", "--data", str(large), "--target", "v"]) == 2
    assert capsys.readouterr().err == f"jacobian-bp: SpecError: {TOO_LARGE}\n"


def test_the_limit_is_raised_as_the_message_says(tmp_path, capsys):
    path, net = tmp_path / "some.csv", tmp_path / "net.toml"
    path.write_text("u,v\n" + "1.25,2.5\n" * 199, encoding="utf-8")
    text = '[network]\nsizes = [1, 1]\nactivations = "identity"\nloss = "squared_error"\n'
    net.write_text(text + '[data]\nfile = "some.csv"\ntarget = "v"\n', encoding="utf-8")
    told = "some.csv has 1.8 KiB; the limit is 1.0 KiB.\n"
    told += "  Keep fewer rows, or raise the limit: --data-limit 1MiB."
    assert told.splitlines()[0] in refusal(SpecError, Network.from_toml, net, 1024)
    assert Network.from_toml(net, 2**20).run().loss >= 0
    for call in (["1-1", "--data", str(path), "--target", "v"], [str(net)]):
        assert main(["check", *call, "--data-limit", "1KiB"]) == 2
        assert main(["check", *call, "--data-limit", "1MiB"]) == 0
    python = told.replace("--data-limit 1MiB", "data_limit=1 * 2**20")
    assert refusal(SpecError, read_table, path, "v", data_limit=1024) == python
    assert read_table(path, "v", data_limit=1 * 2**20).x.shape == (199, 1)
    capsys.readouterr()


def test_a_limit_that_is_none_or_bounds_nothing_is_refused(capsys):
    assert main(["check", "4-1", "--data", "iris", "--data-limit", "much"]) == 2
    assert "--data-limit: 'much' is not a number of bytes." in capsys.readouterr().err
    assert main(["check", "4-1", "--data-limit", "9MiB"]) == 2
    assert "--data-limit goes with --data." in capsys.readouterr().err


def test_columns_are_named_up_to_forty_and_counted(wide, capsys):
    for target in ([], ["--target", "nothing"], ["--target", "column_number_7"]):
        assert main(["check", "3-1", "--data", str(wide), *target]) == 2
        said = capsys.readouterr().err
        assert len(said) < 1_000
    text = refusal(SpecError, read_table, wide, "nothing")
    assert text.endswith("column_number_39, … (20000 in all).")
    said = read_table(wide, "column_number_7").remarks[1]
    assert said.endswith("column_number_12, … (19999 in all)")


def test_every_message_is_bounded_and_keeps_its_advice():
    """Whatever lists names: here 40,000 parameters of another network."""
    params = {f"weight_{i}": 1.0 for i in range(40_000)}
    text = refusal(SpecError, Network.dense, [3, 2], params=params)
    assert LONGEST < len(text) < LONGEST + 100
    assert "characters more" in text
    assert text.startswith("the parameters do not fit the layers.\n  missing: W1, shape (2, 3)")
    assert text.endswith("  The layers have W1, b1.")
    short = "x" * LONGEST
    assert str(SpecError(short)) == short
