"""Start worker processes soon, without running the user's script again.

A process is spawned that imports what workers need; they are forked from it. It has run nothing
of the user's and starts no thread of its own, so that a fork of it is as clean as a spawned
process, but there at once: also in place of one that was killed.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import context, forkserver, popen_forkserver, spawn
from multiprocessing.forkserver import ForkServer
from multiprocessing.reduction import ForkingPickler
from types import ModuleType
from typing import Any

__all__ = ["MainlessContext", "MainlessProcess", "prepare_workers"]

SPINNING = "GOMP_SPINCOUNT"
# What most trials need: they are not there sooner if it is imported for them.
PRELOADED = ["lightgbm", "autoimb.search.executors", "sklearn.linear_model", "sklearn.ensemble"]

_hiding = threading.RLock()
_server = ForkServer()
_server.set_forkserver_preload(PRELOADED)


def prepare_workers() -> None:
    """Have what workers need imported, beside whatever this process does meanwhile."""
    with _hiding, _interrupts_blocked(), _short_spinning(), _main_hidden():
        _server.ensure_running()


class MainlessProcess(context.ForkServerProcess):
    """A process that does not run the user's script again.

    By itself a child would import the parent's main module, so that a script without a guard
    would start itself over. Workers need nothing of it: it is hidden while the child is told
    what to import.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Have the child begin by `_begin_silently`, before anything else is imported."""
        return _begin_silently, (), self.__dict__

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        prepare_workers()
        with _hiding, _main_hidden():
            return _Popen(process_obj)


class _Popen(popen_forkserver.Popen):
    """A fork of our own server, for that of the standard library belongs to the user."""

    def _launch(self, process_obj: Any) -> None:
        written = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            ForkingPickler(written).dump(spawn.get_preparation_data(process_obj._name))
            ForkingPickler(written).dump(process_obj)
        finally:
            context.set_spawning_popen(None)
        self.sentinel, pipe = _server.connect_to_new_process(self._fds)
        # The child knows by the other end of it whether this process lives.
        alive = os.dup(pipe)
        self.finalizer = popen_forkserver.util.Finalize(
            self, popen_forkserver.util.close_fds, (alive, self.sentinel)
        )
        with open(pipe, "wb") as file:
            file.write(written.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


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
    # The server ends once nobody holds this: a child that hangs must not keep it, for it is by
    # the end of the server that the system ends such a child.
    with suppress(OSError, TypeError):
        os.close(forkserver._forkserver._forkserver_alive_fd)
    return MainlessProcess.__new__(MainlessProcess)


class MainlessContext(context.ForkServerContext):
    """The context that pebble makes its workers with."""

    Process = MainlessProcess
