# SPDX-License-Identifier: GPL-2.0-only
"""vboard with its coprocessor, and a guest that is no Linux: what the driver
does to the virtual board's registers, in a few lines, for tests of the board."""

import array
import contextlib
import json
import mmap
import os
import select
import socket
import struct
import subprocess
import time

from paths import BUILD

FIRMWARE = BUILD / "firmware" / "qs1-m4.elf"

# include/qs1/vhw.h
DA = 0x21000000
COPROC_STATE, COPROC_ACK = 28, 32
RUN, BOOT_DA, COPROC_REQUEST = 64, 68, 72
RESET, RUNNING, WATCHDOG = 0, 1, 2
DB_CONTROL, DB_MAILBOX = 0, 1
IRQ_FW, IRQ_COPROC = 0, 1

# include/qs1/abi.h
SHM = 0x1000
MAGIC = 0x46315351
VERSION, BOOTS, DOORBELL, CRASH_REASON, CRASH_PC, ALIVE = (SHM + o for o in (8, 48, 52, 56, 60, 64))
HEARTBEAT, WATERMARK, GPIO_OUT = (SHM + 0x100 + o for o in (0, 4, 8))
COMMAND, REPLY = SHM + 0x200, SHM + 0x240
OP_PING, OP_CRASH = 1, 13
CRASH_EXCEPTION, CRASH_COMMAND = 1, 2


class TimedOut(AssertionError):
    """A timeout."""


def until(what, condition, timeout_s=10):
    """Wait until the condition gives something; return that and the time it took."""
    begun = time.monotonic()
    while True:
        found = condition()
        if found:
            return found, time.monotonic() - begun
        if time.monotonic() - begun > timeout_s:
            raise TimedOut(f"{what}: not within {timeout_s} s")
        time.sleep(0.0005)


class Control:
    """A client of the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r")

    def send(self, line):
        self.socket.sendall(f"{line}\n".encode())

    def receive(self):
        return self.lines.readline().rstrip("\n")

    def ask(self, line):
        self.send(line)
        return self.receive()

    def status(self):
        return json.loads(self.ask("status"))


class Guest:
    """An ivshmem client that loads, starts and stops the firmware."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        assert self._message() == (0, None), "protocol version"
        self.number, _ = self._message()
        minus_one, memory = self._message()
        assert minus_one == -1 and memory is not None
        self.memory = mmap.mmap(memory, 16 << 20)
        self.vectors = {}
        for _ in range(4):
            peer, fd = self._message()
            self.vectors.setdefault(peer, []).append(fd)

    def _message(self):
        data, ancillary, _, _ = self.socket.recvmsg(8, socket.CMSG_SPACE(4))
        fds = array.array("i")
        for _, _, content in ancillary:
            fds.frombytes(content)
        return struct.unpack("<q", data)[0], fds[0] if fds else None

    def close(self):
        self.socket.close()

    def read(self, offset):
        return struct.unpack_from("<I", self.memory, offset)[0]

    def write(self, offset, value):
        struct.pack_into("<I", self.memory, offset, value & 0xffffffff)

    def ring(self, vector):
        os.write(self.vectors[0][vector], struct.pack("<Q", 1))

    def interrupts(self, vector, timeout_s):
        """Interrupts of a vector since the last look, waiting for one if there is none."""
        fd = self.vectors[self.number][vector]
        if not select.select([fd], [], [], timeout_s)[0]:
            return 0
        return struct.unpack("<Q", os.read(fd, 8))[0]

    def load(self, elf):
        """The segments to where they run; return the entry."""
        image = elf.read_bytes()
        entry, table = struct.unpack_from("<II", image, 24)
        for i in range(struct.unpack_from("<H", image, 44)[0]):
            kind, offset, _, address, filesz, memsz = struct.unpack_from("<6I", image,
                                                                         table + 32 * i)
            if kind == 1:
                at = address - DA
                self.memory[at:at + memsz] = image[offset:offset + filesz].ljust(memsz, b"\0")
        return entry

    def request(self, run, boot_da=0):
        self.write(RUN, run)
        self.write(BOOT_DA, boot_da)
        number = self.read(COPROC_REQUEST) + 1
        self.write(COPROC_REQUEST, number)
        self.ring(DB_CONTROL)
        until("acknowledgement", lambda: self.read(COPROC_ACK) == number)

    def start(self, elf=FIRMWARE):
        self.write(SHM, 0)
        self.request(1, self.load(elf))
        until("the firmware's magic", lambda: self.read(SHM) == MAGIC)
        until("the second control period", lambda: self.read(ALIVE) > 1)

    def stop(self):
        self.request(0)

    def command(self, op, arg=0, value=0):
        """Return (result, reply value)."""
        number = (self.read(COMMAND) + 1) & 0xffffffff
        self.write(COMMAND + 4, op)
        self.write(COMMAND + 8, arg)
        self.write(COMMAND + 12, value)
        self.write(COMMAND, number)
        self.ring(DB_MAILBOX)
        until("reply", lambda: self.read(REPLY) == number)
        return self.read(REPLY + 4), self.read(REPLY + 8)

    def version(self):
        return bytes(self.memory[VERSION:VERSION + 32]).split(b"\0")[0].decode()


class Rig:
    """vboard and the coprocessor's emulator."""

    def __init__(self, folder, coproc, *options):
        self.folder = folder
        self.coproc = coproc
        self.shm = folder / "shm"
        self.control_path = folder / "control"
        argv = [BUILD / "vboard", "--shm", self.shm, "--ivshmem", folder / "ivshmem",
                "--control", self.control_path, "--coproc", coproc, *options]
        if coproc == "m4":
            argv += ["--m4-qmp", folder / "qmp", "--m4-uart", folder / "uart"]
        self.emulator = self.control = self.guest = None
        self.vboard = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        try:
            self._connect()
        except BaseException:
            self.kill()
            raise

    def _connect(self):
        until("the control socket", self.control_path.exists)
        if self.coproc == "m4":
            self.emulator = subprocess.Popen(
                ["qemu-system-arm", "-M", "mps2-an386,memory-backend=ram", "-object",
                 f"memory-backend-file,id=ram,share=on,mem-path={self.shm},size=16M",
                 "-kernel", BUILD / "firmware" / "qs1-boot.elf", "-display", "none", "-monitor",
                 "none", "-serial", f"unix:{self.folder / 'uart'},server=on,wait=off",
                 "-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off"],
                stderr=subprocess.PIPE)
        self.control = Control(self.control_path)
        until("the coprocessor", lambda: self.control.status()["coproc"]["connected"])
        self.guest = Guest(self.folder / "ivshmem")

    def kill(self):
        """Whatever state it is in."""
        for process in (self.vboard, self.emulator):
            if process and process.poll() is None:
                process.kill()
                process.communicate()

    def end(self, how=None):
        """End vboard by a signal, or ask it to; return its exit status and messages."""
        if how is None:
            with contextlib.suppress(OSError):
                self.control.ask("quit")
        else:
            self.vboard.send_signal(how)
        try:
            _, messages = self.vboard.communicate(timeout=20)
        finally:
            self.kill()
        self.guest.close()
        return self.vboard.returncode, messages
