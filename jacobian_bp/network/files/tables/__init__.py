"""Tables as people have them: text, frames, arrays as inputs and targets, each assumption said.

Offers read_table, table_options, add_switches.
May import files and below.
"""
