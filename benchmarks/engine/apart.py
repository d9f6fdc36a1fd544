"""A measurement in a process of its own, which answers with one line of JSON; and table lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

HERE = "--here"  # what tells a script that it is the child, before what it is to do


@dataclass(frozen=True)
class Child:
    """A script that runs apart."""

    name: str
    process: subprocess.Popen[bytes]
    output: IO[str]
    errors: IO[str]

    def answer(self, limit: float | None = None) -> dict[str, Any]:
        """Wait for the child, and read the last line that it printed."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            sys.exit(f"{self.name}: a run took more than {limit:.0f} s")
        self.errors.seek(0)
        self.output.seek(0)
        if status:
            sys.exit(f"{self.name}: a run failed\n{self.errors.read()[-2000:]}")
        return json.loads(self.output.read().splitlines()[-1])


@contextmanager
def start_child(
    script: str,
    order: Mapping[str, Any],
    folder: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Child]:
    """Start a script apart, with some environment variables; it does not outlive the block."""
    # files instead of pipes: nobody need read while the child writes
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, str(Path(script).resolve()), HERE, json.dumps(order)]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**variables, **os.environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        try:
            yield Child(Path(script).name, process, output, errors)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def run_apart(
    script: str, order: Mapping[str, Any], folder: Path | None = None, limit: float | None = None
) -> dict[str, Any]:
    """Run a script apart and return its answer."""
    with start_child(script, order, folder) as child:
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
