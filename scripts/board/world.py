# SPDX-License-Identifier: GPL-2.0-only
"""Client of vboard's control socket; the lines are described in its control.h."""

import json
import socket
import threading

from .errors import BoardError


class Line:
    """A connection that sends and receives lines."""

    def __init__(self, path, timeout_s=None):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8", errors="replace")

    def send(self, line):
        """Send one line."""
        self._socket.sendall(line.encode() + b"\n")

    def receive(self):
        """The next line without its end; None when vboard has closed the connection."""
        try:
            line = self._lines.readline()
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            return None
        return line.rstrip("\n") if line else None

    def close(self):
        """Drop the connection; a receive() in another thread returns."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


class World:
    """Requests with one reply each; may be used from several threads."""

    def __init__(self, path, timeout_s=60.0):
        self._line = Line(path, timeout_s)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()

    def close(self):
        """Drop the connection."""
        self._line.close()

    def _ask(self, request):
        with self._lock:
            try:
                self._line.send(request)
                reply = self._line.receive()
            except TimeoutError as error:
                raise BoardError(f"vboard did not answer '{request}' within "
                                 f"{self._timeout_s:g} s") from error
            except OSError as error:
                raise BoardError(f"vboard: '{request}': {error}") from error
        if reply is None:
            raise BoardError(f"vboard closed its control socket at '{request}'")
        if reply.startswith("error: "):
            raise BoardError(reply.removeprefix("error: "))
        return reply

    def do(self, statement):
        """Carry out a scenario statement now."""
        self._ask(f"do {statement}")

    def go(self):
        """Start the scenario."""
        self._ask("go")

    def _query(self, what):
        reply = self._ask(what)
        try:
            return json.loads(reply)
        except ValueError as error:
            raise BoardError(f"vboard: '{what}': expected JSON, found '{reply[:80]}'") from error

    def status(self):
        """vboard's status object: state, truth, pace."""
        return self._query("status")

    def truth(self, ticks):
        """{"low": ..., "high": ...}: the truth that the snapshot with this time can mean."""
        return self._query(f"truth {ticks}")

    def summary(self):
        """The simulator's summary so far."""
        return self._query("summary")
