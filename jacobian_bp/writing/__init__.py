"""How things are written: signs, numbers and tables as text, LaTeX, notebooks, the terminal.

Offers safe, number, dims, did_you_mean, fold, table, formula, marked, Shown, page, terminal.
May import errors alone.
"""
