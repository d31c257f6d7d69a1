"""A class, from the roster to the gradebook: sheets, grades, and what is wrong with either."""

import csv
import io
import json
import re
import shlex
import shutil

import pytest
from grading_cases import command, write

from jacobian_bp.cli import Parser
from jacobian_bp.coursework.commands import exercise, grade
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.sheet import sheet_text
from jacobian_bp.coursework.exercises.submission import read_parts, read_submission
from jacobian_bp.coursework.grading.gradebook import points_of
from jacobian_bp.coursework.grading.roster import read_roster
from jacobian_bp.errors import SpecError

SECRET = b"a secret of a course"
CLASS = 'student,name\nada,"L, Ada"\nbob,Bob\neve,Eve\nkim@x.org,Kim\nmax,Max\n'
OF_BOB = "exercise 2: sign; exercise 3: another-exercise"
SIGN = ("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")


def new(*words):
    """jacobian-bp exercise new, as the command line calls it; the exit code."""
    parser = Parser()
    exercise.add_parser(parser.add_subparsers(dest="command"))
    return exercise.run_command(parser.parse_args(["exercise", "new", *map(str, words)]))


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with a roster and a secret, the present one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JACOBIAN_BP_SECRET", raising=False)
    begun(tmp_path)
    return tmp_path


def begun(folder):
    write(folder, CLASS, "class.csv")
    (folder / "secret.txt").write_bytes(SECRET)
    (folder / "secret.txt").chmod(0o600)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """A course whose students hand in scripts, notebooks and arrays; it is copied."""
    folder = tmp_path_factory.mktemp("handed_in")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        begun(folder)
        new(2, 3, *OF_CLASS, "--out-dir", "in")
        new(2, 3, *OF_CLASS, "--out-dir", "in", "--notebook")
    for name in ("ada.py", "bob.ipynb", "eve.ipynb", "kim@x.org.py", "max.py"):
        (folder / "in" / name).unlink()
    for name in ("kim@x.org.ipynb", "max.ipynb"):
        (folder / "in" / name).unlink()
    write(folder / "in", "", "kim@x.org.npz")
    return folder


OF_CLASS = ("--roster", "class.csv", "--secret-file", "secret.txt")


def filled_in(course, *words):
    """The sheets of the class in the folder `in`, filled in, as students would hand them in."""
    assert new(*words, *OF_CLASS, "--out-dir", "in", "--solution") == 0
    for path in list((course / "in").glob("*_solution.*")):
        path.rename(path.with_stem(path.stem.removesuffix("_solution")))


def changed(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def test_a_class_from_roster_to_gradebook(course, capsys):
    assert new(2, 3, *OF_CLASS, "--out-dir", "sheets") == 0
    said = capsys.readouterr().out
    assert said.startswith("written: 5 sheets, ada.py to max.py\nnext: jacobian-bp grade ")
    names = ["ada.py", "bob.py", "eve.py", "kim@x.org.py", "max.py"]
    assert sorted(path.name for path in (course / "sheets").iterdir()) == names
    filled_in(course, 2, 3)
    folder = course / "in"
    (folder / "eve.py").unlink()
    (folder / "max.py").rename(folder / "Max.py")
    changed(folder / "bob.py", *SIGN)
    part = (folder / "bob.py").read_text().split("# jacobian-bp exercise 3")[0]
    write(folder, part, "bob.py")  # nothing of exercise 3
    write(folder, "notes", "notes.txt")
    call = ("--exercise", 2, 3, "--submission", "in", *OF_CLASS, "--sheet-seed", "own")
    capsys.readouterr()
    assert command(*call, "--points", 20, 10, "--gradebook", "marks.csv") == 1
    assert capsys.readouterr().out.splitlines() == [
        "student    exercise 2  exercise 3   total  remark",
        "of                 20          10      30",
        "ada                20          10      30",
        f"bob             17.71           0   17.71  {OF_BOB}",
        "eve                 0           0       0  handed in nothing",
        "kim@x.org          20          10      30",
        "max                 0           0       0  handed in nothing",
        "left out  Max.py: Max is not on the roster; max is",
        "left out  notes.txt: ends in none of .py, .ipynb, .npz",
    ]
    assert list(csv.reader(io.StringIO((course / "marks.csv").read_text()))) == [
        ["student", "name", "exercise 2", "exercise 3", "total", "of", "remark"],
        ["ada", "L, Ada", "20", "10", "30", "30", ""],
        ["bob", "Bob", "17.71", "0", "17.71", "30", OF_BOB],
        ["eve", "Eve", "0", "0", "0", "30", "handed in nothing"],
        ["kim@x.org", "Kim", "20", "10", "30", "30", ""],
        ["max", "Max", "0", "0", "0", "30", "handed in nothing"],
    ]


def test_the_sheets_of_a_class_are_those_of_each_student(course):
    """The roster's sheet of ada is the one that ada alone would get, as a notebook too."""
    assert new(2, *OF_CLASS, "--out-dir", "sheets") == 0
    assert new(2, *OF_CLASS, "--out-dir", "sheets", "--notebook") == 0
    for ending in ("py", "ipynb"):
        alone = ("--student", "ada", "--secret-file", "secret.txt", "--out", f"ada.{ending}")
        assert new(2, *alone) == 0
        own = (course / "sheets" / f"ada.{ending}").read_bytes()
        assert own == (course / f"ada.{ending}").read_bytes()
        assert own != (course / "sheets" / f"bob.{ending}").read_bytes()


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("ending", "words"), [("py", ()), ("ipynb", ("--notebook",))])
def test_solutions_of_a_class_are_told_from_its_sheets_and_the_next_step_grades_one(
    course, capsys, ending, words
):
    write(course, "student\nada b\nzoe\n", "class.csv")
    assert new(3, *OF_CLASS, "--out-dir", "my sheets", *words) == 0
    before = {p.name: p.read_bytes() for p in (course / "my sheets").iterdir()}
    capsys.readouterr()
    assert new(3, *OF_CLASS, "--out-dir", "my sheets", "--solution", *words) == 0
    written, *following = capsys.readouterr().out.splitlines()
    assert written == f"written: 2 solutions, ada b_solution.{ending} to zoe_solution.{ending}"
    there = {p.name: p.read_bytes() for p in (course / "my sheets").iterdir()}
    assert {name: there[name] for name in before} == before
    assert set(there) - set(before) == {f"ada b_solution.{ending}", f"zoe_solution.{ending}"}
    step = shlex.split(" ".join(map(str.strip, following)).removeprefix("next: "))
    assert step[:2] == ["jacobian-bp", "grade"]
    assert command(*step[2:]) == 0  # the solution has all points
    assert capsys.readouterr().out.endswith("score     22 of 22\n")
    assert new(3, "--seed", 7) == new(3, "--seed", 7, "--solution") == 0
    assert {"ex3.py", "ex3_solution.py"} <= {path.name for path in course.iterdir()}


def test_a_class_where_all_is_right_and_one_that_cannot_be_graded(course, capsys, monkeypatch):
    write(course, "student\nada\nbob\n", "class.csv")
    filled_in(course, 3)
    call = ("--exercise", 3, "--submission", "in", *OF_CLASS, "--sheet-seed", "own")
    assert command(*call, "--out-dir", "results", "--format", "json") == 0
    records = {p.name: json.loads(p.read_text()) for p in (course / "results").iterdir()}
    assert {name: record["ok"] for name, record in records.items()} == {
        "ada.py.json": True,
        "bob.py.json": True,
    }

    def broken(path, *args):
        if "ada" in path:
            raise ZeroDivisionError("oh")
        return graded(path, *args)

    graded = grade.grade_file
    monkeypatch.setattr(grade, "grade_file", broken)
    assert command(*call, "--gradebook", "marks.csv") == 1
    _, ada, bob = (course / "marks.csv").read_text().splitlines()
    assert re.fullmatch(r'ada,,,22,"?not graded: the grader failed: ZeroDivisionError in .*', ada)
    assert bob == "bob,22,22,22,"  # no point of ada's is lost, and none is made up


def test_of_two_files_of_one_student_the_better_one_counts(course, capsys):
    write(course, "student\nada\n", "class.csv")
    new(3, *OF_CLASS, "--out-dir", "in")
    filled_in(course, 3, "--notebook")
    call = ("--exercise", 3, "--submission", "in", *OF_CLASS, "--sheet-seed", "own")
    capsys.readouterr()
    assert command(*call) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "ada              22      22  the best of 2 files"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gradebook", "marks.csv"), "a gradebook needs the class."),
        ((*OF_CLASS, "--student", "ada"), "--student is for one submission, --roster for a class."),
        ((*OF_CLASS, "--out", "r.txt"), "--out is for one submission, --roster for a class."),
        ((*OF_CLASS, "--gradebook", "marks.txt"), "marks.txt does not end in .csv."),
        ((*OF_CLASS, "--gradebook", "class.csv"), "--gradebook would overwrite class.csv."),
        ((*OF_CLASS, "--gradebook", "no/m.csv"), "m.csv: its folder is not there."),
        ((*OF_CLASS, "--gradebook", f"{'m' * 300}.csv"), f"{'m' * 300}.csv cannot be written: "),
        ((*OF_CLASS, "--points", "0"), "--points has 0."),
        ((*OF_CLASS, "--points", "5", "6", "7"), "--points has 3 numbers for 2 exercises."),
        ((*OF_CLASS, "--exercise", "2", "2"), "exercise 2 is written twice."),
        (("--roster", "no.csv"), "no.csv cannot be found."),
        ((*OF_CLASS, "--submission", "empty"), "empty holds 0 submissions"),
        (("--out", "r.txt"), "--out is the file of one exercise."),
        ((*OF_CLASS, "--exercise", "in/ada.py"), "ada.py lies among the submissions, and would"),
    ],
)
def test_a_wrong_call_on_a_class_is_told_before_any_work(course, words, message, monkeypatch):
    monkeypatch.setattr(grade, "grade_file", None)  # what is not called needs not be there
    for name in ("in", "empty"):
        (course / name).mkdir()
    write(course / "in", "raise SystemExit('this was run')", "ada.py")
    with pytest.raises(SpecError) as caught:
        command("--exercise", 2, 3, "--submission", "in", *words)
    first, advice = str(caught.value).split("\n", 1)
    assert first.startswith(message)
    assert advice.startswith("  ")
    assert (course / "class.csv").read_text() == CLASS


WITHOUT_SECRET = (
    "3 of 4 files with a token, ada.ipynb, bob.py, eve.py: graded with the course's secret only, "
    "so nothing is graded.\n"
    "  Write --secret-file FILE; --sheet-seed own does not help without it. To grade practice "
    "sheets, take those with a token out of the folder."
)
ARRAYS = (
    "kim@x.org.npz does not say from which sheet its answers are; nothing is graded.\n"
    "  Write --sheet-seed {}, or take it out of the folder."
)
OWN = ("--sheet-seed", "own")
CLASS_ALONE, SECRET_ALONE = OF_CLASS[:2], OF_CLASS[2:]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "folder", [("--out-dir", "results"), (*CLASS_ALONE, "--gradebook", "m.csv")]
)
@pytest.mark.parametrize(
    ("words", "away", "message"),
    [
        ((), (), WITHOUT_SECRET),
        (OWN, (), WITHOUT_SECRET),
        (("--sheet-seed", "7"), (), WITHOUT_SECRET),
        (OWN, ("ada.ipynb", "bob.py", "eve.py"), "a student's own seed needs the course's secret."),
        ((), ("ada.ipynb", "bob.py", "eve.py"), ARRAYS.format("7, with the seed of its sheet")),
        (SECRET_ALONE, (), ARRAYS.format("own")),
        ((*SECRET_ALONE, *OWN, "--level", "9"), (), "the level is 9."),
        ((*SECRET_ALONE, *OWN, "--seconds", "0"), (), "--seconds is 0."),
        ((*SECRET_ALONE, *OWN, "--memory", "1"), (), "--memory is 1."),
        ((*SECRET_ALONE, "--sheet-seed", "7"), (), "--sheet-seed 7 is of a practice sheet; with a"),
    ],
)
def test_a_call_that_would_lose_a_gradebook_is_refused_before_any_sheet_is_run(
    course, handed_in, monkeypatch, folder, words, away, message
):
    """Not one "not graded" a student: the gradebook of the right call stays as it is."""
    shutil.copytree(handed_in, course, dirs_exist_ok=True)
    for name in away:
        (course / "in" / name).unlink()
    write(course, "a good gradebook", "m.csv")
    monkeypatch.setattr(grade, "grade_file", None)
    before = {path.name for path in course.iterdir()}
    with pytest.raises(SpecError) as caught:
        command("--exercise", 2, 3, "--submission", "in", *words, *folder)
    said = str(caught.value)
    told = " On a roster its student then stands as having handed in nothing."
    assert said.endswith(told) == ("out of the folder" in said and "--roster" in folder)
    said = said.removesuffix(told)
    assert said == message if "\n" in message else said.startswith(message)
    assert (course / "m.csv").read_text() == "a good gradebook"
    assert {path.name for path in course.iterdir()} == before


def test_what_the_refusal_of_a_class_advises_works_when_followed(course, capsys):
    write(course, "student\nada\nbob\n", "class.csv")
    filled_in(course, 3)
    task = find_exercise(3).make(7)
    (course / "in" / "bob.py").unlink()
    write(course / "in", sheet_text(task, "bob.py", solution=True), "bob.py")
    write(course / "in", "no sheet at all \0", "zoe.py")  # of nobody: neither run nor a reason
    call = ("--exercise", 3, "--submission", "in", *CLASS_ALONE)
    with pytest.raises(SpecError, match=r"^1 of 2 files with a token, ada\.py: graded with"):
        command(*call)
    capsys.readouterr()
    assert command(*call, *SECRET_ALONE) == 1
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:4]] == [
        ["ada", "22", "22"],
        ["bob", "0", "0", "practice-sheet"],
    ]
    (course / "in" / "ada.py").unlink()
    assert command(*call) == 1  # ada has handed in nothing
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()[2:4]] == [
        ["ada", "0", "0"],
        ["bob", "22", "22"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "class.csv is empty.\n  Write a first line student, and a student a line."),
        (
            "student,name\n",
            "class.csv has 0 students; a class has from 1 to 5,000.\n"
            "  Write a student a line, below the line of the columns.",
        ),
        (
            "name,mail\nada,x\n",
            "class.csv has no column student, but 'name', 'mail'.\n  Call the column student whose "
            "entries are the names of the files: ada for ada.py.",
        ),
        (
            "a,b,c,d,e,f,g,h,i,j,k,l\n",
            "class.csv has no column student, but 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', "
            "'j'.\n"
            "  Call the column student whose entries are the names of the files: ada for ada.py.",
        ),
        (
            "student,name,Name\nada,x,y\n",
            "class.csv has two columns 'name'.\n  Give each column a name of its own.",
        ),
        (
            "student,name\nada,x\n\nbob\n",
            "class.csv, line 4: 1 cell; the first line has 2 columns.\n  Give each line as many.",
        ),
        (
            "student\nada\nbob\nAda\n",
            "class.csv, line 4: Ada is ada of line 2; their files would be one.\n"
            "  Write each student once, under a name of their own.",
        ),
        (
            "student,name\n../ada,x\n",
            "class.csv, line 2: the student '../ada' is no name of a file.\n  Write up to 100 "
            "letters, digits, blanks, @ . - or _, beginning with none of . and -; a number will "
            "do.",
        ),
        (
            "student,name\n ,x\n",
            "class.csv, line 2: the student '' names nobody.\n  Write up to 100 letters, digits, "
            "blanks, @ . - or _, beginning with none of . and -; a number will do.",
        ),
        (
            'student,name\nada,"x\n',
            "class.csv, line 2: unexpected end of data.\n"
            "  Put a cell that holds a delimiter or a quote in quotes, its quotes doubled.",
        ),
        (b"student\n\xff\n", "class.csv: byte 8 is not UTF-8.\n  Save the file as UTF-8."),
    ],
)
def test_a_roster_that_is_none_is_named_with_its_line(text, message, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError) as caught:
        read_roster(path)
    assert str(caught.value) == message


def test_rosters_as_programs_write_them(tmp_path):
    """A byte order mark, semicolons, the line ends of Windows, decomposed letters, a capital."""
    path = tmp_path / "class.csv"
    path.write_bytes("\ufeffName;Student\r\nZoe\u0308;zoe\u0308\r\nx;y;z\r\n".encode())
    with pytest.raises(SpecError, match="line 3: 3 cells"):
        read_roster(path)
    path.write_bytes(b'"Student";"Name, first"\nzoe;Z\n')
    assert read_roster(path).columns == ("Student", "Name, first")
    path.write_bytes("\ufeffName;Student\r\nZoe\u0308;zoe\u0308\r\n;\r\n".encode())
    assert read_roster(path).rows == {"zoë": ("Zoë", "zoë")}


def test_a_class_gets_all_its_sheets_or_none(course):
    (course / "sheets").mkdir()
    write(course / "sheets", "mine", "eve.py")
    with pytest.raises(SpecError) as caught:
        new(2, *OF_CLASS, "--out-dir", "sheets")
    assert str(caught.value) == (
        "sheets holds eve.py already; nothing is written.\n"
        "  Name another folder, or take away what is there."
    )
    assert [path.name for path in (course / "sheets").iterdir()] == ["eve.py"]
    assert (course / "sheets" / "eve.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (OF_CLASS, "the sheets of a class need a folder."),
        ((*OF_CLASS[:2], "--out-dir", "d"), "a student's own seed needs the course's secret."),
        ((*OF_CLASS, "--out-dir", "d", "--seed", "3"), "--seed is for one sheet, --roster for a"),
        (("--out-dir", "d"), "--out-dir is for the sheets of a class."),
        (("--notebook",), "--notebook is for the sheets of a class."),
        (("2",), "exercise 2 is written twice."),
        (("two",), "'two' is no number of an exercise; jacobian-bp exercise list shows them"),
        (
            ("sig.py",),
            "'sig.py' is a file, no number: write --exercise sig.py for an exercise in it, "
            "--out sig.py for the sheet to be written",
        ),
    ],
)
def test_a_wrong_call_for_sheets_writes_none(course, words, message):
    with pytest.raises(SpecError, match=re.escape(message)) as caught:
        new(2, *words)
    assert re.search(r"\n  \S", str(caught.value))
    assert {path.name for path in course.iterdir()} == {"class.csv", "secret.txt"}


@pytest.mark.parametrize("ending", ["py", "ipynb"])
def test_each_exercise_of_a_sheet_is_run_by_itself_with_what_stands_above(tmp_path, ending):
    tasks = [find_exercise(number).make(7) for number in (2, 3, 11)]
    text = sheet_text(tasks, f"ex.{ending}", solution=True)
    path = write(tmp_path, text, f"ex.{ending}")
    parts = read_parts(path)
    assert [(part.task.number, part.task.fingerprint) for part in parts] == [
        (task.number, task.fingerprint) for task in tasks
    ]
    for part, other in zip(parts, reversed(parts), strict=True):
        assert part.code.count("# jacobian-bp exercise") == 1
        assert part is other or other.task.given["W1"].tolist() != part.task.given["W1"].tolist()
    assert read_submission(path, 3).code == parts[1].code
    with pytest.raises(SpecError) as caught:
        read_submission(path, 5)
    assert str(caught.value) == (
        f"ex.{ending} is a sheet of the exercises 2, 3, 11; it has no part for exercise 5.\n"
        "  Name one of 2, 3, 11."
    )
    if ending == "py":
        for part in parts:  # an error is told with the line of the file
            line = part.code.splitlines().index("# --- given: end")
            assert text.splitlines()[line] == "# --- given: end"


def test_a_crash_in_one_exercise_costs_the_others_nothing(tmp_path, capsys):
    tasks = [find_exercise(number).make(7) for number in (2, 3)]
    text = sheet_text(tasks, "ex.py", solution=True).replace("S3 = ", "S3 = help_me() or ")
    path = write(tmp_path, text)
    assert command("--exercise", 2, 3, "--submission", path) == 1
    out = capsys.readouterr().out
    assert "NameError: name 'help_me' is not defined" in out
    assert out.endswith("score     22 of 22\n")
    above = text.replace("import numpy as np\n", "import numpy as np\ndef help_me(): pass\n", 1)
    write(tmp_path, above)
    assert command("--exercise", 2, 3, "--submission", path) == 0


def test_what_a_gradebook_cannot_hold_is_told(course):
    (course / "in").mkdir()
    write(course / "in", "", "ada.py")
    write(course, "student,Total\nada,3\n", "class.csv")
    with pytest.raises(SpecError) as caught:
        command(*("--exercise", 2, "--submission", "in", "--gradebook", "marks.csv"), *OF_CLASS)
    assert str(caught.value) == (
        "the roster has a column total, which the gradebook adds.\n"
        "  Give the roster's column another name."
    )


def test_points_are_scaled_in_all_or_for_each(tmp_path):
    assert points_of([2, 3], None) == [35.0, 22.0]
    assert points_of([2, 3], [28.5]) == [17.5, 11.0]
    assert points_of([2, 3], [20, 10]) == [20.0, 10.0]
    assert points_of([2], [20]) == [20.0]


def test_scaled_points_are_those_of_every_format(tmp_path, capsys):
    task = find_exercise(2).make(7)
    path = write(tmp_path, sheet_text(task, "ex.py", solution=True).replace(*SIGN))
    call = ("--exercise", 2, "--submission", path, "--points", 70)
    assert command(*call) == 1
    assert capsys.readouterr().out.endswith("score     62 of 70\n")
    command(*call, "--format", "gradescope")
    results = json.loads(capsys.readouterr().out)
    assert sum(test["max_score"] for test in results["tests"]) == 70
    assert sum(test["score"] for test in results["tests"]) == 62
    assert results["extra_data"]["score"] == 62


def test_with_strict_layout_another_layout_is_named_and_not_accepted(tmp_path, capsys):
    task = find_exercise(2).make(7)
    turned = ("np.outer(delta2, a1)", "np.outer(a1, delta2)")
    for name, changes in (("plain", [turned]), ("after", [turned, SIGN])):
        text = sheet_text(task, "ex.py", solution=True)
        for old, new_text in changes:
            text = text.replace(old, new_text)
        path = write(tmp_path, text, f"{name}.py")
        lost = 4 * len(changes)
        for strict, score in ((False, 35 - lost + 4), (True, 35 - lost)):
            command(*("--exercise", 2, "--submission", path), *["--strict-layout"] * strict)
            out = " ".join(capsys.readouterr().out.split())
            assert out.endswith(f"score {score} of 35"), name
            assert ("the order of the axes" in out) is strict
    strict = task.strict()
    assert {q.name for q in strict.questions if len(q.forms) > 1} == set()
    assert strict.right.keys() == task.right.keys()
    assert len(task.questions[-1].forms) > 1  # the task itself is as it was
