"""Files from outside: tables of numbers, weights, whole networks. Read strictly, never run."""
