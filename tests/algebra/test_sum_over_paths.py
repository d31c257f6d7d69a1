"""The walk over a graph, in several algebras: against a sum over paths listed one by one."""

from operator import add

import numpy as np
import pytest

from jacobian_bp.algebra.expression import Expression
from jacobian_bp.algebra.nodes_and_links import Link
from jacobian_bp.algebra.sum_over_paths import down, paths_from_output, paths_to_variable, walk

SEEDS = range(17)
NOTHING = Expression()


def random_links(rng, places=7):
    """A graph in which every place but the first is read by one before it, some by several."""
    pairs = [(int(rng.integers(source)), source) for source in range(1, places)]
    pairs += [tuple(sorted(rng.choice(places, 2, replace=False))) for _ in range(places)]
    return [Link(int(t), int(s), (), (), NOTHING) for t, s in pairs]


def listed_paths(links, start, end):
    """Every path from one place to another, as a list of the numbers of its links."""
    if start == end:
        return [[]]
    found = []
    for number, link in enumerate(links):
        if link.target == start:
            found += [[number, *rest] for rest in listed_paths(links, link.source, end)]
    return found


def along(links, matrices, path):
    product = np.eye(len(matrices[0]))
    for number in path:
        product = product @ matrices[number]
    return product


@pytest.mark.parametrize("seed", SEEDS)
def test_matrices_are_multiplied_along_every_path_and_the_paths_are_added(seed):
    rng = np.random.default_rng(seed)
    links = random_links(rng)
    matrices = rng.normal(size=(len(links), 3, 3))
    numbered = {id(link): number for number, link in enumerate(links)}

    def times(value, link):
        return value @ matrices[numbered[id(link)]]

    expected = sum(along(links, matrices, path) for path in listed_paths(links, 0, 6))
    found = down(links, 6, np.eye(3), times, add)[6]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    last = listed_paths(links, 0, 6)[0][-1]  # planted: the last link of a path is left out
    rest = [link for number, link in enumerate(links) if number != last]
    assert not np.allclose(down(rest, 6, np.eye(3), times, add).get(6, 0), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_paths_are_counted_from_both_ends(seed):
    links = random_links(np.random.default_rng(seed))
    before, after = paths_from_output(links, 6), paths_to_variable(links, 6)
    for place in range(7):
        assert before.get(place, 0) == len(listed_paths(links, 0, place))
        assert after.get(place, 0) == len(listed_paths(links, place, 6))


def test_a_thousand_forks_are_counted_without_listing_them():
    links = [Link(p, p + 1, (), (), NOTHING) for p in range(1000) for _ in range(2)]
    assert paths_from_output(links, 1000)[1000] == 2**1000


def test_each_place_is_taken_up_once_and_what_is_not_kept_is_let_go_after_its_last_use():
    following = {"J": ["a", "b"], "a": ["x"], "b": ["x", "W"], "x": []}
    events = []

    def times(place, value):
        for other in following[place]:
            events.append(f"{place} to {other}")
            yield other, value

    found = walk(
        following, {"J": "1"}, times, add, {"W", "x"}, lambda place, value: f"({value})",
        lambda value: events.append(f"let go of {value}"),
    )  # fmt: skip
    assert found == {"W": "((1))", "x": "(((1))((1)))"}
    assert events == [
        "J to a", "J to b", "let go of (1)",
        "a to x", "let go of ((1))",
        "b to x", "b to W", "let go of ((1))",
    ]  # fmt: skip


def test_an_array_that_was_handed_on_is_held_by_nobody():
    """Else the full route would take more memory than it says."""
    alive = set()

    class Held:
        def __init__(self, name):
            self.name = name
            alive.add(name)

        def __del__(self):
            alive.discard(self.name)

    seen = []

    def times(place, value):
        for other in (place + 1, place + 2):
            seen.append(frozenset(alive))
            yield other, Held(f"{place} to {other}")

    def plus(found, part):
        return Held(f"{found.name} + {part.name}")

    found = walk(range(3), {0: None}, times, plus)
    assert seen == [
        frozenset(),
        {"0 to 1"},
        {"0 to 1", "0 to 2"},  # 1 is taken up
        {"0 to 1", "0 to 2 + 1 to 2"},  # what arrived at 2 is a sum, its parts are gone
        {"0 to 2 + 1 to 2", "1 to 3"},  # 2 is taken up, 1 is forgotten
        {"0 to 2 + 1 to 2", "1 to 3 + 2 to 3"},
    ]
    assert {value.name for value in found.values()} == {"1 to 3 + 2 to 3", "2 to 4"}
