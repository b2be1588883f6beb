# SPDX-License-Identifier: GPL-2.0-only
"""The virtual board of make run as one unit of a site: its linkd has a modem on a serial port."""

import subprocess

from board.board import Board
from board.paths import need

from .world import PROGRAM

# The guest's second serial port, and where linkd expects a modem.
PORT = "/dev/ttyS0"
LINK = "/dev/qs1-radio"


def start_link(board, label, ecu):
    """Give a running board its label, and start linkd at the modem of its serial port."""
    board.wait_service()
    agent = board.agent
    agent.check(f"umask 077; printf '%s\\n' '{label}' > /etc/qs1/label; chgrp qs1 /etc/qs1/label; chmod 640 /etc/qs1/label; systemctl restart qs1d")
    # The PAN of a stock ECU: the first two bytes of its identity, swapped.
    agent.check(f"chgrp dialout {PORT}; chmod g+rw {PORT}; printf 'pan %s\\n' '{ecu[2:4]}{ecu[0:2]}' > /etc/qs1/linkd.conf; "
                f"ln -sf {PORT} {LINK}; systemctl restart linkd; systemctl is-active linkd")


def whole_board(modem, **options):
    """A board whose guest has a 16550 at the pseudo terminal of a modem."""
    arguments = ["-chardev", f"serial,id=radio,path={modem}", "-device", "pci-serial,chardev=radio"]
    return Board(guest_args=arguments, **options)


def label_of(number):
    """Label of a simulated unit: its serial number, a colon, its install code."""
    program = need(PROGRAM, "site-programs")
    return subprocess.run([program, "--label", str(number)], capture_output=True, text=True,
                          check=True).stdout.strip()


def serial_of(label):
    """The serial number of a label."""
    return label.split(":")[0]


def row(board, serial):
    """Its part of the site's status."""
    status = board.status()
    grid, firmware = status["truth"]["grid"], status.get("firmware") or {}
    return {"serial": serial, "state": firmware.get("state") or "no firmware",
            "faults": firmware.get("faults_active", []), "refused": 0, "p_w": grid["p"], "v": grid["v"],
            "limit_w": None}
