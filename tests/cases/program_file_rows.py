"""Files with a program that are refused, and how each is changed: taken out of the message."""

from network_file_rows import by_hand, once, said

PROGRAM = '[program]\nlines = ["z = Linear(x, W, b)", "J = SquaredError(z, y)"]\n'
WEIGHTS = "[weights]\nW = [[1, 2, 3], [4, 5, 6]]\nb = [0.5, -1]\n"
DATA = "[data]\nx = [2.0, 3.0, 5.0]\ny = [0.5, 0.25]\n"
GOOD = PROGRAM + WEIGHTS + DATA

PROGRAMS = {  # a network file, and how it is changed
    "a program: layers beside a program": (
        GOOD + "[network]\n",
        by_hand("[network]\n", "", "Leave one of the two tables out"),
    ),
    "a program: a table beside a program": (
        GOOD + "[dta]\n",
        lambda text, message: once(
            text, "[dta]", said(r"Write .*(\[convention\])", message) + "\nfirst = 1"
        ),
    ),
    "a program: weights that are no table": (
        "weights = 3\n" + PROGRAM + DATA,
        lambda text, message: once(text, "weights = 3\n", "").replace(
            "[data]", said(r"Write (\[weights\]) on a line", message) + WEIGHTS[9:] + "[data]"
        ),
    ),
    "a program: lines of no kind": (
        once(GOOD, PROGRAM[10:-1], "lines = 3"),
        lambda text, message: once(
            text, "lines = 3", "lines = " + said(r"such as (\[.*\])\.", message)
        ),
    ),
    "a program: axes of no kind": (
        once(GOOD, "[weights]", "axes = 3\n[weights]"),
        by_hand("axes = 3", "axes = { x = 'n' }", "Write the axes in front, such as axes = {"),
    ),
    "a program: a convention twice": (
        once(GOOD, "[weights]", 'convention = "flat"\n[weights]') + "[convention]\nfirst = 1\n",
        by_hand("[convention]\nfirst = 1\n", "", "Say it once, by the key or in the table"),
    ),
    "a program: no weights": (
        PROGRAM + "[weights]\n" + DATA,
        by_hand("[weights]\n", WEIGHTS, "Write the parameters; or leave it out"),
    ),
    "a program: a table of rows": (
        PROGRAM + WEIGHTS + '[data]\nfile = "flowers.csv"\n',
        by_hand('"flowers.csv"', '"data.npz"', "Write the name of an .npz file beside"),
    ),
    "a program: weights under other names": (
        PROGRAM + '[weights]\nfile = "w.npz"\n' + DATA,
        by_hand("x, W, b", "x, W1, b1", "Name the arrays as the lines do"),
    ),
}
