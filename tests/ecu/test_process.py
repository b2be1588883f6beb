# SPDX-License-Identifier: GPL-2.0-or-later
"""ecud as a process, with simulated inverters on the air of qs1-ether and a modem on a pseudo terminal."""

import signal
import time

import pytest

from process import Air, Gateway, clock, wait_for


@pytest.fixture
def air(tmp_path):
    running = []

    def start(units):
        running.append(Air(tmp_path, units))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def gateway(tmp_path):
    made = []

    def make(**settings):
        made.append(Gateway(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        if one.process:
            one.process.kill()
            one.process.wait()


def make_store(gateway, units, **settings):
    """A gateway whose store knows the units."""
    one = gateway(**settings)
    one.make_store(units)
    return one


def test_units_are_read_and_stored(air, gateway):
    world = air(5)
    one = make_store(gateway, world.units)
    one.start()
    time.sleep(6)
    assert one.stop() == 0
    assert len(one.energy()) == 5
    # 4 modules of 100 W at 0.955 for some seconds
    for mwh in one.energy().values():
        assert 300 < mwh < 900
    assert {serial for _, serial, _ in one.chunks()} == {serial for serial, _ in world.units}
    kinds = {kind for kind, in one.query("SELECT kind FROM event")}
    assert {"started", "radio-up", "unit-live", "state"} <= kinds


def test_a_kill_loses_no_energy_and_doubles_none(air, gateway):
    world = air(3)
    one = make_store(gateway, world.units)
    one.start()
    time.sleep(4)
    assert one.stop() == 0
    first = time.monotonic()
    before = one.energy()
    for pause in (0.7, 1.9, 1.1, 2.3):
        one.start()
        time.sleep(pause)
        one.stop(signal.SIGKILL)
    one.start()
    time.sleep(3)
    assert one.stop() == 0
    seconds = time.monotonic() - first
    for serial, mwh in one.energy().items():
        made = mwh - before[serial]
        # 382 W: what was made while the gateway was dead is counted too; one reading at each end is
        # all that may be missing
        assert 382 * (seconds - 4) / 3.6 < made < 382 * (seconds + 1) / 3.6


def test_the_inverters_own_events_come_once(air, gateway):
    world = air(1)
    one = make_store(gateway, world.units)
    for _ in range(3):
        one.start()
        time.sleep(4)
        assert one.stop() == 0
    details = [text for text, in one.query("SELECT detail FROM event WHERE kind = 'inverter'")]
    assert len(details) > 3
    assert sum("to producing" in text for text in details) == 1, details


def test_a_modem_that_freezes_and_a_port_that_goes_away(air, gateway):
    world = air(2)
    one = make_store(gateway, world.units)
    one.start()
    wait_for(lambda: one.events("unit-live") == 2)
    # the process that has made the store may have ended before the radio was up
    before = one.events("radio-up")
    world.say("modem 0 frozen on")
    wait_for(lambda: one.events("radio-up") > before, 30)
    world.process.kill()
    world.process.wait()
    wait_for(lambda: one.query(
        "SELECT count(*) FROM event WHERE kind = 'radio-down' AND detail LIKE '%modem0%'")[0][0])
    assert one.process.poll() is None
    assert one.stop() == 0


def test_backup_restore_and_export(air, gateway, tmp_path):
    world = air(2)
    one = make_store(gateway, world.units)
    one.start()
    time.sleep(4)
    assert one.run("--backup", tmp_path / "backup").returncode == 0
    assert one.stop() == 0
    done = one.run("--export", tmp_path / "all.csv")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0].startswith("time,serial,power,")
    assert {line.split(",")[1] for line in lines[1:]} == {serial for serial, _ in world.units}
    assert one.run("--restore", tmp_path / "backup").returncode == 0
    done = one.run("--restore", tmp_path / "all.csv")
    assert done.returncode == 1 and "all.csv" in done.stderr
    one.start()
    time.sleep(1)
    assert one.stop() == 0
    assert len(one.query("SELECT * FROM unit")) == 2


def test_a_site_at_60_times_the_speed_cuts_its_day_at_local_midnight(gateway, tmp_path):
    one = gateway(radio=tmp_path / "none")
    # 2026-10-25 has 25 hours in Berlin
    start_s = 1792965600
    one.start(TZ="Europe/Berlin", **clock(600, start_s))
    time.sleep(2)
    assert one.stop() == 0
    times = [ms for ms, in one.query("SELECT time_ms FROM event")]
    assert all(start_s * 1000 <= ms < start_s * 1000 + 3600000 for ms in times)


@pytest.mark.parametrize("text, message", [
    ("cadence_s 0.5", "cadence_s: expected a number from 1 to 300, found '0.5'"),
    ("cadence_s soon", "found 'soon'"),
    ("ecu_id 12", "expected 12 decimal digits"),
    ("radio_id XYZ", "expected 12 hexadecimal digits"),
    ("port 70000", "65535"),
    ("colour red", "unknown name 'colour'"),
])
def test_a_wrong_configuration_is_named_with_file_and_line(gateway, text, message):
    one = gateway()
    one.config.write_text(f"# a comment\n{text}\n")
    done = one.run("--check")
    assert done.returncode == 2
    assert message in done.stderr and "ecud.conf:" in done.stderr, done.stderr


def test_fifty_units_need_little_memory_and_time(air, gateway):
    world = air(50)
    one = make_store(gateway, world.units, cadence_s=5)
    one.start()
    time.sleep(15)
    status = open(f"/proc/{one.process.pid}/status", encoding="ascii").read()
    resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
    ticks = sum(map(int, open(f"/proc/{one.process.pid}/stat", encoding="ascii").read().split()[13:15]))
    print(f"50 units at 5 s: {resident:.1f} MiB resident, {ticks / 15:.1f} % of a core")
    assert one.stop() == 0
    assert len(one.energy()) == 50
    assert resident <= 32
