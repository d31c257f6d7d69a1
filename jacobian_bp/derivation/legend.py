"""What the signs of a derivation mean: a sentence for each sign that it uses."""

import re

from ..writing.marked import marked
from ..writing.signs import HAT
from .ledger import DeltaStep, Folded, ForwardStep, Ledger
from .of_each_example import SHARE

ZEROS = {  # as an entry of an array, or told of in words
    r"[\[ ]\.(?=[ \]]|$)|'\.'": "'.' is zero for every input",
    r"(?<!≠)[\[ ]0(?=[ \];]|$)": "'0' is zero at this input",
}
OF_OPS = {  # in a formula of an op
    r"Φ\(": "Φ: the distribution function of the normal distribution",
    r"\b2u\(": "u(z) = √(2/π) (z + 0.044715 z³)",
    r"\bclip\([^±]*±([^)]*)\)": "clip: the entry, at most {0} and at least −{0}",
    "⊗": "⊗: the Kronecker product, all of the right for each entry of the left",
}
TOLD = re.compile(r"\[[\d,]+ entries, (from |.*: not built here\])")
PART_OF_ROW = re.compile(r"\[(?:\d+,)+[1-9]\d*:\]")
NESTED = r"(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))"  # signs, parentheses in pairs
ENTRIES_FROM = re.compile(r"\[[1-9]\d*:\]")


def legend(ledger: Ledger, text: str) -> list[str]:
    """The sentences, in the order in which the signs are met in the `text` of the steps."""
    steps = [step for step in ledger.backward if not isinstance(step, Folded)]
    errors = [step for step in steps if isinstance(step, DeltaStep)]
    named = [step for step in errors if step.symbol != step.name]
    found = [_meaning(step, ledger) for step in named[:1]]
    if "δ[" in text:
        found.append("δ[k,k'] = 1 if k = k', else 0")
    ranges = re.search(r"\[[^\[\]]*≤[^\[\]]*\]", text)
    if ranges:
        found.append(marked(f"`{ranges[0]} = 1` where that holds, else 0"))
    found += ["indices count from 0", "a primed index is the variable's own"]
    slopes = list(dict.fromkeys(re.findall(r"(?<![\w'])([^\W\d]\w*')\(", text)))
    if slopes:
        what = "slopes" if len(slopes) > 1 else f"the slope of {slopes[0][:-1]}"
        found.append(f"{', '.join(slopes)}: {what}")
    summed = dict.fromkeys(re.findall(r"Σ_(\w+'*)", text))
    if summed:
        found.append(f"{', '.join(f'Σ_{i}' for i in summed)}: the sum over {', '.join(summed)}")
    if "ᵀ" in text:
        found.append("ᵀ: transposed")
    found += meanings_of_hats(text)
    products = re.findall(r"(\[\d+\])(\[\d+\])", " ".join(step.product for step in errors))
    found += [f"{first}{second}: {first} times {second}" for first, second in products[:1]]
    for axis in dict.fromkeys(re.findall(r"(?<!\w)1\[([^\W\d]\w*)'*\]", text)):
        every = "example n" if axis == "n" else axis
        found.append(f"1[{axis}] = 1 for every {every}: what does not change along {axis}")
    if "⊙" in text:
        found.append("⊙: entry by entry")
    found += _signs_of_ops("\n".join([*_formulas(ledger), text]))
    if SHARE in text:
        found.append(f"m = {ledger.examples}, the examples")
    found += meanings_of_zeros(text)
    found += folded_rows(text)
    if TOLD.search(text):
        found.append(
            "[n entries, …]: too long for the page; "
            "--all, in Python text(everything=True), prints it"
        )
    return found


def meanings_of_hats(text: str) -> list[str]:
    """What is normalised, once for each name.

    >>> meanings_of_hats("ĥ1[k] ĥ1[k']")
    ['ĥ1: h1 normalised']
    """
    hats = dict.fromkeys(re.findall(rf"[^\W\d_]{HAT}\w*", text))
    return [f"{hat}: {hat.replace(HAT, '')} normalised" for hat in hats]


def _formulas(ledger: Ledger) -> list[str]:
    """Those of the forward pass, which stand above the signs."""
    return [step.formula for step in ledger.forward if isinstance(step, ForwardStep)]


def _signs_of_ops(text: str) -> list[str]:
    met = ((re.search(sign, text), words) for sign, words in OF_OPS.items())
    return [words.format(*match.groups()) for match, words in met if match]


def meanings_of_zeros(text: str) -> list[str]:
    """What each of the two kinds of zero is, where a text has them; one sentence for both."""
    zeros = [words for sign, words in ZEROS.items() if re.search(sign, text, re.M)]
    return [zeros[0] + "; '0' at this input"] if len(zeros) > 1 else zeros


def arrays_on_the_way(text: str) -> list[str]:
    """What a name in parentheses is, where a sum was worked out to one array; one of each kind.

    >>> arrays_on_the_way("δ[t,t'] (∂z/∂s where t = t')[k,u',t]")
    ["(∂z/∂s where t = t'): the numbers of ∂z/∂s where that holds, as one array"]
    >>> arrays_on_the_way("(Σ_l W U)[k,u'] (relu'(z))[k]")
    ['(Σ_l W U): that sum, worked out to one array']
    """
    parts = re.search(rf"\(part of ({NESTED}+?)\)", text)
    places = re.search(rf"\((?!part of )({NESTED}+?) where ([^()]*?[=≠][^()]*)\)", text)
    sums = re.search(rf"\(Σ_\S+ {NESTED}+\)(?=\[)", text)
    found = []
    if parts:
        found.append(
            f"{parts[0]}: terms of {parts[1]} with the same δ and ranges, added up to one array"
        )
    if places:
        what = "that array" if "part of" in places[1] else places[1]
        found.append(f"{places[0]}: the numbers of {what} where that holds, as one array")
    if sums:
        found.append(f"{sums[0]}: that sum, worked out to one array")
    return found


def _meaning(step: DeltaStep, ledger: Ledger) -> str:
    """What the first δ is: the error at a value, or that of each example."""
    of, _, value = step.name.partition("/∂")
    if of == f"∂{ledger.cost}":
        return f"{step.symbol} = {step.name}, the error at {value}"
    return (
        f"{step.symbol} = {step.name} of each example, {ledger.examples} ∂{ledger.cost}/∂{value}: "
        f"its 1/{ledger.examples} stands in the gradients"
    )


def folded_rows(text: str) -> list[str]:
    """What [2,8:] in front of numbers means, where a row was folded; else nothing."""
    part, vector = PART_OF_ROW.search(text), ENTRIES_FROM.search(text)
    if part:
        *row, start = part[0].strip("[:]").split(",")
        return [f"{part[0]} goes on with row [{','.join(row)},:] from its entry {start}"]
    return [f"{vector[0]} goes on from entry {vector[0].strip('[:]')}"] if vector else []
