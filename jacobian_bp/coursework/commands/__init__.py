"""The commands diagnose, exercise and grade: options read, coursework called, its answer printed.

Offers diagnose, exercise, grade.
May import grading and below.
"""
