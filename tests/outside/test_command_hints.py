"""What `derive`, `show`, `check`, `new` and `compare` advise is done, and then the command works.

Each row is a command that is refused, and a way of reading its message: what is done next is
taken out of the message. A last test looks through the source for advice that no row provokes.
"""

import re
import shlex
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from followed import (
    Told,
    added,
    advice_in,
    left_out,
    lines_run,
    listed,
    meant,
    not_covered,
    option_in,
    set_as_told,
    without,
)
from project import ROOT

from jacobian_bp import cli
from jacobian_bp.cli import main
from jacobian_bp.compare import command
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.cost.elimination import elimination_orders
from jacobian_bp.compare.report import options as report_options
from jacobian_bp.compare.timing import forecast
from jacobian_bp.errors import JacobianError
from jacobian_bp.network.from_options import case_of
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing import terminal

QUICK = ["--repeats", "1"]
ROOMS = ("cli.py", "network/from_options.py", "network/sizes.py", "compare")


def last_of(message):
    return message.rstrip().splitlines()[-1]


def such_as(words, message):
    """The sizes that the message shows, in place of the first word behind the command."""
    told = re.search(r"such as ([\w-]+?(?:/\w+)?)\.$", last_of(message))[1]
    return [words[0], told, *words[2:]] if len(words) > 1 else [*words, told]


def with_sizes(words, message):
    """A network in front of the options."""
    return [words[0], re.search(r"such as ([\d-]+)", message)[1], *words[1:]]


def the_command(words, message):
    return re.search(r"Write jacobian-bp (.*)\.$", last_of(message))[1].split()


def the_sizes(words, message):
    return [words[0], re.search(r"Write ([\d-]+)\.$", last_of(message))[1], *words[2:]]


def a_file_of_data(words, message):
    told = re.search(r"(--data) FILE", message)[1]
    return [*words, told, "iris", *([] if "--target" in words else ["--target", "species"])]


def turned_round(words, message):
    return [words[0], re.search(r"Did you mean (\S+)\?", message)[1], *words[2:]]


def a_computed_one(words, message):
    """A value, and something that it was computed from."""
    assert "computed from" in message
    return [words[0], "dz2/da1", *words[2:]]


def into_the_file(words, message):
    """The option stands in the file that the message names."""
    option = re.search(r"--([a-z-]+) does not go", message)[1]
    file = re.search(r"Write it into (\S+)\.$", last_of(message))[1]
    value = words[words.index(f"--{option}") + 1]
    with open(file, encoding="utf-8") as old:
        text = old.read()
    with open(file, "w", encoding="utf-8") as new:
        new.write(
            re.sub("# seed = .*", "", text).replace("[network]", f"[network]\n{option} = {value}")
        )
    return [word for word in words if word not in (f"--{option}", value)]


def another_file(words, message):
    assert "Choose another folder or name" in message
    return [word.replace("no/", "") for word in words]


def each_once(words, message):
    assert re.search("Name it once|Write each size once", message)
    return [",".join(dict.fromkeys(word.split(","))) for word in words]


def one_size_to_others(words, message):
    """The second of the two that the message names gets one size."""
    other = re.search(r"at once, (\w+) and (\w+);", message)[2]
    at = next(i for i, word in enumerate(words) if word.startswith(f"--{other}")) + 1
    return [*words[:at], words[at].split(",")[0], *words[at + 1 :]]


def shown_value(words, message):
    """The last line shows the option with a value."""
    return set_as_told(words, message.replace(" no blanks,", "").rstrip())


def in_place_of_the_network(words, message):
    network = re.search(r"in place of (\S+),", message)[1]
    return shown_value([word for word in words if word != network], message)


def page_written(words, message):
    """The page that is asked for, and nothing that is no page."""
    name, unwanted = re.search(r"--out (\S+\.html), without (--\w+)", message).groups()
    return [*(word for word in words if word != unwanted), "--out", name]


def with_mistakes(words, message):
    return [*words, re.search(r"Write it with (--\w+)\.", message)[1]]


def level_told(words, message):
    option, number = re.search(r"^(--\w+) is .*from (\d)", message, re.S).groups()
    place = words.index(option) + 1
    return [*words[:place], number, *words[place + 1 :]]


def network_left_out(words, message):
    wrong = re.match(r"(\S+) does not go", message)[1]
    assert "Leave it out" in message
    return [word for word in words if word != wrong]


def smaller(words, message):
    assert "smaller" in message
    return [*words[:1], "3-2", *words[2:]]


def fewer(words, message):
    """A smaller number behind the option that is named."""
    option = re.search(r"Ask for fewer examples: (--\w+)\.$", last_of(message))[1]
    at = words.index(option) + 1
    return [*words[:at], "7", *words[at + 1 :]]


def shipped(words, message):
    """One of the data sets that the message names, in place of the one that is not there."""
    wrong = re.search(r"(\S+) cannot be found", message)[1]
    known = re.search(r"or one of (.*)\.$", last_of(message))[1].split(", ")
    return [known[-1] if word == wrong else word for word in words]


def installed(words, message):
    """Nothing is installed in a test: the extra is one of the project, and has the package."""
    package, extra = re.search(
        r"needs (\w+).*pip install 'jacobian-bp\[(\w+)\]'", message, re.S
    ).groups()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert any(re.match(rf"{package}\b", each) for each in extras[extra])
    return without(words, option_in(message))


def in_the_environment(words, message):
    """The other way: a variable in front of the command, and the option left out."""
    name, count = re.search(r"(\w+_NUM_THREADS)=(\d+) in front", message).groups()
    assert count == words[words.index("--threads") + 1]
    assert name.isupper()
    return installed(words, message)


def on_a_terminal(monkeypatch):
    """Every comparison is a long one, and somebody looks on."""
    monkeypatch.setattr(forecast, "PATIENCE", 1e-9)
    monkeypatch.setattr(terminal, "is_watched", lambda: True)


def with_little_memory(monkeypatch):
    monkeypatch.setattr(terminal, "is_watched", lambda: True)
    monkeypatch.setenv("JACOBIAN_BP_MEMORY_LIMIT", "700")


def out_of_memory(monkeypatch):
    def fails(options, parser):
        if options.network == "999-99":
            raise MemoryError
        return case_of(options, parser)

    monkeypatch.setattr(cli, "case_of", fails)


def not_measured(monkeypatch):
    """What a preset measures takes long; its options are read all the same."""
    monkeypatch.setattr(command, "lines_of", lambda asked, journal: [["measured"]])


def with_threads(monkeypatch):
    limits = SimpleNamespace(threadpool_limits=lambda *_: nullcontext(), threadpool_info=list)
    monkeypatch.setitem(sys.modules, "threadpoolctl", limits)


def with_matplotlib(monkeypatch):
    """Without drawing."""
    monkeypatch.setattr(report_options, "require_matplotlib", lambda: None)
    not_measured(monkeypatch)


def without_package(name):
    return lambda monkeypatch: monkeypatch.setitem(sys.modules, name, None)


def with_a_file(monkeypatch):
    assert main(["new", "net.toml"]) == 0


OF_IRIS = "--data iris --target species --loss cross_entropy"
PROGRAM = '[program]\nlines = ["z = Linear(u, W)", "J = HalfSquaredError(z, y)"]\n'
PROGRAM += "[weights]\nW = [[2.0, 3.0]]\n"
INPUTS = {"u": "[5.0, 7.0]", "x": "[5.0, 7.0]", "y": "[0.5]"}


def with_a_program(monkeypatch):
    """A network of u and y, with its data in one file and without in another."""
    Path("bare.toml").write_text(PROGRAM, encoding="utf-8")
    Path("of_u.toml").write_text(f"{PROGRAM}[data]\nu = {INPUTS['u']}\ny = [0.5]\n", "utf-8")


def with_its_data(words, message):
    table, names = re.search(r"Add a table (\[data\]) with (.*)\.", message).groups()
    data = "".join(f"{name} = {INPUTS[name]}\n" for name in names.split(", "))
    Path("whole.toml").write_text(f"{PROGRAM}{table}\n{data}", encoding="utf-8")
    return [words[0], "whole.toml"]


def under_the_name(words, message):
    name = re.search(r"Call its data (\w)\.", message)[1]
    text = Path("of_u.toml").read_text("utf-8")
    named = text.replace("(u", f"({name}").replace("\nu =", f"\n{name} =")
    Path("named.toml").write_text(named, encoding="utf-8")
    return [words[0], "named.toml", *words[2:]]


def a_formula(words, message):
    formula = re.search(r"Write one: jacobian-bp derive '(.+)'\.", message)[1]
    return [words[0], formula, "--wrt", "W"]


ROWS = {  # the command, how its message is read, and what it takes to be refused
    "derive 4-5-x": such_as,
    "derive 4-0-3": such_as,
    "derive 4": such_as,
    "derive --seed 5": with_sizes,
    "derive auto-1": a_file_of_data,
    "derive 4-3 --wrt W1": a_formula,
    "check 4-1 --target species": a_file_of_data,
    "check 4-3 --loss bcee": meant,
    "check 4-3 --loss mse": listed,
    "check 4-3 --activations sigmod": meant,
    "check 4-3 --activations step": listed,
    "check 4-3 --reduction avg": listed,
    "check 4-3 --layout flatt": meant,
    "derive 4-3 --layout mine": listed,
    "derive 4-3 --static": page_written,
    "derive 4-3 --static --second": page_written,
    "derive 4-3 --mistakes": page_written,
    "derive 4-3 --level 1 --out a.html": with_mistakes,
    "derive 4-3 --mistakes --level 4 --out a.html": level_told,
    f"derive 5-3 {OF_IRIS}": the_sizes,
    "check 4-1 --data iris --target speces": meant,
    f"check 4-3 {OF_IRIS} --example 3 --batch 7": left_out,
    "check 4-1 --data irs --target species": shipped,
    "check net.toml --seed 5": (into_the_file, with_a_file),
    "derive bare.toml": (with_its_data, with_a_program),
    "compare of_u.toml": (under_the_name, with_a_program),
    "check 4-3 --batch 999999999": fewer,
    "check 999-99": (smaller, out_of_memory),
    "show dz2": such_as,
    "show dW2/dz2": turned_round,
    "show dW2/dx": a_computed_one,
    "new ''": the_command,
    "compare 3-2 --all": left_out,
    "compare 3-2 --convention first_seed": left_out,
    "compare 3-2 --dtype float23": meant,
    "compare 3-2 --dtype int": listed,
    "compare --preset weight-jacobien": (meant, not_measured),
    "compare --preset mine": (listed, not_measured),
    "compare --widths 3 --preset growth": (left_out, not_measured),
    "compare --dtype float32 --preset growth": (left_out, not_measured),
    "compare 3-2 --preset growth": (network_left_out, not_measured),
    "compare 3-2 --widths 3": network_left_out,
    "compare --seed 3 --raw --widths 3": left_out,
    "compare 3-2 --workers 2": left_out,
    "compare 3-2 --threads 0": (shown_value, with_threads),
    "compare 3-2 --repeats x": shown_value,
    "compare 3-2 --plot x.png": (in_place_of_the_network, with_matplotlib),
    "compare --plot x.png": (shown_value, with_matplotlib),
    "compare 3-2 --json r.txt": shown_value,
    "compare 3-2 --csv no/r.csv": another_file,
    "compare 3-2 --against torch,torch": each_once,
    "compare 3-2 --against torhc": meant,
    "compare 3-2 --against numpy": listed,
    "compare --batch 3 --batches 2": left_out,
    "compare --widths 2,3 --depths 1,2": one_size_to_others,
    "compare --widths 2 --batch 0": shown_value,
    "compare --widths 2,x": shown_value,
    "compare --widths 2,2": each_once,
    "compare 3-2": (added, on_a_terminal),
    "compare 3-2-3": (added, with_little_memory),
    "compare --widths 2": (added, on_a_terminal),
    "compare 3-2 --csv r.txt": shown_value,
    "compare --widths 3 --plot x.png": (installed, without_package("matplotlib.figure")),
    "compare 3-2 --threads 2": (in_the_environment, without_package("threadpoolctl")),
}
NOT_FOLLOWED = {  # why no command provokes it
    "compare/timing/machine.py: Build Dependencies": "a key of numpy's configuration",
    "compare/cost/cost_card.py: Write one of ….": "in Python only: followed below",
    "compare/cost/elimination.py: Write one of ….": "in Python only: followed below",
}


@pytest.fixture
def refused(monkeypatch, tmp_path, capsys):
    """The message by which a command is refused, in an empty folder."""

    def message(words, setup):
        monkeypatch.chdir(tmp_path)
        setup(monkeypatch)
        capsys.readouterr()
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        return re.sub(r".*?\w+Error: |^jacobian-bp: ", "", err, count=1, flags=re.S)

    return message


def row(name):
    """The words of a command, how its message is read, and what comes before it."""
    found = ROWS[name]
    follow, setup = found if isinstance(found, tuple) else (found, lambda monkeypatch: None)
    quick = QUICK * (name.startswith("compare") and "--repeats" not in name)
    return [*shlex.split(name), *quick], follow, setup


@pytest.mark.one_in(10)
@pytest.mark.parametrize("name", ROWS)
def test_what_a_command_is_told_is_done_and_it_works(name, refused, capsys):
    words, follow, setup = row(name)
    done = follow(words, refused(words, setup))
    assert done != words
    code = main(done)
    out, err = capsys.readouterr()
    assert (code, "Error" in err) == (0, False), err
    assert out


def test_no_advice_of_the_commands_is_without_a_row(tmp_path, capsys):
    told, advice = [], advice_in(*ROOMS)
    for number, name in enumerate(ROWS):
        words, _, setup = row(name)
        (tmp_path / str(number)).mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path / str(number))
            setup(patch)
            with lines_run(advice) as lines:
                main(words)
            told.append(Told(capsys.readouterr().err, lines))
    assert not_covered(advice, told) == sorted(NOT_FOLLOWED)
    assert len(not_covered(advice, told[: len(told) // 2])) > len(NOT_FOLLOWED)


def test_an_order_of_elimination_is_one_of_those_that_are_named():
    run = second_seed().run(X, Y)
    with pytest.raises(JacobianError) as caught:
        elimination_orders(run, orders=["backward"])
    named = re.search(r"Write one of (.+)\.$", str(caught.value))[1].split(", ")
    assert [found.order for found in elimination_orders(run, orders=named)] == named


def test_a_route_of_a_cost_card_is_one_of_those_that_are_named():
    run = second_seed().run(X, Y)
    with pytest.raises(JacobianError) as caught:
        cost_card(run, ["vpj"])
    close = re.search(r"Did you mean (\S+)\?", str(caught.value))[1]
    named = re.search(r"Write one of (.*)\.$", str(caught.value))[1].split("; ")
    assert [cost.route for cost in cost_card(run, [close, *named])] == [close, *named]
