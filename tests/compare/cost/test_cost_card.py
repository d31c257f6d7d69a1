"""The cost card: counts against brute force, predicted bytes against the bytes that were built."""

from dataclasses import replace

import numpy as np
import pytest
from cost_cases import RUNS, card, dense, drawing, unread
from network_cases import refusal

from jacobian_bp import JacobianError, Network
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.jacobian import Jacobian
from jacobian_bp.compare.cost import cotangents
from jacobian_bp.compare.cost.cost_card import ORDER_OF, ROUTES, cost_card
from jacobian_bp.errors import AxisError
from jacobian_bp.numbers.memory import Meter, built, metered
from jacobian_bp.program.forward_pass import Pass
from jacobian_bp.routes import full
from jacobian_bp.routes.einsum_chain import operands_of, pairs_of, segments
from jacobian_bp.routes.structured import dense_factors, records

every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
every_order = pytest.mark.parametrize("route", ORDER_OF)


# ---------------------------------------------------------------- bytes


def metered_gradients(run, route):
    with metered() as meter:
        gradients = run.gradients("full", ORDER_OF[route])
    return meter, gradients


@pytest.mark.one_in(5)
@every_run
@every_order
def test_the_predicted_bytes_are_the_bytes_that_are_built(make, route):
    run = make()
    cost, (meter, gradients) = card(run)[route], metered_gradients(run, route)
    assert (cost.peak_bytes, cost.largest) == (meter.peak_bytes, meter.largest)
    assert cost.largest_bytes == meter.largest_bytes
    # What is left is what was asked for: everything else was let go.
    assert meter.alive_bytes == sum(array.nbytes for array in gradients.values())


@every_run
def test_the_gradients_are_those_of_the_other_routes(make):
    run = make()
    expected = run.gradients("structured")
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if run["J"].dtype == np.float32 else {"rtol": 1e-9}
    for route in ORDER_OF:
        for name, array in metered_gradients(run, route)[1].items():
            np.testing.assert_allclose(array, expected[name], **tolerance)


def test_an_array_that_is_held_too_long_is_found(monkeypatch):
    """Planted: what the prediction lets go is kept."""
    held = []

    def holding(name, array):
        held.append(array)
        return built(name, array)

    monkeypatch.setattr("jacobian_bp.routes.full.built", holding)
    run = dense("tanh", "squared_error", True)
    meter, _ = metered_gradients(run, "full, reverse")
    assert meter.peak_bytes > card(run)["full, reverse"].peak_bytes


def test_an_array_that_is_not_predicted_is_found(monkeypatch):
    """Planted: each contraction leaves a second copy behind for a while."""
    original = full.Arrays.times

    def twice(self, row, local, name, bond):
        extra = built("extra", local.copy())
        return original(self, row, extra, name, bond)

    monkeypatch.setattr(full.Arrays, "times", twice)
    run = dense("tanh", "squared_error", False)
    meter, _ = metered_gradients(run, "full, reverse")
    assert meter.peak_bytes > card(run)["full, reverse"].peak_bytes


def test_views_of_one_array_are_counted_once_and_followed_to_the_owner():
    with metered() as meter:
        owner = np.zeros((5, 3))
        view = built("view", owner.T[1:])
        built("another view", owner[0])
        assert (meter.alive_bytes, meter.largest) == (120, ("view", (2, 5)))
        del owner
        assert meter.alive_bytes == 120
        del view
        assert meter.alive_bytes == 0
        built("later", np.zeros(2))
    assert (meter.peak_bytes, meter.alive_bytes) == (120, 0)


def test_outside_the_block_nothing_is_followed_and_blocks_nest():
    with metered() as outer:
        first = built("first", np.zeros(3))
        with metered() as inner:
            second = built("second", np.zeros(5))
        third = built("third", np.zeros(7))
    built("fourth", np.zeros(11))
    assert (outer.peak_bytes, inner.peak_bytes) == (80, 40)
    assert first.size + second.size + third.size == 15


def owner_of(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def held_by_the_replay(run):
    """The most bytes that the structured route holds beside the values: every array followed."""
    state = run.forward_pass
    run.gradients("structured")
    (sweep,) = records(state.program).values()
    state.forget()
    meter, before = Meter(), {id(owner_of(value)) for value in state.values.values()}

    def shown(array):
        if id(owner_of(array)) not in before:
            meter.show("", array)
        return array

    arrays = list(map(shown, sweep.arrays(state)))
    for factor in dense_factors(e for step in sweep.steps for e in state.raw(step).values()):
        if factor.magnitude is not None:
            shown(factor.magnitude)
    calls = [replace(c, function=lambda *a, f=c.function: shown(f(*a))) for c in sweep.tape.calls]
    results = replace(sweep.tape, calls=calls).replay(arrays)
    assert len(results) == len(run.params)
    return meter.peak_bytes


PLAIN = ("one example", "one, three layers", "batch", "batch, three layers", "float32", "residual",
         "skip and softmax")  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_the_predicted_bytes_of_structured_are_those_that_its_replay_holds(name):
    run = RUNS[name]()
    assert card(run)["structured"].peak_bytes == held_by_the_replay(run)


@pytest.mark.parametrize("name", ["softmax inside", "softmax twice", "residual, batch"])
def test_several_terms_take_scratch_that_is_not_counted(name):
    run = RUNS[name]()
    predicted = card(run)["structured"].peak_bytes
    largest = max(run[value].nbytes for value in run)
    assert predicted < held_by_the_replay(run) <= predicted + 2 * largest


def test_a_gradient_that_is_copied_at_the_end_is_found(monkeypatch):
    """Planted: each is counted as an array beside the one that the sweep summed."""
    right = cotangents._hand_out

    def copied(tally, nodes, places):
        right(tally, nodes, [place for place, node in enumerate(nodes) if node.name in run.params])

    run = RUNS["batch"]()
    monkeypatch.setattr(cotangents, "_hand_out", copied)
    assert card(run)["structured"].peak_bytes > held_by_the_replay(run)


# ---------------------------------------------------------------- multiplications


def triples(left, right, bond):
    """How many (out, bond, wrt) have left[out,bond] and right[bond,wrt] both possible: by loops."""
    size = int(np.prod(bond))
    flat_left, flat_right = left.reshape(-1, size), right.reshape(size, -1)
    pairs = flat_left.astype(int).T[:, :, None] * flat_right.astype(int)[:, None, :]
    product = (flat_left.astype(int) @ flat_right.astype(int)) > 0
    shape = (*left.shape[: left.ndim - len(bond)], *right.shape[len(bond) :])
    return int(pairs.sum()), pairs.size, product.reshape(shape)


def local_mask(part, link):
    """The mask of one local Jacobian, by Jacobian.can_be_nonzero."""
    of, wrt = part.nodes[link.target], part.nodes[link.source]
    out = tuple(map(Axis, link.out, of.shape))
    by = tuple(map(Axis, link.wrt, wrt.shape))
    return Jacobian.local(of.name, wrt.name, out, by, link.expression).can_be_nonzero()


def swept_by_force(part, kept):
    """Dense and non-zero products of one sweep over boolean masks, and the masks at the end."""
    dense_count = nonzero = 0
    found = {}
    for link in part.links:
        mask = local_mask(part, link)
        if link.target:
            bond = part.nodes[link.target].shape
            possible, every, mask = triples(found[link.target], mask, bond)
            dense_count, nonzero = dense_count + every, nonzero + possible
        found[link.source] = found.get(link.source, False) | mask
    return dense_count, nonzero, [found[place] for place in kept if place in found]


def contracted_by_force(jacobian, order):
    parts = segments(jacobian)
    if not parts:
        return 0, 0
    swept = [swept_by_force(part, [len(part.nodes) - 1]) for part in parts]
    dense_count, nonzero = sum(s[0] for s in swept), sum(s[1] for s in swept)
    operands, sizes = operands_of(parts)
    masks = {place: s[2][0] for place, s in enumerate(swept)}
    for left, right, result in pairs_of(operands, sizes, order):
        bond = [sizes[axis] for axis in left.axes if axis in right.axes]
        found = triples(masks.pop(left.place), masks.pop(right.place), bond)
        masks[result.place] = found[2]
        dense_count, nonzero = dense_count + found[1], nonzero + found[0]
    return dense_count, nonzero


class Part:
    """The whole graph of a run, as one part."""

    def __init__(self, state: Pass) -> None:
        names, steps = state.dependents(state.program.params, state.cost)
        self.nodes, self.links = [state.node(n) for n in names], state.links(names, steps)


@pytest.mark.one_in(5)
@every_run
@every_order
def test_multiplications_are_those_counted_over_boolean_masks(make, route):
    run = make()
    if route == "full, reverse":
        by_force = swept_by_force(Part(run.forward_pass), [])[:2]
    else:
        each = [contracted_by_force(run.jacobian("J", n), ORDER_OF[route]) for n in run.params]
        by_force = sum(e[0] for e in each), sum(e[1] for e in each)
    cost = card(run)[route]
    assert (cost.multiplications, cost.nonzero_multiplications) == by_force
    assert cost.nonzero_multiplications < cost.multiplications


@every_run
def test_the_dense_count_is_that_of_the_plan(make):
    run = make()
    for route in ("full, forward", "full, planned"):
        chains = [run.chain(name, ORDER_OF[route]) for name in run.params]
        assert card(run)[route].multiplications == sum(c.multiplications for c in chains)


def test_a_count_by_hand():
    """2-3-2: row times matrix, J and a2 first; a diagonal and an identity have zeros."""
    cost = card(dense("tanh", "half_squared_error", False, sizes=(2, 3, 2)))["full, reverse"]
    #       a2/z2  z2/a1  z2/W2      z2/b2  a1/z1  z1/W1      z1/b1
    every = 2 * 2, 2 * 3, 2 * 2 * 3, 2 * 2, 3 * 3, 3 * 3 * 2, 3 * 3
    some = 2, 2 * 3, 2 * 3, 2, 3, 3 * 2, 3
    assert (cost.multiplications, cost.nonzero_multiplications) == (sum(every), sum(some))


# ---------------------------------------------------------------- the card


def test_the_card_has_every_route_and_a_pass_will_do():
    run = dense("tanh", "squared_error", True)
    assert tuple(cost.route for cost in cost_card(run)) == ROUTES
    assert cost_card(run.forward_pass) == cost_card(run)
    assert cost_card(run, ["vjp"]) == (cost_card(run)[-1],)


def test_tensors_that_could_never_be_built_are_counted():
    size, count = 1024, 64
    net = Network.dense([size, size, size], "tanh", "half_squared_error", seed=0)
    costs = card(net.run(np.ones((count, size)), np.zeros((count, size))))
    shape = (count, size, size, size)
    assert costs["full, reverse"].largest == ("∂z2/∂W2", shape)
    assert costs["full, reverse"].largest_bytes == 8 * count * size**3
    assert costs["full, forward"].multiplications > 2**53
    assert costs["vjp"].largest == ("∂J/∂W2", (size, size))
    assert costs["vjp"].multiplications == 3 * count * size**2 + 3 * count * size


def test_float32_takes_half_the_bytes_and_as_many_multiplications():
    for wide, narrow in zip(
        cost_card(dense("tanh", "bce", True)),
        cost_card(dense("tanh", "bce", True, np.float32)),
        strict=True,
    ):
        assert wide.peak_bytes == 2 * narrow.peak_bytes
        assert wide.multiplications == narrow.multiplications


def test_no_parameter_is_asked_for_nothing_is_built():
    draw = drawing()
    run = Network.program("J = HalfSquaredError(x, y)").run(draw(3), draw(3))
    for cost in cost_card(run, ROUTES[:-1]):
        assert (cost.multiplications, cost.peak_bytes, cost.largest) == (0, 0, ("nothing", ()))


def test_what_is_no_scalar_and_what_is_no_route_is_refused():
    draw = drawing()
    run = Network.program("z = Linear(x, W, b)", params={"W": draw(3, 5), "b": draw(3)})
    message = refusal(AxisError, cost_card, run.run(draw(5)))
    assert message.startswith("z is not a scalar: it has shape (3,).\n  End the program")
    assert refusal(JacobianError, cost_card, unread(), ["full, planed"]) == (
        "route 'full, planed' is unknown. Did you mean full, planned?\n"
        "  Write one of full, reverse; full, forward; full, planned; structured; vjp."
    )
