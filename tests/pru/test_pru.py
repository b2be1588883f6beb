# SPDX-License-Identifier: GPL-2.0-only
"""The control core computes the same bits on the PRU, in gdb's simulator, as on the host."""

import os
import random
import re
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


def test_pru_primitives_give_the_portable_results():
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


IMAGES = [PRU / f"qs1-am335x-pru{n}.elf" for n in range(2)]


def chip(recording, *arguments, images=IMAGES):
    with open(recording, "rb") as recorded:
        return subprocess.run([PRU / "chip", *images, *arguments], stdin=recorded,
                              capture_output=True, text=True, check=False)


@pytest.fixture
def start_and_trip(sim, tmp_path):
    trace = tmp_path / "run.trace"
    sim(WORLDS["start-shade-trip"], "--trace", str(trace))
    return trace


# Cycles that a word takes out of the PRUSS; slow tasks that have to wait for it, of 100000, at the most.
WRITES = {4: 10, 8: 2000, 16: 50_000}


def counts(done):
    """What the model says of late periods and slow tasks."""
    late = re.search(r"samples late (\d+), outputs late (\d+), of which PRU0 knows (\d+)", done.stdout)
    slow = re.search(r"slow tasks held (\d+), made up for (\d+)", done.stdout)
    return [int(n) for n in late.groups()], [int(n) for n in slow.groups()]


@pytest.mark.parametrize("cycles", WRITES)
def test_a_slow_interconnect_delays_slow_tasks_and_no_period(start_and_trip, cycles):
    """Overlays of PRU1 are really loaded; registers and contract are compared in each period."""
    done = chip(start_and_trip, str(cycles))
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    late, (held, made_up) = counts(done)
    assert "periods 100000, without calibration" in done.stdout
    assert late == [0, 0, 0]
    assert held <= WRITES[cycles]
    if cycles < 16:
        assert made_up == held
    else:
        assert held > 1000, "the model's interconnect is not slow"


@pytest.mark.parametrize("name", ["limits-and-commands", "faults"])
def test_commands_and_faults_on_the_chip_give_the_same_bits(sim, tmp_path, name):
    trace = tmp_path / "run.trace"
    sim(WORLDS[name], "--trace", str(trace))
    done = chip(trace, "4")
    assert done.returncode == 0, done.stderr
    late, (held, made_up) = counts(done)
    print(f"{held} slow tasks held")
    assert late == [0, 0, 0]
    assert made_up == held


def crc32c(text):
    crc = 0xffffffff
    for byte in text:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82f63b78 * (crc & 1)
    return crc ^ 0xffffffff


@pytest.fixture
def calibrated(tmp_path):
    """PRU0's image as qs1ctl writes it, with points of two channels that are off."""
    points = b"grid.v 31.000 0\ngrid.v 17187.000 339.72\npv1.v -12.000 0\npv1.v 15800.000 40\n"
    file, image = tmp_path / "points", tmp_path / "pru0.elf"
    file.write_bytes(points + b"checksum %08x\n" % crc32c(points))
    subprocess.run([BUILD / "host/bin/qs1ctl", "calibrate", "write", file, IMAGES[0], image], check=True)
    assert image.read_bytes() != IMAGES[0].read_bytes()
    return image


def test_calibration_that_qs1ctl_writes_reaches_the_core(start_and_trip, calibrated):
    done = chip(start_and_trip, "4", images=(calibrated, IMAGES[1]))
    assert done.returncode == 0, done.stderr
    assert "periods 100000, calibrated" in done.stdout
    assert counts(done)[0] == [0, 0, 0]


def test_an_image_whose_calibration_is_damaged_switches_nothing_on(start_and_trip, calibrated):
    image = bytearray(calibrated.read_bytes())
    image[image.index(b"QS1C") + 4] ^= 1
    calibrated.write_bytes(image)
    done = chip(start_and_trip, "4", images=(calibrated, IMAGES[1]))
    assert done.returncode == 1
    assert done.stderr.startswith("period 0,") and "PRU0 has stopped" in done.stderr


# What stops the gates at the latest: the period and PRU0's timeout; or 20 periods without samples.
FAULTS = {"memory": 30_000, "hang": 30_000, "converters": 250_000}


@pytest.mark.parametrize("fault", FAULTS)
def test_gates_and_relay_go_off_when_the_chip_fails(start_and_trip, fault):
    done = chip(start_and_trip, "8", fault)
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"stopped (\d+) cycles", done.stdout)[1]) < FAULTS[fault]


@pytest.mark.parametrize("cycles", [4, 16])
def test_the_enable_line_disarms_within_two_milliseconds(start_and_trip, cycles):
    done = chip(start_and_trip, str(cycles), "disable")
    assert done.returncode == 0, done.stderr
    armed_until = int(re.search(r"armed until period (\d+)", done.stdout)[1])
    print(f"{armed_until - 50_000} periods")
    assert 50_000 <= armed_until <= 50_040
    assert counts(done)[0] == [0, 0, 0]


def resident_lines(image):
    """{(file, line): addresses}, of the code of an image that stays in its instruction memory."""
    text = subprocess.run([RUN.with_name("pru-objdump"), "-dl", "-j", ".text", image], check=True,
                          capture_output=True, text=True).stdout
    lines, at = {}, None
    for place, number, address in re.findall(
            r"^(?:(\S+):(\d+)(?: \(.*\))?|([0-9a-f]{8}):\t.*)$", text, re.M):
        if place:
            at = place.rsplit("/", 1)[1], int(number)
        elif at:
            lines.setdefault(at, []).append(int(address, 16) & 0xffff)
    return lines


def test_the_model_of_the_chip_runs_nearly_every_line_of_the_main_loops(sim, tmp_path):
    """The files that no register model of the host's has; overlaid code shares its addresses."""
    ran = set()
    for name, fault in [("start-shade-trip", fault) for fault in ("none", *FAULTS)] + [
            ("limits-and-commands", "none"), ("faults", "none")]:
        trace, listed = tmp_path / f"{name}.trace", tmp_path / "ran"
        if not trace.exists():
            sim(WORLDS[name], "--trace", str(trace))
        done = chip(trace, "4", fault, listed)
        assert done.returncode == 0, done.stderr
        ran |= {tuple(map(int, line.split())) for line in listed.read_text().splitlines()}
    own, missed = 0, []
    for n, image in enumerate(IMAGES):
        for (file, line), addresses in resident_lines(image).items():
            if file in ("pru0.c", "pru1.c", "overlay.c", "lanes.c"):
                own += 1
                if not any((n, address) in ran for address in addresses):
                    missed.append(f"{file}:{line}")
    print(f"{100 - 100 * len(missed) / own:.1f} % of {own} lines; not {' '.join(missed)}")
    assert own > 100
    assert len(missed) <= 0.05 * own, missed


def test_a_recording_of_other_samples_is_detected(start_and_trip, tmp_path):
    """Test of the comparison: one sample differs between the reference and the pins."""
    done = chip(start_and_trip, "8", "sample")
    assert done.returncode == 1
    assert "contract" in done.stderr or "scan" in done.stderr or "register" in done.stderr


def longest(*arguments, bounds=ROOT / "scripts/pru-bounds"):
    return subprocess.run([ROOT / "scripts/pru-wcet", "--objdump", RUN.parent / "pru-objdump",
                           "--apart", "qs1_slot", *arguments, PRU / "replay.elf", bounds,
                           "qs1_core_step"], capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_control_period_takes_4000_cycles_at_the_most():
    done = longest("--limit", "4000")
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


OVERLAYS = (ROOT / "scripts/pru-overlays").read_text(encoding="utf-8")
OVERLAY_C = (ROOT / "firmware/hal/am335x-pru/overlay.c").read_text(encoding="utf-8")


def allowed(name, text=OVERLAYS):
    return int(re.search(rf"^(?:#define )?{name}(?: = | )(\d+)$", text, re.M)[1])


def test_pru0_needs_no_more_time_than_the_turns_leave_it():
    """The time limits by which PRU0 decides whether a turn, or a search, still fits into a period."""
    done = subprocess.run(
        [ROOT / "scripts/pru-wcet", "--objdump", RUN.parent / "pru-objdump", "--apart", "qs1_slot",
         IMAGES[0], ROOT / "scripts/pru-bounds", "qs1_lanes_convert", "qs1_lanes_wait", "qs1_lanes_read",
         "qs1_calibrate", "qs1_core_step", "qs1_pwm_apply", "search_step"],
        capture_output=True, text=True, check=True, cwd=ROOT)
    took = {name: int(cycles) for name, cycles in
            re.findall(r"^(\w+) +\d+ +\d+ +(\d+)$", done.stdout, re.M)}
    print(took)
    # each with 100 cycles for what surrounds it
    assert took["qs1_core_step"] + 100 <= allowed("CONTROL")
    assert took["qs1_pwm_apply"] + 100 <= allowed("OUTPUTS")
    assert took["search_step"] + 100 <= allowed("SEARCH_STEP_CYCLES", OVERLAY_C)
    samples = sum(took[f"qs1_{name}"] for name in
                  ("lanes_convert", "lanes_wait", "lanes_read", "calibrate"))
    assert samples + 300 <= 10_000 - allowed("CONTROL") - allowed("OUTPUTS")


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
