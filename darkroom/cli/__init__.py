"""The `darkroom` command. Each command's module imports what it needs when it runs, so that `--help` stays quick."""

import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 a mistake told in one line, 2 wrong usage, 130 interrupted."""
    from darkroom.cli.app import run

    sys.exit(run(sys.argv[1:]))
