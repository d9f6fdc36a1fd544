"""Start worker processes soon, and without running the user's script again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any

__all__ = ["MainlessContext", "MainlessProcess", "prepare_workers"]

SPINNING = "GOMP_SPINCOUNT"
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
if CAN_FORK:
    from autoimb.search.forking import Fork, leave_server, start_server

_starting = threading.RLock()


def prepare_workers() -> None:
    """Have what workers need imported, while this process does something else."""
    if CAN_FORK:
        with _starting, _interrupts_blocked(), _short_spinning(), _main_hidden():
            start_server()


class MainlessProcess(SpawnProcess):
    """A process that does not run the user's script again.

    A child would else import the parent's main module, so that a script without a guard would
    start itself over. Workers need nothing of it: it is hidden while the child is told what to
    import. Where the system can, the child is forked from a process that was spawned once.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Have the child begin by `_begin_silently`, before anything else is imported."""
        return _begin_silently, (), self.__dict__

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        prepare_workers()
        with _starting, _interrupts_blocked(), _short_spinning(), _main_hidden():
            return Fork(process_obj) if CAN_FORK else SpawnProcess._Popen(process_obj)


@contextmanager
def _main_hidden() -> Iterator[None]:
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _short_spinning() -> Iterator[None]:
    """Have OpenMP's threads in a child wait for each other without burning a core for long.

    Where something else runs on the machine, a boosting model of two threads would else spend
    most of its time in waiting. It is read when the library is loaded, so that only the
    environment that a child starts with can tell it.
    """
    if SPINNING in os.environ:
        yield
        return
    os.environ[SPINNING] = "1000"
    try:
        yield
    finally:
        del os.environ[SPINNING]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Have a child start deaf to Ctrl-C, which is the parent's to act on.

    A mask is inherited, while ignoring the signal is up to code that the child has yet to import.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_silently() -> MainlessProcess:
    """Make the process object anew in a child, which first loses its output.

    What libraries print in a trial is no result of the user's, and a worker that is still
    starting when the pool is closed would show a traceback.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    if CAN_FORK:
        leave_server()
    return MainlessProcess.__new__(MainlessProcess)


class MainlessContext(SpawnContext):
    """The context that pebble makes its workers with."""

    Process = MainlessProcess
