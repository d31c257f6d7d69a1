"""diagnose_code on tuples that a forward pass keeps: no crash, and each part is an array."""

import pytest
from course_lines import RELU

from jacobian_bp import diagnose_code

FORWARD = """\
def forward(X, p):
    caches = []
    A = X
    for l in range(1, 3):
        A_prev = A
        Z = p['W' + str(l)] @ A_prev + p['b' + str(l)]
        A = np.maximum(0, Z) if l < 2 else np.exp(Z) / np.exp(Z).sum(axis=0)
        caches.append((A_prev, Z))
    return A, caches

"""
BACKWARD = """\
def backward(AL, Y, p, caches):
    m = Y.shape[1]
    grads = {}
    dZ = (AL - Y) / m
    for l in reversed(range(1, 3)):
        A_prev, Z = caches[l - 1]
        grads['dW' + str(l)] = dZ @ A_prev.T
        if l > 1:
            dZ = (p['W' + str(l)].T @ dZ) * (A_prev > 0)
    return grads
"""


@pytest.mark.parametrize("text", [BACKWARD, FORWARD + BACKWARD])
def test_a_cache_that_is_a_pair_has_the_input_of_the_layer_and_its_z(text):
    report = diagnose_code(text, RELU)
    assert report.right is True, str(report)
    assert report.sentences[0].endswith("with the gradients of W1, W2.")
    assert report.sentences[1] == "Read as examples in columns, W (outputs, inputs)."


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("dZ @ A_prev.T", "-dZ @ A_prev.T", "grads['dW' + str(l)] = -(-dZ @ A_prev.T)"),
        ("* (A_prev > 0)", "* (A_prev <= 0)", "dZ = p['W' + str(l)].T @ dZ * (A_prev > 0)"),
    ],
)
def test_a_mistake_beside_a_pair_is_named_by_its_line(old, new, meant):
    text = BACKWARD.replace(old, new)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if new in each)
    report = diagnose_code(text, RELU)
    assert (report.right, report.first_wrong) == (False, line), str(report)
    (wrong,) = [one for one in report.lines if one.right is False]
    assert wrong.meant == meant


def test_a_cache_has_further_parts_under_the_names_of_its_layer():
    text = """\
def backward(AL, Y, caches):
    cache = caches[1]
    A_prev, W, b, Z = cache
    dZ2 = (AL - Y) / Y.shape[1]
    dW2 = dZ2 @ A_prev.T
    linear_cache, Z = caches[0]
    dZ1 = (W.T @ dZ2) * (Z > 0)
    A_prev, W, b = linear_cache
    dW1 = dZ1 @ A_prev.T
"""
    report = diagnose_code(text, RELU)
    assert report.right is True, str(report)
    wrong = diagnose_code(text.replace("dZ2 @ A_prev.T", "dZ2 @ Z.T"), RELU)
    assert (wrong.right, wrong.first_wrong) == (False, 5), str(wrong)


@pytest.mark.parametrize("line", ["d = caches @ dZ2", "d = dZ2 @ caches"])
def test_a_list_of_tuples_is_no_factor(line):
    text = f"def backward(AL, Y, caches):\n    dZ2 = AL - Y\n    {line}\n    dW2 = d @ A1.T\n"
    report = diagnose_code(text, RELU)
    assert report.right is None
    said = [one.sentences for one in report.lines if one.number == 3]
    assert said == [("Not read: a thing that is no array. It is taken as right.",)]


def test_lists_of_arrays_are_not_compared():
    text = """\
def backward(AL, Y, caches):
    flag = caches[0] == (W2, b2)
    dZ2 = AL - Y
    dW2 = dZ2 @ A1.T / Y.shape[1]
"""
    report = diagnose_code(text, RELU)
    assert report.right is True, str(report)


def test_a_forward_function_that_is_refused_before_its_caches_does_not_crash():
    text = """\
def forward(X, p):
    caches = []
    for l in range(1, 3):
        Z = p['W' + str(l)] @ X
        caches.append((X, Z))
    return caches

def backward(AL, Y, caches):
    dZ = (AL - Y) / m
"""
    report = diagnose_code(text, RELU)
    assert (report.right, report.first_wrong) == (False, 4), str(report)
