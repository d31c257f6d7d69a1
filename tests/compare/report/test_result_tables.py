"""What `compare` prints and draws: tables, notes, ratios, the picture."""

import pytest

from jacobian_bp.compare.report import plot
from jacobian_bp.compare.report.parts import document_of_parts, screen_lines
from jacobian_bp.compare.report.plot import description, draw
from jacobian_bp.compare.report.result_tables import (
    beside_peers,
    built_lines,
    factor,
    measured_table,
    seconds,
    sweep_rows,
)
from jacobian_bp.compare.timing.result import STEP, Result
from jacobian_bp.compare.timing.subjects import ROUTES


def test_a_ratio_is_to_the_same_quantity():
    route = Result("t", "gradient", "vjp", "width", 3, minimum=2.0, complete=True)
    other = Result("t", "gradient", "structured", "width", 3, minimum=3.0, complete=True)
    step = Result("t", STEP, "compiled step", "width", 3, minimum=1.0, complete=True)
    whole = Result(
        "t", "∂a2/∂θ of each example, whole", "jax", "width", 3, minimum=1.0, complete=True
    )
    lines = screen_lines(sweep_rows([route, other, step, whole]))
    assert [line.split()[-1] for line in lines] == ["1", "1.5", "-", "-"]
    assert [line[9:23].strip() for line in lines] == [
        "vjp", "structured", "compiled step", "∂f/∂θ jax"
    ]  # fmt: skip


def test_built_arrays_that_are_not_the_predicted_ones_are_named():
    right = Result("t", "gradient", "f", "width", 3, predicted_bytes=80, built_bytes=80)
    wrong = Result("t", "gradient", "g", "width", 5, predicted_bytes=80, built_bytes=88)
    assert built_lines([right, right])[0] == (
        "  built arrays: followed in 2 rows of full; each is the predicted peak"
    )
    assert built_lines([right, wrong])[:2] == [
        "  built arrays: followed in 2 rows of full; 1 not the predicted peak",
        "  width 5, g: built 88 bytes, predicted 80 bytes",
    ]
    assert built_lines([Result("t", "gradient", "vjp", predicted_bytes=80)]) == []


# ---------------------------------------------------------------- what is printed and drawn


def test_a_sweep_is_one_table_of_a_document_and_its_notes_stand_below():
    rows = [
        Result("t", "gradient", "vjp", "width", n, minimum=n / 2, complete=True) for n in (3, 5, 7)
    ]
    tables = [sweep_rows([row]) for row in rows]
    parts = ["", "measured", *tables[0], *tables[1], "  a note", *tables[2]]
    (section,) = document_of_parts(parts, "t").sections
    assert section.title == "measured"
    both, note, one = section.blocks
    assert [row.cells[0].text.strip() for row in both.rows] == ["3", "5"]
    assert (note.text, note.indent) == ("a note", 1)
    assert list(both.plain) == screen_lines([*tables[0], *tables[1]])
    assert len(one.rows) == 1


def test_a_table_of_rows():
    rows = [
        Result("t", "q", "f", minimum=3e-6, median=4e-6, spread=1e-7, rounds=5, complete=True),
        Result("t", "q", "g", minimum=9e-3, median=2.0, spread=0.0, rounds=2, measured_bytes=2048),
        Result("t", "q", "h", refused="refused: 3.0 TiB; the limit is 1.0 GiB"),
    ]
    table = measured_table(rows, "f", "× f")
    assert [row.cells[-1].text for row in table.rows] == ["5", "2 …", rows[2].refused]
    assert {len(row.cells) for row in table.rows} == {len(table.columns)}
    assert list(table.plain) == [
        "                       minimum     median     spread        × f   allocated  rounds",
        "f                         3 us       4 us     0.1 us          1           -       5",
        "g                         9 ms        2 s       0 us      3,000     2.0 KiB     2 …",
        "h                    refused: 3.0 TiB; the limit is 1.0 GiB",
    ]
    assert beside_peers(rows, ["g"]) == ["f takes 0.000333 times as long as the fastest peer, g"]
    assert beside_peers(rows, ["h"]) == []
    assert (seconds(None), factor(None)) == ("-", "-")


def swept():
    return [
        Result("t", "gradient", route, "width", n, minimum=n**2 * 1e-6, predicted_bytes=n**3)
        for route in ROUTES
        for n in (7, 23, 101)
    ]


def test_the_limit_and_the_lowest_marker_lie_within_the_picture():
    matplotlib = pytest.importorskip("matplotlib")
    figure = pytest.importorskip("matplotlib.figure").Figure()
    panel = figure.subplots()
    plot._panel(panel, "width", swept(), "predicted_bytes", "", 1)
    for limit in (10**12, 10):
        plot._limit(panel, limit)
        low, high = panel.get_ylim()
        assert low < limit < high
        assert low <= 7**3 / 2
    names = [text.xy[1] for text in panel.texts if "slope" in text.get_text()]
    assert len(names) == len(set(names)) == 2
    assert matplotlib


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_picture_has_its_format_title_and_limit(suffix):
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    content = draw("width", swept(), "A title", suffix, 10**6)
    assert dict(matplotlib.rcParams) == before
    assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    if suffix == ".svg":
        text = content.decode()
        assert "A title" in text
        assert "memory limit, 976.6 KiB" in text
        assert "seconds measured, full, reverse at width 7 to 101" in text


def test_the_picture_in_words():
    rows = [*swept(), Result("t", "gradient", "vjp", "width", 211, refused="refused: 1 TiB")]
    words = description("width", rows, 10**6)
    assert words.startswith(
        "Two log-log panels against the width: on the left seconds measured, full, reverse at "
        "width 7 to 101, full, forward"
    )
    assert words.endswith("the memory limit, 976.6 KiB. Some routes were not timed at width 211.")
