"""The measurements that this package was built by, for anyone to run again.

    gradient            the cost and all gradients, against textbook numpy and the products alone
    weight-jacobian     ∂z/∂W whole, against zeros with the other entries placed by hand
    parameter-jacobian  ∂f/∂θ of each example, against writing its bytes once
    layers              a convolution's dy/dx and vjp; steps of a classifier and of attention
    second              ∂²J/∂θ² whole, in factors, and H v
    growth              VJP with the depth, planning long chains, structured against VJP

Peers take part where --against names them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ..timing.layer_subjects import steps, vjp_by, whole_by_x
from ..timing.layer_workloads import attention_block, classifier, convolution
from ..timing.peers import Peer
from ..timing.second_subjects import factors, product, whole_hessian
from ..timing.second_workloads import distances, factorisation, logistic, quadratic_form
from ..timing.subjects import (
    Subject,
    compiled,
    parameter_jacobian,
    plain_numpy,
    planning,
    products_alone,
    route_subjects,
    run_and_vjp,
    structured_again,
    weight_jacobian,
)
from ..timing.workload import Workload, drawn

GRADIENT_CASES: tuple[tuple[list[int], int | None], ...] = (
    ([3, 4, 2, 1], 1),
    ([64, 64, 10], 1),
    ([64, 64, 10], 32),
    ([784, 128, 10], 1),
    ([784, 128, 10], 32),
    ([784, 128, 10], 256),
    ([1024, 1024, 1024, 10], 64),
)
JACOBIAN_CASES: tuple[tuple[list[int], int], ...] = (
    ([64, 64, 10], 32),
    ([784, 128, 10], 1),
    ([784, 128, 10], 16),
    ([256, 256, 256, 256], 4),
)
WEIGHT_WIDTHS = (64, 128, 256, 512)
CONVOLUTIONS = ((3, 32, 4, 3),)  # channels, width of the image, kernels, taps
LAYER_BATCHES = (8, 32)
DEPTHS = (10, 30, 100, 300, 1000)
DEEP_WIDTH = 16
PLANNED_LAYERS = 500  # two factors a layer: a chain of 1,000
WIDE = (64, 128, 256, 512)
HESSIAN_CASES = ([64, 64, 64, 10], [64, 32, 10], [10] * 11)  # the first by its weights alone
FORM = 2048  # entries
FACTORS = (100, 100, 5)  # rows, columns, rank
REGRESSION = (200, 400)  # features, examples
POINTS = 400
PRODUCT_CASE = [784, 128, 10]


@dataclass(frozen=True)
class Point:
    """One workload, the subjects timed side by side, and the one they are compared with."""

    quantity: str
    make: Callable[[], Workload]
    subjects: Callable[[Workload], list[Subject]]
    base: str = ""
    whose: str = ""
    axis: str = ""
    size: int | None = None


def gradient(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """Seven networks of sigmoids with squared error, in both precisions."""

    def subjects(workload: Workload) -> list[Subject]:
        ours = [
            compiled(workload),
            run_and_vjp(workload),
            plain_numpy(workload),
            products_alone(workload),
        ]
        return ours + [peer.gradient_subject(workload) for peer in peers]

    for dtype in ("float64", "float32"):
        for sizes, batch in GRADIENT_CASES:
            yield Point(
                "cost and gradients",
                partial(drawn, sizes, batch, dtype, seed=seed),
                subjects,
                "products alone",
                "× products",
            )


def whole_weight_jacobian(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """∂z/∂W of one square layer, in new memory, and used in one contraction."""

    def subjects(workload: Workload) -> list[Subject]:
        return weight_jacobian(workload) + [
            peer.weight_jacobian_subject(workload) for peer in peers
        ]

    for width in WEIGHT_WIDTHS:
        yield Point(
            "dz/dW whole",
            partial(drawn, [width, width], None, seed=seed),
            subjects,
            "zeros, placed",
            "× placed",
        )


def whole_parameter_jacobian(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """∂f/∂θ of each example, materialised."""

    def subjects(workload: Workload) -> list[Subject]:
        ours = parameter_jacobian(workload)
        return ours + [peer.parameter_jacobian_subject(workload) for peer in peers]

    for sizes, batch in JACOBIAN_CASES:
        yield Point(
            "df/dtheta",
            partial(drawn, sizes, batch, seed=seed),
            subjects,
            "written once, out=",
            "× written",
        )


def layers(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """A convolution alone, then the cost and all gradients of networks that are not dense."""
    beside, base = list(peers), peers[0].name if peers else ""
    whose = f"× {base}" if base else ""
    for dtype in ("float64", "float32"):
        for sizes in CONVOLUTIONS:
            make = partial(convolution, *sizes, dtype, seed)
            yield Point("dy/dx whole", make, partial(whole_by_x, peers=beside), base, whose)
            for wrt in ("x", "K"):
                subjects = partial(vjp_by, wrt, peers=beside)
                yield Point(f"vjp of y by {wrt}", make, subjects, base, whose)
        for batch in LAYER_BATCHES:
            for net in (classifier, attention_block):
                make = partial(net, batch, dtype, seed)
                subjects = partial(steps, peers=beside)
                yield Point("cost and gradients", make, subjects, base, whose)


def growth(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """Linear in the depth; a plan for a long chain; structured beside VJP in wide layers."""

    def two(workload: Workload) -> list[Subject]:
        return [
            subject for subject in route_subjects(workload) if subject.name in ("structured", "vjp")
        ]

    def three(workload: Workload) -> list[Subject]:
        return [*two(workload), structured_again(workload)]

    def one(workload: Workload) -> list[Subject]:
        return [planning(workload)]

    for depth in DEPTHS:
        sizes = [DEEP_WIDTH] * (depth + 1)
        make = partial(drawn, sizes, None, "float64", "tanh", seed)
        yield Point("depth", make, two, "vjp", "× vjp", "depth", depth)
    sizes = [DEEP_WIDTH] * (PLANNED_LAYERS + 1)
    make = partial(drawn, sizes, None, "float64", "tanh", seed)
    yield Point("planning", make, one)
    for width in WIDE:
        make = partial(drawn, [width] * 3, 1, seed=seed)
        yield Point("structured beside vjp", make, three, "vjp", "× vjp", "width", width)


def second(peers: Sequence[Peer], seed: int) -> Iterator[Point]:
    """Whole Hessians of seven costs, one in factors, and H v where the whole is refused."""
    beside, base = list(peers), peers[0].name if peers else ""
    whose = f"× {base}" if base else ""

    def tanh(sizes: list[int]) -> Callable[[], Workload]:
        return partial(drawn, sizes, None, "float64", "tanh", seed)

    def both(sizes: list[int]) -> list[str]:
        return [f"{kind}{layer}" for layer in range(1, len(sizes)) for kind in "Wb"]

    wide, *others = HESSIAN_CASES
    weights = [name for name in both(wide) if name.startswith("W")]
    whole: list[tuple[Callable[[], Workload], list[str]]] = [
        (tanh(wide), weights),
        *((tanh(sizes), both(sizes)) for sizes in others),
        (partial(quadratic_form, FORM, seed), ["x"]),
        (partial(factorisation, *FACTORS, seed), ["U", "V"]),
        (partial(logistic, *REGRESSION, seed), ["W1", "b1"]),
        (partial(distances, POINTS, seed), ["P"]),
    ]
    for make, names in whole:
        subjects = partial(whole_hessian, names, peers=beside)
        yield Point(f"Hessian by {_listed(names)}", make, subjects, base, whose)
    yield Point(
        f"factors by {_listed(weights)}", tanh(wide), partial(factors, weights, peers=beside)
    )
    names = both(PRODUCT_CASE)
    subjects = partial(product, names, peers=beside)
    yield Point(f"H v by {_listed(names)}", tanh(PRODUCT_CASE), subjects, base, whose)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} to {names[-1]}"


PRESETS: dict[str, Callable[[Sequence[Peer], int], Iterator[Point]]] = {
    "gradient": gradient,
    "weight-jacobian": whole_weight_jacobian,
    "parameter-jacobian": whole_parameter_jacobian,
    "layers": layers,
    "second": second,
    "growth": growth,
}
