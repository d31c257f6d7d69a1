"""One line of a student's numpy: where it breaks, what was meant, when numpy lets it pass.

Offers diagnose_line, LineReport.
May import diagnosis and below.
"""
