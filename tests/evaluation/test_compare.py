"""Intervals of scores and of differences, that hold as often as they say."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest

from autoimb.arrays import FloatArray
from autoimb.data.splitting import Folds
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import draw_resamples
from autoimb.evaluation.compare import Resampled, compare
from autoimb.evaluation.estimate import Estimate, bound, resample_scores
from autoimb.evaluation.scoring import cross_fit, score_out_of_fold
from autoimb.metrics import METRICS, get_metric

N = 200


def resampled(rows: FloatArray, seed: int = 0, n_resamples: int = 200) -> Resampled:
    """Score by a mean of rows, on resamples that are the same for all with one seed."""
    return Resampled(float(rows.mean()), draw_times(seed, n_resamples) @ rows / N)


@lru_cache(maxsize=400)
def draw_times(seed: int, n_resamples: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(r, minlength=N) for r in rng.integers(0, N, (n_resamples, N))])


def strategies(seed: int, *skills: float) -> list[Resampled]:
    """Strategies that are right on much the same rows."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=N)
    return [resampled(skill + shared + 0.5 * rng.normal(size=N), seed) for skill in skills]


def test_intervals_hold_for_all_comparisons_at_once() -> None:
    skills = (0.0, 0.05, -0.1, 0.0, 0.2)
    all_hold, first_holds = [], []
    for seed in range(200):
        one, *others = strategies(seed, 0.1, *skills)
        found = compare(one, {str(skill): other for skill, other in enumerate(others)})
        holds = [c.low <= 0.1 - skill <= c.high for c, skill in zip(found, skills, strict=True)]
        all_hold.append(all(holds))
        first_holds.append(holds[0])
    assert 0.9 <= np.mean(all_hold) <= 0.99
    assert np.mean(first_holds) > np.mean(all_hold)


def test_intervals_of_one_comparison_hold_as_often_as_they_say() -> None:
    held = []
    for seed in range(200):
        (found,) = compare(*strategies(seed, 0.1)[:1], {"other": strategies(seed, 0.1, 0.1)[1]})
        held.append(found.low <= 0 <= found.high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_more_others_make_intervals_wider_unless_they_are_the_same() -> None:
    one, *others = strategies(0, 0.1, 0.0, 0.0, 0.0, 0.0)
    (alone,) = compare(one, {"first": others[0]})
    among = compare(one, {str(k): other for k, other in enumerate(others)})[0]
    copies = compare(one, {str(k): others[0] for k in range(4)})[0]
    assert among.high - among.low > 1.1 * (alone.high - alone.low)
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high))


def test_a_clear_lead_is_clear_and_a_lead_of_chance_is_not() -> None:
    one, far, near = strategies(1, 0.5, 0.0, 0.5)
    clear, chance = compare(one, {"far": far, "near": near})
    assert clear.is_clear
    assert clear.p_better == 1.0
    assert not chance.is_clear
    assert (clear.name, chance.name) == ("far", "near")
    assert not compare(far, {"one": one})[0].is_clear


def test_equal_strategies_are_called_apart_hardly_ever() -> None:
    called = [
        any(c.is_clear for c in compare(one, {str(k): o for k, o in enumerate(others)}))
        for one, *others in (strategies(seed, 0, 0, 0, 0) for seed in range(200))
    ]
    assert np.mean(called) <= 0.1


@pytest.mark.parametrize("optimism", [-0.02, 0.0, 0.02])
def test_a_strategy_is_as_good_as_itself_whatever_it_owes_to_luck(optimism: float) -> None:
    (one,) = strategies(0, 0.5)
    (found,) = compare(one, {"itself": Resampled(one.value, one.values.copy())}, optimism)
    assert (found.difference, found.low, found.high, found.error) == (0.0, 0.0, 0.0, 0.0)
    assert not found.is_clear
    assert found.p_better == 0.0


def test_what_is_owed_to_luck_is_taken_off_the_lead() -> None:
    one, other = strategies(0, 0.3, 0.0)
    (whole,), (less,) = (compare(one, {"other": other}, optimism) for optimism in (0.0, 0.2))
    assert whole.is_clear
    assert not less.is_clear
    assert less.difference == pytest.approx(whole.difference - 0.2)
    assert (less.low, less.high) == pytest.approx((whole.low - 0.2, whole.high - 0.2))
    assert less.p_better < whole.p_better
    assert less.error == whole.error


def test_of_a_part_of_the_rows_deviations_are_as_those_of_all() -> None:
    one, other = strategies(0, 0.1, 0.0)
    (part,), (whole,) = (compare(one, {"other": other}, shrink=s) for s in (1.0, 0.5))
    assert whole.error == pytest.approx(part.error / 2)
    assert whole.high - whole.low == pytest.approx((part.high - part.low) / 2)
    assert whole.difference == part.difference


def test_resamples_that_have_no_score_are_left_out() -> None:
    one, other = strategies(0, 0.5, 0.0)
    values = np.where(np.arange(len(one.values)) % 10 == 0, np.nan, one.values)
    (found,) = compare(Resampled(one.value, values), {"other": other})
    (whole,) = compare(one, {"other": other})
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high), abs=0.02)
    assert found.is_clear


def test_nothing_to_compare_with_is_no_comparison() -> None:
    assert compare(strategies(0, 0.0)[0], {}) == ()


def test_a_comparison_is_told_and_written() -> None:
    one, other = strategies(0, 0.3, 0.0)
    (found,) = compare(one, {"do nothing": other})
    assert str(found).startswith(f"{found.difference:+.3f} ({found.low:+.3f} to ")
    assert "against do nothing, better in " in str(found)
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["is_clear"] is True
    assert written["difference"] == found.difference


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = []
    for seed in range(200):
        (one,) = strategies(seed, 0.3)
        found = bound(one.value, one.values)
        held.append(found.low <= 0.3 <= found.high)
        assert found.low < found.value < found.high
    assert 0.9 <= np.mean(held) <= 0.99


def test_an_interval_lies_around_a_corrected_score_as_wide_as_before() -> None:
    (one,) = strategies(0, 0.3)
    plain, corrected, half = (
        bound(one.value, one.values),
        bound(one.value - 0.1, one.values),
        bound(one.value, one.values, 0.5),
    )
    assert corrected.low == pytest.approx(plain.low - 0.1)
    assert corrected.high == pytest.approx(plain.high - 0.1)
    assert half.high - half.low == pytest.approx((plain.high - plain.low) / 2)


@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_an_interval_holds_its_value_though_resamples_hardly_differ(rare: float) -> None:
    found = bound(0.5, np.array([rare] + [0.5] * 99))
    assert found.low <= 0.5 <= found.high


def test_a_score_without_resamples_has_no_interval_and_json_knows_it() -> None:
    found = bound(0.5, np.full(4, np.nan))
    assert (
        json.dumps(found.to_dict(), allow_nan=False) == '{"value": 0.5, "low": null, "high": null}'
    )
    assert Estimate(np.nan, 0.0, 1.0).to_dict()["value"] is None


@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_score_that_is_reported_has_resamples_around_it(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(n_classes), [150, 60, 40][:n_classes]))
    raw = np.exp(rng.normal(1.5 * np.eye(n_classes)[y]))
    scored, folds = Scored(y, raw / raw.sum(axis=1, keepdims=True)), Folds(np.arange(len(y)) % 4)
    criterion = Costs(fn=5.0) if n_classes == 2 else BestMetric("f1")
    reported = score_out_of_fold(METRICS["f1"], scored, folds, criterion)
    names = set(reported) - {"prevalence_ratio"}
    metrics = [get_metric(name) for name in names & set(METRICS)]
    weights = draw_resamples(y, np.arange(len(y)), 200, rng)
    found = resample_scores(
        metrics, criterion, scored, cross_fit(criterion, scored, folds), weights
    )
    assert set(found) == names
    assert ("cost" in names) is (n_classes == 2)
    for name, values in found.items():
        assert len(values) == 200
        interval = bound(reported[name].value, values)
        assert interval.low < reported[name].value < interval.high
        assert abs(values.mean() - reported[name].value) < interval.high - interval.low
