# SPDX-License-Identifier: GPL-2.0-only
"""Runs one of the driver's suites in the guest. They print TAP."""

import re
import time

from board.qga import NoAnswer

OUTPUT = "/run/suite.out"
POLL_S = 1
# A busy machine runs the guest several times slower, and load.sh waits up to 600 s for udev.
CASE_S = 900


def _output(agent):
    """What the suite has printed so far; nothing while the guest is suspended."""
    try:
        return agent.check(f"cat {OUTPUT}")
    except NoAnswer:
        agent.sync()
        return ""


def run(agent, command, case_s=CASE_S):
    """Run a suite. Each case must pass, and none may be skipped. Without qs1d.

    @command: for the guest's shell
    @case_s: a suite that prints nothing for so long hangs, and is killed
    """
    agent.check("systemctl stop qs1d")
    agent.check(f"setsid /bin/sh -c 'echo $$; {command}; echo exit $?' >{OUTPUT} 2>&1 </dev/null &")
    text, ended = "", None
    deadline = time.monotonic() + case_s
    while not ended:
        time.sleep(POLL_S)
        now = _output(agent)
        if len(now) > len(text):
            text, deadline = now, time.monotonic() + case_s
        ended = re.search(r"^exit (\d+)$", text, re.MULTILINE)
        if not ended and time.monotonic() > deadline:
            alive = agent.sync()
            if alive:
                agent.check(f"kill -s KILL -- -{text.split()[0]}")
            raise AssertionError(f"'{command}' prints nothing for {case_s} s, and the guest "
                                 f"{'answers' if alive else 'does not answer'}, after:\n{text}")
    print(text)
    assert re.findall(r"^not ok .*(?:\n#.*)*", text, re.MULTILINE) == []
    assert re.findall(r"^ok .*# SKIP.*", text, re.MULTILINE) == []
    assert int(ended[1]) == 0
    assert re.search(r"^ok \d+", text, re.MULTILINE), "it ran some cases"
