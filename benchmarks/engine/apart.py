"""A measurement in a process of its own, which answers with one line of JSON; and table lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = "--here"  # what tells a script that it is the child, before what it is to do


class Child:
    """A script that runs apart; use it in a `with`, and it does not outlive the block."""

    def __init__(self, script: str, order: Mapping[str, Any], folder: Path | None = None) -> None:
        # files instead of pipes: nobody need read while the child writes
        self._files = ExitStack()
        self._answer = self._files.enter_context(tempfile.TemporaryFile("w+"))
        self._errors = self._files.enter_context(tempfile.TemporaryFile("w+"))
        self.name = Path(script).name
        self.process = subprocess.Popen(
            [sys.executable, str(Path(script).resolve()), HERE, json.dumps(order)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self._answer,
            stderr=self._errors,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._files.close()

    def answer(self, limit: float | None = None) -> dict[str, Any]:
        """Wait for the child, and read the last line that it printed."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            sys.exit(f"{self.name}: a run took more than {limit:.0f} s")
        self._errors.seek(0)
        self._answer.seek(0)
        if status:
            sys.exit(f"{self.name}: a run failed\n{self._errors.read()[-2000:]}")
        return json.loads(self._answer.read().splitlines()[-1])


def run_apart(
    script: str, order: Mapping[str, Any], folder: Path | None = None, limit: float | None = None
) -> dict[str, Any]:
    """Run a script apart and return its answer."""
    with Child(script, order, folder) as child:
        return child.answer(limit)


def find_order() -> dict[str, Any] | None:
    """Return what this process is to do if it is a child."""
    return json.loads(sys.argv[2]) if sys.argv[1:2] == [HERE] else None


def reply(answer: Mapping[str, Any]) -> None:
    """Answer the parent; a child ends with it."""
    print("\n" + json.dumps(answer), flush=True)


def print_line(*cells: object) -> None:
    """Print a line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_header(*names: str) -> None:
    """Print the head of a table."""
    print_line(*names)
    print_line(*["---"] * len(names))


def print_machine() -> None:
    """Print what the numbers below it depend on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start\n", flush=True)
