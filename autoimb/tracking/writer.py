"""Write one fit to MLflow."""

from __future__ import annotations

import hashlib
import math
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

from autoimb import __version__
from autoimb.arrays import release_memory
from autoimb.artifact import installed_versions
from autoimb.data.dataset import Dataset
from autoimb.decision.reliability import Reliability
from autoimb.decision.rules import Threshold
from autoimb.evaluation.estimate import Estimate
from autoimb.evaluation.scoring import Score
from autoimb.final_test import FinalTest
from autoimb.fitting import FitResult
from autoimb.metrics import Metric
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord
from autoimb.tracking.contents import (
    CARD,
    EXPORT,
    rehearse_model,
    write_findings,
    write_model,
    write_profile,
)
from autoimb.tracking.store import sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

__all__ = ["RunWriter"]

# Longer values are of no use in a table; MLflow itself refuses much longer ones.
MAX_VALUE = 500
MAX_NOTE = 5000
MAX_KEY = 250
PARAMS_A_BATCH = 100
# Another fit may be creating the store: that takes seconds.
LOCK_SECONDS = 30.0


class RunWriter:
    """Writes one fit to MLflow: its methods are called in the order of the fit, by one thread.

    Parameters
    ----------
    store : str
        URI.
    experiment : str
    run_name : str or None
        None takes the name of the data and, in the end, the strategy.
    tags : mapping of str to str
        Of the parent run.

    Attributes
    ----------
    experiment_id, run_id : str or None
        Once the parent run was created.
    """

    def __init__(
        self, store: str, experiment: str, run_name: str | None, tags: Mapping[str, str]
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.run_name = run_name
        self.tags = tags
        self.experiment_id: str | None = None
        self.run_id: str | None = None
        self._client: MlflowClient
        self._dataset: Dataset
        self._metric: Metric
        self._has_profile = False
        self._best: float | None = None
        self._n_told = 0

    def start(self, dataset: Dataset, profile: Profile, plan: Plan, *, now: int) -> None:
        """Create store and experiment where there are none, and the parent run."""
        from mlflow import MlflowClient

        database = sqlite_file(self.store)
        with nullcontext() if database is None else _ready(database):
            self._client = MlflowClient(tracking_uri=self.store)
        self._dataset, self._metric = dataset, plan.metric
        self.experiment_id = self._find_experiment(database)
        self.run_id = self._create_run(self.run_name or dataset.name, now, self.tags)
        self._log(self.run_id, params=_describe(dataset, profile, plan))
        release_memory(dataset.X)

    def prepare(self, profile: Profile, *, now: int) -> None:
        """Do already what the end would otherwise wait for.

        What fails here is tried again, and told, by `finish`: trials can be written even where
        files cannot.
        """
        with suppress(Exception):
            self._write_profile(profile)
            with TemporaryDirectory() as folder:
                rehearse_model(Path(folder))

    def add_trial(self, record: TrialRecord, *, now: int) -> None:
        """Write a child run, and the best score so far to the parent."""
        self._n_told += 1
        tags = {"mlflow.parentRunId": str(self.run_id), "trial": str(record.number)}
        if record.reason:
            kind = "failure" if record.state == "failed" else record.state
            tags[kind] = _cut(record.reason, MAX_NOTE)
        if record.state == "complete":
            tags["calibrated"] = str(record.is_calibrated).lower()
        begun = now - round(1000 * record.seconds)
        run_id = self._create_run(str(record.configuration), begun, tags)
        metrics = {**_flatten(record.scores), "seconds": record.seconds}
        self._log(run_id, params=record.configuration.flat, metrics=metrics, now=now)
        status = "FAILED" if record.state == "failed" else "FINISHED"
        self._client.set_terminated(run_id, status, now)
        if record.scores:
            self._log_best(record.scores[self._metric.name].value, now)

    def finish(self, outcome: FitResult, *, now: int) -> None:
        """Write what the fit came to."""
        run_id = str(self.run_id)
        strategy = str(outcome.exported.members[0].configuration)
        note = "\n\n".join([str(outcome.recommendation), *outcome.notes])
        tags = {"strategy": strategy, "mlflow.note.content": _cut(note, MAX_NOTE)}
        blended = ", ".join(str(member.number) for member in outcome.exported.members)
        params = {
            "decision": str(outcome.model.rule),
            "calibrator": outcome.model.calibrator.name,
            "exported_trials": blended,
        }
        self._log(run_id, params=params, tags=tags)
        if not self.run_name:
            n_more = len(outcome.exported.members) - 1
            more = f" and {n_more} more" if n_more else ""
            self._client.update_run(run_id, name=_cut(f"{self._dataset.name}: {strategy}{more}"))
        model = self._create_model(outcome)
        self._log(run_id, metrics=_sum_up(outcome), now=now, model_id=model.model_id)
        if not self._has_profile:
            self._write_profile(outcome.profile)
        with TemporaryDirectory() as folder:
            write_findings(outcome, Path(folder))
            self._client.log_artifacts(run_id, folder)
        # As objects, for MLflow asks for these in a way that pandas deprecates for text.
        board = outcome.leaderboard.reset_index().astype(object)
        self._client.log_table(run_id, board, "leaderboard.json")
        with TemporaryDirectory() as folder:
            written = write_model(outcome, self._dataset, model, Path(folder))
            self._client.log_model_artifacts(model.model_id, str(written))
            self._client.log_artifact(run_id, str(Path(folder, EXPORT, CARD)))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._client.set_terminated(run_id, "FINISHED", now)

    def add_test(self, test: FinalTest, card: Path, *, now: int) -> None:
        """Write the scores on untouched rows to the parent run, with their intervals."""
        if card.is_file():
            self._client.log_text(str(self.run_id), card.read_text("utf-8"), CARD)
        values = {name: one.value for name, one in test.estimates.items()}
        metrics = {**values, **_intervals(test.estimates), "n_rows": test.n_rows}
        named = {f"test_{name}": value for name, value in metrics.items()}
        self._log(str(self.run_id), metrics=named, now=now)

    def end(self, status: str, tags: Mapping[str, str], *, now: int) -> None:
        """Close the parent run before its time."""
        if self.run_id:
            self._log(self.run_id, metrics={"trials": self._n_told}, tags=tags, now=now)
            self._client.set_terminated(self.run_id, status, now)

    def _find_experiment(self, database: Path | None) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(self.experiment)
        if found is None:
            # By default the artifacts of a file store lie in whatever folder is the current one.
            place = None
            if database is not None:
                folder = re.sub(r"[^\w.-]", "_", self.experiment)
                place = (database.parent / "artifacts" / folder).as_uri()
            try:
                return str(self._client.create_experiment(self.experiment, place))
            except MlflowException:
                # Another process may have created it meanwhile.
                found = self._client.get_experiment_by_name(self.experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _write_profile(self, profile: Profile) -> None:
        with TemporaryDirectory() as folder:
            write_profile(profile, Path(folder))
            self._client.log_artifacts(str(self.run_id), folder)
        self._has_profile = True

    def _create_run(self, name: str, begun: int, tags: Mapping[str, str]) -> str:
        tags = {**tags, "mlflow.source.name": "autoimb", "mlflow.source.type": "LOCAL"}
        run = self._client.create_run(str(self.experiment_id), begun, tags, _cut(name))
        return str(run.info.run_id)

    def _log_best(self, value: float, now: int) -> None:
        if self._best is None or self._metric.utility(value) > self._metric.utility(self._best):
            self._best = value
        metrics = {f"best_{self._metric.name}": self._best}
        self._log(str(self.run_id), metrics=metrics, now=now, step=self._n_told)

    def _log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        now: int = 0,
        step: int = 0,
        model_id: str | None = None,
    ) -> None:
        """Write all in one batch, unless there are very many parameters."""
        from mlflow.entities import Metric, Param, RunTag

        texts = {_key(k): _cut(v) for k, v in (params or {}).items() if v is not None}
        listed = [Param(key, text) for key, text in texts.items()]
        points = [
            Metric(_key(k), v, now, step, model_id=model_id) for k, v in (metrics or {}).items()
        ]
        notes = [RunTag(key, text) for key, text in (tags or {}).items()]
        self._client.log_batch(run_id, points, listed[:PARAMS_A_BATCH], notes)
        for i in range(PARAMS_A_BATCH, len(listed), PARAMS_A_BATCH):
            self._client.log_batch(run_id, params=listed[i : i + PARAMS_A_BATCH])

    def _create_model(self, outcome: FitResult) -> LoggedModel:
        """Enter the model, so that metrics can be linked to it; its files follow."""
        from mlflow.entities import LoggedModelOutput

        flat = outcome.search.best.configuration.flat
        model = self._client.create_logged_model(
            str(self.experiment_id),
            "model",
            self.run_id,
            params={_key(name): _cut(value) for name, value in flat.items()},
            model_type="classifier",
        )
        self._client.log_outputs(str(self.run_id), [LoggedModelOutput(model.model_id, step=0)])
        return model


@contextmanager
def _ready(database: Path) -> Iterator[None]:
    """Create the file if need be, and keep other fits away while MLflow makes its tables."""
    user = getattr(os, "getuid", int)()
    digest = hashlib.sha256(bytes(database.absolute())).hexdigest()[:16]
    lock = Path(gettempdir(), f"autoimb-{user}-{digest}.lock")
    with closing(sqlite3.connect(lock, timeout=LOCK_SECONDS)) as connection:
        connection.execute("begin exclusive")
        if not database.exists():
            database.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(database)) as created:
                # Commits are about three times as fast in this mode, which the file keeps.
                created.execute("pragma journal_mode=WAL")
        yield


def _describe(dataset: Dataset, profile: Profile, plan: Plan) -> dict[str, Any]:
    return {
        "data": dataset.name,
        "data_sha256": dataset.sha256,
        "metric": plan.metric.name,
        "decision_asked": str(plan.criterion),
        "space": plan.space.name,
        "budget_seconds": plan.budget.seconds,
        "budget_trials": plan.budget.trials,
        "n_folds": plan.n_folds,
        "runs_on": str(plan.resources(dataset.X.size)),
        "seed": plan.seed,
        "blend": plan.blend,
        "prefer": plan.prefer,
        "groups": dataset.group_column,
        "time": dataset.time_column,
        "target": dataset.target,
        "positive": dataset.labels.positive,
        "autoimb": __version__,
        **{f"version.{name}": found for name, found in installed_versions().items()},
        **{f"profile.{name}": x for name, x in profile.figures().items()},
        **{f"finding.{name}": worst for name, worst in profile.severities().items()},
    }


def _sum_up(outcome: FitResult) -> dict[str, float]:
    """Give the scores of what is exported and the figures of the fit."""
    records, name = outcome.search.records, outcome.metric.name
    metrics = {
        **_flatten(outcome.exported.scores),
        f"{name}_corrected": outcome.estimates[name].value,
        **_intervals({name: outcome.estimates[name]}),
        "seconds": outcome.seconds,
        "trials": len(records),
        "failed_trials": sum(record.state == "failed" for record in records),
        "pruned_trials": sum(record.state == "pruned" for record in records),
        **_calibration(outcome.calibration),
    }
    if isinstance(outcome.model.rule, Threshold):
        metrics["threshold"] = outcome.model.rule.value
    return metrics


def _calibration(found: Mapping[str, Reliability]) -> dict[str, float]:
    """Give how far the probabilities of the positive class, or the rarest, mean what they say."""
    one = min(found.values(), key=lambda each: each.prevalence)
    figures = {"ece": one.ece, "slope": one.slope, "intercept": one.intercept}
    return {f"calibration_{name}": x for name, x in figures.items() if math.isfinite(x)}


def _flatten(scores: Mapping[str, Score]) -> dict[str, float]:
    found = {}
    for name, score in scores.items():
        found[name] = score.value
        found[f"{name}_mean"] = score.mean
        found[f"{name}_spread"] = score.spread
    return found


def _intervals(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """Give the ends of every interval that is known."""
    found = {}
    for name, one in estimates.items():
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = one.low, one.high
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _key(name: str) -> str:
    """Replace what MLflow does not take in a name."""
    return re.sub(r"[^\w. -]", "_", name)[:MAX_KEY]


def _cut(value: Any, longest: int = MAX_VALUE) -> str:
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
