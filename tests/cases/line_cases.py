"""A line of numpy, and the line that is suggested for it."""

from jacobian_bp import diagnose_line
from jacobian_bp.coursework.lines.laid_out import Told
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.one_line import explained
from jacobian_bp.coursework.lines.workspace import Workspace
from jacobian_bp.errors import SpecError
from jacobian_bp.numbers.arrays import quiet


def suggestion(line, run, examples="rows"):
    """The corrected line with what was changed; the corrected line itself is tried, too."""
    report = diagnose_line(line, run, examples=examples)
    assert report.right is not True
    left = line.partition(" = ")[0]
    assert diagnose_line(f"{left} = {report.meant}", run, examples=examples).right is True
    (said,) = [text for text in report.sentences if text.startswith("Meant for ")]
    return said.partition(": ")[2]


@quiet
def judged(style, line):
    """The report of a line in the layout of a style: rows or columns, and which axis of W."""
    told = Told(columns=style.examples == "columns", turned=style.weights == "in,out")
    workspace = Workspace(style.run.forward_pass, style.run._tied, told)
    return explained(read_line(line), [(style.run, workspace)])


def is_read(style, line):
    """Whether the line is in the language, and each of its names is placed."""
    try:
        return judged(style, line) is not None
    except SpecError:
        return False


def as_written(line):
    """What stands right of the = sign, as a report would show it."""
    statement = read_line(line)
    return line if statement.masked else str(statement.tree)


def names_the_cause(report, right, wrong, otherwise):
    """Whether what is meant is the right line, or what `otherwise` says of this wrong one."""
    if report.right is True or report.meant is None:
        return False
    plain = {".t()": ".T", ".transpose()": ".T"}
    found, wanted = report.meant, otherwise.get(wrong, as_written(right))
    for old, new in plain.items():
        found, wanted = found.replace(old, new), wanted.replace(old, new)
    return found == wanted
