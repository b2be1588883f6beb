# SPDX-License-Identifier: GPL-2.0-only
"""The console's screen: the guest can not write into the status area."""

import pytest

from board.terminal import RegionFilter

ROWS = 21
REGION = b"\x1b7\x1b[1;21r\x1b8"


@pytest.mark.parametrize("sequence, expected", [
    (b"plain text\r\n", b"plain text\r\n"),
    (b"\x1b[1;31mred\x1b[0m", b"\x1b[1;31mred\x1b[0m"),
    (b"\x1b[r", b"\x1b[1;21r"),
    (b"\x1b[5;24r", b"\x1b[5;21r"),
    (b"\x1b[24;80H", b"\x1b[21;80H"),
    (b"\x1b[H", b"\x1b[1;1H"),
    (b"\x1b[999d", b"\x1b[21d"),
    (b"\x1b[?1049h", b"\x1b[?1049h" + REGION),
    (b"\x1bc", b"\x1bc" + REGION),
    (b"\x1b]0;title\x07", b"\x1b]0;title\x07"),
])
def test_guest_output_stays_above_the_status_area(sequence, expected):
    assert RegionFilter(ROWS).feed(sequence) == expected


@pytest.mark.parametrize("text", [b"\x1b[1;24r", b"\x1b]0;t\x07", "é".encode(), "●".encode()])
def test_a_split_sequence_gives_the_same_as_a_whole_one(text):
    whole = RegionFilter(ROWS).feed(text)
    for cut in range(1, len(text)):
        split = RegionFilter(ROWS)
        first = split.feed(text[:cut])
        assert not split.idle, f"something could be painted after {text[:cut]}"
        assert first + split.feed(text[cut:]) == whole
        assert split.idle


def test_erasing_the_display_asks_for_a_repaint():
    screen = RegionFilter(ROWS)
    screen.feed(b"\x1b[2J")
    assert screen.dirty
