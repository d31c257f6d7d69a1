"""Where the texts of compiled steps lie, so that numba keeps what it made of them.

A file is named by its text. It is run, and numba runs what it keeps beside it: so the folder
belongs to the user alone, and a folder that others can write to is not used.
"""

import contextlib
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import types
from pathlib import Path

from ..version import __version__

FOLDER = "jacobian_bp"
_LOADED: dict[str, types.ModuleType] = {}  # what a text gives holds no state


def folder() -> Path | None:
    """The user's own folder for compiled steps; None where there is none that is safe.

    $XDG_CACHE_HOME/jacobian_bp, or ~/.cache/jacobian_bp.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
        place = root / FOLDER
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return place if is_safe(place) else None


def is_safe(place: Path) -> bool:
    """Whether a folder is a real one, the user's, and nobody else's to write to."""
    try:
        found = os.lstat(place)
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode) or not os.access(place, os.W_OK | os.X_OK):
        return False
    if not hasattr(os, "getuid"):  # Windows: a profile is its user's
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def loaded(text: str) -> types.ModuleType:
    """The module of a text, from its file; from a folder that goes again where none is safe."""
    key = hashlib.sha256(f"{__version__}\n{text}".encode()).hexdigest()
    if key not in _LOADED:
        _LOADED[key] = _anew(text, key)
    return _LOADED[key]


def _anew(text: str, key: str) -> types.ModuleType:
    place = folder()
    if place is not None:
        try:
            return _module(_written(place, key, text), key)
        except Exception:  # a full disk, or what was kept there is broken
            pass
    with tempfile.TemporaryDirectory() as other:
        return _module(_written(Path(other), key, text), key)


def _written(place: Path, key: str, text: str) -> Path:
    """The file of a text; it is written whole, or not at all."""
    path = place / f"step_{key[:32]}.py"
    try:
        if path.read_text(encoding="utf-8") == text and not path.is_symlink():
            return path
    except (OSError, UnicodeDecodeError):
        pass
    handle, name = tempfile.mkstemp(dir=place, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return path


def _module(path: Path, key: str) -> types.ModuleType:
    """The file as a module, found by its name, by which numba finds what it kept."""
    name = f"jacobian_bp_step_{key[:32]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = before
    return module
