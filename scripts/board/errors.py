# SPDX-License-Identifier: GPL-2.0-only
"""The one exception that the user sees as a message, not as a traceback."""


class BoardError(Exception):
    """Something the user can act on: what was expected, what was found, where."""
