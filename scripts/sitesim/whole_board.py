# SPDX-License-Identifier: GPL-2.0-only
"""The virtual board of make run as one unit of a site: its linkd has a modem on a serial port."""

from board.board import Board

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


def serial_of(number):
    """Serial number of a simulated unit."""
    return f"8060{number:08d}"


def label_of(number):
    """Its label. The install code is the number, counted on, with its CRC-16/X-25."""
    code = bytes((number + i) & 0xFF for i in range(16))
    crc = 0xFFFF
    for byte in code:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return f"{serial_of(number)}:{(code + (crc ^ 0xFFFF).to_bytes(2, 'little')).hex().upper()}"


def row(board):
    """Its part of the site's status."""
    status = board.status()
    grid, firmware = status["truth"]["grid"], status.get("firmware") or {}
    return {"serial": serial_of(1), "state": firmware.get("state") or "no firmware",
            "faults": firmware.get("faults_active", []), "refused": 0, "p_w": grid["p"], "v": grid["v"],
            "limit_w": None}
