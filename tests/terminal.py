"""A terminal to run commands in, and what it shows in the end."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 60.0
# Cursor up, erase the line, back to its beginning, on to the next: all that a live view uses.
PIECES = re.compile(r"\x1b\[(\d*)A|(\x1b\[2K)|\x1b\[[?\d;]*[a-zA-Z]|(\r)|(\n)|(.)", re.DOTALL)


def run_in_terminal(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    size: tuple[int, int] = (24, 80),
    interrupt_at: str | None = None,
) -> tuple[int, str]:
    """Run a command, press Ctrl-C once a text is seen; return its exit code and all it wrote."""
    here, there = pty.openpty()
    termios.tcsetwinsize(there, size)
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=there, stdout=there, stderr=there,
        start_new_session=True, preexec_fn=_control,
    )  # fmt: skip
    os.close(there)
    written, deadline = b"", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if select.select([here], [], [], 0.1)[0]:
                try:
                    found = os.read(here, 65536)
                except OSError:  # what Linux says once nobody holds the other end
                    break
                written += found
            if interrupt_at and interrupt_at in written.decode(errors="ignore"):
                os.write(here, b"\x03")
                interrupt_at = None
        return process.wait(max(deadline - time.monotonic(), 1.0)), written.decode()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(here)


def _control() -> None:
    """Make the terminal the one that Ctrl-C is pressed in."""
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def screen(written: str) -> list[str]:
    """Return the lines that are left to be seen."""
    lines: list[str] = [""]
    row = column = 0
    for up, erased, returned, ended, character in PIECES.findall(written):
        if up:
            row = max(row - int(up), 0)
        elif erased:
            lines[row] = ""
        elif returned:
            column = 0
        elif ended:
            row += 1
            lines += [""] * (row == len(lines))
        elif character:
            lines[row] = f"{lines[row][:column]:<{column}}{character}{lines[row][column + 1 :]}"
            column += 1
    return lines
