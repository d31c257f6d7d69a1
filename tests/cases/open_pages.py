"""Pages of derivations for a browser: each made once, and what a test reads from an open one."""

import json

import numpy as np

from jacobian_bp import Convention, Network
from jacobian_bp.coursework.exercises.mistakes_of_run import explored
from jacobian_bp.reference import X, Y, second_seed

SEED = second_seed().run(X, Y)
PAGES = {
    "seed": lambda: SEED.derivation().html(),
    "first": lambda: SEED.derivation("first_seed").html(),
    "batch": lambda: batch().derivation("ng").html(),
    "static": lambda: SEED.derivation().html(static=True),
    "mistakes": lambda: with_mistakes(3),
    "hidden": lambda: with_mistakes(1),
    "hostile": lambda: SEED.derivation(Convention(names={"<b/onclick>": "W2"})).html(),
}


def batch():
    net, rng = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=4), _drawn()
    return net.run(rng.normal(size=(3, 3)), rng.normal(size=(3, 2)))


def _drawn():
    return np.random.default_rng(37)


def with_mistakes(level):
    derivation = SEED.derivation()
    return derivation.html(explored=explored(SEED, derivation, level))


def data(tab):
    """What the script of the page reads."""
    return json.loads(tab.evaluate("document.getElementById('objects').textContent"))


def place_of(tab, name):
    """Where the step with this name stands: #step-9."""
    label = f".step[aria-label$='{name}']"
    return "#" + tab.locator(label).first.get_attribute("id")
