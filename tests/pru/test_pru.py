# SPDX-License-Identifier: GPL-2.0-only
"""The control core computes the same bits on the PRU, in gdb's simulator, as on the host."""

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

from contract import LAYOUT_VERSION, PARAM_RANGES
from paths import BUILD, ROOT
from worlds import WORLDS

PRU = BUILD / "pru"
RUN = Path(os.environ.get("QS1_CACHE", Path.home() / ".cache/qs1")) / "toolchain-pru/bin/pru-run"

pytestmark = pytest.mark.long

CHUNK = 1 << 20


@pytest.fixture(autouse=True)
def simulator():
    assert RUN.exists(), f"no PRU simulator at {RUN}: run make toolchain-pru"


def both(program, recording=os.devnull):
    """Bytes that the program writes on the PRU, all of them as on the host."""
    size = 0
    with open(recording, "rb") as one, open(recording, "rb") as other, \
            subprocess.Popen([RUN, PRU / f"{program}.elf"], stdin=one,
                             stdout=subprocess.PIPE) as pru, \
            subprocess.Popen([PRU / f"host-{program}"], stdin=other,
                             stdout=subprocess.PIPE) as host:
        while expected := host.stdout.read(CHUNK):
            found = pru.stdout.read(len(expected))
            if found != expected:
                pru.kill()
                host.kill()
                at = len(os.path.commonprefix([expected, found]))
                pytest.fail(f"{program}: byte {size + at}: {found[at:at + 8].hex()} on the PRU, "
                            f"{expected[at:at + 8].hex()} on the host")
            size += len(expected)
        assert pru.stdout.read() == b""
    assert (host.returncode, pru.returncode) == (0, 0)
    return size


def test_the_primitives_of_the_pru_are_the_portable_ones():
    words = both("vectors") // 4
    print(f"{words} results")
    assert words > 80_000_000


@pytest.mark.parametrize("name", WORLDS)
def test_a_recorded_scenario_gives_the_same_bits(sim, tmp_path, name):
    trace = tmp_path / "run.trace"
    summary = sim(WORLDS[name], "--trace", str(trace))
    assert "producing" in {t["to"] for t in summary["transitions"]}
    # the outputs of a period and the phase
    assert both("replay", trace) > summary["duration_s"] * 20000 * 56


STEP, COMMAND = 0, 1
OPERATIONS = 15
INPUTS_ONLY = 1


def random_recording(seed, steps):
    """Samples that wander and jump, and commands of all kinds and of none."""
    draw = random.Random(seed)
    adc = [0] * 16
    heartbeat = 0
    yield b"QS1TRACE" + struct.pack("<II", 1, LAYOUT_VERSION)
    for _ in range(steps):
        if not draw.randrange(64):
            op = draw.randrange(OPERATIONS)
            arg = draw.randrange(len(PARAM_RANGES) + 2)
            value = draw.getrandbits(32) - (1 << 31)
            if arg < len(PARAM_RANGES) and draw.randrange(8):
                value = draw.randint(*PARAM_RANGES[arg])
            yield struct.pack("<B3BIIiIi", COMMAND, INPUTS_ONLY, 0, 0, op, arg, value, 0, 0)
        for k in range(16):
            kind = draw.randrange(256)
            if kind == 0:
                adc[k] = draw.randint(-32768, 32767)
            elif kind == 1:
                adc[k] = draw.choice([-32768, 32767])
            else:
                adc[k] = max(-32768, min(32767, adc[k] + draw.randint(-128, 128)))
        heartbeat += not draw.randrange(64)
        yield struct.pack("<BBHI16h4HhH", STEP, draw.randrange(1024) != 0, 0, heartbeat, *adc,
                          0, 0, 0, 0, 0, INPUTS_ONLY)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_samples_and_commands_give_the_same_bits(tmp_path, seed):
    trace = tmp_path / "random.trace"
    with trace.open("wb") as out:
        out.writelines(random_recording(seed, 100_000))
    assert both("replay", trace) > 100_000 * 56


def test_the_core_on_two_prus_gives_the_same_bits(sim, tmp_path):
    """PRU0 with what fits its memory, PRU1 with the rest, one after the other in each period."""
    trace = tmp_path / "run.trace"
    sim(WORLDS["start-shade-trip"], "--trace", str(trace))
    for pipe in ("to-pru0", "to-pru1"):
        os.mkfifo(tmp_path / pipe)
    with trace.open("rb") as recorded, (tmp_path / "found").open("wb") as found, \
            subprocess.Popen([RUN, PRU / "pru1.elf"], cwd=tmp_path) as pru1:
        pru0 = subprocess.run([RUN, PRU / "pru0.elf"], stdin=recorded, stdout=found, cwd=tmp_path,
                              check=False)
        if pru0.returncode:
            pru1.kill()
    assert (pru0.returncode, pru1.returncode) == (0, 0)
    with trace.open("rb") as recorded:
        expected = subprocess.run([PRU / "host-replay"], stdin=recorded, stdout=subprocess.PIPE,
                                  check=True).stdout
    assert (tmp_path / "found").read_bytes() == expected


def longest(*arguments, bounds=ROOT / "scripts/pru-bounds"):
    return subprocess.run([ROOT / "scripts/pru-wcet", "--objdump", RUN.parent / "pru-objdump",
                           "--apart", "qs1_slot", *arguments, PRU / "replay.elf", bounds,
                           "qs1_core_step"], capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_control_period_takes_4000_cycles_at_the_most():
    done = longest("--limit", "4000")
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


def test_a_limit_passed_and_a_loop_without_a_bound_are_errors(tmp_path):
    assert longest("--limit", "1000").returncode == 1
    empty = tmp_path / "bounds"
    empty.write_text("")
    done = longest(bounds=empty)
    assert done.returncode == 1
    assert "no bound: qs1_current_step: for (int h = 0; h < QS1_RESONATORS; h++)" in done.stderr


def test_one_flipped_bit_is_found(sim, tmp_path):
    trace = tmp_path / "run.trace"
    sim("seed 14\nsun all 1000\nskip enter-service\nrun 1\n", "--trace", str(trace))
    recording = bytearray(trace.read_bytes())
    last_cmp_bridge = len(recording) - 4
    recording[last_cmp_bridge] ^= 1
    trace.write_bytes(recording)
    with trace.open("rb") as recorded:
        done = subprocess.run([RUN, PRU / "replay.elf"], stdin=recorded, check=False,
                              stdout=subprocess.DEVNULL)
    assert done.returncode == 1
