"""Grading: one line in a pytest file, an otter-grader test or an nbgrader cell.

pytest       assert passes("ex2.py", 2)
otter        assert passes(env, 2, seed=7)
nbgrader     report = grade(globals(), 2, seed=7); print(report)     in one cell
             report.points(max=5)                                    last line of the next

Names come from the student's notebook or from a file, the right values from the
exercise and its seed, so no test holds an answer.

Offers grade, passes, GradeReport, Mark.
May import exercises and below.
"""

from .frameworks import grade, passes
from .grade_report import GradeReport, Mark

__all__ = ["GradeReport", "Mark", "grade", "passes"]
