"""How a student lays out arrays: examples in rows or columns, which axis of W is which."""

from dataclasses import dataclass, fields

from ..errors import SpecError
from ..writing.signs import did_you_mean, safe

CHOICES = {"examples": ("rows", "columns"), "weights": ("out,in", "in,out")}
WEIGHTS = {"out,in": "W (outputs, inputs)", "in,out": "W (inputs, outputs)"}


@dataclass(frozen=True)
class Convention:
    """Where the examples of a batch stand, and which axis of a weight matrix is which.

    examples="rows" has data and deltas as (examples, units), "columns" as (units, examples);
    weights="out,in" has W as (outputs, inputs), "in,out" as (inputs, outputs).

    >>> print(Convention(examples="columns"))
    examples in columns, W (outputs, inputs)

    Raises SpecError for any other word.
    """

    examples: str = "rows"
    weights: str = "out,in"

    def __post_init__(self) -> None:
        for field in fields(self):
            choices, given = CHOICES[field.name], getattr(self, field.name)
            if given not in choices:
                raise SpecError(
                    f"Convention: {field.name} is {safe(repr(given))[:40]}."
                    f"{did_you_mean(given, choices) if isinstance(given, str) else ''}\n"
                    f"  Write {' or '.join(repr(choice) for choice in choices)}."
                )

    def __str__(self) -> str:
        return f"examples in {self.examples}, {WEIGHTS[self.weights]}"
