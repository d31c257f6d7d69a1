"""Arrays of numbers: what is admitted, what it takes in bytes, and stable elementary functions.

Offers as_array, quiet, require_memory, memory_limit, format_bytes, sigmoid,
write_product, untouched_zeros, agree, factor_between.
May import writing and below.
"""
