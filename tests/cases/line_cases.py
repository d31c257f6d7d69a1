"""A line of numpy, and the line that is suggested for it."""

from jacobian_bp import diagnose_line


def suggestion(line, run, examples="rows"):
    """The corrected line with what was changed; the corrected line itself is tried, too."""
    report = diagnose_line(line, run, examples=examples)
    assert report.right is not True
    left = line.partition(" = ")[0]
    assert diagnose_line(f"{left} = {report.meant}", run, examples=examples).right is True
    (said,) = [text for text in report.sentences if text.startswith("Meant for ")]
    return said.partition(": ")[2]
