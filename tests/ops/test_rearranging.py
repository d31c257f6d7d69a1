"""Ops that move, choose and add up entries: against numpy, unit vector by unit vector."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import AxisError, DomainError, Network, check_op, ops

CASES = [  # an op, its inputs' shapes, numpy's own words for it, and the printed Jacobians
    (ops.Slice(1, None), {"x": (7,)}, lambda x: x[..., 1:], ["δ[i',o+1]"]),
    (ops.Slice(None, -2, 2), {"x": (7,)}, lambda x: x[..., :-2:2], ["δ[i',2o]"]),
    (ops.Slice(step=-1), {"x": (5,)}, lambda x: x[..., ::-1], ["δ[i',−o+4]"]),
    (ops.Slice(-2, 0, -2), {"x": (7,)}, lambda x: x[..., -2:0:-2], ["δ[i',−2o+5]"]),
    (ops.Slice(-5, 3), {"x": (7,)}, lambda x: x[..., -5:3], ["δ[i',o+2]"]),
    (ops.Flip(), {"x": (5,)}, lambda x: np.flip(x, -1), ["δ[i',−o+4]"]),
    (
        ops.Pad(2, 1),
        {"x": (5,)},
        lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(2, 1)]),
        ["δ[i',o−2]"],
    ),
    (
        ops.Concat(),
        {"a": (3,), "b": (5,)},
        lambda a, b: np.concatenate([a, b], -1),
        ["δ[o,i']", "δ[o,j'+3]"],
    ),
    (
        ops.Concat(3),
        {"a1": (3,), "a2": (5,), "a3": (2,)},
        lambda *terms: np.concatenate(terms, -1),
        ["δ[o,i1']", "δ[o,i2'+3]", "δ[o,i3'+8]"],
    ),
    (
        ops.Transpose("i,j,k -> k,i,j"),
        {"x": (2, 3, 5)},
        lambda x: np.moveaxis(x, -1, -3),
        ["δ[k,k'] δ[i,i'] δ[j,j']"],
    ),
    (ops.CumSum(), {"x": (5,)}, lambda x: x.cumsum(axis=-1), ["[i'≤o]"]),
    (
        ops.Vec(),
        {"X": (3, 5)},
        lambda X: np.stack([X[..., o % 3, o // 3] for o in range(15)], -1),
        ["δ[o,3j'+i']"],
    ),
    (ops.Diag(), {"x": (5,)}, lambda x: x[..., None] * np.eye(5), ["δ[k,k'] δ[j,k']"]),
    (ops.Part("1"), {"X": (5,)}, lambda X: X[..., 1], ["δ[i',1]"]),
    (ops.Part("1,2:5"), {"X": (3, 7)}, lambda X: X[..., 1, 2:5], ["δ[i',1] δ[j',p+2]"]),
    (ops.Part(":, 3"), {"X": (2, 5)}, lambda X: X[..., 3], ["δ[i,i'] δ[j',3]"]),
    (ops.Part("-1,1:-2"), {"X": (3, 7)}, lambda X: X[..., -1, 1:-2], ["δ[i',2] δ[j',p+1]"]),
    (ops.Part(":2,3:"), {"X": (3, 5)}, lambda X: X[..., :2, 3:], ["δ[i',o] δ[j',p+3]"]),
    (ops.Part("-3:-1"), {"X": (5,)}, lambda X: X[..., -3:-1], ["δ[i',o+2]"]),
    (ops.Part("-2:"), {"X": (5,)}, lambda X: X[..., -2:], ["δ[i',o+3]"]),
    (ops.Part("::2"), {"X": (5,)}, lambda X: X[..., ::2], ["δ[i',2o]"]),
    (ops.Part("1:6:3,-2"), {"X": (7, 3)}, lambda X: X[..., 1:6:3, -2], ["δ[i',3o+1] δ[j',1]"]),
    (
        ops.Part("::-1,1:-1:2"),
        {"X": (3, 7)},
        lambda X: X[..., ::-1, 1:-1:2],
        ["δ[i',−o+2] δ[j',2p+1]"],
    ),
    (ops.Part("::-3"), {"X": (7,)}, lambda X: X[..., ::-3], ["δ[i',−3o+6]"]),
]
every_case = pytest.mark.parametrize(
    ("op", "shapes", "function", "printed"), CASES, ids=[repr(case[0]) for case in CASES]
)


def drawn(shapes, lead=()):
    rng = np.random.default_rng(13)
    return {name: rng.normal(size=(*lead, *shape)) for name, shape in shapes.items()}


def by_units(function, inputs, name):
    """The Jacobian of a linear function: its value at each unit vector, the rest 0."""
    zeros = {key: np.zeros_like(value) for key, value in inputs.items()}
    columns = []
    for index in np.ndindex(inputs[name].shape):
        unit = zeros[name].copy()
        unit[index] = 1
        columns.append(function(*{**zeros, name: unit}.values()))
    return np.stack(columns, -1).reshape(*columns[0].shape, *inputs[name].shape)


@every_case
def test_value_jacobian_and_vjp_are_those_of_numpy(op, shapes, function, printed):
    inputs = drawn(shapes)
    values = list(inputs.values())
    agree(op.forward(*values), function(*values))
    run = Network.program(
        f"y = Step({', '.join(shapes)})",
        f'J = Einsum("{"".join(op.parsed.output.axes)}->", y)'.replace("i1", "i"),
        ops={"Step": op},
    ).run(**inputs)
    for name, formula in zip(shapes, printed, strict=True):
        expected = by_units(function, inputs, name)
        agree(dense_jacobian(op, name, values), expected)
        agree(swept_vjp(op, name, values), expected)
        jacobian = run.jacobian("y", name)
        assert jacobian.structural_nonzeros == (expected != 0).sum()
        assert jacobian.formula == formula


@pytest.mark.one_in(3)
@every_case
def test_examples_keep_apart(op, shapes, function, printed):
    inputs = drawn(shapes, (2,))
    assert check_op(op, inputs).ok
    agree(op.forward(*inputs.values()), function(*inputs.values()))


def test_a_running_sum_has_a_triangle_of_ones():
    run = Network.program("y = CumSum(x)", 'J = Einsum("o->", y)').run(x=drawn({"x": (10,)})["x"])
    assert run.jacobian("y", "x").structural_nonzeros == 55


def test_an_embedding_adds_up_what_comes_back_to_a_row():
    E = drawn({"E": (5, 3)})["E"]
    for u in (2, np.array([2, 0, 2]), np.array([4, 1])):
        report = check_op(ops.Embedding(), {"u": u, "E": E})
        assert report.ok, str(report)
    pulled = ops.Embedding().vjp(np.ones((3, 3)), np.array([2, 0, 2]), E)["E"]
    assert pulled[:, 0].tolist() == [1, 0, 2, 0, 0]
    net = Network.program("e = Embedding(u, E)", 'J = Einsum("d->", e)', params={"E": E})
    run = net.run(u=[2, 0, 2])
    assert run.jacobian("e", "E").formula == "δ[v',u[n]] δ[d,d']"
    assert run.jacobian("e", "E").structural_nonzeros == 9


def test_overwriting_a_row_would_be_found():
    class Overwrites(ops.Embedding):
        def vjp(self, e_bar, u, E):
            E_bar = np.zeros_like(E)
            E_bar[u] = e_bar
            return {"E": E_bar}

    E = drawn({"E": (5, 3)})["E"]
    values = (np.array([2, 0, 2]), E)
    right = ops.Embedding().vjp(np.ones((3, 3)), *values)["E"]
    assert not np.array_equal(Overwrites().vjp(np.ones((3, 3)), *values)["E"], right)
    assert not check_op(Overwrites, {"u": values[0], "E": E}).ok


@pytest.mark.parametrize("u", [[1, 1, 4], [0], [4, 3, 2, 1, 0, 0, 0]])
def test_a_gather_reads_an_entry_as_often_as_it_is_asked_for(u):
    x, u = drawn({"x": (5,)})["x"], np.array(u)
    expected = by_units(lambda x: x[u], {"x": x}, "x")
    agree(dense_jacobian(ops.Gather(), "x", [x, u]), expected)
    agree(swept_vjp(ops.Gather(), "x", [x, u]), expected)
    assert check_op(ops.Gather(), {"x": np.stack([x, 2 * x]), "u": np.stack([u, u[::-1]])}).ok


def test_a_sort_passes_on_by_the_order_of_the_values():
    x = np.array([0.5, -1.0, 3.0, 0.0, 2.0])
    order = np.argsort(x)
    expected = (np.arange(5) == order[:, None]).astype(float)
    agree(dense_jacobian(ops.Sort(), "x", [x]), expected)
    agree(swept_vjp(ops.Sort(), "x", [x]), expected)
    assert check_op(ops.Sort(), drawn({"x": (5,)}, (3,))).ok
    tied = np.array([[3.0, 1.0, 3.0], [2.0, 5.0, 0.0], [4.0, 4.0, 7.0]])
    assert ops.Sort().branch(tied).tolist() == [[2, 0, 0], [3, 1, 2], [0, 0, 3]]
    run = Network.program("y = Sort(x)", 'J = Einsum("o->", y)').run(x=[1.0, 3.0, 1.0])
    assert run.jacobian("y", "x").materialise().argmax(axis=1).tolist() == [0, 2, 1]
    kinks = [line.strip() for line in run.check().lines() if "kink: y" in line]
    words = "two entries are equal; they keep their order"
    assert kinks[:2] == [f"kink: y[0]: {words}", f"kink: y[1]: {words}"]


@pytest.mark.parametrize(
    ("error", "make", "message"),
    [
        (
            DomainError,
            lambda: ops.Slice(step=0),
            "Slice(step) is 0.\n  Write a whole number other than 0.",
        ),
        (
            DomainError,
            lambda: ops.Slice(1.5),
            "Slice(start) is 1.5.\n  Write a whole number, or None.",
        ),
        (
            AxisError,
            lambda: ops.Transpose("i,j"),
            "Transpose('i,j') is no order of axes.\n"
            '  Write each axis once on both sides, such as "i,j -> j,i".',
        ),
        (
            AxisError,
            lambda: ops.Transpose("i,j -> j,k"),
            "Transpose('i,j -> j,k') is no order of axes.\n"
            '  Write each axis once on both sides, such as "i,j -> j,i".',
        ),
        (
            DomainError,
            lambda: ops.Pad(-1),
            "Pad(before) is -1.\n  Write a whole number from 0 on.",
        ),
        (
            DomainError,
            lambda: check_op(ops.Slice(0, 9), drawn({"x": (5,)})),
            "Slice(stop) is 9; x has the places 0 to 4 there.\n"
            "  Write one from -5 to 5, or None for the end.",
        ),
        (
            DomainError,
            lambda: check_op(ops.Embedding(), {"u": np.array([1, 7]), "E": np.ones((5, 3))}),
            "Embedding 'e': u[1] is 7, and axis v has the positions 0 to 4.\n"
            "  E[v,d] has shape (5, 3), so v = 5\n"
            "  Count positions from 0 and below 5, or give the axis more entries.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(error, make, message):
    assert refusal(error, make) == message


def test_a_kronecker_product_of_data_and_a_parameter_is_carried():
    rng = np.random.default_rng(17)
    A, B = rng.normal(size=(7, 2, 3)), rng.normal(size=(3, 2))
    for given in ({"A": A, "B": B}, {"A": B, "B": A}, {"A": A[0], "B": B}):
        assert check_op(ops.Kron(), given).ok
    assert np.array_equal(ops.Kron().forward(A[4], B), np.kron(A[4], B))
    run = Network.program("Y = Kron(A, B)", params={"A": A[0], "B": B}).run()
    assert run.jacobian("Y", "A").formula == "Σ_k Σ_l δ[o,3i'+k] δ[p,2j'+l] B[k,l]"
    assert run.jacobian("Y", "B").formula == "Σ_i Σ_j δ[o,3i+k'] δ[p,2j+l'] A[i,j]"


@pytest.mark.parametrize("op", [ops.Kron, ops.Vec, ops.Diag, lambda: ops.Part("0,1:3")])
def test_a_pull_that_is_turned_round_is_told(op):
    made = op()
    shapes = [(2, 3) if len(read.axes) == 2 else (3,) for read in made.parsed.inputs]
    given = {
        read.name: np.random.default_rng(3).normal(size=shape)
        for read, shape in zip(made.parsed.inputs, shapes, strict=True)
    }
    assert check_op(made, given).ok
    right = made.vjp
    made.vjp = lambda bar, *arrays: {n: a[::-1] for n, a in right(bar, *arrays).items()}
    assert not check_op(made, given).ok


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ("", "Part('') names no places."),
        ("0,,1", "Part('0,,1') names no places."),
        ("0,1,2,3,4", "Part('0,1,2,3,4') names no places."),
        ("3:3", "Part: the range 3:3 has no entries, or not in every array."),
        ("-2:1", "Part: the range -2:1 has no entries, or not in every array."),
        ("-1:-2", "Part: the range -1:-2 has no entries, or not in every array."),
        ("3-4", "Part('3-4') names no places."),
        ("0:2:2:2", "Part('0:2:2:2') names no places."),
        ("0:2:0", "Part: the range 0:2:0 takes no steps."),
        ("3:1:-1", "Part: the range 3:1:-1 goes backwards from a place."),
        ("3::-1", "Part: the range 3::-1 goes backwards from a place."),
    ],
)
def test_places_that_cannot_be_read_are_refused(places, said):
    with pytest.raises(AxisError) as caught:
        ops.Part(places)
    assert str(caught.value).startswith(said)


def test_a_place_beyond_the_axis_is_named():
    for places, place in [("0,2:5", 4), ("0,-4", -4), ("-1,-4:-1", -4)]:
        with pytest.raises(DomainError) as caught:
            check_op(ops.Part(places), {"X": np.ones((2, 3))})
        assert str(caught.value) == (
            f"Part('{places}') reads place {place} along j; X has 3 there.\n"
            "  Write places from -3 to 2."
        )
