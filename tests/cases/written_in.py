"""Arrays as somebody writes them: from the network's own names, axes and scale to theirs."""

import numpy as np

from jacobian_bp import Convention

NAMES = {
    "W": ["W{l}", "Theta{l}", "Theta{l-1}", "W[{l}]", "w_{l}"],
    "b": ["b{l}", "bias{l}", "b[{l}]"],
    "delta": ["dZ{l}", "delta_{l}", "err{l+1}"],
}


def drawn(rng):
    """A convention at random."""
    first = int(rng.integers(0, 3))
    chosen = {str(rng.choice(NAMES[ours])): ours for ours in NAMES if rng.random() < 0.6}
    pick = lambda *words: str(rng.choice(words))  # noqa: E731
    return Convention(
        examples=pick("rows", "columns"),
        weights=pick("out,in", "in,out"),
        mean=pick("delta", "gradient"),
        bias=pick("own", "first", "last"),
        first=first,
        names={n: ours for n, ours in chosen.items() if first or "{l-1}" not in n},
    )


def key_in(convention, key):
    """dTheta1 for "W1", dZ2 for "z2"."""
    if key[0] != "z":
        return f"d{convention.name(key)}"
    return convention.name(f"delta{key[1:]}")


def array_in(convention, run, key, array):
    """One array as the convention has it; a bias by itself."""
    array = np.asarray(array, float)
    columns = convention.examples == "columns"
    if key[0] == "W":
        return array.T if convention.weights == "in,out" and array.ndim == 2 else array
    batch = run["x"].ndim == 2
    if key[0] == "z" and batch and convention.mean == "gradient":
        array = array * (len(run["x"]) if run.forward_pass.program.averages else 1)
    if columns and array.ndim == 1 and (key[0] == "b" or not batch):
        return array[:, None]
    return array.T if columns and array.ndim == 2 else array


def with_bias(convention, W, b):
    """W with its bias as the first or the last column; row, where W is (inputs, outputs)."""
    axis = 0 if convention.weights == "in,out" else 1
    line = np.expand_dims(b, axis)
    return np.concatenate([line, W] if convention.bias == "first" else [W, line], axis)


def written_in(convention, run, arrays):
    """The whole submission in the convention; None where a bias has no place in its W."""
    found, arrays = {}, dict(arrays)
    for key in list(arrays):
        joined = convention.bias != "own" and key[0] in "Wb"
        W, b = f"W{key[1:]}", f"b{key[1:]}"
        if not joined:
            found[key_in(convention, key)] = array_in(convention, run, key, arrays[key])
        elif key[0] == "W":
            if b not in arrays or np.shape(arrays[W]) != run[W].shape:
                return None
            if np.shape(arrays[b]) != run[b].shape:
                return None
            W2 = array_in(convention, run, W, arrays[W])
            found[key_in(convention, W)] = with_bias(convention, W2, np.asarray(arrays[b], float))
        elif W not in arrays:
            return None
    return found
