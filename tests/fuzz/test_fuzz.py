# SPDX-License-Identifier: GPL-2.0-only
"""No input, out of millions, makes a parser fail an assertion or a sanitizer."""

import os
import re
import shutil
import subprocess

import pytest

from paths import BUILD, ROOT

SEEDS = ROOT / "tests/fuzz/seeds"
FUZZERS = sorted(folder.name for folder in SEEDS.iterdir())
# The largest useful input of each fuzzer: a row of blocks, a line, a file.
MAX_LEN = {"calibration": 2048, "profile": 4096, "config": 1024, "protocol": 2048, "ring": 4096,
           "scan": 4096, "link_air": 1024, "link_l2": 300, "link_own": 1024, "link_znp": 600, "linkd": 1024,
           "batch": 2048, "ecu_modbus": 600, "ecu_aps": 300, "ecu_http": 2048, "ecu_radio": 1024}

# Where a block came from is not worth a walk of the stack at each of millions of them, nor is a
# filling before its use: that shows only what reads uninitialized memory, which valgrind looks for.
ASAN = "malloc_context_size=0:quarantine_size_mb=8:max_malloc_fill_size=0"

EXECUTIONS = 10_000_000
SECONDS_SHORT = 4


def fuzz(name, tmp_path, *options):
    """Run one fuzzer on a copy of its seeds; return how many executions it did."""
    corpus = tmp_path / "corpus"
    shutil.copytree(SEEDS / name, corpus)
    findings = BUILD / "fuzz/findings"
    findings.mkdir(exist_ok=True)
    env = dict(os.environ, ASAN_OPTIONS=ASAN)
    done = subprocess.run(
        [BUILD / "fuzz" / name, "-print_final_stats=1", "-rss_limit_mb=1024", "-timeout=120",
         f"-max_len={MAX_LEN[name]}", f"-artifact_prefix={findings}/{name}-", *options, corpus],
        capture_output=True, text=True, errors="replace", env=env)
    assert done.returncode == 0, done.stderr[-4000:]
    return int(re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)[1])


@pytest.mark.parametrize("name", FUZZERS)
def test_nothing_is_found_in_a_short_time(name, tmp_path):
    executions = fuzz(name, tmp_path, f"-max_total_time={SECONDS_SHORT}")
    print(f"{name}: {executions} executions")
    assert executions > 1000


@pytest.mark.long
@pytest.mark.parametrize("name", FUZZERS)
def test_nothing_is_found_in_ten_million_executions(name, tmp_path):
    assert fuzz(name, tmp_path, f"-runs={EXECUTIONS}") >= EXECUTIONS
