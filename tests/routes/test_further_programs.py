"""Random programs over the ops that test_wide_programs does not draw: every route, and torch."""

import pytest
from every_way import LEFT_OUT, apart, from_torch, kinds
from further_programs import further_program

from jacobian_bp import ops

SAMPLE, ALL = range(12), range(12, 300)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", SAMPLE)
def test_every_way_gives_one_gradient(seed):
    assert apart(*further_program(seed)) == []


@pytest.mark.full
@pytest.mark.parametrize("seeds", [ALL[k : k + 96] for k in range(0, len(ALL), 96)])
def test_every_way_gives_one_gradient_in_many_programs(seeds):
    assert {seed: said for seed in seeds if (said := apart(*further_program(seed)))} == {}


def test_with_them_no_op_is_left_out():
    seen = set().union(*(kinds(further_program(seed)[0]) for seed in range(60)))
    assert seen >= LEFT_OUT


def test_a_wrong_rule_in_one_of_them_is_seen(monkeypatch):
    seed = next(s for s in ALL if "GRUCell" in kinds(further_program(s)[0]))
    assert apart(*further_program(seed)) == []
    right = ops.GRUCell.vjp

    def wrong(self, bar, *inputs):
        found = right(self, bar, *inputs)
        return {**found, "W": found["W"] * (1 + 1e-12)}

    monkeypatch.setattr(ops.GRUCell, "vjp", wrong)
    assert apart(*further_program(seed)) != []


@pytest.mark.full
def test_torch_gives_the_same_gradients():
    pytest.importorskip("torch", reason="torch is not installed: it is compared where it is")
    from torch_ops import cost_and_gradients

    seeds = range(ALL.stop)
    assert {
        s: far for s in seeds if (far := from_torch(*further_program(s), cost_and_gradients))
    } == {}
