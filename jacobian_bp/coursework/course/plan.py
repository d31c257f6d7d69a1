"""The sheets of a course: a name, the exercises on it, and what it is about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """One sheet; `place` counts from 1."""

    place: int
    topic: str
    about: str
    exercises: tuple[int, ...]

    @property
    def name(self) -> str:
        """What its files and folders are called.

        >>> PLAN[0].name
        '1-dense'
        """
        return f"{self.place}-{self.topic}"


PLAN = (
    Sheet(1, "dense", "layers, slopes on a diagonal, and Jacobians as formulas", (2, 3, 24)),
    Sheet(2, "softmax", "an output that reads every input", (6, 19)),
    Sheet(3, "conv", "windows: which tap reads which entry", (14, 15)),
    Sheet(4, "norm", "mean and spread are functions of the input", (8, 16, 17)),
    Sheet(5, "attention", "rows that are looked up, and paths that meet", (18, 20)),
    Sheet(6, "curvature", "second derivatives, and what Gauss-Newton leaves out", (13, 23)),
)
