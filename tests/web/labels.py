# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of labels, and what a camera would see of them."""

import subprocess

QUIET_MODULES = 4
SCALE_PX = 7
FRAME = (640, 480)
FRAMES = 10


def label_picture(text, path):
    """A PNG of the QR code of a text."""
    subprocess.run(["zint", "--barcode=QRCODE", "--quietzones", "--scale=4", f"--data={text}", f"--output={path}"],
                   check=True)
    return path


def modules_of(text):
    """Rows of True (dark) and False of the QR code of a text."""
    dump = subprocess.run(["zint", "--barcode=QRCODE", "--dump", f"--data={text}"], check=True, text=True,
                          capture_output=True).stdout.splitlines()
    return [[bit == "1" for byte in line.split() for bit in f"{int(byte, 16):0{4 * len(byte)}b}"][:len(dump)]
            for line in dump]


def camera_file(text, path):
    """A video in which the label stands still, for Chromium's fake camera (Y4M, 4:2:0)."""
    width, height = FRAME
    luma = bytearray(b"\xd0" * (width * height))
    rows = modules_of(text)
    side = (len(rows) + 2 * QUIET_MODULES) * SCALE_PX
    left, top = (width - side) // 2, (height - side) // 2
    assert left >= 0 and top >= 0, "the label is larger than the frame"
    for y in range(side):
        for x in range(side):
            row, column = y // SCALE_PX - QUIET_MODULES, x // SCALE_PX - QUIET_MODULES
            dark = 0 <= row < len(rows) and 0 <= column < len(rows) and rows[row][column]
            luma[(top + y) * width + left + x] = 20 if dark else 235
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (width * height // 2)
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * FRAMES)
    return path
