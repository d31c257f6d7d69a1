"""System calls that a sheet may not make: those that hold memory which no limit counts.

    memfd_create, memfd_secret    a file in memory alone
    shmget                        a shared segment

The filter is a program of the Linux kernel (seccomp, BPF), one instruction of 8 bytes a line.
"""

import platform
import struct
import sys

NUMBERS = {  # machine: (its architecture in the kernel, the numbers of the calls)
    "x86_64": (0xC000003E, (319, 447, 29)),
    "aarch64": (0xC00000B7, (279, 447, 194)),
}
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ARCHITECTURE, NUMBER = 4, 0  # where they stand in what the kernel shows
OTHER_NUMBERS = 0x40000000  # from here on the calls have numbers of a second table
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # the latter with "Operation not permitted"


def filter_program() -> bytes:
    """The filter for this machine; nothing where its numbers are not known, or not Linux."""
    if not sys.platform.startswith("linux") or platform.machine() not in NUMBERS:
        return b""
    architecture, calls = NUMBERS[platform.machine()]
    tests = [(AT_LEAST, OTHER_NUMBERS), *((EQUAL, call) for call in calls)]
    lines = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 0, len(tests) + 2, architecture)]
    lines += [(LOAD, 0, 0, NUMBER)]
    lines += [
        (code, len(tests) - place, 0, value) for place, (code, value) in enumerate(tests)
    ]  # to the last line
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
