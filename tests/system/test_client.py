# SPDX-License-Identifier: GPL-2.0-only
"""The glue of real boards, on a coprocessor that can fail: tests/driver/fake, in the virtual board
with that device tree."""

import os
import subprocess

import pytest

import suite
from board.board import GUEST_CPU, GUEST_MACHINE, GUEST_MB, Board
from board.paths import KERNEL_SUFFIX
from paths import BUILD, ROOT

FAKE = ROOT / "tests" / "driver" / "fake"
FOLDER = "/run/fake"

pytestmark = pytest.mark.long


def make(*command, **environment):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
                          env=dict(os.environ, **environment))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", name="modules")
def _modules():
    """The coprocessor, and the glue for PRUs as it is built where the kernel has them."""
    fake, driver = BUILD / f"driver-fake{KERNEL_SUFFIX}", BUILD / f"driver-pru{KERNEL_SUFFIX}"
    make("scripts/kbuild", FAKE, fake, "modules")
    make("scripts/kbuild", "driver", driver, "modules",
         f"KBUILD_EXTRA_SYMBOLS={fake / 'Module.symvers'}", QS1_PRU="y")
    return [fake / "qs1_fake.ko", driver / "qs1_pruss.ko"]


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory):
    """The virtual board's device tree with the coprocessor in it."""
    folder = tmp_path_factory.mktemp("tree")
    make("qemu-system-arm", "-M", f"{GUEST_MACHINE},dumpdtb={folder / 'virt.dtb'}", "-cpu",
         GUEST_CPU, "-smp", "1", "-m", GUEST_MB, "-display", "none", "-nic", "none")
    make("dtc", "-@", "-W", "no-interrupts_property", "-I", "dts", "-O", "dtb", "-o",
         folder / "fake.dtbo", FAKE / "qs1_fake.dtso")
    make("fdtoverlay", "-i", folder / "virt.dtb", "-o", folder / "board.dtb", folder / "fake.dtbo")
    return folder / "board.dtb"


@pytest.fixture(scope="module", name="agent")
def _agent(tree, modules):
    with Board(report=print, guest_args=["-dtb", tree]) as board:
        board.wait_agent()
        agent = board.agent
        agent.check(f"systemctl stop qs1d; mkdir -p {FOLDER}")
        for path in [*modules, FAKE / "client.sh"]:
            agent.write_file(f"{FOLDER}/{path.name}", path.read_bytes(), mode=0o755)
        yield agent


@pytest.mark.parametrize("glue", ["carveout", "pruss"])
def test_every_case_passes(agent, glue):
    suite.run(agent, f"GLUE={glue} {FOLDER}/client.sh")
