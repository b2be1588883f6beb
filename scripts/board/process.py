# SPDX-License-Identifier: GPL-2.0-only
"""Child processes that never outlive their parent."""

import os
import signal
import subprocess
import time

from .errors import BoardError

# The board simulates in real time, so it needs a higher priority on a busy machine. Only root may raise it.
NICE = -5

# Lines of a log that an error message quotes.
LOG_TAIL = 12


def tail(path, lines=LOG_TAIL):
    """The last @lines of a text file, each indented; empty when there is none."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return "".join(f"    {line}\n" for line in text.splitlines()[-lines:])


class Child:
    """One process of the board, with its log file.

    It starts in its own session: Ctrl-C at the terminal reaches only the parent,
    which stops its children in order. A parent-death signal ends it when the parent
    is killed.
    """

    def __init__(self, name, argv, log, env=None):
        self.name = name
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, env=env)
        try:
            os.setpriority(os.PRIO_PROCESS, self.process.pid, NICE)
        except PermissionError:
            pass

    def alive(self):
        """True while the process runs."""
        return self.process.poll() is None

    def check(self):
        """Raise when the process has ended, with the end of its log."""
        status = self.process.poll()
        if status is not None:
            raise BoardError(f"{self.name} ended with status {status}; "
                             f"the end of {self.log}:\n{tail(self.log)}".rstrip())

    def stop(self, grace_s=3.0):
        """Terminate, and kill after @grace_s seconds."""
        if not self.alive():
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_until(what, condition, timeout_s, children=(), interval_s=0.05):
    """Poll @condition until it is true; its value is returned.

    Raises BoardError naming @what after @timeout_s, or as soon as one of
    @children has ended.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            logs = "".join(f"\n  {child.name}: {child.log}\n{tail(child.log, 4)}".rstrip()
                           for child in children)
            raise BoardError(f"{what} did not happen within {timeout_s:g} s; logs:{logs}")
        time.sleep(interval_s)
