"""What the signs on the page of a formula mean: a sentence for each that stands there."""

import re

SIGNS = {
    r"[\[,]\w+'+[\],]": "a primed index is the variable's own",
    r"(?<!⁻)ᵀ": "ᵀ: transposed",
    r"⁻¹": "⁻¹: the inverse",
    r"⁻ᵀ": "⁻ᵀ: the inverse, transposed",
    r"‖": "‖u‖: the root of the sum of the squares of all entries",
    r"\bnorm\(": "norm(u): ‖u‖, around what has such a sign itself",
    "⊙": "⊙: entry by entry",
    "⊗": "⊗: the Kronecker product, all of the right for each entry of the left",
    r"\bdiag\(": "diag: of a vector the matrix with it on the diagonal, of a matrix its diagonal",
    r"\btr\(": "tr: the trace, the sum of the diagonal",
    r"\bdet\(": "det: the determinant",
    r"\bvec\(": "vec: the columns, one below another",
    r"\bmat_(\w)(\w)\(": "mat_{0}{1}: the entries row by row, {0} rows of {1}",
    r"\be_max\(": "e_max: 1 at the largest entry, else 0",
    r"\be_min\(": "e_min: 1 at the least entry, else 0",
    "⊘": "⊘: divided entry by entry",
    r"\^∘": "^∘: a power of each entry",
    r"Σ_([\w,']+)": "Σ_{0}: the sum over {0}",
    r"\b1_(\w)": "1_{0}: a 1 for each {0}",
    r"\bI_(\w)": "I_{0}: the identity, as long as {0}",
    r"\bdim\((\w)\)": "dim({0}): how many {0} there are",
    r"δ\[": "δ[k,k'] = 1 if k = k', else 0",
    r"\be_(?!max|min)([^\W_ᵀ]+)(_\d+)?": "e_{0}{1}: 1 at place {0}, counted from 0, else 0",
    r"\bE_(?!turned)([^\W_ᵀ]+)_([^\W_ᵀ]+)(_\d+)?(?![^\Wᵀ])": "E_{0}_{1}{2}: the rows of the "
    "identity from {0} to before {1}",
    r"\bE_(?!turned)([^\W_ᵀ]+)_([^\W_ᵀ]+)_by(\d+)(_\d+)?": "E_{0}_{1}_by{2}{3}: the rows of "
    "the identity from {0} to before {1}, {2} apart",
    r"\bE_turned(_\d+)?(?![^\Wᵀ])": "E_turned{0}: the rows of the identity, the last one first",
    r"\bE_turned_by(\d+)(_\d+)?": "E_turned_by{0}{1}: the rows of the identity, {0} apart, the "
    "last one first",
    r"_end": "end: behind the last place; end1: the last, counted from the end",
    r"\blogdet\(": "logdet: log |det|, of the determinant",
    r"σ": "σ(u) = 1/(1 + e^−u)",
    r"\bsoftmax\(": "softmax(u): e^u over the sum of all e^u",
    r"\blog_softmax\(": "log_softmax: the logarithm of softmax, e^u over the sum of all e^u",
    r"\blogsumexp\(": "logsumexp(u): the logarithm of the sum of all e^u",
    r"\bsoftplus\b": "softplus(u) = log(1 + e^u)",
    r"\brelu\b": "relu(u): u where it is above 0, else 0",
    r"\bsilu\b": "silu(u) = u/(1 + e^−u)",
    r"\bgelu\b": "gelu(u) = u Φ(u), Φ the distribution function of the normal distribution",
    r"\belu\b": "elu(u): u where it is above 0, else e^u − 1",
    r"\bleaky_relu\b": "leaky_relu(u): u where it is above 0, else 0.01 u",
    r"\bsign\(": "sign(u): 1 above 0, −1 below it",
    r"\w'\(": "a function with a prime: its slope",
    r"\w''\(": "a function with two primes: the slope of its slope",
    r"\brelu'\(": "relu'(0) = 0 is taken at the kink, where the slopes 0 and 1 meet",
    r"\bleaky_relu'\(": "leaky_relu'(0) = 0.01 is taken at the kink, where the slopes 0.01 "
    "and 1 meet",
}


def signs_in(text: str) -> list[str]:
    """The sentences for the signs in a text, each once.

    >>> signs_in("J = ‖W x‖²  2 Wᵀ W x    [i']")[:2]
    ["a primed index is the variable's own", 'ᵀ: transposed']
    """
    rows: list[str] = []
    for pattern, words in SIGNS.items():
        rows += dict.fromkeys(
            words.format(*match.groups("")) for match in re.finditer(pattern, text)
        )
    return rows
