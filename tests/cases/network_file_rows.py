"""Network files that are refused, and how each is changed: taken out of the message, no more."""

import re

import numpy as np

RNG = np.random.default_rng(11)
HEAD = '[network]\nsizes = [3, 2]\nactivations = "tanh"\nloss = "squared_error"\n'
CLASSES = HEAD.replace("tanh", "softmax").replace("squared_error", "cross_entropy")
BINARY = HEAD.replace("tanh", "sigmoid").replace("squared_error", "bce")
DATA = "[data]\nx = [2.0, 3.0, 5.0]\ny = [0.5, 0.25]\n"
IRIS = '[data]\nfile = "iris"\ntarget = "species"\n'
OF_IRIS = CLASSES.replace("[3, 2]", "[4, 3]") + IRIS
W, B = RNG.standard_normal((2, 3)), RNG.standard_normal(2)
INLINE = "[weights]\nW1 = [[1, 2, 3], [4, 5, 6]]\nb1 = [0.5, -1]\n"
FILE = '[weights]\nfile = "w.npz"\n'


def said(pattern, message):
    found = re.search(pattern, message)
    assert found, (pattern, message)
    return found[1]


def instead(wrong, pattern):
    """What the message shows, in place of what is wrong."""
    return lambda text, message: once(text, wrong, said(pattern, message))


def by_hand(wrong, right, sentence):
    """What the message asks for, in the reader's own numbers."""

    def change(text, message):
        assert re.search(sentence, message), message
        return once(text, wrong, right)

    return change


def once(text, old, new):
    assert text.count(old) == 1, (old, text)
    return text.replace(old, new)


def under(text, message):
    """The key that is missing, where the message says."""
    key, table = (
        said(r"\.(\w+): the key is missing", message),
        said(r"Write it under (\S+)\.", message),
    )
    values = {
        "loss": '"squared_error"',
        "y": "[0.5, 0.25]",
        "target": '"species"',
        "x": "[2, 3, 5]",
    }
    return once(text, f"{table}\n", f"{table}\n{key} = {values[key]}\n")


def left_out(line):
    def change(text, message):
        assert re.search("Write one of the two|leave it out", message), message
        return once(text, line, "")

    return change


SIZES = "sizes = [3, 2]"
TOML = {  # a network file, and how it is changed
    "a table that is not known": (
        HEAD + "[dta]\n",
        lambda text, message: once(text, "[dta]", said(r", (\[data\]) and", message)) + DATA[7:],
    ),
    "a key above": (
        "seed = 3\n" + HEAD,
        lambda text, message: (
            once(text, "seed = 3\n", "") + "seed = 3\n" * ("keys under them" in message)
        ),
    ),
    "no table": ("", lambda text, message: said(r"Write (\[network\])", message) + HEAD[9:]),
    "a table that is none": (
        'network = "x"\n',
        lambda text, message: HEAD if said(r"Write (\[network\]) on", message) else "",
    ),
    "a key that is missing": (HEAD.replace('loss = "squared_error"\n', ""), under),
    "a key nearly": (
        HEAD.replace("loss", "los"),
        lambda text, message: once(text, "los =", said(r"did you mean '(\w+)'", message) + " ="),
    ),
    "a key that is none": (
        HEAD + "depth = 3\n",
        lambda text, message: once(text, "depth = 3", said(r"(seed)", message) + " = 3"),
    ),
    "text for true": (HEAD + "squash_input = 'true'\n", instead("'true'", r"Write (\w+), without")),
    "a width in quotes": (
        HEAD.replace("[3, 2]", '[3, "2"]'),
        by_hand('"2"', "2", "without quotes"),
    ),
    "no widths": (
        HEAD.replace("[3, 2]", "3"),
        lambda text, message: once(text, "sizes = 3", "sizes = " + said(r"as (\[3.*\])", message)),
    ),
    "a width of the data": (
        HEAD.replace("[3, 2]", '["auto", 2]'),
        by_hand('"auto"', "3", "Write its number, or"),
    ),
    "a width of data that are there": (
        CLASSES.replace("[3, 2]", '["auto", 3]'),
        lambda text, message: text + IRIS if "or [data] with a file" in message else text,
    ),
    "too wide": (
        HEAD.replace("[3, 2]", "[999999999, 999999999]"),
        by_hand("[999999999, 999999999]", "[3, 2]", "Write narrower layers"),
    ),
    "activations of no kind": (
        HEAD.replace('"tanh"', "true"),
        lambda text, message: once(
            once(text, "true", said(r"such as (\[.*\])", message)), "[3, 2]", "[3, 4, 2]"
        ),
    ),
    "an activation too many": (
        HEAD.replace('"tanh"', '["tanh", "tanh"]'),
        by_hand('["tanh", "tanh"]', '["tanh"]', "or one a layer; the input is not"),
    ),
    "an activation nearly": (HEAD.replace("tanh", "tnh"), instead("tnh", r"did you mean '(\w+)'")),
    "a loss of no kind": (
        HEAD.replace('"squared_error"', "3"),
        by_hand("loss = 3", 'loss = "huber"', "Write"),
    ),
    "a loss with an option": (
        HEAD.replace('"squared_error"', "{ hubr = 0.5 }"),
        lambda text, message: once(
            text, "{ hubr = 0.5 }", said(r"(\{ huber = 0.5 \})|$", message) or ""
        ),
    ),
    "a loss of two": (
        HEAD.replace('"squared_error"', "{ huber = 0.5, bce = 1 }"),
        instead("{ huber = 0.5, bce = 1 }", r"(\{ huber = 0.5 \})"),
    ),
    "an option of a loss": (
        HEAD.replace('"squared_error"', "{ huber = true }"),
        instead("{ huber = true }", r"such as (\{ huber = 0.5 \})"),
    ),
    "a reduction": (HEAD + 'reduction = "average"\n', instead("average", r"did you mean '(\w+)'")),
    "a mean over entries of classes": (
        CLASSES + 'reduction = "mean_over_entries"\n',
        instead('"mean_over_entries"', r'Write ("mean")'),
    ),
    "a penalty": (
        HEAD + "penalty = 3\n",
        lambda text, message: once(
            text, "penalty = 3", "penalty = " + said(r"such as (\{ W1 = 0.01 \})", message)
        ),
    ),
    "a penalty on nothing": (
        HEAD + "penalty = { W9 = 0.1 }\n",
        lambda text, message: once(text, "W9", said(r"Write one of (\w+)", message)),
    ),
    "a last activation": (
        HEAD.replace("squared_error", "bce"),
        lambda text, message: once(
            text, '"tanh"', said(r"Make the last activation ('\w+')", message)
        ),
    ),
    "weights that are missing": (
        HEAD + "[weights]\nW1 = [[1, 2, 3], [4, 5, 6]]\n",
        lambda text, message: text + f"b1 = [0.5, -1]  # {said(r'with shape (.2,.)', message)}\n",
    ),
    "empty weights": (
        HEAD + "[weights]\n",
        lambda text, message: (
            once(text, "[weights]\n", "") if "or leave it out" in message else text
        ),
    ),
    "a weight of another shape": (
        HEAD + INLINE.replace("[0.5, -1]", "[[0.5], [-1]]"),
        by_hand("[[0.5], [-1]]", "[0.5, -1]", r"Write b1 with shape \(2,\)"),
    ),
    "weights twice": (HEAD + FILE + "b1 = [0.5, -1]\n", left_out("b1 = [0.5, -1]\n")),
    "ragged weights": (
        HEAD + INLINE.replace("[4, 5, 6]", "[4]"),
        by_hand("[4]", "[4, 5, 6]", r"or rows such as \[\[1.0\], \[2.0\]\]"),
    ),
    "a file that is none": (
        HEAD + "[weights]\nfile = 3\n",
        by_hand("file = 3", 'file = "w.npz"', "Write the name of an .npz or"),
    ),
    "a data file that is none": (
        CLASSES.replace("[3, 2]", "[4, 3]") + IRIS.replace('"iris"', "3"),
        by_hand("file = 3", 'file = "flowers.csv"', "name of a CSV file beside the network file"),
    ),
    "a file outside": (
        HEAD + FILE.replace("w.npz", "../course/w.npz"),
        by_hand(
            "../course/w.npz", "w.npz", "Put the file beside the network file, and write its name"
        ),
    ),
    "two kinds of data": (OF_IRIS + "x = [2, 3]\n", left_out("x = [2, 3]\n")),
    "one row and many": (OF_IRIS + "example = 1\nbatch = 3\n", left_out("batch = 3\n")),
    "an input of another width": (
        HEAD + DATA.replace("[2.0, 3.0, 5.0]", "[2.0, 3.0]"),
        by_hand("[2.0, 3.0]", "[2.0, 3.0, 5.0]", "Write a row with one number for each input"),
    ),
    "a class with a point": (
        CLASSES + DATA.replace("[0.5, 0.25]", "1.0"),
        lambda text, message: once(
            text, "y = 1.0", "y = " + said(r"Write 0 to (\d+), without", message)
        ),
    ),
    "a class too many": (
        CLASSES + DATA.replace("[0.5, 0.25]", "2"),
        lambda text, message: once(text, "y = 2", "y = " + said(r"from 0 to (\d+)", message)),
    ),
    "labels of another shape": (
        HEAD + DATA.replace("[0.5, 0.25]", "3"),
        by_hand("y = 3", "y = [0.5, 0.25]", r"Write y with shape \(2,\)"),
    ),
    "classes of another shape": (
        CLASSES + DATA.replace("[0.5, 0.25]", "[[[0]]]").replace("[[[0]]]", "[0, 1, 1]"),
        by_hand("[0, 1, 1]", "1", r"Write classes of shape \(\)"),
    ),
    "labels beyond 1": (
        BINARY + DATA.replace("[0.5, 0.25]", "[0, 1.7]"),
        by_hand("[0, 1.7]", "[0, 1]", "Write labels between 0 and 1"),
    ),
    "signs": (
        BINARY + DATA.replace("[0.5, 0.25]", "[-1, 1]"),
        lambda text, message: once(text, "[-1, 1]", f"[{said(r'Write (0) for -1', message)}, 1]"),
    ),
    "weights of classes": (
        CLASSES + DATA,
        by_hand("[0.5, 0.25]", "[0.75, 0.25]", "weights of which each row sums to 1"),
    ),
    "labels that are missing": (HEAD + "[data]\nx = [2, 3, 5]\n", under),
    "a target that is missing": (OF_IRIS.replace('target = "species"\n', ""), under),
    "a target of no kind": (
        OF_IRIS.replace('"species"', "true"),
        lambda text, message: once(text, "true", said(r"or (-1) for the last", message)),
    ),
    "a column nearly": (
        OF_IRIS.replace("species", "specis"),
        instead("specis", r"Did you mean (\w+)\?"),
    ),
    "text for a switch": (
        OF_IRIS + "raw = 'yes'\n",
        lambda text, message: once(text, "raw = 'yes'", said(r"Write (raw = true)", message)),
    ),
    "an option of a table": (
        OF_IRIS + "missing = 'dorp'\n",
        instead("dorp", r"Did you mean (\w+)\?"),
    ),
    "a row in words": (OF_IRIS + "batch = 'al'\n", instead("'al'", r'or ("all")')),
    "another number of inputs": (
        OF_IRIS.replace("[4, 3]", "[5, 3]"),
        lambda text, message: once(text, "[5,", f"[{said(r'Write (.) as the first', message)},"),
    ),
    "another number of outputs": (
        HEAD.replace("[3, 2]", "[4, 2]") + IRIS,
        lambda text, message: once(text, "2]", said(r"Write (1) as the last", message) + "]"),
    ),
    "a convention of no kind": (
        'convention = "x"\n' + HEAD,
        lambda text, message: once(
            text, 'convention = "x"\n', said(r"Write (\[convention\]) on", message) + "\n"
        ),
    ),
    "a convention twice": (
        HEAD + 'convention = "ng"\n[convention]\nfirst = 0\n',
        lambda text, message: once(
            text,
            'convention = "ng"\n' if "the key or the table [convention]" in message else "",
            "",
        ),
    ),
    "the first layer": (
        HEAD + "[convention]\nfirst = 3\n",
        lambda text, message: once(text, "= 3", "= " + said(r"Write 0 or (1) or 2", message)),
    ),
    "names of no kind": (
        HEAD + "[convention]\nnames = 3\n",
        lambda text, message: once(text, "names = 3", said(r"Write (names = \{.*\})", message)),
    ),
    "too many names": (
        HEAD + "[convention.names]\n" + "".join(f'V{n} = "W{n + 1}"\n' for n in range(101)),
        lambda text, message: (
            text[: text.index("V0")] + f'"V{said(r"Write (.l.) for", message)}" = "W"\n'
        ),
    ),
    "twice": (HEAD + "seed = 1\nseed = 2\n", by_hand("seed = 2\n", "", "and each key once")),
    "no TOML": (HEAD + "seed 1\n", by_hand("seed 1", "seed = 1", "Write key = value, one a line")),
    "dots": (
        HEAD + "a" + ".a" * 200 + " = 1\n",
        by_hand("a" + ".a" * 200 + " = 1\n", "", "and plain keys under them"),
    ),
    "thousands of digits": (
        HEAD + f"seed = {'7' * 5000}\n",
        by_hand("7" * 5000, "7", "Write a number that a computer can hold"),
    ),
    "too large": (
        HEAD + "# comment\n" * 120_000,
        lambda text, message: (
            text.replace("# comment\n", "") if "of at most 1.0 MiB" in message else text
        ),
    ),
}
