# SPDX-License-Identifier: GPL-2.0-only
"""A foreign or broken part is named in the message; nothing stays half-started."""

import mmap
import os
import struct
import subprocess
import sys

import pytest

from contract import LAYOUT_VERSION

from board import paths
from board.board import Board
from board.status import PRODUCING

DRIVER = "/sys/bus/pci/drivers/qs1-ivshmem"
# The number changes with each load of the driver.
RPROC = "$(echo /sys/class/remoteproc/remoteproc*)"
# Offset of the board's version in its registers, include/qs1/vhw.h.
VHW_VERSION = 4

# A firmware with nothing but its identity, built for another version of the contract.
OTHER_CONTRACT = """
    .syntax unified
    .cpu cortex-m4
    .thumb
    .section .vectors, "a"
    .word 0x21200000, start + 1
    .text
start:
    ldr r0, =0x21001000
    movs r1, #99
    str r1, [r0, #4]
    ldr r1, =20000
    str r1, [r0, #40]
    movs r1, #13
    str r1, [r0, #44]
    ldr r1, =0x46315351
    str r1, [r0, #0]
1:  wfi
    b 1b
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The default world, and a second ivshmem device that is somebody else's."""
    foreign = tmp_path_factory.mktemp("foreign") / "memory"
    foreign.write_bytes(bytes(1 << 20))
    with Board(report=print, guest_args=(
            "-object", f"memory-backend-file,id=foreign,share=on,mem-path={foreign},size=1M",
            "-device", "ivshmem-plain,memdev=foreign")) as running:
        running.go()
        running.wait_state(*PRODUCING)
        yield running


def since(agent, mark):
    """The kernel log after @mark lines."""
    return "\n".join(agent.check("dmesg").splitlines()[mark:])


def log_length(agent):
    """Lines in the kernel log."""
    return len(agent.check("dmesg").splitlines())


def reload(agent):
    """Unload and load the driver; returns the kernel log of it."""
    mark = log_length(agent)
    agent.check("modprobe -r qs1_ivshmem && modprobe qs1_ivshmem && udevadm settle")
    return since(agent, mark)


def test_somebody_elses_ivshmem_device_is_left_alone_and_ours_works(board, agent):
    bound = agent.check(f"ls -d {DRIVER}/0000:*").split()
    assert len(bound) == 1
    assert agent.check("grep -l 0x1110 /sys/bus/pci/devices/*/device | wc -l") == "2"
    assert "not a qs1 board: magic is 0x00000000" in agent.check("dmesg")


def test_a_board_of_another_version_is_refused_with_both_versions(board, agent):
    with open(board.rundir.file("shm"), "r+b") as file, mmap.mmap(file.fileno(), 4096) as memory:
        version = struct.unpack_from("<I", memory, VHW_VERSION)[0]
        struct.pack_into("<I", memory, VHW_VERSION, 99)
        try:
            log = reload(agent)
        finally:
            struct.pack_into("<I", memory, VHW_VERSION, version)
    assert f"board has version 99, this driver needs {version}" in log
    assert agent.shell(f"ls -d {DRIVER}/0000:*").status != 0
    assert "firmware 0" in reload(agent) or board.wait(
        "the firmware running", lambda: board.status()["coproc"]["state"] == "running", 20)


def test_a_missing_firmware_file_is_named_and_can_be_brought_later(board, agent):
    agent.check("mv /lib/firmware/qs1-m4.elf /run/")
    try:
        reload(agent)
        board.wait("the message", lambda: "firmware file qs1-m4.elf is missing" in
                   agent.check("dmesg"), 30)
        assert board.status()["coproc"]["state"] == "reset"
    finally:
        agent.check("mv /run/qs1-m4.elf /lib/firmware/")
    # The driver tries again by itself, after 32 s at the latest.
    board.wait("the firmware running", lambda: board.status()["coproc"]["state"] == "running", 40)


def test_a_firmware_for_another_contract_is_refused_with_both_versions(board, agent, tmp_path):
    (tmp_path / "other.s").write_text(OTHER_CONTRACT)
    elf = tmp_path / "other.elf"
    subprocess.run(["arm-none-eabi-gcc", "-nostdlib", "-Wl,--build-id=none",
                    "-Wl,--section-start=.vectors=0x21100000", "-Wl,-Ttext=0x21100100",
                    "-Wl,-e,0x21100000", "-o", elf, tmp_path / "other.s"], check=True)
    agent.write_file("/lib/firmware/other.elf", elf.read_bytes())
    agent.check("qs1ctl stop")
    board.wait_state("shutdown", timeout_s=30)
    agent.check(f"echo stop >{RPROC}/state && echo other.elf >{RPROC}/firmware")
    mark = log_length(agent)
    result = agent.shell(f"echo start >{RPROC}/state")
    log = since(agent, mark)
    agent.check(f"echo qs1-m4.elf >{RPROC}/firmware && echo start >{RPROC}/state")
    agent.check("qs1ctl start")
    assert result.status != 0
    assert f"firmware has layout version 99, this driver needs {LAYOUT_VERSION}" in log


def test_a_profile_out_of_range_is_refused_with_file_line_and_range(agent):
    agent.check("sed 's/^uv2_t_s .*/uv2_t_s 99/' /usr/share/qs1/profiles/note1.conf "
                ">/run/wild.conf")
    result = agent.shell("qs1ctl profile check /run/wild.conf")
    assert result.status != 0
    line = agent.check("grep -n '^uv2_t_s' /run/wild.conf").split(":")[0]
    assert f"/run/wild.conf:{line}" in result.err + result.out
    assert "uv2_t_s" in result.err + result.out and "21" in result.err + result.out


@pytest.mark.parametrize("text, wanted", [
    ("sun all 800\nfly me 3\nrun 5\n", "bad.scn:2"),
    ("sun all bright\nrun 5\n", "bad.scn:1"),
    ("at 1 replay holes.csv\nrun 5\n", "holes.csv"),
    ("at 1 replay absent.csv\nrun 5\n", "absent.csv"),
])
def test_a_bad_scenario_ends_with_its_place_before_anything_boots(tmp_path, text, wanted):
    (tmp_path / "bad.scn").write_text(text)
    (tmp_path / "holes.csv").write_text("time_s,ghi_w_m2\n0,100\n1,\n2,300\n")
    before = set(paths.RUN.glob("[0-9]*"))
    done = subprocess.run(
        [sys.executable, "-m", "board", "--scenario", tmp_path / "bad.scn", "run", "--headless"],
        cwd=paths.TOP, env=dict(os.environ, PYTHONPATH=str(paths.TOP / "scripts")),
        capture_output=True, text=True, timeout=30)
    assert done.returncode not in (0, None)
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr
    assert set(paths.RUN.glob("[0-9]*")) <= before
