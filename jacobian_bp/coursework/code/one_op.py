"""The function of one op by itself: what its quantities are, and how a text may have them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...ops import Op
from ...program.forward_pass import Pass
from ..lines.vocabulary import Naming, Quantity
from .laid_out import Layout
from .quantities import Quantities
from .store import Store

BATCH = re.compile(r"\b(sum|mean)\(|shape\[[01]\]|/ ?[mN]\b|/ ?len\(|1\. ?/ ?m|batch_size")


@dataclass(frozen=True)
class StudiedOp:
    """One op at random numbers: its quantities, examples in rows.

    It stands where `Studied` stands for a dense network, with which it shares the fields that are
    read of both.
    """

    arrays: dict[Quantity, np.ndarray]
    op: Op
    state: Pass
    layers: int = 0
    examples: int = 0
    per_example: int = 1
    own: bool = True  # no run's sizes are told: a function of any size is judged
    biased: bool = True

    def is_of_examples(self, text: str) -> bool:
        """Whether a text sums over examples, or counts them: it is not for one alone."""
        return bool(BATCH.search(text))

    def without_biases(self) -> "StudiedOp":
        return self

    @property
    def is_of_steps(self) -> bool:
        """Whether it is several steps, one after the other."""
        return False

    def layouts(self, convention: Convention | None) -> list[Layout]:
        """The ways in which its arrays may be laid out; the one that is said."""
        raise NotImplementedError

    def namings(self, text: str) -> Sequence[Naming]:
        """What its names may mean, the usual way first."""
        return [Naming()]

    def quantities(self, layout: Layout, naming: Naming, numbers: dict[str, float]) -> Quantities:
        raise NotImplementedError

    def read_as(self, layout: Layout, naming: Naming) -> str:
        """How a text is read, as a sentence."""
        raise NotImplementedError


class QuantitiesOfOneOp(Quantities):
    """The quantities of one op: no parameter has a layer, and only a name says what is meant."""

    studied: Any

    def parameter(self, path: str | None) -> Quantity | None:
        return None

    def slot(self, source: Any, key: int, path: str | None) -> Quantity | None:
        return None

    def goal(self, store: Store) -> Quantity | None:
        return self.goal_of(store.path)
