"""Where trials run: in worker processes that can be killed, or in this process."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from pebble import ProcessPool

from autoimb.evaluation.engine import Evaluation, Evaluator
from autoimb.strategy.configuration import Configuration

__all__ = ["Executor", "InProcessExecutor", "WorkerExecutor", "open_executor"]


class Executor(Protocol):
    """Something that evaluates configurations."""

    def submit(self, configuration: Configuration, limit: float | None) -> Future[Evaluation]:
        """Start an evaluation; its future raises TimeoutError beyond `limit` seconds."""


class InProcessExecutor:
    """Evaluate in this process, one after the other: easy to debug, but nothing can be killed.

    Parameters
    ----------
    evaluator : Evaluator
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def submit(self, configuration: Configuration, limit: float | None) -> Future[Evaluation]:
        """Evaluate at once; the limit is looked at before every fold."""
        future: Future[Evaluation] = Future()
        begun = time.monotonic()

        def check() -> None:
            if limit is not None and time.monotonic() - begun > limit:
                raise TimeoutError

        try:
            future.set_result(self.evaluator.evaluate(configuration, check))
        except Exception as error:
            future.set_exception(error)
        return future


class WorkerExecutor:
    """Evaluate in worker processes; one that takes too long is killed alone.

    Parameters
    ----------
    folder : Path
        Where the evaluator was saved.
    pool : ProcessPool
    """

    def __init__(self, folder: Path, pool: ProcessPool) -> None:
        self.folder = folder
        self.pool = pool

    def submit(self, configuration: Configuration, limit: float | None) -> Future[Evaluation]:
        """Queue an evaluation; the limit counts from its start."""
        future: Future[Evaluation] = self.pool.schedule(
            _evaluate, args=(str(self.folder), configuration), timeout=limit
        )
        return future


@contextmanager
def open_executor(evaluator: Evaluator, n_workers: int) -> Iterator[Executor]:
    """Open an executor, and stop what still runs at the end.

    Parameters
    ----------
    evaluator : Evaluator
    n_workers : int
        1 evaluates in this process.

    Yields
    ------
    Executor
    """
    # A daemonic process, such as another pool's worker, may not have children.
    if n_workers == 1 or multiprocessing.current_process().daemon:
        yield InProcessExecutor(evaluator)
        return
    with tempfile.TemporaryDirectory(prefix="autoimb-") as name:
        evaluator.save(Path(name))
        pool = ProcessPool(max_workers=n_workers, context=_MainlessContext())
        try:
            yield WorkerExecutor(Path(name), pool)
        finally:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()


@lru_cache(maxsize=1)
def _load_evaluator(folder: str) -> Evaluator:
    return Evaluator.load(Path(folder))


def _evaluate(folder: str, configuration: Configuration) -> Evaluation:
    """Evaluate inside a worker, which loads the data once."""
    try:
        return _load_evaluator(folder).evaluate(configuration)
    except Exception as error:
        # An error that cannot be rebuilt in the parent would bring the whole pool down.
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        raise


class _MainlessProcess(SpawnProcess):
    """A spawned process that does not run the user's script again.

    Spawning makes the child import the parent's main module, so that a script without
    a guard would start itself over. Workers need nothing of it: it is hidden while
    the child is told what to import.
    """

    _hiding = threading.Lock()

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _MainlessProcess._hiding, _interrupts_blocked(), _output_discarded():
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                return SpawnProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = main


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


@contextmanager
def _output_discarded() -> Iterator[None]:
    """Have a child start with nowhere to print.

    What libraries print in a trial is no result of the user's, and a worker that is still
    starting when the pool is closed would show a traceback. The files are inherited, so that this
    process lacks them for the moment of the start.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
        for number in (nowhere, *kept):
            os.close(number)


class _MainlessContext(SpawnContext):
    """The context that pebble makes its workers with."""

    Process = _MainlessProcess
