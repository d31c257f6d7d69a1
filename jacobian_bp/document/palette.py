"""Colours of a page: nine classes from negative to positive, light and dark, each with its ink.

Blue against orange, which all common kinds of colour blindness tell apart. A negative number
carries its minus sign, or a bar where no number is written, so that grey print keeps it.
Structural zeros are hatched: a texture, not a hue. In a network activations are green, sums
blue and weights orange, as in the figures of the first seed; magenta is for gradients.
"""

Theme = dict[str, str]

LIGHT: tuple[str, ...] = (
    *("#9c4a00", "#d07a2d", "#eeb27c", "#fbe3cb", "#ffffff"),
    *("#d8e6f6", "#9dc3e8", "#4a8ac6", "#14508f"),
)
DARK: tuple[str, ...] = (
    *("#ffb066", "#d5812f", "#8a5220", "#4a3220", "#17181b"),
    *("#1f3550", "#2a5588", "#4b8fd6", "#93c8ff"),
)
INK: tuple[str, ...] = ("#ffffff", *["#1b1a18"] * 6, "#0b0b0c", "#ffffff")
INK_DARK: tuple[str, ...] = (
    *("#17110a", "#17110a", "#ffffff"),
    *["#f2efe9"] * 3,
    *("#ffffff", "#0b1118", "#0b1118"),
)
THEMES: dict[str, Theme] = {
    "light": {
        "paper": "#fdfcf9",
        "ink": "#1b1a18",
        "soft": "#5c574e",
        "line": "#d8d2c5",
        "panel": "#f5f2ea",
        "void": "#ece8de",
        "accent": "#a3195b",
        "hatch": "#b3ac9e",
        "sigma": "#26724a",
        "sum": "#1f5fa6",
        "weight": "#a94d07",
    },
    "dark": {
        "paper": "#17181b",
        "ink": "#ecebe7",
        "soft": "#aeaaa1",
        "line": "#3a3c42",
        "panel": "#1f2125",
        "void": "#26282d",
        "accent": "#ff8dbd",
        "hatch": "#54575f",
        "sigma": "#7bcf9c",
        "sum": "#86b8f2",
        "weight": "#f0a35e",
    },
}
ZERO = 4  # the class in the middle


def level(value: float, largest: float) -> int:
    """Which of the nine classes: 0 most negative, 4 zero or no number, 8 most positive.

    >>> level(-3.0, 3.0), level(0.0, 3.0), level(0.5, 3.0)
    (0, 4, 5)
    """
    if not 0 < abs(value) <= largest:  # a NaN too
        return ZERO
    share = abs(value / largest)
    step = 1 + min(3, int(4 * share))
    return ZERO + step if value > 0 else ZERO - step


def properties(theme: str) -> str:
    """The custom properties of one theme."""
    ramp, ink = (LIGHT, INK) if theme == "light" else (DARK, INK_DARK)
    words = [f"--{name}:{colour}" for name, colour in THEMES[theme].items()]
    words += [f"--c{n}:{c};--i{n}:{i}" for n, (c, i) in enumerate(zip(ramp, ink, strict=True))]
    return ";".join(words)
