"""The command line with `compare` in it, for processes of their own."""

import sys

from jacobian_bp import cli
from jacobian_bp.compare import command


def main(arguments=None):
    """cli.main with the command added, where it does not have it yet."""
    if "compare" not in cli._COMMANDS:
        parser = cli.Parser(prog="jacobian-bp")
        command.add_parser(parser.add_subparsers(dest="command"), cli._options)
        cli._COMMANDS["compare"] = lambda options: command.run_command(options, cli._options)
        cli._parser = lambda: parser
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
