"""Follow a fit and have one thread write it to MLflow.

The search waits neither for the import of MLflow nor for its store, and whatever goes wrong
there is one warning.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from autoimb.data.dataset import Dataset
from autoimb.errors import AutoImbWarning, one_line
from autoimb.final_test import FinalTest
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord
from autoimb.tracking.registry import RegisteredModel
from autoimb.tracking.spool import Spool
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
TRIAL = "trial"


@contextmanager
def open_tracker(
    tracking_uri: str | None,
    experiment: str | None,
    run_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    register: str | None = None,
) -> Iterator[list[Tracker]]:
    """Track the fit that runs inside.

    Parameters
    ----------
    tracking_uri : str or None
        MLflow store; None takes `default_tracking_uri`, "off" tracks nothing.
    experiment : str or None
        "autoimb" by default.
    run_name : str, optional
        Until the end, when data and strategy name the run; by default the name of the data.
    tags : mapping of str to str, optional
        Of the run, such as where the data came from.
    register : str, optional
        What to register the model as.

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
    writer = RunWriter(with_absolute_path(uri), experiment or EXPERIMENT, run_name, tags or {})
    tracker = Tracker(writer, register)
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
    writer : RunWriter
    register : str, optional
        What to register the model as.

    Attributes
    ----------
    uri, experiment_id, run_id : str or None
        Where the fit is tracked, once its run was created.
    registered : RegisteredModel or None
        What the model became in the registry, once it did.
    """

    def __init__(self, writer: RunWriter, register: str | None = None) -> None:
        self._writer = writer
        self._register = register
        self._is_finished = False
        self._spool = Spool(lambda: self.run_id is not None, self._give_up)
        self._patience = PATIENCE
        self._is_interrupted = False
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

    @property
    def registered(self) -> RegisteredModel | None:
        """What the model became in the registry."""
        return self._writer.registered

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Create the parent run, with the profile."""
        self._spool.begin()
        self._put("the run", self._writer.start, dataset, profile, plan)
        self._put("the profile", self._prepare, profile)

    def told(self, record: TrialRecord) -> None:
        """Write a trial as a child run."""
        self._put(TRIAL, self._writer.add_trial, record)

    def finished(self, result: FitResult) -> None:
        """Write the outcome, its figures and the model."""
        self._put("the outcome and the model", self._writer.finish, result)
        self._is_finished = True

    def tested(self, test: FinalTest, card: Path) -> None:
        """Write how the model does on untouched rows, and the card that tells of it."""
        self._put("the scores on untouched rows", self._writer.add_test, test, card)

    def reported(self, page: str) -> None:
        """Write the report."""
        self._put("the report", self._writer.add_report, page)

    def ended_by(self, error: BaseException) -> None:
        """Note on the parent run that the fit was cut short."""
        status, self._is_finished = "FAILED", False
        if not isinstance(error, Exception):
            status, self._patience = "KILLED", PATIENCE_INTERRUPTED
            self._is_interrupted = True
        self._put("the end", self._writer.end, status, {"failure": one_line(error)})

    def close(self) -> None:
        """Wait until all is written, though not for ever, and warn if something was not."""
        # At the very end: a registry that refuses the model keeps nothing else from being written.
        if self._is_finished and self._register is not None:
            self._put("the registration", self._writer.register, self._register)
        if self._spool.is_begun:
            self._spool.close(self._patience)
            self._warn()

    def _prepare(self, profile: Profile, *, now: int) -> None:
        # There may be no time for it if the end of the run is to be noted.
        if not self._is_interrupted:
            self._writer.prepare(profile, now=now)

    def _put(self, what: str, method: Callable[..., None], *arguments: Any) -> None:
        self._warn()
        self._spool.put(what, partial(method, *arguments, now=_now()))

    def _give_up(self, failure: str) -> None:
        self._writer.end("FAILED", {"tracking_failure": failure}, now=_now())

    def _warn(self) -> None:
        """Warn once, from the thread of the user."""
        if not self._spool.failure or self._has_warned:
            return
        self._has_warned = True
        where = without_password(self._writer.store)
        warnings.warn(
            f"MLflow tracking failed and the fit goes on: {where}: {self._spool.failure}. "
            f"{self._advise()}",
            AutoImbWarning,
            stacklevel=2,
        )

    def _advise(self) -> str:
        """Say what is not written, and how it can be."""
        if self.run_id is None:
            return "Give another tracking URI, or 'off'."
        missing = f"Not written: {_list(self._spool.left)}."
        folder = self._writer.tags.get("run_dir")
        if folder is None:
            return f"{missing} Give another tracking URI, or 'off'."
        return (
            f"{missing} The same fit with --run-dir {folder} --resume (in Python resume) writes "
            "all of it, without another trial."
        )


def _list(left: list[str]) -> str:
    """Name what is left to write, trials by their number."""
    counts = Counter(left)
    names = {TRIAL: f"{counts[TRIAL]} trial{'s' * (counts[TRIAL] > 1)}"}
    return ", ".join(names.get(what, what) for what in counts)


def _now() -> int:
    """Milliseconds, as MLflow counts time."""
    return round(1000 * time.time())
