"""What the other rooms ask of an op beside its mathematics, each with what holds by default.

An op that says none of it works everywhere, by general ways. What it says, it says
once, on its class; the rooms above ask it and keep no table of ops.

    network      activation, loss, loss_option, reduction, penalty, gives, takes, label_kind
    program      fused, keeps_zeros_of, instead
    compiled     compiled_as, shows_nonfinite, admits_finite
    compare      peer
    diagnosis    textbook, loss_textbook, residual, contains, averages, passes_on
    coursework   stages
    derivation   example, example_sizes, own_letters, letters_from, own_labels

`check_op` compares what an op says with what it computes.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from .kernels.place import GENERAL, Kernel
from .labels import NUMBERS
from .peer_functions import Functions
from .textbook import LossTextbook, Textbook

# A subclass may compute something else: these hold for the very class that says them.
OF_THE_CLASS = (
    "activation",
    "loss",
    "loss_option",
    "reduction",
    "penalty",
    "fused",
    "compiled_as",
    "shows_nonfinite",
    "admits_finite",
    "peer",
    "textbook",
    "keeps_zeros_of",
    "stages",
)


class Facts:
    """The facts of an op; `OF_THE_CLASS` are not inherited, the others are."""

    activation: ClassVar[str] = ""  # its name in activations=
    loss: ClassVar[str] = ""  # its name in loss=
    loss_option: ClassVar[str] = ""  # what the number sets in loss={"huber": 0.5}
    reduction: ClassVar[str] = ""  # its name in reduction=
    penalty: ClassVar[str] = ""  # its name in penalty=
    gives: tuple[str, ...] = ()  # PROBABILITIES; DISTRIBUTION too if they sum to 1
    takes: ClassVar[str] = ""  # which of these a loss asks of the activation before it
    label_kind: ClassVar[str] = NUMBERS  # of a loss: numbers, binary or classes

    compiled_as: ClassVar[Kernel] = GENERAL  # its value and cotangents in planned buffers
    shows_nonfinite: ClassVar[bool] = False  # gives inf or NaN wherever it reads one
    admits_finite: ClassVar[bool] = False  # its own admit takes every finite array of its shape

    textbook: Textbook | None = None  # of an activation
    loss_textbook: ClassVar[LossTextbook | None] = None
    residual: ClassVar[float | None] = None  # c, where ∂L/∂a is c (a − y)
    contains: ClassVar[type | None] = None  # the activation in a loss that reads logits
    averages: bool = False  # divides by the number of examples
    passes_on: bool = False  # each input's cotangent is the output's

    # The options of its small example in the table of all ops; one is needed where there is no
    # default: {"width": 3}.
    example: ClassVar[Mapping[str, Any]] = {}
    example_sizes: ClassVar[Mapping[str, int]] = {}  # where not any prime will do

    # Inputs whose zeros are those of the value, entry by entry: a product is 0 where a factor is.
    keeps_zeros_of: ClassVar[tuple[str, ...]] = ()

    # Letters and words of its formula, Jacobians and reasons that are no input of it, and what is
    # put together from them, {"di": "d{i}"}. Where a program has a value of that name, or another
    # op means something else by it, they are written with the step behind them, s_x2: no page has
    # one letter for two things.
    own_letters: tuple[str, ...] = ()
    letters_from: tuple[str, ...] = ()  # inputs that make these, where other ops share them
    own_labels: Mapping[str, str] = {}

    # What a kink is, of an op whose branches belong to the entries of its own value: two entries
    # of a window are the largest. Without it a kink is a 0 of what the op reads.
    kink: ClassVar[str] = ""

    # Without an entry along one of its axes it has no value: a softmax, a mean, a window.
    needs_entries: ClassVar[bool] = False

    # What it gives is new at each call, or what it was given: so it is with the ops of this
    # package. An op of one's own may keep its arrays and write to them: they are copied.
    gives_new_arrays: ClassVar[bool] = False

    # Its Jacobians and second derivatives have the same terms at all numbers of one shape, and an
    # array in them that is an input is that input at all. So it is with the ops of this package
    # but for those that say otherwise; one of one's own is asked each time.
    keeps_terms: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        of_the_package = cls.__module__.startswith(f"{__package__}.")
        cls.gives_new_arrays = of_the_package
        cls.keeps_terms = of_the_package and vars(cls).get("keeps_terms", True)
        for fact in OF_THE_CLASS:
            if fact not in vars(cls):
                setattr(cls, fact, vars(Facts)[fact])

    def fused(self, before: Any) -> Any:
        """The op that is this loss and the activation `before` it in one; None without one."""
        del before
        return None

    def instead(self, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> str:
        """What to write where shapes do not fit, as far as this op knows what was meant."""
        del names, shapes
        return ""

    def stages(self) -> tuple[tuple[str, ...], ...]:
        """The value step by step, as a program's lines: what the formula names inside, by name.

        The lines are in the letters of the signature, and the last gives the value; {2k} in a
        line is twice the size of the axis k. Where books go more than one way there is a tuple of
        lines for each, the usual way first.
        """
        return ()

    def peer(self, xp: Functions, *inputs: Any) -> Any:
        """The value in the functions of another package; None where that is not said."""
        del xp, inputs
        return None
