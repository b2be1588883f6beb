# SPDX-License-Identifier: GPL-2.0-only
"""make guest: one command, or one script, in the board's Linux."""

import os
import sys
import time

from . import paths
from .board import Board
from .errors import BoardError
from .status import state_of

GUEST_SCRIPT = "/run/qs1-script"


def _ready(board, scenario):
    """The service is up, the scenario runs; in the default world it produces."""
    board.go()
    if scenario is None:
        board.wait_state("producing")


def _execute(board, command, script, timeout_s):
    """Returns the Result of the command or script."""
    if script is None:
        return board.agent.run(["/bin/sh", "-lc", command], timeout_s=timeout_s,
                               env=["HOME=/root", "TERM=dumb", f"PATH={GUEST_PATH}"])
    with open(script, "rb") as file:
        text = file.read()
    board.agent.write_file(GUEST_SCRIPT, text, mode=0o755)
    argv = [GUEST_SCRIPT] if text.startswith(b"#!") else ["/bin/sh", GUEST_SCRIPT]
    return board.agent.run(argv, timeout_s=timeout_s,
                           env=["HOME=/root", "TERM=dumb", f"PATH={GUEST_PATH}"])


GUEST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def guest(command=None, script=None, scenario=None, coproc="m4", speed=1.0,
          image=paths.GUEST, timeout_s=3600.0):
    """Boot, run @command or the file @script as root, print its output.

    Its standard output and standard error come out of ours unchanged; progress
    and times go to standard error. Returns its exit status.
    """
    if script is not None and not os.path.isfile(script):
        raise BoardError(f"SCRIPT={script}: no such file")
    start = time.monotonic()

    def report(text):
        print(f"[{time.monotonic() - start:6.1f} s] {text}", file=sys.stderr, flush=True)
    with Board(scenario=scenario, coproc=coproc, speed=speed, image=image,
               report=report) as board:
        report("the board is powered")
        board.wait_agent()
        report("Linux is up")
        _ready(board, scenario)
        report(f"qs1d is up, {state_of(board.status())}")
        result = _execute(board, command, script, timeout_s)
        sys.stdout.buffer.write(result.stdout)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(result.stderr)
        sys.stderr.buffer.flush()
        report(f"exit status {result.status}")
    return result.status
