"""What can go wrong, as exception classes.

Every message has four parts: who; which axis or entry; both witnesses with
their shapes or values; what to write instead.
"""


class JacobianError(ValueError):
    """Base class of every error that this package raises on purpose."""


class AxisError(JacobianError):
    """Axes or shapes that do not fit together."""


class DomainError(JacobianError):
    """A value outside the domain: labels, rates, dtypes, non-finite data."""


class MemoryLimitError(JacobianError):
    """An array that would be larger than the memory limit; nothing was built."""


class SpecError(JacobianError):
    """A network, program or data file that cannot be read as one."""
