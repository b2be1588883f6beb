# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests and what they link, built with two sanitizers."""

import subprocess

from paths import ROOT

CC = ["gcc", "-std=gnu17", "-O1", "-g", "-D_GNU_SOURCE", '-DQS1_VERSION="sanitized"',
      f"-I{ROOT}/include",
      "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


def includes(folders):
    return [f"-I{ROOT}/userspace/{name}" for name in folders]


def build_library(folder, sources, folders):
    """An archive of @sources, in @folder; @folders of userspace hold their headers."""
    archive = folder / "libsanitized.a"
    sources = list(sources)
    for parent in sorted({path.parent for path in sources}):
        (folder / parent.name).mkdir()
        subprocess.run([*CC, *includes(folders), "-c", *(path for path in sources if path.parent == parent)],
                       cwd=folder / parent.name, check=True)
    # all at once: two folders may have files of the same name, which a second ar would replace
    subprocess.run(["ar", "rcs", archive, *sorted(folder.glob("*/*.o"))], check=True)
    return archive


def run_test(test, library, program, folders, libraries, timeout_s):
    """Build a test of tests/unit against @library, and run it: no finding, no failure."""
    subprocess.run([*CC, *includes(folders), "-o", program, f"tests/unit/{test}.c", library,
                    *libraries], cwd=ROOT, check=True)
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
