"""Exercises: one file each holds statement, stub, check, hints, solution and mistakes."""
