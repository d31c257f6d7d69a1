"""Convolutions, pools and attention in JAX's functions, for the ops' own rules."""

from collections.abc import Callable
from typing import Any

from ...ops.windows import Sizes, Windows


def layer_functions(jax: Any) -> dict[str, Callable[..., Any]]:
    """What `Functions` has for layers beside the dense ones, by name."""
    lax, jnp = jax.lax, jax.numpy

    def convolve(x: Any, K: Any, windows: Windows, groups: int) -> Any:
        at = x.ndim - (K.ndim - 1)  # where the axes of one example begin
        padding = [(p, p) for p in windows.padding]
        y = lax.conv_general_dilated(
            x.reshape(-1, *x.shape[at:]),
            K,
            windows.stride,
            padding,
            rhs_dilation=windows.dilation,
            feature_group_count=groups,
        )
        return y.reshape(*x.shape[:at], *y.shape[1:])

    def largest_pool(x: Any, widths: Sizes, windows: Windows) -> Any:
        front = x.ndim - len(widths)
        around = [(0, 0)] * front + [(p, p) for p in windows.padding]
        size, step = (1,) * front + widths, (1,) * front + windows.stride
        return lax.reduce_window(x, -jnp.inf, lax.max, size, step, around)

    def not_later(s: Any) -> Any:
        return jnp.where(jnp.tri(*s.shape[-2:], dtype=bool), s, -jnp.inf)

    return {
        "einsum": jnp.einsum,
        "erf": lax.erf,
        "convolve": convolve,
        "largest_pool": largest_pool,
        "not_later": not_later,
    }
