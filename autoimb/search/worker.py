"""One worker process, which may be killed at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pebble import ProcessExpired, ProcessPool

from autoimb.search.spawning import MainlessContext

__all__ = ["Worker"]

# Processes in a row that end before they took a call up, after which it is given up.
MAX_STARTS = 3
# Seconds between looks at the clock.
LOOK = 0.05


class Worker:
    """A process that takes one call after the other, and is replaced when it has died.

    Each has a pool of its own: a process that is killed while it holds the lock of a shared
    one would stop the others. The limit is held here, since Pebble goes by the time of day,
    which somebody may set.

    Parameters
    ----------
    prepare : callable
        Is called as the process starts.
    arguments : tuple
        Of `prepare`.
    """

    def __init__(self, prepare: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._prepare = prepare
        self._arguments = arguments
        self._pool = self._open()

    def run(
        self,
        call: Callable[..., Any],
        arguments: tuple[Any, ...],
        limit: float | None,
        is_wanted: Callable[[], bool],
    ) -> Any:
        """Call in the process, and wait for the answer.

        Parameters
        ----------
        call : callable
            Importable by the process.
        arguments : tuple
        limit : float or None
            Seconds, from when the process takes the call up.
        is_wanted : callable
            Asked again and again; once it says no, the process is killed.

        Returns
        -------
        object

        Raises
        ------
        TimeoutError
            Beyond the limit.
        CancelledError
            If it is no longer wanted.
        ProcessExpired
            If the process ended during the call.
        BrokenProcessPool
            If process after process ended before the call.
        Exception
            Whatever the call raises.
        """
        for _ in range(MAX_STARTS - 1):
            try:
                return self._run(call, arguments, limit, is_wanted)
            except BrokenProcessPool:  # it died while it had nothing to do
                continue
        return self._run(call, arguments, limit, is_wanted)

    def close(self) -> None:
        """Kill the process."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _has_left(self) -> bool:
        """Tell whether the process that took the call up is gone: Pebble overlooks an exit by 0."""
        manager = self._pool._pool_manager
        taken_by = {task.worker_id for task in list(manager.task_manager.tasks.values())} - {0}
        return not taken_by <= set(manager.worker_manager.workers)

    def _open(self) -> ProcessPool:
        return ProcessPool(1, 0, self._prepare, self._arguments, MainlessContext())

    def _run(
        self,
        call: Callable[..., Any],
        arguments: tuple[Any, ...],
        limit: float | None,
        is_wanted: Callable[[], bool],
    ) -> Any:
        """Call once; a process that has died, or is to, is replaced."""
        try:
            future = self._schedule(call, arguments)
            self._await(future, limit, is_wanted)
            return future.result()
        except (BrokenProcessPool, ProcessExpired, TimeoutError, CancelledError):
            self.close()
            self._pool = self._open()
            raise

    def _schedule(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Future[Any]:
        try:
            return self._pool.schedule(call, args=arguments)
        except RuntimeError as error:  # as Pebble says that the process has died
            raise BrokenProcessPool(str(error)) from None

    def _await(
        self, future: Future[Any], limit: float | None, is_wanted: Callable[[], bool]
    ) -> None:
        begun = None
        while not wait([future], LOOK).done:
            if not is_wanted():
                raise CancelledError
            if not self._pool.active:
                raise BrokenProcessPool("the process died before it took a call up")
            if begun is None and future.running():
                begun = time.monotonic()
            # Looked at twice: one that has just started may not be known yet.
            if self._has_left() and not wait([future], LOOK).done and self._has_left():
                raise ProcessExpired("it ended by itself")  # type: ignore[no-untyped-call]
            if limit is not None and begun is not None and time.monotonic() - begun > limit:
                raise TimeoutError
