"""A course in a folder, and ways of doing what a message about it advises."""

import os
import re
import shlex
import sys
from functools import partial
from pathlib import Path

import numpy as np
from followed import left_out, without
from grading_cases import SECRET, own_sheet, sheet

from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.sheet import sheet_text

NET = """\
[network]
sizes = [3, 2]
activations = "tanh"
loss = "squared_error"
"""
DATA = "[data]\nx = [2.0, 3.0, 5.0]\ny = [0.25, -0.5]\n"
OWN = """\
import numpy as np
from jacobian_bp.coursework.exercises.accepted_forms import only
from jacobian_bp.coursework.exercises.questions import ArrayQuestion
from jacobian_bp.coursework.exercises.task import Exercise, Planted, Task


def attempt(rng):
    v = np.round(rng.uniform(1, 2, 3), 2)
    return Task((ArrayQuestion("d", "2 v", "2 * v", only(2.0 * v)),), {"v": v})


EXERCISE = Exercise(number=100, title='t', statement='s', hints=('h',), attempt=attempt)
"""
CODE = "def backward(a1, y, x):\n    d1 = (1 - a1**2) * 2 * (a1 - y)\n    dW1 = np.outer(d1, x)\n"


def put(name, content):
    """What a file of the course holds in a row."""
    return lambda: Path(name).write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


def edit(name, old, new):
    """Some text of a file of the course exchanged in a row."""

    def edited():
        text = Path(name).read_text("utf-8")
        assert text.count(old) == 1, (old, text.count(old))
        Path(name).write_text(text.replace(old, new), encoding="utf-8")

    return edited


def fresh_course():
    """What an instructor and a student have, in the present folder."""
    put("net.toml", NET + DATA)()
    np.savez("answer.npz", dW1=np.ones((2, 3)))
    put("backward.py", CODE)()
    put("class.csv", "student,name\nada,L.\nbob,B.\n")()
    put("secret.txt", SECRET)()
    put("ex2.py", sheet())()
    put("my.py", OWN)()
    tasks = [find_exercise(number).make(7) for number in (2, 3)]
    put("ex2_3.py", sheet_text(tasks, "ex2_3.py", solution=True))()
    for folder, text in (("in", own_sheet), ("practice", lambda student: sheet())):
        os.mkdir(folder)
        for student in ("ada", "bob"):
            put(f"{folder}/{student}.py", text(student))()
    os.mkdir("results")


def last_of(message):
    return message.rstrip().splitlines()[-1]


def said(pattern, message):
    found = re.search(pattern, message)
    assert found, (pattern, message)
    return found[1]


def such_as(words, message, pattern=r"such as (\S+?)[,.]? *(?:or .*)?$"):
    """The name that is shown, in place of the one that the message names first."""
    wrong = said(r"^(\S+?)[ :]", message)
    told = said(pattern, last_of(message))
    return [word.replace(wrong, told) for word in words]


def the_command(words, message):
    """The command that the message shows."""
    return shlex.split(said(r"jacobian-bp ([^;,]*?)(?:, or .*|;.*|\.)?$", message.splitlines()[1]))


def number_told(words, message):
    """The first number that is told, behind the option or in place of the wrong word."""
    number = said(r"from (\d+)|above (\d+)", last_of(message).replace("above 0", "from 1"))
    option = re.search(r"--[a-z]+", message)
    if option:
        return [*without(words, option[0]), option[0], number]
    wrong = next(
        word for word in words if re.search(rf"\b{re.escape(word)}\b", message.split("\n")[0])
    )
    return [number if word == wrong else word for word in words]


def each_once(words, message):
    assert "each exercise once" in message
    twice = said(r"exercise (\d+) is written twice", message)
    at = len(words) - 1 - words[::-1].index(twice)
    return words[:at] + words[at + 1 :]


def option_with(value, *more):
    """The first option of the last line, with a value of the reader's own."""

    def followed(words, message):
        option = said(r"(--[a-z-]+)", last_of(message))
        return [*without(words, option), option, value, *more]

    return followed


def told_option(words, message):
    """All options with their values that the last line shows."""
    way = last_of(message).partition(";")[0]
    for option, value in re.findall(r"(--[a-z-]+) ([^\s,;.]+[^\s;.]*(?:\.\w+)?)", way):
        words = [*without(words, option), option, value.rstrip(",")]
    return words


def another(old, new, sentence):
    """Another file or folder, where the message says so."""

    def followed(words, message):
        assert re.search(sentence, message), message
        return [word.replace(old, new) for word in words]

    return followed


def moved(old, new, sentence):
    """The file is moved to where the message allows it."""

    def followed(words, message):
        os.replace(old, new)
        return another(old, new, sentence)(words, message)

    return followed


def mended(name, change, sentence):
    """The file is changed as the message says."""

    def followed(words, message):
        assert re.search(sentence, message), message
        path = Path(name)
        content = path.read_bytes()
        new = change(content, message)
        path.write_bytes(new if isinstance(new, bytes) else new.encode())
        return words

    return followed


def as_utf8(content, message):
    return content.decode("latin-1")


def replaced(old, new):
    """`new` in place of `old`: a text, or what is found in the message."""

    def change(content, message):
        told = new if isinstance(new, str) else new(message)
        assert content.decode().count(old) >= 1
        return content.decode().replace(old, told)

    return change


def from_message(pattern):
    return partial(said, pattern)


def taken_out(words, message):
    """The file that the message names is taken out of the folder."""
    assert "out of the folder" in message
    folder = Path(words[words.index("--submission") + 1])
    (folder / said(r"(\w+\.\w+)[: ]", message)).unlink()
    return words


def a_fresh_sheet(words, message):
    assert re.search("fresh sheet|sheet again|as it was|as it is", message), message
    file = next(word for word in words if Path(word).suffix in (".py", ".ipynb"))
    task = find_exercise(2).make(7)
    Path(file).write_text(sheet_text(task, file, solution=True), encoding="utf-8")
    return words


def one_of_them(words, message):
    """Of two options that exclude each other the first is left out."""
    return left_out(words, message)


def a_secret(words, message):
    """The command that is shown makes one."""
    line = said(r"Make one: (.*)$", last_of(message))
    code, file = re.fullmatch(r'python3 -c "(.*)" > (\S+)', line).groups()
    assert os.system(f'"{sys.executable}" -c "{code}" > {file}') == 0
    return words


def fill_in(name, content, sentence):
    def followed(words, message):
        assert re.search(sentence, message), message
        put(name, content)()
        return words

    return followed


def of_own(text, change, sentence):
    """An exercise in my.py that is wrong, and what is told about it."""
    return ("exercise list --exercise my.py", mended("my.py", change, sentence), *text)
