"""Max and Min along axes, and Dropout, against loops; kinks, structure, refusals."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, zeros_are_positive

from jacobian_bp import DomainError, Network, check_op, ops

RNG = np.random.default_rng(43)
OVER = [
    ("t", (1,)),
    ("n", (0,)),
    ("k", (2,)),
    ("t,k", (1, 2)),
    ("n,k", (0, 2)),
    ("n,t,k", (0, 1, 2)),
]


@pytest.mark.one_in(6)
@pytest.mark.parametrize("cls", [ops.Max, ops.Min])
@pytest.mark.parametrize(("over", "gone"), OVER)
def test_an_extreme_passes_one_entry_on(cls, over, gone):
    x = RNG.normal(size=(2, 3, 5))
    pick = max if cls is ops.Max else min
    kept = [axis for axis in range(3) if axis not in gone]
    expected = np.zeros([x.shape[axis] for axis in kept] + list(x.shape))
    value = np.zeros([x.shape[axis] for axis in kept])
    for place in np.ndindex(*value.shape):
        inside = [i for i in np.ndindex(*x.shape) if tuple(i[axis] for axis in kept) == place]
        best = pick(inside, key=lambda i: x[i])
        value[place], expected[(*place, *best)] = x[best], 1
    letters = "".join("ntk"[axis] for axis in kept if axis)
    end = f'J = Einsum("{letters}->", e)' if letters else "J = Mean(e)"
    net = Network.program(f"e = {cls.__name__}(x, over={over!r})", end)
    run = net.run(x=x, axes={"x": "n,t,k"})
    name = "e" if letters or 0 in kept else "J"
    agree(run[name], value)
    agree(run.jacobian(name, "x").materialise(), expected)
    report = check_op(cls(over=over), {"L": x}, axes={"L": "n,t,k"})
    assert report.ok, str(report)


@pytest.mark.parametrize("cls", [ops.Max, ops.Min])
def test_other_values_would_have_chosen_another_entry(cls):
    """All entries along t can be chosen: they are counted."""
    net = Network.program(f'e = {cls.__name__}(x, over="t")', 'J = Einsum("k->", e)')
    jacobian = net.run(x=RNG.normal(size=(3, 5)), axes={"x": "t,k"}).jacobian("e", "x")
    assert jacobian.formula == "δ[k,k'] δ[t',a[k]]"
    assert jacobian.structural_nonzeros == 15
    assert (jacobian.materialise() != 0).sum() == 5


def test_equal_extremes_are_a_kink_and_the_first_is_taken():
    x = np.array([[1.0, 7, 3], [4, 7, 2], [4, 5, 2]])
    for cls, which, first in ((ops.Max, "largest", [1, 0, 0]), (ops.Min, "least", [0, 2, 1])):
        net = Network.program(f'e = {cls.__name__}(x, over="t")', 'J = Einsum("k->", e)')
        run = net.run(x=x, axes={"x": "t,k"})
        assert run.jacobian("e", "x").materialise().sum(axis=2).argmax(axis=1).tolist() == first
        assert run.check().ok, str(run.check())
        kinks = [line.strip() for line in run.check().lines() if "kink: e[" in line]
        tied = [k for k in range(3) if (x[:, k] == run["e"][k]).sum() > 1]
        words = f"two entries are the {which}; the first is taken"
        assert kinks[: len(tied)] == [f"kink: e[{k}]: {words}" for k in tied]


def test_an_extreme_over_nothing_is_refused():
    make = lambda: check_op(ops.Max(over="t"), {"L": np.ones((0, 3))}, axes={"L": "t,k"})  # noqa: E731
    assert refusal(DomainError, make) == (
        "the largest of L over 0 entries along t is not defined.\n  Pass at least one."
    )


def test_the_last_of_equal_extremes_is_told_from_the_first():
    class Last(ops.Max):
        def jacobians(self, L):
            return {"L": super().jacobians(L[::-1])["L"]}

    assert not check_op(Last(over="t"), {"L": RNG.normal(size=(5, 3))}, axes={"L": "t,k"}).ok


M = np.array([1.0, 0, 1, 1, 0])


@pytest.mark.parametrize(
    ("x", "m", "axes"),
    [
        ((5,), (5,), {}),
        ((3, 5), (5,), {}),
        ((5,), (3, 5), {}),
        ((2, 3, 5), (3, 5), {"x": "n,t", "m": "t"}),
    ],
)
def test_dropout_is_a_given_mask_over_what_is_kept(x, m, axes):
    arrays = {"x": RNG.normal(size=x), "m": RNG.permuted(np.broadcast_to(M, m), axis=-1)}
    op = ops.Dropout(0.75)
    agree(op.forward(*arrays.values()), arrays["x"] * arrays["m"] / 0.75)
    report = check_op(op, arrays, axes=axes)
    assert report.ok, str(report)


def test_what_is_dropped_is_zero_for_every_input():
    net = Network.program(
        "d = Dropout(x, m, keep=0.5)",
        "z = Linear(d, W)",
        "L = SquaredError(z, y)",
        "J = Mean(L)",
        params={"W": RNG.normal(size=(3, 5))},
    )
    run = net.run(x=RNG.normal(size=(2, 5)), m=[M, 1 - M], y=np.zeros((2, 3)))
    assert run.check().ok, str(run.check())
    assert run.jacobian("d", "x").formula == "2 δ[n,n'] m[n,k] δ[k,k']"
    assert run.jacobian("d", "x").structural_nonzeros == 5
    assert run.jacobian("z", "W").structural_nonzeros == 15
    assert list(net.params) == ["W"]
    hostile = ops.Dropout(0.5).forward(np.array([np.nan, np.inf, -1, np.nan, -np.inf]), 1 - M)
    zeros_are_positive(hostile, M == 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ops.Dropout(0),
            "Dropout(keep) is 0: no entry is kept, and none can be made larger.\n"
            "  Write the share of entries that are kept, such as 0.5.",
        ),
        (
            lambda: ops.Dropout(1.5),
            "Dropout(keep) is 1.5; it lies between 0.0 and 1.0, and is finite.",
        ),
        (
            lambda: check_op(ops.Dropout(0.5), {"x": np.ones(5), "m": 2 * M}),
            "m[0] is 2; the mask of a dropout holds 1 where an entry is kept, and 0 where it is "
            "dropped.\n  Pass m with 0 and 1 only; keep does the scaling.",
        ),
    ],
)
def test_a_dropout_that_is_none_is_refused(make, message):
    assert refusal(DomainError, make) == message


def test_a_dropout_without_its_scale_is_told():
    class Unscaled(ops.Dropout):
        def vjp(self, y_bar, x, m):
            return {"x": y_bar * m}

    (finding,) = check_op(Unscaled(0.5), {"x": RNG.normal(size=5), "m": M}).findings
    assert finding.wrong == "vjp() is wrong"
    assert finding.pattern == "every entry is 0.5 times the right one"
