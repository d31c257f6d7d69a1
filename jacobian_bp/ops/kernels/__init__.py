"""Kernels: an op's value and vector-Jacobian product, written into planned buffers.

Offers `kernel`, by which a function becomes the kernel that an op names, and
`Place`, where it reads and writes. Imports no op: an op imports its kernel.
"""

from .place import GENERAL, LIMITS, Calls, Kernel, Place, general, kernel

__all__ = ["GENERAL", "LIMITS", "Calls", "Kernel", "Place", "general", "kernel"]
