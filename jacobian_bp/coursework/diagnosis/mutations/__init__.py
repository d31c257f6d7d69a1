"""The known mistakes, each declared as what it changes in the lines of a backward pass.

The files of this folder are the list: each is imported, and declares its mistakes.

Offers mutation, Mutation, Wrong, Facts, variations.
May import passes and below.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

for _module in iter_modules([str(Path(__file__).parent)]):
    import_module(f".{_module.name}", __package__)
