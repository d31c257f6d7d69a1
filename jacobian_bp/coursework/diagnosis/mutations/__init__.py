"""The mistakes, a file for each part of the backward pass; the files of this folder are the list.

mutation.py says how one is declared. Imports passes and what stands below coursework.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")  # each declares its mistakes
