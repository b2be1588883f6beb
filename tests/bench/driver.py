# SPDX-License-Identifier: GPL-2.0-only
"""Figures of the driver on the virtual board, as rows of make bench: print them as JSON.

Processor time is that of the emulated processor's own process on the host, less what the board takes
at rest, so that other work on the host does not count. The baseline is the kernel's
iio_simple_dummy with an hrtimer trigger, in the same guest.

Run it in the top folder, after make all image kernel-source:
/usr/bin/python3 tests/bench/driver.py [SECONDS of the long reading]
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))

from board.board import Board  # noqa: E402  (the path must be set first)
from board.status import PRODUCING  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILD = TOP / "build" / "bench"
GUEST = "/run/bench"
MODULES = ("industrialio-sw-device.ko", "iio_dummy.ko")

LONG_S = int(sys.argv[1]) if len(sys.argv) > 1 else 60
SHORT_S = 30
SETTLE_S = 10
COMMAND = f"/usr/bin/python3 tests/bench/driver.py {LONG_S}"
CONTROL_HZ = 20000
POLL_HZ = 100
WATERMARK = 1000
# Fourteen channels, phase, status and time stamp; the dummy's four channels and time stamp.
WAVE_BYTES = 48
DUMMY_BYTES = 16
# Its trigger does not fall behind in an emulated processor at this rate.
DUMMY_HZ = 1000
# Paces at which the stream is read, times real time.
PACES = (2, 3, 4, 6, 8, 12, 16, 24, 32)
PACE_S = 10
TRIPS = 10

DUMMY = f"""
set -e
modprobe -a industrialio-triggered-buffer iio-trig-hrtimer industrialio-configfs
insmod {GUEST}/industrialio-sw-device.ko
insmod {GUEST}/iio_dummy.ko
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
mkdir /sys/kernel/config/iio/devices/dummy/bench /sys/kernel/config/iio/triggers/hrtimer/bench
for trigger in /sys/bus/iio/devices/trigger*; do
	[ "$(cat $trigger/name)" != bench ] || echo {DUMMY_HZ} >$trigger/sampling_frequency
done
"""


def build():
    """The dummy's modules and the readers."""
    subprocess.run([HERE / "dummy-modules", BUILD], check=True, stdout=sys.stderr)
    subprocess.run([TOP / "scripts/guest-cc", "-std=gnu17", "-O2", "-Iinclude", "-pthread",
                    "-static", "-o", BUILD / "reader", HERE / "driver_guest.c"],
                   cwd=TOP, check=True)


class Bench:
    """One board and what is measured on it."""

    def __init__(self, board):
        self.board = board
        self.agent = board.agent
        guest, = (child for child in board.children if child.name == "guest")
        self.pid = guest.process.pid
        self.agent.check(f"mkdir -p {GUEST}")
        for name in (*MODULES, "reader"):
            self.agent.write_file(f"{GUEST}/{name}", (BUILD / name).read_bytes(), mode=0o755)
        self.wave = self.device("qs1-wave")
        self.meter = self.device("qs1-meter")

    def device(self, name):
        """The folder of an IIO device."""
        return self.agent.check(f"grep -lx {name} /sys/bus/iio/devices/iio:*/name").removesuffix("/name")

    def busy_s(self):
        """Processor time of the guest's emulator so far, by the scheduler's account of its threads."""
        return sum(int(file.read_text().split()[0])
                   for file in Path(f"/proc/{self.pid}/task").glob("*/schedstat")) / 1e9

    def rest(self):
        """Processor time of a second in which nothing is read."""
        return self.run(f"sleep {SHORT_S}", SHORT_S)[1] / SHORT_S

    def choose(self, device, length, watermark, channels=("",)):
        """Choose channels by the ends of their names, and the sizes of the buffer."""
        self.agent.check(f"cd {device}; for e in scan_elements/*_en; do echo 0 >$e; done")
        for channel in channels:
            self.agent.check(f"cd {device}; for e in scan_elements/*{channel}_en; do echo 1 >$e; done")
        self.agent.check(f"cd {device}/buffer; echo {length} >length; echo {watermark} >watermark")

    def run(self, command, seconds):
        """Run a command of the readers; its numbers and the processor time meanwhile."""
        begin = self.busy_s()
        out = self.agent.check(command, timeout_s=seconds * 3 + 120)
        return [list(map(float, line.split())) for line in out.splitlines()], self.busy_s() - begin

    def read(self, device, scan_bytes, seconds, beside=""):
        """Read a device's buffer; (scans, seconds, processor time, lines before)."""
        node = f"/dev/{device.rpartition('/')[2]}"
        self.agent.check(f"echo 1 >{device}/buffer/enable")
        try:
            lines, busy = self.run(f"{beside} {GUEST}/reader read {node} {scan_bytes} {seconds}; wait",
                                   seconds)
        finally:
            self.agent.check(f"echo 0 >{device}/buffer/enable")
        scans, took = max(lines)
        return scans, took, busy, min(lines)

    def lost(self):
        """Scans lost so far."""
        return int(self.agent.check(f"cat {self.wave}/wave_lost"))

    def doorbells(self):
        """Interrupts of the firmware so far."""
        return int(self.agent.check("awk '/qs1-fw/ { print $2 }' /proc/interrupts"))

    # --- what is measured -----------------------------------------------------

    def cost(self):
        """Processor time of a scan in us: ours, the dummy's; doorbells a second."""
        time.sleep(SETTLE_S)
        rest = self.rest()
        self.choose(self.wave, 8192, WATERMARK)
        rung = self.doorbells()
        scans, took, busy, _ = self.read(self.wave, WAVE_BYTES, SHORT_S)
        rung = (self.doorbells() - rung) / took
        # What the board does at rest drifts: before and after.
        rest = (rest + self.rest()) / 2
        ours = (busy - rest * took) / scans
        self.agent.check(DUMMY)
        dummy = self.device("bench")
        self.agent.check(f"echo bench >{dummy}/trigger/current_trigger")
        self.choose(dummy, 8192, DUMMY_HZ * WATERMARK // CONTROL_HZ)
        scans, took, busy, _ = self.read(dummy, DUMMY_BYTES, SHORT_S)
        print(f"dummy: {scans / took:.0f} scans/s", file=sys.stderr)
        return ours * 1e6, (busy - rest * took) / scans * 1e6, rung

    def fastest(self):
        """Scans a second at the highest pace without loss."""
        best = 0
        self.choose(self.wave, 8192, WATERMARK)
        try:
            for pace in PACES:
                self.board.pace(pace)
                before = self.lost()
                scans, took, _, _ = self.read(self.wave, WAVE_BYTES, PACE_S)
                lost = self.lost() - before
                print(f"pace {pace}: {scans / took:.0f} scans/s, {lost} lost", file=sys.stderr)
                if lost or scans / took < best * 1.05:
                    break
                best = scans / took
        finally:
            self.board.pace(1)
        return best

    def polled(self):
        """All channels for long, all of the meter read meanwhile: scans/s, lost, polls/s."""
        self.choose(self.wave, 8192, WATERMARK)
        before = self.lost()
        scans, took, _, (rounds, polled_s) = self.read(
            self.wave, WAVE_BYTES, LONG_S, f"{GUEST}/reader poll {self.meter} {POLL_HZ} {LONG_S} &")
        return scans / took, self.lost() - before, rounds / polled_s

    def wake(self):
        """From a change of state in the firmware to a program that waits for it: us."""
        self.agent.check(f"echo monotonic >{self.wave}/current_timestamp_clock")
        self.choose(self.wave, 8192, WATERMARK, ("index0", "timestamp"))
        self.agent.check(f"echo 1 >{self.wave}/buffer/enable")
        node = f"/dev/{self.wave.rpartition('/')[2]}"
        self.agent.check(f"{GUEST}/reader wake {node} /sys/bus/pci/drivers/qs1-ivshmem/0*/event_log "
                         f">{GUEST}/wake 2>&1 & echo $! >{GUEST}/wake.pid")
        for _ in range(TRIPS):
            self.board.world.do("grid v 0.3")
            self.board.wait("a trip", lambda: self.board.status()["firmware"]["state"]
                            not in PRODUCING, 30)
            self.board.world.do("grid v 1")
            self.board.skip_enter_service()
            self.board.wait_state(*PRODUCING)
        self.agent.check(f"kill $(cat {GUEST}/wake.pid); sleep 1")
        self.agent.check(f"echo 0 >{self.wave}/buffer/enable")
        return sorted(map(float, self.agent.check(f"cat {GUEST}/wake").split()))


def row(name, ours, unit, baseline=None):
    """One figure."""
    ratio = round(ours / baseline, 4) if baseline else None
    return {"name": f"driver: {name}", "ours": round(ours, 2),
            "baseline": baseline and round(baseline, 2), "ratio": ratio, "unit": unit,
            "command": COMMAND}


def measure():
    with Board(report=lambda text: print(text, file=sys.stderr)) as board:
        board.go()
        board.wait_state(*PRODUCING)
        bench = Bench(board)
        # The daemon, too, takes processor time.
        bench.agent.check("systemctl stop qs1d")
        ours, dummy, rung = bench.cost()
        fastest = bench.fastest()
        bench.agent.check("systemctl start qs1d")
        board.skip_enter_service()
        board.wait_state(*PRODUCING)
        rate, lost, polls = bench.polled()
        latency = bench.wake()
    print(f"latency of {len(latency)} events, us: {latency}", file=sys.stderr)
    return [
        row("processor time of a scan, iio_simple_dummy's", ours, "us", dummy),
        row("doorbells, scans", rung, "1/s", CONTROL_HZ),
        row("highest rate without loss, real time's", fastest, "scans/s", CONTROL_HZ),
        row(f"rate over {LONG_S} s with the meter polled", rate, "scans/s", CONTROL_HZ),
        row("polls of the whole meter meanwhile", polls, "1/s", POLL_HZ),
        row("scans lost meanwhile", lost, "scans"),
        row("event in the firmware to program, median", statistics.median(latency) / 1e3, "ms"),
        row("event in the firmware to program, maximum", latency[-1] / 1e3, "ms"),
    ]


if __name__ == "__main__":
    build()
    json.dump(measure(), sys.stdout, indent=1)
    print()
