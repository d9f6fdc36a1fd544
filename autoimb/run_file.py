"""The file in which a run is described: read without anything that it takes to fit."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from autoimb.errors import UsageError

__all__ = [
    "LOCK_FILE", "MODEL_FILE", "REPORT_FILE", "RUN_FILE", "find_model", "is_at_work", "origin_of",
    "read_run",
]  # fmt: skip

RUN_FILE, LOCK_FILE = "run.json", "run.lock"
MODEL_FILE, REPORT_FILE = "model.pkl", "report.html"
# What tells whether two models were searched for on the same rows and in the same way.
ORIGIN = (
    "data_sha256", "groups", "time", "space", "n_folds", "seed", "blend", "time_budget", "n_trials",
)  # fmt: skip


def read_run(folder: Path) -> dict[str, Any]:
    """Read what a run was asked and, once it has ended, what it exported.

    Raises
    ------
    UsageError
        If the folder holds no run.
    """
    path = folder / RUN_FILE
    try:
        found = json.loads(path.read_text("utf-8"))
        return {**found, "data_sha256": found["data_sha256"], "criterion": found["criterion"]}
    except FileNotFoundError:
        raise UsageError(f"{folder} holds no run of autoimb ({RUN_FILE} is missing).") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} cannot be read. Start another run.") from None


def origin_of(folder: Path) -> dict[str, Any]:
    """Say what a model came from, for its manifest: nothing that tells of the machine.

    Of a folder that cannot be read it is nothing: the model is worth more than that.
    """
    try:
        found = read_run(folder)
    except UsageError:
        return {}
    return {name: found.get(name) for name in ORIGIN}


def find_model(folder: Path) -> Path:
    """Name the model of a run: in its folder or, of one that was written elsewhere, where it was.

    Raises
    ------
    UsageError
        If the folder holds neither a model nor a run.
    """
    path = folder / MODEL_FILE
    return path if path.is_file() else Path(read_run(folder).get("model") or path)


def is_at_work(folder: Path) -> bool:
    """Tell whether a fit is going on in a folder: the death of its process ends that too."""
    try:
        # Only looked at: a file that is not there is not created.
        place = f"{(folder / LOCK_FILE).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=0)) as connection:
            connection.execute("select * from sqlite_master")
    except sqlite3.Error as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False
