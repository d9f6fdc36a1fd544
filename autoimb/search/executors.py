"""Where trials run: in worker processes that can be killed, or in this process."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Protocol, TypeVar

from pebble import ProcessExpired, ProcessFuture

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.tasks import Evaluation, Task, Training
from autoimb.search.resources import Resources
from autoimb.search.scratch import open_scratch
from autoimb.search.worker import Worker
from autoimb.strategy.pipeline import TrainedPipeline

__all__ = ["Executor", "InProcessExecutor", "WorkerExecutor", "open_executor"]

T = TypeVar("T")
PR_SET_PDEATHSIG = 1


class Executor(Protocol):
    """Something that evaluates configurations.

    Attributes
    ----------
    n_workers : int
        Tasks that run at once.
    """

    n_workers: int

    def submit(self, task: Task, limit: float | None) -> Future[Evaluation]:
        """Start an evaluation; its future raises TimeoutError beyond `limit` seconds."""

    def train(self, training: Training, limit: float | None) -> Future[TrainedPipeline]:
        """Start to train what is exported; its future raises TimeoutError beyond `limit`."""


class InProcessExecutor:
    """Evaluate in this process, one after the other: easy to debug, but nothing can be killed.

    Parameters
    ----------
    evaluator : Evaluator
    """

    n_workers = 1

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def submit(self, task: Task, limit: float | None) -> Future[Evaluation]:
        """Evaluate at once; the limit is looked at before every fold."""
        begun = time.monotonic()

        def check() -> None:
            if limit is not None and time.monotonic() - begun > limit:
                raise TimeoutError

        return _at_once(lambda: self.evaluator.evaluate(task, check))

    def train(self, training: Training, limit: float | None) -> Future[TrainedPipeline]:
        """Train at once, however long it takes."""
        return _at_once(lambda: self.evaluator.train(training))


def _at_once(call: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)
    except SystemExit as error:
        future.set_exception(RuntimeError(f"SystemExit: {error}"))
    return future


@dataclass(frozen=True)
class _Order:
    """What a worker is to do: a method of the evaluator, and what it is given."""

    method: str
    argument: Task | Training
    limit: float | None
    future: ProcessFuture[Any]


class WorkerExecutor:
    """Evaluate in worker processes; one that takes too long is killed alone.

    A future that is cancelled while it runs has its worker killed.

    Parameters
    ----------
    folder : Path
        Where the evaluator was saved.
    n_workers : int
    memory : int or None
        Bytes that one worker may take.
    """

    def __init__(self, folder: Path, n_workers: int, memory: int | None) -> None:
        self.folder = folder
        self.n_workers = n_workers
        self.memory = memory
        self._orders: Queue[_Order | None] = Queue()
        self._is_open = True
        self._threads = [Thread(target=self._serve, daemon=True) for _ in range(n_workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task, limit: float | None) -> Future[Evaluation]:
        """Queue an evaluation; the limit counts from its start."""
        return self._queue("evaluate", task, limit)

    def train(self, training: Training, limit: float | None) -> Future[TrainedPipeline]:
        """Queue a training; the limit counts from its start."""
        return self._queue("train", training, limit)

    def close(self) -> None:
        """Kill what still runs."""
        self._is_open = False
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join()

    def _queue(self, method: str, argument: Task | Training, limit: float | None) -> Future[Any]:
        future: ProcessFuture[Any] = ProcessFuture()
        self._orders.put(_Order(method, argument, limit, future))
        return future

    def _serve(self) -> None:
        """Have one worker carry out order after order."""
        worker = Worker(_prepare, (self.memory,))
        # It starts and loads the data while the parent does something else.
        with suppress(Exception):
            worker.run(_begin, (str(self.folder),), None, lambda: self._is_open)
        while (order := self._orders.get()) is not None and self._is_open:
            if order.future.set_running_or_notify_cancel():  # type: ignore[no-untyped-call]
                self._carry_out(order, worker)
        worker.close()

    def _carry_out(self, order: _Order, worker: Worker) -> None:
        arguments, future = (str(self.folder), order.method, order.argument), order.future

        def is_wanted() -> bool:
            return self._is_open and not future.cancelled()

        # Who cancels it meanwhile knows of its end.
        with suppress(InvalidStateError):
            try:
                future.set_result(self._run(order, worker, arguments, is_wanted))
            except BaseException as error:
                future.set_exception(error)

    def _run(
        self,
        order: _Order,
        worker: Worker,
        arguments: tuple[Any, ...],
        is_wanted: Callable[[], bool],
    ) -> Any:
        try:
            return worker.run(_obey, arguments, order.limit, is_wanted)
        except ProcessExpired:
            if order.method == "evaluate":
                raise
        # What is exported was evaluated before: its process was killed from outside, most likely.
        return worker.run(_obey, arguments, order.limit, is_wanted)


@contextmanager
def open_executor(evaluator: Evaluator, resources: Resources) -> Iterator[Executor]:
    """Open an executor, and stop what still runs at the end.

    Parameters
    ----------
    evaluator : Evaluator
    resources : Resources

    Yields
    ------
    Executor
    """
    if resources.executor == "in_process":
        yield InProcessExecutor(evaluator)
        return
    with open_scratch() as folder:
        evaluator.save(folder)
        executor = WorkerExecutor(folder, resources.n_workers, resources.memory)
        try:
            yield executor
        finally:
            executor.close()


def _prepare(memory: int | None) -> None:
    """Bound the memory of this worker, and have it end with its parent."""
    _limit_memory(memory)
    # On Linux the system does it, even while native code lets no thread of Python run.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Thread(target=_end_with_parent, daemon=True).start()


def _limit_memory(memory: int | None) -> None:
    """Have allocations beyond the limit fail, which is an error of one trial."""
    try:
        import resource
    except ImportError:  # a Unix module
        return
    if memory is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _end_with_parent() -> None:
    """Wait for the parent, and do not finish a trial that nobody waits for."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _begin(folder: str) -> None:
    """Load what most trials need."""
    import lightgbm  # noqa: F401

    _load_evaluator(folder)


@lru_cache(maxsize=1)
def _load_evaluator(folder: str) -> Evaluator:
    return Evaluator.load(Path(folder))


def _obey(folder: str, method: str, order: Task | Training) -> Evaluation | TrainedPipeline:
    """Evaluate or train inside a worker, which loads the data once."""
    try:
        found: Evaluation | TrainedPipeline = getattr(_load_evaluator(folder), method)(order)
        return found
    except BaseException as error:
        # One that asks for the end of the process, or cannot be rebuilt in the parent, would
        # bring more down than this call.
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        if not isinstance(error, Exception):
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        raise
