"""Numbers of Jacobians on the page: all of those that courses draw up, and in columns."""

import re

import numpy as np
import pytest
from network_cases import data, network
from printed_arrays import read_back

from jacobian_bp import LAYOUTS, Network, memory_limit
from jacobian_bp.derivation.jacobian_numbers import numbers
from jacobian_bp.derivation.ledger import LocalStep
from jacobian_bp.derivation.one_jacobian import document_of_jacobian, explain
from jacobian_bp.document.blocks import Formula, Table, Words
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.tables import plain_block

RNG = np.random.default_rng(20261130)
SIZES = [(4, 5), (5, 3), (8, 64), (64, 8), (64, 10), (3, 61), (61, 3), (13, 1)]
by_size = pytest.mark.parametrize("sizes", SIZES, ids=str)
CAPTION = re.compile(r"slices.*?: \[(.+?)\] is ∂.*")


def weight_jacobian(sizes, batch=None):
    net = Network.dense(list(sizes), "tanh", seed=3)
    shape = lambda size: (size,) if batch is None else (batch, size)  # noqa: E731
    run = net.run(RNG.standard_normal(shape(sizes[0])), RNG.standard_normal(shape(sizes[1])))
    return run.jacobian("z1", "W1")


@pytest.mark.one_in(5)
@by_size
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("room", [32, 52, 91])
def test_a_weight_jacobian_is_printed_in_numbers(sizes, layout, room):
    jacobian = weight_jacobian(sizes)
    lines = numbers(jacobian, layout, room)
    assert max(map(len, lines)) <= room
    value = jacobian.materialise(layout)
    if "slices" in lines[0]:
        begin = next(at for at, line in enumerate(lines) if re.match(r"\[\d", line))
        assert CAPTION.match(" ".join(" ".join(lines[:begin]).split()))[1] == "k,k',:"
        lines, value = lines[begin:], jacobian.materialise()
    np.testing.assert_allclose(read_back(lines, value.shape), value, rtol=5.1e-3)


def test_a_batch_is_printed_with_its_axes():
    jacobian = weight_jacobian((5, 3), batch=7)
    first, *lines = numbers(jacobian, "flat", 91)
    assert first == (
        "slices, too wide laid flat: [n,k,k',:] is ∂z1[n,k]/∂W1[k',:]; rows of '.' alone left out"
    )
    value = jacobian.materialise()
    np.testing.assert_allclose(read_back(lines, value.shape), value, rtol=5.1e-3)


def test_a_layout_in_which_the_tensor_stands_is_not_called_too_large():
    """A vector by a matrix of activations has the same axes in every layout but the flat ones."""
    jacobian = network("tanh").run(*data(batch=True)).jacobian("L", "a2")
    assert numbers(jacobian, "transposed", 40)[0] == "slices of the tensor: [n,n',:] is"
    assert "laid flat" in " ".join(numbers(jacobian, "flat", 40)[:2])


def test_what_is_too_long_is_told_and_printed_when_everything_is_asked_for():
    jacobian = weight_jacobian((67, 11))
    assert jacobian.structural_nonzeros > 640
    (told,) = numbers(jacobian, "flat", 91)
    value = jacobian.materialise()
    assert re.fullmatch(r"\[8,107 entries, from -\d.* to \d.*\]", told)
    lines = numbers(jacobian, "flat", 91, everything=True)
    begin = next(at for at, line in enumerate(lines) if re.match(r"\[\d", line))
    np.testing.assert_allclose(read_back(lines[begin:], value.shape), value, rtol=5.1e-3)


def test_what_the_memory_does_not_hold_is_not_built():
    jacobian = weight_jacobian((31, 29))
    with memory_limit(100_000):
        (told,) = numbers(jacobian, "flat", 91)
    assert told == "[26,071 entries, 203.7 KiB: not built, the memory limit is lower]"


# ---------------------------------------------------------------- a whole derivation


def derived(sizes, width, everything=False, **options):
    run = network("tanh", sizes=sizes).run(*data(sizes=sizes, **options))
    derivation = run.derivation()
    return derivation, derivation.text(width, everything=everything)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("sizes", [[4, 5, 3], [8, 64, 1], [64, 8, 3]], ids=str)
@pytest.mark.parametrize("width", [40, 60, 80, 99, 160])
def test_a_derivation_has_its_numbers_and_keeps_to_its_width(sizes, width):
    derivation, text = derived(sizes, width)
    assert max(map(len, text.splitlines())) <= width
    assert " entries, from " not in text
    assert "shape (" not in text
    assert "not built" not in text
    numbered = re.findall(r"^\[(\d+)\]", text, re.MULTILINE)
    steps = [step for step in derivation.backward if isinstance(step, LocalStep)]
    assert numbered == [str(step.number) for step in steps]


@pytest.mark.parametrize("width", [40, 60, 70])
def test_matrices_stand_in_columns_at_every_width(width):
    net = Network.dense([3, 4, 2, 1], ["relu", "relu", "sigmoid"], "bce", seed=5)
    text = net.run(RNG.standard_normal(3), [1.0]).derivation().text(width)
    first, *others = plain_block(net.params["W1"], None, width - len("network   W1 = "))
    lines = text.splitlines()
    at = lines.index(f"          W1 = {first}")
    assert lines[at + 1 : at + 4] == [f"               {other}" for other in others]


@pytest.mark.parametrize(
    ("steps", "meant"),
    [
        (["z = Linear(x, W)", "a = GELU(z)", "J = SquaredError(a, y)"], ["Φ"]),
        (["z = Linear(x, W)", "a = GELU(z, approximate=True)", "J = SquaredError(a, y)"], ["u(z)"]),
        (["z = Linear(x, W)", "J = Huber(z, y, 0.7)"], ["clip: the entry, at most 0.7"]),
        (["A = Kron(W, W)", "J = Einsum(A, A, 'op,op->')"], ["⊗"]),
        (["z = Linear(x, W)", "a = Tanh(z)", "J = SquaredError(a, y)"], []),
    ],
)
def test_a_sign_that_an_op_brings_along_is_explained_where_it_is_met(steps, meant):
    net = Network.program(*steps, params={"W": RNG.standard_normal((2, 3))})
    given = () if "⊗" in meant else (np.ones(3), np.zeros(2))
    text = net.run(*given).derivation().text(99)
    legend = " ".join(text.partition("\nsigns")[2].partition("\nstep")[0].split())
    for sign in ("Φ", "u(z)", "clip: the entry, at most 0.7", "⊗"):
        assert (sign in legend) is (sign in meant)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("width", [60, 80, 99])
def test_no_sign_is_explained_that_is_not_used_and_none_is_left_out(width):
    _, text = derived([4, 5, 3], width)
    legend, steps = text.partition("\nsigns")[2].split("\nstep")
    legend = " ".join(legend.split())
    assert ("'.' is zero for every input" in legend) == bool(re.search(r"[\[ ]\.[ \]]", steps))
    assert "tanh': the slope of tanh" in legend
    assert "ᵀ: transposed" in legend
    assert "relu'" not in legend
    assert "goes on" not in legend
    folded = derived([64, 8, 3], width)[1]
    assert re.search(
        r"\[0,0,\d+:\] goes on with row \[0,0,:\] from its entry \d+", " ".join(folded.split())
    )


def test_long_arrays_are_told_and_how_they_are_printed_is_said():
    derivation, text = derived([67, 11, 3], 99)
    assert "--all, in Python text(everything=True), prints it" in " ".join(text.split())
    (step,) = [s for s in derivation.backward if isinstance(s, LocalStep) and s.name == "∂z1/∂W1"]
    whole = derivation.text(everything=True)
    assert " entries, " not in whole
    assert f"[{10},{10},0:]" in whole
    assert step.value.shape == (11, 737)


def test_a_long_value_is_found_in_the_rows_that_the_forward_pass_names():
    net = Network.dense([3, 61, 2], "tanh", "squared_error", seed=3)
    run = net.run(RNG.standard_normal(3), [0.5, 1.0])
    lines = run.derivation().text(80).splitlines()
    (said,) = [line for line in lines if "numbers are row" in line]
    assert said.split() == [
        "a1",
        "=",
        "tanh(z1)",
        "its",
        "61",
        "numbers",
        "are",
        "row",
        "[0,0,:]",
        "of",
        "[3]",
    ]
    at = next(p for p, line in enumerate(lines) if line.startswith("[3] "))
    begin = next(p for p in range(at, len(lines)) if "[0,0,0:]" in lines[p])
    end = next(p for p in range(begin, len(lines)) if "[0,0," not in lines[p])
    row = read_back([line.strip() for line in lines[begin:end]], (2, 2, 61))[0, 0]
    np.testing.assert_allclose(row, run["a1"], rtol=5.1e-3)
    whole = run.derivation().text(80, everything=True)
    assert "numbers are row" not in whole


def test_a_diagonal_stands_on_one_line_where_it_fits_and_in_rows_when_all_is_asked_for():
    run = Network.dense([3, 7, 2], ["tanh", "softmax"], "squared_error", seed=3).run(
        RNG.standard_normal(3), [0.5, 0.25]
    )
    value, derivation = run.jacobian("a1", "z1").materialise(), run.derivation()
    for width, everything, count in ((99, False, 1), (60, False, 7), (99, True, 7)):
        lines = [line.strip() for line in derivation.text(width, everything=everything).split("\n")]
        at = next(p for p, line in enumerate(lines) if "∂a1/∂z1" in line)
        begin = next(
            p for p in range(at, len(lines)) if re.match(r"diagonal|\[\s*-?[\d.]+ ", lines[p])
        )
        np.testing.assert_allclose(
            read_back(lines[begin : begin + count], value.shape), value, rtol=5.1e-3
        )
        assert lines[begin].endswith("'.' beside it") == (count == 1)
    assert derivation.text(99).count("diagonal [") == 1  # that of the softmax is none


# ---------------------------------------------------------------- one Jacobian


def test_show_prints_a_wide_layout_by_its_slices_only():
    """The word about the layout says where they are: those of the flat form stand above it."""
    lines = explain(weight_jacobian((5, 11)), "gradient")
    assert not [line for line in lines if " entries, from " in line]
    said = "  too large for the page in this layout; its slices stand"
    slices = lines.index("the slices of the tensor (11, 11, 5), one for each output:")
    assert lines.index(f"{said} below") < slices < lines.index(f"{said} above")
    assert len([line for line in lines if line.startswith(said)]) == 2


def test_each_slice_is_named_by_the_index_at_which_it_is_taken():
    steps = "z = Conv1d(x, K, b)", "f = Flatten(z)", "u = Linear(f, W)", "J = SquaredError(u, y)"
    shapes = {"K": (2, 1, 3), "b": (2,), "W": (7, 10)}
    net = Network.program(*steps, params={name: RNG.normal(size=s) for name, s in shapes.items()})
    run = net.run(RNG.normal(size=(1, 7)), RNG.normal(size=7))
    for of, wrt, head, names in (
        ("J", "K", "(2, 1, 3), one for each d of K", ["∂J/∂K[0,:,:]", "∂J/∂K[1,:,:]"]),
        ("z", "b", "(2, 5, 2), one for each d of z", ["∂z[0,:]/∂b", "∂z[1,:]/∂b"]),
        ("u", "z", "(7, 2, 5), one for each output", [f"∂u[{k}]/∂z" for k in range(7)]),
    ):
        jacobian = run.jacobian(of, wrt)
        lines = explain(jacobian)
        begin = lines.index(f"the slices of the tensor {head}:") + 1
        value = jacobian.materialise()
        rows = len(value[0]) + 1
        assert [line.strip() for line in lines[begin : begin + rows * len(value) : rows]] == names
        for place, part in enumerate(value):
            own = lines[begin + rows * place + 1 : begin + rows * (place + 1)]
            found = [
                [0 if n == "." else float(n) for n in re.findall(r"[^\s\[\]]+", r)] for r in own
            ]
            np.testing.assert_allclose(found, part, rtol=1e-5)


def test_show_prints_a_long_diagonal_and_says_what_a_folded_row_is():
    run = Network.dense([3, 61, 1], "tanh", seed=3).run(RNG.standard_normal(3), [0.5])
    lines = explain(run.jacobian("a1", "z1"))
    at = lines.index("  its diagonal, from entry [0,0] on; every entry beside it is '.'")
    rows = [line.strip() for line in lines[at + 1 :] if line.startswith("  [")]
    np.testing.assert_allclose(
        read_back(rows[:-1], (61,)), np.diag(run.jacobian("a1", "z1").materialise()), rtol=5.1e-3
    )
    start = len(rows[0].split()) - 1
    assert rows[-1] == f"[{start}:] goes on from entry {start}"


def test_show_says_what_prints_the_rest():
    jacobian = weight_jacobian((67, 11))
    told = "  8,107 entries, 63.3 KiB: too many for a page; --all prints them"
    assert told in explain(jacobian)
    whole = explain(jacobian, everything=True)
    assert told not in whole
    assert "  [10,10,60:]" in "\n".join(whole)


def test_show_advises_nothing_that_is_refused():
    jacobian = weight_jacobian((5, 7))
    with memory_limit(64):
        lines = explain(jacobian)
        everything = explain(jacobian, everything=True)
    told = "  245 entries, 1.9 KiB: not built, the memory limit is 64 bytes; the formula says each"
    assert [line for line in lines if line.startswith("  245")] == [f"{told} of them"]
    assert lines == everything


@pytest.mark.parametrize("examples", [2, 3, 11])
def test_of_a_batch_the_first_example_is_printed_where_all_are_too_many(examples):
    rng = np.random.default_rng(examples)
    net = Network.dense([61, 7], "identity", "squared_error", seed=5)
    x = rng.standard_normal((examples, 61))
    run = net.run(x, rng.standard_normal((examples, 7)))
    jacobian = run.jacobian("z1", "W1")
    lines = explain(jacobian)
    told = " ".join(line.strip() for line in lines)
    assert f"; the first of {examples} examples, --all prints the others; rows of" in told
    rows = [line.strip() for line in lines if line.startswith("  [0,0,0,")]
    shown = [float(word) for row in rows for word in row.split()[1:] if "goes" not in row]
    np.testing.assert_allclose(shown, x[0], rtol=5.1e-2, atol=5e-3)
    assert "  [0,1,1,:], [0,2,2,:] … [0,6,6,:]: each the same as [0,0,0,:]" in lines
    whole = explain(jacobian, everything=True)
    assert any(line.startswith(f"  [{examples - 1},6,6,") for line in whole)
    assert "examples, --all" not in "\n".join(whole)
    narrow = explain(jacobian, width=60)
    assert max(map(len, narrow)) <= 60
    assert any(line.startswith("  [0,0,0,0:]") for line in narrow)
    assert any(f"first of {examples}" in line for line in explain(run.jacobian("z1", "x")))


@pytest.mark.parametrize(("of", "wrt"), [("z2", "W2"), ("z2", "x"), ("J", "W1")])
def test_what_is_printed_of_a_jacobian_are_the_blocks_of_its_document(of, wrt):
    run = second_seed().run(X, Y)
    jacobian = run.jacobian(of, wrt)
    reason = run.reason(of, wrt) if jacobian.is_local else ""
    lines = [line.strip() for line in explain(jacobian, "flat", reason)]
    *told, _ = document_of_jacobian(jacobian, "flat", reason).sections
    blocks = [block for section in told for block in section.blocks]
    texts = [b.text for b in blocks if isinstance(b, Words | Formula)]
    tables = [line for b in blocks if isinstance(b, Table) for line in b.plain]
    titles = [f"{s.title[0].lower()}{s.title[1:]}:" for s in told[1:]]
    expected = [text.strip() for text in [*texts, *tables, *titles]]
    assert len(expected) > 7
    assert [text for text in expected if text not in lines] == []


def test_the_parameters_of_a_network_of_course_size_are_printed():
    net = Network.dense([4, 5, 3], "relu", seed=0)
    run = net.run(np.arange(4.0), np.ones(3))
    page = run.derivation().html(static=True)
    for name, array in net.params.items():
        assert f"{name} = [" in str(run.derivation())
        for value in array.flat:
            assert f"{value:.6g}".lstrip("-") in page, name
