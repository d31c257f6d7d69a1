"""The results of the exercises of one sheet, made one results.json for Gradescope.

exercise-2.json, exercise-3.json    what grade --format gradescope wrote
results.json                        all their tests, numbered 2.1.1, 3.1.1, …

An exercise whose results are not there, or cannot be read, is said to be one of which the grader
did not come to its end.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import JacobianError, SpecError
from ...network.files.paths import label, read_limited
from ...writing.signs import safe
from .formats import RECORD
from .grade_report import UNGRADED
from .results_file import write_results

PART = re.compile(r"exercise-(\d{1,6})\.json")
LARGEST = 5 * 2**20
RESULTS = "results.json"


def merge_results(folder: str | Path) -> int:
    """Write results.json beside the parts in `folder`; how many of them could be read.

    Raises SpecError for a folder without parts.
    """
    folder = Path(folder)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    parts = sorted((int(found[1]), found[0]) for found in map(PART.fullmatch, names) if found)
    if not parts:
        raise SpecError(
            f"{label(folder)} holds no results of an exercise.\n"
            "  Write them first: jacobian-bp grade --exercise 2 --submission ex2.py --format "
            "gradescope --out exercise-2.json."
        )
    read = {number: _document(folder / name) for number, name in parts}
    write_results(folder / RESULTS, json.dumps(merged(read), indent=1) + "\n")
    return sum(document is not None for document in read.values())


def merged(parts: Mapping[int, Mapping[str, Any] | None]) -> dict[str, Any]:
    """One document of the documents by exercise; None stands for one that cannot be read.

    >>> part = {"tests": [{"number": "1.1", "name": "dW", "score": 1.0, "max_score": 2.0}]}
    >>> merged({2: part, 3: None})["tests"][0]["number"], merged({2: part, 3: None})["output"]
    ('2.1.1', 'exercise 3: The grader did not come to its end; tell your instructor.')
    """
    tests, said, records, seconds = [], [], [], 0.0
    for number, part in parts.items():
        known = part or {"output": UNGRADED}
        for test in known.get("tests", []):
            name = f"exercise {number}, {test.get('name', '')}"
            tests.append({**test, "number": f"{number}.{test.get('number', '')}", "name": name})
        lines = str(known.get("output", "")).split("\n")
        said += [f"exercise {number}: {safe(line)}" for line in lines if line]
        records.append(known.get("extra_data", {"format": RECORD, "exercise": number}))
        seconds += float(known.get("execution_time") or 0)
    return {
        **({} if tests else {"score": 0}),
        "execution_time": seconds,
        "output": "\n".join(said),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"format": RECORD, "exercises": records},
    }


def _document(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(read_limited(path, LARGEST, "A results file is smaller.").decode())
    except (JacobianError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
