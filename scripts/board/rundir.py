# SPDX-License-Identifier: GPL-2.0-only
"""The private directory of one running board: sockets, shared memory, logs.

It is build/run/<pid>. Its owner holds a lock on build/run/<pid>/lock while it
lives; a directory whose lock is free belongs to a run that was killed, and the
next start removes it. The lock build/run/lock covers each step that makes or
removes a directory, so that no start sees the half-made directory of another.
The logs of the last run that failed are kept in build/run/failed.
"""

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from .paths import RUN

# A unix socket's path must fit 108 bytes, sun_path in unix(7).
SOCKET_PATH_MAX = 107


@contextlib.contextmanager
def _exclusive(top):
    """No other run makes or removes a directory in @top meanwhile."""
    with open(top / "lock", "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lock(directory):
    """Take the directory's lock; None when its owner still lives."""
    handle = open(directory / "lock", "w", encoding="ascii")  # pylint: disable=consider-using-with
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


def _remove_stale(top):
    for directory in top.glob("[0-9]*"):
        if not directory.is_dir():
            continue
        handle = _lock(directory)
        if handle:
            shutil.rmtree(directory, ignore_errors=True)
            handle.close()


def clean_stale(top=RUN):
    """Remove what killed runs left behind."""
    with _exclusive(top):
        _remove_stale(top)


class RunDir:
    """Context manager around one run directory."""

    def __init__(self, top=RUN):
        self.top = top
        self.path = None
        self._handle = None

    def __enter__(self):
        self.top.mkdir(parents=True, exist_ok=True)
        with _exclusive(self.top):
            _remove_stale(self.top)
            name = str(os.getpid())
            serial = 0
            while (self.top / name).exists():
                serial += 1
                name = f"{os.getpid()}-{serial}"
            self.path = self.top / name
            self.path.mkdir(mode=0o700)
            self._handle = _lock(self.path)
        return self

    def socket(self, name):
        """Path of a socket, short enough for the kernel.

        A clone deep in a file system would overflow sun_path; the path relative
        to the working directory, which all processes of the board share, is
        used then.
        """
        path = str(self.path / name)
        if len(path) > SOCKET_PATH_MAX:
            path = os.path.relpath(path)
        return Path(path)

    def file(self, name):
        """Path of an ordinary file of this run."""
        return self.path / name

    def keep_logs(self):
        """Copy the logs to build/run/failed; returns that directory."""
        kept = self.top / "failed"
        with _exclusive(self.top):
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir()
            for log in self.path.glob("*.log"):
                shutil.copy(log, kept)
        return kept

    def __exit__(self, *_):
        with _exclusive(self.top):
            shutil.rmtree(self.path, ignore_errors=True)
            if self._handle:
                self._handle.close()
