# SPDX-License-Identifier: GPL-2.0-only
"""Client of build/qs1-site: requests in, one line each out."""

import json
import os
import select
import subprocess
import threading
import time

from board.errors import BoardError
from board.paths import BUILD, need
from board.process import tail

PROGRAM = BUILD / "qs1-site"
START_S = 30.0
ANSWER_S = 30.0


class World:
    """The feeder, its units and their radios, in a process that ends with us."""

    def __init__(self, scenario, folder, ecu, clock, seed=1, modems=1, hardware=()):
        self.log = folder / "world.log"
        self.pcap = folder / "air.pcap"
        self._lock = threading.Lock()
        argv = ["setpriv", "--pdeathsig", "KILL", "--", need(PROGRAM, "site-programs"),
                "--ecu", ecu, "--pcap", self.pcap, "--folder", folder, "--seed", seed,
                "--modems", modems, *hardware, scenario]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                list(map(str, argv)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, env=dict(os.environ, QS1_CLOCK=clock))
        try:
            self.start = json.loads(self._line("its units", START_S))
        except ValueError as error:
            raise BoardError(f"qs1-site: expected a line of JSON, found: {error}") from error

    def _ended(self):
        self.process.wait()
        words = tail(self.log).strip()
        return BoardError(words if words else f"qs1-site ended with status {self.process.returncode}")

    def _line(self, what, timeout_s):
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        if not ready:
            raise BoardError(f"qs1-site did not answer '{what}' within {timeout_s:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise self._ended()
        return line.decode().rstrip("\n")

    def _ask(self, request):
        with self._lock:
            try:
                self.process.stdin.write(request.encode() + b"\n")
                self.process.stdin.flush()
            except OSError as error:
                raise self._ended() from error
            reply = self._line(request, ANSWER_S)
        if reply.startswith("error: "):
            raise BoardError(reply.removeprefix("error: "))
        return reply

    def say(self, line):
        """A statement of the scenario language, or a word of the radio after "air"."""
        self._ask(line if line.startswith("air ") else f"do {line}")

    def status(self):
        """Units, network, time."""
        return json.loads(self._ask("status"))

    def summary(self):
        """The feeder's summary so far."""
        return json.loads(self._ask("summary"))

    def close(self):
        """End the process."""
        if self.process.poll() is None:
            try:
                self._ask("quit")
                self.process.wait(3)
            except (BoardError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()


def clock(speed):
    """The clock that all daemons of a site share: QS1_CLOCK of service_clock.h."""
    return f"{speed:g} {time.monotonic_ns() // 1000} {time.time_ns() // 1000}"
