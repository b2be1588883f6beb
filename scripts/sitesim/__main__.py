# SPDX-License-Identifier: GPL-2.0-only
"""Command line of the simulated site: what `make site` calls."""

import argparse
import sys
from pathlib import Path

from board.program import guarded

from .run import run_console, run_headless
from .scenario import GRIDS
from .site import TOP

UNITS_MAX = 100


def _number(least, most, kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}, found '{text}'")
        return value
    return parse


def _scenario(text):
    if not text:
        return None
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such scenario file: {text}")
    return path.resolve()


def _switch(text):
    if text not in ("", "0", "1"):
        raise argparse.ArgumentTypeError(f"expected 0 or 1, found '{text}'")
    return text


def _arguments(argv):
    port = _number(0, 65535, int)
    parser = argparse.ArgumentParser(prog="site", description=__doc__)
    parser.add_argument("--units", type=_number(1, UNITS_MAX, int), default=4)
    parser.add_argument("--phases", choices=tuple(GRIDS), default="1")
    parser.add_argument("--board", type=_switch, default="", help="1: unit 1 is a whole virtual board")
    parser.add_argument("--scenario", type=_scenario, help="file with units, feeder and world")
    parser.add_argument("--speed", type=_number(0.01, 1000, float), default=1.0)
    parser.add_argument("--seed", type=_number(0, 2**53, int), default=1)
    parser.add_argument("--cadence", dest="cadence_s", type=_number(1, 300, float), default=5)
    parser.add_argument("--fresh", type=_switch, default="", help="1: empty stores, an unused first-use code")
    parser.add_argument("--paired", type=_switch, default="", help="0: nobody has paired the inverters")
    parser.add_argument("--state", type=Path, default=TOP / "state", help="folder of the stores")
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--ecu-port", type=port, default=8443)
    parser.add_argument("--ema-port", type=port, default=9443)
    parser.add_argument("--modbus-port", type=port, default=1502)
    parser.add_argument("--aps-port", type=port, default=8899)
    parser.add_argument("--headless", action="store_true")
    parser.add_argument("--for", dest="duration_s", type=_number(0.1, 1e9, float), default=None)
    options = parser.parse_args(argv)
    options.fresh = options.fresh == "1"
    options.paired = options.paired != "0"
    options.board = int(options.board == "1")
    if options.board and options.speed != 1:
        parser.error(f"a site with a whole board runs in real time: expected a speed of 1, found {options.speed:g}")
    return options


def main(argv=None):
    """Returns the exit status."""
    options = _arguments(argv)
    return guarded("site", lambda: run_headless(options) if options.headless else run_console(options))


if __name__ == "__main__":
    sys.exit(main())
