# SPDX-License-Identifier: GPL-2.0-only
"""linkd and a gateway's reader over two wpan interfaces of the guest's kernel: mac802154_hwsim and qs1-wpan.

The guest has no services: its first process starts qs1-wpan on both interfaces and joins each terminal
with a serial port. linkd and the reader are at the other ends of these ports.
"""

import re
import subprocess
import sys
import time

import pytest

from board.board import GUEST_CPU, GUEST_MACHINE
from board.paths import GUEST, guest_image
from board.process import NICE
from paths import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/unit"))

from test_linkd_process import STATUS, Qs1d  # noqa: E402  (the path must be set first)

ECU, PAN = "216000000001", "6021"
SERIAL, ADDRESS = STATUS["seal"]["serial"], "1234"
BOOT_S = 240

FIRST_PROCESS = f"""#!/bin/sh
mount -t proc proc /proc
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
modprobe mac802154_hwsim
qs1-wpan --address 0 --link /run/port0 wpan0 &
qs1-wpan --address {ADDRESS} --link /run/port1 wpan1 &
for n in 0 1; do
	while [ ! -e /run/port$n ]; do sleep 0.1; done
	stty -F /dev/ttyS$n raw -echo clocal 115200
	cat /dev/ttyS$n >/run/port$n &
	cat /run/port$n >/dev/ttyS$n &
done
echo radios are ready
wait
"""


def initial_files(folder, image):
    """The guest's own initial files, and behind them those that replace the first process."""
    tree = folder / "tree"
    (tree / "overlay").mkdir(parents=True)
    init = (ROOT / "scripts/rootfs/init").read_text()
    assert init.count("/root /sbin/init") == 1
    (tree / "init").write_text(init.replace("/root /sbin/init", "/root /first"))
    (tree / "overlay/first").write_text(FIRST_PROCESS)
    for name in ("init", "overlay/first"):
        (tree / name).chmod(0o755)
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=b"init\noverlay\noverlay/first\n",
                             capture_output=True, check=True).stdout
    path = folder / "initrd"
    first = (open(image["initrd"], "rb")).read()
    path.write_bytes(first + bytes(-len(first) % 4) + archive)
    return path


@pytest.fixture
def ports(tmp_path):
    """Terminals of the host at the gateway's radio and at the unit's."""
    image, console, log = guest_image(GUEST), tmp_path / "console", tmp_path / "qemu.log"
    argv = ["nice", "-n", str(NICE), "qemu-system-arm", "-M", GUEST_MACHINE, "-cpu", GUEST_CPU, "-m", "512",
            "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-kernel", image["kernel"],
            "-initrd", initial_files(tmp_path, image),
            "-append", "console=ttyAMA0 root=/dev/vda rw panic=-1 loglevel=4",
            "-drive", f"file={image['root']},format=raw,if=none,id=root,snapshot=on,cache=unsafe",
            "-device", "virtio-blk-pci,drive=root", "-serial", f"file:{console}"]
    for n in range(2):
        argv += ["-chardev", f"pty,id=radio{n}", "-device", f"pci-serial,chardev=radio{n}"]
    with open(log, "wb") as output, subprocess.Popen(list(map(str, argv)), stdout=output,
                                                     stderr=subprocess.STDOUT) as guest:
        try:
            deadline = time.monotonic() + BOOT_S
            while "radios are ready" not in (console.read_text(errors="replace") if console.exists() else ""):
                assert guest.poll() is None and time.monotonic() < deadline, console.read_text(errors="replace")
                time.sleep(0.2)
            yield re.findall(r"redirected to (\S+) \(label radio\d\)", log.read_text())
        finally:
            guest.kill()


def read(port, *kind):
    done = subprocess.run([BUILD / "qs1-poll", "--port", port, "--ecu", ECU, "--rounds", "6", *kind,
                           f"{SERIAL}:{ADDRESS}"], capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stdout.splitlines() if line.startswith(SERIAL)]
    assert lines, done.stdout + done.stderr
    return lines[-1]


@pytest.mark.long
def test_unit_and_gateway_speak_over_wpan_interfaces(ports, tmp_path):
    gateway, unit = ports
    Qs1d(tmp_path / "qs1d").start()
    config = tmp_path / "linkd.conf"
    config.write_text(f"port {unit}\nsocket {tmp_path / 'qs1d'}\npan {PAN}\n")
    with subprocess.Popen([BUILD / "host/bin/linkd", "--config", config]) as linkd:
        try:
            grid = STATUS["meter"]["grid"]
            assert f"{grid['v']:.2f} V {grid['f']:.3f} Hz {grid['p']:.1f} W" in read(gateway, "--own")
            # The reply to a stock poll is of two APS fragments, each acknowledged.
            assert re.search(r" A 31\.\d+ V 5\.\d+ A .* D 34\.\d+ V 8\.\d+ A", read(gateway))
        finally:
            linkd.terminate()
