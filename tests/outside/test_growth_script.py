"""derivations/growth.py with --measure: the counted part as committed, then times of some shape."""

import re
import subprocess
import sys

from project import DERIVATIONS

from jacobian_bp.compare.timing.subjects import ROUTES

SCRIPT = DERIVATIONS / "growth.py"


def test_measured_after_what_is_counted():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--measure"], capture_output=True, timeout=300, check=True
    )
    assert done.stderr == b""
    text = done.stdout.decode("ascii")
    counted = SCRIPT.with_suffix(".txt").read_text("ascii")
    assert text.startswith(counted)
    measured = text[len(counted) :]
    assert max(map(len, measured.splitlines())) < 100
    for axis in ("width", "batch"):
        assert f"MEASURED: THE {axis.upper()} GROWS" in measured
        assert f"exponent of the {axis}" in measured
    time = r"\d[\d.,]* (us|ms|s)"
    for route in ROUTES:
        assert len(re.findall(rf"^ +{route} +{time} +{time}", measured, re.MULTILINE)) == 2
