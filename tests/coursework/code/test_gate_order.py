"""The order of the gates is the one that the forward lines say, whatever comes of it later."""

import pytest
from backward_functions import planted
from recurrent_functions import STYLES
from recurrent_runs import run_of

from jacobian_bp import diagnose_code

TEXT = STYLES["one step of an lstm with its gates in one array"].text
APART = TEXT[TEXT.index("    i = ") : TEXT.index("    next_c = ")]
STARTS = {
    "sizes in front": ("0:H", "H:2*H", "2*H:3*H", "3*H:4*H"),
    "sizes behind": (":H", "H:H*2", "H*2:H*3", "H*3:"),
}


def in_order(order, way):
    """The step with its gates in this order, taken apart in this way."""
    each = {gate: "np.tanh" if gate == "g" else "sigmoid" for gate in order}
    if way == "split":
        sums = ", ".join(f"a{gate}" for gate in order)
        apart = f"    {sums} = np.split(a, 4, axis=1)\n"
        apart += "".join(f"    {gate} = {f}(a{gate})\n" for gate, f in each.items())
    else:
        places = zip(each.items(), STARTS[way], strict=True)
        apart = "".join(f"    {gate} = {f}(a[:, {place}])\n" for (gate, f), place in places)
    joined = ", ".join(f"da{gate}" for gate in order)
    return TEXT.replace(APART, apart).replace("dai, daf, dao, dag", joined)


@pytest.mark.parametrize(
    ("order", "way"),
    [("ifog", "sizes in front"), ("ogfi", "sizes behind"), ("gfoi", "split"), ("foig", "split")],
)
def test_any_order_is_read_and_a_mistake_behind_it_is_no_other_order(order, way):
    text = in_order(order, way)
    report = diagnose_code(text, run_of("LSTMCell"))
    assert report.right is True, str(report)
    assert report.sentences[1].endswith(f"gates in the order {', '.join(order)}.")
    for old, new in [
        ("f * prev_c + i * g", "i * prev_c + f * g"),
        ("dprev_c = dc * f", "dprev_c = dc * i"),
    ]:
        mistaken, line = planted(text, old, new)
        report = diagnose_code(mistaken, run_of("LSTMCell"))
        wrong = [each.number for each in report.lines if each.right is False]
        assert (report.right, wrong) == (False, [line]), str(report)
