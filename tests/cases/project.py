"""Where the project lies: the one place that knows how deep the tests are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DERIVATIONS = ROOT / "derivations"
DOCS = ROOT / "docs"
BAD_INPUTS = Path(__file__).with_name("bad_inputs.txt")
