"""An article, and what pdflatex says of it."""

import re
import shutil
import subprocess

import pytest


def compiled(text, folder):
    """What pdflatex says of an article; skipped where it is not installed."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (folder / "a.tex").write_text(text, "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    said = done.stdout.decode("utf-8", "replace")
    return done.returncode, [float(w) for w in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", said)]
