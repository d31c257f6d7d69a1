"""Networks: the objects that a user holds.

A network is a function of its input at fixed parameters; during training it is
a function of its parameters at fixed data. Both are here: net(x), and
net.run(x, y).gradients(). What only one method needs is loaded by that method.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from numbers import Integral
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import JacobianError, SpecError
from ..numbers.arrays import read_only, real_array
from ..numbers.precision import precision_of
from ..ops import Op
from ..program.forward import run_forward
from ..program.making_ops import own_ops
from ..program.program import Program
from ..program.step import Step
from ..writing.latex import aligned, formula, words
from ..writing.notebook import Said, ends, page, steps
from ..writing.shown import Shown
from ..writing.signs import did_you_mean, dims, safe
from .drawn_from_seed import draw_data, draw_params
from .facts import NetworkFacts
from .files.convention_file import convention_of
from .from_elsewhere import FromElsewhere
from .layers import build_dense, read_loss
from .over_batches import OverBatches
from .parameters import checked, require_mapping, require_names, require_shape
from .penalised import formulas
from .run import GivenConvention, Run
from .tying import fill_tied, tied_names

if TYPE_CHECKING:
    from ..document.picture import Picture
    from ..routes.compiled.step import CompiledStep


class Network(FromElsewhere, OverBatches, Shown):
    """A named straight-line program of ops, and its parameters.

    Build one with `Network.dense` (layers one after another) or
    `Network.program` (any directed acyclic graph). A network does not change:
    `with_params` gives another one.
    """

    def __init__(
        self,
        program: Program,
        params: Mapping[str, Any],
        tied: Mapping[str, str] | None = None,
        facts: NetworkFacts | None = None,
    ) -> None:
        self._program = program
        self.tied = dict(tied or {})
        self._params: dict[str, np.ndarray] = {}
        for name, value in params.items():
            first = self.tied.get(name)
            self._params[name] = self._params[first] if first else read_only(checked(value, name))
        self.facts = facts or NetworkFacts()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        kept = (*self._params.values(), *self.facts.data.values(), *self.constants.values())
        for array in kept:  # a copy is open
            read_only(array)

    @property
    def params(self) -> Mapping[str, np.ndarray]:
        """The parameters by name, closed to writing; `with_params` replaces some."""
        return MappingProxyType(self._params)

    @property
    def constants(self) -> Mapping[str, np.ndarray]:
        """Inputs that a model from elsewhere keeps beside its parameters: masks, given statistics.

        `run` fills them in; a compiled step is given them: step(net.params, x, y, **net.constants).
        """
        foreign = self.facts.foreign
        return MappingProxyType({} if foreign is None else dict(foreign.constants))

    @classmethod
    def dense(
        cls,
        sizes: Sequence[int],
        activations: str | Sequence[str] = "sigmoid",
        loss: str | Mapping[str, float] | None = "squared_error",
        *,
        reduction: str = "mean",
        penalty: Mapping[str, float | Mapping[str, float]] | None = None,
        seed: int | None = None,
        params: Mapping[str, Any] | None = None,
        squash_input: bool | str = False,
        dtype: Any = np.float64,
        ops: Mapping[str, Op | type[Op]] | None = None,
        convention: GivenConvention | None = None,
    ) -> "Network":
        """Layers one after another: z1 = W1 x + b1, a1 = σ(z1), z2 = W2 a1 + b2, …

        Values are named x, z1, a1, z2, a2, …, J; parameters W1, b1, W2, b2, … with
        W of shape (outputs, inputs). Give `params`, or a `seed` to draw them:
        normal, of standard deviation 1/√inputs, biases 0.1 times normal. With
        `squash_input` the input passes an activation first (a0), as in the
        first seed, eq. 1. The same array given as two parameters ties them: the
        same memory, of numpy, torch or JAX, in the same shape. `ops` adds
        activations and losses of your own under a name.

        `loss` is squared_error, half_squared_error, huber (δ = 1; {"huber": 0.5} for
        another), bce, cross_entropy, kl_divergence or hinge, each a sum over the outputs. With
        `reduction` "mean" the cost is the mean over the examples, with
        "mean_over_entries" that over examples and outputs, with "sum" the sum.

        `penalty` adds to the cost, once and after the mean over the examples:

            {"W1": 0.01}                0.01 Σ W1²
            {"W1": {"half_l2": 0.01}}   ½ · 0.01 Σ W1²
            {"W1": {"l1": 0.01}}        0.01 Σ |W1|

        `convention` says how derivations of the network are written, where they are not
        told otherwise: a name such as "ng", a TOML file, or a Convention.

        >>> net = Network.dense([3, 4, 2, 1], ["relu", "relu", "sigmoid"], "bce", seed=0)
        >>> net.run([1.0, -2.0, 0.5], 1)["z1"].shape
        (4,)
        """
        named, tuned = read_loss(loss)
        own = {**own_ops(ops), **tuned}
        steps, shapes = build_dense(
            sizes, activations, named, reduction, squash_input, own, penalty
        )
        require_mapping(params)
        layers = len(sizes) - 1
        facts = NetworkFacts(
            tuple(sizes),
            (activations,) * layers if isinstance(activations, str) else tuple(activations),
            named,
            formulas(steps),
            "sigmoid" if squash_input is True else squash_input or "",
            None if convention is None else convention_of(convention),
        )
        if params is None:
            params = draw_params(shapes, 0 if seed is None else seed, dtype)
        require_names(shapes, params)
        return cls._tying(steps, params, facts)

    @classmethod
    def program(
        cls,
        *lines: str,
        params: Mapping[str, Any] | None = None,
        ops: Mapping[str, Op | type[Op]] | None = None,
        convention: GivenConvention | None = None,
    ) -> "Network":
        """Any directed acyclic graph of named ops, one step a line.

        >>> net = Network.program(
        ...     "z = Linear(x, W, b)",
        ...     "s = Add(z, x)",
        ...     "L = SquaredError(s, y)",
        ...     "J = Mean(L)",
        ...     params={"W": [[0.5, -1.0], [2.0, 0.25]], "b": [0.0, 1.0]},
        ... )
        >>> net.run([1.0, 2.0], [0.0, 0.0]).gradients()["b"]
        array([-1., 11.])

        Names that no step computes are parameters where `params` has them, and
        inputs otherwise. A line may also be a formula, "z = W @ x + b", "L = sum((z - y)**2)": it
        speaks of one example, and a capital letter that is no parameter is a matrix. `ops` adds
        ops of your own under a name. A Mean or Sum over the examples is left out for one example
        whose value is a number already. `convention` is that of `Network.dense`.
        """
        from ..formulas.in_program import steps_of

        require_mapping(params)
        params = dict(params or {})
        facts = NetworkFacts(convention=None if convention is None else convention_of(convention))
        return cls._tying(steps_of(lines, own_ops(ops), params), params, facts)

    @classmethod
    def _tying(
        cls, steps: Sequence[Step], params: Mapping[str, Any], facts: NetworkFacts | None = None
    ) -> "Network":
        """A network whose steps read each tied parameter under its first name."""
        tied = tied_names(params)
        own = [name for name in params if name not in tied]
        program = Program.build([step.reading(tied) for step in steps], own)
        return cls(program, params, tied, facts)

    def followed_by(
        self,
        *lines: str,
        params: Mapping[str, Any] | None = None,
        ops: Mapping[str, Op | type[Op]] | None = None,
    ) -> "Network":
        """The network with more lines behind its own, such as a loss; it keeps what it has.

        The lines, `ops` and `params`, which are new ones, are those of `Network.program`. Raises
        SpecError for a parameter that the network has.

        >>> net = Network.program("z = Linear(x, W)", params={"W": [[1.0, 2.0]]})
        >>> net.followed_by("L = SquaredError(z, y)", "J = Mean(L)").run([1.0, 1.0], [2.0]).loss
        1.0
        """
        from ..formulas.in_program import steps_of

        require_mapping(params)
        for name in params or {}:
            if name in self._params:
                raise SpecError(
                    f"the network has a parameter {safe(name)}.\n"
                    "  Give the new one another name; with_params replaces the array of one."
                )
        known = {n: self._params[self.tied.get(n, n)] for n in self._params} | dict(params or {})
        steps = self._program.steps
        steps = (*steps, *steps_of(lines, own_ops(ops), known, steps))
        facts = replace(self.facts, sizes=(), activations=(), loss=None, penalty=())
        return Network._tying(steps, known, facts)

    def state_dict(self) -> dict[str, Any]:
        """The parameters under the names and in the layout of the model that they are from.

        Tensors for a network from PyTorch, with its buffers, so that load_state_dict takes them;
        arrays otherwise. All are new. Raises SpecError for a network that is from no model.
        """
        if self.facts.foreign is None:
            raise SpecError(
                "this network is from no model of another library.\n"
                "  Its parameters are net.params, by the names of this package."
            )
        return self.facts.foreign.state_dict(self.params)

    def with_params(self, params: Mapping[str, Any]) -> "Network":
        """The same network with some parameters replaced; tied ones stay tied, and no others.

        A network is tied when it is built: here an array gives its numbers, which are copied.
        """
        require_mapping(params)
        unknown = [name for name in params if name not in self.params]
        if unknown:
            raise SpecError(
                f"no parameter is named {unknown[0]!r}.\n"
                f"  The parameters are {', '.join(self.params)}."
            )
        for name, value in params.items():
            require_shape(name, real_array(value, name).shape, self.params[name].shape)
        given = fill_tied(params, self.tied)
        arrays = {
            name: real_array(given[name], name) if name in given else value
            for name, value in self.params.items()
        }
        arrays |= {name: arrays[first] for name, first in self.tied.items()}
        return Network(self._program, arrays, self.tied, self.facts)

    def __call__(self, x: Any) -> np.ndarray:
        """The output at fixed parameters: the last value before the loss."""
        values = self.run(x)
        return np.array(values[values.cost])

    def run(
        self,
        x: Any = None,
        y: Any = None,
        *,
        axes: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Run:
        """One forward pass: x of shape (i,) for one example, (m, i) for a batch.

        `y` holds the labels; a network with one output takes () or (1,) for one
        example, (m,) or (m, 1) for a batch. Further inputs go by name. Without
        labels the run stops before the loss; without anything it takes the data
        of the network's file. `axes` names what data has in front of the axes of one
        vector, {"x": "n,t"}: examples n, tokens t. One axis that nobody names is n.

        >>> net = Network.program(
        ...     "a = Linear(x, W, b)",
        ...     "L = SquaredError(a, y)",
        ...     "J = Mean(L, over='n,t')",
        ...     params={"W": [[1.0, 2.0, 3.0]], "b": [0.5]},
        ... )
        >>> x, y = np.ones((5, 7, 3)), np.zeros((5, 7, 1))
        >>> net.run(x, y, axes={"x": "n,t"}).jacobian("a", "x").formula
        "δ[n,n'] δ[t,t'] W[k,i']"
        """
        data = {k: v for k, v in {"x": x, "y": y, **more}.items() if v is not None}
        if not data:
            data, axes = dict(self.facts.data), self.facts.axes if axes is None else axes
        if self.facts.foreign is not None:
            data, axes = self.facts.foreign.completed(data, axes)
        known = self._program.inputs
        for name in data:
            if name not in known:
                raise SpecError(
                    f"the network has no input named {name!r}.{did_you_mean(name, known)}\n"
                    f"  {self._program.inputs_said}"
                )
        missing = [n for n in known if n not in data and n not in self._program.labels]
        if missing:
            raise SpecError(
                f"the input {missing[0]} is missing.\n  The network reads {', '.join(known)}."
            )
        state = run_forward(self._program, self.params, data, axes)
        return Run(state, self.tied, self._title, self.facts.convention or "flat")

    def compile(
        self,
        batch: int | None = None,
        *,
        axes: Mapping[str, str] | None = None,
        engine: str = "numpy",
    ) -> "CompiledStep":
        """A step(params, x, y) that gives the cost and all gradients, planned once.

        `batch=m` is for m examples in rows; without it the step takes one example. `axes`
        names what data has in front, as in `run`. With `engine="numba"` the step is machine code,
        for dense layers: an op without a form as loops is refused at the first call, where the
        planned numpy step takes it. Raises SpecError where numba is not installed.
        """
        from ..source.engines import step_class

        count = None if batch is None else checked_batch(batch)
        dtype = precision_of([*self._params.values()] or [np.zeros(())])
        made = step_class(engine)
        if self.facts.foreign is not None:
            axes = {**self.facts.foreign.axes, **(axes or {})}
        return made(self._program, count, dtype, self.tied, axes)

    def source(self, batch: int | None = None, style: str = "numpy") -> str:
        """`step(params, x, y)` as the text of a file of plain NumPy, for one example or `batch`.

        It gives the cost and a dict of gradients, equal to the bit to those of the vjp route, or
        with `style="loops"` explicit loops, equal to rounding: see `Run.source`. Raises SpecError
        for a network that is no layers one after another, whose sizes its data have:
        `run(...).source()` writes any.

        >>> text = Network.dense([3, 4, 2], seed=0).source(batch=7)
        >>> [line for line in text.splitlines() if line.startswith("def step")]
        ['def step(params, x, y):']
        """
        from ..source.styles import require_style

        count = None if batch is None else checked_batch(batch)
        require_style(style, "style =")
        if not self.facts.sizes or not self.facts.loss:
            raise SpecError(
                "the sizes of what this network reads are those of its data.\n"
                f"  Run it, and write that run out: net.run({', '.join(self._program.inputs)})"
                ".source()."
            )
        x, y = draw_data(self.facts.sizes, self.facts.loss, self.facts.seed, count)
        dtype = precision_of([*self._params.values()] or [np.zeros(())])
        return self.run(x.astype(dtype), y).source(style)

    def picture(self, layer: int | None = None) -> "Picture":
        """Units, weights and biases as a picture; `layer` draws one, its sums apart.

        Raises SpecError for a layer that is not there, and for a network that is no layers one
        after another: `run(x, y).graph()` draws any.

        >>> net = Network.dense([3, 4, 2], seed=0)
        >>> print(net.picture().lines[0])
        x(3) --W1,b1--> a1(4) sigmoid --W2,b2--> a2(2) sigmoid
        """
        from .drawn import network_picture

        return network_picture(self.facts, layer)

    @property
    def steps(self) -> tuple[str, ...]:
        """The program, one step a line."""
        return tuple(str(step) for step in self._program.steps)

    @property
    def parameter_count(self) -> int:
        """Numbers that are trained; a tied parameter counts once."""
        return sum(self.params[name].size for name in self._program.params)

    @cached_property
    def _title(self) -> list[str]:
        """The network in a line or two, for the head of a derivation."""
        if not self.facts.sizes:
            return [*self.steps, *self._of_model]
        first, *widths = self.facts.sizes
        squash = f" → {self.facts.squash}" if self.facts.squash else ""
        words = [
            f" → {width} {name}" for width, name in zip(widths, self.facts.activations, strict=True)
        ]
        if len(words) > 5:
            words[3:-1] = [f" → … {len(words) - 4} more layers …"]
        layers = "".join(words)
        loss = f"; loss: {self.facts.loss}" if self.facts.loss else ""
        return [f"x({first}){squash}{layers}{loss}", *self._penalties()]

    def _penalties(self) -> list[str]:
        """What is added to the cost, in a line."""
        terms = list(self.facts.penalty)
        if len(terms) > 4:
            terms[3:-1] = [f"… {len(terms) - 4} more …"]
        return [f"penalty: {' + '.join(terms)}"] if terms else []

    def __repr__(self) -> str:
        counts = f"{len(self.steps)} steps, {self.parameter_count:,} parameters"
        return f"<Network of {'; '.join([counts, *self._of_model])}>"

    @property
    def _of_model(self) -> tuple[str, ...]:
        """What is to be said of the model of another library that it was read from."""
        return () if self.facts.foreign is None else self.facts.remarks

    def latex(self) -> str:
        """The steps one under another, as LaTeX without delimiters."""
        statements = [formula(_statement(step)) for step in self._program.steps]
        lines = [latex.replace("=", "&=", 1) for latex in statements]
        return aligned(ends(lines, lambda count: words(f"… {count:,} more …")))

    def _repr_html_(self) -> str:
        """For a notebook: each step as a formula, the shapes of what is trained, and its op."""
        from ..document.picture import framed

        rows = ends([self._row(step) for step in self._program.steps], _left_out)
        shown = steps(rows) + "\n" + page("", [repr(self).strip("<>")])
        try:
            return f"{shown}\n{framed(self.picture())}"
        except JacobianError:  # no layers one after another
            return shown

    def _row(self, step: Step) -> tuple[str, str, str]:
        trained = [name for name in step.args if name in self.params]
        shapes = [f"{name} {dims(self.params[name].shape)}" for name in trained]
        return _statement(step), ", ".join(shapes), step.title


def checked_batch(batch: Any) -> int:
    """A number of examples. SpecError for what is none."""
    if isinstance(batch, bool) or not isinstance(batch, Integral) or not 0 < int(batch) < 2**63:
        shown = repr(batch) if len(repr(batch)) < 40 else "a number beyond 2^63"
        raise SpecError(f"batch is {shown}.\n  Write a whole number from 1 up, or None.")
    return int(batch)


def _statement(step: Step) -> str:
    """z1 = W1 x + b1; an einsum is its equation, an op without a formula its name."""
    return f"{step.name} = {step.formula}" if step.formula else str(step)


def _left_out(count: int) -> tuple[str, str, str]:
    return Said(f"… {count:,} more …"), "", ""
