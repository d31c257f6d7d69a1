"""The command as a process: pipes, encodings, terminals, interpreter flags, other processes."""

import ast
import json
import multiprocessing
import os
import pty
import signal
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from network_cases import close, data, gradients_of, network, same_bits, term_sums
from project import ROOT
from run_here import run_here
from sampled import seldom

from jacobian_bp import cli
from jacobian_bp.__main__ import INTERRUPTED, main
from jacobian_bp.writing import interrupts

COMMAND = [sys.executable, "-m", "jacobian_bp"]
CLEAN = {
    k: v
    for k, v in os.environ.items()
    if not k.startswith(("PYTHON", "LC_", "LANG", "COL", "LINES"))
}
CLEAN.pop("NO_COLOR", None)
SHELL = f"{sys.executable} -m jacobian_bp"
ODD = "derive 5-3-2 --activations softmax --loss cross_entropy --batch 7"  # every symbol there is


def run(*arguments, env=(), flags=()):
    """A process of its own; nothing but bytes come back."""
    command = [sys.executable, *flags, "-m", "jacobian_bp", *arguments]
    return subprocess.run(command, env=CLEAN | dict(env), capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def derived():
    """What the command prints without arguments."""
    return run().stdout


def shell(line):
    """A line of bash, which gives the exit code of every command of a pipe."""
    return subprocess.run(["bash", "-c", line], env=CLEAN, capture_output=True, timeout=300)


def terminal(*arguments, **env):
    """What a terminal would receive from standard output and standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=CLEAN | env, stdout=theirs, stderr=theirs, stdin=theirs
    )
    os.close(theirs)
    received = b""
    with suppress(OSError):  # EIO: how Linux says that nobody writes any more
        while chunk := os.read(ours, 65536):
            received += chunk
    os.close(ours)
    return process.wait(timeout=300), received.decode()


# ---------------------------------------------------------------- pipes


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", [seldom(""), "check", seldom("show dz2/dW2"), ODD])
def test_the_same_bytes_twice_and_no_escape_codes(command):
    first, second = (run(*command.split()) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, b"")
    assert first.stdout == second.stdout
    assert not {0x1B, 0x0D} & set(first.stdout)
    assert "∂" in first.stdout.decode("utf-8") or command == "check"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("reader", ["head -1", seldom("head -c 1"), "true"])
def test_a_reader_that_goes_away_ends_it_quietly(reader):
    done = shell(f"{SHELL} derive 4-5-3-2-2-2-2-2 | {reader} > /dev/null; echo ${{PIPESTATUS[0]}}")
    assert done.stderr == b""
    assert done.stdout in (b"0\n", b"141\n")


@pytest.mark.one_in(2)
@pytest.mark.parametrize("where", ["> /dev/full", ">&-", seldom("> /dev/full 2>&1"), ">&- 2>&-"])
def test_a_full_or_closed_output_is_an_error(where):
    done = shell(f"{SHELL} {where}")
    assert done.returncode != 0
    reason = "No space left on device" if "full" in where else "standard output is closed"
    if "2>" not in where:
        assert done.returncode == 3
        assert done.stderr.decode().startswith("jacobian-bp: the output cannot be written: ")
        assert reason in done.stderr.decode()
        assert len(done.stderr.splitlines()) == 1


def test_an_error_goes_to_standard_error():
    done = run("show", "dz9/dW2")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        "jacobian-bp: SpecError: no value is named 'z9'.\n"
        "  The values are x, y, W1, b1, W2, b2, W3, b3, z1, a1, z2, a2, z3, a3, J.\n"
    )


# ---------------------------------------------------------------- interrupted at once

AT_IMPORT = """
import os, runpy, sys
class Finder:
    def find_spec(self, name, *others):
        if name == {name!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["check"]
runpy.run_module("jacobian_bp", run_name="__main__")
"""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "name",
    [
        "jacobian_bp.writing",
        "jacobian_bp.writing.interrupts",
        "jacobian_bp.cli",
        "numpy",
        "jacobian_bp.network.from_options",
    ],
)
def test_a_signal_while_the_commands_are_loaded(name, number):
    code = AT_IMPORT.format(name=name, number=int(number))
    done = subprocess.run([sys.executable, "-c", code], env=CLEAN, capture_output=True, timeout=300)
    assert (done.returncode, done.stdout) == (130, b"")
    assert done.stderr == b"jacobian-bp: interrupted\n"


def test_hardly_anything_is_loaded_before_a_signal_is_minded():
    code = "import sys; before = set(sys.modules); import jacobian_bp.__main__; "
    code += "print(sorted(set(sys.modules) - before - {'signal', 'enum', 'importlib'}))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**CLEAN, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    loaded = ast.literal_eval(done.stdout.decode())
    assert {"jacobian_bp", "jacobian_bp.__main__"} <= set(loaded)
    assert not {name for name in loaded if name.startswith(("jacobian_bp.", "numpy", "typing"))} - {
        "jacobian_bp.__main__"
    }
    assert INTERRUPTED == interrupts.INTERRUPTED


def test_a_signal_that_is_ignored_stays_ignored():
    code = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += AT_IMPORT.format(name="jacobian_bp.cli", number=int(signal.SIGTERM))
    done = subprocess.run([sys.executable, "-c", code], env=CLEAN, capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"all routes agree\n")


def test_the_script_is_the_same_as_the_module():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"jacobian-bp": "jacobian_bp.__main__:main"}
    assert callable(main)


# ---------------------------------------------------------------- encodings


@pytest.mark.one_in(4)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
@pytest.mark.parametrize("command", ["", ODD, "show dJ/dW1", "check 5-3"])
def test_a_stream_that_has_no_delta_gets_ascii(encoding, command):
    done = run_here(cli.main, *command.split(), encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii")
    assert max(map(len, text.splitlines())) < 100
    assert "\\u" not in text
    assert "delta" in text or command == "check 5-3"


def test_an_error_is_in_ascii_too():
    done = run("show", "dJ/dy", env={"PYTHONIOENCODING": "ascii"})
    assert done.stderr.startswith(b"jacobian-bp: DomainError: dJ/dy: y holds labels, ")


@pytest.mark.parametrize(
    "locale", [{"LANG": "C"}, seldom({"LC_ALL": "C"}), seldom({"LC_ALL": "POSIX"})]
)
def test_the_c_locale_gets_ascii(locale):
    for utf8 in ("0", "1"):
        done = run(env={**locale, "PYTHONUTF8": utf8, "PYTHONCOERCECLOCALE": "0"})
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"all routes agree" in done.stdout
        assert done.stdout.isascii() == (utf8 == "0")


def test_a_name_with_escapes_and_surrogates_is_shown_escaped(tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes("\x1b[31mred,\u202ey\n1,2\n3,4\n".encode())
    done = run("check", "1-1", "--data", str(table), "--target", "\x1b[31mred")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"target column \\x1b[31mred as it is" in done.stdout
    done = run("check", "1-1", "--data", b"\xff\xfe.csv", "--target", b"\xff")
    assert done.returncode == 2
    assert done.stderr.startswith(b"jacobian-bp: SpecError: \\udcff\\udcfe.csv cannot be found.\n")


# ---------------------------------------------------------------- terminals


def test_colour_and_progress_are_for_terminals_only():
    code, text = terminal(TERM="xterm-256color")
    assert code == 0
    assert "\x1b[" in text
    assert "all routes agree" in text


@pytest.mark.one_in(2)
@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"NO_COLOR": "1", "TERM": "xterm"}])
def test_no_escape_codes_where_they_are_not_wanted(env):
    code, text = terminal("check", "4-5-3", **env)
    lines = text.replace("\r\n", "\n")
    assert code == 0
    assert not {"\x1b", "\r"} & set(lines)
    assert lines.splitlines()[-1].endswith("all routes agree")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "columns", ["20", "131", "junk", *map(seldom, ("40", "60", "80", "0", "1"))]
)
def test_a_terminal_of_any_width_gets_whole_numbers(columns):
    """COLUMNS counts; where it is no number, the terminal is asked."""
    code, text = terminal(TERM="dumb", COLUMNS=columns)
    width = 80 if columns in ("0", "junk") else max(40, int(columns))
    lines = text.replace("\r\n", "\n").splitlines()
    assert code == 0
    assert width - 15 <= max(map(len, lines)) <= width
    for value in ("[1.15  0  0.95  0.3]", "0.508416", "-0.398553", "-0.318842"):
        assert value in text
    assert "-0.0896743" in text or width == 40
    assert "-0.089674" in text


def test_the_width_is_that_of_columns_with_lines_and_without_and_of_no_pipe(derived):
    narrow = {"TERM": "dumb", "COLUMNS": "60"}
    command = ["derive", "3-5-2"]
    assert terminal(*command, **narrow) == terminal(*command, **narrow, LINES="24")
    assert run(env={"COLUMNS": "60"}).stdout == derived


def test_a_wide_terminal_has_what_a_page_has_not_room_for():
    command = [
        "derive",
        "4-5-3",
        "--data",
        "iris",
        "--target",
        "species",
        "--loss",
        "cross_entropy",
    ]
    _, text = terminal(*command, TERM="dumb", COLUMNS="180")
    assert "slices, too wide" in run_here(cli.main, *command).stdout.decode()
    assert "slices, too wide" not in text


# ---------------------------------------------------------------- interpreters


@pytest.mark.one_in(2)
@pytest.mark.parametrize("flags", [seldom(["-O"]), ["-OO"], ["-W", "error"], ["-X", "dev"], ["-I"]])
def test_flags_of_the_interpreter_change_nothing(flags, derived):
    done = run(flags=flags)
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", derived)


def test_checks_still_run_without_asserts():
    done = run("check", "4-5-x", flags=["-OO"])
    assert done.returncode == 2
    assert done.stderr.startswith(b"jacobian-bp: SpecError: '4-5-x' is not a list")


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_another_process_gives_the_same_bits(start):
    net, (x, y) = network("softmax", "cross_entropy"), data("cross_entropy", batch=True)
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = pool.submit(gradients_of, net, x, y).result(timeout=300)
    same_bits(found, gradients_of(net, x, y))


THREADED = """
import json, numpy as np
from jacobian_bp import Network
rng = np.random.default_rng(67)
net = Network.dense([211, 101, 53], "tanh", seed=3)
run = net.run(rng.standard_normal((97, 211)), rng.standard_normal((97, 53)))
print(json.dumps(run.gradients()["W1"].tolist()))
"""


def test_the_number_of_blas_threads_stays_within_the_bar():
    found = []
    for count in ("1", "2"):
        env = CLEAN | {"OPENBLAS_NUM_THREADS": count, "OMP_NUM_THREADS": count}
        done = subprocess.run(
            [sys.executable, "-c", THREADED], env=env, capture_output=True, timeout=300
        )
        found.append(np.array(json.loads(done.stdout)))
    sizes = [211, 101, 53]
    rng = np.random.default_rng(67)
    net = network("tanh", sizes=sizes, seed=3)
    x, y = rng.standard_normal((97, 211)), rng.standard_normal((97, 53))
    assert close(*found, term_sums(net.run(x, y))["W1"])
