# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages: one version everywhere, clean, reproducible, and what make install installs."""

import gzip
import re
import subprocess

import pytest

from paths import BUILD, ROOT

OBJCOPY = "arm-linux-gnueabihf-objcopy"
BOARDS, ALL = ("armhf", "arm64"), ("all",)
EMULATORS = {"armhf": "qemu-arm-static", "arm64": "qemu-aarch64-static"}
GATEWAYS = (*BOARDS, "amd64")
MACHINES = {"qs1": BOARDS, "qs1-tools": BOARDS, "qs1-dkms": ALL, "qs1-firmware": ALL, "qs1-profiles": ALL,
            "qs1-ecu": GATEWAYS, "qs1-wpan": GATEWAYS, "qs1-document": GATEWAYS, "qs1-ema": ("amd64",)}


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_places_name_the_same_version():
    changelog = re.match(r"qs1 \(([^)]+)\)", (ROOT / "debian/changelog").read_text())[1]
    firmware = re.search(r"^QS1_VERSION := (.*)$", (ROOT / "firmware/firmware.mk").read_text(),
                         re.M)[1]
    dkms = re.search(r'^PACKAGE_VERSION="(.*)"$', (ROOT / "dkms.conf").read_text(), re.M)[1]
    assert changelog == firmware == dkms


@pytest.fixture(scope="module")
def packages():
    """build/deb as make deb leaves it."""
    run("make", "deb")
    return BUILD / "deb"


@pytest.mark.long
def test_there_is_each_package_for_each_machine(packages):
    names = {path.name for path in packages.iterdir() if "dbgsym" not in path.name}
    assert {re.sub(r"_[0-9.]+_", "_", name) for name in names} == {
        f"{package}_{machine}.deb" for package, machines in MACHINES.items() for machine in machines}


@pytest.mark.long
def test_lintian_reports_nothing(packages):
    run("lintian", "--allow-root", "--fail-on", "error,warning", *packages.glob("*.deb"))


@pytest.mark.long
def test_the_same_files_give_the_same_packages_in_another_folder(packages, tmp_path):
    run("scripts/deb", tmp_path / "elsewhere", "armhf", "arm64", "amd64")
    for package in packages.glob("*.deb"):
        assert package.read_bytes() == (tmp_path / "elsewhere" / package.name).read_bytes(), \
            package.name


def content(path, tmp_path):
    """What a file says, whether it is stripped of symbols or compressed or not."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    # Programs of the board; the firmware, of another machine, is packed as it is.
    if data[:4] == b"\x7fELF" and path.suffix != ".elf":
        run(OBJCOPY, "-O", "binary", path, tmp_path / "raw")
        return (tmp_path / "raw").read_bytes()
    return data


def tree(folder, tmp_path):
    return {re.sub(r"\.gz$", "", str(path.relative_to(folder))): content(path, tmp_path)
            for path in folder.rglob("*")
            if path.is_file() and not {"doc", "lintian"} & set(path.relative_to(folder).parts)}


@pytest.mark.long
@pytest.mark.parametrize("machine", GATEWAYS)
def test_no_two_packages_of_a_machine_hold_the_same_file(packages, machine):
    """An inverter's own board may be the gateway, too."""
    owner = {}
    for package in sorted({*packages.glob(f"*_{machine}.deb"), *packages.glob("*_all.deb")}):
        for line in run("dpkg-deb", "--contents", package).splitlines():
            name = line.split(" ./")[1]
            if name and not name.endswith("/"):
                assert owner.setdefault(name, package.name) == package.name, name


@pytest.mark.long
@pytest.mark.parametrize("machine", BOARDS)
def test_the_gateway_for_a_board_starts(packages, tmp_path, machine):
    """In the emulator of one process, with the libraries of the board's release."""
    sysroot = run("env", "SYSROOT_GROUP=ecu", f"BOARD_ARCH={machine}", "scripts/guest-cc", "-print-sysroot").strip()
    run("dpkg-deb", "--extract", next(packages.glob(f"qs1-ecu_*_{machine}.deb")), tmp_path)
    emulator = EMULATORS[machine], "-L", sysroot
    assert run(*emulator, tmp_path / "usr/sbin/ecud", "--version").startswith("ecud ")
    run(*emulator, tmp_path / "usr/sbin/ecud", "--config", tmp_path / "etc/qs1/ecud.conf", "--check")
    assert "Query and control ecud" in run(*emulator, tmp_path / "usr/bin/ecuctl", "--help")


@pytest.mark.long
def test_packages_hold_what_make_install_installs(packages, tmp_path):
    """So the virtual board, which is made by make install, runs what the packages bring."""
    installed, packed = tmp_path / "installed", tmp_path / "packed"
    run("make", f"BUILD={tmp_path / 'build'}", "userspace-install", "firmware-install",
        "dts-install", f"DESTDIR={installed}")
    for name in ("qs1_*_armhf", "qs1-tools_*_armhf", "qs1-wpan_*_armhf", "qs1-firmware_*_all", "qs1-profiles_*_all"):
        run("dpkg-deb", "--extract", *packages.glob(f"{name}.deb"), packed)
    left, right = tree(installed, tmp_path), tree(packed, tmp_path)
    assert sorted(left) == sorted(right)
    assert [name for name in left if left[name] != right[name]] == []


@pytest.mark.long
def test_a_service_package_starts_its_service_and_holds_what_it_needs(packages, tmp_path):
    """The programs that a service starts, its configuration, and a unit that the package enables."""
    for package, daemon, program in (("qs1-ecu", "ecud", "lib/qs1/qs1-scan"), ("qs1-ema", "emad", "bin/emactl")):
        file = next(packages.glob(f"{package}_*_amd64.deb"))
        folder = tmp_path / package
        run("dpkg-deb", "--raw-extract", file, folder)
        for path in (f"usr/sbin/{daemon}", f"usr/{program}", f"etc/qs1/{daemon}.conf",
                     f"lib/systemd/system/{daemon}.service", f"usr/share/man/man8/{daemon}.8.gz",
                     f"usr/share/man/man5/{daemon}.conf.5.gz"):
            assert (folder / path).is_file(), path
        assert f"{daemon}.service" in (folder / "DEBIAN/postinst").read_text()
        assert f"/etc/qs1/{daemon}.conf" in (folder / "DEBIAN/conffiles").read_text()
        assert run(folder / f"usr/sbin/{daemon}", "--config", folder / f"etc/qs1/{daemon}.conf", "--check") == ""
        # the helper that both start has its own package
        assert "qs1-document" in (folder / "DEBIAN/control").read_text()
    assert "usr/lib/qs1/qs1-document" in run("dpkg-deb", "--contents", next(packages.glob("qs1-document_*_amd64.deb")))
