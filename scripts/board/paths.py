# SPDX-License-Identifier: GPL-2.0-only
"""Where the build leaves what the virtual board is made of."""

import json
import os
from pathlib import Path

from .errors import BoardError

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
RUN = BUILD / "run"
VBOARD = BUILD / "vboard"
BOOT_ROM = BUILD / "firmware" / "qs1-boot.elf"
# The board's own kernel, or the one that looks for faults, see scripts/debug-kernel.
KERNEL_SUFFIX = "-" + os.environ["QS1_KERNEL"] if os.environ.get("QS1_KERNEL") else ""
GUEST = BUILD / f"guest{KERNEL_SUFFIX}" / "guest.json"
DEFAULT_SCENARIO = Path(__file__).resolve().parent / "default.scn"


def need(path, target):
    """Return @path, or say which make target builds it when it is not there."""
    if not path.exists():
        raise BoardError(f"{path.relative_to(TOP)} is missing: run 'make {target}' first")
    return path


def guest_image(description=GUEST):
    """The guest's kernel, initrd and root file system, as absolute paths."""
    image = json.loads(need(description, "image").read_text())
    for key in ("kernel", "initrd", "root"):
        if key not in image:
            raise BoardError(f"{description}: expected a member '{key}', found {sorted(image)}")
        path = Path(image[key])
        image[key] = path if path.is_absolute() else TOP / path
        if not image[key].exists():
            raise BoardError(f"{description}: {key} names {image[key]}, which does not exist")
    return image
