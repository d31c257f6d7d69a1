"""Foreign text in one line of a message: quoted or told, escaped, and cut to a length."""

from ...writing.signs import safe


def quoted(text: str, most: int = 40) -> str:
    """A text as it was written, at most `most` wide, also where … has to be three dots.

    >>> quoted("8,,x"), quoted(""), quoted("9" * 30, 12), len(quoted("\\x1b" * 30, 20))
    ("'8,,x'", "''", "'9999999…'", 18)
    """
    whole = safe(repr(text))
    return whole if len(whole) <= most else f"{whole[: most - 4]}…{whole[0]}"


def reason(error: BaseException, most: int = 70) -> str:
    """What an exception says, in the first line of it; an error of the system without file names.

    >>> reason(FileNotFoundError(2, "No such file or directory", ".r.x7")), reason(ValueError())
    ('No such file or directory', 'ValueError')
    >>> reason(RuntimeError("no driver\\nof this card")), reason(SystemExit(5))
    ('RuntimeError: no driver', 'SystemExit: 5')
    """
    if isinstance(error, OSError) and error.strerror:
        return safe(error.strerror)
    kind, lines = type(error).__name__, str(error).splitlines()
    told = safe(lines[0]) if lines and lines[0] else ""
    told = told if len(told) <= most else told[: most - 1] + "…"
    return f"{kind}: {told}" if told else kind
