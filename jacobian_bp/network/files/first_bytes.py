"""What a file is by its first bytes, whatever its ending says."""

from pathlib import Path
from typing import NamedTuple

from ...errors import SpecError
from .paths import open_regular

HEAD = 512  # bytes that tell what a file is
# the first member of an archive of PyTorch, and the number that a file has from before 1.6
TORCH = b"/data.pkl", b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


class Kind(NamedTuple):
    """A kind of file: the bytes that it has at a place, in words, and the ending that it takes."""

    words: str
    first: bytes
    at: int = 0
    ending: str = ""

    def fits(self, head: bytes) -> bool:
        """Whether a file that begins with `head` may be one."""
        return head[self.at :].startswith(self.first)


PICKLE = "a Python pickle"
KINDS = (
    Kind("a zip archive", b"PK\x03\x04", ending=".npz"),
    Kind("an archive without members", b"PK\x05\x06"),
    Kind("a zip archive", b"PK"),
    Kind("a single .npy array", b"\x93NUMPY"),
    *(Kind(PICKLE, bytes([0x80, protocol])) for protocol in range(2, 6)),
    Kind("an HDF5 file", b"\x89HDF"),
    Kind("a gzip file", b"\x1f\x8b"),
    Kind("a Git LFS pointer, not the file itself", b"version https://git-lfs"),
)
# behind the length of its header, which may begin with any byte
SAFE_TENSORS = Kind("a .safetensors file", b"{", at=8, ending=".safetensors")


def head_of(path: Path) -> bytes:
    """The first bytes of a regular file; none where there is no such, or it cannot be read."""
    try:
        with open_regular(path, "") as file:
            return file.read(HEAD)
    except SpecError:
        return b""


def is_torch(head: bytes) -> bool:
    """Whether a file that begins with `head` is what torch.save wrote, all of it a pickle."""
    return any(sign in head for sign in TORCH)


def kind_of(head: bytes) -> str | None:
    """The words for what the file is, None where its first bytes do not tell.

    >>> kind_of(b"PK\\x03\\x04 and so on"), kind_of(b"a,b\\n1,2\\n")
    ('a zip archive', None)
    """
    return next((kind.words for kind in KINDS if kind.fits(head)), None)


def ending_of(head: bytes) -> str:
    """The ending of a file of weights that the file may be; none where it is no such.

    >>> ending_of(b"PK\\x03\\x04"), ending_of(b"\\x40" + bytes(7) + b'{"W1"'), ending_of(b"a,b")
    ('.npz', '.safetensors', '')
    """
    return next((k.ending for k in (*KINDS, SAFE_TENSORS) if k.ending and k.fits(head)), "")


def may_be(ending: str, head: bytes) -> bool:
    """Whether a file that begins with `head` may be one with this ending."""
    return any(kind.ending == ending and kind.fits(head) for kind in (*KINDS, SAFE_TENSORS))
