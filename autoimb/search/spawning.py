"""Start worker processes soon, and without running the user's script again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from autoimb.search.hiding import main_hidden

__all__ = ["MainlessContext", "MainlessProcess", "prepare_workers"]

SPINNING = "GOMP_SPINCOUNT"
# Elsewhere libraries start threads as they are imported, which a fork would lose.
CAN_FORK = sys.platform == "linux"
if CAN_FORK:
    from autoimb.search.forking import Fork, leave_server, start_server

_starting = threading.Lock()


def prepare_workers() -> bool:
    """Have what workers need imported, while this process does something else.

    Returns
    -------
    bool
        Whether there is a process that workers can be forked from.
    """
    if not CAN_FORK:
        return False
    # By itself it would start later, and let interrupts through again.
    resource_tracker.ensure_running()
    with _starting, _interrupts_blocked(), _short_spinning(), suppress(OSError):
        start_server()
        return True
    return False


class MainlessProcess(SpawnProcess):
    """A process that does not run the user's script again.

    A child would else import the parent's main module, so that a script without a guard would
    start itself over. Workers need nothing of it: it is hidden while the child is told what to
    import. Where the system can, the child is forked from a process that was spawned once.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Have the child begin by `_begin_silently`, before anything else is imported."""
        return _begin_silently, (dict(os.environ),), self.__dict__

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        if prepare_workers():
            return Fork(process_obj)
        with _starting, _interrupts_blocked(), _short_spinning(), main_hidden():
            return SpawnProcess._Popen(process_obj)


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


def _begin_silently(environment: dict[str, str]) -> MainlessProcess:
    """Make the process object anew in a child, which first loses its output.

    What libraries print in a trial is no result of the user's, and a worker that is still
    starting when the pool is closed would show a traceback. The environment may have changed
    since the process was started that it is a fork of.
    """
    os.environ.update(environment)
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
