"""Follow a fit and have one thread write it to MLflow.

The search waits neither for the import of MLflow nor for its store, and whatever goes wrong
there is one warning.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from autoimb.data.dataset import Dataset
from autoimb.errors import AutoImbWarning, one_line
from autoimb.final_test import FinalTest
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord
from autoimb.tracking.store import (
    EXPERIMENT,
    default_tracking_uri,
    environment,
    with_absolute_path,
    without_password,
)
from autoimb.tracking.writer import RunWriter

__all__ = ["Tracker", "open_tracker"]

# Seconds that the end of a fit waits for what is still to be written; an interrupted one less.
PATIENCE = 60.0
PATIENCE_INTERRUPTED = 5.0


@contextmanager
def open_tracker(
    tracking_uri: str | None,
    experiment: str | None,
    run_name: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[list[Tracker]]:
    """Track the fit that runs inside.

    Parameters
    ----------
    tracking_uri : str or None
        MLflow store; None takes `default_tracking_uri`, "off" tracks nothing.
    experiment : str or None
        "autoimb" by default.
    run_name : str, optional
        By default the name of the data and, in the end, the strategy.
    tags : mapping of str to str, optional
        Of the run, such as where the data came from.

    Yields
    ------
    list of Tracker
        The watchers to hand to the fit: one, or none. Leaving waits until all is written.

    Warns
    -----
    AutoImbWarning
        Once, if tracking failed.

    Examples
    --------
    >>> with open_tracker("off", None) as trackers:
    ...     trackers
    []
    """
    uri = tracking_uri or default_tracking_uri()
    if uri == "off":
        yield []
        return
    tracker = Tracker(with_absolute_path(uri), experiment or EXPERIMENT, run_name, tags)
    with environment(uri):
        try:
            yield [tracker]
        except BaseException as error:
            tracker.ended_by(error)
            raise
        finally:
            tracker.close()


class Tracker:
    """Follows a fit and has a thread write it to MLflow.

    Parameters
    ----------
    store : str
        URI of the store.
    experiment : str
    run_name : str, optional
    tags : mapping of str to str, optional

    Attributes
    ----------
    uri, experiment_id, run_id : str or None
        Where the fit is tracked, once its run was created.
    """

    def __init__(
        self,
        store: str,
        experiment: str,
        run_name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._writer = RunWriter(store, experiment, run_name, tags or {})
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon, so that it never keeps a process alive that the user wants to end.
        self._thread = threading.Thread(target=self._work, name="autoimb-tracking", daemon=True)
        self._patience = PATIENCE
        self._is_interrupted = False
        self._failure = ""
        self._has_warned = False

    @property
    def uri(self) -> str | None:
        """The store, once the parent run was created there."""
        return self._writer.store if self.run_id else None

    @property
    def experiment_id(self) -> str | None:
        """Of the experiment, once the parent run was created."""
        return self._writer.experiment_id if self.run_id else None

    @property
    def run_id(self) -> str | None:
        """Of the parent run, once it was created."""
        return self._writer.run_id

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Create the parent run, with the profile."""
        self._thread.start()
        self._put(self._writer.start, dataset, profile, plan)
        self._put(self._prepare, profile)

    def told(self, record: TrialRecord) -> None:
        """Write a trial as a child run."""
        self._put(self._writer.add_trial, record)

    def finished(self, result: FitResult) -> None:
        """Write the outcome, its figures and the model."""
        self._put(self._writer.finish, result)

    def tested(self, test: FinalTest, card: Path) -> None:
        """Write how the model does on untouched rows, and the card that tells of it."""
        self._put(self._writer.add_test, test, card)

    def ended_by(self, error: BaseException) -> None:
        """Note on the parent run that the fit was cut short."""
        status = "FAILED"
        if not isinstance(error, Exception):
            status, self._patience = "KILLED", PATIENCE_INTERRUPTED
            self._is_interrupted = True
        self._put(self._writer.end, status, {"failure": one_line(error)})

    def close(self) -> None:
        """Wait until all is written, though not for ever, and warn if something was not."""
        if self._thread.ident is None:
            return
        self._tasks.put(None)
        self._thread.join(self._patience)
        if self._thread.is_alive():
            self._failure = self._failure or f"not done {self._patience:.0f} s after the fit"
        self._warn()

    def _prepare(self, profile: Profile, *, now: int) -> None:
        # There may be no time for it if the end of the run is to be noted.
        if not self._is_interrupted:
            self._writer.prepare(profile, now=now)

    def _put(self, method: Callable[..., None], *arguments: Any) -> None:
        self._warn()
        if not self._failure:
            self._tasks.put(partial(method, *arguments, now=round(1000 * time.time())))

    def _warn(self) -> None:
        """Warn once, from the thread of the user."""
        if self._failure and not self._has_warned:
            self._has_warned = True
            where = without_password(self._writer.store)
            warnings.warn(
                f"MLflow tracking failed and the fit goes on: {where}: {self._failure}. "
                "Give another tracking URI, or 'off'.",
                AutoImbWarning,
                stacklevel=2,
            )

    def _work(self) -> None:
        """Run tasks until there are no more, or one fails."""
        try:
            with _silenced(threading.get_ident()):
                while (task := self._tasks.get()) and not self._failure:
                    task()
        except Exception as error:
            self._failure = without_password(one_line(error))
            tags = {"tracking_failure": self._failure}
            with suppress(Exception):
                self._writer.end("FAILED", tags, now=round(1000 * time.time()))


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
