# SPDX-License-Identifier: GPL-2.0-only
"""The virtual board of make run as a unit of a site: its linkd uses a modem on a serial port."""

import subprocess

from board.board import Board
from board.paths import need

from .world import PROGRAM

# The guest's second serial port, and where linkd expects a modem.
PORT = "/dev/ttyS0"
LINK = "/dev/qs1-radio"


def write_label(board, label):
    """Give a running board its label."""
    board.wait_service()
    board.agent.check(f"umask 077; printf '%s\\n' '{label}' > /etc/qs1/label; chgrp qs1 /etc/qs1/label; "
                      "chmod 640 /etc/qs1/label; systemctl restart qs1d")


def start_link(board, label, ecu):
    """Give a running board its label, and start linkd at the modem of its serial port."""
    write_label(board, label)
    agent = board.agent
    # The PAN of a stock ECU: the first two bytes of its identity, swapped.
    agent.check(f"chgrp dialout {PORT}; chmod g+rw {PORT}; printf 'pan %s\\n' '{ecu[2:4]}{ecu[0:2]}' > /etc/qs1/linkd.conf; "
                f"ln -sf {PORT} {LINK}; systemctl restart linkd; systemctl is-active linkd")


def _serial_port(modem):
    """QEMU options that connect a 16550 of the guest to the pseudo terminal of a modem."""
    return ["-chardev", f"serial,id=radio,path={modem}", "-device", "pci-serial,chardev=radio"]


def whole_board(modem, **options):
    """A board with a separate world, connected to a modem."""
    return Board(guest_args=_serial_port(modem), **options)


class UnitBoard(Board):
    """A board as the first unit of a feeder, at a modem.

    @host: called with the options of the board's hardware; starts the program that has feeder and
           hardware, and returns the modem
    """

    def __init__(self, host, **options):
        super().__init__(**options)
        self._host = host

    def _start_vboard(self):
        self.guest_args += _serial_port(self._host(self.hardware()))


def label_of(number):
    """Label of a simulated unit: its serial number, a colon, its install code."""
    program = need(PROGRAM, "site-programs")
    return subprocess.run([program, "--label", str(number)], capture_output=True, text=True,
                          check=True).stdout.strip()


def serial_of(label):
    """The serial number of a label."""
    return label.split(":")[0]
