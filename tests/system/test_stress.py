# SPDX-License-Identifier: GPL-2.0-only
"""The driver's own suites with many repetitions, to find rare faults and leaks.

With QS1_KERNEL=debug or kasan the board runs a kernel with checks, which is several times slower: a
tenth of the repetitions. On the first, kmemleak finds leaks instead of a trend.
"""

import os

import pytest

import suite

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
@pytest.mark.parametrize("name,variable,count,each_s", STRESS,
                         ids=[f"{variable.lower()}-{count}" for _, variable, count, _ in STRESS])
def test_repetitions_break_and_leak_nothing(agent, name, variable, count, each_s):
    if DEBUG:
        count, each_s = count // 10, each_s * 4
    suite.run(agent, f"{variable}={count} /usr/lib/qs1/kselftest/{name}",
              suite.CASE_S + count * each_s)
