"""Which of several mistakes that give the same numbers is the most likely one."""

from collections.abc import Iterable, Mapping

from .diagnosis import Key
from .evidence.matching import is_right
from .evidence.search import Hypothesis, Question
from .passes.backward import Backward

INCONSISTENT = 1000  # added to the rank of what contradicts an object that is right
FARTHER = 25  # added for each layer between a mistake and the object


def ranked(
    key: Key, found: Iterable[Hypothesis], backward: Backward, right: Mapping[str, Question]
) -> list[Hypothesis]:
    """Those with the fewest mistakes, most likely first; `right` are the objects that are right."""
    found = list(found)
    fewest = min((h.mistakes for h in found), default=0)
    kept = [h for h in found if h.mistakes == fewest]

    def unlikely(h: Hypothesis) -> int:
        between = FARTHER * layers_between(key, h, backward)
        return h.prior + between + INCONSISTENT * contradicts(h, right)

    return sorted(kept, key=unlikely)


def layers_between(key: Key, h: Hypothesis, backward: Backward) -> int:
    """The layers from where the mistake sits to the object."""
    path = backward.needed(key) if isinstance(key, str) else ()
    places = [path.index(target) for target, _, _ in h.changes if target in path]
    between = path[max(places) + 1 :] if places else ()
    return sum(line.kind == "weights" for name in between for line in backward.to[name])


def contradicts(h: Hypothesis, right: Mapping[str, Question]) -> bool:
    """Whether the mistake would have spoilt an object that is right."""
    for name, question in right.items():
        if h.changes and name != h.where:
            candidate = question.candidate(h.changes)
            if candidate is None or not any(
                is_right(r.array, candidate, question.precision) for r in question.forms(candidate)
            ):
                return True
    return False
