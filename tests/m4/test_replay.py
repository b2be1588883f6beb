# SPDX-License-Identifier: GPL-2.0-only
"""The Cortex-M4 image computes the same bits as the core on the host."""

import re
import struct
import subprocess

import pytest

from contract import LAYOUT_VERSION
from paths import BUILD, ROOT
from worlds import WORLDS

FIRMWARE = BUILD / "firmware" / "qs1-m4.elf"


def replay(*arguments):
    return subprocess.run([BUILD / "m4-replay", FIRMWARE, *arguments], capture_output=True,
                          text=True, timeout=300)


def identical(done, recordings):
    """Steps of each recording, all of them found identical."""
    assert done.returncode == 0, done.stderr
    steps = re.findall(r": (\d+) steps, \d+ commands, identical", done.stdout)
    assert len(steps) == recordings, done.stdout
    print(done.stdout)
    return [int(count) for count in steps]


@pytest.fixture
def record(sim, tmp_path):
    """Records a scenario; returns the recording and the summary."""
    def run(scenario, name="run.trace"):
        trace = tmp_path / name
        return trace, sim(scenario, "--trace", str(trace))
    return run


@pytest.mark.parametrize("name", WORLDS)
def test_a_recorded_scenario_gives_the_same_bits(record, name):
    trace, summary = record(WORLDS[name])
    assert "producing" in {t["to"] for t in summary["transitions"]}
    assert identical(replay(trace), 1) == [round(summary["duration_s"] * 20000)]


def test_random_samples_and_commands_give_the_same_bits():
    assert identical(replay("random:1:100000", "random:2:100000"), 2) == [100000, 100000]


@pytest.mark.long
def test_many_random_samples_and_commands_give_the_same_bits():
    runs = [f"random:{seed}:1000000" for seed in range(3, 13)]
    assert identical(replay(*runs), 10) == [1000000] * 10


def test_one_flipped_bit_is_found(record):
    trace, _ = record(WORLDS["start-shade-trip"])
    recording = bytearray(trace.read_bytes())
    last_cmp_bridge = len(recording) - 4
    recording[last_cmp_bridge] ^= 1
    trace.write_bytes(recording)
    done = replay(trace)
    assert done.returncode == 1
    assert "cmp_bridge" in done.stderr


def header(layout):
    """A recording's first bytes; the version of the format is 1."""
    return b"QS1TRACE" + struct.pack("<II", 1, layout)


@pytest.mark.parametrize("content, message", [
    (b"at 1 sun all 900\n", "expected a recording"),
    (header(255), "expected a recording"),
    (header(LAYOUT_VERSION) + b"\x09", "expected a record of kind"),
    (header(LAYOUT_VERSION) + b"\x00\x01", "expected a record of kind"),
])
def test_a_file_that_is_no_recording_is_refused(tmp_path, content, message):
    trace = tmp_path / "bad.trace"
    trace.write_bytes(content)
    done = replay(trace)
    assert done.returncode == 2
    assert message in done.stderr and "bad.trace" in done.stderr


def test_an_image_for_another_machine_is_refused():
    done = subprocess.run([BUILD / "m4-replay", ROOT / "Makefile", "random:1:1"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "expected a 32-bit ARM ELF file" in done.stderr
