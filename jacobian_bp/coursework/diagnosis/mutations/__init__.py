"""The known mistakes, each declared as what it changes in the lines of a backward pass.

Offers mutation, Mutation, Wrong, Facts, variations.
May import passes and below.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")  # each declares its mistakes
