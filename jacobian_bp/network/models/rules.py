"""Every kind of node that can be written, and the builder called with them."""

from . import (
    attention_rules,
    cell_rules,
    compound_rules,
    entry_rules,
    layer_rules,
    loss_rules,
    place_rules,
    reduction_rules,
    repeat_rules,
)
from .building import Builder, Built
from .model import Model

RULES = {
    **entry_rules.RULES,
    **layer_rules.RULES,
    **place_rules.RULES,
    **loss_rules.RULES,
    **attention_rules.RULES,
    **cell_rules.RULES,
    **compound_rules.RULES,
    **reduction_rules.RULES,
    **repeat_rules.RULES,
}


def build(model: Model) -> Built:
    """The model as lines of a program, or SpecError with everything that cannot be written."""
    return Builder(model).build(RULES)
