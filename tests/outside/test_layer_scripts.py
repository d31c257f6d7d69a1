"""The scripts about layers: what stands in them is counted, and a wrong formula is not printed."""

import re

import numpy as np
import pytest
from project import DERIVATIONS, ROOT
from run_here import run_script
from sampled import seldom

PLANTED = {  # script: a formula, the same with a mistake, what stands before it, what behind
    "convolution": (
        "convolve(bar[d], K[d, c]",
        "convolve(bar[d], K[d, c, ::-1]",
        "g times",
        "Conv",
    ),
    "normalisation": ('N": -gain * normal', 'N": gain * normal', "unit 0", "all three = g"),
    "embedding": ("np.add.at(added, U, G)", "added[U] += G", "H^T g", "np.add.at"),
    "recurrent": ('PARAMS["W"]) * (1', 'PARAMS["W"].T) * (1', "share of step 1", "delta2 ="),
    "causal_attention": ("V[None] - o[:, None]", "V[None] - 0 * o[:, None]", "dP/ds", "do/dQ: d"),
    "transformer_block": ("(n * t * f) ** 2", "n * (t * f) ** 2", "NOT BUILT", "'one in'"),
    "trained_transformer": (
        "np.outer(delta[t], x[t])",
        "np.outer(delta[t], x[t - 1])",
        "HOW FAR",
        "The delta",
    ),
    "train_digits": ("], compiled[name])", "], -compiled[name])", "BEFORE", "each against"),
}


@pytest.mark.parametrize(
    "stem",
    [seldom(s) if s in ("trained_transformer", "transformer_block") else s for s in PLANTED],
)
def test_refuses_to_print_what_does_not_hold(stem, tmp_path):
    script = DERIVATIONS / f"{stem}.py"
    text = script.read_text(encoding="utf-8").replace("Path(__file__).parent", repr_of(script))
    right, wrong, before, behind = PLANTED[stem]
    assert right in text
    (tmp_path / "planted.py").write_text(text.replace(right, wrong), encoding="utf-8")
    done = run_script(tmp_path / "planted.py")
    assert done.returncode == 1
    assert b"ArithmeticError" in done.stderr
    assert before.encode() in done.stdout
    assert f"\n{behind}".encode() not in done.stdout


def repr_of(script):
    """The folder of a script, as Python writes it: a copy elsewhere reads the same data."""
    return f"Path({str(script.parent)!r})"


def printed(stem):
    return (DERIVATIONS / f"{stem}.txt").read_text(encoding="ascii")


def test_the_page_of_scripts_has_each_of_them_once():
    page = (ROOT / "docs" / "derivations.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[(\w+)\]\(\S+/(\w+)\.py\) \| \[text\]\(\S+/(\w+)\.txt\)", page, re.MULTILINE
    )
    assert all(len(set(row)) == 1 for row in rows)
    assert sorted(row[0] for row in rows) == sorted(s.stem for s in DERIVATIONS.glob("*.py"))


def test_attention_has_the_counts_that_a_triangle_has():
    text = printed("causal_attention")
    squares = sum((t + 1) ** 2 for t in range(6))
    assert f"= {squares} of 1,296" in text
    assert "21 pairs x 4 x 4 = 336 of 576" in text
    blocks = re.findall(r"^ +o\[(\d)\] +(.*)$", text, re.MULTILINE)
    assert [(int(t), row.split()) for t, row in blocks] == [
        (t, ["KV"] * t + ["QKV"] + ["."] * (5 - t)) for t in range(6)
    ]


def test_a_block_has_every_step_by_everything_that_it_reads():
    """Fourteen steps; both tables and the list of formulas have the same Jacobians."""
    text = printed("transformer_block")
    formulas, built, not_built = re.split(r"\n(?:NOT )?BUILT: ", text)
    rows = [re.findall(r"^ {4}(d\w+/d\w+) +\(", part, re.MULTILINE) for part in (built, not_built)]
    named = re.findall(r"^(d\w+/d\w+)\[", formulas, re.MULTILINE)
    assert named == rows[0] == rows[1]
    assert len(set(named)) == len(named) == 30


def test_the_classifier_reads_digits_that_it_has_not_seen():
    number = r" +(\d\.\d+)"
    rows = re.findall(rf"^ +(\d){number * 4}$", printed("train_digits"), re.MULTILINE)
    costs = [float(row[1]) for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert float(rows[0][4]) < 0.2
    assert 0.92 < float(rows[-1][4]) < 1


def test_the_images_are_those_of_the_source():
    """1,797 images of 64 pixels from 0 to 16; each digit about as often as the others."""
    head, *lines = (DERIVATIONS / "data" / "digits.csv").read_text("ascii").splitlines()
    assert head.split(",") == [*(f"p{i}{j}" for i in range(8) for j in range(8)), "digit"]
    images = [[int(cell) for cell in line.split(",")] for line in lines]
    assert len(images) == 1797
    assert {len(image) for image in images} == {65}
    assert {pixel for image in images for pixel in image[:-1]} == set(range(17))
    often = [sum(image[-1] == digit for image in images) for digit in range(10)]
    assert often == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def drawings(path, side, kind="text"):
    """90 images of two kinds: a bright upper half, or a bright lower one, in 0 … 255."""
    rng = np.random.default_rng(5)
    lines = [";".join([*(f"p{n}" for n in range(side**2)), "kind"])]
    for n in range(90):
        image = rng.integers(0, 90, (side, side))
        image[: side // 2] += 150 * (n % 2)
        image[side // 2 :] += 150 * (1 - n % 2)
        name = {"text": ("lower", "upper")[n % 2], "number": f"{n / 7:.3f}"}[kind]
        lines.append(";".join([*map(str, image.ravel()), name]))
    path.write_text("\n".join(lines) + "\n")


def digits(folder, *options, code=0):
    done = run_script(DERIVATIONS / "train_digits.py", *options, cwd=folder)
    assert done.returncode == code, done.stderr.decode()
    return (done.stdout or done.stderr).decode()


def test_the_classifier_trains_on_other_images(tmp_path):
    drawings(tmp_path / "own.csv", 6)
    text = digits(tmp_path, "--data", "own.csv", "--target", "kind")
    assert "own.csv: 90 rows, 37 columns; columns separated by semicolon" in text
    assert "Images: 6 x 6 pixels" in text
    assert "training x (72, 1, 6, 6), y (72,); held out x (18, 1, 6, 6)" in text
    assert re.search(r"dx\[0,i',j'\], 6 x 6 +dz1\[\d,o,q\]/dK1\[\d,0,1,2\], 4 x 4", text)
    assert "of 16 places" in text
    assert "nan" not in text


def test_images_that_cannot_be_are_refused(tmp_path):
    own = ("--data", "own.csv", "--target")
    drawings(tmp_path / "own.csv", 5)
    said = digits(tmp_path, *own, "kind", code=2)
    assert "the table has 25 inputs, which are no image of 4 x 4, 6 x 6, … pixels" in said
    drawings(tmp_path / "own.csv", 6, "number")
    said = digits(tmp_path, *own, "kind", code=2)
    assert "the target kind has no classes: name its column with --category kind" in said
    assert "--data and --target go together" in digits(tmp_path, *own[:2], code=2)
    assert "--skip goes with --data and --target" in digits(tmp_path, "--skip", "2", code=2)
