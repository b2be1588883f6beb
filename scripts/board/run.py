# SPDX-License-Identifier: GPL-2.0-only
"""make run: with a console, or headless with a summary and promises."""

import time

from . import console, status as show
from .board import Board
from .errors import BoardError
from .program import publish, reporter
from .promises import History, collect
from .status import PRODUCING

# Simulated seconds of a headless run when neither FOR nor the scenario says.
DEFAULT_FOR_S = 20.0
STATUS_LINE_S = 5.0
POLL_S = 0.2


def _boot(board, report):
    """Show each milestone until the scenario runs."""
    report("the board is powered, Linux boots (about 20 s)")
    board.wait_agent()
    report("Linux is up")
    board.wait_service()
    report("qs1d is up; the sun rises")
    board.go()


def run_console(options):
    """Boot, show it producing, relay the console until the user leaves."""
    report = reporter()
    with Board(options.scenario, options.coproc, options.speed, image=options.image,
               report=report) as board:
        _boot(board, report)
        if options.scenario is None:
            board.wait_state(*PRODUCING)
            report(f"producing after {board.elapsed():.1f} s")
        report("the console follows: try 'qs1ctl status', 'sun all 400', 'world help'")
        if console.interactive():
            report(f"{console.Console(board).run()}; the board is stopped")
        else:
            console.print_status(board)
    return 0


def _has_end(board):
    return board.status()["end_s"] is not None


def _follow(board, history, timings, report):
    """Until the scenario's end: progress, and when it first produced."""
    next_line = time.monotonic()
    while True:
        board.check()
        status = board.status()
        history.add(status)
        if history.produced and timings["producing_after_s"] is None:
            timings["producing_after_s"] = round(board.elapsed(), 2)
            report(f"producing after {board.elapsed():.1f} s")
        if status["ended"] and not status["policy_pending"]:
            return
        if time.monotonic() >= next_line:
            report(show.line(status))
            next_line = time.monotonic() + STATUS_LINE_S
        time.sleep(POLL_S)


def run_headless(options):
    """Boot, run for a time, measure, write the summary, judge the promises."""
    report = reporter()
    duration_s = options.duration_s
    if duration_s is None and options.scenario is None:
        duration_s = DEFAULT_FOR_S
    with Board(options.scenario, options.coproc, options.speed, duration_s, options.image,
               report) as board:
        _boot(board, report)
        if duration_s is None and not _has_end(board):
            raise BoardError(f"{options.scenario}: expected 'run T' at its end, or FOR=seconds")
        timings = {"boot_s": round(board.boot_s, 2), "producing_after_s": None}
        history = History()
        _follow(board, history, timings, report)
        summary = collect(board, history, timings)
    return publish("board", summary, options.summary, report)
