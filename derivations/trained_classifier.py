"""A network that someone trained, derived: its weights and its data come from a file.

    python derivations/trained_classifier.py

trained/net.toml names the layers, weights.npz beside it holds the weights that
train_breast_cancer.py saved, and the data is the breast-cancer set. Nothing
here knows how the training was done: the columns are standardised over all rows,
where the training used its own rows alone. Rows and units count from 0.
"""

from pathlib import Path

import numpy as np

from jacobian_bp import Network
from jacobian_bp.writing.signs import number, to_ascii
from jacobian_bp.writing.tables import fold

FILE = Path(__file__).parent / "trained" / "net.toml"


def require(claim):
    if not claim:
        raise ArithmeticError("what would be printed next does not hold")


def main():
    net = Network.from_toml(FILE)
    print(f"A trained classifier, {net.parameter_count} parameters, read from {FILE.name}\n")
    for remark in net.facts.remarks:
        print(f"  {remark}")

    whole = net.run()
    right = np.mean((whole["a2"] > 0.5) == (whole["y"] > 0.5))
    print(
        f"\nall {len(whole['x'])} rows, trained on or not   J = {number(whole.loss, 3)}, "
        f"accuracy {number(right, 3)}"
    )

    wrong = int(np.argmax(np.abs(whole["a2"] - whole["y"])))
    one = net.run(whole["x"][wrong], whole["y"][wrong])
    answer, label = one["a2"][0], one["y"][0]
    print(
        f"\nthe row it is most wrong about: {wrong}, answer {number(answer, 3)} for label "
        f"{number(label)}, J = {number(one.loss, 3)}"
    )
    delta2 = one.jacobian("J", "z2").materialise("flat")
    print(f"  dJ/dz2 = a2 - y = {number(delta2[0, 0], 3)}, shape {delta2.shape}, layout flat:")
    require(np.isclose(delta2[0, 0], answer - label, rtol=1e-12))
    live = one["z1"] > 0
    dead = [f"a1[{k}]" for k in np.flatnonzero(~live)]
    print(f"  relu lets through {int(live.sum())} of {live.size}; off: {', '.join(dead) or 'none'}")
    dW1 = one.gradients()["W1"]
    require(not dW1[~live].any() and dW1[live].all())
    print(
        f"  so rows of dJ/dW1 {dW1.shape}, layout gradient, that can learn from this row: "
        f"{[int(k) for k in np.flatnonzero(live)]}"
    )

    print("\nthe Jacobian behind them")
    for line in to_ascii(one.jacobian("z1", "W1").text()).splitlines():
        print("\n".join(fold(f"  {line}", 96)))

    agreement = one.check()
    require(agreement.ok)
    print("\nall routes agree on this row")


if __name__ == "__main__":
    main()
