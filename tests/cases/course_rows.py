"""Commands about coursework that are refused: the command, what is done then, what is wrong.

What is done is taken out of the message, and is no more than that.
"""

import os
import re
import shutil
from functools import cache

import numpy as np
from course_hints import (
    CODE,
    DATA,
    NET,
    OWN,
    a_fresh_sheet,
    a_secret,
    another,
    as_utf8,
    each_once,
    edit,
    mended,
    moved,
    number_told,
    one_of_them,
    option_with,
    put,
    replaced,
    said,
    such_as,
    taken_out,
    the_command,
    told_option,
)
from followed import left_out, without
from grading_cases import own_sheet, sheet

from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.sheet import sheet_text

OF_CLASS = "grade --exercise 2 --roster class.csv"
BY_SECRET = f"{OF_CLASS} --submission in --secret-file secret.txt --sheet-seed own"
NEW_CLASS = "exercise new 2 --secret-file secret.txt"
HEAD = "# jacobian-bp exercise 2, seed 7"
LATIN = "# größe\n".encode("latin-1")

DIAGNOSE = {
    "nothing to diagnose": ("diagnose net.toml", the_command),
    "a function without code": ("diagnose net.toml --line 'd1 @ W1' --function f", left_out),
    "a target of arrays": ("diagnose net.toml answer.npz --target z1", left_out),
    "a layout of a line": ("diagnose net.toml --line 'd1 @ W1' --layout flat", left_out),
    "data of a network file": ("diagnose net.toml answer.npz --data answer.npz", left_out),
    "a layout of code": ("diagnose net.toml --code backward.py --layout flat", left_out),
    "half a convention": (
        "diagnose net.toml --code backward.py --examples columns",
        told_option,
    ),
    "two conventions": (
        "diagnose net.toml --code backward.py --examples rows --convention ng",
        left_out,
    ),
    "no such place of the examples": (
        "diagnose net.toml --line 'd1 @ W1' --examples diagonal",
        lambda words, message: [
            re.search(r"Write (\w+) or", message)[1] if word == "diagonal" else word
            for word in words
        ],
    ),
    "no such code": (
        "diagnose net.toml --code back.py",
        another("back.py", "backward.py", "Name a file of Python"),
    ),
    "code in another encoding": (
        "diagnose net.toml --code backward.py",
        mended("backward.py", as_utf8, "Save it as UTF-8"),
        lambda: put("backward.py", LATIN + CODE.encode())(),
    ),
    "no number": ("diagnose net.toml --code backward.py --let reg", told_option),
    "no data": (
        "diagnose net.toml answer.npz",
        mended(
            "net.toml", lambda content, message: content + DATA.encode(), r"Add a table \[data\]"
        ),
        put("net.toml", NET),
    ),
}

EXERCISE = {
    "a folder without a class": (
        "exercise new 2 --secret-file secret.txt --out-dir sheets",
        told_option,
    ),
    "a seed of a class": (f"{NEW_CLASS} --seed 3 --roster class.csv --out-dir sheets", left_out),
    "a class without a folder": (f"{NEW_CLASS} --roster class.csv", told_option),
    "twice": ("exercise new 2 2 --out s.py", each_once),
    "one sheet": (
        "exercise new 3 --notebook",
        lambda words, message: [
            *words[:3],
            "--out",
            said(r"--out (\w+\.\w+),", message).replace("2", "3"),
        ],
    ),
    "none": ("exercise new", the_command, lambda: os.remove("ex2.py")),
    "a secret of nobody": (
        "exercise new 2 --secret-file secret.txt --out s.py",
        option_with("ada"),
    ),
    "a student without a secret": (
        "exercise new 2 --student ada --out s.py",
        option_with("secret.txt"),
    ),
    "a student without a name": (
        f"{NEW_CLASS} --student ' ' --out s.py",
        option_with("ada"),
    ),
    "two ways of a seed": (f"{NEW_CLASS} --seed 7 --student ada --out s.py", left_out),
    "a page of nothing": ("exercise explore", the_command),
    "a page of two": (
        "exercise explore two.py --out a.html",
        the_command,
        lambda: main(["exercise", "new", "3", "2", "--out", "two.py"]),
    ),
    "a hint of nothing": ("exercise hint", the_command),
    "hints of a word": ("exercise hint softmax", the_command),
    "a level": ("exercise check ex2.py --level 9", number_told),
    "no such exercise": (
        "exercise hint 99",
        lambda words, message: [*words[:-1], said(r"from 1 to (\d+)", message)],
    ),
    "no such exercise, but of one's own": (
        "exercise hint 100",
        lambda words, message: [*words, said(r"needs its file: (--\w+) my", message), "my.py"],
    ),
    "a short secret": (f"{NEW_CLASS} --student ada --out s.py", a_secret, put("secret.txt", "x")),
    "no secret": (
        "exercise new 2 --student ada --out s.py --secret-file none.txt",
        another("none.txt", "secret.txt", "Name the file with the course's secret"),
    ),
    "a sheet by no name": (
        "exercise new 2 --out sheet.txt",
        lambda words, message: [*words[:-1], said(r"such as (\S+) or", message).replace("2", "02")],
    ),
    "a file that is there": (
        "exercise new 2 --out ex2.py",
        another("ex2.py", "other.py", "Choose another name"),
    ),
    "sheets that are there": (
        f"{NEW_CLASS} --roster class.csv --out-dir in",
        another("in", "out", "Name another folder"),
    ),
    "a folder that cannot be": (
        f"{NEW_CLASS} --roster class.csv --out-dir ex2.py",
        another("ex2.py", "out", "Choose another folder"),
    ),
    "an ending": (
        "exercise check ex2.txt",
        lambda words, message: [
            word.replace(".txt", said(r"neither in (\.\w+)", message)) for word in words
        ],
    ),
    "not there": (
        "exercise check ex3.py",
        another("ex3.py", "ex2.py", "Name a sheet that you filled in"),
    ),
    "not UTF-8": (
        "exercise check ex2.py",
        mended("ex2.py", as_utf8, "Save the file as UTF-8"),
        lambda: put("ex2.py", sheet().encode() + LATIN)(),
    ),
    "too much code": (
        "exercise check ex2.py",
        mended("ex2.py", lambda *_: sheet(), "with your lines alone"),
        lambda: put("ex2.py", sheet() + "# more\n" * 100_000)(),
    ),
    "no JSON": ("exercise check ex2.ipynb", a_fresh_sheet, put("ex2.ipynb", "{")),
    "another format": ("exercise check ex2.ipynb", a_fresh_sheet, put("ex2.ipynb", "{}")),
    "a cell of numbers": (
        "exercise check ex2.ipynb",
        a_fresh_sheet,
        put("ex2.ipynb", '{"cells": [{"cell_type": "code", "source": [1]}]}'),
    ),
    "no first line": ("exercise check ex2.py", a_fresh_sheet, put("ex2.py", "x = 1\n")),
    "a seed beyond": (
        "exercise check ex2.py",
        a_fresh_sheet,
        edit("ex2.py", HEAD, f"# jacobian-bp exercise 2, seed {2**64}"),
    ),
    "another seed": (
        "exercise check ex2.py",
        a_fresh_sheet,
        edit("ex2.py", HEAD, HEAD.replace("7", "8")),
    ),
    "numbers of a token changed": (
        "exercise check in/ada.py",
        lambda words, message: a_fresh_sheet([*words[:-1], "ex2.py"], message),
        lambda: put(
            "in/ada.py",
            re.sub(r"W1 = np\.array\(.*?\)\n", "W1 = 3\n", own_sheet("ada"), count=1, flags=re.S),
        )(),
    ),
}

GRADE = {
    "nothing to grade": ("grade", the_command),
    "twice": ("grade --exercise 2 2 --submission ex2.py", each_once),
    "one file for two": (
        "grade --exercise 2 3 --submission ex2.py --out r.json",
        lambda words, message: [
            *["grade", "--exercise", said(r"Write --exercise (\d+)", message)],
            *words[words.index("--submission") :],
        ],
    ),
    "a student of a folder": (
        "grade --exercise 2 --submission in --out-dir results --student ada "
        "--secret-file secret.txt",
        lambda words, message: without(words, said(r"Leave (--\w+) away", message)),
    ),
    "two places": (
        "grade --exercise 2 --submission ex2.py --out r.json --out-dir results",
        lambda words, message: without(words, said(r"(--out-dir) is for a folder", message)),
    ),
    "a format": (
        "grade --exercise 2 --submission ex2.py --format pdf",
        lambda words, message: [*words[:-1], said(r"Write one of (\w+),", message)],
    ),
    "a secret of nobody": (
        "grade --exercise 2 --submission in/ada.py --secret-file secret.txt",
        option_with("ada"),
    ),
    "a seed beside a secret": (
        "grade --exercise 2 --submission in/ada.py --secret-file secret.txt --student ada "
        "--sheet-seed 7",
        told_option,
    ),
    "no seed": (
        "grade --exercise 2 --submission ex2.py --sheet-seed x",
        lambda words, message: [*words[:-1], "7"] if "0 to 2**64 - 1" in message else words,
    ),
    "seconds": ("grade --exercise 2 --submission ex2.py --seconds 0", number_told),
    "memory": ("grade --exercise 2 --submission ex2.py --memory 1", number_told),
    "no worker": (
        "grade --exercise 2 --submission ex2.py --workers 0",
        lambda words, message: [*words[:-1], said(r"from (\d)", message)],
    ),
    "workers of one": (
        "grade --exercise 2 --submission ex2.py --workers 2",
        lambda words, message: without(words, said(r"leave (--\w+) out", message)),
    ),
    "a level": (
        "grade --exercise 2 --submission ex2.py --level 9",
        lambda words, message: [*words[:-1], said(r"from (\d)", message)],
    ),
    "points of nothing": ("grade --exercise 2 --submission ex2.py --points 0", number_told),
    "points for others": (
        "grade --exercise 2 --submission ex2.py --points 3 5",
        lambda words, message: words[:-1] if "Write one, for all" in message else words,
    ),
    "a gradebook of nobody": (
        "grade --exercise 2 --submission practice --gradebook marks.csv",
        told_option,
    ),
    "a student of a class": (f"{BY_SECRET} --student ada", one_of_them),
    "a folder": ("grade --exercise 2 --submission practice", told_option),
    "no such file": ("grade --exercise 2 --submission ex3.py", such_as),
    "no such folder": (
        "grade --exercise 2 --submission none --out-dir results",
        another("none", "practice", "Name the folder of the submissions"),
    ),
    "an empty folder": (
        "grade --exercise 2 --submission results --out-dir out",
        lambda words, message: [
            shutil.copy("ex2.py", "results/" + said(r"such as (.*?) and", message)),
            words,
        ][1],
    ),
    "an exercise among the sheets": (
        "grade --exercise practice/my.py --submission practice --out-dir results",
        moved("practice/my.py", "mine.py", "in another folder"),
        lambda: [
            put("practice/my.py", OWN)(),
            put("practice/ada.py", own_13())(),
            os.remove("practice/bob.py"),
        ],
    ),
    "tokens without a secret": (
        f"{OF_CLASS} --submission in",
        option_with("secret.txt"),
    ),
    "a token taken out": (
        f"{OF_CLASS} --submission practice",
        taken_out,
        lambda: put("practice/bob.py", own_sheet("bob"))(),
    ),
    "arrays without a seed": (
        f"{OF_CLASS} --submission practice",
        told_option,
        lambda: [os.remove("practice/bob.py"), np.savez("practice/bob.npz", dW1=1.0)],
    ),
    "arrays taken out": (
        f"{OF_CLASS} --submission practice",
        taken_out,
        lambda: [os.remove("practice/bob.py"), np.savez("practice/bob.npz", dW1=1.0)],
    ),
    "a file of arrays": (
        "grade --exercise 2 --submission ex2.npz",
        told_option,
        lambda: np.savez("ex2.npz", dW1=1.0),
    ),
    "results in the sheet's place": (
        "grade --exercise 2 --submission ex2.py --out ex2.py",
        lambda words, message: (
            [*words[:-1], "other.txt"] if "Name another file" in message else words
        ),
    ),
    "results in a folder's place": (
        "grade --exercise 2 --submission ex2.py --out results",
        lambda words, message: [*words[:-1], "r.txt"] if "Name a file for" in message else words,
    ),
    "a gradebook in the roster's place": (
        f"{BY_SECRET} --gradebook class.csv",
        lambda words, message: [*words[:-1], "m.csv"] if "Name another file" in message else words,
    ),
    "a gradebook by no name": (f"{BY_SECRET} --gradebook marks.txt", told_option),
    "a gradebook in no folder": (
        f"{BY_SECRET} --gradebook no/marks.csv",
        lambda words, message: [os.mkdir("no"), words][1] if "Make it, or" in message else words,
    ),
    "a gradebook in a folder that is closed": (
        f"{BY_SECRET} --gradebook closed/marks.csv",
        another("closed/", "", "Choose another folder"),
        lambda: os.mkdir("closed"),
    ),
    "a gradebook in a folder's place": (
        f"{BY_SECRET} --gradebook m.csv",
        another("m.csv", "n.csv", "Name a file for the gradebook"),
        lambda: os.mkdir("m.csv"),
    ),
    "a column of the gradebook": (
        f"{BY_SECRET} --gradebook m.csv",
        mended("class.csv", replaced("total", "sum"), "Give the roster's column another name"),
        put("class.csv", "student,total\nada,1\nbob,2\n"),
    ),
    "no summary": (
        "grade --summary none",
        lambda words, message: [
            put("results/a.json", "{}")(),
            [*words[:-1], "results"] if "Name the folder of the results" in message else words,
        ][1],
    ),
}


def own_13():
    """A sheet of the exercise in my.py, filled in."""
    head = next(line for line in sheet_of_13().splitlines() if line.startswith("# jacobian-bp"))
    return sheet_of_13().replace("d = None", "d = 2 * v") if head else ""


@cache
def sheet_of_13():
    from jacobian_bp.coursework.exercises.catalogue import exercises_of

    with exercises_of("my.py") as (own,):
        return sheet_text(own.make(7), "ada.py")


ROSTER = {
    "not there": (
        BY_SECRET.replace("class.csv", "klass.csv"),
        another("klass.csv", "class.csv", "Name a CSV file with a column student"),
    ),
    **{
        name: (BY_SECRET, mended("class.csv", change, sentence), put("class.csv", content))
        for name, content, change, sentence in [
            (
                "latin",
                LATIN + b"student\nada\n",
                lambda c, m: c.decode("latin-1").split("\n", 1)[1],
                "as UTF-8",
            ),
            (
                "empty",
                "",
                lambda c, m: said(r"a first line (\w+)", m) + "\nada\n",
                "a student a line",
            ),
            ("uneven", "student,name\nada\n", replaced("ada", "ada,L."), "each line as many"),
            ("twice", "student\nada\nAda\n", replaced("Ada", "bob"), "each student once"),
            ("nobody", "student\n", lambda c, m: c + b"ada\n", "Write a student a line"),
            (
                "a quote",
                'student,name\nada,"L" x\n',
                replaced('"L" x', '"""L"" x"'),
                "quotes doubled",
            ),
            (
                "a column twice",
                "student,x,x\nada,1,2\n",
                replaced("x,x", "x,y"),
                "a name of its own",
            ),
            (
                "no column",
                "pupil\nada\n",
                lambda c, m: c.decode().replace("pupil", said(r"Call the column (\w+)", m)),
                "the names of the files",
            ),
            (
                "no name",
                "student\n../ada\n",
                replaced("../ada", "ada"),
                r"beginning with none of \. and",
            ),
        ]
    },
}


def own_row(old, new, change, sentence):
    return (
        "exercise list --exercise my.py",
        mended("my.py", change, sentence),
        edit("my.py", old, new),
    )


def told_in_place_of(wrong, pattern):
    return lambda content, message: content.decode().replace(wrong, said(pattern, message))


OWN_EXERCISES = {
    "not there": (
        "exercise list --exercise none.py",
        another("none.py", "my.py", "Name a Python file with one exercise in it"),
    ),
    "NUL": (
        "exercise list --exercise my.py",
        mended("my.py", lambda *_: OWN, "Name a Python file with one exercise|Correct the line"),
        put("my.py", "\0"),
    ),
    "not UTF-8": (
        "exercise list --exercise my.py",
        mended("my.py", as_utf8, "Save the file as UTF-8"),
        lambda: put("my.py", LATIN + OWN.encode())(),
    ),
    "none in it": own_row(
        "EXERCISE = Exercise",
        "EXERCISE = dict",
        told_in_place_of("EXERCISE = dict", r"Write one in a file, (EXERCISE = Exercise)"),
        "Write one in a file",
    ),
    "a module that is missing": own_row(
        "import numpy as np\n",
        "import numpy as np\nimport numpyy\n",
        replaced("import numpyy\n", ""),
        r"Install the module numpyy, or import another",
    ),
    "a number that is taken": own_row(
        "number=100",
        "number=2",
        lambda c, m: c.decode().replace("number=2", "number=" + said(r"such as (\d+)", m)),
        "Give yours another number",
    ),
    "a number that is none": own_row(
        "number=100",
        "number='100'",
        told_in_place_of("number='100'", r"such as (number=\d+)"),
        "whole",
    ),
    "no title": own_row(
        "title='t'", "title=' '", told_in_place_of("title=' '", r"Write (title='\.\.\.')"), "Write"
    ),
    "hints of one text": own_row(
        "hints=('h',)",
        "hints='h'",
        told_in_place_of("hints='h'", r"Write (hints=\(.*?\)),"),
        "Write",
    ),
    "no hints": own_row(
        "hints=('h',)", "hints='h'", told_in_place_of("hints='h'", r"or (hints=\(\))"), "Write"
    ),
    "attempt is called": own_row(
        "attempt=attempt)",
        "attempt=3)",
        replaced("attempt=3", "attempt=attempt"),
        r"Write def attempt\(rng\)",
    ),
    "nothing is asked": own_row(
        'Task((ArrayQuestion("d", "2 v", "2 * v", only(2.0 * v)),), {"v": v})',
        'Task((), {"v": v})',
        lambda c, m: c.decode().replace(
            'Task((), {"v": v})',
            said(r"Write (Task\(questions=\(\.\.\.\), given=\{\.\.\.\}\))", m)
            .replace("(...)", '(ArrayQuestion("d", "2 v", "2 * v", only(2.0 * v)),)')
            .replace("{...}", '{"v": v}'),
        ),
        "Write Task",
    ),
    "a question that is none": own_row(
        '(ArrayQuestion("d", "2 v", "2 * v", only(2.0 * v)),)',
        '("d",)',
        lambda c, m: c.decode().replace(
            '("d",)',
            "(" + said(r"Write (ArrayQuestion)", m) + '("d", "2 v", "2 * v", only(2.0 * v)),)',
        ),
        "Write ArrayQuestion",
    ),
    "no name of Python": own_row(
        '"d", "2 v"',
        '"d-2", "2 v"',
        told_in_place_of('"d-2"', r"Write such as ('\w+')"),
        "Write such as",
    ),
    "a name that is taken": own_row(
        '"d", "2 v"', '"v", "2 v"', replaced('"v", "2 v"', '"w", "2 v"'), "Give each answer"
    ),
    "a mistake in no answer": own_row(
        "attempt=attempt)",
        "attempt=attempt, mistakes=(Planted('m', {'dd': '3 * v'}, 'w'),))",
        lambda c, m: c.decode().replace("'dd'", repr(said(r"Write one of (\w+)", m))),
        "Write one of",
    ),
    "a value that is not given back": own_row(
        '{"v": v}', '{"v": v, "u": np.inf}', replaced("np.inf", "2.0"), "Give finite numbers"
    ),
    "a solution that is wrong": own_row(
        '"2 * v", only(2.0',
        '"2 * v", only(3.0',
        replaced("only(3.0", "only(2.0"),
        "Make the line '2 \\* v'",
    ),
    "forward that reads nothing": own_row(
        '{"v": v})',
        '{"v": v}, forward="u = w")',
        replaced("u = w", "u = 2 * v"),
        "Write forward in np",
    ),
}
WHEEL = "jacobian_bp-0.2-py3-none-any.whl"


def results_first(words, message):
    """What the message shows is called, and its results put into the folder."""
    assert main(the_command(words, message)) in (0, 1)
    os.replace("exercise-2.json", "empty/exercise-2.json")
    return words


def a_wheel(words, message):
    """The wheel is made, and named."""
    assert re.search(r"[nN]ame (the wheel, )?jacobian_bp-….whl", message), message
    put(WHEEL, "PK")()
    return [*without(words, "--wheel"), "--wheel", WHEEL]


COURSE = {
    "no folder": ("course new", the_command),
    "a folder that is there": ("course new in", another("in", "spring", "Choose another folder")),
    "no wheel": ("course new spring --wheel class.csv", a_wheel),
    "no such wheel": (f"course new spring --wheel none/{WHEEL}", a_wheel),
    "no results": ("course results empty", results_first, lambda: os.mkdir("empty")),
}
COMMANDS = {
    f"{kind}: {name}": row
    for kind, rows in [
        ("diagnose", DIAGNOSE),
        ("exercise", EXERCISE),
        ("grade", GRADE),
        ("roster", ROSTER),
        ("own", OWN_EXERCISES),
        ("course", COURSE),
    ]
    for name, row in rows.items()
}
