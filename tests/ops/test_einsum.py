"""Every einsum of up to three operands over three letters, beside its derivative entry by entry."""

from itertools import permutations, product

import numpy as np
import pytest
from network_cases import close

from jacobian_bp import Network, ops
from jacobian_bp.routes.einsum_chain import ORDERS

SIZE = {"n": 7, "i": 2, "j": 3, "k": 5}
# a letter twice in an operand, beside others that have it: in the contraction, in placing
DIAGONALS = ["ii,i,i->i", "ii,ii,i->", "ii,ij,j->j", "i,ii->i", "ij,jj,ji->i", "ii,jj,ij->ij"]
DIAGONALS += ["i,ii,i,i,i,i,j->i", "iij,j,ii,i,jj,j,i->ij"]  # so many factors are multiplied out


def equations(longest):
    """Each equation once, its letters in the order in which they first stand there."""
    words = ["".join(word) for n in range(longest + 1) for word in product("ijk", repeat=n)]
    found = []
    for count in (1, 2, 3):
        for operands in product(words, repeat=count):
            letters = "".join(dict.fromkeys("".join(operands)))
            if letters == "ijk"[: len(letters)]:
                left = ",".join(operands)
                outputs = [r for n in range(len(letters) + 1) for r in permutations(letters, n)]
                found += [f"{left}->{''.join(output)}" for output in outputs]
    return found


def derivative(equation, arrays, place):
    """∂out/∂operand: the sum is linear in it, so each unit array in its place gives a column."""
    columns = []
    for index in np.ndindex(*arrays[place].shape):
        unit = np.zeros_like(arrays[place])
        unit[index] = 1
        operands = [unit if p == place else a for p, a in enumerate(arrays)]
        columns.append(np.einsum(equation, *operands))
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *arrays[place].shape))


def drawn(equation, rng, lifted):
    """Operands by name, of one shape often the same one; which of them carry a batch of seven."""
    left, result = equation.split("->")
    batch = {int(rng.integers(left.count(",") + 1))} if lifted else set()
    names, values, words = [], {}, []
    for place, word in enumerate(left.split(",")):
        if lifted and (place in batch or rng.integers(2)):
            word, kind = "n" + word, "data"
        else:
            kind = "param"
        shape = [SIZE[letter] for letter in word]
        same = [n for n in names if n.startswith(kind) and [*values[n].shape] == shape]
        names.append(same[0] if same and rng.integers(2) else f"{kind}{place}")
        values.setdefault(names[-1], rng.normal(size=shape))
        words.append(word)
    return names, values, f"{','.join(words)}->{'n' * lifted}{result}"


def wrong_parts(equation, seed, lifted=False, factor=1.0):
    """In what the package differs from the derivative, times a factor that plants a mistake."""
    rng = np.random.default_rng(seed)
    names, values, whole = drawn(equation, rng, lifted)
    result = equation.partition("->")[2]
    data = {n: value for n, value in values.items() if n.startswith("data")}
    net = Network.program(
        f"z = E({', '.join(names)})",
        "L = D(z, w)",
        "J = Sum(L)",
        params={n: value for n, value in values.items() if n not in data},
        ops={"E": ops.Einsum(equation), "D": ops.Einsum(f"{result},{result}->")},
    )
    w = rng.normal(size=np.einsum(whole, *[values[n] for n in names]).shape)
    run, wrong = net.run(**data, w=w), []
    for name in values:
        places = [place for place, other in enumerate(names) if other == name]
        arrays = [values[n] for n in names]
        right = factor * sum(derivative(whole, arrays, place) for place in places)
        scale = sum(derivative(whole, [np.abs(a) for a in arrays], place) for place in places)
        J, u = run.jacobian("z", name), rng.normal(size=values[name].shape)
        pushed = np.tensordot(right, u, u.ndim), np.tensordot(scale, np.abs(u), u.ndim)
        pulled = np.tensordot(w, right, w.ndim), np.tensordot(np.abs(w), scale, w.ndim)
        found = {
            "materialise": (J.materialise(), right, scale),
            "collapse": (J.collapse().materialise(), right, scale),
            "push": (J.push(u), *pushed),
            "pull": (J.pull(w), *pulled),
            "vjp": (run.vjp("z", name, w), *pulled),
            "composed": (run.jacobian("J", name).materialise(), *pulled),
        }
        if name not in data:
            found["structured"] = (run.gradients("structured")[name], *pulled)
            for order in ORDERS:
                found[f"full, {order}"] = (run.gradients("full", order)[name], *pulled)
        wrong += [f"{equation} by {name}: {way}" for way, it in found.items() if not close(*it)]
    return wrong


@pytest.mark.one_in(6)
@pytest.mark.parametrize("equation", DIAGONALS)
@pytest.mark.parametrize("lifted", [False, True], ids=["one", "batch"])
def test_a_letter_twice_in_an_operand_is_its_diagonal(equation, lifted):
    assert not [line for seed in range(5) for line in wrong_parts(equation, seed, lifted)]


def test_a_sample_of_all_equations_has_the_right_derivative():
    every = equations(2)
    for seed, at in enumerate(np.random.default_rng(7).choice(len(every), 60, replace=False)):
        assert not wrong_parts(every[at], seed, lifted=seed % 3 == 0)


@pytest.mark.full
@pytest.mark.parametrize("part", range(8))  # for workers beside each other
def test_every_equation_has_the_right_derivative(part):
    for seed, equation in enumerate(equations(2)[part::8]):
        assert not wrong_parts(equation, seed, lifted=seed % 2 == 1)


@pytest.mark.full
def test_operands_of_three_letters_have_the_right_derivative():
    every = equations(3)
    for seed, at in enumerate(np.random.default_rng(11).choice(len(every), 1000, replace=False)):
        assert not wrong_parts(every[at], seed, lifted=seed % 3 == 0)


def test_the_comparison_catches_a_millionth():
    assert len(wrong_parts("ij,jk->ik", 1, factor=1 + 1e-6)) == 2 * 10
