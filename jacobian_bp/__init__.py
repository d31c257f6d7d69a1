"""Backpropagation written out in full."""

from .errors import *
from .factors import delta, dense, distinct, one
from .jacobian import Jacobian
from .memory import memory_limit
from .network import Network
from .ops import *
