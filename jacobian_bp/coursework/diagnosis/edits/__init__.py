"""What may go wrong in a line for any op, read off its equation: factors, terms, sums.

Offers edits_of, Edit.
May import mutations and below.
"""

from .edit import Edit
from .edits_of_line import edits_of

__all__ = ["Edit", "edits_of"]
