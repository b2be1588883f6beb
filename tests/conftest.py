# SPDX-License-Identifier: GPL-2.0-only
"""What all suites share: paths, the simulator, the long-test switch."""

import json
import os
import subprocess

import pytest

from paths import BUILD, ROOT
from suites import REAL_TIME, SUITES

# nice(1) of tests that run beside others in real time; whether this run has such tests.
NICE = 10
YIELDS = pytest.StashKey[bool]()


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run tests marked long too")
    parser.addoption("--quick", action="store_true", help="leave out tests marked slow")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only with --long")
    config.addinivalue_line("markers", "slow: not with --quick")
    config.addinivalue_line("markers", "real_time: keeps its priority beside the suites in real time")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Deselect tests instead of skipping them: a skip means that something is missing on the host."""
    out = {mark for mark, left_out in (("long", not config.getoption("--long")),
                                       ("slow", config.getoption("--quick"))) if left_out}
    left_out = {item for item in items if out & {mark.name for mark in item.iter_markers()}}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def needs_real_time(item):
    return SUITES[item.path.relative_to(ROOT / "tests").parts[0]] == REAL_TIME or \
        item.get_closest_marker("real_time")


def pytest_collection_finish(session):
    session.config.stash[YIELDS] = "PYTEST_XDIST_WORKER" in os.environ and \
        any(map(needs_real_time, session.items))


def pytest_runtest_setup(item):
    """Beside a machine in real time, the other processes take only the processor time that it leaves."""
    if item.config.stash[YIELDS] and not needs_real_time(item):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


class Simulator:
    """Runs scenarios through build/qs1-sim."""

    def __init__(self, folder):
        self.folder = folder
        self.runs = 0

    def run(self, scenario, *options):
        """Run a scenario text; return the finished process."""
        self.runs += 1
        path = self.folder / f"scenario-{self.runs}.scn"
        path.write_text(scenario)
        return subprocess.run([BUILD / "qs1-sim", *options, "--json", "-", path],
                              capture_output=True, text=True, timeout=600, cwd=ROOT)

    def __call__(self, scenario, *options):
        """Run a scenario text that must succeed; return its summary."""
        done = self.run(scenario, *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def sim(tmp_path):
    return Simulator(tmp_path)
