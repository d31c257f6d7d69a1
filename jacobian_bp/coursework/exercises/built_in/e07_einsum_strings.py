"""Exercise 7: the einsum string of each step of the chain."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..generator import decimals, draw_sizes
from ..questions import Question
from ..subscripts import SubscriptsQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Each step of the backward pass is one np.einsum. Write its string, such as "ij,j->i", so that
np.einsum(string, operands) gives what is asked for. The axes: k is a unit of layer 3, j one
of layer 2, i one of layer 1, n an example. The arrays stand in for the real ones: they
have their shapes and no structure, and the string is tried on others as well.

    delta3[k]   W3[k,j]   g2[j] = ∂J/∂a2   slope2[j]   delta2[j]   a1[i]   W2[j,i]
    T2[j,j',i] = ∂z2[j]/∂W2[j',i], the whole tensor
    D2[n,j], A1[n,i]: delta2 and a1 of a whole batch
"""

HINTS = (
    "Give each axis its letter; letters that stand before the arrow only are summed.",
    "A gradient meets a Jacobian on the axis of the Jacobian's output.",
    "An elementwise product keeps its letter behind the arrow; two vectors of different axes "
    "with no sum are an outer product.",
    "What a batch shares is summed over the examples: n stands before the arrow only, and it is "
    "the same n in both operands.",
)

# name, what is asked, operands, the string
STEPS = (
    ("da2", "∂J/∂a2", ("delta3", "W3"), "k,kj->j"),
    ("dz2", "∂J/∂z2", ("g2", "slope2"), "j,j->j"),
    ("dW2_whole", "∂J/∂W2 from the whole tensor", ("delta2", "T2"), "j,jli->li"),
    ("dW2", "∂J/∂W2 without the tensor", ("delta2", "a1"), "j,i->ji"),
    ("chain", "∂z3/∂a1", ("W3", "slope2", "W2"), "kj,j,ji->ki"),
    ("dW2_batch", "∂J/∂W2 of the batch", ("D2", "A1"), "nj,ni->ji"),
    ("db2_batch", "∂J/∂b2 of the batch", ("D2",), "nj->j"),
)


def attempt(rng: np.random.Generator) -> Task:
    sizes, n = draw_sizes(rng, 3)
    j, k, i = sorted(sizes)  # the tensor has j twice
    shapes = {
        "delta3": (k,),
        "W3": (k, j),
        "slope2": (j,),
        "g2": (j,),
        "delta2": (j,),
        "a1": (i,),
        "W2": (j, i),
        "T2": (j, j, i),
        "D2": (n, j),
        "A1": (n, i),
    }
    return of_given({n: decimals(rng.uniform(0.1, 2, shape)) for n, shape in shapes.items()})


def of_given(given: Mapping[str, Any]) -> Task:
    shapes = {name: array.shape for name, array in given.items()}
    questions: tuple[Question, ...] = tuple(
        SubscriptsQuestion(
            name,
            f"np.einsum({name}, {', '.join(operands)}) is {ask}",
            repr(string),
            operands,
            _shapes(shapes, operands),
            string,
        )
        for name, ask, operands, string in STEPS
    )
    return Task(questions, given)


def _shapes(shapes: dict[str, tuple[int, ...]], names: Sequence[str]) -> list[tuple[int, ...]]:
    return [shapes[name] for name in names]


def _planted(tag: str, name: str, string: str, says: str) -> Planted:
    return Planted(tag, {name: repr(string)}, says)


MISTAKES = (
    _planted("sum-missing", "da2", "k,kj->kj", "k was kept; it should be summed"),
    _planted("wrong-contraction", "da2", "k,kj->k", "j was summed; it should be k"),
    _planted("summed-away", "da2", "k,kj->", "j was summed too; it should stay"),
    _planted(
        "contraction-for-elementwise",
        "dz2",
        "j,j->",
        "a dot product stands for a product entry by entry",
    ),
    _planted(
        "elementwise-as-outer", "dz2", "j,l->jl", "an outer product stands for one entry by entry"
    ),
    _planted("wrong-axis", "dW2_whole", "l,jli->ji", "j' was summed; it should be the output j"),
    _planted(
        "tensor-kept", "dW2_whole", "j,jli->jli", "the output j was kept; it should be summed"
    ),
    _planted(
        "diagonal-taken",
        "dW2_whole",
        "j,jji->ji",
        "j and j' have one letter, which takes the diagonal",
    ),
    _planted("outer-summed", "dW2", "j,i->j", "i was summed; it should stay"),
    _planted("chain-outer", "chain", "kj,j,ji->kji", "j was kept; it should be summed"),
    _planted(
        "chain-apart", "chain", "kj,l,li->ki", "j of W3 was summed by itself, apart from the slope"
    ),
    _planted("examples-kept", "dW2_batch", "nj,ni->nji", "n was kept; it should be summed"),
    _planted(
        "examples-apart",
        "dW2_batch",
        "nj,mi->ji",
        "the examples have two letters, n and m; it should be one",
    ),
    _planted("bias-wrong-axis", "db2_batch", "nj->n", "j was summed; it should be n"),
    _planted("bias-not-summed", "db2_batch", "nj->nj", "n was kept; it should be summed"),
    _planted(
        "no-arrow",
        "db2_batch",
        "nj",
        "without an arrow numpy keeps each letter that stands once: n was kept",
    ),
)

RIGHT_FORMS = (
    Planted("other letters", {"da2": "'a,ab->b'", "dW2_whole": "'p,pqr->qr'"}),
    Planted("with blanks", {"dW2_batch": "' n j , n i -> j i '"}),
    Planted("transposed", {"dW2": "'j,i->ij'", "dW2_batch": "'nj,ni->ij'"}),
    Planted("the whole chain transposed", {"chain": "'kj,j,ji->ik'"}),
    Planted("capitals", {"db2_batch": "'NJ->J'"}),
    Planted(
        "without an arrow",
        {
            "da2": "'k,kj'",
            "dW2_whole": "'j,jli'",
            "dW2": "'j,i'",
            "chain": "'kj,j,ji'",
            "dW2_batch": "'nj,ni'",
        },
    ),
)

EXERCISE = Exercise(
    7,
    "the einsum string of each step",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    fresh=False,
    of_given=of_given,
    one_form="each array has letters of its own, and those are asked for",
)
