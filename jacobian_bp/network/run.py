"""One run of a network: its values, its Jacobians, its gradients, its derivation.

What only one method needs is loaded by that method: a run that is never derived does not wait
for the derivation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..algebra.jacobian import Jacobian
from ..derivation.convention import Convention
from ..derivation.ready_made import ReadyMade
from ..errors import AxisError, JacobianError, SpecError
from ..numbers.arrays import as_array, require_finite
from ..program.each_example import before_the_examples_add_up, jacobian_of_each_example
from ..program.forward_pass import Pass
from ..routes.difference import Progress
from ..routes.einsum_chain import Chain, plan
from ..routes.gradients import gradients, pulled_back, require_scalar
from ..routes.stacked import StackedJacobian
from ..writing.notebook import MOST_LINES, grid
from ..writing.shown import Printed
from ..writing.signs import dims, number, type_of, vector
from .files.convention_file import convention_of

if TYPE_CHECKING:
    from ..checks.all_routes import Agreement
    from ..curvature.hessian import Hessian
    from ..curvature.stacked_hessian import StackedHessian
    from ..derivation.derivation import Derivation
    from ..derivation.second_derivation import SecondDerivation
    from ..document.picture import Picture

MOST_SHOWN = 6  # rows of a value, and entries of a row, in a notebook

GivenConvention = str | Path | Convention | ReadyMade  # how a convention may be given
Names = list[str] | tuple[str, ...] | Mapping[str, Any]


class Run(Printed):
    """The values of one forward pass, and everything that follows from them.

    run["z2"] is a value, run.loss the cost; the arrays are closed to writing.
    `forward_pass` holds the values and the local Jacobians, for whoever looks inside.
    """

    def __init__(
        self,
        forward_pass: Pass,
        tied: dict[str, str] | None = None,
        title: Sequence[str] = (),
        convention: GivenConvention = "flat",
        plain: "Run | None" = None,
    ) -> None:
        self.forward_pass = forward_pass
        self._tied = tied or {}
        self._title = tuple(title)
        self._convention = convention
        self._plain = plain  # of a run that is written in a convention: the run as it was

    def __getitem__(self, name: str) -> np.ndarray:
        name = self._name(name)
        self.forward_pass.require(name)
        return self.forward_pass.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.forward_pass.values)

    def __repr__(self) -> str:
        value = self.forward_pass.values[self.cost]
        shown = f"{self.cost} = {number(float(value))}" if value.ndim == 0 else self.cost
        return f"<Run of {len(self.forward_pass.program.steps)} steps, {shown}>"

    def _repr_html_(self) -> str:
        """For a notebook: every value with its shape, and its first numbers."""
        from ..document.picture import framed

        values = self.forward_pass.values.items()
        rows = [(name, dims(value.shape), vector(value, 6, MOST_SHOWN)) for name, value in values]
        title = self._title[0] if len(self._title) == 1 else ""
        shown = grid(("value", "shape", "numbers"), rows, title)
        if len(self.forward_pass.program.steps) > MOST_LINES:
            return shown
        try:
            return f"{shown}\n{framed(self.graph())}"
        except JacobianError:  # a cost that is no number has no gradients to draw
            return shown

    @property
    def cost(self) -> str:
        """The name of the last value: "J", or the output where no labels were given."""
        return self.forward_pass.cost

    @property
    def loss(self) -> float:
        """The value of the cost. Raises AxisError where the last value is no scalar."""
        require_scalar(self.forward_pass)
        return float(self.forward_pass.values[self.cost])

    @property
    def params(self) -> tuple[str, ...]:
        """The names of the parameters, a tied one once."""
        return self.forward_pass.program.params

    @overload
    def jacobian(self, of: str, wrt: str, *, per_example: bool = False) -> Jacobian: ...
    @overload
    def jacobian(self, of: str, wrt: Names) -> StackedJacobian: ...
    def jacobian(
        self, of: str, wrt: str | Names, *, per_example: bool = False
    ) -> Jacobian | StackedJacobian:
        """∂of/∂wrt, local or composed, structured; printing it prints the formula.

        By several variables at once, run.jacobian("a2", run.params), it is their
        Jacobians side by side, entries row by row: of shape (…, P).

        `per_example` gives each example's own: the delta between examples is spent, and
        run.jacobian("a1", "x", per_example=True) has the axes n, k, i'; of the cost it is that
        of each example's loss, before they add up. Raises AxisError where examples meet on the
        way, as in a batch norm, and says in which step.

            >>> from jacobian_bp.reference import X, Y, second_seed
            >>> run = second_seed().run([X, X], [Y, Y])
            >>> print(run.jacobian("z1", "x", per_example=True).statement)
            ∂z1/∂x[n,k,i'] = 1[n] W1[k,i']

        A loss that is fused with its activation is differentiated through the
        fused form, except by the value between the two.
        """
        of = self._name(of)
        if per_example:
            return self._jacobian_of_each_example(of, wrt)
        if isinstance(wrt, str):
            return self.forward_pass.jacobian(of, self._name(wrt))
        self.forward_pass.require(of)
        if not isinstance(wrt, list | tuple | Mapping):
            raise SpecError(
                f"∂{of}/∂…: the variable is {type_of(wrt)}.\n"
                '  Write a name such as "W1", or several: run.params.'
            )
        if isinstance(wrt, Mapping):
            wrt = [name for name in wrt if name not in self._tied]
        names = self._distinct(f"∂{of}", wrt)
        for name in names:
            self.forward_pass.require_variable(of, name)
        return StackedJacobian(self.forward_pass, of, names)

    def _jacobian_of_each_example(self, of: str, wrt: str | Names) -> Jacobian:
        if not isinstance(wrt, str):
            raise SpecError(
                f"∂{of}/∂…: per_example goes with one variable.\n"
                '  Write its name, such as "x", for each variable by itself.'
            )
        self.forward_pass.require(of)
        of = before_the_examples_add_up(self.forward_pass, of, "∂")
        return jacobian_of_each_example(self.forward_pass, of, self._name(wrt))

    def local_jacobian(self, of: str, wrt: str) -> Jacobian:
        """The Jacobian of one step by what it reads, leaving out every longer path.

        Where a value reaches `of` by several paths, `jacobian` is the sum over all
        of them, and this is the share of the step itself.
        """
        of, wrt = self._name(of), self._name(wrt)
        return self.forward_pass.local_jacobian(of, wrt)

    @overload
    def hessian(
        self,
        first: str,
        second: str | None = None,
        *,
        of: str | None = None,
        per_example: bool = False,
    ) -> "Hessian": ...
    @overload
    def hessian(
        self, first: Names, *, of: str | None = None, per_example: bool = False
    ) -> "StackedHessian": ...
    def hessian(
        self,
        first: str | Names,
        second: str | None = None,
        *,
        of: str | None = None,
        per_example: bool = False,
    ) -> "Hessian | StackedHessian":
        """∂²of/∂first∂second of the cost, or of the value `of`: structured, nothing is built.

        A Hessian is the Jacobian of ∂of/∂first by second, and does what a Jacobian does; the
        entries of `first` are the rows. Without `second` it is ∂²of/∂first². Several names,
        run.hessian(run.params), give the whole matrix. `per_example` keeps the axis n of the
        examples, before the cost adds them up. Raises JacobianError where an op does not say
        how it bends.

            >>> from jacobian_bp.reference import X, Y, second_seed
            >>> print(second_seed().run(X, Y).hessian("b3", "W3"))
            ∂²J/∂b3∂W3[k,k',i'] = σ'(z3)[k] δ[k,k'] a2[i']
              layout numerator, shape (1, 1, 2): delta ⊗ dense; 2 of 2 entries can be non-zero; \
16 bytes
        """
        from ..curvature.hessian import hessian
        from ..curvature.stacked_hessian import StackedHessian

        value = self._name(self.cost if of is None else of)
        state = self.forward_pass
        state.require(value)
        if per_example:
            value = before_the_examples_add_up(state, value)
        if isinstance(first, str):
            left = self._name(first)
            return hessian(state, value, left, left if second is None else self._name(second))
        if second is not None or not isinstance(first, list | tuple | Mapping):
            raise SpecError(
                f"∂²{value}/∂…: the variables are {first!r} and {second!r}.\n"
                '  Write two names, such as "W2", "W1", or a list of names alone: run.params.'
            )
        return StackedHessian(state, value, self._distinct(f"∂²{value}", first))

    def hvp(self, vectors: Mapping[str, Any], of: str | None = None) -> dict[str, np.ndarray]:
        """H v, the Hessian never built: for each name in `vectors`, Σ_q ∂²of/∂p∂q v[q].

        A variable that is not named counts as one whose v is 0; the result has the names that
        were given. `of` is the cost, or another scalar.
        """
        from ..curvature.hessian_vector import hessian_vector

        if not isinstance(vectors, Mapping):
            return hessian_vector(self.forward_pass, self.cost, vectors)
        names = self._distinct(f"∂²{self.cost}", vectors) if vectors else ()
        given = dict(zip(names, vectors.values(), strict=True))
        found = hessian_vector(self.forward_pass, self._name(of or self.cost), given)
        return dict(zip(vectors, found.values(), strict=True))

    def gradients(self, route: str = "vjp", order: str = "reverse") -> dict[str, np.ndarray]:
        """The gradient of the cost by each parameter, in the parameter's own shape.

        `route` is vjp, full, structured or difference; `order` (reverse,
        forward, planned) is that of the full route.
        """
        return gradients(self.forward_pass, list(self.params), route, order)

    def vjp(self, of: str, wrt: str, cotangent: Any) -> np.ndarray:
        """Σ_of v[of] ∂of/∂wrt by the ops' own vjp; no Jacobian is built.

        Raises DomainError where a finite v gives an entry that is not: a product overflows.
        """
        of, wrt = self._name(of), self._name(wrt)
        v = self._fitting(cotangent, "cotangent", of)
        self.forward_pass.require_variable(of, wrt)
        return pulled_back(self.forward_pass, of, wrt, v)

    def jvp(self, of: str, wrt: str, tangent: Any) -> np.ndarray:
        """Σ_wrt ∂of/∂wrt u[wrt], pushed forward link by link; no Jacobian is built."""
        u = self._fitting(tangent, "tangent", self._name(wrt))
        return self.jacobian(of, wrt).push(u)

    def chain(self, wrt: str, order: str = "reverse", of: str | None = None) -> Chain:
        """The einsum of the whole chain from the cost to `wrt`, and what it costs.

        `order` is reverse, forward or planned: the one that a planner finds cheapest.
        """
        return plan(self.jacobian(self.cost if of is None else of, wrt), order)

    def graph(self, form: str = "graph") -> "Picture":
        """Every step as a picture: values, gradients under them, Jacobians' shapes on edges.

        `form` "chain" draws across what is made one from the other, with the local Jacobians
        below it, from the last to the first. Raises SpecError for another form, and for a chain
        of what is none.
        """
        from .drawn import run_picture

        return run_picture(self.forward_pass, form)

    def source(self, style: str = "numpy") -> str:
        """`step(params, x, y)` for this run's shapes, as the text of a file of plain NumPy.

        It gives the cost and a dict of gradients, equal to the bit to those of the vjp route. The
        statements are those of the ops themselves; labels stand in their rows. With
        `style="loops"` every entry is computed in explicit loops, for small arrays: there sums
        are added in another order, and the numbers are equal to rounding. Raises SpecError for an
        op of one's own whose text cannot be read, and for loops that an op does not have.

        >>> from jacobian_bp import reference
        >>> text = reference.second_seed().run(reference.X, reference.Y).source()
        >>> print(next(line for line in text.splitlines() if "dW2 =" in line).strip())
        dW2 = delta2[:, None] * a1  # (2, 4)
        """
        from ..source.styles import written_out

        return written_out(self.forward_pass, style)

    def check(self, progress: Progress | None = None) -> "Agreement":
        """Whether all routes agree, entry by entry; `.ok`, and a table when printed."""
        from ..checks.all_routes import check

        return check(self.forward_pass, progress)

    def derivation(
        self, convention: GivenConvention | None = None, agreement: "Agreement | None" = None
    ) -> "Derivation":
        """Every gradient derived step by step, ending in the checks.

        `convention` is the name of a ready-made one (a layout, a seed, ng, nielsen, cs231n),
        the path of a TOML file with a table [convention], or a Convention; by default flat,
        or what the network or its file says. The result is data (a Ledger);
        printing it prints the derivation. Pass an `agreement` from `check()` to
        have the routes compared once only.
        """
        from ..derivation.derive import derive

        plain, ready = self._plain or self, self.convention(convention)
        return derive(plain.forward_pass, self._title, self._tied, ready, agreement)

    def second_derivation(
        self, convention: GivenConvention | None = None, everything: bool = False
    ) -> "SecondDerivation":
        """The second derivatives of the cost by all parameters, written out row by row.

        What bends and what comes back to it, H down the layers, the formula of each block, what
        holds of its Gauss-Newton part and the rest at this input, and checks; of many layers
        those nearest to the cost, unless `everything` is asked for. `convention` is as in
        `derivation`. The result is data (a SecondLedger); printing it prints the page. Raises
        SpecError for what the convention cannot say of the program, JacobianError where an op
        does not say how it bends.

            >>> from jacobian_bp.reference import X, Y, second_seed
            >>> found = second_seed().run(X, Y).second_derivation()
            >>> [row.name for row in found.rows], found.blocks[1].formula
            (['∂²J/∂z3²', '∂²z3/∂W3∂a2', '∂²z2/∂W2∂a1'], \
"a2[i] H32[k,k'] a1[i'] + δ3[k] relu'(z2)[i] δ[i,k'] a1[i']")
        """
        from ..derivation.second_derivation import derive_second

        plain, ready = self._plain or self, self.convention(convention)
        return derive_second(plain.forward_pass, self._title, ready, everything)

    def convention(self, given: GivenConvention | None = None) -> ReadyMade:
        """A convention by name, file or object; without one, that of the network, or flat."""
        return convention_of(self._convention if given is None else given)

    def written_in(self, convention: GivenConvention | None = None) -> "Run":
        """The same run with its arrays as a convention has them, under the package's names.

        Examples in columns, W (inputs, outputs), the bias as a line of W: values,
        gradients and Jacobians are then of these arrays.

            >>> from jacobian_bp.reference import X, Y, second_seed
            >>> from jacobian_bp import Convention
            >>> run = second_seed().run([X, X], [Y, Y])
            >>> own = run.written_in(Convention("columns", "in,out", bias="first"))
            >>> own["z1"].shape, own["W1"].shape, own.gradients()["W1"].shape
            ((4, 2), (4, 4), (4, 4))

        Raises SpecError for what the convention cannot say of the program.
        """
        if self._plain is not None:
            return self._plain.written_in(self._convention if convention is None else convention)
        from ..derivation.written_in import written_in

        ready = self.convention(convention)
        state = written_in(self.forward_pass, ready.convention)
        return Run(state, self._tied, self._title, ready, self)

    def reason(self, of: str, wrt: str) -> str:
        """Why ∂of/∂wrt looks as it does, where an op says so; empty for a composed Jacobian."""
        step = self.forward_pass.step(self._name(of))
        if step is None or wrt not in step.args:
            return ""
        return step.reason(step.args.index(wrt))

    def _distinct(self, who: str, given: Iterable[str]) -> tuple[str, ...]:
        """The names under which the variables are known, each once. SpecError for another list."""
        names = tuple(self._name(name) for name in given)
        if not names or len(set(names)) < len(names):
            raise SpecError(
                f"{who}/∂({', '.join(given)}): name each variable once, and at least one.\n"
                f"  The parameters are {', '.join(self.params)}."
            )
        return names

    def _name(self, name: str) -> str:
        if not isinstance(name, str):
            raise SpecError(f"a value is named by a string, not by {name!r}.")
        return self._tied.get(name, name)

    def _fitting(self, value: Any, kind: str, name: str) -> np.ndarray:
        array, expected = as_array(value, kind), self[name].shape
        require_finite(array, kind, f"Pass a finite {kind}.")
        if array.shape != expected:
            raise AxisError(
                f"the {kind} does not fit {name}.\n"
                f"  {kind} has shape {dims(array.shape)}\n"
                f"  {name} has shape {dims(expected)}\n"
                f"  Pass an array of the shape of {name}."
            )
        return array.astype(self.forward_pass.dtype)
