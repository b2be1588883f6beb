# SPDX-License-Identifier: GPL-2.0-only
"""A firmware that writes garbage into every field of the shared memory while Linux uses all of it; and
one that changes, at full speed, fields that the ring's drain and the handshake are reading.

A process outside the board writes the garbage between the writes of the true firmware. The same seed
(QS1_SEED) gives the same garbage, except for its timing. No content of the memory may crash the kernel,
hang it or leak its memory, and a restart after the garbage must give a working inverter.
"""

import mmap
import os
import random
import re
import struct
import subprocess
import threading
import time

import pytest

import suite
from board.promises import kernel_splats
from contract import ABI, SHM_DA, SHM_OFFSET, offsets
from paths import BUILD, ROOT

SEED = int(os.environ.get("QS1_SEED", "1"))
# Of use, and how often it goes round at least: a slow board takes longer.
FUZZ_S = 60
ROUNDS = 3
PAUSE_S = 0.0005
# The driver waits up to 32 s before it tries again to start a firmware that dies at each start.
RECOVERY_S = 120
# A command times out after a second, a snapshot after 0.1 s; the board is emulated.
ANSWER_S = 20

OFFSETS = offsets("qs1_shm")
LINES = {name: int(bit, 16) for name, bit in re.findall(r"#define QS1_GPIO_(\w+) (0x\w)u", ABI)}
SCAN_BYTES = int(re.search(r"sizeof\(struct qs1_scan\) == (\d+)\)", ABI)[1])
RING_SCANS = 1 << int(re.search(r"#define QS1_WAVE_LOG2_MAX (\d+)u", ABI)[1])
END = int(re.search(r"sizeof\(struct qs1_shm\) == (0x\w+)\)", ABI)[1], 16) + RING_SCANS * SCAN_BYTES

INVERTER = "/sys/bus/pci/drivers/qs1-ivshmem/*"
SUITES = "/usr/lib/qs1/kselftest"
REMOTEPROC = "/sys/class/remoteproc/remoteproc0/state"

# Values that break arithmetic more often than random ones.
BORDERS = [0, 1, 2, 3, 4, 13, 14, 31, 32, 39, 40, 41, 63, 64, 0x7ffffffe, 0x7fffffff, 0x80000000,
           0x80000001, 0xfffffff0, 0xfffffffe, 0xffffffff]

# The whole driver at work for the seconds of $1, $2 rounds at least; prints the longest time that one
# use of it took.
USER = r"""
end=$(($(cut -d. -f1 /proc/uptime) + $1)) longest=0
board=$(echo /sys/bus/pci/drivers/qs1-ivshmem/0*)
iio=/sys/bus/iio/devices
rproc=/sys/class/remoteproc/remoteproc0
for device in $iio/iio:device*; do
	[ "$(cat $device/name)" = qs1-wave ] && wave=$device
done
for enable in $wave/scan_elements/*_en; do echo 1 >$enable; done
echo 4096 >$wave/buffer/length
timed() {
	begin=$(cut -d. -f1 /proc/uptime)
	timeout 60 sh -c "$1" >/dev/null 2>&1
	took=$(($(cut -d. -f1 /proc/uptime) - begin))
	[ $took -le $longest ] || longest=$took
}
round=0
while [ $round -lt $2 ] || [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do
	round=$((round + 1))
	timed "echo 1 >$wave/buffer/enable"
	timed "timeout 1 cat /dev/${wave##*/}"
	timed "cat $board/event_log $board/events; cat $board/state $board/fault_flags_* $board/fault_count/*"
	timed "find $board/params* -type f | xargs cat"
	timed "find $iio/iio:device*/ -name 'in_*' -type f | xargs cat"
	timed "cat /sys/kernel/debug/qs1-*/*; cat /sys/kernel/debug/remoteproc/remoteproc0/trace0"
	timed "echo 1 >$board/armed"
	timed "echo 0 >$board/armed"
	timed "echo 1 >$board/params/host_timeout_s"
	timed "echo 0 >$wave/buffer/enable"
	if [ $((round % 3)) = 0 ]; then
		timed "echo stop >$rproc/state"
		timed "echo start >$rproc/state"
	fi
done
echo $round $longest
"""


class Garbage:
    """Context manager: writes into the board's memory from its own thread."""

    def __init__(self, path, seed):
        self.random = random.Random(seed)
        self.memory = mmap.mmap(os.open(path, os.O_RDWR), 0)
        self.stopped = threading.Event()
        self.writes = 0
        starts = sorted(OFFSETS.values())
        self.spans = list(zip([0] + starts, starts + [END]))
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.stopped.set()
        self.thread.join()

    def _word(self):
        """One field: a border, a number near to what is there, or anything."""
        start, end = self.random.choice(self.spans)
        at = SHM_OFFSET + self.random.randrange(start, min(end, start + 4096), 4)
        old, = struct.unpack_from("<I", self.memory, at)
        value = self.random.choice([self.random.choice(BORDERS), self.random.getrandbits(32),
                                    old + self.random.randint(-9000, 9000)])
        struct.pack_into("<I", self.memory, at, value & 0xffffffff)

    def _block(self):
        """A whole member."""
        start, end = self.random.choice(self.spans)
        size = min(end - start, 4096)
        self.memory[SHM_OFFSET + start:SHM_OFFSET + start + size] = self.random.randbytes(size)

    def _run(self):
        while not self.stopped.is_set():
            self._block() if self.random.random() < 0.02 else self._word()
            self.writes += 1
            time.sleep(PAUSE_S)


@pytest.fixture(scope="module")
def board(own_board):
    return own_board


@pytest.fixture(name="shared")
def _shared(board):
    return board.rundir.file("shm")


def tap(agent, command):
    """What a function of the driver's suites prints."""
    return agent.check(f". {SUITES}/tap.inc && {command}")


def wait_sound(board, agent):
    board.wait("a sound firmware after the garbage",
               lambda: agent.shell(f"cat {INVERTER}/state").status == 0, RECOVERY_S)


@pytest.mark.long
@pytest.mark.parametrize("garbage", [0, 0xffffffff])
def test_corrupted_host_fields_are_rewritten_at_the_next_start(board, agent, shared, garbage):
    agent.check("systemctl stop qs1d")
    agent.check(f"cd {INVERTER} && echo 0 >armed")
    with open(shared, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        host = SHM_OFFSET + OFFSETS["host"]
        struct.pack_into("<III", memory, host, garbage, garbage, garbage)
        agent.check(f"echo stop >{REMOTEPROC} && echo start >{REMOTEPROC}")
        wait_sound(board, agent)
        _, watermark, lines = struct.unpack_from("<III", memory, host)
    # The LEDs blink while nobody speaks.
    assert lines & ~(LINES["LED_GREEN"] | LINES["LED_RED"]) == LINES["ENABLE"] | LINES["ESTOP_N"]
    assert watermark == 0
    board.wait("a firmware that can be armed", lambda: agent.shell(
        f"cd {INVERTER} && echo >heartbeat && echo 1 >armed").status == 0, ANSWER_S)
    agent.check(f"cd {INVERTER} && echo 0 >armed")


@pytest.mark.long
def test_garbage_in_every_field_crashes_hangs_and_leaks_nothing(board, agent, shared):
    agent.check("systemctl stop qs1d")
    agent.write_file("/run/use", USER.encode())
    memory = []
    for part in range(2):
        with Garbage(shared, SEED + part) as garbage:
            result = agent.run(["/bin/sh", "/run/use", str(FUZZ_S), str(ROUNDS)],
                               timeout_s=FUZZ_S + 600)
        rounds, longest_s = map(int, result.out.split())
        print(f"seed {SEED + part}: {garbage.writes} writes, {rounds} rounds, "
              f"the longest answer took {longest_s} s")
        assert garbage.writes > 1000 and rounds >= ROUNDS
        assert longest_s <= ANSWER_S
        assert kernel_splats(agent) == []
        # Either word fails while the driver itself is recovering the firmware.
        agent.shell(f"echo stop >{REMOTEPROC}; echo start >{REMOTEPROC}")
        wait_sound(board, agent)
        memory.append(int(tap(agent, "kmalloc_kb")))
    print(f"small allocations: {memory} kB")
    assert memory[1] - memory[0] < 256
    tap(agent, "kmemleak_is_silent")
    suite.run(agent, f"{SUITES}/wave.sh")


# Full speed: many changes in the microseconds between two reads of the driver.
HOSTILE_S = 20
CHANGES_PER_S = 1e6

STREAM = """
wave=$(grep -lx qs1-wave /sys/bus/iio/devices/iio:*/name) && cd ${wave%/name}
for enable in scan_elements/*_en; do echo 1 >$enable; done
echo 4096 >buffer/length
echo 1 >buffer/enable
timeout SECONDS cat /dev/$(basename $PWD) >/dev/null
begin=$(cut -d. -f1 /proc/uptime)
echo 0 >buffer/enable
echo $(($(cut -d. -f1 /proc/uptime) - begin))
""".replace("SECONDS", str(HOSTILE_S))

RESTARTS = """
end=$(($(cut -d. -f1 /proc/uptime) + SECONDS)) starts=0 tries=0
while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do
	tries=$((tries + 1))
	echo stop >RPROC; echo start >RPROC && starts=$((starts + 1))
	cat INVERTER/firmware_version INVERTER/event_log
done >/dev/null 2>&1
echo $tries $starts
""".replace("SECONDS", str(HOSTILE_S)).replace("RPROC", REMOTEPROC).replace("INVERTER", INVERTER)


@pytest.fixture(scope="module", name="hostile")
def _hostile():
    """The firmware at full speed, a program on this machine."""
    program = BUILD / "tests" / "hostile"
    program.parent.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                    f"-I{ROOT / 'include'}", "-o", program,
                    ROOT / "tests" / "system" / "hostile.c"], check=True)
    return program


@pytest.mark.long
@pytest.mark.parametrize("what,use", [("drain", STREAM), ("handshake", RESTARTS)],
                         ids=["drain", "handshake"])
def test_changes_between_two_reads_do_no_harm(board, agent, shared, hostile, what, use):
    agent.check("systemctl stop qs1d")
    agent.shell(f"cd {INVERTER} && echo 0 >armed")
    attack = subprocess.Popen([hostile, shared, str(SHM_OFFSET), what, str(HOSTILE_S)],
                              stdout=subprocess.PIPE, text=True)
    out = agent.check(use, timeout_s=HOSTILE_S + 300)
    changes = int(attack.communicate(timeout=HOSTILE_S + 60)[0])
    print(f"{what}: {changes} changes, the guest says {out}")
    assert changes > HOSTILE_S * CHANGES_PER_S
    if what == "drain":
        assert int(out) <= ANSWER_S, "s to stop a stream"
    else:
        tries, starts = map(int, out.split())
        assert tries > 1 and starts <= tries
    assert kernel_splats(agent) == []
    agent.shell(f"echo stop >{REMOTEPROC}; echo start >{REMOTEPROC}")
    wait_sound(board, agent)


def resource_table():
    """Address and bytes of the firmware's resource table, from the sections of its ELF file."""
    elf = (BUILD / "firmware" / "qs1-m4.elf").read_bytes()
    sections, = struct.unpack_from("<I", elf, 32)
    count, names = struct.unpack_from("<HH", elf, 48)
    headers = [struct.unpack_from("<10I", elf, sections + 40 * n) for n in range(count)]
    for name, _, _, address, offset, size, *_ in headers:
        start = headers[names][4] + name
        if elf[start:elf.index(b"\0", start)] == b".resource_table":
            return address, elf[offset:offset + size]
    raise AssertionError("the firmware has no resource table")


@pytest.mark.long
def test_a_resource_table_in_the_firmwares_memory_is_not_trusted(board, agent, shared):
    """Its entries' offsets lead anywhere: debugfs shows the kernel's copy."""
    agent.check("systemctl stop qs1d")
    wait_sound(board, agent)
    shown = agent.check("cat /sys/kernel/debug/remoteproc/remoteproc0/resource_table")
    assert "trace" in shown.lower()
    address, table = resource_table()
    with open(shared, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        at = address - SHM_DA
        assert memory[at:at + 8] == table[:8]
        struct.pack_into("<III", memory, at + 16, 0x7ffffff0, 0xfffffff0, 0x100000)
        assert agent.check("cat /sys/kernel/debug/remoteproc/remoteproc0/resource_table") == shown
    assert kernel_splats(agent) == []
    agent.check(f"echo stop >{REMOTEPROC} && echo start >{REMOTEPROC}")
    wait_sound(board, agent)
