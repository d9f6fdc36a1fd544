"""Decisions that are solved on some rows and scored on others, for all resamples at once."""

from __future__ import annotations

import numpy as np
import pytest

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, Criterion, Swept
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import Weights, draw_resamples, score_resamples
from autoimb.evaluation.judging import judge
from autoimb.evaluation.scoring import cross_fit
from autoimb.metrics import METRICS, Counts, count

N = 90
FOLDS = Folds(np.arange(N) % 3)
OF_LABELS = [name for name, metric in METRICS.items() if metric.needs_decision]
THRESHOLDS: list[Swept] = [
    BestMetric("f1"), BestMetric("mcc"), Costs(fn=7.0), Floor("recall", 0.6, 0.5),
]  # fmt: skip


def rows(n_classes: int = 2, seed: int = 0, skill: float = 1.0) -> Scored:
    rng = np.random.default_rng(seed)
    y = rng.permutation(
        np.repeat(np.arange(n_classes), [60, 30] if n_classes == 2 else [50, 25, 15])
    )
    raw = np.exp(rng.normal(skill * np.eye(n_classes)[y]))
    return Scored(y, raw / raw.sum(axis=1, keepdims=True), rng.random(N) + 0.5)


def resamples(y: IntArray, seed: int = 0) -> Weights:
    return draw_resamples(y, np.arange(len(y)), 12, np.random.default_rng(seed))


def sweep(scored: Scored, weights: FloatArray) -> list[Counts]:
    """Count what each threshold decides, from the one that no row reaches downwards."""
    p = scored.proba[:, 1]
    thresholds = [2.0, *np.unique(p)[::-1]]
    return [count(scored.y, (p >= each).astype(int), 2, weights) for each in thresholds]


@pytest.mark.parametrize("criterion", THRESHOLDS, ids=str)
@pytest.mark.parametrize("name", ["f1", "mcc", "balanced_accuracy"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_threshold_that_is_best_on_some_rows_is_scored_on_others(
    name: str, criterion: Swept, elsewhere: bool
) -> None:
    scored, metric = rows(), METRICS[name]
    weights = resamples(scored.y)
    solved_on = np.asarray(weights == 0, dtype=np.float32) if elsewhere else None
    found = judge(metric, criterion, scored, FOLDS).values(weights, solved_on)
    solving = weights if solved_on is None else solved_on
    for value, here, there in zip(found, weights.T, solving.T, strict=True):
        utilities = [float(criterion.values(counts)) for counts in sweep(scored, there)]
        best = sweep(scored, here)[int(np.argmax(utilities))]
        assert value == pytest.approx(float(metric.of_counts(best)), abs=1e-5)


def test_a_threshold_does_worse_on_other_rows_than_on_those_that_it_was_solved_on() -> None:
    scored = rows(skill=0.3)
    judged = judge(METRICS["f1"], BestMetric("f1"), scored, FOLDS)
    drawn = draw_resamples(scored.y, np.arange(N), 200, np.random.default_rng(0))
    left_out = np.asarray(drawn == 0, dtype=np.float32)
    assert judged.values(left_out, drawn).mean() < judged.values(left_out).mean() - 0.02


KEPT: list[tuple[Criterion, int]] = [
    (BestMetric("f1"), 3),
    (Costs(fn=3.0, column="amount"), 2),
    (Costs(fn=3.0, abstain=0.2), 2),
    (Capacity(share=0.2), 2),
    (FixedThreshold(0.2), 2),
]


@pytest.mark.parametrize(
    ("criterion", "n_classes"),
    KEPT,
    ids=["several classes", "row costs", "passed on", "capacity", "fixed"],
)
@pytest.mark.parametrize("name", ["f1", "mcc"])
def test_other_decisions_are_those_that_were_solved_on_the_other_folds(
    name: str, criterion: Criterion, n_classes: int
) -> None:
    scored = rows(n_classes)
    weights = resamples(scored.y)
    judged = judge(METRICS[name], criterion, scored, FOLDS)
    kept = cross_fit(criterion, scored, FOLDS)
    expected = score_resamples(METRICS[name], scored, kept.proba, kept.codes, weights)
    np.testing.assert_allclose(judged.values(weights), expected, rtol=1e-6)
    elsewhere = resamples(scored.y, seed=1)
    np.testing.assert_array_equal(judged.values(weights, elsewhere), judged.values(weights))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["average_precision", "roc_auc_macro", "brier", "log_loss"])
def test_what_needs_no_decision_is_scored_as_a_utility(name: str, n_classes: int) -> None:
    scored, metric = rows(n_classes), METRICS[name]
    weights = resamples(scored.y)
    judged = judge(metric, BestMetric("f1"), scored, FOLDS)
    proba = cross_fit(BestMetric("f1"), scored, FOLDS).proba
    expected = score_resamples(metric, scored, proba, scored.y, weights)
    np.testing.assert_allclose(judged.values(weights), metric.utility(1.0) * expected, rtol=1e-4)
    np.testing.assert_array_equal(judged.merits(weights), judged.values(weights))
    good, bad = (judge(metric, BestMetric("f1"), rows(n_classes, skill=s), FOLDS) for s in (3, 0))
    assert (good.values(weights) > bad.values(weights)).all()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", OF_LABELS)
def test_labels_are_chosen_by_what_they_score_and_by_the_ranking_behind_them(
    name: str, n_classes: int
) -> None:
    scored, metric = rows(n_classes), METRICS[name]
    weights = resamples(scored.y)
    judged = judge(metric, BestMetric(name), scored, FOLDS)
    ranking = judge(METRICS[metric.ranking], BestMetric(name), scored, FOLDS)
    expected = (judged.values(weights) + ranking.values(weights)) / 2
    np.testing.assert_allclose(judged.merits(weights), expected, rtol=1e-6)
