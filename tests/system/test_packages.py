# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages, installed on the board by dpkg, bring the service up by themselves."""

import json
import subprocess

import pytest

from board.board import Board
from board.status import PRODUCING
from paths import BUILD, ROOT

# dpkg, and what the packages' scripts call; the board's image does without them.
PKGS = "dpkg init-system-helpers perl-base"
PACKAGES = ("qs1_*_armhf", "qs1-tools_*_armhf", "qs1-wpan_*_armhf", "qs1-firmware_*_all", "qs1-profiles_*_all")
LIMIT_S = 180

pytestmark = pytest.mark.long


def make(*arguments):
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def debs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb") / "out"
    done = subprocess.run(["scripts/deb", folder, "armhf"], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [path for name in PACKAGES for path in folder.glob(f"{name}.deb")]


@pytest.fixture(scope="module")
def image():
    """An image with dpkg, beside the usual one."""
    make("image", f"PKGS={PKGS}")
    return BUILD / f"guest/guest-{PKGS.replace(' ', '+')}.json"


def files_of(deb):
    """What a package holds, but for folders."""
    done = subprocess.run(["dpkg-deb", "--contents", deb], capture_output=True, text=True,
                          check=True)
    names = [line.split(" ./")[1].split(" -> ")[0] for line in done.stdout.splitlines()]
    return [f"/{name}" for name in names if not name.endswith("/")]


def test_the_packages_bring_the_service_up(image, debs):
    with Board(image=image, report=print) as board:
        agent = board.wait_agent()
        # What make install has brought, and its enabling, goes.
        ours = [name for deb in debs for name in files_of(deb)]
        agent.write_file("/run/ours", "\n".join(ours).encode())
        agent.check("systemctl disable --now qs1d.service qs1d.socket; xargs rm -f </run/ours; "
                    "systemctl daemon-reload; mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates; "
                    "touch /var/lib/dpkg/status /var/lib/dpkg/available")
        assert agent.shell("command -v qs1ctl || systemctl cat qs1d").status != 0
        for deb in debs:
            agent.write_file(f"/run/{deb.name}", deb.read_bytes())
        # The image's own packages were unpacked without a record, hence no dependencies.
        print(agent.check("dpkg --force-depends --install /run/*.deb 2>&1", timeout_s=300))
        assert agent.check("systemctl is-enabled qs1d") == "enabled"
        board.wait("the service", lambda: agent.shell("systemctl is-active qs1d").status == 0,
                   LIMIT_S)
        board.go()
        board.wait_state(*PRODUCING)
        assert json.loads(agent.check("qs1ctl status --json"))["inverter"] == "ok"
        assert "not-installed" not in agent.check("dpkg-query -W -f '${Status}\\n' qs1")

        print(agent.check("dpkg --force-depends --remove qs1 2>&1", timeout_s=300))
        assert agent.shell("systemctl is-active qs1d").status != 0
        board.wait_nothing_fed(LIMIT_S)
