"""The staged batch norm of cs231n: a mistake in each of its lines is named there."""

import pytest
from backward_functions import planted
from op_runs import run_of
from public_rows import STYLES

from jacobian_bp import diagnose_code

TEXT = STYLES["batch norm by its stages"].text
MISTAKES = {
    "dbeta = np.sum(dout, axis=0)": [
        "dbeta = np.sum(dout, axis=1)",
        "dbeta = np.mean(dout, axis=0)",
    ],
    "dgamma = np.sum(dout * xhat, axis=0)": [
        "dgamma = np.sum(dout, axis=0)",
        "dgamma = dout * xhat",
    ],
    "dxhat = dout * gamma": ["dxhat = dout", "dxhat = dout / gamma"],
    "divar = np.sum(dxhat * xmu, axis=0)": [
        "divar = np.sum(dxhat * xhat, axis=0)",
        "divar = np.sum(dout * xmu, axis=0)",
    ],
    "dxmu1 = dxhat * ivar": ["dxmu1 = dxhat * sqrtvar", "dxmu1 = dxhat"],
    "dsqrtvar = -1. / (sqrtvar ** 2) * divar": [
        "dsqrtvar = -1. / sqrtvar * divar",
        "dsqrtvar = 1. / (sqrtvar ** 2) * divar",
    ],
    "dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar": [
        "dvar = 1. / np.sqrt(var + eps) * dsqrtvar",
        "dvar = 0.5 * np.sqrt(var + eps) * dsqrtvar",
    ],
    "dsq = 1. / N * np.ones((N, D)) * dvar": [
        "dsq = np.ones((N, D)) * dvar",
        "dsq = 1. / D * np.ones((N, D)) * dvar",
    ],
    "dxmu2 = 2 * xmu * dsq": ["dxmu2 = xmu * dsq", "dxmu2 = 2 * xhat * dsq"],
    "dx1 = (dxmu1 + dxmu2)": ["dx1 = (dxmu1 - dxmu2)", "dx1 = dxmu1"],
    "dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)": [
        "dmu = np.sum(dxmu1 + dxmu2, axis=0)",
        "dmu = -1 * np.sum(dxmu1, axis=0) - dxmu2",
    ],
    "dx2 = 1. / N * np.ones((N, D)) * dmu": [
        "dx2 = np.ones((N, D)) * dmu",
        "dx2 = 1. / D * np.ones((N, D)) * dmu",
    ],
    "dx = dx1 + dx2": ["dx = dx1 - dx2", "dx = dx2"],
}
RUN = run_of("BatchNorm")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("old", "new"), [(old, new) for old in MISTAKES for new in MISTAKES[old]])
def test_a_mistake_in_a_line_is_named_there(old, new):
    text, line = planted(TEXT, old, new)
    report = diagnose_code(text, RUN)
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_every_line_that_computes_has_a_mistake():
    lines = [line.strip() for line in TEXT.splitlines() if line.strip().startswith("d")]
    assert sorted(lines) == sorted([*MISTAKES, "def batchnorm_backward(dout, cache):"])


def test_shares_named_in_the_other_order_are_right():
    text = TEXT.replace("dxmu1", "dx_mu").replace("dxmu2", "dxmu1").replace("dx_mu", "dxmu2")
    assert diagnose_code(text, RUN).right is True
