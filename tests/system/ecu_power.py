# SPDX-License-Identifier: GPL-2.0-only
"""A guest that is only a gateway, and cuts of its power.

The guest has the board's kernel and machine, a disk with ecud and its libraries, and a disk with the store. Its serial
port is connected to the modem of simulated inverters. Without the other programs of the board it boots within seconds.

A cut is SIGKILL for QEMU: what the guest's kernel has not written to its disk is lost. The store is judged in a copy of
the disk, after e2fsck has replayed the journal as the next boot will do.
"""

import re
import shutil
import signal
import subprocess
import sys
import time

from board import paths
from board.board import GUEST_CPU, GUEST_MACHINE
from board.process import Child
from paths import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/ecu"))

from kills import SPEED, Kills  # noqa: E402  (the path must be set first)
from process import Gateway  # noqa: E402

BIN = BUILD / "guest-ecu-armhf/host/bin"
INIT = ROOT / "tests/system/gateway-init"
LIBRARIES = "usr/lib/arm-linux-gnueabihf"
LOADER = "lib/ld-linux-armhf.so.3"
MEMORY_MB = 256
DISK_MB = 64
BOOT_S = 120
# The first process becomes ecud. When it ends, the kernel panics, which ends the emulator.
START = b"""echo "gateway: start"
exec $bb chroot /root /ecud --config /ecud.conf
"""
CONFIG = b"""ecu_id 216000000001
radio /dev/ttyS0
radio_id D8A3011B9780
state /state
cadence_s 4
port 0
modbus_port 0
aps_port 0
"""
# Power of each inverter: 4 modules of 100 W at 0.955.
POWER_W = 382
# Share of the cuts that come while the guest boots. The others come up to this long after ecud has started, as a
# multiple of the boot: the boot's time, 4 s on an idle machine, is how fast the emulated guest is.
BOOT_SHARE, LIFE = 0.15, 2
# The age of the newest stored reading is only judged after such a life.
SETTLED = 1.5


def run(*command):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def make_programs(folder, image, names, files):
    """The disk with the programs of these names, their libraries and other files, and the initial file systems."""
    run("make", "guest-ecu")
    sysroot = run("env", "SYSROOT_GROUP=ecu", "scripts/guest-cc", "-print-sysroot").strip()
    loader = [f"{sysroot}/{LOADER}", "--library-path", f"{sysroot}/{LIBRARIES}", "--list"]
    tree, top = folder / "programs", folder / "initramfs"
    for name in (LIBRARIES, "lib", "dev", "proc", "sys", "state", "tmp"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(BIN / name, tree)
        for library in re.findall(r"=> (/\S+)", run("qemu-arm-static", *loader, BIN / name)):
            shutil.copy(library, tree / LIBRARIES)
    shutil.copy(f"{sysroot}/{LOADER}", tree / LOADER)
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    make_disk(folder / "programs.ext4", tree)
    top.mkdir()
    shutil.copy(INIT, top / "init")
    archive = subprocess.run(["cpio", "--create", "--format", "newc", "--quiet"], cwd=top, input=b"init\n",
                             stdout=subprocess.PIPE, check=True).stdout
    (folder / "initrd").write_bytes((image["root"].parent / "initramfs.cpio").read_bytes() + archive)


def make_disk(disk, tree):
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, disk, f"{DISK_MB}M")


def boot(folder, image, radio, **env):
    """Start the guest. Its console is console.log of @folder; @radio is the other end of its serial port."""
    settings = [f'{name}="{value}"' for name, value in env.items()]
    return Child("guest", [
        "qemu-system-arm", "-M", GUEST_MACHINE, "-cpu", GUEST_CPU, "-m", MEMORY_MB, "-display", "none",
        "-monitor", "none", "-nic", "none", "-no-reboot", "-kernel", image["kernel"], "-initrd", folder / "initrd",
        "-append", " ".join(["console=ttyAMA0 panic=-1 loglevel=4", *settings]),
        "-drive", f"file={folder}/programs.ext4,format=raw,if=none,id=programs,read-only=on",
        "-device", "virtio-blk-pci,drive=programs",
        "-drive", f"file={folder}/store.ext4,format=raw,if=none,id=store,cache=writeback",
        "-device", "virtio-blk-pci,drive=store",
        "-chardev", radio, "-device", "pci-serial,chardev=radio",
        "-serial", f"file:{folder}/console.log"], folder / "guest.log").process


class Guest(Gateway):
    """The gateway in its guest: start() is the power, stop() with SIGKILL the cut."""

    def __init__(self, folder):
        super().__init__(folder)
        self.folder, self.image = folder, paths.guest_image()
        self.console, self.disk = folder / "console.log", folder / "store.ext4"

    def make_store(self, units):
        """The first life of the store is on the host."""
        super().make_store(units)
        make_disk(self.disk, self.state)
        make_programs(self.folder, self.image, ["ecud"], {"start": START, "ecud.conf": CONFIG})

    def start(self, **env):
        self.console.unlink(missing_ok=True)
        if not self.disk.exists():
            super().start(**env)
            return
        self.process = boot(self.folder, self.image, f"serial,id=radio,path={self.folder}/modem0", **env)

    def wait_ecud(self):
        """Until the guest starts ecud."""
        end = time.monotonic() + BOOT_S
        while "gateway: start" not in self.text():
            self.check()
            assert time.monotonic() < end, self.text()
            time.sleep(0.05)

    def text(self):
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def check(self):
        """ecud is the first process of the guest, which ends with it."""
        assert self.process.poll() is None, f"the guest ended:\n{self.text()}"

    def take_store(self):
        """Have the store as the next boot will find it. Returns whether the file system is sound."""
        copy = self.folder / "copy.ext4"
        run("cp", "--sparse=always", self.disk, copy)
        # 1: the journal was replayed
        done = subprocess.run(["e2fsck", "-p", "-f", copy], capture_output=True, text=True)
        for name in ("ecud.db", "ecud.db-wal", "ecud.db-shm"):
            (self.state / name).unlink(missing_ok=True)
        for name in ("ecud.db", "ecud.db-wal"):
            run("debugfs", "-R", f"dump /{name} {self.state / name}", copy)
        return done.returncode in (0, 1)


class Cuts(Kills):
    """Cuts of power at random instants. Use it in a with statement."""

    def __init__(self, folder, seed=1):
        super().__init__(folder, seed, Guest)
        self.boot_s = self.slowest_boot_s = 1
        self.booting = 0
        self.ages = []  # of the newest stored reading, s of the site, and the time of the boot, s
        self.errors_s = []  # of each unit: energy that its account has too much, as time at POWER_W

    def __enter__(self):
        super().__enter__()
        self.wall_s, self.power_up_s = time.time(), time.monotonic()
        return self

    def site_s(self):
        return self.wall_s + (time.monotonic() - self.power_up_s) * SPEED

    def live(self, share):
        """@share: of the longest life of ecud; None for a cut before it starts"""
        gateway, begin = self.gateway, time.monotonic()
        gateway.start(QS1_CLOCK=f"{SPEED} 0 {int(self.site_s() * 1e6)}")
        if share is None:
            time.sleep(self.random.uniform(0, self.boot_s))
        else:
            gateway.wait_ecud()
            self.boot_s = time.monotonic() - begin
            self.slowest_boot_s = max(self.slowest_boot_s, self.boot_s)
            time.sleep(share * LIFE * self.boot_s)
        gateway.check()
        gateway.stop(signal.SIGKILL)
        cut_s = self.site_s()
        self.verdict.damaged += not gateway.take_store()
        if share is None:
            self.booting += 1
        elif share * LIFE > SETTLED:
            newest_s = max(time_s for _, time_s in self.accounts().values())
            self.ages.append((cut_s - newest_s, self.boot_s))

    def accounts(self):
        """Of each unit: total of its energy, mWh, and time of its newest reading, s."""
        return {serial: (total, ms / 1000) for serial, total, ms in self.gateway.query(
            "SELECT serial, total_mwh, time_ms FROM account WHERE channel = 4 AND counted")}

    def run(self, kills):
        """Cut the power this many times, and then after a life that leaves readings; return the verdict."""
        self.kill(1)
        begin = self.accounts()
        for _ in range(kills - 2):
            self.kill(None if self.random.random() < BOOT_SHARE else self.random.random())
        self.kill(1)
        end = self.accounts()
        self.errors_s = [(end[serial][0] - total) * 3.6 / POWER_W - (end[serial][1] - time_s)
                         for serial, (total, time_s) in begin.items()]
        return self.verdict
