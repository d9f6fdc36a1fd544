"""One probability from those of several models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from autoimb.data.splitting import Folds
from autoimb.decision.calibration import LogisticCurve, log_odds
from autoimb.decision.scored import Scored
from autoimb.decision.stacking import Blend, LogisticStack
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import score_out_of_fold
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import METRICS
from autoimb.search.blend import choose_export, cross_fitted_blend
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.records import Candidate, TrialRecord
from autoimb.strategy.configuration import Choice, Configuration


def views(n: int, skills: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels, one in five positive, and what models of these skills make of them."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 == 0).astype(int)
    odds = [skill * (2 * y - 1) + rng.normal(size=n) - 1 for skill in skills]
    return y, np.column_stack(odds)


def test_several_views_rank_better_than_each() -> None:
    y, odds = views(600, [0.7, 0.7, 0.7])
    proba = LogisticStack.fit(y, odds)(odds)
    assert roc_auc_score(y, proba) > max(roc_auc_score(y, column) for column in odds.T) + 0.03


@pytest.mark.parametrize("shift", [-4.0, 3.0])
def test_a_shifted_model_counts_as_much_as_if_it_were_not(shift: float) -> None:
    y, odds = views(600, [0.7, 0.7])
    shifted = odds + np.array([0.0, shift])
    expected = LogisticStack.fit(y, odds)(odds)
    assert LogisticStack.fit(y, shifted)(shifted) == pytest.approx(expected, abs=0.01)


def test_probabilities_are_those_of_the_data() -> None:
    y, odds = views(2000, [0.5, 1.0, 0.1])
    proba = LogisticStack.fit(y, odds + 2)(odds + 2)
    assert proba.mean() == pytest.approx(y.mean(), abs=0.005)
    assert log_loss(y, proba) < min(log_loss(y, LogisticCurve.fit(y, expit(z))(expit(z)))
                                    for z in odds.T)  # fmt: skip


def test_a_model_that_tells_nothing_changes_no_ranking() -> None:
    y, odds = views(300, [1.0])
    useless = np.column_stack([odds, np.full(300, 0.3), -odds])
    alone, with_them = (LogisticStack.fit(y, z)(z) for z in (odds, useless))
    assert np.array_equal(np.argsort(alone), np.argsort(with_them))


@pytest.mark.parametrize("n", [60, 6000])
def test_weights_follow_the_skill_as_far_as_rows_support_it(n: int) -> None:
    y, odds = views(n, [1.0, 1.0, 0.2])
    good, _, poor = LogisticStack.fit(y, odds).weights
    # calibrated, the poor model's log-odds are small: equal weights after calibration
    # already make its own weight small
    assert 0 <= poor < good / 2
    ratio = poor / good
    assert ratio < 0.3 if n == 60 else ratio < 0.25


def test_several_classes_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 25, 15])
    odds = rng.normal(size=(100, 3, 2)) + 2 * np.eye(3)[y][:, :, None]
    blend = Blend.fit(y, odds)
    assert len(blend.stacks) == 3
    proba = blend(odds)
    assert proba.sum(axis=1) == pytest.approx(1.0)
    assert (proba.argmax(axis=1) == y).mean() > 0.8


def test_a_fold_is_predicted_by_the_others() -> None:
    y, odds = views(100, [0.7, 0.5])
    both = np.stack([-odds, odds], axis=1)
    folds = np.arange(100) % 4
    whole = cross_fitted_blend(y, both, Folds(folds))
    flipped = np.where(folds == 1, 1 - y, y)
    other = cross_fitted_blend(flipped, both, Folds(folds))
    assert np.array_equal(whole[folds == 1], other[folds == 1])
    assert not np.array_equal(whole[folds == 2], other[folds == 2])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)
)
def test_whatever_comes_is_a_probability(rows: list[tuple[bool, float, float]]) -> None:
    y = np.array([int(positive) for positive, *_ in rows])
    odds = log_odds(np.array([scores for _, *scores in rows]))
    proba = LogisticStack.fit(y, odds)(odds)
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()


N_ROWS = 400
FOLDS = np.arange(N_ROWS) // 5 % 4
ALL_FOLDS = Level(4)
UNLIMITED = Budget(seconds=None, trials=1)


def as_long_as_the_folds(n_strategies: int) -> RefitCost:
    """Say that training a strategy takes as long as its folds did, which is one second."""
    trained = ALL_FOLDS.share_trained(N_ROWS, ALL_FOLDS.n_folds)
    return RefitCost(n_strategies, trained, N_ROWS, ALL_FOLDS.n_folds)


def candidates(y: np.ndarray, odds: np.ndarray) -> tuple[Evaluator, tuple[Candidate, ...]]:
    """Pretend that trials predicted these log-odds, in one second each, the best first."""
    metric = METRICS["average_precision"]
    found = []
    for number, column in enumerate(odds.T):
        proba = np.column_stack([1 - expit(column), expit(column)])
        scores = score_out_of_fold(metric, Scored(y, proba), Folds(FOLDS))
        configuration = Configuration(model=Choice(f"model_{number}", "any.Model"))
        record = TrialRecord(number, configuration, "complete", scores, 1.0, level=ALL_FOLDS)
        evaluation = Evaluation(proba.astype(np.float32), scores, 1.0, training_seconds=1.0)
        found.append(Candidate(record, evaluation, ALL_FOLDS))
    evaluator = Evaluator(np.zeros((N_ROWS, 1)), y, FOLDS, (0,), 2, metric.name, seed=0)
    return evaluator, tuple(found)


def test_strategies_of_like_skill_are_blended() -> None:
    evaluator, found = candidates(*views(N_ROWS, [0.9, 0.8, 0.8]))
    exported = choose_export(found, evaluator, UNLIMITED, as_long_as_the_folds(12))
    assert {record.number for record in exported.members} == {0, 1, 2}
    assert exported.members[0].number == 0
    assert exported.blend is not None
    alone = found[0].record.scores["average_precision"].value
    assert exported.scores["average_precision"].value > alone


def test_the_best_leads_and_the_others_follow_by_log_loss() -> None:
    evaluator, found = candidates(*views(N_ROWS, [0.4, 0.2, 1.2, 0.8]))
    exported = choose_export(found, evaluator, UNLIMITED, as_long_as_the_folds(3))
    assert [record.number for record in exported.members] == [0, 2, 3]


def test_one_that_is_far_better_outweighs_the_others() -> None:
    y, odds = views(N_ROWS, [2.0, 0.5])
    evaluator, found = candidates(y, odds[:, [0, *[1] * 11]])
    exported = choose_export(found, evaluator, UNLIMITED, as_long_as_the_folds(12))
    alone = found[0].record.scores["average_precision"].value
    assert exported.scores["average_precision"].value > alone - 0.01


@pytest.mark.parametrize(("seconds", "size", "n"), [(100.0, 12, 3), (100.0, 2, 2), (2.0, 12, 1)])
def test_a_blend_is_as_large_as_asked_for_and_affordable(seconds: float, size: int, n: int) -> None:
    evaluator, found = candidates(*views(N_ROWS, [0.9, 0.8, 0.8]))
    exported = choose_export(found, evaluator, Budget(seconds), as_long_as_the_folds(size))
    assert len(exported.members) == n
