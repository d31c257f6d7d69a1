"""One line of a student's numpy: where it breaks, what was meant, when numpy lets it pass."""
