# SPDX-License-Identifier: GPL-2.0-only
"""The user's terminal: the guest's console above, a status area below.

The guest gets the rows above the status area as its whole screen. A scroll
region keeps its output there; what a full-screen program does to the region is
rewritten so that it can not leave it. Sequences: ECMA-48 and the VT100 manual.
"""

import os
import re
import shutil
import sys
import termios
import tty

ESC = b"\x1b"
STATUS_ROWS = 3

# One whole escape sequence: CSI, OSC/DCS/APC string, charset, or two bytes.
_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]"
    rb"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|[ -/]+[0-~]"
    rb"|[0-OQ-WYZ\\`-~=><])")
# The beginning of one that may still become whole.
_PARTIAL = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_CSI = re.compile(rb"\x1b\[([0-?]*)([ -/]*[@-~])\Z")
# A string sequence longer than this is line noise, not a title.
_PARTIAL_MAX = 4096


def _utf8_tail(data):
    """How many bytes at the end of @data begin an unfinished UTF-8 character."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < length else 0
        if byte < 0x80:
            return 0
    return 0


class RegionFilter:
    """Rewrites the guest's output so that it stays in rows 1..@rows."""

    def __init__(self, rows):
        self.rows = rows
        self.dirty = False
        self._held = b""

    @property
    def idle(self):
        """True between two sequences: something else may be written now."""
        return not self._held

    def region(self):
        """The sequence that sets our region without moving the cursor."""
        return b"\x1b7\x1b[1;%dr\x1b8" % self.rows

    def feed(self, data):
        """Returns what may be written; an unfinished sequence is held back."""
        data = self._held + data
        self._held = b""
        out = []
        position = 0
        while True:
            start = data.find(ESC, position)
            if start < 0:
                break
            out.append(data[position:start])
            match = _SEQUENCE.match(data, start)
            if match:
                out.append(self._rewrite(match.group()))
                position = match.end()
            elif len(data) - start < _PARTIAL_MAX and _PARTIAL.match(data, start):
                self._held = data[start:]
                return b"".join(out)
            else:
                out.append(ESC)
                position = start + 1
        rest = data[position:]
        cut = len(rest) - _utf8_tail(rest)
        self._held = rest[cut:]
        out.append(rest[:cut])
        return b"".join(out)

    def _rewrite(self, sequence):
        if sequence == b"\x1bc":
            self.dirty = True
            return sequence + self.region()
        match = _CSI.match(sequence)
        if not match:
            return sequence
        parameters, final = match.groups()
        if final == b"r" and not parameters.startswith(b"?"):
            return self._margins(parameters)
        if final in (b"H", b"f", b"d"):
            return self._cursor(parameters, final)
        if final == b"J":
            self.dirty = True
        elif final == b"!p" or (final in (b"h", b"l") and
                                parameters in (b"?1049", b"?1047", b"?47")):
            self.dirty = True
            return sequence + self.region()
        return sequence

    def _margins(self, parameters):
        top, bottom = _numbers(parameters, (1, self.rows))
        bottom = min(bottom, self.rows)
        return b"\x1b[%d;%dr" % (min(top, bottom), bottom)

    def _cursor(self, parameters, final):
        if final == b"d":
            return b"\x1b[%dd" % min(_numbers(parameters, (1,))[0], self.rows)
        row, column = _numbers(parameters, (1, 1))
        return b"\x1b[%d;%d%c" % (min(row, self.rows), column, final[0])


def _numbers(parameters, defaults):
    """The numeric parameters of a CSI sequence; empty or 0 means the default."""
    given = parameters.split(b";")
    values = []
    for index, default in enumerate(defaults):
        text = given[index] if index < len(given) else b""
        values.append(int(text) if text.isdigit() and int(text) else default)
    return values


class Terminal:
    """The real terminal in raw mode, with the status area at its bottom."""

    def __init__(self, fd_in=None, fd_out=None):
        self.fd_in = sys.stdin.fileno() if fd_in is None else fd_in
        self.fd_out = sys.stdout.fileno() if fd_out is None else fd_out
        self._saved = None
        self.columns = self.lines = 0
        self.filter = RegionFilter(1)

    def __enter__(self):
        self._saved = termios.tcgetattr(self.fd_in)
        tty.setraw(self.fd_in)
        self.measure()
        # Room for the status area without covering what is on the screen.
        self.write(b"\r\n" * STATUS_ROWS + b"\x1b[%dA" % STATUS_ROWS)
        self.write(self.filter.region())
        return self

    def __exit__(self, *_):
        self.write(b"\x1b[r\x1b[%d;1H\x1b[J\x1b[0m\x1b[?25h" % (self.rows + 1))
        termios.tcsetattr(self.fd_in, termios.TCSADRAIN, self._saved)

    @property
    def rows(self):
        """Rows that the guest has."""
        return max(1, self.lines - STATUS_ROWS)

    def measure(self):
        """Ask for the window's size; True when it changed."""
        size = shutil.get_terminal_size((80, 24))
        try:
            size = os.get_terminal_size(self.fd_out)
        except OSError:
            pass
        changed = (size.columns, size.lines) != (self.columns, self.lines)
        self.columns, self.lines = size.columns, size.lines
        self.filter.rows = self.rows
        self.filter.dirty = True
        return changed

    def write(self, data):
        """Write all of @data."""
        while data:
            data = data[os.write(self.fd_out, data):]

    def guest_output(self, data):
        """Show what the guest wrote."""
        self.write(self.filter.feed(data))

    def paint(self, status):
        """Draw the status area, unless the guest is within a sequence.

        @status is STATUS_ROWS rows of (text, attributes) pieces.
        """
        if not self.filter.idle:
            return
        out = [b"\x1b7"]
        if self.filter.dirty:
            out.append(b"\x1b[1;%dr" % self.rows)
            self.filter.dirty = False
        for index, pieces in enumerate(status):
            out.append(b"\x1b[%d;1H\x1b[0m" % (self.rows + 1 + index))
            left = self.columns
            for text, attributes in pieces:
                text = text[:left]
                left -= len(text)
                out.append(b"\x1b[0;%sm" % attributes.encode() + text.encode())
            out.append(b"\x1b[K")
        out.append(b"\x1b[0m\x1b8")
        self.write(b"".join(out))
