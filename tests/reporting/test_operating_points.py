"""The points of the explorer: what they count, and what their intervals cover."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.costs import Costs
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.metrics import count
from autoimb.reporting.operating_points import (
    MAX_POINTS,
    OperatingPoints,
    find_points,
)

MAX_BYTES = 250_000
PROBABILITIES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]) | st.floats(0.0, 1.0)


def two_columns(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])


def draw_rows(n: int, prevalence: float, seed: int = 0) -> Scored:
    """Simulate calibrated probabilities in single precision, as models keep them."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    odds = np.log(prevalence / (1 - prevalence)) + 2 * (rng.normal(2 * y, 1) - 1)
    p = (1 / (1 + np.exp(-odds))).astype(np.float32).astype(float)
    return Scored(y, two_columns(p))


@st.composite
def any_rows(draw: Any) -> Scored:
    """Rows of both classes, with ties and with both ends of the scale."""
    p = draw(st.lists(PROBABILITIES, min_size=2, max_size=30))
    y = draw(st.lists(st.integers(0, 1), min_size=len(p) - 2, max_size=len(p) - 2))
    return Scored(np.array([0, 1, *y]), two_columns(np.array(p)))


def counts_of(scored: Scored, threshold: float) -> tuple[int, int]:
    flagged = Threshold(threshold).decide(scored.proba) == 1
    return int(scored.y[flagged].sum()), int((scored.y[flagged] == 0).sum())


def require_counted(found: OperatingPoints, scored: Scored) -> None:
    """Check every point against the rows."""
    told = zip(found.hits.tolist(), found.false_alarms.tolist(), strict=True)
    for threshold, counts in zip(found.thresholds.tolist(), told, strict=True):
        assert counts == counts_of(scored, threshold)


@settings(deadline=None)
@given(scored=any_rows(), kept=st.floats(0.0, 1.0))
def test_points_count_what_their_thresholds_decide(scored: Scored, kept: float) -> None:
    found = find_points(scored, [0.5, kept])
    require_counted(found, scored)
    assert (np.diff(found.thresholds) < 0).all()
    assert {0.5, kept} <= set(found.thresholds.tolist())
    assert found.thresholds[-1] >= 0
    assert found.thresholds[0] <= 1
    assert found.thresholds[found.place_of(kept)] == kept


@settings(deadline=None)
@given(scored=any_rows())
def test_few_rows_have_every_decision_that_a_threshold_can_make(scored: Scored) -> None:
    found = find_points(scored)
    p = scored.proba[:, 1]
    possible = {counts_of(scored, t) for t in (1.0, *p)}
    assert possible <= set(zip(found.hits.tolist(), found.false_alarms.tolist(), strict=True))


def test_thresholds_are_written_with_few_digits() -> None:
    found = find_points(draw_rows(3000, 0.05))
    written = [len(f"{threshold:g}".lstrip("0.")) for threshold in found.thresholds.tolist()]
    assert np.mean(written) < 6


@pytest.mark.parametrize(("n", "prevalence"), [(60_000, 0.002), (60_000, 0.3), (2100, 0.5)])
def test_many_rows_are_thinned_to_a_page_that_keeps_the_curve(n: int, prevalence: float) -> None:
    scored = draw_rows(n, prevalence)
    found = find_points(scored, [0.5, 0.123])
    require_counted(found, scored)
    assert len(found.thresholds) <= MAX_POINTS + 2 < found.n_distinct
    assert len(json.dumps(found.to_dict())) < MAX_BYTES
    gaps = np.diff(found.hits) / found.n_positive
    assert gaps.max() <= 5 / MAX_POINTS + 3 / found.n_positive
    for miss in (0.1, 1.0, 25.0, 1000.0):
        cost = Costs(fn=miss)
        least = min(
            cost.figures(scored, Threshold(t).decide(scored.proba))["cost"]
            for t in np.quantile(scored.proba[:, 1], np.linspace(0, 1, 400))
        )
        assert found.cost(1.0, miss).value.min() <= 1.002 * least


@pytest.mark.parametrize("n_positive", [1, 5])
def test_intervals_of_few_positives_are_those_of_scipy(n_positive: int) -> None:
    scored = draw_rows(400, 0.2)
    scored = scored.take(np.append(np.flatnonzero(scored.y == 0),
                                   np.flatnonzero(scored.y == 1)[:n_positive]))  # fmt: skip
    found = find_points(scored)
    alerts = found.hits + found.false_alarms
    cases: list[tuple[Any, IntArray, IntArray, str]] = [
        (found.recall(), found.hits, np.full(len(alerts), n_positive), "exact"),
        (found.precision(), found.hits, alerts, "exact"),
        (found.alerts(), alerts, np.full(len(alerts), found.n_rows), "exact"),
        (found.cost(1.0, 0.0), found.false_alarms, np.full(len(alerts), found.n_rows), "wilson"),
    ]
    for rate, hits, n, method in cases:
        for i in range(0, len(n), 17):
            if n[i]:
                told = binomtest(int(hits[i]), int(n[i])).proportion_ci(0.95, method)
                assert rate.at(i) == pytest.approx((hits[i] / n[i], *told), abs=1e-9)


def test_a_precision_of_no_alert_is_not_known() -> None:
    found = find_points(Scored(np.array([0, 1]), two_columns(np.array([0.1, 0.2]))), [0.9])
    value, low, high = found.precision().at(found.place_of(0.9))
    assert np.isnan(value)
    assert (low, high) == (0.0, 1.0)
    assert "NaN" not in json.dumps(found.to_dict())


# Classes as frequent as elsewhere.


def test_rates_are_those_of_the_prevalence_aimed_at() -> None:
    weights = np.array([1.04, 0.2])
    rows = draw_rows(2000, 0.05)
    scored = Scored(rows.y, rows.proba, class_weights=weights)
    found = find_points(scored)
    costs = Costs(fp=2.0, fn=30.0)
    for threshold in (0.5, 0.1, 0.02):
        i = found.place_of(threshold)
        codes = Threshold(float(found.thresholds[i])).decide(scored.proba)
        counted = count(scored.y, codes, 2, scored.row_weights)
        assert found.precision().value[i] == pytest.approx(
            counted.correct[1] / counted.predicted[1]
        )
        assert found.alerts().value[i] == pytest.approx(counted.predicted[1] / counted.true.sum())
        assert found.recall().value[i] == pytest.approx(counted.correct[1] / counted.true[1])
        assert found.cost(2.0, 30.0).value[i] == pytest.approx(costs.figures(scored, codes)["cost"])


@pytest.mark.parametrize("shares", [None, (0.99, 0.01), (0.6, 0.4)], ids=str)
@pytest.mark.parametrize(("recall", "alarms"), [(0.8, 0.02), (0.97, 0.3), (0.2, 0.001)])
def test_intervals_cover_what_is_true(
    shares: tuple[float, float] | None, recall: float, alarms: float
) -> None:
    """Each draw of rows is a point: twenty thousand tables at once."""
    rng, n = np.random.default_rng(0), (40, 760)
    hits, false = (rng.binomial(m, p, 20_000) for m, p in zip(n, (recall, alarms), strict=True))
    found = OperatingPoints(np.zeros(20_000), hits, false, *n, shares, 20_000)
    negative, positive = shares or (n[1] / sum(n), n[0] / sum(n))
    alerts = positive * recall + negative * alarms
    truths = {
        "recall": (found.recall(), recall),
        "precision": (found.precision(), positive * recall / alerts),
        "alerts": (found.alerts(), alerts),
        "cost": (found.cost(1.0, 25.0), 25 * positive * (1 - recall) + negative * alarms),
    }
    for name, (rate, truth) in truths.items():
        covered = np.mean((rate.low <= truth) & (truth <= rate.high))
        assert covered > 0.92, name
        assert (rate.low <= rate.value + 1e-12).all() or name == "precision"
