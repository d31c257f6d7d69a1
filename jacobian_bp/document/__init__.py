"""Documents as blocks, sentences, formulas, tables, matrices, and each form that they are shown in.

Offers Document, Section, Words, Formula, Lines, Values, Equations, Signs, Matrix, Table, Picture,
text_lines, article, markdown, page, Report, place_for, save.
May import numbers and below.
"""
