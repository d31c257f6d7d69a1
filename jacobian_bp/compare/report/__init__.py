"""What compare shows: its options, tables, a plot, and results in files.

Offers add_options, lines_of, draw, Output, as_csv, as_json.
May import timing and below.
"""
