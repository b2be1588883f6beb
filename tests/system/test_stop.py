# SPDX-License-Identifier: GPL-2.0-only
"""After any end of a run, no process, socket or shared memory of it is left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from board import paths
from board.rundir import RunDir, clean_stale

GONE_S = 10.0


def processes_naming(text):
    """Command lines of running processes that hold @text."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


class Run:
    """A board started as `make guest` starts it."""

    def __init__(self):
        env = dict(os.environ, PYTHONPATH=str(paths.TOP / "scripts"))
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [sys.executable, "-m", "board", "guest", "--cmd", "sleep 1000"], cwd=paths.TOP,
            env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.directory = paths.RUN / str(self.process.pid)

    def wait_for(self, text):
        """Until it reports @text."""
        for line in self.process.stderr:
            if text in line:
                return
        pytest.fail(f"the run ended with status {self.process.wait()} before '{text}'")

    def end_by(self, number):
        """Send a signal; returns (exit status, seconds until it was gone)."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(GONE_S), time.monotonic() - start


@pytest.fixture
def run():
    """Killed at the end, should a test have failed to end it."""
    started = Run()
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


@pytest.mark.parametrize("moment", ["the board is powered", "Linux is up", "qs1d is up"])
def test_ctrl_c_leaves_nothing_behind(run, moment):
    run.wait_for(moment)
    # It is powered before its emulators are all there.
    deadline = time.monotonic() + GONE_S
    while len(processes_naming(str(run.directory))) < 2:
        assert time.monotonic() < deadline, "vboard and emulators expected"
    status, seconds = run.end_by(signal.SIGINT)
    assert status == 130
    assert seconds < GONE_S
    assert not processes_naming(str(run.directory))
    assert not run.directory.exists()


def test_a_killed_run_takes_its_processes_along_and_the_next_start_cleans_up(run):
    run.wait_for("Linux is up")
    run.end_by(signal.SIGKILL)
    deadline = time.monotonic() + GONE_S
    while processes_naming(str(run.directory)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_naming(str(run.directory))
    assert run.directory.exists(), "nobody was left to remove it"
    clean_stale()
    assert not run.directory.exists()


STARTS = 100
STARTERS = 8


def start_and_stop(top, lost):
    """Counts the directories that are not there while their owner lives."""
    for _ in range(STARTS):
        with RunDir(top) as run_dir:
            # As long as a start takes, others clean up.
            time.sleep(0.001)
            if not run_dir.file("lock").exists():
                with lost.get_lock():
                    lost.value += 1


def test_runs_that_start_at_once_keep_their_directories(tmp_path):
    lost = multiprocessing.Value("i", 0)
    starters = [multiprocessing.Process(target=start_and_stop, args=(tmp_path, lost))
                for _ in range(STARTERS)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert lost.value == 0, f"directories lost, of {STARTS * STARTERS}"
    assert [starter.exitcode for starter in starters] == [0] * STARTERS
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
