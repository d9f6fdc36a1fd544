"""Files that commands write: whole or not at all, and never over another one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

__all__ = ["written"]


@contextmanager
def written(path: Path, option: str) -> Iterator[TextIO]:
    """Open a text file that takes its place when all of it is there.

    Parameters
    ----------
    path : Path
        A file in its way is renamed to NAME.1.
    option : str
        That named it, for messages.

    Yields
    ------
    text stream

    Raises
    ------
    UsageError
        At once if the file cannot be written.
    """
    from autoimb.manifest import make_readable, set_aside

    part = _start(path, option)
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        kept = set_aside(path)
        if kept:
            print(f"note: {path} was there already; it is kept as {kept.name}.", file=sys.stderr)
        make_readable(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _start(path: Path, option: str) -> Path:
    """Name the file to write into until all is there; find out whether it can be written."""
    from autoimb.errors import UsageError

    if str(path) == "-" or path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{option} {path}: name a file in an existing folder.")
    if path.exists() and not path.is_file():
        raise UsageError(f"{option} {path} is no regular file. Name another one.")
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
            return Path(part.name)
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be written ({error.strerror}).") from None
