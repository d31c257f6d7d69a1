"""Seeds that a student cannot guess: a keyed hash of student and exercise.

    graded seed   HMAC-SHA256(secret, "graded", student, exercise)    its first 63 bits
    token         HMAC-SHA256(secret, "token", student, exercise)     its first 128 bits
    sheet's seed  HMAC-SHA256(secret, "sheet", token, exercise)       its first 63 bits

The secret comes from a file or from the environment, never from the command line, and is
not printed. The same secret, student and exercise give the same seed on every machine.
"""

import hashlib
import hmac
import os
import stat
import unicodedata
from pathlib import Path

from ...errors import SpecError
from ...network.files.paths import read_limited
from ...writing.signs import plural

VARIABLE = "JACOBIAN_BP_SECRET"
SHORTEST, LARGEST = 16, 4096  # bytes of a secret
TOKEN = 32  # hexadecimal digits, 128 bits


def graded_seed(secret: bytes, student: str, exercise: int) -> int:
    """The seed of the numbers that a student is graded on, and never sees.

    >>> graded_seed(b"a secret of a course", "ada", 2)
    6961808882426369638
    """
    return _first_bits(_digest(secret, "graded", _named(student), exercise))


def sheet_token(secret: bytes, student: str, exercise: int) -> str:
    """What stands in the first line of a student's own sheet: it tells whose sheet it is.

    >>> sheet_token(b"a secret of a course", "ada", 2)
    'fd84f1a7d72b3f6715f730aa5746dec9'
    """
    return _digest(secret, "token", _named(student), exercise).hex()[:TOKEN]


def seed_of_token(secret: bytes, token: str, exercise: int) -> int:
    """The seed of the sheet that has this token; without the secret nobody can tell it.

    >>> seed_of_token(b"a secret of a course", "fd84f1a7d72b3f6715f730aa5746dec9", 2)
    2533768668283468644
    """
    return _first_bits(_digest(secret, "sheet", token, exercise))


def sheet_seed(secret: bytes, student: str, exercise: int) -> int:
    """The seed of a student's own sheet, which follows from its token and the secret."""
    return seed_of_token(secret, sheet_token(secret, student, exercise), exercise)


def apart_from(seed: int, public: int) -> int:
    """`seed`, or another one that follows from it where it is the public one.

    >>> apart_from(5, 7), apart_from(7, 7) != 7
    (5, True)
    """
    if seed != public:
        return seed
    return _first_bits(hashlib.sha256(f"apart from {public}".encode()).digest())


def read_secret(path: str | Path | None = None) -> bytes | None:
    """The secret of a file, else of JACOBIAN_BP_SECRET, else None.

    Raises SpecError for a file that cannot be read and for a secret that is too short.
    """
    if path is not None:
        content = read_limited(Path(path), LARGEST, "Name the file with the course's secret.")
        return _stripped(content, "the secret file")
    text = os.environ.get(VARIABLE)
    return None if text is None else _stripped(os.fsencode(text), VARIABLE)


def needed(secret: bytes | None) -> bytes:
    """The secret; SpecError where there is none."""
    if secret is None:
        raise SpecError(
            "a student's own seed needs the course's secret.\n"
            f"  Write --secret-file FILE, or set {VARIABLE}."
        )
    return secret


def open_to_all(path: str | Path | None) -> list[str]:
    """A line for the instructor's log where a sheet that is run may read the secret file."""
    if path is None or os.name != "posix":
        return []
    if not Path(path).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return []
    return ["warning: other users can read the secret file, and so can a sheet; chmod 600"]


def _stripped(secret: bytes, who: str) -> bytes:
    """The secret without the blanks and line ends around it, which an editor may add."""
    secret = secret.strip()
    if len(secret) < SHORTEST:
        raise SpecError(
            f"{who} holds {plural(len(secret), 'byte')}; a secret has at least {SHORTEST}.\n"
            '  Make one: python3 -c "import secrets; print(secrets.token_hex(16))" > secret.txt'
        )
    return secret


def _named(student: str) -> str:
    student = unicodedata.normalize("NFC", student).strip()
    if not student:
        raise SpecError("the student has no name.\n  Write --student and a name or number.")
    return student


def _digest(secret: bytes, purpose: str, whose: str, exercise: int) -> bytes:
    parts = [part.encode("utf-8", "surrogatepass") for part in (purpose, whose, str(exercise))]
    text = b"".join(b"%d:%s" % (len(part), part) for part in parts)  # so no two run together
    return hmac.new(_stripped(secret, "the secret"), text, hashlib.sha256).digest()


def _first_bits(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") >> 1
