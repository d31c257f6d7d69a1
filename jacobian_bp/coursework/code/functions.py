"""The functions of numpy that a text may call, on arrays that are here already."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...numbers.stable import sigmoid
from .limits import MOST_ENTRIES, MOST_PRODUCTS, NotReadError, ShapesError, TooMuchError


def _of_numpy(names: str) -> dict[str, Callable[..., Any]]:
    return {name: getattr(np, name) for name in names.split()}


def _as_float(value: Any) -> Any:
    return np.asarray(value) * 1.0


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    **_of_numpy(
        "exp log tanh square sqrt abs sign cosh zeros_like ones_like copy transpose diag squeeze "
        "atleast_2d negative"
    ),
    **dict.fromkeys(("array", "asarray"), np.asarray),
    **dict.fromkeys(("int64", "int32", "float64", "float32", "float", "int"), _as_float),
    "expit": sigmoid,
}
OF_TWO = _of_numpy(
    "dot matmul multiply add subtract divide outer maximum minimum power greater greater_equal "
    "less less_equal heaviside"
)
REDUCTIONS = _of_numpy("sum mean var std max min amax argmax any all prod")
METHODS = frozenset(
    {"dot", "sum", "mean", "var", "std", "max", "min", "reshape", "transpose", "copy", "astype"}
    | {"squeeze", "flatten", "ravel", "argmax", "any", "all"}
)
CONTRACTING = {"dot", "matmul", "outer"}
IN_ORDER = {  # how numpy calls what may be given by name
    "insert": ("arr", "obj", "values", "axis"),
    "append": ("arr", "values", "axis"),
    "delete": ("arr", "obj", "axis"),
    "reshape": ("a", "newshape"),
    **dict.fromkeys(("split", "hsplit", "vsplit"), ("ary", "indices_or_sections")),
    "tile": ("A", "reps"),
    "clip": ("a", "a_min", "a_max"),
    "zeros": ("shape",),
    "ones": ("shape",),
    "eye": ("N",),
}


def number_like(value: Any) -> Any:
    """A number or an array; True and False count as 1 and 0."""
    if isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        return np.asarray(value, float)
    if not isinstance(value, bool | int | float | np.ndarray | np.generic):
        raise NotReadError("a thing that is no array")
    boolean = isinstance(value, np.ndarray) and value.dtype == bool
    return np.asarray(value) * 1.0 if boolean else value


def apply(function: Callable[..., Any], *arguments: Any) -> Any:
    """A function of arrays; ShapesError where numpy refuses them."""
    given = [number_like(argument) for argument in arguments]
    require_small(np.broadcast(*given).shape if _broadcasts(given) else ())
    with np.errstate(all="ignore"):
        try:
            found = function(*given)
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:
            raise ShapesError(str(error)) from None
    require_small(np.shape(found))
    return found


def contract(function: Callable[..., Any], first: Any, second: Any) -> Any:
    """@, np.dot and np.outer, their products counted before they are made."""
    first, second = number_like(first), number_like(second)
    inner = np.shape(first)[-1] if np.ndim(first) and function is not np.outer else 1
    require_few(np.size(first) * np.size(second) // max(inner, 1))
    return apply_unbroadcast(function, first, second)


def require_few(products: int) -> None:
    if products > MOST_PRODUCTS:
        raise TooMuchError(f"a product of more than {MOST_PRODUCTS:,} terms.")


def apply_unbroadcast(function: Callable[..., Any], *given: Any) -> Any:
    """A function whose operands need not broadcast."""
    with np.errstate(all="ignore"):
        try:
            found = function(*given)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            raise ShapesError(str(error)) from None
    require_small(np.shape(found))
    return found


def power(base: Any, exponent: Any) -> Any:
    """a ** b in floating point: no whole number grows without end."""
    return apply(lambda a, b: np.power(np.asarray(a, float), b), base, exponent)


def _broadcasts(given: list[Any]) -> bool:
    try:
        np.broadcast(*given)
    except ValueError:
        return False
    return True


def require_small(shape: Any) -> None:
    if prod(shape) > MOST_ENTRIES:
        raise TooMuchError(f"an array of more than {MOST_ENTRIES:,} entries.")


def whole(value: Any) -> int:
    """A whole number, as an index or a size is."""
    if isinstance(value, bool | int | np.integer) or (
        isinstance(value, float | np.floating) and float(value).is_integer()
    ):
        return int(value)
    raise NotReadError("an index that is no whole number")


def rounds(loop: range) -> int:
    """How many numbers a range has, also where len() cannot say it."""
    return max(0, -((loop.start - loop.stop) // loop.step))


def length(value: Any) -> int:
    return rounds(value) if isinstance(value, range) else len(value)


def shape_of(value: Any) -> tuple[int, ...]:
    sizes = value if isinstance(value, tuple | list) else (value,)
    shape = tuple(whole(size) for size in sizes)
    require_small([abs(size) for size in shape])
    return shape


def call_numpy(name: str, given: list[Any], options: dict[str, Any]) -> Any:
    """np.name(*given, **options), for the names that are read."""
    given = _in_order(name, given, options)
    if name in REDUCTIONS:
        return _reduce(name, given, options)
    if name == "reshape" and len(given) > 1:
        shape = given[1] if isinstance(given[1], tuple | list) else tuple(given[1:])
        return apply(lambda array: np.reshape(array, shape_of(shape)), given[0])
    if name in ("flatten", "ravel"):
        return apply(np.ravel, given[0])
    if name in ("where", "clip") and len(given) == 3:
        return apply(getattr(np, name), *given)
    if name == "einsum" and len(given) > 1 and isinstance(given[0], str):
        return _einsum(given[0], [number_like(array) for array in given[1:]])
    if name in ("zeros", "ones", "eye") and given:
        if name == "eye":
            require_small((whole(given[0]), whole(given[0])))
            return apply_unbroadcast(np.eye, whole(given[0]))
        return apply_unbroadcast(getattr(np, name), shape_of(given[0]))
    if name == "arange":
        return range(*[whole(number) for number in given])
    if name in ("hstack", "vstack", "concatenate", "column_stack"):
        return _joined(name, given, options)
    if name in ("split", "hsplit", "vsplit") and len(given) > 1:
        return _split(name, given, options)
    if name in ("insert", "append", "delete") and len(given) > 1:
        return _lengthened(name, given, options)
    if name == "tile" and len(given) == 2:
        shape = np.shape(number_like(given[0]))
        times = shape_of(given[1])
        require_small([*(max(size, 1) for size in shape), *times])
        return apply_unbroadcast(np.tile, given[0], times)
    if name == "linalg.norm":
        return apply(lambda array: np.sqrt(np.sum(array * array)), given[0])
    if name in OF_TWO and len(given) == 2:
        if name == "power":
            return power(*given)
        return (contract if name in CONTRACTING else apply)(OF_TWO[name], *given)
    if name in ELEMENTWISE and given:
        return apply(ELEMENTWISE[name], given[0])
    raise NotReadError(f"np.{name}")


def _in_order(name: str, given: list[Any], options: dict[str, Any]) -> list[Any]:
    """The arguments in numpy's order, those behind them that are given by name included."""
    found = list(given)
    for parameter in IN_ORDER.get(name, ())[len(given) :]:
        if parameter not in options:
            break
        found.append(options[parameter])
    return found


def _reduce(name: str, given: list[Any], options: dict[str, Any]) -> Any:
    axis = given[1] if len(given) > 1 else options.get("axis")
    if isinstance(axis, tuple | list):
        axis = tuple(whole(one) for one in axis)
    elif axis is not None:
        axis = whole(axis)
    keep = bool(options.get("keepdims", False))
    return apply(lambda a: REDUCTIONS[name](a, axis=axis, keepdims=keep), given[0])


def _lengthened(name: str, given: list[Any], options: dict[str, Any]) -> Any:
    """np.insert(x, 0, 1, axis=1), np.append(ones, x, axis=1), np.delete(d, 0, axis=1)."""
    usual = 3 if name == "insert" else 2
    if len(given) < usual:
        raise NotReadError(f"np.{name} without all that it takes")
    axis = given[usual] if len(given) > usual else options.get("axis")
    axis = axis if axis is None else whole(axis)
    first, second, *more = given[:usual]
    if name == "append":
        return apply_unbroadcast(
            lambda a, b: np.append(a, b, axis), number_like(first), number_like(second)
        )
    place, more = whole(second), [number_like(one) for one in more]
    return apply_unbroadcast(
        lambda a: getattr(np, name)(a, place, *more, axis=axis), number_like(first)
    )


def _joined(name: str, given: list[Any], options: dict[str, Any]) -> Any:
    arrays = [number_like(array) for array in (given[0] if len(given) == 1 else given)]
    axis = {"axis": whole(options.get("axis", 0))} if name == "concatenate" else {}
    return apply_unbroadcast(lambda *a: getattr(np, name)(a, **axis), *arrays)


def _split(name: str, given: list[Any], options: dict[str, Any]) -> list[Any]:
    """np.split(a, 4, axis=1), or at the places of a list; a list of arrays."""
    array, places = number_like(given[0]), given[1]
    several = isinstance(places, list | tuple)
    parts: Any = [whole(place) for place in places] if several else whole(places)
    require_small((len(parts) if several else abs(parts),))
    axis = given[2] if len(given) > 2 else options.get("axis", 0)
    of_axis = {"axis": whole(axis)} if name == "split" else {}
    try:
        return list(getattr(np, name)(array, parts, **of_axis))
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        raise ShapesError(str(error)) from None


def _einsum(subscripts: str, arrays: list[Any]) -> Any:
    letters = subscripts.replace(" ", "").split("->")[0].split(",")
    sizes = {
        letter: size
        for word, array in zip(letters, arrays, strict=False)
        for letter, size in zip(word, np.shape(array), strict=False)
    }
    require_few(prod(sizes.values()))
    require_small(
        [sizes.get(letter, 1) for letter in subscripts.split("->")[-1] if "->" in subscripts]
    )
    return apply_unbroadcast(lambda *a: np.einsum(subscripts, *a), *arrays)
