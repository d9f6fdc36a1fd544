"""A folder for what workers read, of which nothing is left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["open_scratch"]

PREFIX = "autoimb-workers-"
# Without this file in it, a folder of such a name is somebody else's.
MARK = "made-by-autoimb"
# Seconds after which a folder that nobody holds is taken for one of a process that was killed.
ABANDONED = 60.0


@contextmanager
def open_scratch() -> Iterator[Path]:
    """Make a folder of this process, and remove it at the end; before, those of killed ones.

    A process that is killed cannot remove its own, which for a large table takes much of the
    disk: the next one does.

    Yields
    ------
    Path

    Examples
    --------
    >>> with open_scratch() as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or gone meanwhile
            _remove_if_abandoned(path)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, _held(Path(name)):
        (Path(name) / MARK).touch()
        yield Path(name)


def _remove_if_abandoned(path: Path) -> None:
    is_old = time.time() - path.stat().st_mtime > ABANDONED
    if is_old and (path / MARK).is_file():
        with _held(path) as is_free:
            if is_free:
                shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder until the end or the death of this process; tell whether nobody else does."""
    descriptor = None if os.name == "nt" else os.open(folder, os.O_RDONLY)
    try:
        yield descriptor is not None and _lock(descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    import fcntl  # a Unix module

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
