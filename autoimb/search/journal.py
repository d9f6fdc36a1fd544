"""What a search leaves on disk while it runs, so that it can go on after a crash."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from optuna.storages.journal import BaseJournalBackend

from autoimb.arrays import AnyArray
from autoimb.errors import AutoImbWarning
from autoimb.evaluation.scoring import Score
from autoimb.evaluation.tasks import Evaluation

__all__ = ["EvaluationFolder", "FileJournal", "read_scores", "write_scores"]


class FileJournal(BaseJournalBackend):
    """Optuna's journal, written by one process alone: a line for each operation.

    What is written survives the death of the process. A last line that it did not finish is cut
    off when the journal is opened. Where nothing can be written, one warning says so and the
    study goes on in memory.

    Parameters
    ----------
    path : Path
        Is created if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._logs: list[dict[str, Any]] = []
        self._writable = True
        path.touch()
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        self._logs = [json.loads(line) for line in content[:whole].splitlines()]
        if whole < len(content):
            os.truncate(path, whole)
        self._size = whole

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the operations from a number on."""
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add operations."""
        # As they would be read again: whole numbers for enumerations, text for keys.
        lines = [json.dumps(log, separators=(",", ":")) for log in logs]
        self._logs += map(json.loads, lines)
        if self._writable:
            self._write("".join(f"{line}\n" for line in lines).encode())

    def _write(self, content: bytes) -> None:
        try:
            with self.path.open("ab") as file:
                file.write(content)
            self._size += len(content)
        except OSError as error:
            self._writable = False
            with suppress(OSError):
                os.truncate(self.path, self._size)
            warnings.warn(
                f"{self.path} cannot be written ({error.strerror}): the search goes on, but "
                "--resume would begin where the file ends. Make room on the disk.",
                AutoImbWarning,
                stacklevel=2,
            )


class EvaluationFolder:
    """Out-of-fold predictions of finished trials, each in a file of its own.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is not None:
            folder.mkdir(exist_ok=True)

    def save(self, trial: int, step: int, evaluation: Evaluation) -> Evaluation:
        """Write an evaluation, and return it with its predictions mapped from the file.

        Parameters
        ----------
        trial : int
        step : int
            Of the levels that the trial has been through.
        evaluation : Evaluation

        Returns
        -------
        Evaluation
            The given one if it cannot be written.
        """
        if self.folder is None:
            return evaluation
        array, rest = self._paths(trial, step)
        about = {
            "scores": write_scores(evaluation.scores),
            "seconds": evaluation.seconds,
            "training_seconds": evaluation.training_seconds,
            "fold_values": evaluation.fold_values,
            "is_complete": evaluation.is_complete,
        }
        try:
            np.save(array, evaluation.proba)
            # Last and at once, for its presence says that both are whole.
            unfinished = rest.with_suffix(".part")
            unfinished.write_text(json.dumps(about), "utf-8")
            unfinished.replace(rest)
        except OSError:
            self.remove(trial, step)
            return evaluation
        return self.load(trial, step) or evaluation

    def load(self, trial: int, step: int) -> Evaluation | None:
        """Read an evaluation; None if it was never finished, or is damaged."""
        if self.folder is None:
            return None
        array, rest = self._paths(trial, step)
        try:
            about = json.loads(rest.read_text("utf-8"))
            proba = np.load(array, mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        about["scores"] = read_scores(about["scores"])
        about["fold_values"] = tuple(about["fold_values"])
        return Evaluation(proba, **about)

    def remove(self, trial: int, step: int) -> None:
        """Delete an evaluation, as those are that no longer lead: the disk is bounded."""
        if self.folder is not None:
            for path in reversed(self._paths(trial, step)):
                path.unlink(missing_ok=True)

    def shorten(self, trial: int, excerpt: AnyArray | None) -> None:
        """Keep no more than an excerpt of what a trial predicted."""
        if self.folder is not None and excerpt is not None:
            with suppress(OSError):
                np.save(self._excerpt_path(trial), excerpt)
        self.remove(trial, 0)

    def load_excerpt(self, trial: int) -> AnyArray | None:
        """Read the excerpt of a trial; None if there is none, or it is damaged."""
        if self.folder is None:
            return None
        try:
            return np.asarray(np.load(self._excerpt_path(trial)))
        except (OSError, ValueError, EOFError):
            return None

    def _excerpt_path(self, trial: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{trial:05}-excerpt.npy"

    def _paths(self, trial: int, step: int) -> tuple[Path, Path]:
        assert self.folder is not None
        stem = f"{trial:05}-{step}"
        return self.folder / f"{stem}.npy", self.folder / f"{stem}.json"


def write_scores(scores: Mapping[str, Score]) -> dict[str, dict[str, float]]:
    """Turn scores into what JSON holds."""
    return {name: asdict(score) for name, score in scores.items()}


def read_scores(written: Mapping[str, Mapping[str, float]]) -> dict[str, Score]:
    """Turn them back.

    Examples
    --------
    >>> read_scores(write_scores({"f1": Score(0.5, 0.4, 0.1)}))
    {'f1': Score(value=0.5, mean=0.4, spread=0.1)}
    """
    return {name: Score(**score) for name, score in written.items()}
