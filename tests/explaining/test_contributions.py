from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from explained_tables import LIGHTGBM, LOGISTIC, evaluator_of, fit_folds, mixed

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.explaining import contributions
from autoimb.explaining.contributions import contribute, is_explained, sum_contributions
from autoimb.strategy.configuration import Choice

EARLY = Choice("early", "autoimb.strategy.models.early_stopping.EarlyStoppedLightGBM")
FOCAL = Choice("focal", "autoimb.strategy.models.boosting.LossBoosting", values={"loss": "focal"})
FOREST = Choice("forest", "sklearn.ensemble.RandomForestClassifier", "numeric")


def many_levels() -> Dataset:
    """Columns that are encoded in every way: gaps are marked, levels get columns or statistics."""
    data = mixed()
    rng = np.random.default_rng(0)
    town = rng.choice([f"town {k}" for k in range(30)], 600)
    table = pd.DataFrame({"town": town, "signal": data.X[:, 2], "city": data.X[:, 1].astype(str)})
    return make_dataset(table, data.y)


@pytest.mark.parametrize("kind", ["raw", "mixed", "numeric", "scaled"])
@pytest.mark.parametrize("data", [mixed(), mixed(n_classes=3), many_levels()])
def test_contributions_and_a_constant_sum_up_to_the_score(data: Dataset, kind: str) -> None:
    evaluator = evaluator_of(data)
    pipeline = fit_folds(evaluator, replace(LIGHTGBM, input=kind), (0,))[0]
    X = data.X[evaluator.scored_rows(0)]
    found = contribute(pipeline, X)
    raw = pipeline.model.booster_.predict(pipeline.encoder.transform(X), raw_score=True)
    rest = raw.reshape(len(X), -1) - found.sum(axis=2)
    assert found.shape == (len(X), 1 if data.n_classes == 2 else 3, data.X.shape[1])
    assert np.ptp(rest, axis=0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("model", [LIGHTGBM, EARLY, FOCAL])
def test_every_kind_of_lightgbm_is_explained(model: Choice) -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, model)
    assert is_explained(fits[0])
    found = sum_contributions(fits, data, evaluator, lambda: 1.0)
    by_name = {one.column: one for one in found.columns}
    assert [one.column for one in found.columns[:2]] == ["signal", "city"]
    assert found.n_rows == 600
    # Of `none` and `severe` the rarer one, which high values speak for, is positive.
    assert (by_name["signal"].direction or 0) > 0.8
    assert by_name["city"].direction is None


@pytest.mark.parametrize("model", [LOGISTIC, FOREST])
def test_other_models_are_not(model: Choice) -> None:
    assert not is_explained(fit_folds(evaluator_of(mixed()), model, (0,))[0])


def test_of_several_classes_nothing_has_a_direction() -> None:
    data = mixed(n_classes=3)
    evaluator = evaluator_of(data)
    found = sum_contributions(fit_folds(evaluator, LIGHTGBM), data, evaluator, lambda: 1.0)
    assert found.columns[0].column == "signal"
    assert all(one.direction is None and one.mean >= 0 for one in found.columns)


def test_rows_beyond_the_time_are_left_out() -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LIGHTGBM)
    looks = iter([1.0, 0.0])
    some = sum_contributions(fits, data, evaluator, lambda: next(looks))
    assert some.n_rows == 2 * contributions.ROWS_AT_A_TIME
    assert some.columns[0].column == "signal"


def test_large_trees_are_explained_on_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    monkeypatch.setattr(contributions, "MAX_LEAVES", 30 * 7 * 80)
    found = sum_contributions(fit_folds(evaluator, LIGHTGBM), data, evaluator, lambda: 1.0)
    assert found.n_rows == 80


def test_a_column_without_known_values_has_no_direction() -> None:
    assert contributions._correlate_ranks(np.full(3, np.nan), np.arange(3.0)) is None
    assert contributions._correlate_ranks(np.arange(3.0), np.zeros(3)) is None
