"""Work and text are bounded: a data file above the limit is not read, a long message is cut."""

import zipfile

import numpy as np
import pytest
from network_cases import refusal
from sampled import seldom

from jacobian_bp import Network, SpecError, read_table
from jacobian_bp.cli import main
from jacobian_bp.errors import LONGEST
from jacobian_bp.network.files.data_files import LIMIT
from jacobian_bp.network.files.tables import dialect
from jacobian_bp.network.files.tables import text as table_text

USED = 20_000  # columns at most


@pytest.fixture
def large(tmp_path):
    """A table just above the limit: 8 MiB and some rows."""
    path = tmp_path / "large.csv"
    path.write_text("u,v\n" + "1.25,2.5\n" * (LIMIT // 9 + 1), encoding="utf-8")
    return path


@pytest.fixture(params=[2_000, seldom(20_000), seldom(200_000)])
def wide(request, tmp_path):
    path, many = tmp_path / "wide.csv", request.param
    names = ",".join(f"column_number_{i}" for i in range(many))
    path.write_text(f"{names}\n{','.join(['1'] * many)}\n", encoding="utf-8")
    return path, many


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
    wide, many = wide
    for target in ([], ["--target", "nothing"], ["--target", "column_number_7"]):
        assert main(["check", "3-1", "--data", str(wide), *target]) == 2
        said = capsys.readouterr().err
        assert len(said) < 1_000
    text = refusal(SpecError, read_table, wide, "nothing")
    if many > USED:
        assert text.startswith(f"wide.csv, line 1 has {many:,} columns; at most {USED:,} are used.")
        return
    assert text.endswith(f"column_number_39, … ({many} in all).")
    said = read_table(wide, "column_number_7").remarks[1]
    assert said.endswith(f"column_number_12, … ({many - 1} in all)")


def test_of_a_table_too_wide_to_be_used_some_columns_are_used(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dialect, "MOST_COLUMNS", 2_000)
    path, count = tmp_path / "genes.csv", 2_011
    rows = [[k + j % 97 / 4 for j in range(count)] for k in (2, 7, 3)]
    lines = [",".join(f"g{j}" for j in range(count)), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    told = "genes.csv, line 1 has 2,011 columns; at most 2,000 are used.\n"
    told += "  Say --columns NAME for the inputs, or keep fewer columns."
    call = ["check", "auto-1", "--data", str(path), "--target", "g5"]
    assert main(call) == 2
    assert capsys.readouterr().err == f"jacobian-bp: SpecError: {told}\n"
    assert main([*call, "--columns", "g7,g2010"]) == 0
    found = read_table(path, "g5", columns=["g7", "g2010"], raw=True)
    np.testing.assert_array_equal(found.x, np.array(rows)[:, [7, 2_010]], strict=True)
    np.testing.assert_array_equal(found.y, np.array(rows)[:, 5], strict=True)
    assert "2 of 2010 columns beside the target" in found.remarks
    assert read_table(path, "g5", drop="1-5,7-17", raw=True).x.shape == (3, 1_994)
    assert refusal(SpecError, read_table, path, "g5", drop="1-5") == (
        "genes.csv has 2,006 columns that are used; at most 2,000 are used.\n"
        '  Say columns=["NAME"] for the inputs, or keep fewer columns.'
    )


def test_two_hundred_thousand_columns_are_refused(tmp_path):
    path, count = tmp_path / "t.csv", 200_000
    path.write_text(f"{','.join(f'g{j}' for j in range(count))}\n{'1,' * (count - 1)}1\n")
    assert refusal(SpecError, read_table, path, "g1") == (
        "t.csv, line 1 has 200,000 columns; at most 20,000 are used.\n"
        '  Say columns=["NAME"] for the inputs, or keep fewer columns.'
    )


@pytest.mark.parametrize("above", ["% by hand\n", "#\n", "%\n\n\n", "# \t\n \n"])
def test_many_lines_above_a_table_are_passed_in_one_go(tmp_path, above):
    """A pattern that tried its lines in more than one way would not end."""
    path = tmp_path / "t.csv"
    path.write_text(above * 50_000 + "u,w\n2,3\n5,7\n")
    found = read_table(path, "w", raw=True)
    np.testing.assert_array_equal(found.x, [[2], [5]])
    assert "50,000 comment lines above the table left out" in found.remarks[0]


def test_a_row_of_a_million_cells_is_named_with_its_first(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("u,v\n2,3\n" + "5," * 10**6 + "7\n")
    assert refusal(SpecError, read_table, path, "v") == (
        "t.csv, line 3: the row is ragged.\n  2 of 3 lines have 2 columns\n"
        "  line 3 has 1000001: '5', '5', '5', … (1000001 in all)\n"
        "  Give every row one cell for each column."
    )


def test_a_cell_that_is_too_long_is_no_open_quote(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"u,v\n2,3\n5,{'7' * 131_073}\n")
    assert refusal(SpecError, read_table, path, "v") == (
        "t.csv, line 3: a cell has more than 131,072 characters.\n  Shorten it, or leave it out."
    )
    path.write_text(f"u,v\n2,3\n5,{'7' * 131_072}\n11,13\n")
    assert "is not a finite number" in refusal(SpecError, read_table, path, "v")
    path.write_text('u,v\n2,"3\n' + "5,7\n" * 40_000)
    assert "a quote is opened and never closed" in refusal(SpecError, read_table, path, "v")


@pytest.mark.parametrize("count", [10_001, 20_011])
def test_names_of_arrays_without_end_are_counted_not_called_damaged(tmp_path, count, capsys):
    net, raw = tmp_path / "net.toml", b"\x93NUMPY\x01\x00"
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        for k in range(count):
            archive.writestr(f"W{k}.npy", raw)
    text = '[network]\nsizes = [3, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
    net.write_text(text + "[data]\nx = [2.0, 3, 5]\ny = [7.0, 11]\n")
    data, weights = ["--data", str(tmp_path / "w.npz")], tmp_path / "weights.toml"
    weights.write_text(text + '[weights]\nfile = "w.npz"\n')
    fact = {
        10_001: "w.npz holds 10,001 members; the limit is 10,000.\n",
        20_011: "the list of the arrays of w.npz has 1.1 MiB; the limit is 1.0 MiB.\n",
    }[count]
    for call, advice in [
        (["check", str(weights)], "Keep the weights of the network alone."),
        (["check", "3-2", *data], 'Write it with np.savez("data.npz", X=X, Y=Y).'),
        (
            ["diagnose", str(net), str(tmp_path / "w.npz")],
            'Write it with np.savez("answer.npz", dW2=dW2, delta2=delta2).',
        ),
    ]:
        assert main(call) == 2
        assert capsys.readouterr().err.endswith(f"{fact}  {advice}\n")


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
