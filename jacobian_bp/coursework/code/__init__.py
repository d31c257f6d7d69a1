"""A whole backward function of a student: the first wrong line, and what was meant.

Offers diagnose_code, CodeReport.
May import lines and below.
"""
