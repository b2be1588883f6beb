# SPDX-License-Identifier: GPL-2.0-only
"""Checks of the Makefile before a build, and two makes in one folder."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from paths import ROOT

# Of a make that called this one.
INHERITED = re.compile(r"MAKE|MFLAGS|MY_TURN")


def make(*args, folder=ROOT, **more):
    """As a person would call it, not as a part of the make that runs the tests."""
    env = {name: value for name, value in os.environ.items() if not INHERITED.match(name)}
    return subprocess.run(["make", *args], cwd=folder, env={**env, **more}, capture_output=True,
                          text=True)


def program(folder, name, text):
    """An executable shell script; returns its path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("args", [["run"], ["test"], ["run", "HEADLESS=1"], ["-k", "test"], ["sim"]])
def test_packages_are_asked_for_before_anything_is_built(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 2 and "missing Debian packages" in done.stderr, done.stderr
    assert not done.stdout


@pytest.mark.parametrize("args", [["help"], ["--dry-run", "clean"], ["--dry-run", "sim"]])
def test_what_builds_nothing_needs_no_package(args):
    done = make(*args, "DEPS=false")
    assert done.returncode == 0, done.stderr


# --- hosts ------------------------------------------------------------------

HOSTS = {
    "bookworm": ("ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME='Debian GNU/Linux 12'", "amd64"),
    "trixie": ("ID=debian\nVERSION_CODENAME=trixie\nPRETTY_NAME='Debian GNU/Linux 13'", "amd64"),
    "ubuntu": ("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nPRETTY_NAME='Ubuntu 24.04.1 LTS'",
               "amd64"),
    "derivative": ("ID=linuxmint\nID_LIKE=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME='LMDE 6'",
                   "amd64"),
    "old": ("ID=debian\nVERSION_CODENAME=bullseye\nPRETTY_NAME='Debian GNU/Linux 11'", "amd64"),
    "sid": ("ID=debian\nPRETTY_NAME='Debian GNU/Linux sid'", "amd64"),
    "arm64": ("ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME='Debian GNU/Linux 12'", "arm64"),
    "none": ("", "amd64"),
}
SUPPORTED = ("bookworm", "trixie")


@pytest.fixture
def host(tmp_path, request):
    """The environment of a machine that claims to be another one, and whose apt records its calls."""
    release, machine = HOSTS[request.param]
    (tmp_path / "os-release").write_text(release)
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools, "dpkg", f"echo {machine}")
    for name in ("apt-get", "apt-cache"):
        program(tools, name, f'echo {name} "$@" >>{tmp_path}/calls; exit 1')
    return {"QS1_OS_RELEASE": str(tmp_path / "os-release"), "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(tmp_path / "home")}


@pytest.mark.parametrize("host", SUPPORTED, indirect=True)
def test_debian_12_and_13_on_amd64_are_supported(host):
    subprocess.run([ROOT / "scripts/host"], env={**os.environ, **host}, check=True)


@pytest.mark.parametrize("host", [name for name in HOSTS if name not in SUPPORTED], indirect=True)
@pytest.mark.parametrize("target", ["run", "test", "sim"])
def test_another_host_is_refused_before_anything_is_installed_or_fetched(host, target, tmp_path):
    done = make(target, **host)
    assert done.returncode == 2
    assert "not supported" in done.stderr and "Debian, one of bookworm trixie, on amd64" in done.stderr
    assert not done.stdout
    assert not (tmp_path / "calls").exists(), (tmp_path / "calls").read_text()
    assert not (tmp_path / "home").exists()


# --- folders ----------------------------------------------------------------

@pytest.mark.parametrize("name", ["a b", "a\tb", "colon:", "semi;colon", "dollar$x", "hash#", "quote'",
                                  "back\\slash", "per%cent", "(paren"])
@pytest.mark.parametrize("args", [["run"], ["-n", "run"], ["install", "DESTDIR=/tmp/x"]])
def test_a_folder_that_make_would_take_apart_is_refused(tmp_path, name, args):
    tree = tmp_path / name
    shutil.copytree(ROOT / "scripts", tree / "scripts")
    shutil.copy(ROOT / "Makefile", tree)
    done = make(*args, "DEPS=touch asked", folder=tree)
    assert done.returncode == 2
    assert "the folder of this source tree is" in done.stderr
    assert not done.stdout
    assert not (tree / "asked").exists()


@pytest.mark.parametrize("variable", ["BUILD", "CACHE", "DESTDIR"])
def test_a_variable_that_names_such_a_folder_is_refused(variable):
    done = make("-n", "install", f"{variable}=/tmp/a b")
    assert done.returncode == 2
    assert f"({variable}" in done.stderr and "'/tmp/a b'" in done.stderr


# --- packages ---------------------------------------------------------------

def groups_of(tmp_path, *goals):
    """The groups of packages that make asks for."""
    deps = program(tmp_path, "deps", f'echo "$@" >{tmp_path}/groups; exit 1')
    make(*goals, f"DEPS={deps}")
    return (tmp_path / "groups").read_text().split()


@pytest.mark.parametrize("goals, groups", [
    (["build/qs1-sim"], "sim"),
    (["sim", "vboard"], "sim"),
    (["run"], "board firmware guest sim"),
    (["guest", "CMD=true"], "board firmware guest sim"),
    (["dtbo"], "dts"),
    (["web"], "web"),
    (["site"], "ecu ema sim site"),
])
def test_a_target_asks_for_the_packages_that_it_needs(tmp_path, goals, groups):
    assert sorted(groups_of(tmp_path, *goals)) == sorted(groups.split())


def test_the_tests_need_all_groups_but_those_of_other_targets(tmp_path):
    table = (ROOT / "scripts/packages").read_text()
    groups = set(re.findall(r"^#   (\w+)  ", table, re.M)) - {"hosts", "browser", "servers", "pru"}
    assert set(groups_of(tmp_path, "test")) == groups


def missing(tmp_path, *groups):
    """What scripts/deps names for an ordinary user on a machine without any package."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools, "dpkg-query", "exit 1")
    program(tools, "id", "echo 1000")
    done = subprocess.run([ROOT / "scripts/deps", *groups], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert done.returncode == 1
    return done.stderr.split("--no-install-recommends ")[1].split()


def test_the_simulator_needs_a_compiler_and_one_library(tmp_path):
    assert missing(tmp_path, "sim") == ["gcc", "libc6-dev", "libjson-c-dev", "make"]


def test_a_run_of_the_board_needs_no_tools_of_tests(tmp_path):
    names = missing(tmp_path, "board", "firmware", "guest", "sim")
    assert "qemu-system-arm" in names
    assert not {"clang", "clang-format", "lintian", "ngspice", "python3-pytest", "shellcheck", "sparse",
                "valgrind"} & set(names)


def test_a_package_that_another_one_provides_is_present(tmp_path):
    """Other builds of nodejs bring npm, and refuse Debian's package of that name."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools, "dpkg-query", "printf '%s\\n' 'installed nodejs, nodejs-dev (= 20), npm' "
            "'deinstall python3, '")
    program(tools, "id", "echo 1000")
    done = subprocess.run([ROOT / "scripts/deps", "web"], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert done.returncode == 1
    names = done.stderr.split("--no-install-recommends ")[1].split()
    assert "python3" in names and not {"nodejs", "npm"} & set(names)


def test_npm_packages_that_cannot_be_fetched_leave_nothing_in_the_cache(tmp_path):
    """A folder in the cache stands for all packages of its lock file."""
    npm = program(tmp_path, "npm", "exit 1")
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "QS1_CACHE": str(tmp_path / "cache")}
    for _ in range(2):
        done = subprocess.run([ROOT / "scripts/npm", "userspace/web"], cwd=ROOT, env=env,
                              capture_output=True, text=True)
        assert done.returncode != 0 and "npm packages of userspace/web: failed" in done.stderr
    npm.write_text('#!/bin/sh\nmkdir "$3/node_modules"\n')
    done = subprocess.run([ROOT / "scripts/npm", "userspace/web"], cwd=ROOT, env=env, capture_output=True,
                          text=True, check=True)
    assert pathlib.Path(done.stdout.strip()).is_dir()


def test_the_table_of_packages_is_sorted_and_its_groups_are_explained():
    text = (ROOT / "scripts/packages").read_text()
    rows = [line.split() for line in text.splitlines() if line and line[0] != "#"]
    names = [row[0] for row in rows]
    assert names == sorted(set(names))
    explained = set(re.findall(r"^#   (\w+) ", text, re.MULTILINE))
    assert {group for row in rows for group in row[1:]} == explained
    makefile = (ROOT / "scripts/scripts.mk").read_text()
    asked = set(re.search(r"^DEPS_GROUPS := (.*)", makefile, re.MULTILINE)[1].split()) | \
        set(re.search(r"^DEPS_OTHER := (.*)", makefile, re.MULTILINE)[1].split())
    assert asked == explained


# --- two makes in one folder ------------------------------------------------

def test_makes_in_one_folder_take_turns():
    """Each of them removes build/guest-root and fills it again."""
    env = {name: value for name, value in os.environ.items() if not INHERITED.match(name)}
    makes = [subprocess.Popen(["make", "guest-root"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in makes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


def test_commands_build_in_turn_too():
    """A prerequisite of theirs would be built without waiting for another make."""
    commands = re.search(r"^COMMANDS := ((?:.*\\\n)*.*)", (ROOT / "scripts/turns.mk").read_text(),
                         re.MULTILINE)[1].replace("\\", "").split()
    done = make("--print-data-base", "--question", "help")
    rules = dict(re.findall(r"^([a-z0-9-]+):([^=\n]*)$", done.stdout, re.MULTILINE))
    built = {command: rules[command].strip() for command in commands if rules.get(command, "").strip()}
    assert not built


# --- Debian's archive -------------------------------------------------------

APT_GET = r"""
case " $* " in
*" --print-uris update "*)
	echo "'https://vendor.example/apt/dists/noble/main/binary-amd64/Packages.xz' list 0"
	echo "'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' list 0"
	exit 0
	;;
*" update "*)
	for word; do
		case $word in
		Dir::Etc::sourcelist=*) cat "${word#*=}" >>"$RECORD" ;;
		esac
	done
	grep --quiet mirror.example "$RECORD"
	;;
esac
"""


def test_the_boards_packages_come_from_debian_by_its_keyring_alone(tmp_path):
    """Of the archives that this machine's apt uses, the first one that has Debian's signature."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools, "apt-get", APT_GET)
    program(tools, "apt-cache", "echo Package: libc6")
    program(tools, "id", "echo 1000")
    record = tmp_path / "record"
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "RECORD": str(record),
           "QS1_CACHE": str(tmp_path / "cache")}
    subprocess.run([ROOT / "scripts/apt.sh", "show", "bookworm", "libc6"], env=env, check=True)
    signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert record.read_text().splitlines() == [
        f"{signed} https://vendor.example/apt/ bookworm main",
        f"{signed} http://mirror.example/debian/ bookworm main"]
    config = (tmp_path / "cache/apt/v2-bookworm-armhf/apt.conf").read_text()
    assert 'AllowInsecureRepositories "false"' in config
    assert "Sandbox" not in config
