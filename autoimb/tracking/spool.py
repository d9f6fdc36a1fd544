"""What is to be written, kept until the store takes it.

One thread writes, in order. What fails because the store does not answer is tried again while the
fit goes on, and for some seconds after its end: the fit waits for nothing else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from autoimb.errors import one_line
from autoimb.tracking.store import without_password

__all__ = ["Spool"]

# Seconds from one attempt to the next: while the fit goes on, and after its end.
PAUSE, PAUSE_AT_END = 2.0, 0.5
# Seconds after the end of a fit in which a store may come back, and that giving it up then may
# take.
GRACE, LAST_WORD = 5.0, 2.0
# What MLflow calls errors of a store that does not answer, or not in time.
PASSING = {
    "ABORTED", "COULD_NOT_ACQUIRE_LOCK", "DEADLINE_EXCEEDED", "IO_ERROR",
    "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "SERVICE_UNDER_MAINTENANCE",
    "TEMPORARILY_UNAVAILABLE", "WORKSPACE_TEMPORARILY_UNAVAILABLE",
}  # fmt: skip
# What it calls all other errors: those of the way to the store, and whatever it does not expect.
ANY_ERROR = "INTERNAL_ERROR"
TOO_MANY_REQUESTS, SERVER_ERRORS = 429, 500


class Spool:
    """Has a thread do one task after the other, and again what a store did not take.

    Parameters
    ----------
    is_open : callable
        Whether the store has answered before: if it never has, it is not waited for.
    give_up : callable
        Told, by the thread, why nothing more is written. Of a store that did not answer in time it
        may fail, or not come to its end.

    Attributes
    ----------
    failure : str
        Why nothing more is written, in one line; empty as long as there is hope.
    """

    def __init__(self, is_open: Callable[[], bool], give_up: Callable[[str], None]) -> None:
        self.failure = ""
        self._is_open = is_open
        self._give_up = give_up
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._left: deque[str] = deque()
        self._ended = threading.Event()
        self._deadline = 0.0
        self._trouble = ""
        # A daemon, so that it never keeps a process alive that the user wants to end.
        self._thread = threading.Thread(target=self._work, name="autoimb-tracking", daemon=True)

    @property
    def is_begun(self) -> bool:
        """Whether there is a thread."""
        return self._thread.ident is not None

    @property
    def left(self) -> list[str]:
        """What is not written yet, in order."""
        return list(self._left)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, what: str, task: Callable[[], None]) -> None:
        """Have something done, unless nothing more is."""
        if not self.failure:
            self._left.append(what)
            self._tasks.put(task)

    def close(self, patience: float) -> None:
        """Wait until all is done, or it is clear that it will not be.

        Parameters
        ----------
        patience : float
            Seconds that are waited at most.
        """
        now = time.monotonic()
        self._deadline = now + min(GRACE, patience - LAST_WORD)
        self._tasks.put(None)
        self._ended.set()
        while self._thread.is_alive() and time.monotonic() < now + patience:
            # A request that hangs need not be waited for: the one before it has failed.
            if self._trouble and time.monotonic() > self._deadline + LAST_WORD:
                break
            self._thread.join(0.1)
        if self._thread.is_alive():
            self.failure = self.failure or self._trouble or f"not done after {patience:.0f} s"

    def _work(self) -> None:
        """Do tasks until there are no more, or one cannot be done."""
        try:
            with _silenced(threading.get_ident()):
                while (task := self._tasks.get()) is not None:
                    self._do(task)
                    self._left.popleft()
        except Exception as error:
            self.failure = without_password(one_line(error))
            with suppress(Exception):
                self._give_up(self.failure)

    def _do(self, task: Callable[[], None]) -> None:
        while True:
            try:
                task()
                self._trouble = ""
                return
            except Exception as error:
                is_late = self._ended.is_set() and time.monotonic() > self._deadline
                if is_late or not (self._is_open() and _may_pass(error)):
                    raise
                self._trouble = without_password(one_line(error))
            if self._ended.is_set():
                time.sleep(PAUSE_AT_END)
            self._ended.wait(PAUSE)


def _may_pass(error: Exception) -> bool:
    """Tell a store that does not answer from one that says no."""
    if isinstance(error, ImportError):
        return False
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return _is_on_the_way(error)
    if error.error_code == ANY_ERROR:
        return any(map(_is_on_the_way, _causes(error)))
    return error.error_code in PASSING


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what led to an error, the last first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_on_the_way(error: BaseException) -> bool:
    """Tell whether a request did not get to the store, or a server or database was not ready."""
    from requests import exceptions as http
    from sqlalchemy.exc import OperationalError
    from urllib3 import exceptions as wire

    if isinstance(error, http.HTTPError):
        status = getattr(error.response, "status_code", 0)
        return status >= SERVER_ERRORS or status == TOO_MANY_REQUESTS
    broken = http.ConnectionError | http.Timeout | http.RetryError | http.ChunkedEncodingError
    cut = wire.MaxRetryError | wire.ProtocolError | wire.TimeoutError
    return isinstance(error, ConnectionError | TimeoutError | broken | cut | OperationalError)


@contextmanager
def _silenced(thread: int) -> Iterator[None]:
    """Keep from stderr what MLflow logs in a thread: tables created, requests repeated."""
    import mlflow  # sets up the handlers of its loggers

    def is_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loud: list[logging.Filterer] = [logging.getLogger("urllib3.connectionpool")]
    for name in (mlflow.__name__, "alembic"):
        loud += logging.getLogger(name).handlers
    for each in loud:
        each.addFilter(is_elsewhere)
    try:
        yield
    finally:
        for each in loud:
            each.removeFilter(is_elsewhere)
