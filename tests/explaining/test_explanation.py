"""What a fit tells of its model, from a table to plain values."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from explained_tables import mixed

from autoimb import fitting
from autoimb.arrays import FloatArray
from autoimb.data.dataset import Dataset
from autoimb.errors import AutoImbWarning
from autoimb.evaluation.optimism import estimate_optimism
from autoimb.evaluation.tasks import Training
from autoimb.explaining import contributions, explanation, fold_fits, hardest
from autoimb.explaining.explanation import Explanation, explain
from autoimb.explaining.subject import Subject
from autoimb.explaining.table_columns import list_columns
from autoimb.fitting import FitResult, fit_dataset
from autoimb.planning import Plan
from autoimb.profiling.findings import Finding
from autoimb.refitting import Refit
from autoimb.search.executors import InProcessExecutor
from autoimb.search.interruption import Interruption
from autoimb.strategy.pipeline import TrainedPipeline

SPACE = """
[model.lightgbm]
class = "lightgbm.LGBMClassifier"
input = "raw"
n_estimators = 30
num_leaves = {low = 4, high = 8, default = 7}
verbosity = -1
"""
FOREST = """
[model.forest]
class = "sklearn.ensemble.RandomForestClassifier"
input = "numeric"
n_estimators = 10
min_samples_leaf = {low = 2, high = 8, default = 5}
"""
NAMES = 1000 + 2 * np.arange(600)

Fit = Callable[..., tuple[FitResult, Subject]]


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fit]:
    """Fit a space that is given as text, by a count of trials; also give what is explained."""
    noted: list[Subject] = []

    def note(subject: Subject, *given: Any) -> Explanation:
        noted.append(subject)
        return explain(subject, *given)

    def run(data: Dataset, space: str = SPACE, **changes: Any) -> tuple[FitResult, Subject]:
        path = tmp_path_factory.mktemp("space") / "own.toml"
        path.write_text(space)
        asked = {
            "metric": "f1", "space": path, "time_budget": None, "n_trials": 1, "n_folds": 3,
            "n_jobs": None, "executor": "in_process", "seed": 0, "blend": False, **changes,
        }  # fmt: skip
        return fit_dataset(data, Plan.checked(**asked)), noted[-1]

    with pytest.MonkeyPatch.context() as patch:
        few = partial(estimate_optimism, n_resamples=20)
        patch.setattr("autoimb.decision.stability.N_RESAMPLES", 20)
        patch.setattr("autoimb.recommendation.estimation.estimate_optimism", few)
        patch.setattr("autoimb.recommendation.scored_rows.N_RESAMPLES", 50)
        patch.setattr(fitting, "explain", note)
        yield run


@pytest.fixture(scope="module")
def fitted(fit: Fit) -> tuple[FitResult, Subject]:
    return fit(replace(mixed(), row_names=pd.Index(NAMES)))


@pytest.fixture(scope="module")
def fitted_in_time(fit: Fit) -> tuple[FitResult, Subject]:
    """In time the fits of folds know the past alone: none is exported."""
    return fit(replace(mixed(9000), times=np.arange(9000.0)))


def explained(result: FitResult) -> Explanation:
    assert result.explanation is not None
    return result.explanation


def test_a_fit_tells_what_its_model_goes_by(fitted: tuple[FitResult, Subject]) -> None:
    found = explained(fitted[0])
    assert found.importance is not None
    assert found.contributions is not None
    for each in (found.importance.columns, found.contributions.columns):
        assert [one.column for one in each[:2]] == ["signal", "city"]
    assert found.importance.folds == (0, 1, 2)
    assert any("f1 also depends on a threshold" in note for note in found.notes)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_figures_of_classes_are_those_that_are_reported(fitted: tuple[FitResult, Subject]) -> None:
    result, _ = fitted
    each = {one.label: one for one in explained(result).classes.classes}
    positive = each[str(result.model.labels.positive)]
    for name in ("precision", "recall", "f1"):
        assert getattr(positive, name).value == pytest.approx(result.exported.scores[name].value)


def test_the_hardest_rows_are_named_as_in_the_table(fitted: tuple[FitResult, Subject]) -> None:
    result, subject = fitted
    data, found = subject.dataset, explained(result).hardest
    positive = str(data.labels.positive)
    assert [row.label == positive for row in found] == [True] * 10 + [False] * 10
    proba = result.calibrated.proba[:, 1]
    rare = np.flatnonzero(data.y)
    expected = rare[np.argsort(proba[rare], kind="stable")][:10]
    assert [row.row for row in found[:10]] == NAMES[expected].tolist()
    assert [row.probability for row in found[:10]] == proba[expected].tolist()
    hardest, cells = found[0], data.X[expected[0]]
    assert list(hardest.values)[:2] == ["signal", "city"]
    assert hardest.values["signal"] == (None if np.isnan(cells[2]) else cells[2])
    assert hardest.decided != positive
    assert len(hardest.contributions) == 3
    assert all(row.values["city"] in ("Rome", "Oslo", "Lima", None) for row in found)


def test_each_fold_explains_its_hardest_rows_at_once_while_time_is_left(
    fitted: tuple[FitResult, Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    result, subject = fitted
    calls: list[int] = []

    def contribute(pipeline: TrainedPipeline, X: FloatArray) -> FloatArray:
        calls.append(len(X))
        return contributions.contribute(pipeline, X)

    monkeypatch.setattr(hardest, "contribute", contribute)
    looks = iter([1.0, 1.0, 0.0])
    fits, columns = fold_fits.fits_of_folds(subject.trained), list_columns(subject.dataset.schema)
    found = hardest.find_hardest(subject, subject.judge(), fits, columns, lambda: next(looks))
    explained_rows = [row for row in found if row.contributions]
    assert len(calls) == 2
    assert sum(calls) == len(explained_rows) < len(found)
    known = {row.row: row.contributions for row in explained(result).hardest}
    assert all(row.contributions == pytest.approx(known[row.row]) for row in explained_rows)


def test_rows_that_the_profile_names_say_so(fitted: tuple[FitResult, Subject]) -> None:
    _, subject = fitted
    named = Finding("label_noise", "warning", "Some.", "Look.", rows=(int(NAMES[7]), 3))
    judged = replace(subject.judge(), rows=np.array([7, 8]), y=np.zeros(2, dtype=int))
    found = explanation.find_hardest(
        replace(subject, findings=[named]), judged, {}, [], lambda: 1.0
    )
    assert {row.row: row.findings for row in found} == {NAMES[7]: ("label_noise",), NAMES[8]: ()}


def test_the_same_seed_tells_the_same(fit: Fit, fitted: tuple[FitResult, Subject]) -> None:
    again, _ = fit(fitted[1].dataset)
    assert explained(again).to_dict() == explained(fitted[0]).to_dict()


def test_several_classes_are_explained(fit: Fit) -> None:
    found = explained(fit(mixed(n_classes=3), metric="f1_macro")[0])
    assert found.importance is not None
    assert found.importance.columns[0].column == "signal"
    assert [row.label for row in found.hardest[::10]] == ["severe", "mild", "none"]
    json.dumps(found.to_dict(), allow_nan=False)


def test_other_models_have_importance_but_no_contributions(fit: Fit) -> None:
    found = explained(fit(mixed(), FOREST)[0])
    assert found.importance is not None
    assert found.importance.columns[0].column == "signal"
    assert found.contributions is None
    assert all(not row.contributions for row in found.hardest)


def test_of_a_blend_its_first_strategy_is_explained(fit: Fit) -> None:
    result, _ = fit(mixed(), SPACE + FOREST, n_trials=3, blend=True)
    assert len(result.exported.members) == 2
    assert any("of the 2 strategies that are blended" in note for note in explained(result).notes)


def test_groups_are_explained_too(fit: Fit) -> None:
    found = explained(fit(replace(mixed(), groups=np.arange(600) // 3))[0])
    assert found.importance is not None
    assert found.importance.columns[0].column == "signal"


def test_in_time_the_latest_folds_are_explained(fitted_in_time: tuple[FitResult, Subject]) -> None:
    result, subject = fitted_in_time
    found = explained(result)
    assert found.importance is not None
    assert found.importance.columns[0].column == "signal"
    assert found.importance.folds == (2,)
    assert sum(map(sum, found.classes.confusion_matrix)) == int((subject.evaluator.folds > 0).sum())


def test_what_is_interrupted_is_not_explained(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    search = fitting.search
    monkeypatch.setattr(
        fitting, "search", lambda *a, **k: replace(search(*a, **k), interrupted=True)
    )
    monkeypatch.setattr(fitting, "explain", lambda *_: pytest.fail("it was explained"))
    assert fit(mixed())[0].explanation is None


def test_an_interrupt_ends_the_explanation_alone(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    interruption = Interruption()

    def interrupt(*_: Any) -> None:
        interruption.handle(signal.SIGINT, None)

    monkeypatch.setattr(fitting, "interruptible", lambda: nullcontext(interruption))
    monkeypatch.setattr(fitting, "explain", interrupt)
    result, _ = fit(mixed())
    assert result.explanation is None
    assert result.notes[-1] == "the model was not explained: that was interrupted."
    with pytest.warns(AutoImbWarning, match="another interrupt gives it up"):
        interruption.handle(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        interruption.handle(signal.SIGINT, None)


def test_who_interrupted_the_export_does_not_wait_for_an_explanation(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    interruption, refit = Interruption(), fitting.refit

    def interrupted(*given: Any) -> Refit:
        interruption.handle(signal.SIGINT, None)
        return refit(*given)

    monkeypatch.setattr(fitting, "interruptible", lambda: nullcontext(interruption))
    monkeypatch.setattr(fitting, "refit", interrupted)
    monkeypatch.setattr(fitting, "explain", lambda *_: pytest.fail("it was explained"))
    with pytest.warns(AutoImbWarning, match="another interrupt gives it up"):
        result, _ = fit(mixed())
    assert result.explanation is None


def test_a_failure_is_a_note_and_no_lost_fit(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "explain", lambda *_: 1 / 0)
    result, _ = fit(mixed())
    assert result.explanation is None
    assert result.notes[-1] == (
        "the model could not be explained: ZeroDivisionError: division by zero."
    )


def explain_again(subject: Subject, seconds: float | None = None, **clock: Any) -> Explanation:
    return explain(subject, InProcessExecutor(subject.evaluator), seconds, **clock)


@pytest.mark.parametrize("what", ["importance", "contributions"])
def test_what_fails_leaves_the_rest(
    fitted: tuple[FitResult, Subject], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    name = {"importance": "measure_importance", "contributions": "sum_contributions"}[what]
    monkeypatch.setattr(explanation, name, lambda *_: 1 / 0)
    found = explain_again(fitted[1])
    assert (found.importance is None, found.contributions is None) == (
        what == "importance",
        what == "contributions",
    )
    assert len(found.hardest) == 20
    assert found.notes[0] == (f"{what} could not be measured: ZeroDivisionError: division by zero.")


def test_without_time_only_what_is_known_is_told(fitted: tuple[FitResult, Subject]) -> None:
    found = explain_again(fitted[1], 0.0)
    assert (found.importance, found.contributions) == (None, None)
    assert found.notes == (fold_fits.NO_TIME,)
    assert found.classes == explained(fitted[0]).classes
    assert [row.row for row in found.hardest] == [row.row for row in explained(fitted[0]).hardest]


def test_what_time_does_not_suffice_for_is_left_out(fitted: tuple[FitResult, Subject]) -> None:
    ticks = iter(np.arange(0.0, 100.0, 0.2))
    found = explain_again(fitted[1], 2.0, clock=lambda: float(next(ticks)))
    assert found.importance is not None
    assert found.contributions is not None
    assert found.contributions.n_rows < 600
    assert 0 < len(found.importance.columns) < 4
    assert any("columns were not shuffled" in note for note in found.notes)


class TestFitsWithoutAFold:
    """Where none is exported, one is trained, if time suffices."""

    @pytest.fixture
    def subject(self, fitted_in_time: tuple[FitResult, Subject]) -> Subject:
        subject = fitted_in_time[1]
        configuration = subject.trained.exported.members[0].configuration
        assert subject.trained.trainings == ((Training(configuration),),)
        return subject

    def test_without_a_limit_folds_with_rows_enough_are_trained(self, subject: Subject) -> None:
        assert fold_fits.plan_folds(subject, 1, None) == ([2], None)

    def test_the_time_bounds_the_rows(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fold_fits, "_seconds_of_one", lambda _: 10.0)
        n_affordable = int(0.8 * len(subject.evaluator.training_rows(2)))
        assert fold_fits.plan_folds(subject, 1, 20.0) == ([2], None)
        assert fold_fits.plan_folds(subject, 1, 8.0) == ([2], n_affordable)
        assert fold_fits.plan_folds(subject, 1, 1.0) == ([], None)
        seconds = 8.0 / explanation.TRAINING_SHARE
        found = explain_again(subject, seconds, clock=lambda: 0.0)
        assert found.importance is not None
        assert f"trained on {n_affordable:,} rows" in found.notes[0]
        assert explain_again(subject, 1.0, clock=lambda: 0.0).notes == (fold_fits.NO_TIME,)

    def test_no_fold_is_begun_once_the_time_is_used_up(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times = [0.0]

        class Slow(InProcessExecutor):
            def train(self, training: Training, limit: float | None) -> Future[TrainedPipeline]:
                times.append(times[-1] + 3.0)
                return super().train(training, limit)

        monkeypatch.setattr(fold_fits, "plan_folds", lambda *_: ([2, 1], None))
        executor = Slow(subject.evaluator)
        fits, note = fold_fits.find_fits(subject, executor, 2.0, lambda: times[-1])
        assert (list(fits), note) == ([2], None)
        fits, note = fold_fits.find_fits(subject, executor, None, lambda: times[-1])
        assert (list(fits), note) == ([2, 1], None)

    def test_a_training_that_fails_leaves_the_rest(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subject.evaluator, "train", lambda _: 1 / 0)
        found = explain_again(subject)
        assert (found.importance, found.contributions) == (None, None)
        assert found.notes == (
            "importance was not measured: training without a fold failed "
            "(ZeroDivisionError: division by zero).",
        )
