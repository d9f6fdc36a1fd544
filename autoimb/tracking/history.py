"""Past runs, read back from MLflow without anything that it takes to fit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoimb.errors import AutoImbError, DataError, UsageError, nearest_name, one_line
from autoimb.past_run import (
    VERSIONS,
    PastRun,
    name_strategy,
    read_past_run,
    status_of_unended,
)
from autoimb.tracking.store import (
    EXPERIMENT,
    default_tracking_uri,
    environment,
    sqlite_file,
    with_absolute_path,
    without_password,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["find_folder", "find_run", "list_runs", "runs", "shorten"]

# Every fit writes it on its parent run; neither trials nor runs of other tools have it.
FITS = "params.autoimb LIKE '%'"
PAGE = 1000
# Of an id, as it is shown.
SHORTEST = 8
SHOWN = 5
PARAMS = {
    "data": "data", "data_sha256": "data_sha256", "rows": "profile.n_rows", "target": "target",
    "positive": "positive", "groups": "groups", "time": "time", "metric": "metric",
    "decision_asked": "decision_asked", "decision": "decision", "calibrator": "calibrator",
    "space": "space", "n_folds": "n_folds", "seed": "seed", "budget_seconds": "budget_seconds",
    "budget_trials": "budget_trials", "blend": "blend", "prefer": "prefer",
    **{field: f"version.{package}" for field, package in VERSIONS.items()}, "autoimb": "autoimb",
}  # fmt: skip
METRICS = (
    "threshold", "calibration_ece", "calibration_slope", "calibration_intercept", "trials",
    "failed_trials", "pruned_trials", "seconds",
)  # fmt: skip
# Of the searched metric: what its name is followed by, or preceded.
SCORES = {
    "score": "{}", "headline": "{}_corrected", "headline_low": "{}_ci_low",
    "headline_high": "{}_ci_high", "test": "test_{}", "test_low": "test_{}_ci_low",
    "test_high": "test_{}_ci_high",
}  # fmt: skip
KINDS = {one.name: str(one.type).partition(" ")[0] for one in fields(PastRun)}


def runs(tracking_uri: str | None = None, experiment: str | None = None) -> pd.DataFrame:
    """List the runs of the past as a table, the latest first.

    Parameters
    ----------
    tracking_uri : str, optional
        MLflow store; by default the one that fits write to.
    experiment : str, optional
        "autoimb" by default.

    Returns
    -------
    DataFrame of shape (n_runs, n_fields)
        Columns are the attributes of `PastRun`, whatever the runs: numbers are missing (NaN or
        NA) and texts None where a run has not got that far, or an older version did not write it
        down; `started` is in UTC. ``docs/how-to/runs.md`` explains each.

    Raises
    ------
    DataError
        If the store or the experiment is not there, or cannot be read.

    Examples
    --------
    >>> found = runs("sqlite:///nowhere/mlflow.db")
    Traceback (most recent call last):
    autoimb.errors.DataError: no runs in sqlite:////.../mlflow.db yet. Fit a model first, or \
name another tracking URI.
    """
    import pandas as pd

    found = [vars(run) for run in list_runs(tracking_uri, experiment)]
    types = {
        "int": "Int64", "float": "float64", "bool": "boolean", "datetime": "datetime64[ms, UTC]",
    }  # fmt: skip
    known = {name: types[kind] for name, kind in KINDS.items() if kind in types}
    return pd.DataFrame(found, columns=list(KINDS), dtype=object).astype(known)


def list_runs(
    tracking_uri: str | None = None, experiment: str | None = None, limit: int | None = None
) -> list[PastRun]:
    """List the runs of the past, the latest first.

    Parameters
    ----------
    tracking_uri, experiment : str, optional
        As in `runs`.
    limit : int, optional
        No more than these.

    Returns
    -------
    list of PastRun

    Raises
    ------
    DataError
        If the store or the experiment is not there, or cannot be read.
    """
    wanted = experiment or EXPERIMENT
    with _open_store(tracking_uri) as (client, uri):
        found = client.get_experiment_by_name(wanted)
        if found is None or found.lifecycle_stage != "active":
            names = [one.name for one in client.search_experiments()]
            raise DataError(
                f"there is no experiment '{wanted}' in {without_password(uri)}; "
                f"{nearest_name(wanted, names)}"
            )
        return [_read(run) for run in _search(client, [found.experiment_id], FITS, limit)]


def find_run(run: str, tracking_uri: str | None = None) -> PastRun:
    """Find a run by what it is called.

    Parameters
    ----------
    run : str
        Its folder, that of its model, or the beginning of its id in any experiment of the store.
    tracking_uri : str, optional
        As in `runs`.

    Returns
    -------
    PastRun

    Raises
    ------
    AutoImbError
        If there is none, or there are several.
    """
    if run and Path(run).exists():
        return read_past_run(Path(run))
    if not re.fullmatch(r"[0-9a-f]{1,32}", run):
        raise UsageError(
            f"run '{run}' is neither a folder nor the beginning of an id (letters a to f, digits). "
            "`autoimb runs` lists the ids."
        )
    with _open_store(tracking_uri) as (client, uri):
        experiments = [one.experiment_id for one in client.search_experiments()]
        alike = f"attributes.run_id LIKE '{run}%'"
        found = list(_search(client, experiments, f"{FITS} and {alike}", SHOWN + 1))
        if len(found) == 1:
            return _read(found[0])
        if found:
            raise UsageError(f"several runs begin with '{run}': {_name(found)}. Give more of it.")
        trials = list(_search(client, experiments, alike, 1))
        parent = trials[0].data.tags.get("mlflow.parentRunId") if trials else None
        hint = f"it is a trial of {parent[:SHORTEST]}" if parent else "`autoimb runs` lists them"
        raise UsageError(f"there is no run '{run}' in {without_password(uri)}; {hint}.")


def find_folder(run: str, tracking_uri: str | None = None) -> Path:
    """Find the folder of a run by what the run is called.

    Parameters
    ----------
    run : str
        A folder, or the beginning of an id.
    tracking_uri : str, optional
        As in `runs`.

    Returns
    -------
    Path

    Raises
    ------
    AutoImbError
        If there is no such run, or its folder is not there.

    Examples
    --------
    >>> find_folder(".")
    PosixPath('.')
    """
    if run and Path(run).exists():
        return Path(run)
    found = find_run(run, tracking_uri)
    if found.run_dir is None:
        raise UsageError(f"run {run} has no folder that MLflow knows of. Name it, if there is one.")
    if not Path(found.run_dir).is_dir():
        raise UsageError(
            f"the folder of run {run}, {found.run_dir}, is not there. Name where it is, if it "
            "was moved."
        )
    return Path(found.run_dir)


def shorten(ids: list[str]) -> list[str]:
    """Cut ids to a length at which they differ from one another, but not below eight.

    Examples
    --------
    >>> shorten(["a1b2c3d4e5f6", "a1b2c3d4e7f8", "77777777aaaa"])
    ['a1b2c3d4e5', 'a1b2c3d4e7', '77777777aa']
    """
    length = SHORTEST
    while len({one[:length] for one in ids}) < len(set(ids)):
        length += 1
    return [one[:length] for one in ids]


@contextmanager
def _open_store(tracking_uri: str | None) -> Iterator[tuple[MlflowClient, str]]:
    """Connect to a store that is there.

    Raises
    ------
    DataError
        If it is not, or whatever MLflow finds wrong with it.
    """
    uri = with_absolute_path(tracking_uri or default_tracking_uri())
    shown, database = without_password(uri), sqlite_file(uri)
    if uri == "off" or (database is not None and not database.is_file()):
        raise DataError(f"no runs in {shown} yet. Fit a model first, or name another tracking URI.")
    with environment(uri):
        from mlflow import MlflowClient

        try:
            yield MlflowClient(tracking_uri=uri), uri
        except AutoImbError:
            raise
        except Exception as error:
            reason = without_password(one_line(error))
            raise DataError(f"the runs in {shown} cannot be read: {reason}.") from error


def _search(
    client: MlflowClient, experiments: list[str], condition: str, limit: int | None
) -> Iterator[Run]:
    """Yield runs, the latest first, a page at a time."""
    token, n_found = None, 0
    while limit is None or n_found < limit:
        size = PAGE if limit is None else min(limit - n_found, PAGE)
        page = client.search_runs(
            experiments, condition, max_results=size, page_token=token,
            order_by=["attributes.start_time DESC"],
        )  # fmt: skip
        yield from page
        n_found, token = n_found + len(page), page.token
        if not token:
            return


def _name(found: list[Run]) -> str:
    named = shorten([run.info.run_id for run in found])[:SHOWN]
    return ", ".join(named) + (" and more" if len(found) > SHOWN else "")


def _read(run: Run) -> PastRun:
    """Read a parent run as any version of autoimb may have written it."""
    params, tags, metrics = run.data.params, run.data.tags, run.data.metrics
    metric = re.sub(r"[^\w. -]", "_", params.get("metric", ""))
    read: dict[str, Any] = {field: _value(field, params.get(key)) for field, key in PARAMS.items()}
    names = {**{field: field for field in METRICS}, **SCORES}
    read |= {f: _value(f, metrics.get(name.format(metric))) for f, name in names.items()}
    read |= {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "failure": tags.get("failure") or tags.get("tracking_failure"),
        "started": datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        "run_dir": tags.get("run_dir"),
        "data": tags.get("data_file") or read["data"],
        "status": _status(run),
        "strategy": _strategy(params, tags),
    }
    if read["seconds"] is None and run.info.end_time:
        read["seconds"] = (run.info.end_time - run.info.start_time) / 1000
    return PastRun(**read)


def _value(field: str, given: str | float | None) -> Any:
    """Read what a field holds; None if it is not there, or not of its kind."""
    kind = KINDS[field]
    try:
        if given is None or kind == "str":
            return given
        if kind == "bool":
            return {"True": True, "False": False}.get(str(given))
        number = float(given)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if kind == "int" else number


def _status(run: Run) -> str:
    status = str(run.info.status).lower()
    return status_of_unended(run.data.tags.get("run_dir")) if status == "running" else status


def _strategy(params: Mapping[str, str], tags: Mapping[str, str]) -> str | None:
    leading = tags.get("strategy")
    exported = [number for number in params.get("exported_trials", "").split(", ") if number]
    return None if leading is None else name_strategy(leading, len(exported))
