"""Exercises: one file each holds statement, stub, check, hints, solution and mistakes.

Imports go down: to diagnosis/ for the mistakes, to sandbox/ to run a sheet; grading/ is above.
"""
