"""Which mistakes reproduce an array of numbers, and how much the numbers prove.

Offers one_mistake, pairs, proved, readings, is_right, Hypothesis, Question.
May import edits and below.
"""
