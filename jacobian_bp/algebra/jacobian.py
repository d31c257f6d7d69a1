"""A Jacobian: named axes, and a graph of local Jacobians that multiply and add.

A local Jacobian is one link. `@` is the chain rule: it joins two graphs at the
value between them and expands nothing, so a chain stays a chain. `+` is the sum
over paths. Shape, bytes, structure and structural non-zeros are known before
anything is built.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..chunks.in_chunks import FOR_ENTRIES
from ..document.picture import Picture, framed
from ..errors import AxisError, JacobianError
from ..numbers.arrays import as_array, is_finite, quiet, require_finite
from ..numbers.memory import format_bytes, nbytes, require_memory
from ..numbers.named_vectors import of_one
from ..numbers.overflow import require_product
from ..writing.latex import formula
from ..writing.notebook import entries_table, page
from ..writing.shown import Shown
from ..writing.signs import carries_unicode, dims, plural, to_ascii
from ..writing.tables import WIDTH, fold_terms
from . import chain_rule, pictured
from .axes import Axis, sized
from .expression import Delta, Dense, Expression
from .finite import infinite_slope, surely_finite
from .handed_out import HandedOut, of_ones
from .layouts import axis_order, from_layout, layout_shape, require_layout, to_layout
from .nodes_and_links import Link, Node, identity, make_link, patterns_through
from .pictured_windows import pictured_windows
from .positions.position_factors import At, Within
from .products.placing import Placing, evaluate, placing_of
from .products.spending import Spending
from .structure.patterns import (
    Patterns,
    can_stand,
    composed,
    count,
    same_entries,
    united,
)
from .structure.relations import AxisKey
from .structure.structure_words import describe, describe_patterns
from .sum_over_paths import down, paths_from_output

SMALL = 2**14  # entries: so many are looked at sooner than their factors


@dataclass(frozen=True, eq=False)
class Jacobian(HandedOut, Shown):
    """∂of/∂wrt as a structured tensor; printing it prints the formula.

    `out_axes` are the axes of the output, `wrt_axes` those of the variable,
    primed. `nodes` runs from the output to the variable, and `links` are the
    local Jacobians between them. `trace` is the record of `collapse`.
    """

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    out_axes: tuple[Axis, ...]
    wrt_axes: tuple[Axis, ...]
    dtype: np.dtype
    trace: tuple[Spending, ...] = ()

    @classmethod
    def local(
        cls,
        of: str,
        wrt: str,
        out_axes: tuple[Axis, ...],
        wrt_axes: tuple[Axis, ...],
        expression: Expression,
        dtype: Any = np.float64,
    ) -> "Jacobian":
        """One local Jacobian from its expression.

        >>> from jacobian_bp import delta, dense
        >>> out, wrt = (Axis("k", 2),), (Axis("k'", 2), Axis("i'", 3))
        >>> a = np.array([1.0, 2.0, 3.0])
        >>> J = Jacobian.local("z", "W", out, wrt, delta("k,k'") * dense("a[i']", a))
        >>> print(J)
        ∂z/∂W[k,k',i'] = δ[k,k'] a[i']
          layout numerator, shape (2, 2, 3): delta ⊗ vector; 6 of 12 entries can be non-zero; \
96 bytes
        """
        link = make_link(f"∂{of}/∂{wrt}", 0, 1, out_axes, wrt_axes, expression)
        return cls.of_link(of, wrt, out_axes, wrt_axes, link, dtype)

    @classmethod
    def of_link(
        cls,
        of: str,
        wrt: str,
        out_axes: tuple[Axis, ...],
        wrt_axes: tuple[Axis, ...],
        link: Link,
        dtype: Any,
    ) -> "Jacobian":
        """One local Jacobian from a link of node 0 by node 1 that was checked already."""
        nodes = (Node(of, out_axes), Node(wrt, _unprimed(wrt_axes)))
        return cls(nodes, (link,), out_axes, wrt_axes, np.dtype(dtype))

    @property
    def of(self) -> str:
        return self.nodes[0].name

    @property
    def wrt(self) -> str:
        return self.nodes[-1].name

    @property
    def name(self) -> str:
        """∂of/∂wrt"""
        return f"∂{self.of}/∂{self.wrt}"

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Output axes, then variable axes: the order of the numerator layout."""
        return self.out_axes + self.wrt_axes

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape in numerator layout."""
        return tuple([axis.size for axis in self.axes])

    @property
    def size(self) -> int:
        """The number of entries, as a Python integer that cannot overflow."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of `materialise()`, predicted; nothing is built."""
        return nbytes(self.shape, self.dtype.itemsize)

    @property
    def is_local(self) -> bool:
        """Whether this is one local Jacobian, not a chain."""
        return len(self.links) == 1 and len(self.nodes) == 2

    @property
    def patterns(self) -> Patterns:
        """Which axes must be equal for an entry to be other than a structural zero."""
        if self.is_local:
            return self._patterns_of(self.links[0])

        def along(found: Patterns, link: Link) -> Patterns:
            return composed(found, self._patterns_of(link))

        last, start = len(self.nodes) - 1, same_entries(len(self.out_axes))
        return down(self.links, last, start, along, united).get(last, frozenset())

    @property
    def _has_positions(self) -> bool:
        return any(k.stands is not None or k.expression.has_positions for k in self.links)

    def _patterns_of(self, link: Link) -> Patterns:
        shape = (*self.nodes[link.target].shape, *self.nodes[link.source].shape)
        return patterns_through(link, shape)

    @property
    def structural_nonzeros(self) -> int:
        """Entries that no delta and no range makes zero; a dead unit's zeros are counted here."""
        return count(self.patterns, self._sizes)

    @property
    def _sizes(self) -> dict[AxisKey, int]:
        sizes = {("out", p): axis.size for p, axis in enumerate(self.out_axes)}
        return sizes | {("wrt", p): axis.size for p, axis in enumerate(self.wrt_axes)}

    @property
    def structure(self) -> str:
        """identity, diagonal, delta ⊗ vector, dense, diagonal minus outer product, …"""
        if self.is_local and self.links[0].stands is None:
            link = self.links[0]
            sizes = {axis.name: axis.size for axis in self.axes}
            return describe(link.expression, link.out, link.wrt, sizes)
        return describe_patterns(self.patterns, len(self.axes), self._sizes)

    @property
    def formula(self) -> str:
        """The right-hand side: the factors of a local Jacobian, or the product of the links."""
        if self.is_local:
            return str(self.links[0].expression)
        if not self.links:
            return "0"
        if all(link.source == link.target + 1 for link in self.links) and len(self.links) <= 12:
            return " · ".join(self._link_name(link) for link in self.links)
        return f"{self._paths_text()} through {len(self.links):,} local Jacobians"

    @property
    def paths(self) -> int:
        """The number of paths from the output to the variable; their products are added."""
        last = len(self.nodes) - 1
        return paths_from_output(self.links, last).get(last, 0)

    @property
    def statement(self) -> str:
        """The equation: ∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']."""
        axes = ",".join(axis.name for axis in self.axes)
        head = f"{self.name}[{axes}]" if axes else self.name
        same = self.trace and self.formula == head
        return f"{head} = {self.trace[-1].before if same else self.formula}"

    def shape_in(self, layout: str) -> tuple[int, ...]:
        """The shape that `materialise(layout)` will have."""
        return layout_shape(layout, self.out_axes, self.wrt_axes)

    @quiet
    def materialise(self, layout: str = "numerator", *, finite: bool = True) -> np.ndarray:
        """The whole array in one of the five layouts: a new ndarray.

        Structural zeros are placed, never computed, so they are exactly +0.0.
        Raises MemoryLimitError before anything is built, AxisError for an
        unknown layout, and DomainError where a product has an entry that is not
        finite; with finite=False it is handed out. A local slope that is infinite
        by itself, such as that of a square root at 0, is no product.
        """
        require_layout(layout)
        require_memory(self.name, self.shape, self.dtype.itemsize, self._instead)
        expression = self._collapsed(None)
        placing = self._placing(layout)
        if placing:
            array = placing.filled(expression.arrays)
        else:
            sizes = {axis.name: axis.size for axis in self.axes}
            names = axis_order(layout, self.out_axes, self.wrt_axes)
            array = evaluate(expression, names, sizes, self.dtype, seldom_read=True)
        if finite and not self._surely_finite(array, expression):
            self._require_finite(array, self.name)
        return array.reshape(self.shape_in(layout))

    def _placing(self, layout: str) -> Placing | None:
        """How the entries of a local Jacobian are placed: kept from the second time on."""
        if not self.is_local:
            return None
        if layout not in self._layouts_asked:  # to work it out pays for whoever asks again
            self._layouts_asked.add(layout)
            return None
        if layout not in self._placings:
            names = axis_order(layout, self.out_axes, self.wrt_axes)
            sizes = {axis.name: axis.size for axis in self.axes}
            shape = tuple(sizes[name] for name in names)
            found = placing_of(self.links[0].expression, names, shape, self.dtype)
            self._placings[layout] = found
        return self._placings[layout]

    @cached_property
    def _layouts_asked(self) -> set[str]:
        return set()

    @cached_property
    def _placings(self) -> dict[str, Placing | None]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Its parts alone travel: what was worked out from them is worked out again."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @quiet
    def can_be_nonzero(self, layout: str = "numerator") -> np.ndarray:
        """A mask in one of the five layouts: False where an entry is a structural zero.

        Raises MemoryLimitError as `materialise` does.
        """
        who = f"the mask of {self.name}"
        require_memory(who, self.shape, self.dtype.itemsize, self._instead)
        if self._has_positions:  # what the values have chosen is no structural zero
            mask = can_stand(self.patterns, self._sizes)
            return to_layout(mask, layout, self.out_axes, self.wrt_axes)
        ones = of_ones(self._collapsed(None))
        sizes = {axis.name: axis.size for axis in self.axes}
        mask = evaluate(ones, [axis.name for axis in self.axes], sizes, self.dtype) > 0
        return to_layout(mask, layout, self.out_axes, self.wrt_axes)

    def from_layout(self, array: Any, layout: str) -> np.ndarray:
        """An array of this Jacobian's numbers, in `layout`, as numerator layout."""
        return from_layout(as_array(array, "array"), layout, self.out_axes, self.wrt_axes)

    @quiet
    def pull(self, cotangent: Any, *, finite: bool = True) -> np.ndarray:
        """The vector-Jacobian product Σ_out v[out] J[out,wrt]; the Jacobian is not built.

        v may be a dict {of: array}. Raises DomainError where an entry is not finite; with
        finite=False it is handed out.
        """
        cotangent = of_one(cotangent, self.of, f"{self.name}.pull", "cotangent")
        v = self._vector(cotangent, "cotangent", self.nodes[0])
        start = Expression.of(Dense("v", self.nodes[0].primed, v))
        found = chain_rule.reverse(self.nodes, self.links, start, of="(v·" + self.of + ")")
        last = self.nodes[-1]
        product = self._evaluated(found.get(len(self.nodes) - 1), last.primed, last)
        if finite:
            self._require_finite(product, f"v {self.name}")
        return product

    @quiet
    def push(self, tangent: Any) -> np.ndarray:
        """The Jacobian-vector product Σ_wrt J[out,wrt] u[wrt]; the Jacobian is not built.

        u may be a dict {wrt: array}. Raises DomainError where an entry is not finite.
        """
        last = self.nodes[-1]
        several = f'run.jacobian("{self.of}", run.params).push(…)'
        tangent = of_one(tangent, self.wrt, f"{self.name}.push", "tangent", several)
        u = self._vector(tangent, "tangent", last)
        start = {len(self.nodes) - 1: Expression.of(Dense("u", last.plain, u))}
        found = chain_rule.forward(self.nodes, self.links, start, by=self.wrt)
        first = self.nodes[0]
        product = self._evaluated(found, first.plain, first)
        self._require_finite(product, f"{self.name} u")
        return product

    @quiet
    def collapse(self) -> "Jacobian":
        """The same Jacobian with every summed axis spent or contracted, and the record of it.

            Σ_k δ_k δ[k,k'] a[i']  =  δ_k' a[i']

        Each step of `.trace` has the term before, the term after, and the reason. Raises
        DomainError where a contraction has an entry that is not finite.
        """
        trace: list[Spending] = []
        expression = self._collapsed(trace)
        if not self._is_infinite_slope:
            for array in expression.arrays:
                self._require_finite(array, f"a factor of {self.name}")
        result = Jacobian.local(
            self.of, self.wrt, self.out_axes, self.wrt_axes, expression, self.dtype
        )
        stands = self.links[0].stands if self.is_local else None
        if self._has_positions and not self.is_local:
            stands = self.patterns
        links = tuple(replace(link, stands=stands) for link in result.links)
        return replace(result, links=links, trace=tuple(trace))

    def __matmul__(self, other: "Jacobian") -> "Jacobian":
        """The chain rule: ∂a/∂b @ ∂b/∂c is ∂a/∂c."""
        if not isinstance(other, Jacobian):
            return NotImplemented
        if self.wrt != other.of or self.nodes[-1].shape != other.nodes[0].shape:
            raise AxisError(
                f"{self.name} @ {other.name}: the value between them is not the same.\n"
                f"  {self.name} differentiates by {self.wrt}, "
                f"shape {dims(self.nodes[-1].shape)}\n"
                f"  {other.name} is of {other.of}, shape {dims(other.nodes[0].shape)}\n"
                f"  Multiply ∂a/∂b by ∂b/∂c, with the same b."
            )
        offset = len(self.nodes) - 1
        links = self.links + tuple(
            [link.between(link.target + offset, link.source + offset) for link in other.links]
        )
        dtype = np.result_type(self.dtype, other.dtype)
        nodes = self.nodes + other.nodes[1:]
        return Jacobian(nodes, links, self.out_axes, other.wrt_axes, dtype)

    def __add__(self, other: "Jacobian") -> "Jacobian":
        """The sum over paths: two Jacobians of the same value by the same variable."""
        if not isinstance(other, Jacobian):
            return NotImplemented
        if (self.name, self.shape) != (other.name, other.shape):
            raise AxisError(
                f"{self.name} + {other.name}: only paths between the same two values add.\n"
                f"  {self.name} has shape {dims(self.shape)}\n"
                f"  {other.name} has shape {dims(other.shape)}\n"
                "  Write the chain rule with @."
            )
        nodes = self.nodes[:-1] + other.nodes[1:]
        last, shift = len(nodes) - 1, len(self.nodes) - 2

        def moved(link: Link) -> Link:
            target = link.target if link.target == 0 else link.target + shift
            return replace(link, target=target, source=link.source + shift)

        mine = tuple(
            replace(link, source=last) if link.source == len(self.nodes) - 1 else link
            for link in self.links
        )
        dtype = np.result_type(self.dtype, other.dtype)
        links = mine + tuple(moved(link) for link in other.links)
        return Jacobian(nodes, links, self.out_axes, self.wrt_axes, dtype)

    def text(self, ascii_only: bool = False) -> str:
        """The formula, the layout beside the shape, and what is known before building."""
        spell = to_ascii if ascii_only else str
        lines = [part for line in self._equations() for part in fold_terms(spell(line), WIDTH)]
        lines += [spell(line) for line in (self._known(), *(f"  {step}" for step in self.trace))]
        return "\n".join(lines)

    def _equations(self) -> list[str]:
        """The statement, and that of each link where there are several."""
        if self.is_local or not self.links:
            lines = [self.statement]
        else:
            lines = [f"{self.statement.partition(' = ')[0]} = {self._product_line()}"]
            signs = "   " if self.paths > 1 else "  ·"
            for position, link in enumerate(self.links):
                sign = "   " if position == 0 else signs
                names = ",".join((*link.out, *link.wrt))
                bracket = f"[{names}]" if names else ""
                lines.append(f"{sign} {self._link_name(link)}{bracket} = {link.expression}")
        return lines

    def _known(self) -> str:
        """Layout, shape, structure, count and bytes."""
        return (
            f"  layout numerator, shape {dims(self.shape)}: {self.structure}; "
            f"{self.structural_nonzeros:,} of {self.size:,} entries can be non-zero; "
            f"{format_bytes(self.nbytes)}"
        )

    def __str__(self) -> str:
        return self.text(ascii_only=not carries_unicode())

    def __repr__(self) -> str:
        return f"<Jacobian {self.name}, shape {dims(self.shape)}, {self.structure}>"

    def latex(self) -> str:
        """The equation as LaTeX, without delimiters."""
        return formula(self.statement)

    def _repr_html_(self) -> str:
        """For a notebook: the equation, layout, shape and bytes, and a small Jacobian's entries."""

        def cells() -> tuple[np.ndarray, np.ndarray]:
            return self.materialise("flat", finite=False), self.can_be_nonzero("flat")

        numbers = entries_table(self.nodes[0], self.nodes[-1], cells)
        trace = [f"  {step}" for step in self.trace]
        shown = page(self.statement, [*self._equations()[1:], self._known(), *trace], numbers)
        try:
            return f"{shown}\n{framed(self.picture())}"
        except JacobianError:  # too large to be drawn
            return shown

    def picture(
        self, layout: str = "numerator", kind: str = "", beside: "Jacobian | None" = None
    ) -> Picture:
        """The entries as a picture: slices of a 3-tensor, the staircase of a flat layout.

        A larger one is drawn without numbers, and one larger still as where its entries can
        be other than zero, in a flat layout, from its patterns: nothing is built. `kind` is
        "entries" or "sparsity" where you choose, and "windows" for what each output of a
        convolution or a pool reads; `beside` draws two flat matrices beside each other.
        Raises SpecError where that is too large, AxisError for no layout.
        """
        if kind == "windows":
            return pictured_windows(self)
        if beside is not None:
            return pictured.beside(self, beside)
        return pictured.pictured(self, layout, kind)

    def _product_line(self) -> str:
        if self.paths > 1:
            return f"the sum over {self._paths_text()} of the products of these local Jacobians"
        return f"the product of {len(self.links):,} local Jacobians"

    def _paths_text(self) -> str:
        if self.paths < 10**9:
            return plural(self.paths, "path")
        return f"about 10^{int(math.log10(self.paths))} paths"

    def _link_name(self, link: Link) -> str:
        return f"∂{self.nodes[link.target].name}/∂{self.nodes[link.source].name}"

    def _collapsed(self, trace: list[Spending] | None, apart: bool = False) -> Expression:
        """One expression over the axes of this Jacobian, multiplied out or its factors `apart`."""
        if self.is_local:
            return self.links[0].expression
        first, last = self.nodes[0], Node(self.wrt, _unprimed(self.wrt_axes))
        if last.primed != tuple(axis.name for axis in self.wrt_axes):
            last = self.nodes[-1]
        start = identity([axis.name for axis in self.out_axes], first.primed)
        found = chain_rule.reverse(
            (*self.nodes[:-1], last),
            self.links,
            start,
            self.out_axes,
            of=self.of,
            trace=trace,
            apart=apart,
        )
        expression = found.get(len(self.nodes) - 1, Expression())
        names = (axis.name for axis in self.wrt_axes)
        return expression.renamed(dict(zip(last.primed, names, strict=True)))

    @property
    def _is_infinite_slope(self) -> bool:
        """Whether this is one op's own Jacobian, with a factor that is not finite."""
        return self.is_local and infinite_slope(self.nodes, self.links) != ""

    def _surely_finite(self, array: np.ndarray, expression: Expression) -> bool:
        """Whether nothing in it need be looked for: told by few entries, or by their factors."""
        if array.size <= SMALL and is_finite(array):
            return True
        return surely_finite(expression, self.dtype) or self._is_infinite_slope

    def _require_finite(self, product: np.ndarray, name: str) -> None:
        """DomainError where the product has an entry that is not finite."""
        if not is_finite(product):
            slopes = infinite_slope(self.nodes, self.links) or "finite"
            start = "Every slope on the way is finite; a product of slopes"
            require_product(product, name, start, self.dtype, slopes)

    def _evaluated(self, expression: Expression | None, names: Any, node: Node) -> np.ndarray:
        if expression is None:
            return np.zeros(node.shape, self.dtype)
        sizes = dict(zip(names, node.shape, strict=True))
        return evaluate(expression, names, sizes, self.dtype)

    def _vector(self, value: Any, kind: str, node: Node) -> np.ndarray:
        array = as_array(value, kind)
        require_finite(array, kind, f"Pass a finite {kind}.")
        if array.shape != node.shape:
            raise AxisError(
                f"{self.name}: the {kind} does not fit.\n"
                f"  {kind} has shape {dims(array.shape)}\n"
                f"  {node.name} has shape {dims(node.shape)}\n"
                f"  Pass an array of the shape of {node.name}."
            )
        return array

    def _instead(self) -> str:
        nonzeros, way_out = self.structural_nonzeros, "Use J.pull(v)"
        if nonzeros == 0:
            return f"Every entry is a structural zero. {way_out}."
        pairs = ""
        if self.is_local and len(self.links[0].expression.terms) == 1:
            factors = self.links[0].expression.terms[0].factors
            zeros = [str(f) for f in factors if isinstance(f, Delta | At | Within)]
            chosen = any(isinstance(f, At) and f.here for f in factors)
            pairs = f" ({' '.join(zeros)})" if zeros and not chosen else ""
        share = f"Only {nonzeros:,} of {self.size:,} entries can be non-zero{pairs}"
        if self.size % nonzeros == 0:
            share = f"Only 1 entry in {self.size // nonzeros} can be non-zero{pairs}"
        reason = "Every entry can be non-zero" if nonzeros == self.size else share
        return f'{reason}. {way_out}, or run.gradients(route="vjp"); {FOR_ENTRIES}.'


def _unprimed(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    return sized([axis.name.rstrip("'") for axis in axes], [axis.size for axis in axes])
