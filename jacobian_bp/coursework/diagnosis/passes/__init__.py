"""The backward pass as data: its lines, each a product of named factors, and their values."""
