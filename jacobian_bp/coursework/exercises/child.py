"""Run one sheet and write the named answers to a zip; a script for a process of its own.

    python -I child.py SHEET RESULT NAME NAME ...

Numbers go as arrays, text as text, and everything else as a sentence about it.
"""

import io
import json
import sys
import zipfile

import numpy as np

LARGEST, LONGEST = 2 * 10**6, 1000  # entries of an answer, characters of a text
MEMORY = 2 * 2**30


def limit_memory():
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, OSError, ValueError):
        pass  # not on this system: the time limit is left


def main(sheet, result, *names):
    space = {"__name__": "__main__"}
    failure = ""
    limit_memory()
    try:
        with open(sheet, encoding="utf-8") as file:
            code = compile(file.read(), "your file", "exec")
        exec(code, space)
    except BaseException as error:
        failure = told(error)
    index = {"": ["text", failure]}
    arrays: dict[str, np.ndarray] = {}
    for name in names:
        if name in space:
            kind, value = described(space[name])
            if kind == "array":
                arrays[f"{len(arrays)}.npy"] = value
                value = f"{len(arrays) - 1}.npy"
            index[name] = [kind, value]
    with zipfile.ZipFile(result, "w") as archive:
        archive.writestr("index.json", json.dumps(index))
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=False)
            archive.writestr(name, data.getvalue())


def described(value):
    if value is None:
        return "none", None
    if isinstance(value, str):
        return "text", value[:LONGEST]
    if type(value) is int and abs(value) < 10**300:
        return "number", value
    said = f"a {type(value).__name__}, not numbers"
    try:
        array = np.asarray(value)
        if array.dtype.kind == "c":
            said = "complex, not real"
        elif array.dtype.kind in "biuf":
            if array.size <= LARGEST:
                return "array", array
            said = f"an array of {array.size} entries, which is too large"
    except BaseException:
        pass  # not an array: said so
    return "unusable", said[:LONGEST]


def told(error):
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "your file":
            line = trace.tb_lineno
        trace = trace.tb_next
    at = f"line {line}: " if line else ""
    return f"{at}{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main(*sys.argv[1:])
