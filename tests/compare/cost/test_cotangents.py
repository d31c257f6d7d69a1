"""The products that the structured route and the ops' own vjp do, against those predicted."""

import math

import numpy as np
import opt_einsum
import pytest
from cost_cases import card, dense, drawing
from network_cases import BATCH

from jacobian_bp import Network
from jacobian_bp.algebra.expression import Dense
from jacobian_bp.algebra.products import placing, spending
from jacobian_bp.algebra.tape import StandIn
from jacobian_bp.routes.vjp import local_vjp


def products(factors, axes, sizes, coefficient):
    """What the product of some factors takes, two at a time; a pending 1/m takes one each."""
    if len(factors) == 1:
        return math.prod(factors[0].array.shape) if coefficient != 1 else 0
    letters = {axis: opt_einsum.get_symbol(place) for place, axis in enumerate(sizes)}
    words = ["".join(letters[a] for a in dict.fromkeys(f.axes)) for f in factors]
    shapes = [tuple(sizes[a] for a in dict.fromkeys(f.axes)) for f in factors]
    equation = ",".join(words) + "->" + "".join(letters[a] for a in axes)
    _, info = opt_einsum.contract_path(equation, *shapes, shapes=True)
    pairs = [set(pair.replace(",", "").split("->")[0]) for _, _, pair, *_ in info.contraction_list]
    return sum(int(np.prod([info.size_dict[letter] for letter in pair])) for pair in pairs)


def multiplied(monkeypatch, run):
    """The multiplications of the structured route: those recorded, and those of writing out."""
    total, contract, write = [0], spending.contract, placing._write

    def contracted(factors, axes, sizes, coefficient=1.0):
        if any(isinstance(factor.array, StandIn) for factor in factors):
            total[0] += products(factors, axes, sizes, coefficient)
        return contract(factors, axes, sizes, coefficient)

    def written(term, axes, sizes, target):
        if found := term.of(Dense):
            total[0] += products(found, axes, sizes, term.coefficient)
        return write(term, axes, sizes, target)

    monkeypatch.setattr(spending, "contract", contracted)
    monkeypatch.setattr(placing, "contract", contracted)
    monkeypatch.setattr(placing, "_write", written)
    run.gradients("structured")
    return total[0]


@pytest.mark.parametrize("sizes", [(5, 3, 2), (2, 11, 3, 7)], ids=str)
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "identity"])
def test_structured_does_the_multiplications_that_are_predicted(
    monkeypatch, activation, batch, sizes
):
    run = dense(activation, "half_squared_error", batch, sizes=sizes)
    cost = card(run)["structured"]
    assert multiplied(monkeypatch, run) == cost.multiplications == cost.nonzero_multiplications


class Counting(np.ndarray):
    """An array that counts the products in which it takes part; what it makes counts as well."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(i) if isinstance(i, Counting) else i for i in inputs]
        result = np.asarray(getattr(ufunc, method)(*plain, **options))
        if ufunc is np.matmul:
            Counting.total += result.size * plain[0].shape[-1]
        elif ufunc is np.multiply:
            Counting.total += result.size
        return result.view(Counting)


def multiplied_by_vjp(run):
    """The products with a cotangent that the ops' own vjp do."""
    state = run.forward_pass
    Counting.total = 0
    _, steps = state.dependents(state.program.params, state.cost)
    bars = {state.cost: np.ones(()).view(Counting)}
    for step in steps:
        for arg, part in local_vjp(state, step, bars.pop(step.name).view(Counting)):
            bars[arg] = bars[arg] + part if arg in bars else part
    x_bar = 0
    first = state.program.steps[0]
    if "x" in first.args:  # the op pulls back to the data as well, which no gradient asks for
        weights, examples = run[first.args[1]], run["x"].size // run["x"].shape[-1]
        x_bar = examples * weights.size
    return Counting.total - x_bar


@pytest.mark.one_in(4)
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("loss", ["half_squared_error", "squared_error", "bce"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "identity", "softplus", "relu"])
def test_vjp_does_the_multiplications_that_are_predicted(activation, loss, batch):
    run = dense(activation, loss, batch, sizes=(2, 11, 3))
    cost = card(run)["vjp"]
    assert multiplied_by_vjp(run) == cost.multiplications == cost.nonzero_multiplications


def test_softmax_is_a_matrix_where_it_is_structured_and_a_sum_in_a_vjp():
    """One softmax of 3 classes in a batch of 7; zeros on the diagonal of 1−δ."""
    draw = drawing()
    net = Network.program(
        "z = Linear(x, W, b)",
        "p = Softmax(z)",
        "L = HalfSquaredError(p, y)",
        "J = Sum(L)",
        params={"W": draw(3, 5), "b": draw(3)},
    )
    costs = card(net.run(draw(BATCH, 5), draw(BATCH, 3)))
    loss, weights, twice = BATCH * 3, BATCH * 3 * 5, 2 * BATCH * 3  # g p, and what comes times p
    assert costs["vjp"].multiplications == loss + twice + twice + weights
    structured = costs["structured"]
    assert structured.multiplications == loss + twice + twice + BATCH * 3 * 3 + weights
    assert structured.multiplications - structured.nonzero_multiplications == BATCH * 3
