"""A long check says beforehand what it will do: counted, not measured."""

import re

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.checks import announced, announced_second
from jacobian_bp.checks.announced import announcement, expected_seconds
from jacobian_bp.checks.announced_second import expected_of_second
from jacobian_bp.cli import main
from jacobian_bp.derivation.second_derivation import announcement_of_second


def run_of(layers, width=3):
    net = Network.dense([width] * (layers + 1), "tanh", seed=0)
    return net.run(np.linspace(-1, 1, width), np.zeros(width))


def test_what_is_soon_done_is_not_announced():
    assert announcement(run_of(40).forward_pass) == ""


def test_the_sentence_counts_the_steps_and_the_entries_that_are_perturbed():
    state = run_of(1500).forward_pass
    assert len(state.program.steps) == 3_001
    said = announcement(state)
    assert re.fullmatch(
        r"the check takes about \d+ s: the full and the structured route through 3,001 steps, "
        r"the difference route at \d\d of 18,000 entries",
        said,
    )
    assert expected_seconds(state) > 1.6 * expected_seconds(run_of(750).forward_pass)
    assert expected_seconds(run_of(2, 211).forward_pass) > expected_seconds(run_of(2).forward_pass)


def test_a_sample_is_as_large_as_was_announced_and_the_row_says_that_it_is_one(monkeypatch):
    monkeypatch.setattr(announced, "LONG", 0.0)
    run = run_of(150, 5)
    (row,) = [row for row in run.check().rows if row.route == "difference"]
    sampled = int(re.search(r"at ([\d,]+) of", announcement(run.forward_pass))[1].replace(",", ""))
    assert row.sampled
    assert row.verdict.endswith("; a sample")
    assert row.total / 2 > sampled
    assert 0.5 * sampled <= row.compared + row.vague <= sampled
    assert "a sample" not in str(run_of(2).check())


@pytest.mark.parametrize("command", ["check", "derive"])
def test_it_is_said_in_a_pipe_on_standard_error_before_the_check(command, monkeypatch, capsys):
    monkeypatch.setattr(announced, "LONG", 0.0)
    assert main([command, "4-5-3"]) == 0
    out, err = capsys.readouterr()
    said = " ".join(err.split())
    assert said == (
        "jacobian-bp: the check takes about 0 s: the full and the structured route through "
        "5 steps, the difference route at 43 of 43 entries"
    )
    assert "takes about" not in out
    monkeypatch.undo()
    assert main([command, "4-5-3"]) == 0
    assert capsys.readouterr() == (out, "")


def test_a_long_page_of_second_derivatives_is_announced_with_what_it_then_compares(
    monkeypatch, capsys
):
    state = run_of(3).forward_pass
    assert announcement_of_second(state) == ""
    monkeypatch.setattr(announced_second, "LONG", 0.0)
    assert main(["derive", "4-5-3", "--second"]) == 0
    out, err = capsys.readouterr()
    assert " ".join(err.split()) == (
        "jacobian-bp: the page takes about 0 s: 10 blocks, differences of the gradient "
        "by 43 of 43 entries"
    )
    assert "differences of the vjp gradient: 1,849 of 1,849 entries" in " ".join(out.split())
    wide = run_of(1, 41)
    assert announcement_of_second(wide.forward_pass).endswith(
        "s: differences of the gradient by 62 of 1,722 entries"
    )
    assert wide.second_derivation().check.columns == 62
    assert "3 blocks, " in announcement_of_second(wide.forward_pass, everything=True)


def test_what_a_page_of_second_derivatives_takes_grows_as_the_square_of_the_depth():
    seconds = [expected_of_second(run_of(depth).forward_pass, True, True) for depth in (8, 16, 32)]
    assert 3 < seconds[1] / seconds[0] < 5
    assert 3 < seconds[2] / seconds[1] < 5
