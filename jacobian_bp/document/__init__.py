"""Documents as blocks, sentences, formulas, tables, matrices, and each form that they are shown in.

Offers Document, Section, Words, Formula, Values, Equations, Signs, Matrix, Table, Picture,
text_lines, article, markdown, page, suffix_of.
May import numbers and below.
"""
