"""`compare` run inside a test, and as a process of its own."""

import sys

from jacobian_bp.cli import main

QUICK = "--repeats 1"


def caller(capsys):
    """Runs a command: its exit code, its lines, its errors."""

    def run(command):
        code = main(["compare", *command.split()])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "\x1b" not in out + err
        assert [line for line in out.splitlines() if len(line) > 99] == []
        return code, out.splitlines(), err

    return run


def plain(err):
    """Whether nothing but what is being timed was said on the way."""
    return all(line.startswith(("timing ", "  ")) for line in err.splitlines())


def table(lines, head):
    """The lines of one table, behind its title and its heads."""
    start = next(p for p, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[start + 2 :]:
        if not line:
            break
        found.append(line)
    return found


if __name__ == "__main__":
    sys.exit(main())
