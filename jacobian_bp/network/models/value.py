"""A value of the program that is being built: its name, its shape, its axes by name."""

from dataclasses import dataclass

import numpy as np

View = tuple[tuple[int, ...], ...]
LETTERS = "abcdefghtk"  # of the axes of an example, the last for the last


@dataclass(frozen=True, eq=False)
class Value:
    """A value of the program: its name, its shape with n where it has it, its axes by name.

    A parameter's axes have no names. `view` says where ours are in the model, if not one for one
    (see views). `allowed` is a mask that waits for its softmax: True where a class stands.
    `layers` are values that stand side by side on a first axis of the model's.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[str, ...] | None
    batched: bool
    view: View | None = None
    allowed: np.ndarray | None = None
    layers: tuple["Value", ...] = ()

    @property
    def example(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.shape[self.batched :]


def letters_of(rank: int) -> list[str]:
    """Letters for so many axes, the last for the last.

    >>> letters_of(1), letters_of(3), letters_of(6)
    (['k'], ['h', 't', 'k'], ['e', 'f', 'g', 'h', 't', 'k'])
    """
    return list(LETTERS[-rank:]) if rank else []
