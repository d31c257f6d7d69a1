"""What stands in an SVG of the package, read back from it."""

import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "desc", "style", "rect", "circle", "path", "text", "tspan"}
ATTRIBUTES = {
    *("class", "viewBox", "width", "height", "role", "x", "y", "rx", "cx", "cy", "r", "d"),
    *("font-size", "text-anchor", "textLength", "lengthAdjust", "dy", "fill-opacity"),
}
HOSTILE = [
    "</text><script>alert(1)</script>",
    "<script>&amp;\"'</script>",
    "]]><!-- & -->",
    "a\u202eb\u2066c\x1b[31m\ud800\ufffe",
    "x" * 5000,
    "W[1]^(2)_{}$\\input{a}",
]


def read(picture):
    """The parsed SVG of a picture; it is no more than shapes, words and its own style."""
    whole = ElementTree.fromstring(picture.svg)
    for element in whole.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert set(element.attrib) <= ATTRIBUTES
    assert whole[0].tag == f"{SVG}title"
    assert whole[0].text
    assert whole[1].tag == f"{SVG}desc"
    assert whole[1].text == picture.alt
    assert whole.get("role") == "img"
    assert not re.search(r"url\(|@import|http(?!://www\.w3\.org/2000/svg\")", picture.svg)
    return whole


def words(picture, kind=None):
    """The words that are drawn, in order; those of one class alone."""
    return [
        "".join(text.itertext())
        for text in read(picture).iter(f"{SVG}text")
        if kind is None or re.fullmatch(kind, text.get("class", ""))
    ]


def shapes(picture, tag, kind):
    """The attributes of the shapes of one class."""
    return [
        element.attrib
        for element in read(picture).iter(f"{SVG}{tag}")
        if re.fullmatch(kind, element.get("class", ""))
    ]


def luminance(colour):
    """Of a colour such as #1b1a18, as WCAG 2 has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    """Of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
