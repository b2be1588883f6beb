# SPDX-License-Identifier: GPL-2.0-only
"""make run: the guest's own console, with the world's status below it."""

import os
import select
import signal
import socket
import sys
import threading
import time

from . import status as show
from .errors import BoardError
from .terminal import Terminal

# Ctrl-], as in telnet(1).
ESCAPE = 0x1D
HINT = "Ctrl-] q quits"
REPAINT_S = 0.5
POLL_S = 0.08

HELP = ("\r\nCtrl-] q   stop the board and leave\r\n"
        "Ctrl-] ]   send Ctrl-] to the board (also Ctrl-] Ctrl-])\r\n"
        "Ctrl-] h   this help\r\n")


class StatusPoller:
    """Asks vboard for its status in a thread, so that typing never waits for it.

    It polls often enough to see an LED that is lit for 0.1 s. An LED that was lit
    since the last repaint is shown as lit.
    """

    def __init__(self, board):
        self.board = board
        self._latest = {}
        self._lit = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        board.in_background(self._poll)

    def _poll(self):
        while not self._stop.wait(POLL_S):
            try:
                status = self.board.status()
            except BoardError:
                return
            with self._lock:
                self._latest = status
                for led, lit in status["leds"].items():
                    self._lit[led] = self._lit.get(led, False) or lit

    def look(self):
        """The latest status, with the LEDs since the last look."""
        with self._lock:
            status = dict(self._latest)
            if status:
                status["leds"], self._lit = self._lit, dict(status["leds"])
            return status

    def stop(self):
        """End the thread."""
        self._stop.set()


class Console:
    """Relay between the terminal and the guest's serial line."""

    def __init__(self, board):
        self.board = board
        self._resized = True
        self._escape = False

    def _size_guest(self, terminal):
        """Set the rows and columns of the guest's tty."""
        command = f"stty -F /dev/ttyAMA0 rows {terminal.rows} cols {terminal.columns}"
        self.board.in_background(self.board.agent.shell, command)

    def run(self):
        """Until the user leaves or the guest powers off. Returns why."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.connect(str(self.board.rundir.socket("console")))
        poller = StatusPoller(self.board)
        before = signal.signal(signal.SIGWINCH, self._on_resize)
        try:
            with Terminal() as terminal:
                # For a prompt: the output so far is only in the log.
                line.sendall(b"\n")
                return self._relay(terminal, line, poller)
        finally:
            signal.signal(signal.SIGWINCH, before)
            poller.stop()
            line.close()

    def _on_resize(self, *_):
        self._resized = True

    def _relay(self, terminal, line, poller):
        next_paint = 0.0
        while True:
            if self._resized:
                self._resized = False
                terminal.measure()
                self._size_guest(terminal)
                next_paint = 0.0
            now = time.monotonic()
            if now >= next_paint or terminal.filter.dirty:
                terminal.paint(show.rows(poller.look(), HINT))
                next_paint = now + REPAINT_S
            timeout = max(0.0, next_paint - now)
            ready, _, _ = select.select([terminal.fd_in, line], [], [], timeout)
            if line in ready:
                data = line.recv(65536)
                if not data:
                    return "the board powered off"
                terminal.guest_output(data)
            if terminal.fd_in in ready and not self._typed(terminal, line):
                return "left"

    def _typed(self, terminal, line):
        """Forward what was typed; False when the user wants to leave."""
        data = os.read(terminal.fd_in, 4096)
        if not data:
            return False
        out = bytearray()
        for byte in data:
            if self._escape:
                self._escape = False
                if byte in b"qQ":
                    return False
                if byte in (ESCAPE, ord("]")):
                    out.append(ESCAPE)
                else:
                    terminal.guest_output(HELP.encode())
            elif byte == ESCAPE:
                self._escape = True
            else:
                out.append(byte)
        line.sendall(bytes(out))
        return True


def print_status(board, interval_s=1.0):
    """Without a terminal: a status line a second, until the guest ends."""
    while True:
        board.check()
        print(show.line(board.status()), flush=True)
        time.sleep(interval_s)


def interactive():
    """True when both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
