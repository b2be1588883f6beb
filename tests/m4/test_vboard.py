# SPDX-License-Identifier: GPL-2.0-only
"""The virtual board's hardware side, with either coprocessor and no Linux."""

import json
import shutil
import signal
import socket
import subprocess
import time

import pytest

from paths import BUILD, ROOT
from fake_guest import (ALIVE, BOOTS, COPROC_STATE, CRASH_COMMAND, CRASH_EXCEPTION, CRASH_REASON,
                        FIRMWARE, IRQ_COPROC, IRQ_FW, OP_CRASH, OP_PING, RESET, RUNNING, WATCHDOG,
                        WATERMARK, Control, Guest, Rig, until)


@pytest.fixture
def rig(tmp_path):
    """A function that starts a board; ends what it started."""
    rigs = []

    def start(coproc="m4", *options):
        rigs.append(Rig(tmp_path, coproc, *options))
        return rigs[-1]
    yield start
    for one in rigs:
        one.kill()


@pytest.fixture(params=["m4", "native"])
def board(request, rig):
    """A board whose firmware runs."""
    running = rig(request.param)
    running.guest.start()
    return running


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name not in ("qmp", "uart"))


def test_the_firmware_starts_counts_and_answers(board):
    guest = board.guest
    assert guest.read(COPROC_STATE) == RUNNING
    assert guest.version().startswith("0.")
    assert guest.command(OP_PING, 0, 1234) == (0, 1234)
    before = guest.read(ALIVE)
    time.sleep(0.5)
    assert guest.read(ALIVE) - before == pytest.approx(10000, rel=0.3)
    assert guest.interrupts(IRQ_COPROC, 1) and guest.interrupts(IRQ_FW, 1)


def test_the_ring_rings_at_its_watermark(board):
    board.guest.write(WATERMARK, 1000)
    board.guest.interrupts(IRQ_FW, 0.2)
    begun, rings = time.monotonic(), 0
    while time.monotonic() - begun < 1:
        rings += board.guest.interrupts(IRQ_FW, 0.2)
    assert rings == pytest.approx(20, abs=8)


def test_stop_and_start_work_hundreds_of_times(board):
    for i in range(100):
        board.guest.stop()
        assert board.guest.read(COPROC_STATE) == RESET
        board.guest.start()
        assert board.guest.command(OP_PING, 0, i) == (0, i)
    assert board.guest.read(BOOTS) == 101
    assert board.control.status()["coproc"]["watchdogs"] == 0


@pytest.mark.parametrize("break_it, reason", [
    (lambda b: b.control.ask("do fault coproc crash"), CRASH_EXCEPTION),
    (lambda b: b.control.ask("do fault coproc hang"), 0),
    (lambda b: b.guest.command(OP_CRASH, 0), CRASH_COMMAND),
    (lambda b: b.guest.command(OP_CRASH, 1), 0),
], ids=["fault-crash", "fault-hang", "command-trap", "command-hang"])
def test_a_dead_coprocessor_loses_its_gates_and_is_recovered(board, break_it, reason):
    guest = board.guest
    assert break_it(board) in ("ok", (0, 0))
    _, took = until("the watchdog", lambda: guest.read(COPROC_STATE) == WATCHDOG, 3)
    print(f"watchdog after {took:.3f} s")
    assert guest.read(CRASH_REASON) == reason
    status = board.control.status()
    assert status["coproc"]["state"] == "watchdog" and not status["truth"]["relay"]
    guest.stop()
    guest.start()
    assert guest.command(OP_PING, 0, 7) == (0, 7)
    assert guest.read(CRASH_REASON) == 0


def test_a_stopped_clock_goes_on_after_off(board):
    """Before the watchdog expires there is nothing to recover; afterwards Linux must recover."""
    assert board.control.ask("do fault coproc hang") == "ok"
    until("the watchdog", lambda: board.guest.read(COPROC_STATE) == WATCHDOG, 3)
    assert board.control.ask("do fault coproc off") == "ok"
    time.sleep(0.2)
    assert board.guest.read(COPROC_STATE) == WATCHDOG
    refused = board.control.ask("do fault coproc crash")
    assert refused == "error: the coprocessor is not running (watchdog)"


def test_another_image_runs_after_a_reload(rig, tmp_path):
    """The emulator must not use code that it translated from the first image."""
    build = tmp_path / "other"
    subprocess.run(["make", "-s", f"BUILD={build}", "QS1_VERSION=7.8.9", "firmware-virt"],
                   cwd=ROOT, check=True)
    board = rig()
    for elf, version in 2 * ((FIRMWARE, "0."), (build / "firmware" / "qs1-m4.elf", "7.8.9")):
        board.guest.start(elf)
        assert board.guest.version().startswith(version)
        assert board.guest.command(OP_PING, 0, 1) == (0, 1)
        board.guest.stop()


def test_an_image_damaged_in_memory_does_not_start(rig):
    board = rig()
    guest = board.guest
    entry = guest.load(FIRMWARE)
    guest.write(entry - 0x21000000 + 0x400, 0xdeadbeef)
    guest.write(0x1000, 0)
    guest.request(1, entry)
    until("the refusal", lambda: guest.read(CRASH_REASON), 5)
    assert guest.read(0x1000) == 0
    assert b"does not match its stamp" in bytes(guest.memory[0x100000:0x200000])


@pytest.mark.parametrize("boot_da", [0, 0x21000000, 0x21100040, 0x22000000, 0xffffffff])
def test_a_start_at_an_invalid_address_is_refused(rig, boot_da):
    board = rig("native")
    board.guest.request(1, boot_da)
    assert board.guest.read(COPROC_STATE) == RESET
    _, messages = board.end()
    assert f"boot_da 0x{boot_da:08x}, expected a multiple of 128" in messages


def test_simulated_time_and_slip_add_up_to_real_time(board):
    before = board.control.status()
    time.sleep(2)
    after = board.control.status()
    simulated = after["t_s"] - before["t_s"]
    wall = after["wall_s"] - before["wall_s"]
    slipped = after["slip_s"] - before["slip_s"]
    print(f"{simulated:.3f} s simulated in {wall:.3f} s, {slipped:.3f} s of slip")
    assert simulated + slipped == pytest.approx(wall, abs=0.12)


def test_the_set_speed_is_kept(board):
    assert board.control.ask("do speed max") == "ok"
    before = board.control.status()
    time.sleep(1)
    after = board.control.status()
    factor = (after["t_s"] - before["t_s"]) / (after["wall_s"] - before["wall_s"])
    print(f"{factor:.1f} times real time")
    assert factor > 1.1
    assert board.control.ask("do speed 0.5") == "ok"
    before = board.control.status()
    time.sleep(1)
    assert board.control.status()["t_s"] - before["t_s"] == pytest.approx(0.5, abs=0.2)


def test_policy_statements_go_to_the_runner_and_its_answer_returns(rig):
    board = rig("native")
    refused = board.control.ask("do set power_limit_w 600")
    assert refused.startswith("error: no runner is connected")
    runner = Control(board.control_path)
    assert runner.ask("runner") == "ok"
    for answer, expected in (({"ok": True}, "ok"),
                             ({"ok": False, "error": "out of range"}, "error: out of range")):
        board.control.send("do set power_limit_w 600")
        request = json.loads(runner.receive())
        assert request["policy"] == "set power_limit_w 600"
        runner.send(json.dumps({"id": request["id"], **answer}))
        assert board.control.receive() == expected
    board.control.send("do cmd shutdown")
    runner.receive()
    runner.socket.shutdown(socket.SHUT_RDWR)
    assert board.control.receive() == "error: the runner has left"


def test_set_up_waits_for_the_runner_and_the_end_is_reported(rig, tmp_path):
    scenario = tmp_path / "short.scn"
    scenario.write_text("profile note1\nsun all 500\nrun 0.5\n")
    board = rig("native", "--scenario", scenario, "--hold")
    time.sleep(0.3)
    status = board.control.status()
    assert status["held"] and status["policy_pending"] == 0
    assert status["truth"]["pv1"]["sun"] == 0
    assert board.control.ask("go") == "ok"
    assert board.control.ask("go").startswith("error: ")
    runner = Control(board.control_path)
    assert runner.ask("runner") == "ok"
    request = json.loads(runner.receive())
    assert request["policy"].startswith("profile")
    runner.send(json.dumps({"id": request["id"], "ok": True}))
    event = json.loads(runner.receive())
    assert event["event"] == "end" and event["t_s"] == pytest.approx(0.5, abs=1e-4)
    summary = json.loads(board.control.ask("summary"))
    time.sleep(0.2)
    assert summary["duration_s"] == json.loads(board.control.ask("summary"))["duration_s"]
    assert board.control.status()["truth"]["pv1"]["sun"] == 500


@pytest.mark.parametrize("coproc", ["m4", "native"])
@pytest.mark.parametrize("word", ["crash", "hang"])
def test_a_timed_fault_takes_effect_and_each_event_is_reported_once(rig, tmp_path, coproc, word):
    scenario = tmp_path / "fault.scn"
    scenario.write_text(f"sun all 500\nat 0.8 fault coproc {word}\nrun 1.2\n")
    board = rig(coproc, "--scenario", scenario, "--hold")
    board.guest.start()
    assert board.control.ask("go") == "ok"
    until("the watchdog", lambda: board.guest.read(COPROC_STATE) == WATCHDOG, 20)
    assert board.control.status()["t_s"] >= 0.8
    board.guest.stop()
    board.guest.start()
    until("the end", lambda: board.control.status()["ended"], 20)
    summary = json.loads(board.control.ask("summary"))
    states = [t["to"] for t in summary["transitions"]]
    print(summary["transitions"])
    assert states.count("self-test") <= 2


def test_the_guests_line_takes_statements_and_nothing_else(rig, tmp_path):
    qemu = socket.socket(socket.AF_UNIX)
    qemu.bind(str(tmp_path / "port"))
    qemu.listen()
    board = rig("native", "--world-port", tmp_path / "port")
    port, _ = qemu.accept()
    lines = port.makefile("rw")

    def ask(line):
        lines.write(line + "\n")
        lines.flush()
        return lines.readline().rstrip("\n")
    assert ask("sun all 400") == "ok"
    assert ask("sun all 99999").startswith("error: ")
    assert ask("quit").startswith("error: ")
    until("sun", lambda: json.loads(ask("status"))["truth"]["pv2"]["sun"] == 400)
    assert board.vboard.poll() is None


@pytest.mark.parametrize("line", ["", "nonsense", "do", "do nonsense", "do sun all -5", "{",
                                  "x" * 5000],
                         ids=lambda line: line[:12] or "empty")
def test_a_bad_line_is_an_error_and_no_more(rig, line):
    board = rig("native")
    if line:
        assert board.control.ask(line).startswith("error: ")
    assert board.control.status()["coproc"]["state"] == "reset"


def test_a_guest_may_leave_and_come_back(board):
    assert board.control.status()["guest"]
    board.guest.close()
    until("the guest gone", lambda: not board.control.status()["guest"])
    board.guest = Guest(board.folder / "ivshmem")
    assert board.guest.command(OP_PING, 0, 3) == (0, 3)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, None])
def test_it_cleans_up_however_it_ends(rig, tmp_path, how):
    board = rig()
    board.guest.start()
    status, _ = board.end(how)
    assert status == 0
    assert leftovers(tmp_path) == []


def test_it_ends_when_the_emulator_goes(rig, tmp_path):
    board = rig()
    board.guest.start()
    board.emulator.kill()
    board.emulator.wait()
    _, messages = board.vboard.communicate(timeout=20)
    assert board.vboard.returncode == 1
    assert "the emulator of the coprocessor has ended" in messages
    assert leftovers(tmp_path) == []


def test_it_starts_beside_files_that_a_killed_one_left(rig, tmp_path):
    rig("native").end(signal.SIGKILL)
    assert leftovers(tmp_path) == ["control", "ivshmem", "shm"]
    (tmp_path / "control").rename(tmp_path / "moved")
    assert rig("native").control.status()["coproc"]["state"] == "reset"


def vboard(tmp_path, *options):
    """Run one that must not start."""
    argv = {"--shm": tmp_path / "shm", "--ivshmem": tmp_path / "ivshmem",
            "--control": tmp_path / "control", "--coproc": "native"}
    argv.update(zip(options[::2], options[1::2]))
    done = subprocess.run([BUILD / "vboard", *(str(w) for o in argv.items() for w in o)],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode, "it ran"
    return done.returncode, done.stderr


@pytest.mark.parametrize("options, status, message", [
    (("--coproc", "m5"), 2, "expected m4 or native, found \"m5\""),
    (("--coproc", "m4"), 2, "needs --m4-qmp and --m4-uart"),
    (("--speed", "fast"), 2, "expected a number, found \"fast\""),
    (("--scenario", "/nonexistent/a.scn"), 2, "/nonexistent/a.scn"),
    (("--control", "/nonexistent/control"), 1, "control socket /nonexistent/control: No such"),
    (("--ivshmem", "/nonexistent/ivshmem"), 1, "ivshmem socket /nonexistent/ivshmem: No such"),
    (("--shm", "/nonexistent/shm"), 1, "shared memory /nonexistent/shm: No such"),
    (("--shm", "/dev/null"), 1, "shared memory /dev/null: not a regular file"),
    (("--control", "/tmp/" + "x" * 120), 1, "File name too long"),
])
def test_a_bad_argument_is_named_and_nothing_stays(tmp_path, options, status, message):
    found, stderr = vboard(tmp_path, *options)
    assert found == status and message in stderr, stderr
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_with_an_unknown_word_is_refused_before_anything_is_created(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "bad.scn").write_text("seed 1\nat 1 sum all 5\nrun 2\n")
    status, stderr = vboard(tmp_path, "--scenario", folder / "bad.scn")
    assert status == 2 and "bad.scn:2" in stderr and "sum" in stderr
    shutil.rmtree(folder)
    assert list(tmp_path.iterdir()) == []


def test_someone_elses_file_is_not_overwritten(tmp_path):
    (tmp_path / "shm").write_text("precious")
    status, stderr = vboard(tmp_path)
    assert status == 1 and "is not a virtual board's memory" in stderr
    assert (tmp_path / "shm").read_text() == "precious"
    assert leftovers(tmp_path) == ["shm"]


def test_a_second_board_in_the_same_place_is_refused(rig, tmp_path):
    board = rig("native")
    for others in ({}, {"--shm": tmp_path / "shm2"}):
        status, stderr = vboard(tmp_path, *(w for o in others.items() for w in o))
        assert status == 1
        assert "in use" in stderr
    assert board.guest.read(COPROC_STATE) == RESET
    assert board.control.status()["guest"]
