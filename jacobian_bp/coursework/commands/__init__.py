"""The commands of coursework: options read, coursework called, its answer printed.

Offers diagnose, exercise, grade, course.
May import course and below.
"""
