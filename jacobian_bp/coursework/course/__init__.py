"""A course in a box: six sheets, each student's own, with key, graders and pages.

Offers new_course, PLAN.
May import grading and below.
"""

from .box import new_course
from .plan import PLAN

__all__ = ["PLAN", "new_course"]
