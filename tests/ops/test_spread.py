"""The spread that a norm divides by is that of the numbers, wherever on the line they lie."""

import numpy as np
import pytest
from mpmath import mp, mpf, workdps

from jacobian_bp import BatchNorm, DomainError, LayerNorm, Network, ops
from jacobian_bp.ops.spread import standardised

RNG = np.random.default_rng(61)
FARTHEST = {np.float64: 1e9, np.float32: 1e5}  # a mean, beside a spread of about 1
NORMS = {
    "LayerNorm": (LayerNorm, lambda x: x),
    "BatchNorm": (BatchNorm, lambda x: x.T),
    "GroupNorm": (lambda eps: ops.GroupNorm(1, eps, axes="c,i"), lambda x: x[:, None]),
}


@pytest.mark.parametrize("dtype", FARTHEST)
@pytest.mark.parametrize("eps", [0, 1e-5])
def test_far_from_0_an_entry_is_standardised_to_its_last_digits(dtype, eps):
    x = (FARTHEST[dtype] + RNG.standard_normal((11, 7))).astype(dtype)
    found, spread, larger = standardised(x, eps)
    assert larger is None or (larger == 1).all()
    with workdps(50):
        for row, entries, s in zip(x, found, spread[:, 0], strict=True):
            exact = [mpf(float(v)) for v in row]
            mean = sum(exact) / len(exact)
            true = mp.sqrt(sum((v - mean) ** 2 for v in exact) / len(exact) + mpf(float(eps)))
            unit = float(np.finfo(dtype).eps)
            assert abs(float(s) / true - 1) <= 8 * unit
            assert all(
                abs(float(f) - (v - mean) / true) <= 8 * unit
                for f, v in zip(entries, exact, strict=True)
            )
    by_one_mean = x - x.mean(axis=-1, keepdims=True)  # what the bar above does not allow
    assert np.abs(by_one_mean / spread - found).max() > 8 * unit


def equal_rows(dtype):
    """Rows of one number each, of many sizes and lengths."""
    for length in (2, 3, 7, 11, 23, 101):
        sizes = RNG.standard_normal(13) * 10.0 ** RNG.uniform(-30, 30, 13)
        yield np.repeat(sizes[:, None], length, axis=1).astype(dtype)


@pytest.mark.parametrize("dtype", FARTHEST)
def test_equal_entries_have_no_spread_whatever_their_number_and_size(dtype):
    rounded = 0
    for x in equal_rows(dtype):
        assert not standardised(x, 1e-5)[0].any()
        rounded += np.count_nonzero(x - x.mean(axis=-1, keepdims=True))
    assert rounded  # a mean of equal numbers is another number


@pytest.mark.parametrize("name", NORMS)
def test_without_eps_equal_entries_are_refused(name):
    make, placed = NORMS[name]
    x = placed(np.full((1, 3), 0.1 * 7))
    gains = {axis: np.ones(n) for axis, n in (("gamma", x.shape[-1]), ("beta", x.shape[-1]))}
    if name != "LayerNorm":
        gains = {axis: np.ones(1) for axis in gains}
    names = {n: n for n in ("x", *gains)}
    with pytest.raises(DomainError, match="no spread"):
        make(eps=0).admit(names, x, gains["gamma"], gains["beta"])


def test_in_a_compiled_step_equal_entries_give_exactly_the_shift():
    gains = {"gamma": RNG.standard_normal(7), "beta": RNG.standard_normal(7)}
    net = Network.program(
        "a = LayerNorm(x, gamma, beta)", "L = SquaredError(a, y)", "J = Sum(L)", params=gains
    )
    x = np.repeat(RNG.standard_normal((5, 1)) * 1e9, 7, axis=1)
    y = np.tile(gains["beta"], (5, 1))
    loss, gradients = net.compile(batch=5)(gains, x=x, y=y)
    assert loss == 0
    assert not any(array.any() for array in gradients.values())


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (ops.LayerNorm(1e-5), (2, 3)),
        (ops.RMSNorm(1e-5), (2, 3)),
        (ops.BatchNorm(1e-5), (5, 3)),
        (ops.GroupNorm(1, 1e-5, "c,i"), (3, 2)),
    ],
    ids=lambda case: getattr(case, "name", None),
)
def test_a_subnormal_gain_loses_no_digit_before_a_small_spread_divides_it(op, shape):
    rng, least = np.random.default_rng(41), np.finfo(float).smallest_subnormal
    x, y_bar, gamma = rng.normal(size=shape) / 1e4, rng.normal(size=shape), np.array([3.0, 5, 7])
    more = [] if op.name == "RMSNorm" else [np.zeros(3)]
    whole = op.vjp(y_bar, x, gamma, *more)["x"]
    found = op.vjp(y_bar, x, gamma * least, *more)["x"]
    assert np.abs(whole).max() > 100
    assert np.abs(found / least - whole).max() < 12  # spacings; a product first loses a hundred


SIX = np.array([3.0, -1, 2, 7, 5, -6])
ALL_NORMS = {  # each with the numbers that it reads, in spacings of subnormals
    "LayerNorm(x, g, b, eps=0)": (SIX, np.array([11.0, 2, 5, 3, 9, 7])),
    "RMSNorm(x, g, eps=0)": (SIX, np.array([11.0, 2, 5, 3, 9, 7])),
    "GroupNorm(x, g, b, groups=2, eps=0, axes='c')": (SIX, np.array([11.0, 2, 5, 3, 9, 7])),
    "BatchNorm(x, g, b, eps=0)": (SIX.reshape(3, 2), np.array([11.0, 2])),
}


@pytest.mark.parametrize("dtype", FARTHEST)
@pytest.mark.parametrize("text", ALL_NORMS)
def test_a_subnormal_gain_over_a_subnormal_spread_has_all_its_digits(text, dtype):
    x, gain = ALL_NORMS[text]

    def slopes(unit):
        params = {"x": x * unit, "g": gain * unit, "b": 0 * gain}
        read = {name: v.astype(dtype) for name, v in params.items() if f"{name}, " in text}
        run = Network.program(f"y = {text}", params=read).run()
        return run.jacobian("y", "x").materialise(), run.vjp("y", "x", x.astype(dtype) ** 2)

    small = slopes(float(np.finfo(dtype).smallest_subnormal))
    for found, right in zip(small, slopes(1.0), strict=True):
        assert right.any()
        assert found.tolist() == right.tolist()
