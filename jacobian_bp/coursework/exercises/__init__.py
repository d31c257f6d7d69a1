"""Exercises: one file each holds statement, stub, check, hints, solution and mistakes.

Offers Exercise, Task, find_exercise, exercises_of, check_answers, check_file, script, notebook,
audit, explorer, explored, built_in.
May import code and below.
"""
