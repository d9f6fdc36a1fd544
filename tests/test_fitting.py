"""What a fit exports: one pipeline, or the mean of several where a class is small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.fitting import FEW_ROWS, FitResult, Plan, fit_dataset
from autoimb.strategy.pipeline import AveragedPipeline, TrainedPipeline

N_FOLDS = 3


def dataset(n_positive: int, n_rows: int) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [n_rows - n_positive, n_positive])
    table = pd.DataFrame(rng.normal(size=(n_rows, 3)) + y[:, None], columns=["a", "b", "c"])
    return make_dataset(table, y)


def fit(data: Dataset, space: str) -> FitResult:
    plan = Plan.checked(
        metric="f1", space=space, time_budget=None, n_trials=2, n_folds=N_FOLDS, n_jobs=1, seed=0
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
    assert any("averages 4 fits" in note for note in found.notes)


@pytest.mark.parametrize(
    ("n_positive", "n_rows", "space"),
    [(30, 150, "interpretable"), (FEW_ROWS, 3 * FEW_ROWS, "fast")],
    ids=["to be read", "many rows"],
)
def test_otherwise_one_fit_is_exported(n_positive: int, n_rows: int, space: str) -> None:
    found = fit(dataset(n_positive, n_rows), space)
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
    assert found.notes[-2:] == (
        "the winner could not be trained on all rows: RuntimeError: 3000 rows are too many",
        "the exported model averages 3 fits, on those of each fold.",
    )
    assert found.score > 0.5
