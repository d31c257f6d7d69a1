"""Pictures as SVG of our own, each with the words that say the same and a form for a terminal.

Offers Canvas, Cells, Block, matrix, beside, slices, Sparsity, sparsity.
May import document and below.
"""
