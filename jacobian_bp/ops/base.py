"""What an op is: a signature, a forward, its Jacobians, and a fast VJP; and how it bends.

An op of your own takes the same four things, in the same order:

    >>> from jacobian_bp import Op, check_op, delta, dense
    >>> class Scale(Op):
    ...     signature = "a[k], s[] -> z[k]"
    ...     parameters = ("s",)
    ...     def forward(self, a, s):
    ...         return s * a
    ...     def jacobians(self, a, s):
    ...         return {"a": delta("k,k'") * dense("s", s), "s": dense("a[k]", a)}
    ...     def vjp(self, z_bar, a, s):
    ...         return {"a": s * z_bar, "s": (z_bar * a).sum()}
    >>> check_op(Scale, {"a": [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], "s": 1.5}).ok
    True

The signature is the contract: shape checks, the Jacobian's axes and the printed
line come from it. Where the derivative has two stable forms, the two rules use
one each, or a mistake in it would pass their comparison; where it has one,
finite differences judge.
"""

from collections.abc import Callable, Container, Mapping
from copy import copy
from functools import lru_cache, wraps
from typing import Any, ClassVar

import numpy as np

from ..algebra.axes import Signature, parse_axes, primed
from ..algebra.expression import Delta, Expression
from ..errors import JacobianError
from ..numbers.outer_products import LEAST, write_product
from .facts import Facts


class Op(Facts):
    """One step of a network: z = op(inputs).

    `signature` names trailing axes; data carries what it has in front of them, such as
    the examples. `parameters` lists the inputs that a batch shares, `labels` those
    that a loss compares with, and `constants` those by which nothing is
    differentiated. What else an op may say of itself stands in `Facts`.
    """

    signature: str
    parameters: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[tuple[str, ...]] = ()
    constants: ClassVar[tuple[str, ...]] = ()
    formula: str = ""  # the value in the letters of the signature, for the printed forward pass
    takes_numbers: ClassVar[bool] = False  # a number among its operands is one of them
    options: tuple[str, ...] | None = None  # in a program's text; None: what __init__ kept
    reasons: Mapping[str, str] = {}  # input -> why its Jacobian looks as it does

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """The value."""
        raise JacobianError(self.lacks("forward"))

    def jacobians(self, *inputs: np.ndarray) -> Mapping[str, Expression]:
        """For each input that is not a constant, its local Jacobian as an expression."""
        raise JacobianError(self.lacks("jacobians"))

    def vjp(self, bar: np.ndarray, *inputs: np.ndarray) -> Mapping[str, np.ndarray]:
        """For each such input, Σ_out bar[out] ∂out/∂input, in the input's own shape."""
        raise JacobianError(self.lacks("vjp"))

    def second(self, *inputs: np.ndarray) -> Mapping[tuple[str, str], Expression]:
        """For each pair of inputs that bend the value together, ∂²out/∂first∂second.

            z = W a + b:   ("W", "a"):  δ[k,k'] δ[i',i'']

        The axes of the pair are primed as one word: a letter gets one prime more each time
        that it stands, W[k',i'] and a[i''], z[k'] and z[k'']. A pair stands once, in either
        order. A pair that is not written is 0 for every input, and {} says it of all: the op
        is linear in all inputs together. An op that does not define it has no second derivatives:
        nothing is taken for straight that was not said to be.
        """
        raise JacobianError(self.lacks("second"))

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        if "second" not in own and ("forward" in own or "jacobians" in own):
            cls.second = Op.second  # type: ignore[method-assign]  # of another function

    @property
    def has_second(self) -> bool:
        """Whether the op says how it bends.

        >>> from jacobian_bp.ops import Linear
        >>> class Cubed(Linear):
        ...     def forward(self, a, W, b):
        ...         return super().forward(a, W, b) ** 3
        >>> Linear().has_second, Cubed().has_second  # what bends otherwise says so itself
        (True, False)
        """
        return getattr(self.second, "__func__", None) is not Op.second

    def undefined(self) -> tuple[str, ...]:
        """Which of forward, jacobians and vjp the op does not define.

        >>> class Half(Op):
        ...     signature = "a[k] -> z[k]"
        ...     def forward(self, a):
        ...         return a / 2
        >>> Half().undefined()
        ('jacobians', 'vjp')
        """
        methods = {name: getattr(self, name) for name in ("forward", "jacobians", "vjp")}
        own = vars(Op)
        return tuple(n for n, m in methods.items() if getattr(m, "__func__", None) is own[n])

    def lacks(self, method: str) -> str:
        """For a message: the method that is missing, and what it begins with and returns."""
        read = ", ".join(o.name for o in self.parsed.inputs)
        each = ", ".join(f'"{name}": …' for name in self.differentiable())
        define = {
            "forward": f"def forward(self, {read}), which returns {self.parsed.output.name}",
            "jacobians": f"def jacobians(self, {read}), which returns {{{each}}}, products of "
            "deltas and factors",
            "vjp": f"def vjp(self, bar, {read}), which returns {{{each}}}, each in the shape of "
            "its input",
            "second": f"def second(self, {read}), which returns {{}} where every second "
            "derivative is 0, else an expression for each pair that bends, such as "
            f"{self._some_pair()}",
        }[method]
        return f"{self.name} has no {method}.\n  Write {define}."

    def _some_pair(self) -> str:
        """For a message: {("z", "z"): …}, and the axes that the expression has."""
        first, last = (self.differentiable() * 2)[:2]
        read = {o.name: o.axes for o in self.parsed.inputs}
        axes = (*self.parsed.output.axes, *primed((*read[first], *read[last])))
        return f'{{("{first}", "{last}"): …}} over the axes {", ".join(axes) or "of a scalar"}'

    def admit(self, names: Mapping[str, str], *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Refuse values outside the domain, and bring labels into their one form.

        `names` says what the caller calls each input, and under "outputs" what a
        loss compares with its labels. Called once, before
        anything is computed with these inputs.
        """
        del names
        return inputs

    @property
    def has_own_admit(self) -> bool:
        """Whether `admit` may refuse a value or change it."""
        return type(self).admit is not Op.admit

    def support(self, *inputs: np.ndarray) -> Expression | None:
        """Where the value can stand, as ranges over its axes, within("u <= t"); None: everywhere.

        All else of it is exactly 0 for every input, and so it is in what is multiplied by it.
        """
        del inputs
        return None

    def branch(self, *inputs: np.ndarray) -> np.ndarray | None:
        """Which smooth piece each entry lies on, 0 at a kink; None for a smooth op."""
        del inputs
        return None

    def reading(self, count: int) -> "Op":
        """The op for a step that reads so many values: without inputs that may be left out."""
        signature = self.parsed
        if not signature.least <= count < len(signature.inputs):
            return self
        fewer = copy(self)
        fewer.signature = str(signature.of(count))
        return fewer

    def meeting(self, *axes: tuple[str, ...] | None) -> "Op | None":
        """The op for inputs with these axes, None for one whose names nobody knows.

        It is another op where an option names an axis. Where nothing is left to do the result
        is None, and the step gives what it reads: a mean over examples of one example.
        """
        del axes
        return self

    def meeting_behind(self, front: int, *axes: tuple[str, ...] | None) -> "Op | None":
        """`meeting`, where so many axes of the first input are carried in front: n, tokens, ….

        It matters to an op that reads all axes of an example, however many these are.
        """
        del front
        return self.meeting(*axes)

    def written_operands(self, args: tuple[str, ...]) -> tuple[str, ...]:
        """What a step's text has between the parentheses, in front of the options."""
        return args

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def parsed(self) -> Signature:
        """The signature, read."""
        return Signature.parse(self.signature)

    def differentiable(self) -> tuple[str, ...]:
        """The inputs by which the op is differentiated."""
        return tuple(o.name for o in self.parsed.inputs if o.name not in self.without_derivative)

    @property
    def without_derivative(self) -> tuple[str, ...]:
        """The inputs by which nothing is differentiated: `constants`, and positions of an axis."""
        return (*self.constants, *self.parsed.indices)

    def __repr__(self) -> str:
        options = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if k != "signature")
        return f"{self.name}({options})"


def on_demand(vjp: Callable[..., Mapping[str, Callable[[], Any]]]) -> Callable[..., Any]:
    """A vjp written as {"a": lambda: …}: an input that is not `wanted` costs nothing.

    What a caller gets are arrays, under the keyword `wanted` those alone, else of every input. A
    route wants those through which a gradient was asked for: by no first layer that of the data.

    >>> from jacobian_bp.ops import Linear
    >>> a, W, b = np.array([3.0, 5.0]), np.array([[7.0, 11.0]]), np.array([13.0])
    >>> Linear().vjp(np.array([2.0]), a, W, b, wanted=["b", "W"])
    {'W': array([[ 6., 10.]]), 'b': array([2.])}
    """

    @wraps(vjp)
    def asked(self: Op, *arrays: Any, wanted: Container[str] | None = None) -> dict[str, Any]:
        ways = vjp(self, *arrays)
        if wanted is None:
            return {name: way() for name, way in ways.items()}
        return {name: ways[name]() for name in ways if name in wanted}

    asked.on_demand = True  # type: ignore[attr-defined]
    return asked


def of_example(
    names: tuple[str, ...] | None, front: int, count: int | None
) -> tuple[str, ...] | None:
    """The axes of one example: so many of the last ones, else all that do not stand in front.

    None where nobody knows the names, or there are fewer.

    >>> of_example(("n", "t", "c"), 1, None), of_example(("n", "t", "c"), 1, 1)
    (('t', 'c'), ('c',))
    """
    if names is None or (count or 0) > len(names):
        return None
    return names[-count:] if count else names[front:]


def over_batch(array: np.ndarray, rank: int = 1) -> np.ndarray:
    """Add up the axes in front: what all examples share gets the sum of every example's share.

    `rank` is the number of axes that one share has; what stands in front is summed.

    >>> over_batch(np.array([[1.0, 2.0], [10.0, 20.0]]))
    array([11., 22.])
    >>> over_batch(np.ones((5, 7, 2)))
    array([35., 35.])
    """
    extra = np.ndim(array) - rank
    if extra <= 0:
        return np.array(array, copy=True)
    return array.sum(axis=0) if extra == 1 else array.sum(axis=tuple(range(extra)))


def outer(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left[k] right[i], added up over the axes in front where there are some.

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])).shape
    (2, 3)
    """
    if np.ndim(left) == np.ndim(right) == 1:
        if len(left) * len(right) < LEAST:
            return left[:, None] * right
        found = np.empty((len(left), len(right)), np.result_type(left, right))
        write_product(left[:, None], right[None], found)
        return found
    if np.ndim(left) == np.ndim(right) == 2:
        return left.T @ right
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


@lru_cache(maxsize=256)
def elementwise(axes: str) -> Expression:
    """δ[k,k'] for every axis: entry k of the output reads entry k of the input only.

    >>> print(elementwise("r,c"))
    δ[r,r'] δ[c,c']
    """
    return Expression.of(*(Delta(axis, axis + "'") for axis in parse_axes(axes)))


@lru_cache(maxsize=256)
def elementwise_twice(axes: str) -> Expression:
    """δ[k,k'] δ[k,k''] for every axis: entry k bends with entry k of its inputs only.

    >>> print(elementwise_twice("r,c"))
    δ[r,r'] δ[r,r''] δ[c,c'] δ[c,c'']
    """
    pairs = ((axis, axis + mark) for axis in parse_axes(axes) for mark in ("'", "''"))
    return Expression.of(*(Delta(*pair) for pair in pairs))


@lru_cache(maxsize=256)
def same_entry(axes: str) -> Expression:
    """δ[k',k''] for every axis: an entry bends with itself only.

    >>> print(same_entry("k,i"))
    δ[k',k''] δ[i',i'']
    """
    return Expression.of(*(Delta(axis + "'", axis + "''") for axis in parse_axes(axes)))
