"""Every op has a small example, and what `jacobian-bp ops` prints of it is so."""

import numpy as np
import pytest

from jacobian_bp import Op, delta, dense, ops
from jacobian_bp.cli import main
from jacobian_bp.derivation.op_examples import PRIMES, all_ops, example_of
from jacobian_bp.derivation.op_pages import op_page, op_table
from jacobian_bp.program.program_text import OPS, read_program

CLASSES = [cls for classes in all_ops().values() for cls in classes]
by_op = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def swept(entry):
    """∂output/∂input by the op's other rule, its VJP, row by row."""
    values = entry.state.inputs_of(entry.step)
    out = entry.state.values[entry.step.name]
    found = {name: np.zeros((*out.shape, *v.shape)) for name, v in zip_names(entry, values)}
    for index in np.ndindex(out.shape):
        bar = np.zeros(out.shape)
        bar[index] = 1
        for name, row in entry.step.op.vjp(bar, *values).items():
            found[name][index] = row
    return found


def zip_names(entry, values):
    return zip(entry.step.called, values, strict=True)


def counts(op_class):
    """(named on the page, in the array, in the sweep): entries that can be other than zero."""
    entry = example_of(op_class)
    by_vjp = swept(entry)
    found = []
    for jacobian, _ in entry.jacobians:
        array = jacobian.materialise()
        assert array.shape == by_vjp[jacobian.wrt].shape
        found.append((jacobian, array, by_vjp[jacobian.wrt]))
    return found


def test_every_op_that_a_program_may_name_is_in_the_table():
    assert {cls.__name__: cls for cls in CLASSES} == OPS
    assert {"Conv2d", "Einsum", "LayerNorm", "Softmax", "Mean"} <= OPS.keys()


@by_op
def test_the_axes_of_an_example_have_sizes_of_their_own(cls):
    entry = example_of(cls)
    given = {o.axes: o for o in entry.op.parsed.inputs}
    read = {axis for axes in given for axis in axes}
    fixed = entry.op.example_sizes  # gates: a multiple of the units
    sizes = {a: size for a, size in entry.sizes.items() if a in read and a not in fixed}
    assert set(sizes.values()) <= set(PRIMES)
    assert len(set(sizes.values())) == len(sizes)


@pytest.mark.one_in(5)
@by_op
def test_the_jacobians_of_the_table_are_those_of_the_other_rule(cls):
    for jacobian, array, by_vjp in counts(cls):
        scale = np.abs(array).max()
        assert np.abs(array - by_vjp).max() <= 64 * np.finfo(float).eps * scale, jacobian.name
        assert np.count_nonzero(by_vjp) <= jacobian.structural_nonzeros, jacobian.name


def test_a_wrong_rule_would_be_seen():
    class Wrong(ops.Multiply):
        def vjp(self, c_bar, a, b):
            return {"a": c_bar * a, "b": c_bar * a}

    (_, array, by_vjp), _ = counts(Wrong)
    assert np.abs(array - by_vjp).max() > 0.01


@by_op
def test_the_step_of_an_example_reads_as_a_line_of_a_program(cls):
    entry = example_of(cls)
    (step,) = read_program([str(entry.step)], {})
    assert (type(step.op), step.args) == (cls, entry.step.args)
    assert step.op.parsed == entry.op.parsed


@by_op
def test_every_jacobian_has_a_reason_and_every_op_its_equation(cls):
    entry = example_of(cls)
    assert entry.summary.endswith(".")
    assert entry.equations or "∂" in entry.summary
    assert all(reason for _, reason in entry.jacobians)


@pytest.mark.one_in(5)
@by_op
def test_no_line_is_wider_than_the_page_and_two_calls_give_the_same(cls):
    lines = op_page(cls.__name__.upper())
    assert lines == op_page(cls.__name__)
    assert [line for line in lines if len(line) > 99] == []


def test_kinks_are_told_where_there_are_some():
    told = {cls.__name__: example_of(cls).kinks for cls in CLASSES}
    assert told["ReLU"] == "where an entry of z is 0; at_zero is the slope there"
    assert told["MaxPool1d"] == "two entries of its window are the largest; the first is taken"
    assert told["ELU"] == told["Huber"] == told["Linear"] == ""


def test_an_op_of_ones_own_has_a_page_too():
    class Scale(Op):
        """Each entry times one number.

            z[k] = s a[k]

        One s for all entries.
        """

        signature = "a[k], s[] -> z[k]"
        parameters = ("s",)
        reasons = {"a": "entry k reads entry k only", "s": "one s for all entries"}

        def forward(self, a, s):
            return s * a

        def jacobians(self, a, s):
            return {"a": delta("k,k'") * dense("s", s), "s": dense("a[k]", a)}

        def vjp(self, z_bar, a, s):
            return {"a": s * z_bar, "s": (z_bar * a).sum()}

    entry = example_of(Scale)
    assert [str(j.statement) for j, _ in entry.jacobians] == [
        "∂z/∂a[k,k'] = δ[k,k'] s",
        "∂z/∂s[k] = a[k]",
    ]
    assert entry.equations == ["z[k] = s a[k]"]


def test_the_page_of_one_op_in_whole(capsys):
    assert main(["ops", "cumsum"]) == 0
    assert (
        capsys.readouterr().out
        == """\
CumSum: The running sum along the last axis.

      y[o] = Σ_i≤o x[i]
      ∂y/∂x = [i'≤o]

  Entry o reads what stands at o and before: a triangle of ones. What comes back is the running
  sum from the other end.

signature  x[i] -> y[o]; o = i
options    none
kinks      none
example    y = CumSum(x), with i = 3, o = 3

∂y/∂x[o,i'] = [i'≤o]
  because entry o adds up what stands at o and before
  shape (3, 3): lower triangle; 6 of 9 entries can be non-zero
"""
    )


def test_the_table_says_of_each_op_what_its_page_says():
    text = "\n".join(op_table(300))
    for cls in CLASSES:
        entry = example_of(cls)
        assert f"\n{entry.name}: {entry.summary}\n" in f"\n{text}\n"
        assert all(jacobian.formula in text for jacobian, _ in entry.jacobians)
        assert all(reason in text for _, reason in entry.jacobians)


@pytest.mark.parametrize(
    ("typed", "meant"), [("sine", "Sin"), ("sinus", "Sin"), ("cosine", "Cos"), ("tahn", "Tanh")]
)
def test_the_nearest_name_has_the_same_letters_in_whatever_case(typed, meant, capsys):
    assert main(["ops", typed]) == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_an_unknown_name_gets_the_nearest(capsys):
    assert main(["ops", "Con1d"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "jacobian-bp: SpecError: no op is named Con1d. Did you mean Conv1d?\n"
        f"  The ops are {', '.join(sorted(OPS))}.\n"
    )


@pytest.mark.parametrize("columns", ["40", "72"])
def test_a_narrow_terminal_gets_every_word(capsys, monkeypatch, columns):
    monkeypatch.setattr("jacobian_bp.writing.terminal.is_watched", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["ops"]) == 0
    lines = capsys.readouterr().out.splitlines()
    words = {word for line in op_table() for word in line.split()}
    assert words - {"because"} <= {word for line in lines for word in line.split()}
