# SPDX-License-Identifier: GPL-2.0-only
"""The driver's own suites with many repetitions, to find rare faults and leaks.

With QS1_KERNEL=debug or kasan the board runs a kernel with checks, which is several times slower: a
tenth of the repetitions. On the first, kmemleak finds leaks instead of a trend.
"""

import os
import re

import pytest

DEBUG = os.environ.get("QS1_KERNEL") in ("debug", "kasan")

# Suite, the variable that sets its repetitions, how many, seconds for each at most.
STRESS = [
    ("load.sh", "CYCLES", 500, 10),
    ("load.sh", "UNBINDS", 200, 15),
    ("remoteproc.sh", "CRASHES", 200, 10),
]


@pytest.fixture(scope="module")
def board(own_board):
    return own_board


@pytest.mark.long
@pytest.mark.parametrize("suite,variable,count,each_s", STRESS,
                         ids=[f"{variable.lower()}-{count}" for _, variable, count, _ in STRESS])
def test_repetitions_break_and_leak_nothing(agent, suite, variable, count, each_s):
    if DEBUG:
        count, each_s = count // 10, each_s * 4
    agent.check("systemctl stop qs1d")
    result = agent.run(["/usr/bin/env", f"{variable}={count}", f"/usr/lib/qs1/kselftest/{suite}"],
                       timeout_s=600 + count * each_s)
    print(result.out, result.err)
    assert re.findall(r"^not ok .*(?:\n#.*)*", result.out, re.MULTILINE) == []
    assert result.status == 0
