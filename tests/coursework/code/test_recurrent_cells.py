"""One step of a recurrent cell: the right function is right, each planted line is named."""

import pytest
from backward_functions import planted
from recurrent_functions import STYLES
from recurrent_runs import run_of

from jacobian_bp import Convention, diagnose_code

PLAIN, COLUMNS = "one step with a cache", "one step in columns with parameters"
STACKED, APART = (
    "one step of an lstm with its gates in one array",
    "an lstm with a weight for each gate",
)
MISTAKES = {
    PLAIN: [
        ("dnext_h * (1 - next_h * next_h)", "dnext_h * (1 - next_h)"),
        ("dtanh.dot(Wh.T)", "dtanh.dot(Wh)"),
        ("prev_h.T.dot(dtanh)", "next_h.T.dot(dtanh)"),
        ("dtanh.sum(axis=0)", "dnext_h.sum(axis=0)"),
        ("x.T.dot(dtanh)", "dtanh.T.dot(x)"),
    ],
    COLUMNS: [
        ("(1 - a_next ** 2) * da_next", "(1 - a_prev ** 2) * da_next"),
        ("np.dot(Waa.T, dtanh)", "np.dot(Waa, dtanh)"),
        ("np.dot(dtanh, xt.T)", "np.dot(da_next, xt.T)"),
        ("np.sum(dtanh, axis=1, keepdims=True)", "np.mean(dtanh, axis=1, keepdims=True)"),
    ],
    STACKED: [
        ("next_c = f * prev_c + i * g", "next_c = f * prev_c + i * o"),
        ("do = dnext_h * tanh_c", "do = dnext_h * next_c"),
        ("dnext_h * o * (1 - tanh_c ** 2)", "dnext_h * o"),
        ("dc = dnext_c + dnext_h", "dc = dnext_h"),
        ("dprev_c = dc * f", "dprev_c = dnext_c * f"),
        ("di = dc * g", "di = dc * i"),
        ("dai = di * i * (1 - i)", "dai = di * (1 - i)"),
        ("dag = dg * (1 - g ** 2)", "dag = dg * g * (1 - g)"),
        ("np.hstack((dai, daf, dao, dag))", "np.hstack((dai, daf, dag, dao))"),
        ("dx = da.dot(Wx.T)", "dx = da.dot(Wx)"),
        ("dWh = prev_h.T.dot(da)", "dWh = prev_c.T.dot(da)"),
    ],
    APART: [
        ("* np.tanh(c_next) * ot * (1 - ot)", "* c_next * ot * (1 - ot)"),
        ("dft = (dc_next * c_prev +", "dft = (dc_next * c_next +"),
        ("dWc = np.dot(dcct, concat.T)", "dWc = np.dot(dcct, xt.T)"),
        ("dbo = np.sum(dot,", "dbo = np.sum(dit,"),
        ("dc_prev = dc_next * ft", "dc_prev = dc_next * it"),
    ],
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_right_step_is_right(name):
    report = diagnose_code(STYLES[name].text, run_of(STYLES[name].network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    assert all(line.right is not False for line in report.lines)


@pytest.mark.one_in(8)
@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, *each) for name in MISTAKES for each in MISTAKES[name]]
)
def test_the_line_of_a_mistake_is_named(name, old, new):
    text, line = planted(STYLES[name].text, old, new)
    report = diagnose_code(text, run_of(STYLES[name].network))
    assert (report.right, report.first_wrong) == (False, line), str(report)


@pytest.mark.parametrize("order", [("i", "f", "g", "o"), ("f", "i", "o", "g")])
def test_the_order_of_the_gates_is_told_from_the_text(order):
    text = STYLES[STACKED].text
    head, back = text.split("def lstm_step_backward")
    joined = ", ".join(f"da{gate}" for gate in order)
    back = back.replace("dai, daf, dao, dag", joined)
    report = diagnose_code("def lstm_step_backward" + back, run_of("LSTMCell"))
    assert report.right is True, str(report)
    assert report.sentences[1].endswith(f"gates in the order {', '.join(order)}.")
    mixed = head + "def lstm_step_backward" + back  # the forward has i, f, o, g
    assert diagnose_code(mixed, run_of("LSTMCell")).right is False


GRU, BEFORE = "a gru in one step", "a gru whose reset stands in front of U"
GRUS = {
    GRU: (
        STYLES[GRU].text,
        [
            ("dUn = h_prev.T @ (dan * r)", "dUn = h_prev.T @ dan"),
            ("dr = dan * hn", "dr = dan * h_prev"),
            ("dan = dn * (1 - n ** 2)", "dan = dn * (1 - n)"),
            ("dz = dh_next * (h_prev - n)", "dz = dh_next * (n - h_prev)"),
            ("(dan * r) @ Un.T", "dan @ Un.T"),
            ("dbn = dan.sum(axis=0)", "dbn = dn.sum(axis=0)"),
        ],
    ),
    BEFORE: (
        """\
def gru_step(x, h_prev, dh_next, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
    z = sigmoid(Wz @ x + Uz @ h_prev + bz)
    r = sigmoid(Wr @ x + Ur @ h_prev + br)
    h_hat = np.tanh(Wh @ x + Uh @ (r * h_prev) + bh)
    h = z * h_hat + (1 - z) * h_prev
    dh_raw = dh_next * z * (1 - h_hat**2)
    drh = Uh.T @ dh_raw
    dr_raw = drh * h_prev * r * (1 - r)
    dz_raw = dh_next * (h_hat - h_prev) * z * (1 - z)
    dh_prev = dh_next * (1 - z) + drh * r + Ur.T @ dr_raw + Uz.T @ dz_raw
    dx = Wz.T @ dz_raw + Wr.T @ dr_raw + Wh.T @ dh_raw
    dWz, dUz = dz_raw @ x.T, dz_raw @ h_prev.T
    dWr, dUr = dr_raw @ x.T, dr_raw @ h_prev.T
    dWh, dUh = dh_raw @ x.T, dh_raw @ (r * h_prev).T
    dbz, dbr, dbh = [d.sum(axis=1, keepdims=True) for d in (dz_raw, dr_raw, dh_raw)]
    return dx, dh_prev, dWz, dUz, dWr, dUr, dWh, dUh, dbz, dbr, dbh
""",
        [
            ("np.tanh(Wh @ x + Uh @ (r * h_prev) + bh)", "np.tanh(Wh @ x + Uh @ h_prev + bh)"),
            ("dh_raw @ (r * h_prev).T", "dh_raw @ h_prev.T"),
            ("drh * r + Ur.T", "drh + Ur.T"),
            ("(h_hat - h_prev)", "(h_prev - h_hat)"),
            ("drh * h_prev * r * (1 - r)", "drh * h_prev * (1 - r)"),
        ],
    ),
}


@pytest.mark.parametrize("name", GRUS)
def test_a_right_step_of_a_gru_is_right_in_the_form_that_it_has(name):
    report = diagnose_code(GRUS[name][0], run_of("GRUCell"))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    said = {
        GRU: "Read as GRUCell of x (5, 3), examples in rows, W (inputs, outputs), "
        "n = tanh(W x + r (U h) + b), h' = (1 − z) n + z h.",
        BEFORE: "Read as GRUCell of x (3, 5), examples in columns, W (outputs, inputs), "
        "n = tanh(W x + U (r h) + b), h' = z n + (1 − z) h; the run's own has r (U h) and "
        "(1 − z) n + z h.",
    }
    assert report.sentences[1] == said[name]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, *each) for name in GRUS for each in GRUS[name][1]]
)
def test_the_line_of_a_mistake_in_a_gru_is_named(name, old, new):
    text, line = planted(GRUS[name][0], old, new)
    report = diagnose_code(text, run_of("GRUCell"))
    assert (report.right, report.first_wrong) == (False, line), str(report)


BARE = """\
def step(x, h, Wxh, Whh, bh, dh):
    h_new = np.tanh(Wxh @ x + Whh @ h + bh)
    dhraw = (1 - h_new * h_new) * dh
    dbh = dhraw.sum(axis=1, keepdims=True)
    dWxh = np.dot(dhraw, x.T)
    dWhh = np.dot(dhraw, h.T)
    dhprev = np.dot(Whh.T, dhraw)
"""


def test_a_previous_state_may_be_called_h_where_another_name_is_behind_the_step():
    report = diagnose_code(BARE, run_of("RNNCell"))
    assert (report.right, report.first_wrong) == (True, None), str(report)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Whh @ h +", "Whh.T @ h +", "h_new is not h', shape (7, 5)."),
        ("dhraw, h.T", "dhraw, h_new.T", "dWhh is not ∂J/∂U, shape (7, 7)."),
        ("np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "dhprev is not ∂J/∂h, shape (7, 5)."),
    ],
)
def test_the_line_of_a_mistake_is_named_where_h_is_the_previous_state(old, new, said):
    text, line = planted(BARE, old, new)
    report = diagnose_code(text, run_of("RNNCell"))
    assert (report.right, report.first_wrong) == (False, line), str(report)
    (wrong,) = [one for one in report.lines if one.right is False]
    assert wrong.sentences[0] == said


def test_h_is_the_state_behind_the_step_where_the_text_stores_it_so():
    text = BARE.replace("h_new", "h").replace("Whh @ h ", "Whh @ hprev ")
    text = text.replace("dhraw, h.T", "dhraw, hprev.T").replace("x, h, Wxh", "x, hprev, Wxh")
    report = diagnose_code(text, run_of("RNNCell"))
    assert (report.right, report.first_wrong) == (True, None), str(report)


COLUMN = BARE.replace("dhraw.sum(axis=1, keepdims=True)", "dhraw")
VECTOR = COLUMN.replace("np.dot(dhraw, x.T)", "np.outer(dhraw, x)").replace(
    "np.dot(dhraw, h.T)", "np.outer(dhraw, h)"
)


@pytest.mark.parametrize(
    ("text", "examples", "said"),
    [
        (
            COLUMN,
            None,
            "Read as RNNCell of x (3, 1), one example as a column, W (outputs, inputs).",
        ),
        (
            VECTOR,
            "rows",
            "Read as RNNCell of x (3,), one example as a vector, W (outputs, inputs).",
        ),
        (BARE, None, "Read as RNNCell of x (3, 5), examples in columns, W (outputs, inputs)."),
    ],
)
def test_a_step_of_one_example_is_read_as_one(text, examples, said):
    convention = Convention(examples, "out,in") if examples else None
    report = diagnose_code(text, run_of("RNNCell"), convention)
    assert (report.right, report.sentences[1]) == (True, said), str(report)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (COLUMN, "dbh = dhraw", "dbh = dh"),
        (COLUMN, "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)"),
        (VECTOR, "np.outer(dhraw, h)", "np.outer(dhraw, h_new)"),
        (VECTOR, "np.outer(dhraw, x)", "np.outer(dh, x)"),
        (VECTOR, "(1 - h_new * h_new) * dh", "(1 - h_new) * dh"),
    ],
)
def test_the_line_of_a_mistake_in_a_step_of_one_example_is_named(text, old, new):
    text, line = planted(text, old, new)
    report = diagnose_code(text, run_of("RNNCell"))
    assert (report.right, report.first_wrong) == (False, line), str(report)
