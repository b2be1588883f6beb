# SPDX-License-Identifier: GPL-2.0-only
"""Command line of the virtual board: what `make run` and `make guest` call."""

import argparse
import sys
from pathlib import Path

from . import paths
from .guest import guest
from .program import guarded
from .run import run_console, run_headless


def _speed(text):
    """A pace: times real time, or "max" as 0."""
    return 0.0 if text == "max" else float(text)


def _scenario(text):
    """A scenario file; empty, as make passes it, for the default world."""
    if not text:
        return None
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such scenario file: {text}")
    return path.resolve()


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="board", description=__doc__)
    parser.add_argument("--scenario", type=_scenario, help="file with the world to run in")
    parser.add_argument("--coproc", choices=("m4", "native"), default="m4")
    parser.add_argument("--speed", type=_speed, default=1.0, help="times real time, or max")
    parser.add_argument("--image", type=lambda text: Path(text).resolve(), default=paths.GUEST,
                        help="description of the guest's image")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="boot, show it producing, end at the console")
    run.add_argument("--headless", action="store_true")
    run.add_argument("--for", dest="duration_s", type=float, default=None,
                     help="simulated seconds of a headless run")
    run.add_argument("--summary", type=Path, default=paths.RUN / "summary.json")
    one = commands.add_parser("guest", help="run one command in the board's Linux")
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("--cmd")
    what.add_argument("--script")
    return parser.parse_args(argv)


def main(argv=None):
    """Returns the exit status."""
    options = _arguments(argv)

    def run():
        if options.command == "guest":
            return guest(options.cmd, options.script, options.scenario, options.coproc,
                         options.speed, options.image)
        if options.headless:
            return run_headless(options)
        return run_console(options)
    return guarded("board", run)


if __name__ == "__main__":
    sys.exit(main())
