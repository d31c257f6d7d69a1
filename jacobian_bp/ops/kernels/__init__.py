"""Kernels: an op's value and vector-Jacobian product, written into planned buffers.

An op names its kernel; a kernel knows no op.

Offers kernel, Kernel, Place, general, GENERAL, LIMITS.
May import algebra and below.
"""

from .place import GENERAL, LIMITS, Calls, Kernel, Place, general, kernel

__all__ = ["GENERAL", "LIMITS", "Calls", "Kernel", "Place", "general", "kernel"]
