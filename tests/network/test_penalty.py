"""A penalty counts once, on every route, whatever the form of the data; a wrong one is named."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, L1Penalty, Network, SpecError, check_gradient, check_op

RNG = np.random.default_rng(43)
X, Y = RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2))
SIZES, LAYERS = [5, 3, 2], ["tanh", "identity"]
PENALTY = {"W1": 0.25, "W2": {"half_l2": 0.5, "l1": 0.125}, "b2": {"l1": 2.0}}


def network(**options):
    return Network.dense(SIZES, LAYERS, "squared_error", seed=5, **options)


def by_hand(params, x, y, divide):
    """The cost in plain numpy, a batch's mean or sum and then the penalties."""
    z = np.tanh(x @ params["W1"].T + params["b1"]) @ params["W2"].T + params["b2"]
    penalty = 0.25 * (params["W1"] ** 2).sum() + 0.5 / 2 * (params["W2"] ** 2).sum()
    penalty += 0.125 * abs(params["W2"]).sum() + 2 * abs(params["b2"]).sum()
    return ((z - y) ** 2).sum() / divide + penalty


@pytest.mark.parametrize(
    ("x", "y", "reduction", "divide"),
    [(X, Y, "mean", 7), (X, Y, "sum", 1), (X[0], Y[0], "mean", 1), (X[:1], Y[:1], "mean", 1)],
)
def test_a_penalty_counts_once_and_all_routes_have_it(x, y, reduction, divide):
    net = network(penalty=PENALTY, reduction=reduction)
    run, params = net.run(x, y), dict(net.params)
    assert run.check().ok, str(run.check())
    assert float(run.loss) == pytest.approx(by_hand(params, x, y, divide), rel=1e-14)
    for route in ("vjp", "full", "structured"):
        gradients = run.gradients(route=route)
        report = check_gradient(lambda p: by_hand(p, x, y, divide), gradients, params)
        assert report.ok, str(report)
    without = network(reduction=reduction).run(x, y).gradients()
    assert not check_gradient(lambda p: by_hand(p, x, y, divide), without, params).ok


@pytest.mark.parametrize("batch", [None, 7])
def test_a_compiled_step_has_it(batch):
    net = network(penalty=PENALTY)
    x, y = (X, Y) if batch else (X[0], Y[0])
    run = net.run(x, y)
    loss, gradients = net.compile(batch=batch)(dict(net.params), x, y)
    assert loss == pytest.approx(float(run.loss), rel=1e-14)
    for name, gradient in run.gradients().items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-13, atol=1e-15)


def test_title_steps_and_derivation_show_it():
    net = network(penalty=PENALTY)
    assert net.steps[4:] == (
        "L = SquaredError(a2, y)",
        "D = Mean(L)",
        "R1 = L2Penalty(W1, 0.25)",
        "R2 = HalfL2Penalty(W2, 0.5)",
        "R3 = L1Penalty(W2, 0.125)",
        "R4 = L1Penalty(b2, 2.0, 'k')",
        "J = Add(D, R1, R2, R3, R4, '')",
    )
    run = net.run(X[0], Y[0])
    text = run.derivation().text().splitlines()
    assert text[1].strip() == "penalty: 0.25 Σ W1² + ½ · 0.5 Σ W2² + 0.125 Σ |W2| + 2 Σ |b2|"
    rows = [" ".join(line.split()) for line in text]
    assert any(row.startswith("J = D + R1 + R2 + R3 + R4 ") for row in rows)
    assert str(run.jacobian("R1", "W1")).splitlines()[0] == "∂R1/∂W1[k',i'] = 1/2 W1[k',i']"
    assert str(run.jacobian("R3", "W2")).splitlines()[0] == "∂R3/∂W2[k',i'] = 1/8 sign(W2)[k',i']"
    assert r"R_{1}&=0.25\sum W_{1}{}^{2}" in net.latex()


def test_the_textbook_s_formula_of_a_penalty_has_its_rate_as_it_was_written():
    steps = network(penalty={**PENALTY, "W1": 0.1}).run(X, Y).derivation().gradients
    assert {step.name: step.textbook for step in steps} == {
        "∂J/∂b1": "Σ_n δ1",
        "∂J/∂W1": "2 · 0.1 W1 + δ1ᵀ x",
        "∂J/∂b2": "2 sign(b2) + Σ_n δ2",
        "∂J/∂W2": "0.125 sign(W2) + 0.5 W2 + δ2ᵀ a1",
    }


@pytest.mark.parametrize(
    ("ends", "textbook"),
    [
        (["J = L2Penalty(W, 0.3)"], "2 · 0.3 W"),
        (["R = L2Penalty(W, 0.3)", "J = Add(R, R, '')"], "0.6 (∂J/∂R) W"),
        (["R = L2Penalty(W, 0.3)", "J = Multiply(R, R, '')"], "0.6 (∂J/∂R) W"),
    ],
)
def test_only_a_penalty_that_is_added_as_it_is_has_its_own_derivative(ends, textbook):
    run = Network.program(*ends, params={"W": RNG.standard_normal((3, 2))}).run()
    assert [step.textbook for step in run.derivation().gradients] == [textbook]


def test_what_is_spent_in_a_penalised_gradient_is_a_sum_that_gives_it():
    """∂J/∂R1 = 1 is no factor; where it is another number it stands in brackets."""
    steps = network(penalty=PENALTY).run(X, Y).derivation().gradients
    spent = {step.name: step.after for step in steps}
    assert spent["∂J/∂W1"] == "1/2 W1[k',i'] + Σ_n δ1[n,k'] x[n,i']"
    assert spent["∂J/∂b2"] == "2 sign(b2)[k'] + Σ_n δ2[n,k']"
    assert not [text for text in spent.values() if "∂" in text]
    run = Network.program(
        "R = L2Penalty(W, 0.3)", "J = Multiply(R, R, '')", params={"W": RNG.standard_normal((3, 2))}
    ).run()
    (step,) = run.derivation().gradients
    assert step.before == step.after == "0.6 (∂J/∂R) W[k',i']"
    by_hand = 0.6 * 2 * run["R"] * run["W"]
    np.testing.assert_allclose(step.value, by_hand, rtol=1e-12)


def test_many_penalties_are_folded_in_the_title():
    net = Network.dense([2] * 8, penalty={f"W{layer}": 0.5 for layer in range(1, 8)})
    title = net.run([1.0, 2.0], [0.0, 1.0]).derivation().text().splitlines()
    expected = "penalty: 0.5 Σ W1² + 0.5 Σ W2² + 0.5 Σ W3² + … 3 more … + 0.5 Σ W7²"
    assert expected in [line.strip() for line in title]


def test_the_printed_steps_are_a_program_of_the_same_network():
    net = network(penalty=PENALTY)
    again = Network.program(*net.steps, params=dict(net.params))
    assert again.steps == net.steps
    assert float(again.run(X, Y).loss) == float(net.run(X, Y).loss)


def test_without_labels_the_run_stops_before_the_cost():
    plain, penalised = network(), network(penalty=PENALTY)
    assert (plain(X) == penalised(X)).all()
    assert penalised(X[0]).shape == (2,)


def test_a_cost_of_penalties_alone_is_a_cost():
    net = Network.program("J = L2Penalty(W, 0.5)", params={"W": Y})
    assert float(net.run().loss) == pytest.approx(0.5 * (Y**2).sum())
    assert (net.run().gradients()["W"] == Y).all()


def test_tied_parameters_are_each_penalised():
    square = RNG.standard_normal((3, 3))
    params = {"W1": square, "b1": np.zeros(3), "W2": square, "b2": np.ones(3)}
    net = Network.dense([3, 3, 3], "tanh", params=params, penalty={"W1": 0.5, "W2": 0.25})
    run = net.run(X[0, :3], X[1, :3])
    plain = Network.dense([3, 3, 3], "tanh", params=params).run(X[0, :3], X[1, :3])
    extra = run.gradients()["W1"] - plain.gradients()["W1"]
    np.testing.assert_allclose(extra, 1.5 * square, atol=1e-13)
    assert run.check().ok


@pytest.mark.parametrize("at_zero", [-1.0, 0.0, 0.5])
def test_the_kink_of_l1_is_a_kink(at_zero):
    W = np.array([[0.0, 1.5, -2.0], [-0.0, 0.25, -0.75]])
    report = check_op(L1Penalty(0.5, at_zero=at_zero), {"W": W})
    assert report.ok, str(report)
    assert str(report).endswith("; 2 entries sit on a kink")
    net = Network.program(
        f"R = L1Penalty(W, 0.5, at_zero={at_zero})",
        "z = Linear(x, W, b)",
        "D = SquaredError(z, y)",
        "J = Add(D, R, '')",
        params={"W": W, "b": np.zeros(2)},
    )
    agreement = net.run(X[0, :3], Y[0]).check()
    assert agreement.ok
    assert agreement.kinks[0] == (
        "W[0,0] is exactly 0, where L1Penalty has no slope; its at_zero is used"
    )


def test_a_network_file_says_the_same(tmp_path):
    file = tmp_path / "net.toml"
    text = (
        '[network]\nsizes = [5, 3, 2]\nactivations = ["tanh", "identity"]\n'
        'loss = "squared_error"\nseed = 5\n'
    )
    table = "penalty = { W1 = 0.25, W2 = { half_l2 = 0.5, l1 = 0.125 }, b2 = { l1 = 2 } }\n"
    file.write_text(text + table)
    net = Network.from_toml(file)
    assert net.steps == network(penalty=PENALTY).steps
    assert float(net.run(X, Y).loss) == float(network(penalty=PENALTY).run(X, Y).loss)


TABLE = '  Write {"W1": 0.01}, which is {"W1": {"l2": 0.01}}; the kinds are l2, half_l2, l1.'
RATE = "it lies between 0.0 and inf, and is finite.\n  Write a finite rate from 0 up, such as 0.01."


@pytest.mark.parametrize(
    ("penalty", "kind", "message"),
    [
        (0.01, SpecError, "penalty is a float, not a mapping of parameters to rates.\n" + TABLE),
        (
            {"w1": 0.01},
            SpecError,
            "penalty names 'w1', which is no parameter. Did you mean W1?\n"
            "  The parameters are W1, b1, W2, b2.",
        ),
        (
            {"W1": {"L2": 0.01}},
            SpecError,
            "the penalty on W1 is 'L2', which is not known. Did you mean 'l2'?\n" + TABLE,
        ),
        (
            {"W1": {"half_l": 0.01}},
            SpecError,
            "the penalty on W1 is 'half_l', which is not known. Did you mean 'half_l2'?\n" + TABLE,
        ),
        ({"W1": -1}, DomainError, "the penalty l2 on W1 is -1; " + RATE),
        ({"W1": {"l1": np.nan}}, DomainError, "the penalty l1 on W1 is nan; " + RATE),
        ({"W1": np.inf}, DomainError, "the penalty l2 on W1 is inf; " + RATE),
        (
            {"W1": "0.01"},
            DomainError,
            "the penalty l2 on W1 is '0.01', not a number.\n" + TABLE,
        ),
        (
            {"W1": ("l1", 0.01)},
            DomainError,
            "the penalty l2 on W1 is ('l1', 0.01), not a number.\n" + TABLE,
        ),
    ],
)
def test_a_penalty_of_no_use_is_refused(penalty, kind, message):
    assert refusal(kind, network, penalty=penalty) == message


def test_a_penalty_without_a_loss_is_refused():
    assert refusal(SpecError, Network.dense, SIZES, LAYERS, None, penalty={"W1": 0.5}) == (
        "there is a penalty on W1, and no loss to add it to.\n"
        "  Give the network a loss, or leave the penalty out."
    )


def test_a_wrong_penalty_in_a_file_is_named(tmp_path):
    file = tmp_path / "net.toml"
    file.write_text(
        '[network]\nsizes = [5, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
        'penalty = { W9 = 1, W1 = { l3 = 0.5, l1 = -1 }, b1 = "0.5" }\n'
    )
    told = "  Write rates from 0 up, such as { W1 = 0.01 } or { W1 = { l1 = 0.01 } }."
    assert refusal(SpecError, Network.from_toml, file) == (
        "net.toml has 4 problems.\n"
        "net.toml, line 5, network.penalty: 'W9' is no parameter.\n  Write one of W1, b1.\n"
        "net.toml, line 5, network.penalty.W1: 'l3' is not known.\n"
        "  Write one of l2, half_l2, l1.\n"
        f"net.toml, line 5, network.penalty.W1.l1: -1 is not a rate.\n{told}\n"
        f"net.toml, line 5, network.penalty.b1: '0.5' is not a rate.\n{told}"
    )
