"""What the signs of a derivation mean: a sentence for each sign that it uses."""

import re
from collections.abc import Sequence

from .ledger import DeltaStep, Folded, Ledger

ZEROS = {r"\.": "'.' is zero for every input", "0": "'0' is zero at this input only"}
TOLD = re.compile(r"\[[\d,]+ entries, (from |.*: not built here\])")
PART_OF_ROW = re.compile(r"\[(?:\d+,)+[1-9]\d*:\]")
ENTRIES_FROM = re.compile(r"\[[1-9]\d*:\]")


def legend(ledger: Ledger, lines: Sequence[str]) -> list[str]:
    """The sentences, in the order in which the signs are met; `lines` are the printed steps."""
    text = "\n".join(lines)
    steps = [step for step in ledger.backward if not isinstance(step, Folded)]
    errors = [step for step in steps if isinstance(step, DeltaStep)]
    named = [step for step in errors if step.symbol != step.name]
    found = [f"{s.symbol} = {s.name}, the error at {s.name.partition('/∂')[2]}" for s in named[:1]]
    if "δ[" in text:
        found.append("δ[k,k'] = 1 if k = k', else 0")
    ranges = re.search(r"\[[^\[\]]*≤[^\[\]]*\]", text)
    if ranges:
        found.append(f"{ranges[0]} = 1 where that holds, else 0")
    found.append("indices count from 0; a primed one is the variable's own")
    slopes = list(dict.fromkeys(re.findall(r"(?<![\w'])([^\W\d]\w*')\(", text)))
    if slopes:
        what = "slopes" if len(slopes) > 1 else f"the slope of {slopes[0][:-1]}"
        found.append(f"{', '.join(slopes)}: {what}")
    found += [f"Σ_{i}: the sum over {i}" for i in dict.fromkeys(re.findall(r"Σ_(\w+)", text))]
    if "1[n" in text:
        found.append("1[n] = 1 for every example n: what does not change along n")
    if "ᵀ" in text:
        found.append("ᵀ: transposed")
    products = re.findall(r"(\[\d+\])(\[\d+\])", " ".join(step.product for step in errors))
    found += [f"{first}{second}: {first} times {second}" for first, second in products[:1]]
    zeros = [
        words
        for sign, words in ZEROS.items()
        if re.search(rf"(?<=[\[ ]){sign}(?=[ \]]|$)", text, re.M)
    ]
    found += ["; ".join(zeros)] if zeros else []
    found += folded_rows(text)
    if TOLD.search(text):
        found.append(
            "[n entries, …] tells of an array too long for the page: --all, in Python "
            "text(everything=True), prints it"
        )
    return found


def folded_rows(text: str) -> list[str]:
    """What [2,8:] in front of numbers means, where a row was folded; else nothing."""
    part, vector = PART_OF_ROW.search(text), ENTRIES_FROM.search(text)
    if part:
        *row, start = part[0].strip("[:]").split(",")
        return [f"{part[0]} goes on with row [{','.join(row)},:] from its entry {start}"]
    return [f"{vector[0]} goes on from entry {vector[0].strip('[:]')}"] if vector else []
