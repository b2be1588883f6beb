# SPDX-License-Identifier: GPL-2.0-only
"""Client of the QEMU guest agent: run commands in the guest, without a network.

Protocol: one JSON object a line each way (QEMU, docs/interop/qemu-ga.rst).
"""

import base64
import json
import socket
import threading
import time
from dataclasses import dataclass

from .errors import BoardError

# Bytes of a file sent with one guest-file-write.
CHUNK = 256 * 1024


class AgentError(BoardError):
    """The agent did not answer, or answered with an error."""


class NoAnswer(AgentError):
    """The agent did not answer in time."""


@dataclass
class Result:
    """What a command left: its exit status (128 + n for signal n) and output."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self):
        """Standard output as text, without the last line end."""
        return self.stdout.decode(errors="replace").rstrip("\n")

    @property
    def err(self):
        """Standard error as text, without the last line end."""
        return self.stderr.decode(errors="replace").rstrip("\n")


class Agent:
    """A connection to the guest agent's unix socket; safe for several threads."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._pending = b""
        self._lock = threading.Lock()
        self._sync_id = 0
        self._given_up = False

    def close(self):
        """Drop the connection."""
        self._socket.close()

    def _read_line(self, deadline):
        """One line from the agent, without its end."""
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0:
                raise NoAnswer("the guest agent did not answer in time")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise AgentError("the guest agent's socket was closed")
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        return line

    def sync(self, timeout_s=1.0):
        """Flush both directions; True when the agent is there.

        The byte 0xFF makes the agent drop an unfinished command. The id shows which
        answer is ours.
        """
        with self._lock:
            return self._sync(timeout_s)

    def _sync(self, timeout_s):
        self._sync_id += 1
        request = {"execute": "guest-sync", "arguments": {"id": self._sync_id}}
        deadline = time.monotonic() + timeout_s
        try:
            self._socket.settimeout(timeout_s)
            self._socket.sendall(b"\xff" + json.dumps(request).encode() + b"\n")
            while True:
                line = self._read_line(deadline).lstrip(b"\xff")
                try:
                    if json.loads(line).get("return") == self._sync_id:
                        return True
                except ValueError:
                    continue
        except (AgentError, OSError):
            return False

    def call(self, command, timeout_s=20.0, **arguments):
        """One command of the agent; returns its result.

        Keyword names have '_' where the protocol has '-'.
        """
        request = {"execute": command}
        if arguments:
            request["arguments"] = {k.replace("_", "-"): v for k, v in arguments.items()}
        with self._lock:
            # After a timeout, the late answer must not be taken for that of this call.
            if self._given_up and not self._sync(timeout_s):
                raise NoAnswer(f"guest agent: {command}: it does not answer")
            self._given_up = True
            self._socket.settimeout(timeout_s)
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise AgentError(f"guest agent: {command}: {error}") from error
            line = self._read_line(time.monotonic() + timeout_s)
            self._given_up = False
        reply = json.loads(line)
        if "error" in reply:
            raise AgentError(f"guest agent: {command}: {reply['error'].get('desc')}")
        return reply["return"]

    def _exec_status(self, pid, deadline):
        """State of a command; asked again when the guest was suspended and lost the query."""
        while True:
            try:
                return self.call("guest-exec-status", pid=pid)
            except NoAnswer:
                if time.monotonic() > deadline:
                    raise
                self.sync()

    def run(self, argv, stdin=None, timeout_s=120.0, env=()):
        """Run @argv in the guest and wait for its end.

        Returns a Result. Raises AgentError when it takes over @timeout_s.
        """
        arguments = {"path": argv[0], "arg": list(argv[1:]), "capture_output": True}
        if env:
            arguments["env"] = list(env)
        if stdin is not None:
            arguments["input_data"] = base64.b64encode(stdin).decode()
        pid = self.call("guest-exec", **arguments)["pid"]
        deadline = time.monotonic() + timeout_s
        # An answer costs the guest about 2 ms of emulation: ask often at first.
        pause_s = 0.02
        while True:
            status = self._exec_status(pid, deadline)
            if status["exited"]:
                break
            if time.monotonic() > deadline:
                raise AgentError(f"'{' '.join(argv)[:80]}' runs in the guest for over "
                                 f"{timeout_s:g} s")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.3, 0.25)
        code = status.get("exitcode", 128 + status.get("signal", 0))
        return Result(code, base64.b64decode(status.get("out-data", "")),
                      base64.b64decode(status.get("err-data", "")))

    def shell(self, script, timeout_s=120.0):
        """Run a line or a script by the guest's /bin/sh."""
        return self.run(["/bin/sh", "-c", script], timeout_s=timeout_s)

    def check(self, script, timeout_s=120.0):
        """shell(), and its standard output; raises when the status is not 0."""
        result = self.shell(script, timeout_s)
        if result.status:
            raise AgentError(f"'{script}' failed in the guest with status {result.status}: "
                             f"{result.err or result.out}")
        return result.out

    def write_file(self, path, data, mode=0o644):
        """Write a file into the guest."""
        handle = self.call("guest-file-open", path=path, mode="w")
        try:
            for start in range(0, len(data), CHUNK):
                chunk = base64.b64encode(data[start:start + CHUNK]).decode()
                self.call("guest-file-write", handle=handle, buf_b64=chunk)
        finally:
            self.call("guest-file-close", handle=handle)
        if mode != 0o644:
            self.check(f"chmod {mode:o} '{path}'")
