# SPDX-License-Identifier: GPL-2.0-only
"""Scenario statements that belong to Linux, carried out by the guest's qs1ctl.

vboard simulates the world but not the policy. It sends the statements profile, set,
cmd, skip enter-service and host to its runner, one line each, and expects the answers
in the same order.
"""

import json
import shlex
import time
from pathlib import Path

from .errors import BoardError
from .status import PRODUCING, state_of
from .world import Line

ES_FOLDER = "/sys/bus/pci/drivers/qs1-ivshmem/*/params"

# A profile file of the host goes here in the guest.
GUEST_PROFILE = "/run/qs1-profile.conf"


class PolicyRunner:
    """vboard's runner: carries out policy, and collects what vboard reports.

    @ended: simulated time of the scenario's end, None before
    @errors: messages of timed statements that failed
    """

    def __init__(self, board):
        self.board = board
        self.ended = None
        self.errors = []
        self._line = Line(board.rundir.socket("control"))
        self._line.send("runner")
        if self._line.receive() != "ok":
            raise BoardError("vboard refused its runner")
        self._actions = {"profile": self._profile, "set": self._set, "cmd": self._command,
                         "skip": self._skip, "host": self._host}
        self._kept_delay_s = None
        self._thread = board.in_background(self._serve)

    def stop(self):
        """No further request is carried out."""
        self._line.close()

    def _serve(self):
        """Until vboard or the board ends. Requests come one after the other."""
        while True:
            line = self._line.receive()
            if line is None:
                return
            message = json.loads(line)
            if "policy" in message:
                self._answer(message)
            elif message.get("event") == "end":
                self.ended = message["t_s"]
            elif message.get("event") == "error":
                self.errors.append(f"at {message['t_s']:g} s: {message['message']}")

    def _answer(self, request):
        answer = {"id": request["id"], "ok": True}
        begun = time.monotonic()
        try:
            self.carry_out(request["policy"].split())
        except (BoardError, OSError) as error:
            answer.update(ok=False, error=str(error).replace("\n", " "))
        with open(self.board.rundir.file("policy.log"), "a", encoding="utf-8") as log:
            print(f"{self.board.elapsed():8.2f} s: {request['policy']}: "
                  f"{answer.get('error', 'ok')} after {time.monotonic() - begun:.2f} s", file=log)
        try:
            self._line.send(json.dumps(answer))
        except OSError:
            pass

    def carry_out(self, words):
        """One statement, given as its words."""
        if words[0] not in self._actions:
            raise BoardError(f"'{words[0]}' is not a statement for Linux; expected one "
                             f"of {', '.join(sorted(self._actions))}")
        self.board.wait_service()
        self._actions[words[0]](words[1:])

    def _qs1ctl(self, *words):
        command = " ".join(shlex.quote(word) for word in ("qs1ctl", *words))
        result = self.board.agent.shell(command, timeout_s=30)
        if result.status:
            raise BoardError(result.err or f"'{command}' ended with status {result.status}")

    def _profile(self, rest):
        name = " ".join(rest)
        file = Path(name)
        if file.is_file():
            self.board.agent.write_file(GUEST_PROFILE, file.read_bytes())
            name = GUEST_PROFILE
        self._qs1ctl("profile", "use", name)
        self._skip_again()

    def _set(self, rest):
        self._qs1ctl("set", *rest)
        if rest[0] == "es_delay_s":
            self._skip_again()

    def _command(self, rest):
        if rest == ["shutdown"]:
            self._qs1ctl("stop")
        else:
            self._qs1ctl(*rest)

    def _skip(self, _rest):
        """The enter-service delay is 0 until the unit has produced; then it gets its value back."""
        first = self._kept_delay_s is None
        delay_s = self.board.agent.check(
            f"cd {ES_FOLDER} && cat es_delay_s && echo 0 >es_delay_s")
        if first or float(delay_s) > 0:
            self._kept_delay_s = delay_s
        if first:
            self.board.in_background(self._restore_delay)

    def _skip_again(self):
        """If the delay was set meanwhile, that value is the one to put back."""
        if self._kept_delay_s is not None:
            self._skip([])

    def _restore_delay(self):
        try:
            while state_of(self.board.status()) not in PRODUCING:
                time.sleep(0.2)
            self.board.agent.check(f"cd {ES_FOLDER} && echo {self._kept_delay_s} >es_delay_s")
            self._kept_delay_s = None
        except (BoardError, OSError):
            pass  # the board was stopped meanwhile

    def _host(self, rest):
        """The daemon is frozen; systemd's watchdog, which would restart it, is off."""
        lost = rest[0] == "lost"
        self.board.agent.check(f"systemctl service-watchdogs {'no' if lost else 'yes'} && "
                               f"systemctl kill --signal={'STOP' if lost else 'CONT'} qs1d")
