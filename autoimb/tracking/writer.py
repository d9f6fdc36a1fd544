"""Write one fit to MLflow."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, TypeVar

from autoimb.arrays import release_memory
from autoimb.data.dataset import Dataset
from autoimb.decision.criteria import Criterion
from autoimb.final_test import FinalTest
from autoimb.fitting import FitResult
from autoimb.metrics import Metric
from autoimb.planning import Plan
from autoimb.profiling.profile import Profile
from autoimb.search.records import TrialRecord
from autoimb.tracking.contents import (
    CARD,
    EXPORT,
    LEADERBOARD,
    rehearse_model,
    write_findings,
    write_model,
    write_profile,
)
from autoimb.tracking.entries import (
    as_key,
    cut,
    describe_dataset,
    describe_outcome,
    describe_plan,
    describe_test,
    describe_trial,
    describe_untouched,
    name_outcome,
    sum_up,
    tag_outcome,
    tag_trial,
)
from autoimb.tracking.registry import RegisteredModel
from autoimb.tracking.store import sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

__all__ = ["RunWriter"]

T = TypeVar("T")

REPORT = "report.html"
PARAMS_A_BATCH, METRICS_A_BATCH = 100, 1000
# From one writing of the curve to the next: each costs as much as a fifth of a trial.
MILLISECONDS_TO_POINT = 2000
# Another fit may be creating the store: that takes seconds.
LOCK_SECONDS = 30.0


class RunWriter:
    """Writes one fit to MLflow: its methods are called in the order of the fit, by one thread.

    One that failed half-way may be called again: what it had written is not doubled, but for a
    logged model or a version of which the store made one and its answer was lost.

    Parameters
    ----------
    store : str
        URI.
    experiment : str
    run_name : str or None
        Of the parent run until it ends, when data and strategy name it; None takes the name of
        the data.
    tags : mapping of str to str
        Of the parent run.

    Attributes
    ----------
    experiment_id, run_id : str or None
        Once the parent run was created.
    registered : RegisteredModel or None
        Once the model was registered.
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
        self.registered: RegisteredModel | None = None
        self._client: MlflowClient
        self._dataset: Dataset
        self._metric: Metric
        self._criterion: Criterion
        self._asked: Mapping[str, Any] = {}
        self._begun: set[str] = set()
        self._done: dict[str, Any] = {}
        self._best: float | None = None
        self._curve: dict[int, tuple[float, int]] = {}
        self._shown = 0
        self._n_told = 0

    def start(self, dataset: Dataset, profile: Profile, plan: Plan, *, now: int) -> None:
        """Create store and experiment where there are none, and the parent run."""
        from mlflow import MlflowClient

        database = sqlite_file(self.store)
        with nullcontext() if database is None else _ready(database):
            self._client = MlflowClient(tracking_uri=self.store)
        self._dataset, self._metric, self._criterion = dataset, plan.metric, plan.criterion
        self.experiment_id = self.experiment_id or self._find_experiment(database)
        if self.run_id is None:
            tags = {**self.tags, "decision": str(plan.criterion)}
            self.run_id = self._create_run(self.run_name or dataset.name, now, tags)
        self._log(self.run_id, params=describe_plan(dataset, profile, plan))
        file = self.tags.get("data_file")
        self._log_dataset("training", describe_dataset(dataset, file))
        release_memory(dataset.X)

    def prepare(self, profile: Profile, *, now: int) -> None:
        """Do already what the end would otherwise wait for.

        What fails here is tried again, and told, by `finish`: trials can be written even where
        files cannot.
        """
        with suppress(Exception):
            self._once("profile", lambda: self._write_profile(profile))
            with TemporaryDirectory() as folder:
                rehearse_model(Path(folder))

    def add_trial(self, record: TrialRecord, *, now: int) -> None:
        """Write a child run, and the best score so far to the parent."""
        run_id = self._open_child(record, now)
        self._log(run_id, params=record.configuration.flat, metrics=describe_trial(record), now=now)
        status = "FAILED" if record.state == "failed" else "FINISHED"
        self._client.set_terminated(run_id, status, now)
        if record.scores:
            self._add_point(record.scores[self._metric.name].value, now)
        self._n_told += 1

    def finish(self, outcome: FitResult, *, now: int) -> None:
        """Write what the fit came to."""
        run_id = str(self.run_id)
        self._asked = outcome.asked
        self._write_curve()
        self._log(run_id, params=describe_outcome(outcome), tags=tag_outcome(outcome))
        self._client.update_run(run_id, name=name_outcome(self._dataset.name, outcome))
        model = self._once("model", lambda: self._create_model(outcome))
        self._once("model of the run", lambda: self._log_output(model))
        self._log(run_id, metrics=sum_up(outcome), now=now, model_id=model.model_id)
        self._once("profile", lambda: self._write_profile(outcome.profile))
        self._once("findings", lambda: self._write_findings(outcome))
        self._once("files of the model", lambda: self._write_model(outcome, model))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._client.set_terminated(run_id, "FINISHED", now)
        self._once("finished", lambda: None)

    def register(self, name: str, *, now: int) -> None:
        """Make the model another version of a registered one, which is created if need be."""
        from mlflow.exceptions import MlflowException

        model: LoggedModel = self._done["model"]
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        # Not by models:/ID, which MLflow would look up in the store that the process has set.
        made = self._once(
            "version",
            lambda: self._client.create_model_version(
                name, model.artifact_location, self.run_id, model_id=model.model_id
            ),
        )
        # By which the page of the model names its versions.
        versions = json.dumps([{"name": name, "version": str(made.version)}])
        self._client.set_logged_model_tags(model.model_id, {"mlflow.modelVersions": versions})
        self.registered = RegisteredModel(name, int(made.version))

    def add_test(self, test: FinalTest, card: Path, *, now: int) -> None:
        """Write the scores on untouched rows to the parent run, and the card that tells of them."""
        run_id = str(self.run_id)
        if card.is_file():
            self._replace_card(card)
        self._log(run_id, metrics=describe_test(test), now=now)
        digest = self._asked.get("test_sha256")
        if digest is not None:
            self._log_dataset("test", describe_untouched(test, digest))

    def add_report(self, page: str, *, now: int) -> None:
        """Write the report to the parent run."""
        self._client.log_text(str(self.run_id), page, REPORT)

    def end(self, status: str, tags: Mapping[str, str], *, now: int) -> None:
        """Close the parent run before its time; of one that is closed, only note why."""
        if not self.run_id:
            return
        if "finished" in self._done:
            self._log(self.run_id, tags=tags)
            return
        self._write_curve()
        self._log(self.run_id, metrics={"trials": self._n_told}, tags=tags, now=now)
        self._client.set_terminated(self.run_id, status, now)

    def _once(self, step: str, do: Callable[[], T]) -> T:
        """Do a step, unless it was done when its task was tried before."""
        if step not in self._done:
            self._done[step] = do()
        found: T = self._done[step]
        return found

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

    def _write_findings(self, outcome: FitResult) -> None:
        with TemporaryDirectory() as folder:
            write_findings(outcome, Path(folder))
            self._client.log_artifacts(str(self.run_id), folder)
        shown = [{"path": LEADERBOARD, "type": "table"}]
        self._log(str(self.run_id), tags={"mlflow.loggedArtifacts": json.dumps(shown)})

    def _write_model(self, outcome: FitResult, model: LoggedModel) -> None:
        with TemporaryDirectory() as folder:
            written = write_model(outcome, self._dataset, model, Path(folder))
            self._client.log_model_artifacts(model.model_id, str(written))
            self._client.log_artifact(str(self.run_id), str(Path(folder, EXPORT, CARD)))

    def _replace_card(self, card: Path) -> None:
        """Put a card in the place of that which the run and its model have."""
        with TemporaryDirectory() as folder:
            copied = shutil.copyfile(card, Path(folder, CARD))
            self._client.log_artifact(str(self.run_id), str(copied))
            model: LoggedModel = self._done["model"]
            self._client.log_model_artifact(model.model_id, str(copied), f"data/{EXPORT}")

    def _create_run(self, name: str, begun: int, tags: Mapping[str, str]) -> str:
        tags = {**tags, "mlflow.source.name": "autoimb", "mlflow.source.type": "LOCAL"}
        run = self._client.create_run(str(self.experiment_id), begun, tags, cut(name))
        return str(run.info.run_id)

    def _open_child(self, record: TrialRecord, now: int) -> str:
        """Create the run of a trial, or find it again if its writing was cut short."""
        step = f"trial {record.number}"
        if step in self._begun and step not in self._done:
            for found in self._find_children(record.number):
                self._done[step] = found
        self._begun.add(step)
        tags = {"mlflow.parentRunId": str(self.run_id), **tag_trial(record, self._criterion)}
        begun = now - round(1000 * record.seconds)
        return self._once(step, lambda: self._create_run(str(record.configuration), begun, tags))

    def _find_children(self, number: int) -> list[str]:
        mine = f"tags.`mlflow.parentRunId` = '{self.run_id}' and tags.trial = '{number}'"
        found = self._client.search_runs([str(self.experiment_id)], mine)
        return [run.info.run_id for run in found]

    def _add_point(self, value: float, now: int) -> None:
        """Add the best score so far to the curve of the parent; where trials are short, by many."""
        if self._best is None or self._metric.utility(value) > self._metric.utility(self._best):
            self._best = value
        # Under its step, for a task may be tried more than once.
        self._curve[self._n_told + 1] = (self._best, now)
        if now - self._shown >= MILLISECONDS_TO_POINT:
            self._write_curve()
            self._shown = now

    def _write_curve(self) -> None:
        from mlflow.entities import Metric

        name = as_key(f"best_{self._metric.name}")
        points = [Metric(name, value, now, step) for step, (value, now) in self._curve.items()]
        for i in range(0, len(points), METRICS_A_BATCH):
            self._client.log_batch(str(self.run_id), points[i : i + METRICS_A_BATCH])
        self._curve.clear()

    def _log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        now: int = 0,
        model_id: str | None = None,
    ) -> None:
        """Write all in one batch, unless there are very many parameters."""
        from mlflow.entities import Metric, Param, RunTag

        texts = {as_key(k): cut(v) for k, v in (params or {}).items() if v is not None}
        listed = [Param(key, text) for key, text in texts.items()]
        points = [
            Metric(as_key(k), v, now, 0, model_id=model_id) for k, v in (metrics or {}).items()
        ]
        notes = [RunTag(key, text) for key, text in (tags or {}).items()]
        self._client.log_batch(run_id, points, listed[:PARAMS_A_BATCH], notes)
        for i in range(PARAMS_A_BATCH, len(listed), PARAMS_A_BATCH):
            self._client.log_batch(run_id, params=listed[i : i + PARAMS_A_BATCH])

    def _log_dataset(self, context: str, described: Mapping[str, Any]) -> None:
        """Enter what was read; MLflow takes the same once only."""
        from mlflow.entities import Dataset as Entered
        from mlflow.entities import DatasetInput, InputTag

        tags = [InputTag("mlflow.data.context", context)]
        entered = DatasetInput(Entered(**described), tags)
        self._client.log_inputs(str(self.run_id), [entered])

    def _create_model(self, outcome: FitResult) -> LoggedModel:
        """Enter the model, so that metrics can be linked to it; its files follow."""
        flat = outcome.search.best.configuration.flat
        return self._client.create_logged_model(
            str(self.experiment_id),
            "model",
            self.run_id,
            params={as_key(name): cut(value) for name, value in flat.items()},
            model_type="classifier",
        )

    def _log_output(self, model: LoggedModel) -> None:
        from mlflow.entities import LoggedModelOutput

        self._client.log_outputs(str(self.run_id), [LoggedModelOutput(model.model_id, step=0)])


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
