"""Which way round a whole sheet is written: the rule of `diagnose`, for the answers of a task.

An answer whose rows and columns are exchanged is right, in another layout, where all answers
that can be turned are; against one that stands as it is asked for, it is a mistake.
Gradients vote among gradients, and what has a batch's examples in its rows among its like.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..diagnosis.orientation import AGAINST, FOR, UNCLEAR, agreed, by_shape
from .accepted_forms import turned_layout
from .equality import as_numbers, same
from .questions import ArrayQuestion, Question
from .verdict import TRANSPOSED, WRONG, Verdict

SAID = "the right numbers, with rows and columns exchanged, while your {others}"


def turned_against_others(
    questions: Sequence[Question], answers: Mapping[str, Any], verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """The verdicts, where a turned answer is wrong if another one is not turned."""
    votes: dict[str, dict[str, int]] = {}
    for question, verdict in zip(questions, verdicts, strict=True):
        layout = turned_layout(question.forms) if isinstance(question, ArrayQuestion) else ""
        if layout and isinstance(question, ArrayQuestion):
            value = answers.get(question.name)
            votes.setdefault(layout, {})[question.name] = _vote(question, value, verdict)
    found = {verdict.name: verdict for verdict in verdicts}
    for cast in votes.values():
        standing = [name for name, vote in cast.items() if vote == AGAINST]
        for name, vote in cast.items():
            if vote == FOR and found[name].credited and not agreed(list(cast.values())):
                found[name] = _mistake(name, standing)
    return list(found.values())


def _vote(question: ArrayQuestion, value: Any, verdict: Verdict) -> int:
    """By its shape; of a square one by the layout in which its numbers are right or follow."""
    right = question.right
    array = as_numbers(value, question.name) if value is not None else ""
    if isinstance(array, str):
        return UNCLEAR
    told = by_shape(array.shape, right.shape)
    if told is not None:
        return told
    if array.shape != right.shape or not verdict.credited or same(array.T, array):
        return UNCLEAR
    return FOR if verdict.layout == turned_layout(question.forms) else AGAINST


def _mistake(name: str, standing: Sequence[str]) -> Verdict:
    others = f"{standing[0]} stands" if len(standing) == 1 else f"{', '.join(standing)} stand"
    said = f"{SAID.format(others=others)} as asked for"
    return Verdict(name, WRONG, where="the order of the axes", symptom=said, tag=TRANSPOSED)
