"""What can go wrong, as exception classes.

Every message has four parts: who; which axis or entry; both witnesses with
their shapes or values; what to write instead.
"""

from collections.abc import Callable


class Later:
    """Words of a message that are put together only when it is raised.

    >>> who = Later(lambda: "Linear 'z2'")
    >>> f"{who}: axis i has two sizes."
    "Linear 'z2': axis i has two sizes."
    """

    def __init__(self, words: Callable[[], str]) -> None:
        self._words = words

    def __str__(self) -> str:
        return self._words()


LONGEST = 4_000  # characters of a message; a screen is about 2,000
ENDING = 500  # of them are the end, which says what to write instead


class JacobianError(ValueError):
    """Base class of every error that this package raises on purpose.

    A message is bounded, however many names stand in what it is about.

    >>> len(str(JacobianError(", ".join(map(str, range(200_000)))))) < 5000
    True
    """

    def __init__(self, message: object = "") -> None:
        text = str(message)
        if len(text) > LONGEST:
            start, end = text[: LONGEST - ENDING], text[-ENDING:]
            text = f"{start} … {len(text) - LONGEST:,} characters more … {end}"
        super().__init__(text)


class AxisError(JacobianError):
    """Axes or shapes that do not fit together."""


class DomainError(JacobianError):
    """A value outside the domain: labels, rates, dtypes, non-finite data."""


class MemoryLimitError(JacobianError):
    """An array that would be larger than the memory limit; nothing was built."""


class SpecError(JacobianError):
    """A network, program or data file that cannot be read as one."""
