"""Write docs/gallery.md and the pictures in docs/pictures/, each by the line that stands above it.

python docs/build_gallery.py
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from jacobian_bp.document.picture import Picture

DOCS = Path(__file__).parent
PICTURES, PAGE = DOCS / "pictures", DOCS / "gallery.md"

BEGIN = """\
import numpy as np
from jacobian_bp import Network
from jacobian_bp.reference import X, Y, second_seed

net = second_seed()
run = net.run(X, Y)"""

HEAD = f"""\
# Pictures

Made by `python docs/build_gallery.py`, each by the line above it; a file of its own comes from
`.save("x.svg")`, or from `jacobian-bp draw NETWORK WHAT --out x.svg`.

- A picture is one SVG that loads nothing: light or dark as the reader's screen is, on paper of its
  own, with its title and its words inside.
- Numbers are blue above 0 and orange below, the stronger the larger; a minus sign, or a bar
  where no number is written, marks the negative ones in grey too.
- What is zero for every input is hatched; `0` on plain paper is zero at this input.
- Magenta is for gradients.
- What is too large leaves its numbers out first, then its entries, and says so.

Every line reads what stands here:

```python
{BEGIN}
```
"""

# (file, heading, lines that stand before it, line, what there is to see)
OWN = [
    (
        "slices",
        "A 3-tensor, slice by slice",
        "",
        'run.jacobian("z1", "W1").picture()',
        "δ[k,k'] x[i']: x stands in row k of slice k, and nowhere else.",
    ),
    (
        "flat",
        "The same tensor laid flat is a staircase",
        "",
        'run.jacobian("z2", "W2").picture("flat")',
        "kron(I, a1ᵀ), rows for the outputs, columns for W2 row by row.",
    ),
    (
        "beside",
        "A diagonal Jacobian beside a full one",
        "x, y = np.array([0.5, -1.0, 2.0]), np.array([0.0, 1.0, 0.0, 0.0])\n"
        'softmax = Network.dense([3, 4, 4], ["relu", "softmax"], "cross_entropy", seed=3)\n'
        "softmax = softmax.run(x, y)",
        'softmax.jacobian("a1", "z1").picture(beside=softmax.jacobian("a2", "z2"))',
        "relu reads entry k for entry k; softmax reads all of them, since they sum to 1.",
    ),
    (
        "network",
        "A network",
        "",
        "net.picture()",
        "w₀₁ goes from unit 1 of a layer to unit 0 of the next; a node 1 carries the biases.",
    ),
    (
        "layer",
        "One layer, its activations and its sums apart",
        "",
        "net.picture(layer=2)",
        "Activations green, sums blue, weighted edges orange.",
    ),
    (
        "graph",
        "The graph of a run, with values and gradients",
        "skip = Network.program(\n"
        '    "z1 = Linear(x, W1, b1)",\n'
        '    "a1 = ReLU(z1)",\n'
        '    "z2 = Linear(a1, W2, b2)",\n'
        '    "s = Add(z2, a1)",\n'
        '    "J = HalfSquaredError(s, y)",\n'
        "    params={\n"
        '        "W1": [[0.5, -1.0, 0.25], [1.0, 0.5, -0.5]],\n'
        '        "b1": [0.1, 0.2],\n'
        '        "W2": [[1.0, -0.5], [0.75, 0.25]],\n'
        '        "b2": [0.0, -0.3],\n'
        "    },\n"
        ").run([1.0, -0.5, 2.0], [1.0, 0.0])",
        "skip.graph()",
        "Two paths lead from a1 to s; the second has a lane of its own.",
    ),
    (
        "chain",
        "A chain, and its Jacobians backwards",
        "",
        'run.graph("chain")',
        "Read from the right: each Jacobian multiplies what came before it.",
    ),
    (
        "sparsity",
        "Where a Jacobian that is never built can be other than zero",
        "rng = np.random.default_rng(0)\n"
        "large = Network.dense([784, 128, 10], seed=0).run(rng.normal(size=784), np.eye(10)[3])",
        'large.jacobian("z1", "W1").picture()',
        "12,845,056 entries, 98 MiB: counted from the delta, exactly, in every cell.",
    ),
    (
        "windows",
        "The windows of a convolution",
        'kernel = {"K": np.ones((1, 1, 3, 2)), "c": [0.0]}\n'
        'conv = Network.program("z = Conv2d(x, K, c, stride=2)", params=kernel)',
        'conv.run(np.arange(42.0).reshape(1, 7, 6)).jacobian("z", "x").picture(kind="windows")',
        "Each output reads a window; two outputs below each other share a row here.",
    ),
    (
        "hessian",
        "The blocks of a Hessian",
        "",
        "run.hessian(run.params).picture()",
        "Symmetric; the rows of a unit that is switched off are 0 at this input.",
    ),
]
SEEDS = [
    ("first_seed", "first_seed_figure_1", "figure_1()", "J3, Figure 1: the network"),
    ("first_seed", "first_seed_figure_2", "figure_2()", "J8, Figure 2: one layer"),
    ("first_seed", "first_seed_figure_3", "figure_3()", "J17, Figure 3: the chain"),
    (
        "second_seed",
        "second_seed_of_example",
        'architecture("(i)")',
        "M3, with the example's index",
    ),
    ("second_seed", "second_seed_network", "architecture()", "M3, without it"),
]


def drawn() -> dict[str, Picture]:
    """Every picture by the name of its file."""
    names: dict[str, Any] = {}
    exec(BEGIN, names)
    found = {}
    for file, _, before, line, _ in OWN:
        exec(before, names)
        found[file] = eval(line, names)
    for script, file, line, _ in SEEDS:
        found[file] = eval(line, vars(_script(script)))
    return found


def page() -> str:
    """The page in Markdown."""
    pictures = drawn()
    parts = [HEAD]
    for file, title, before, line, say in OWN:
        code = "\n".join(filter(None, [before, line]))
        parts.append(f"## {title}\n\n```python\n{code}\n```\n\n{_shown(file, pictures)}\n\n{say}\n")
    parts.append("## The figures of the seeds\n\nDrawn by the scripts that write the seeds out.\n")
    for script, file, line, say in SEEDS:
        where = f"[{script}.py](../derivations/{script}.py), `{line}`"
        parts.append(f"{say}: {where}\n\n{_shown(file, pictures)}\n")
    return "\n".join(parts)


def _shown(file: str, pictures: dict[str, Picture]) -> str:
    words = pictures[file].alt.replace("[", "\\[").replace("]", "\\]")
    return f"![{words}](pictures/{file}.svg)"


def _script(name: str) -> ModuleType:
    """A derivation, imported without being run."""
    place = DOCS.parent / "derivations" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for file, picture in drawn().items():
        picture.save(PICTURES / f"{file}.svg", replace=True)
    PAGE.write_text(page(), encoding="utf-8")
