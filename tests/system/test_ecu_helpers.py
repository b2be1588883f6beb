# SPDX-License-Identifier: GPL-2.0-only
"""The gateway's helpers in their sandbox, on the board's kernel: other machines have other system calls."""

import json
import pathlib
import sys

import pytest

from board import paths
from board.process import wait_until
from ecu_power import BOOT_S, boot, make_disk, make_programs
from paths import ROOT

sys.path.insert(0, str(ROOT / "tests/ecu"))

from test_scan import QR, photo  # noqa: E402  (the path must be set first)

LABEL = "806000000099:0102030405060708090A0B0C0D0E0F1090FD"
FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")
REPORT = {"kind": "commissioning-report", "commissioning": {"units": [], "complete": True}, "inverters": []}
START = b"""
$bb chroot /root /qs1-scan </root/photo.jpg
echo "scan: $?"
$bb chroot /root /qs1-document </root/report.json >/report.pdf
echo "document: $? $($bb head -c 5 /report.pdf)"
"""


@pytest.mark.long
def test_a_photo_is_scanned_and_a_document_made(tmp_path):
    image, store = paths.guest_image(), tmp_path / "store"
    store.mkdir()
    make_disk(tmp_path / "store.ext4", store)
    fonts = {str(path.relative_to("/")): path.read_bytes() for path in FONTS.glob("DejaVuSans*.ttf")}
    make_programs(tmp_path, image, ["qs1-scan", "qs1-document"], {
        "start": START, "photo.jpg": photo(tmp_path, QR, LABEL, 20), "report.json": json.dumps(REPORT).encode(),
        **fonts})
    guest, console = boot(tmp_path, image, "null,id=radio"), tmp_path / "console.log"
    # When the script ends, so does the guest.
    wait_until("the end of the guest", lambda: guest.poll() is not None, BOOT_S)
    text = console.read_text(errors="replace")
    assert f"QR-Code {LABEL}" in text and "scan: 0" in text and "document: 0 %PDF-" in text, text
