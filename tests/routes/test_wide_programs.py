"""Random programs over all ops: every route gives one gradient, and the compiled step the same."""

import pytest
from every_way import LEFT_OUT, apart, from_torch, kinds
from wide_programs import wide_program

from jacobian_bp import ops
from jacobian_bp.program.program_text import OPS

SAMPLE, ALL = range(24), range(24, 800)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", SAMPLE)
def test_every_way_gives_one_gradient(seed):
    assert apart(*wide_program(seed)) == []


@pytest.mark.parametrize("seed", [1258, 1264, 1665, 1892, 1909, 1983])
def test_what_is_left_of_large_terms_is_allowed_their_rounding(seed):
    """In turn: a batch of equal examples, units of equal values, a slope near its root, a long
    sum of equal terms, equal examples again, and a sum that cancels in front of |z|."""
    assert apart(*wide_program(seed)) == []


@pytest.mark.full
@pytest.mark.parametrize("seeds", [ALL[k : k + 97] for k in range(0, len(ALL), 97)])
def test_every_way_gives_one_gradient_in_many_programs(seeds):
    assert {seed: said for seed in seeds if (said := apart(*wide_program(seed)))} == {}


def test_the_programs_go_through_every_op():
    seen = set().union(*(kinds(wide_program(seed)[0]) for seed in range(100)))
    assert OPS.keys() - seen == LEFT_OUT


def test_a_wrong_rule_in_one_of_them_is_seen(monkeypatch):
    seed = next(s for s in SAMPLE if "LayerNorm" in kinds(wide_program(s)[0]))
    assert apart(*wide_program(seed)) == []
    right = ops.LayerNorm.vjp

    def wrong(self, bar, x, gamma, beta):
        found = right(self, bar, x, gamma, beta)
        return {**found, "x": found["x"] * (1 + 1e-12)}

    monkeypatch.setattr(ops.LayerNorm, "vjp", wrong)
    assert apart(*wide_program(seed)) != []


def test_torch_gives_the_same_gradients_in_float64():
    pytest.importorskip("torch", reason="torch is not installed: it is compared where it is")
    from torch_ops import cost_and_gradients

    assert {
        seed: far
        for seed in range(120)
        if (far := from_torch(*wide_program(seed), cost_and_gradients))
    } == {}


@pytest.mark.full
def test_torch_gives_the_same_gradients_of_all_of_them():
    pytest.importorskip("torch", reason="torch is not installed: it is compared where it is")
    from torch_ops import cost_and_gradients

    seeds = range(120, ALL.stop)
    assert {
        seed: far for seed in seeds if (far := from_torch(*wide_program(seed), cost_and_gradients))
    } == {}
