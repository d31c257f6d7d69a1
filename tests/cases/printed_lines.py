"""A printed line of a derivation, evaluated by numpy: in matrix notation, and in indices."""

import re

import numpy as np

FUNCTIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "identity": lambda z: z,
    "σ": lambda z: 1 / (1 + np.exp(-z)),
}
SLOPES = {
    "relu'": lambda z: (z > 0) * 1.0,
    "tanh'": lambda z: 1 - np.tanh(z) ** 2,
    "σ'": lambda z: FUNCTIONS["σ"](z) * (1 - FUNCTIONS["σ"](z)),
}
NAME = r"[^\W\dᵀ][^\Wᵀ]*"
JOINED = rf"\[(?:1(?:; | ){NAME}|{NAME}(?:; | )1)\]"  # [1; X], [X 1]
SLICED = rf"{NAME}\[[:\d,\-]+\]"  # W1[:,1:]
WORD = rf"1/m|(?:{JOINED}|{SLICED}|{NAME})ᵀ?"


def by_matrices(text, env, examples=None):
    """The value of Z1 = W1 [1; X] + b1, of 1/m dZ2 A1ᵀ, of Σ_n δ2: blanks multiply."""
    whole = None
    for part in text.split(" + "):
        value = _product(part.strip(), env, examples)
        whole = value if whole is None else whole + value
    return whole


def _product(text, env, examples):
    call = re.fullmatch(rf"({NAME})\((.*)\)", text)
    if call:
        return FUNCTIONS[call[1]](by_matrices(call[2], env, examples))
    summed = re.fullmatch(r"(1/m )?Σ_n (.*)", text)
    if summed:
        array = _factor(summed[2], env)
        axis = array.shape.index(examples)
        total = array.sum(axis, keepdims=axis == 1)  # columns keep the column, as b has one
        return total / examples if summed[1] else total
    found, words = None, re.findall(WORD, text)
    assert " ".join(words) == text  # nothing is passed over
    for word in words:
        if word == "1/m":
            found = np.array(1 / examples)
            continue
        factor = _factor(word, env)
        found = factor if found is None else found * factor if found.ndim == 0 else found @ factor
    return found


def _factor(word, env):
    turned, word = word.endswith("ᵀ"), word.removesuffix("ᵀ")
    joined = re.fullmatch(rf"\[(?:1(; | )({NAME})|({NAME})(; | )1)\]", word)
    if joined:
        array = env[joined[2] or joined[3]]
        axis = 0 if array.ndim == 1 or "; " in (joined[1], joined[4]) else 1
        ones = np.ones_like(array.take([0], axis))
        array = np.concatenate([ones, array] if joined[2] else [array, ones], axis)
    else:
        array = env[word] if word in env else _sliced(word, env)
    return array.T if turned else array


def _sliced(word, env):
    name, _, within = word.removesuffix("]").partition("[")
    places = [slice(*(int(n) if n else None for n in p.split(":"))) for p in within.split(",")]
    return env[name][tuple(places)]


def entry_by_entry(text, env):
    """The value of 1/5 (A2 − Y) ⊙ σ'(Z2), of (W2ᵀ dZ2) ⊙ relu'(Z1)."""
    number = re.match(r"(\d+)(?:/(\d+))? ", text)
    found = int(number[1]) / int(number[2] or 1) if number else 1.0
    for part in (text[number.end() :] if number else text).split(" ⊙ "):
        slope = re.fullmatch(rf"({NAME}')\((.*)\)", part)
        if slope:
            found = found * SLOPES[slope[1]](env[slope[2]])
            continue
        left, minus, right = re.sub(r"^\((.*)\)$", r"\1", part).partition(" − ")
        found = found * (env[left] - env[right] if minus else by_matrices(left, env))
    return found


def by_indices(text, out, arrays, sizes):
    """The value of Σ_k δ2[k] W2[k,k'] relu'(z1)[k'] over the axes `out`."""
    total, text = 0.0, multiplied_out(text)
    for sign, term in re.findall(
        r"(^|[+−]) ?(.*?)(?= [+−] |$)", re.sub(r"\(([^()]*) − ", r"(\1 ⊖ ", text)
    ):
        total = total + (-1 if sign == "−" else 1) * _term(term, out, arrays, sizes)
    return total


def multiplied_out(text):
    """δ[k,k'] (p[k] − q[k]) as δ[k,k'] p[k] − δ[k,k'] q[k]."""
    whole = re.fullmatch(r"((?:\S+ )+?)\((\S.* [+−] .*\])\)", text)
    if not whole:
        return text
    front, inside = whole.groups()
    sign, inside = ("−", inside[1:]) if inside.startswith("−") else ("", inside)
    return sign + front + re.sub(r" ([+−]) ", rf" \1 {front}", inside)


def _term(text, out, arrays, sizes):
    letters = {}

    def letter(axis):
        return letters.setdefault(axis, chr(ord("a") + len(letters)))

    operands, subscripts, coefficient = [], [], 1.0
    rest = re.sub(r"Σ_\w+'* ", "", text).strip()
    while rest:
        number = re.match(r"(\d+)(?:/(\d+))? ", rest)
        if number:
            coefficient *= int(number[1]) / int(number[2] or 1)
            rest = rest[number.end() :]
            continue
        match = re.match(r"(.+?)\[((?:[a-z]'*)(?:,[a-z]'*)*)\](?: |$)", rest)
        label, axes = match[1], match[2].split(",")
        operands.append(_array(label, axes, arrays, sizes))
        subscripts.append("".join(map(letter, axes)))
        rest = rest[match.end() :]
    given = "".join(map(letter, out))
    missing = [axis for axis in out if letter(axis) not in "".join(subscripts)]
    assert not missing, (text, missing)
    return coefficient * np.einsum(f"{','.join(subscripts)}->{given}", *operands)


def _array(label, axes, arrays, sizes):
    if label == "δ":
        return np.eye(sizes[axes[0]])
    if label == "1":
        return np.ones(sizes[axes[0]])
    if label in arrays:
        return arrays[label]
    if re.fullmatch(SLICED, label):
        return _sliced(label, arrays)
    slope = re.fullmatch(rf"({NAME}')\((.*)\)", label)
    if slope:
        return SLOPES[slope[1]](arrays[slope[2]])
    residual = re.fullmatch(r"\((.*) ⊖ (.*)\)", label)
    if residual:
        left, right = residual.groups()
        call = re.fullmatch(rf"({NAME})\((.*)\)", left)
        left = FUNCTIONS[call[1]](arrays[call[2]]) if call else arrays[left]
        return left - arrays[right]
    return _factor(label, arrays)
