"""What a fit exports: one pipeline, the mean of several where a class is small, or a blend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from metric_rules import solve_rule

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.decision.calibrators import choose_calibrator
from autoimb.evaluation.levels import FEW_ROWS
from autoimb.fit_facts import sum_up
from autoimb.fitting import FitResult, Watchers, fit_dataset
from autoimb.planning import Plan
from autoimb.strategy.pipeline import AveragedPipeline, BlendedPipeline, TrainedPipeline

pytestmark = pytest.mark.usefixtures("few_resamples")

N_FOLDS = 3


def dataset(n_positive: int, n_rows: int, n_classes: int = 2) -> Dataset:
    rng = np.random.default_rng(0)
    sizes = [n_rows - n_positive * (n_classes - 1), *[n_positive] * (n_classes - 1)]
    y = np.repeat(range(n_classes), sizes)
    table = pd.DataFrame(rng.normal(size=(n_rows, 3)) + y[:, None], columns=["a", "b", "c"])
    return make_dataset(table, y)


def fit(data: Dataset, space: str, *, n_trials: int = 2, blend: bool = False) -> FitResult:
    plan = Plan.checked(
        metric="f1",
        space=space,
        time_budget=None,
        n_trials=n_trials,
        n_folds=N_FOLDS,
        n_jobs=None,
        executor="in_process",
        seed=0,
        blend=blend,
    )
    return fit_dataset(data, plan)


def test_few_rows_of_a_class_are_fitted_on_all_rows_and_on_those_of_each_fold() -> None:
    data = dataset(30, 150)
    found = fit(data, "fast")
    pipeline = found.model.pipeline
    assert isinstance(pipeline, AveragedPipeline)
    assert len(pipeline.members) == N_FOLDS + 1
    each = [member.predict_proba(data.X) for member in pipeline.members]
    assert np.array_equal(pipeline.predict_proba(data.X), np.mean(each, axis=0))
    assert len({proba.tobytes() for proba in each}) == N_FOLDS + 1
    assert any("averages fits on all rows" in note for note in found.notes)


@pytest.mark.parametrize(
    ("n_positive", "n_rows", "space", "blend"),
    [(30, 150, "interpretable", True), (FEW_ROWS, 3 * FEW_ROWS, "fast", False)],
    ids=["to be read", "many rows"],
)
def test_otherwise_one_fit_is_exported(
    n_positive: int, n_rows: int, space: str, blend: bool
) -> None:
    found = fit(dataset(n_positive, n_rows), space, blend=blend)
    assert isinstance(found.model.pipeline, TrainedPipeline)
    assert not any("averages" in note for note in found.notes)


def test_a_winner_that_fails_on_all_rows_is_exported_as_its_folds(tmp_path: Path) -> None:
    data = dataset(FEW_ROWS, 3 * FEW_ROWS)
    path = tmp_path / "own.toml"
    path.write_text(
        f'[model.picky]\nclass = "fails_on_many_rows.Picky"\nmax_rows = {len(data.y) - 1}\n'
    )
    found = fit(data, str(path))
    pipeline = found.model.pipeline
    assert isinstance(pipeline, AveragedPipeline)
    assert len(pipeline.members) == N_FOLDS
    assert found.notes[-1:] == (
        "picky could not be trained on all rows, only on those of each fold: "
        "RuntimeError: 3000 rows are too many",
    )
    assert found.score > 0.5


@pytest.mark.parametrize("n_classes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_blend_holds_every_leading_strategy(n_classes: int) -> None:
    data = dataset(30, 150, n_classes)
    found = fit(data, "fast", n_trials=6, blend=True)
    strategies = {str(member.configuration) for member in found.exported.members}
    assert len(strategies) == len(found.exported.members) > 1
    assert found.exported.members[0] == found.search.best
    pipeline = found.model.pipeline
    assert isinstance(pipeline, BlendedPipeline)
    assert [len(fits) for fits in pipeline.members] == [N_FOLDS + 1] * len(strategies)
    proba = pipeline.predict_proba(data.X)
    assert proba.shape == (150, n_classes)
    assert np.allclose(proba.sum(axis=1), 1)
    assert found.score == found.exported.scores["f1"].value
    exported = found.leaderboard[found.leaderboard["exported"]]
    assert set(exported["strategy"]) == strategies
    assert any("blends the best of" in note for note in found.notes)
    assert len(sum_up(found)["blended"]) == len(strategies) - 1


def test_watchers_need_not_care_for_the_end_of_trials() -> None:
    class Plain:
        def started(self, *_: Any) -> None: ...
        def told(self, _: Any) -> None: ...
        def finished(self, _: Any) -> None: ...

    class Caring(Plain):
        has_heard = False

        def trials_ended(self) -> None:
            self.has_heard = True

    caring = Caring()
    Watchers([Plain(), caring]).trials_ended()
    assert caring.has_heard


def test_a_blend_can_be_declined() -> None:
    found = fit(dataset(30, 150), "fast", n_trials=4, blend=False)
    assert found.exported.members == (found.search.best,)
    assert not any("blend" in note for note in found.notes)


def test_a_blend_decides_as_the_rule_was_solved_on_rows_that_it_has_not_seen() -> None:
    data = dataset(30, 150)
    found = fit(data, "fast", n_trials=4, blend=True)
    unseen, in_sample = found.exported.proba, found.model.pipeline.predict_proba(data.X)
    assert not np.allclose(in_sample, unseen, atol=0.01)
    unseen = unseen.astype(np.float32).astype(float)  # as the model keeps them
    calibrate = choose_calibrator(data.y, unseen, found.folds)
    assert found.model.rule == solve_rule(found.metric, data.y, calibrate(unseen))
    assert np.array_equal(found.model.calibrated(data.X), calibrate(in_sample))
