# SPDX-License-Identifier: GPL-2.0-only
"""The terminal of make site: a status page, and a line to type statements on."""

import os
import select
import shutil
import sys
import termios
import time
import tty

from board.errors import BoardError

from . import status as show

REPAINT_S = 0.5
HINT = "statements as in a scenario, 'unit 1 sun all 300', 'air loss 1 20'; help, quit"
HELP = "Documentation/scenario.md has all statements; 'air' before a word of the radio; quit leaves"
MESSAGES = 4


def interactive():
    """True when both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Console:
    """Paints the page and reads lines until the user quits."""

    def __init__(self, site):
        self.site = site
        self._typed = ""
        self._messages = []

    def run(self):
        """Returns when the user leaves."""
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        print("\x1b[2J", end="")
        try:
            while True:
                self.site.check()
                self._paint()
                ready, _, _ = select.select([sys.stdin], [], [], REPAINT_S)
                if ready and not self._keys(os.read(sys.stdin.fileno(), 1024).decode(errors="ignore")):
                    return
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
            print("\x1b[?25h")

    def _paint(self):
        columns, lines = shutil.get_terminal_size()
        rows = show.painted(show.page(self.site.status(), self.site.gateway(), HINT,
                                      lines - MESSAGES - 1))
        rows += self._messages[-MESSAGES:]
        text = "\x1b[H" + "".join(f"{row}\x1b[K\r\n" for row in rows)
        print(f"{text}\x1b[J\x1b[{lines};1H> {self._typed[-columns + 3:]}\x1b[K", end="", flush=True)

    def _keys(self, keys):
        if not keys or "\x04" in keys:
            return False
        for key in keys:
            if key in "\r\n":
                line, self._typed = self._typed.strip(), ""
                if line in ("quit", "exit"):
                    return False
                if line:
                    self._say(line)
            elif key in "\x7f\b":
                self._typed = self._typed[:-1]
            elif key.isprintable():
                self._typed += key
        return True

    def _say(self, line):
        if line == "help":
            self._messages.append(HELP)
            return
        try:
            self.site.world.say(line)
            self._messages.append(f"{line}: done")
        except BoardError as error:
            self._messages.append(f"{line}: {error}")


def print_status(site, interval_s=1.0):
    """Without a terminal: lines of standard input are statements; a status line a second."""
    pending, following = "", True
    while True:
        site.check()
        print(show.line(site.status(), site.gateway()), flush=True)
        until = time.monotonic() + interval_s
        while time.monotonic() < until:
            ready, _, _ = select.select([sys.stdin] if following else [], [], [],
                                        max(0, until - time.monotonic()))
            if not ready:
                continue
            data = os.read(sys.stdin.fileno(), 65536)
            following = bool(data)
            pending += data.decode(errors="replace")
            *lines, pending = pending.split("\n")
            for line in filter(None, map(str.strip, lines)):
                if line in ("quit", "exit"):
                    return
                try:
                    site.world.say(line)
                    print(f"{line}: done", flush=True)
                except BoardError as error:
                    print(f"{line}: {error}", flush=True)
