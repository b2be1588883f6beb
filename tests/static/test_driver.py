# SPDX-License-Identifier: GPL-2.0-only
"""The driver and the contract, as the kernel's own tools read them."""

import re
import subprocess

import pytest

from paths import ROOT

ATTRIBUTE = re.compile(r"\b(?:IIO_|BIN_|)(?:DEVICE_)?ATTR_(?:RO|WO|RW)\((\w+)")
# Of the IIO core, described by the kernel itself.
STANDARD = {"hwfifo_watermark", "hwfifo_enabled"}


@pytest.mark.parametrize("name", ["modules", "kernel-doc"])
def test_a_tool_of_the_kernels_headers_reports_nothing(name):
    """Those of its source take longer: make driver-check."""
    done = subprocess.run(["scripts/driver-check", name], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_attribute_is_described():
    described = "\n".join(page.read_text()
                          for page in (ROOT / "Documentation" / "ABI").rglob("*") if page.is_file())
    names = {name for source in (ROOT / "driver").glob("*.c")
             for name in ATTRIBUTE.findall(source.read_text())}
    assert len(names) > 10
    missing = [name for name in sorted(names - STANDARD)
               if not re.search(rf"^What:.*/{name}$", described, re.MULTILINE)]
    assert not missing
