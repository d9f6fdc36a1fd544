"""Groups that stay whole, and time: the past trains and tunes, the future tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import Folds, feasible_folds
from autoimb.decision.calibration import log_odds
from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level, plan_levels
from autoimb.evaluation.scoring import calibrate_folds, cross_fit, score_out_of_fold
from autoimb.metrics import METRICS
from autoimb.search.blend import cross_fitted_blend
from autoimb.strategy.configuration import Choice, Configuration

FOREST = Configuration(
    Choice(
        "forest", "sklearn.ensemble.RandomForestClassifier", "numeric",
        values={"n_estimators": 30, "random_state": 0},
    )
)  # fmt: skip
N_GROUPS, N_ROWS = 100, 1_000


def visits(**asked: str) -> Dataset:
    """Make ten visits of each patient, in a month; what tells patients apart tells nothing else."""
    rng = np.random.default_rng(0)
    patient = rng.permutation(np.arange(N_ROWS) % N_GROUPS)
    is_sick = rng.permutation(np.arange(N_GROUPS) < N_GROUPS // 5)
    day = rng.permutation(3 * np.arange(N_GROUPS))[patient] + rng.integers(0, 30, N_ROWS)
    table = pd.DataFrame({
        "height": rng.normal(size=N_GROUPS)[patient],
        "weight": rng.normal(size=N_GROUPS)[patient],
        "noise": rng.normal(size=N_ROWS),
        "patient": [f"patient {k}" for k in patient],
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"),
    })  # fmt: skip
    names = [name for name in ("patient", "day") if name not in asked.values()]
    return make_dataset(table.drop(columns=names), is_sick[patient], **asked)


def make(data: Dataset, n_folds: int = 4) -> Evaluator:
    criterion = BestMetric("average_precision")
    return make_evaluator(data, n_folds, "average_precision", 0, 1, criterion)[0]


@pytest.mark.parametrize("asked", [{"groups": "patient"}, {"groups": "patient", "time": "day"}])
def test_a_forest_that_knows_the_patients_is_found_out(asked: dict[str, str]) -> None:
    at_random = make(visits()).evaluate(FOREST).scores["average_precision"].value
    whole = make(visits(**asked)).evaluate(FOREST).scores["average_precision"].value
    assert at_random > 0.9
    assert whole < 0.4  # one in five is positive


def test_what_drifts_is_found_out_by_time() -> None:
    """Rare rows come in weeks of their own, which a model of mixed times knows by the week."""
    rng = np.random.default_rng(0)
    week = np.sort(rng.integers(0, 60, N_ROWS))
    is_rare = rng.permutation(np.arange(60) % 4 == 0)[week]
    table = pd.DataFrame({"meter": week + rng.normal(0, 0.05, N_ROWS), "week": week})
    mixed = make(make_dataset(table[["meter"]], is_rare)).evaluate(FOREST)
    split = make(make_dataset(table, is_rare, time="week")).evaluate(FOREST)
    assert mixed.scores["average_precision"].value > 0.9
    assert split.scores["average_precision"].value < 0.5


@pytest.mark.parametrize(
    "asked", [{"groups": "patient"}, {"time": "day"}, {"groups": "patient", "time": "day"}]
)
def test_nothing_trained_on_belongs_to_what_is_scored(
    asked: dict[str, str], tmp_path: Path
) -> None:
    data = visits(**asked)
    evaluator = make(data)
    evaluator.save(tmp_path)
    for one in (evaluator, Evaluator.load(tmp_path)):
        for fold in range(one.n_folds):
            trained, scored = one.training_rows(fold), one.scored_rows(fold)
            assert not set(data.units[trained]) & set(data.units[scored])
            assert np.array_equal(np.unique(data.y[trained]), [0, 1])
            if data.times is not None:
                assert data.times[trained].max() < data.times[scored].min()
            assert len(one.training_part(fold).y) == len(trained)


def test_copies_of_a_scored_row_are_not_trained_on_in_time() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=400), np.arange(400) % 5 == 0
    x[350:] = x[20:70]
    data = make_dataset(pd.DataFrame({"x": x, "t": np.arange(400)}), y, time="t")
    evaluator = make(data)
    trained, scored = evaluator.training_rows(3), evaluator.scored_rows(3)
    assert 0 < scored.min() - len(trained) <= 50
    assert not set(x[trained]) & set(x[scored])


def test_workers_find_what_this_process_does(tmp_path: Path) -> None:
    evaluator = make(visits(groups="patient", time="day"))
    evaluator.save(tmp_path)
    mine, theirs = (one.evaluate(FOREST) for one in (evaluator, Evaluator.load(tmp_path)))
    assert np.array_equal(mine.proba, theirs.proba, equal_nan=True)
    assert mine.scores == theirs.scores


def test_rows_before_the_first_fold_are_not_scored() -> None:
    evaluator = make(visits(time="day"))
    found = evaluator.evaluate(FOREST)
    assert np.array_equal(np.isnan(found.proba[:, 0]), evaluator.folds == -1)
    rows, folds = evaluator.scored(Level(evaluator.n_folds))
    assert np.array_equal(rows, np.flatnonzero(evaluator.folds >= 0))
    assert np.array_equal(folds.judged, folds.number > 0)
    assert len(found.scored_proba) == len(rows)


def test_one_fold_is_tuned_on_parts_that_keep_groups_whole() -> None:
    evaluator = make(visits(groups="patient"))
    rows, folds = evaluator.scored(Level(1))
    assert np.array_equal(rows, evaluator.scored_rows(0))
    parts = [set(folds.units[folds.number == part]) for part in folds.each()]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert not folds.in_time


@pytest.mark.parametrize("counts", [(900, 100), (9_000, 1_000), (990_000, 10_000)])
def test_in_time_every_level_scores_all_folds_once(counts: tuple[int, int]) -> None:
    levels = plan_levels(counts, 5, in_time=True)
    assert {(level.n_folds, level.repeat) for level in levels} == {(5, 0)}
    assert levels[-1] == Level(5)
    assert len(levels) == (3 if sum(counts) > 50_000 else 1)


def test_in_time_there_is_one_assignment() -> None:
    data = visits(time="day")
    assert len(make(data).assignments) == 1
    assert feasible_folds(data, 4) == 4


# ------------------------------------------------------------------- decisions in time

N_FOLDS = 4


def predicted(n_classes: int) -> tuple[IntArray, FloatArray, Folds]:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(400) % 7 % n_classes)
    raw = rng.random((400, n_classes)) + 0.5 * np.eye(n_classes)[y]
    raw[:, 0] += 0.5
    return y, raw / raw.sum(axis=1, keepdims=True), Folds(np.arange(400) // 100, in_time=True)


def lie_from(fold: int, y: IntArray, proba: FloatArray, folds: Folds) -> Scored:
    """Change labels and predictions of a fold and of those after it."""
    later = folds.number >= fold
    flipped = np.where(later, (y + 1) % proba.shape[1], y)
    return Scored(flipped, np.where(later[:, None], proba[:, ::-1] ** 2, proba))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fold", range(1, N_FOLDS))
def test_the_future_changes_no_decision_of_the_past(fold: int, n_classes: int) -> None:
    y, proba, folds = predicted(n_classes)
    before, names = folds.number < fold, ("none", "platt")
    criterion = BestMetric("f1" if n_classes == 2 else "balanced_accuracy")
    true, lied = Scored(y, proba), lie_from(fold, y, proba, folds)
    mine, other = (cross_fit(criterion, one, folds) for one in (true, lied))
    assert np.array_equal(mine.codes[before], other.codes[before])
    assert np.array_equal(mine.proba[before], other.proba[before])
    first, second = (calibrate_folds(one, folds, names) for one in (true, lied))
    assert np.array_equal(first[before], second[before])
    blends = [
        cross_fitted_blend(one.y, log_odds(np.stack([one.proba, one.proba**0.5], axis=2)), folds)
        for one in (true, lied)
    ]
    assert np.array_equal(blends[0][before], blends[1][before])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_labels_of_a_fold_do_not_touch_its_own_decisions(n_classes: int) -> None:
    y, proba, folds = predicted(n_classes)
    criterion, inside = BestMetric("balanced_accuracy"), folds.number == 2
    lied = np.where(inside, (y + 1) % n_classes, y)
    mine, other = (cross_fit(criterion, Scored(labels, proba), folds) for labels in (y, lied))
    assert np.array_equal(mine.codes[inside], other.codes[inside])
    last = folds.number == 3
    assert not np.array_equal(mine.proba[last], other.proba[last])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_earliest_fold_is_decided_by_the_argmax(n_classes: int) -> None:
    y, proba, folds = predicted(n_classes)
    found, first = cross_fit(BestMetric("g_mean"), Scored(y, proba), folds), folds.number == 0
    assert np.array_equal(found.proba[first], proba[first])
    assert np.array_equal(found.codes[first], proba[first].argmax(axis=1))


def test_the_earliest_fold_is_not_judged() -> None:
    y, proba, folds = predicted(2)
    judged = folds.number > 0
    scores = score_out_of_fold(METRICS["f1"], Scored(y, proba), folds)
    expected = METRICS["average_precision"].evaluate(y[judged], proba[judged], y[judged])
    assert scores["average_precision"].value == pytest.approx(expected)
    lied = Scored(y, np.where(judged[:, None], proba, proba[:, ::-1]))
    ranked = score_out_of_fold(METRICS["f1"], lied, folds)["roc_auc"]
    assert ranked == score_out_of_fold(METRICS["f1"], Scored(y, proba), folds)["roc_auc"]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_earliest_fold_is_blended_by_the_plain_mean(n_classes: int) -> None:
    y, proba, folds = predicted(n_classes)
    odds = log_odds(np.stack([proba, proba], axis=2))
    blended, first = cross_fitted_blend(y, odds, folds), folds.number == 0
    assert np.allclose(blended[first], proba[first], atol=1e-6)
    assert np.allclose(blended.sum(axis=1), 1)
