# SPDX-License-Identifier: GPL-2.0-only
"""Helpers for the programs that run a simulation: progress, files written atomically, promises, exit status."""

import json
import os
import signal
import sys
import time

from .errors import BoardError


def reporter():
    """Return a function that prints progress with the seconds since this call."""
    start = time.monotonic()

    def report(text):
        print(f"[{time.monotonic() - start:6.1f} s] {text}", flush=True)
    return report


def write_whole(path, content):
    """An object as a JSON file.

    Another run of this clone may write its own at the same time: each file is whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.{os.getpid()}")
    whole.write_text(json.dumps(content, indent=1) + "\n")
    whole.replace(path)


def publish(name, summary, path, report):
    """Write the summary to its file and the promises to the terminal; return the exit status of program @name."""
    write_whole(path, summary)
    broken = 0
    for promise in summary["promises"]:
        broken += not promise["held"]
        report(f"{'held  ' if promise['held'] else 'BROKEN'} {promise['name']}: "
               f"{promise['figure']}")
    report(f"summary in {path}")
    if broken:
        print(f"{name}: {broken} of {len(summary['promises'])} promises broken", file=sys.stderr)
    return 1 if broken else 0


def _on_signal(number, _frame):
    """Make SIGTERM and SIGHUP end the program as Ctrl-C does."""
    raise SystemExit(128 + number)


def guarded(name, function):
    """Call @function with the signals set; return its exit status, or that of the exception or signal."""
    # A shell starts jobs in the background with the interrupt ignored: Ctrl-C works there too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    try:
        return function()
    except BoardError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
