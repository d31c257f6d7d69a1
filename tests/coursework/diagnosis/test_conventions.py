"""diagnose in the convention of whoever wrote the arrays: axes, names, the 1/m, the bias."""

import numpy as np
import pytest
from planted_mistakes import dense_plants, scenes
from written_in import drawn, key_in, written_in

from jacobian_bp import Network, diagnose

RNG = np.random.default_rng(20)
NET = Network.dense([3, 7, 5, 2], "tanh", "half_squared_error", seed=4)
RUN = NET.run(RNG.normal(size=(11, 3)), RNG.normal(size=(11, 2)))
DELTAS = {f"z{n}": RUN.vjp("J", f"z{n}", 1.0) for n in (1, 2, 3)}
RIGHT = {**DELTAS, **RUN.gradients()}
SCENES = {s.name: s for s in scenes()}


@pytest.mark.parametrize("s", list(SCENES.values()), ids=list(SCENES))
def test_right_answers_are_right_in_every_convention(s):
    rng = np.random.default_rng(31)
    for _ in range(6):
        convention = drawn(rng)
        found = diagnose(s.run, written_in(convention, s.run, s.backward()), convention=convention)
        assert found.ok, (convention, str(found))


@pytest.mark.parametrize("s", list(SCENES.values()), ids=list(SCENES))
def test_planted_mistakes_keep_their_label_in_every_convention(s):
    rng = np.random.default_rng(32)
    tried = 0
    for _, variant, arrays, _ in list(dense_plants(s))[::3]:
        ours, convention = diagnose(s.run, arrays, "gradient"), drawn(rng)
        given = written_in(convention, s.run, arrays)
        if (
            given is None
            or ours.ok
            or any(f.label == "correct-other-layout" for f in ours.values())
        ):
            continue
        theirs = diagnose(s.run, given, convention=convention)
        same = {key: (f.label, f.ok) for key, f in ours.items() if key_in(convention, key) in given}
        if convention.bias == "own":
            found = {key: theirs[key_in(convention, key)] for key in same}
            said = {key: (f.label, f.ok) for key, f in found.items()}
            assert said == same, (variant, convention, str(theirs))
        assert not theirs.ok
        tried += 1
    assert tried > 3
