# SPDX-License-Identifier: GPL-2.0-only
"""Results that the test runner reports for a small tree of tests and programs that print TAP."""

import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from paths import ROOT

HARNESS = ["run.py", "suites.py", "conftest.py", "paths.py", "tap.py", "unit/conftest.py"]

# Name of a program: the tests in its source, what it prints, how it ends; then what the runner must
# report, for each test passed, skipped or failed with words of the message.
PROGRAMS = {
    "all_pass": ("a b", "1..2\\nok 1 - a\\nok 2 - b\\n", "exit 0",
                 {"a": "passed", "b": "passed"}),
    "one_fails": ("a b", "1..2\\nnot ok 1 - a\\n# 0x1 != 0x2\\nok 2 - b\\n", "exit 1",
                  {"a": "0x1 != 0x2", "b": "passed"}),
    "set_up_fails": ("a", "1..1\\nnot ok 1 - a Could not run test: Test setup failed\\n", "exit 1",
                     {"a": "Test setup failed"}),
    "skips": ("a b", "1..2\\n# no meter\\nnot ok 1 # SKIP a\\nok 2 # SKIP b\\n", "exit 0",
              {"a": "skipped: no meter", "b": "skipped: no reason given"}),
    "skips_without_a_name": ("a b", "1..2\\nnot ok 1 # SKIP\\nok 2 - b\\n", "exit 0",
                             {"a": "skipped: no reason given", "b": "passed"}),
    "stops_after_two": ("a b c d e", "1..5\\nok 1 - a\\nok 2 - b\\n", "exit 7",
                        {"a": "passed", "b": "passed", "c": "ends after 2 of 5 tests",
                         "d": "ends after 2 of 5 tests",
                         "e": "plan says 5 results, found 2|exit status 7 with 0 failed tests"}),
    "exits_7": ("a b", "1..2\\nok 1 - a\\nok 2 - b\\n", "exit 7",
                {"a": "passed", "b": "exit status 7 with 0 failed tests"}),
    "hides_a_failure": ("a", "1..1\\nnot ok 1 - a\\n", "exit 0",
                        {"a": "exit status 0 with 1 failed tests"}),
    "crashes": ("a b", "1..2\\nok 1 - a\\n", "kill -SEGV $$",
                {"a": "passed", "b": "ends after 1 of 2 tests|ended by signal 11"}),
    "crashes_at_the_end": ("a", "1..1\\nok 1 - a\\n", "kill -SEGV $$", {"a": "ended by signal 11"}),
    "bails_out": ("a b", "1..2\\nok 1 - a\\nBail out! no memory\\n", "exit 1",
                  {"a": "passed", "b": "bailed out: no memory"}),
    "has_no_plan": ("a", "ok 1 - a\\n", "exit 0", {"a": "no plan"}),
    "plans_more": ("a", "1..2\\nok 1 - a\\n", "exit 0",
                   {"a": "plan says 2 results, found 1"}),
    "runs_more": ("a", "1..2\\nok 1 - a\\nok 2 - b\\n", "exit 0",
                  {"a": "expected 1 results, one for each cmocka_unit_test.. of the source, found 2"}),
    "is_cut_short": ("a b", "1..2\\nok 1 - a\\nok 2", "exit 0",
                     {"a": "passed", "b": "ends after 1 of 2 tests"}),
    "prints_nothing": ("a", "", "exit 0", {"a": "ends after 0 of 1 tests|no plan"}),
    "has_another_order": ("a b", "1..2\\nok 1 - b\\nok 2 - a\\n", "exit 0",
                          {"a": "expected the result of a, found that of b",
                           "b": "expected the result of b, found that of a"}),
    "counts_wrong": ("a b", "1..2\\nok 1 - a\\nok 1 - b\\n", "exit 0",
                     {"a": "passed", "b": "expected result 2, found 'ok 1 - b'"}),
}


class Tree:
    """A clone with the runner and nothing else but fake programs."""

    def __init__(self, root):
        self.root = root
        (root / "tests" / "unit").mkdir(parents=True)
        (root / "build" / "tests").mkdir(parents=True)
        for name in HARNESS:
            shutil.copy(ROOT / "tests" / name, root / "tests" / name)

    def add(self, name, tests, output, end):
        entries = "".join(f"\tcmocka_unit_test({test}),\n" for test in tests.split())
        (self.root / "tests" / "unit" / f"test_{name}.c").write_text(entries)
        program = self.root / "build" / "tests" / f"test_{name}"
        program.write_text(f"#!/bin/sh\ntouch ran_{name}\nprintf \"{output}\"\n{end}\n")
        program.chmod(0o755)

    def run(self, *arguments, jobs=1):
        return subprocess.run(["/usr/bin/python3", "tests/run.py", f"--jobs={jobs}", *arguments],
                              cwd=self.root, capture_output=True, text=True)

    def outcomes(self):
        """(program, test) -> its result in the runner's XML."""
        found = {}
        for case in xml.etree.ElementTree.parse(self.root / "build/test.xml").iter("testcase"):
            program = case.get("classname").removeprefix("tests.unit.test_").removesuffix(".c")
            key = program, case.get("name")
            said = [f"{'skipped: ' if one.tag == 'skipped' else ''}{one.get('message')} {one.text}"
                    for one in case if one.tag in ("failure", "error", "skipped")]
            found.setdefault(key, []).extend(said)
        return {key: "\n".join(said) or "passed" for key, said in found.items()}


@pytest.fixture(scope="module", params=[1, 2])
def tree(tmp_path_factory, request):
    """A run over all of the fake programs, in one process and in two."""
    made = Tree(tmp_path_factory.mktemp("tree"))
    for name, (tests, output, end, _) in PROGRAMS.items():
        made.add(name, tests, output, end)
    made.done = made.run("unit", jobs=request.param)
    made.found = made.outcomes()
    return made


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_line_of_a_program_is_reported(tree, name):
    for test, expected in PROGRAMS[name][3].items():
        found = tree.found[name, test]
        for words in expected.split("|"):
            assert re.search(words, found), f"{test}: expected '{words}', found '{found}'"


def test_a_failed_program_fails_the_run_and_the_last_line_counts_each_test_once(tree):
    kinds = [e for program in PROGRAMS.values() for e in program[3].values()]
    passed = kinds.count("passed")
    skipped = sum(e.startswith("skipped") for e in kinds)
    last = tree.done.stdout.splitlines()[-1]
    assert last == f"{passed} passed, {len(kinds) - passed - skipped} failed, {skipped} skipped"
    assert tree.done.returncode == 1


def test_skipped_tests_are_named_with_their_reason_at_the_end(tree):
    end = tree.done.stdout.splitlines()[-6:]
    assert "skipped: unit/test_skips.c::a: no meter" in end


@pytest.fixture
def small(tmp_path):
    made = Tree(tmp_path)
    made.add("quick", "first second", "1..2\\nok 1 - first\\nok 2 - second\\n", "exit 0")
    return made


def test_the_slowest_tests_and_the_counts_end_a_run(small):
    small.add("slow", "third", "1..1\\n$(sleep 0.5)ok 1 - third\\n", "exit 0")
    done = small.run("unit")
    assert done.returncode == 0, done.stdout
    end = done.stdout.splitlines()[-6:]
    assert end[0] == "slowest 3 tests:"
    assert end[1].split()[2] == "unit/test_slow.c::third" and float(end[1].split()[0]) >= 0.5
    assert re.fullmatch(r"\d+ s", end[4])
    assert end[5] == "3 passed, 0 failed, 0 skipped"


def test_a_program_starts_only_when_one_of_its_tests_is_selected(small):
    small.add("other", "third", "1..1\\nok 1 - third\\n", "exit 0")
    done = small.run("unit", "--only", "second")
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"
    assert sorted(path.name for path in small.root.glob("ran_*")) == ["ran_quick"]


def test_a_missing_program_fails(small):
    (small.root / "build/tests/test_quick").unlink()
    done = small.run("unit")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 2 failed, 0 skipped"
    assert "test_quick" in done.stdout


@pytest.mark.parametrize("words", [["unti"], ["unit", "sytem"], ["unit/test_none.c"]])
def test_an_unknown_suite_is_an_error_that_names_the_known_ones(small, words):
    done = small.run(*words)
    assert done.returncode == 2
    assert words[-1] in done.stderr
    assert re.search("expected one of .*unit.* conformance", done.stderr) or "there is no" in done.stderr
    assert not list(small.root.glob("ran_*"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_selects_nothing_fails(small, jobs):
    done = small.run("unit", "--only", "nothing_of_that_name", jobs=jobs)
    assert done.returncode == 1
    assert "no test was selected" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("options, count", [([], 2), (["--quick"], 1), (["--long"], 3),
                                            (["--long", "--quick"], 2)])
def test_long_and_slow_tests_run_by_option(tmp_path, options, count):
    tree = Tree(tmp_path)
    (tmp_path / "tests/unit/test_marks.py").write_text(
        "import pytest\n\n\ndef test_plain():\n    pass\n\n\n"
        "@pytest.mark.slow\ndef test_slow():\n    pass\n\n\n"
        "@pytest.mark.long\ndef test_long():\n    pass\n")
    done = tree.run("unit", *options)
    assert done.stdout.splitlines()[-1] == f"{count} passed, 0 failed, 0 skipped"


# A file whose tests say in which process they run, and that they share its fixture.
SHARING = """
import os
import pytest

@pytest.fixture(scope="module")
def shared():
    return os.getpid()

@pytest.mark.parametrize("n", range(4))
def test_shared(shared, n):
    open(f"{__file__}.{n}", "w").write(str(os.getpid()))
"""


def processes(tree, suite):
    """Numbers of the processes that ran the tests of SHARING in @suite."""
    return {path.read_text() for path in (tree.root / "tests" / suite).glob("test_*.py.?")}


@pytest.mark.parametrize("suite, files, together", [
    ("static", ["test_a", "test_b"], False), ("static", ["test_a"], True),
    ("conformance", ["test_a"], False), ("system", ["test_a", "test_b"], True)])
def test_tests_are_distributed_by_file_by_test_or_not_at_all(tmp_path, suite, files, together):
    tree = Tree(tmp_path)
    (tmp_path / "tests" / suite).mkdir()
    for name in files:
        (tmp_path / "tests" / suite / f"{name}.py").write_text(SHARING)
    done = tree.run(suite, jobs=2)
    assert done.stdout.splitlines()[-1] == f"{4 * len(files)} passed, 0 failed, 0 skipped"
    assert (len(processes(tree, suite)) == 1) == together


@pytest.mark.slow
def test_a_process_that_dies_is_a_failure_and_the_other_tests_run(tmp_path):
    tree = Tree(tmp_path)
    (tmp_path / "tests/unit/test_dies.py").write_text("import os\n\n\ndef test_dies():\n    os._exit(0)\n")
    (tmp_path / "tests/unit/test_lives.py").write_text("def test_lives():\n    pass\n")
    done = tree.run("unit", jobs=2)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_a_file_that_can_not_be_read_is_one_failure(tmp_path):
    tree = Tree(tmp_path)
    (tmp_path / "tests/unit/test_broken.py").write_text("import nothing_of_that_name\n")
    for jobs in (1, 2):
        done = tree.run("unit", jobs=jobs)
        assert done.returncode == 1
        assert done.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
