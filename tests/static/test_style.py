# SPDX-License-Identifier: GPL-2.0-only
"""Format, lint and licence of every file in the repository."""

import subprocess

import pytest

from paths import ROOT


def tracked(*patterns):
    """Files of the tree by pattern; all of them where there is no git."""
    if (ROOT / ".git").exists():
        done = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, check=True,
                              capture_output=True, text=True)
        names = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        names = [p for pattern in patterns for p in ROOT.rglob(pattern)
                 if "build" not in p.relative_to(ROOT).parts]
    return [n for n in names if n.is_file()]


def first_line(path):
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline()


def shell_scripts():
    return [p for p in tracked("*") if p.suffix == ".sh" or
            (not p.suffix and first_line(p).startswith("#!") and "sh" in first_line(p))]


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_c_is_formatted():
    run(ROOT / "scripts/reference", "clang-format-14", "clang-format-14", "--dry-run", "-Werror", *tracked("*.c", "*.h"))


def test_shell_is_clean():
    scripts = shell_scripts()
    assert scripts
    run("shellcheck", "-x", *scripts)


def test_python_is_clean():
    run("/usr/bin/python3", "-m", "pyflakes", *tracked("*.py"))


def test_every_file_names_its_licence():
    missing = []
    for path in tracked("*"):
        # formats without comments: licence texts, the root file system's files, kernel ABI pages,
        # what fuzzers begin with, npm's lock files; debian/copyright speaks for its folder, tests/data/README.md for
        # other projects' files
        if path.is_symlink() or {"LICENSES", "etc", "ABI", "seeds", "debian"} & set(path.parts) or \
                path.name.startswith("precise_iv_curves") or path.name == "package-lock.json":
            continue
        head = path.read_bytes()[:400]
        if b"SPDX-License-Identifier:" not in head:
            missing.append(str(path.relative_to(ROOT)))
    assert not missing, f"no SPDX line in: {missing}"


@pytest.mark.parametrize("header", ["abi.h", "codes.h", "params.h", "channels.h", "stage.h",
                                    "vhw.h"])
@pytest.mark.parametrize("compiler", ["gcc", "arm-none-eabi-gcc", "arm-linux-gnueabihf-gcc"])
def test_contract_compiles_alone_everywhere(tmp_path, header, compiler):
    source = tmp_path / "alone.c"
    source.write_text(f"#include <qs1/{header}>\nint alone;\n")
    run(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-Iinclude", "-c",
        "-o", tmp_path / "alone.o", source)
