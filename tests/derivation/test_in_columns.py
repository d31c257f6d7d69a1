"""Every op with its examples in columns: the same Jacobian, the axis n of each array the last."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import Convention, Network, SpecError, ops
from jacobian_bp.derivation.op_examples import all_ops, example_of
from jacobian_bp.derivation.written_in import written_in
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.making_ops import make_op
from jacobian_bp.program.program import Program
from jacobian_bp.program.step import Step
from jacobian_bp.routes.vjp import local_vjp

RNG = np.random.default_rng(31)
COLUMNS = Convention("columns")
GIVEN = [
    *(make_op(cls, "op", (), cls.example) for found in all_ops().values() for cls in found),
    ops.Linear().reading(2),
    ops.Conv1d(stride=2, padding=1, dilation=2).reading(2),
    ops.Softmax().reading(2),
    ops.LogSoftmax().reading(2),
    ops.GRUCell().reading(5),
    ops.BatchNorm(training=False),
    ops.GroupNorm(3, axes="k"),
]
OF_EXAMPLES = [op for op in GIVEN if not isinstance(op, ops.Penalty)]


def batch_of(op):
    """A pass of one step over some examples; what all of them share is there once."""
    entry = example_of(op)
    arrays = dict(zip(entry.step.args, entry.state.inputs_of(entry.step), strict=True))
    sizes = {size for value in entry.state.values.values() for size in value.shape}
    count = next(n for n in range(2, 50) if n not in sizes)  # as many as no other axis has
    shared = {"mean", "var", *op.parameters, *op.parsed.indices}
    if not op.parsed.mixes_examples:
        for name in arrays.keys() - shared:
            many = [arrays[name] * RNG.uniform(0.8, 1.1) for _ in range(count)]
            arrays[name] = np.stack(
                [arrays[name]] * count if name in (*op.labels, "m", "p") else many
            )
    return run_forward(Program.build([Step("out", op, tuple(arrays))], []), {}, arrays, None, "it")


def turned(state, array, names):
    """An array of these values with the examples of each value behind its other axes."""
    places, start = [], 0
    for name in names:
        axes = [axis.name for axis in state.axes(name)]
        order = sorted(range(len(axes)), key=lambda place: axes[place] == "n")
        places += [start + place for place in order]
        start += len(axes)
    return array.transpose(places)


@pytest.mark.one_in(10)
@pytest.mark.parametrize("op", OF_EXAMPLES, ids=repr)
def test_an_op_in_columns_has_the_jacobians_and_cotangents_of_rows(op):
    rows = batch_of(op)
    columns = written_in(rows, COLUMNS)
    (step,), (own,) = rows.program.steps, columns.program.steps
    bar = RNG.normal(size=rows.values["out"].shape)
    pulled = dict(local_vjp(rows, step, bar, set(rows.values)))
    back = dict(local_vjp(columns, own, turned(rows, bar, ["out"]), set(rows.values)))
    assert dict(back).keys() == pulled.keys()
    for name, array in pulled.items():
        np.testing.assert_array_equal(dict(back)[name], turned(rows, array, [name]))
        first, second = (state.jacobian("out", name) for state in (rows, columns))
        whole = turned(rows, first.materialise(), ["out", name])
        np.testing.assert_array_equal(second.materialise(), whole)
        assert second.structural_nonzeros == first.structural_nonzeros


def test_examples_under_another_name_are_no_columns():
    net = Network.program(
        "a = BatchNorm(x, g, b)",
        "J = Einsum(a, y, 'ik,ik->')",
        params={"g": RNG.random(3), "b": RNG.random(3)},
    )
    run = net.run(RNG.random((5, 3)), RNG.random((5, 3)))
    assert refusal(SpecError, run.derivation, COLUMNS) == (
        "examples in columns cannot be said of J = Einsum(a, y, 'ik,ik->'): it reads a[n,k] as "
        "a[i,k], the examples under another name.\n"
        '  Write a convention with examples="rows".'
    )
    assert run.derivation(Convention("rows", mean="gradient"))


T, F, H = 5, 3, 7
TAGGER = {"W": RNG.normal(size=(H, F)), "b": RNG.normal(size=H), "P": RNG.normal(size=(T, H))}


def tagger(names, shape):
    lines = ["z = Linear(x, W, b)", "a = Tanh(z)"]
    lines += ["s = Add(a, P)"] if names[-1] == "t" else []
    lines += ["g = BatchNorm(s, b, b)"] if "P)" in lines[-1] else ["g = GroupNorm(a, b, b, 7)"]
    lines += ["L = SquaredError(g, y)", "J = Mean(L, over='n,t')"]
    params = TAGGER if names[-1] == "t" else {n: TAGGER[n] for n in "Wb"}
    net = Network.program(*lines, params=params)
    x, y = RNG.normal(size=(*shape, F)), RNG.normal(size=(*shape, H))
    return net.run(x, y, axes={"x": ",".join(names)})


@pytest.mark.parametrize(("names", "shape"), [("nt", (2, T)), ("tn", (T, 2))])
def test_examples_stand_behind_tokens_and_units_in_columns(names, shape):
    """Whichever axis came first: z[n,t,k] and z[t,n,k] both are z[t,k,n]."""
    run = tagger(names, shape)
    own = run.written_in(COLUMNS)
    place = names.index("n")
    for name in ("z", "a", "g"):
        np.testing.assert_array_equal(own[name], np.moveaxis(run[name], place, -1))
    assert own.check().ok, str(own.check())
    assert own.jacobian("z", "x").formula == "δ[t,t'] δ[n,n'] W[k,i']"
    assert own.jacobian("z", "W").formula == "δ[k,k'] x[t,i',n]"
    for name, gradient in run.gradients().items():
        np.testing.assert_allclose(own.gradients()[name], gradient, 1e-11, 1e-13)
    bar = RNG.normal(size=run["a"].shape)
    moved = own.vjp("a", "x", np.moveaxis(bar, place, -1))
    np.testing.assert_array_equal(moved, np.moveaxis(run.vjp("a", "x", bar), place, -1))


def test_a_page_of_tokens_in_columns_says_where_the_examples_stand():
    page = tagger("nt", (2, T)).derivation(COLUMNS).text()
    assert f"axes in front: t = {T}, examples in the last: n = 2; a formula leaves out" in page
    assert "textbook: examples as columns" in page
    assert " = Σ_t Σ_n ∂J/∂z[t,k',n] x[t,i',n]" in page
    assert page.endswith("all routes agree")
