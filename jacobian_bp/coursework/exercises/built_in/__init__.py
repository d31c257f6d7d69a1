"""The exercises, one in each file; the files of this folder are the list."""
