"""Documents as blocks, sentences, formulas, tables, matrices, and each form that they are shown in.

Offers Document, Section, Words, Formula, Values, Equations, Signs, Matrix, Table, Picture,
text_lines, article, markdown, page, place_for, save.
May import numbers and below.
"""
