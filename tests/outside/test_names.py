"""Every name that the package offers is loaded on first use, and seen by a type checker."""

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import jacobian_bp

ON_FIRST_USE = """
import sys, {package} as package
assert not {unwanted!r} & sys.modules.keys(), {unwanted!r} & sys.modules.keys()
"""


def run(code):
    """The standard output of a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def for_type_checkers(package):
    """The names that a package imports for type checkers only, with their modules."""
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    block = next(part for part in tree.body if isinstance(part, ast.If))
    assert block.test.id == "TYPE_CHECKING"
    found = {}
    for line in block.body:
        for name in line.names:
            assert name.asname in (name.name, None)
            found[name.name] = line.module
    return found


@pytest.mark.parametrize("name", jacobian_bp.__all__)
def test_every_name_is_loaded_from_its_module(name):
    module = import_module(f"jacobian_bp.{jacobian_bp._MODULE_OF[name]}")
    assert getattr(jacobian_bp, name) is getattr(module, name)
    assert vars(jacobian_bp)[name] is getattr(module, name)
    assert name in dir(jacobian_bp)


def test_a_type_checker_sees_the_names_that_are_loaded():
    assert for_type_checkers(jacobian_bp) == jacobian_bp._MODULE_OF


def test_coursework_shows_a_type_checker_what_it_offers():
    coursework = import_module("jacobian_bp.coursework")
    assert for_type_checkers(coursework).keys() == set(coursework.__all__)
    diagnosis = import_module("jacobian_bp.coursework.diagnosis")
    for name in coursework.__all__:
        assert getattr(coursework, name) is getattr(diagnosis, name)


def test_every_part_of_the_package_is_an_attribute_of_it():
    files = {file.stem for file in Path(jacobian_bp.__file__).parent.glob("*.py")}
    rooms = {file.parent.name for file in Path(jacobian_bp.__file__).parent.glob("*/__init__.py")}
    assert files | rooms - {"__pycache__"} == jacobian_bp._PARTS | {"__init__", "__main__", "cli"}
    for part in sorted(jacobian_bp._PARTS):
        run(f"import jacobian_bp; assert jacobian_bp.{part} and {part!r} in dir(jacobian_bp)")


def test_import_star_gives_every_name_and_help_shows_what_is_offered():
    text = run(
        "from jacobian_bp import *; import jacobian_bp\n"
        "every = jacobian_bp.__all__\n"
        "assert all(globals()[name] is getattr(jacobian_bp, name) for name in every)\n"
        "help(jacobian_bp)"
    )
    assert "class Network(" in text
    assert "diagnose_line(" in text


def test_importing_the_package_loads_nothing_of_it_and_no_numpy():
    run(ON_FIRST_USE.format(package="jacobian_bp", unwanted={"numpy", "jacobian_bp.errors"}))


def test_the_sandbox_does_not_load_the_diagnosis():
    unwanted = {"jacobian_bp.coursework.diagnosis", "jacobian_bp.network", "opt_einsum"}
    run(ON_FIRST_USE.format(package="jacobian_bp.coursework.sandbox", unwanted=unwanted))


def test_a_pipe_does_not_load_what_only_a_terminal_shows():
    run(ON_FIRST_USE.format(package="jacobian_bp.cli", unwanted={"rich.console", "rich.progress"}))


@pytest.mark.parametrize("package", ["jacobian_bp", "jacobian_bp.coursework"])
def test_a_name_that_is_not_there_is_an_attribute_error(package):
    name = "Netwrok"
    with pytest.raises(AttributeError) as error:
        getattr(import_module(package), name)
    assert str(error.value) == f"module '{package}' has no attribute '{name}'"
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from '{package}'"):
        exec(f"from {package} import {name}")


def test_what_is_pickled_is_read_by_a_process_that_has_loaded_nothing():
    axis = pickle.dumps(jacobian_bp.Axis("k", 3))
    assert run(f"import pickle; print(pickle.loads({axis!r}).size)") == "3\n"
