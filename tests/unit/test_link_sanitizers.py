# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of the radio link, built with two sanitizers."""

import subprocess

import pytest

from paths import ROOT

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
FOLDERS = ("link", "lib", "linkd", "site")
# The simulated site has programs and parts of others beside the air.
AIR = {"air.c", "modem.c", "node.c", "pcap.c", "poller.c", "stack.c"}
TESTS = sorted(p.stem for p in (ROOT / "tests/unit").glob("test_*.c")
               if p.stem.startswith(("test_link", "test_air")))

pytestmark = pytest.mark.long


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / "userspace" / folder).glob("*.c")):
            if path.name in AIR if folder == "site" else path.name != "main.c":
                yield path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All that the tests link, built with the sanitizers."""
    folder = tmp_path_factory.mktemp("sanitized")
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-g", "-D_GNU_SOURCE", f"-I{ROOT}/include",
                    *(f"-I{ROOT}/userspace/{name}" for name in FOLDERS), *SANITIZE, "-c",
                    *sources()], cwd=folder, check=True)
    archive = folder / "liblink.a"
    subprocess.run(["ar", "rcs", archive, *folder.glob("*.o")], check=True)
    return archive


@pytest.mark.parametrize("test", TESTS)
def test_sanitizers_find_nothing(library, test, tmp_path):
    program = tmp_path / test
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-g", "-D_GNU_SOURCE", "-Iinclude",
                    *(f"-Iuserspace/{name}" for name in FOLDERS), *SANITIZE, "-o", program,
                    f"tests/unit/{test}.c", library, "-lcmocka", "-ljson-c", "-lsodium", "-lm"],
                   cwd=ROOT, check=True)
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
