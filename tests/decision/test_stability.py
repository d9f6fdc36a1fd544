"""How sure a decision says it is, held against other rows of the same kind."""

from __future__ import annotations

import numpy as np
import pytest

from autoimb.arrays import FloatArray
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion, Swept
from autoimb.decision.deciding import decide
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.rules import AbstainBand, ClassWeights, RowCosts, Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.stability import Stability, assess_stability

OF_ONE_THRESHOLD: list[Criterion] = [
    BestMetric("f1"),
    BestMetric("balanced_accuracy"),
    Costs(fn=9.0),
    Floor("recall", 0.7),
    Floor("precision", 0.4),
    Floor("specificity", 0.9),
]
each_criterion = pytest.mark.parametrize("criterion", OF_ONE_THRESHOLD, ids=str)


def draw(n: int, seed: int, prevalence: float = 0.1) -> Scored:
    """Simulate two overlapping normals, with the probabilities that they mean."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    odds = np.log(prevalence / (1 - prevalence)) + 2 * rng.normal(2 * y, 1) - 2
    p = 1 / (1 + np.exp(-odds))
    return Scored(y, np.column_stack([1 - p, p]), rng.lognormal(4, 1, n))


def draw_three(n: int, seed: int) -> Scored:
    rng = np.random.default_rng(seed)
    y = rng.choice(3, n, p=[0.7, 0.2, 0.1])
    raw = np.array([0.7, 0.2, 0.1]) * np.exp(1.2 * np.eye(3)[y] + rng.normal(0, 0.7, (n, 3)))
    return Scored(y, raw / raw.sum(axis=1, keepdims=True))


def assess(criterion: Criterion, scored: Scored, seed: int = 0) -> Stability:
    found = assess_stability(criterion, scored, criterion.solve(scored), seed)
    assert found is not None
    return found


def threshold_of(criterion: Criterion, scored: Scored) -> float:
    rule = criterion.solve(scored)
    assert isinstance(rule, Threshold)
    return rule.value


@each_criterion
def test_the_interval_and_the_flat_range_hold_the_threshold(criterion: Criterion) -> None:
    scored = draw(600, seed=1)
    found, value = assess(criterion, scored), threshold_of(criterion, scored)
    assert len(found.intervals) == 1
    ((low, high),) = found.intervals
    assert low <= value <= high
    assert found.flat is not None
    assert found.flat[0] <= value <= found.flat[1]


@pytest.mark.slow
def test_the_interval_covers_most_thresholds_of_other_rows() -> None:
    """A bootstrap interval is about the estimate, which errs itself: less than 95 % are covered."""
    for criterion in (BestMetric("f1"), Floor("recall", 0.7)):
        others = [threshold_of(criterion, draw(3000, seed)) for seed in range(100, 140)]
        covered = []
        for seed in range(6):
            ((low, high),) = assess(criterion, draw(3000, seed)).intervals
            covered.append(np.mean([low <= value <= high for value in others]))
        assert np.mean(covered) > 0.6, criterion


@pytest.mark.slow
def test_more_rows_make_it_surer() -> None:
    for criterion in (BestMetric("f1"), Floor("precision", 0.4)):
        widths = []
        for n in (500, 20_000):
            each = [assess(criterion, draw(n, seed)).intervals[0] for seed in range(3)]
            widths.append(np.mean([high - low for low, high in each]))
        assert widths[1] < 0.7 * widths[0], criterion


def test_the_seed_decides_what_is_resampled() -> None:
    for criterion in (BestMetric("f1"), Floor("recall", 0.7)):
        scored = draw(800, seed=2)
        found = assess(criterion, scored, 3)
        assert found == decide(criterion, scored, 3).stability
        assert {assess(criterion, scored, other) for other in range(4, 8)} != {found}


@pytest.mark.parametrize(
    "criterion", [BestMetric("f1"), BestMetric("balanced_accuracy"), Costs(fn=9.0)], ids=str
)
def test_thresholds_of_the_flat_range_lose_next_to_nothing(criterion: Swept) -> None:
    """Of a table with so many positives that labels do not lean, by counting its rows."""
    scored = draw(60_000, seed=3)
    found = assess(criterion, scored)
    assert found.flat is not None
    best = criterion.utility(scored, criterion.solve(scored))
    lost = {t: best - criterion.utility(scored, Threshold(t)) for t in np.linspace(*found.flat, 25)}
    assert max(lost.values()) < 0.015 * abs(best)
    width = found.flat[1] - found.flat[0]
    for beyond in (found.flat[0] - 0.2 * width, found.flat[1] + 0.2 * width):
        assert best - criterion.utility(scored, Threshold(beyond)) > 0.008 * abs(best)


def test_a_cliff_has_no_flat_range() -> None:
    y = np.repeat([0, 1], [900, 100])
    p = np.repeat([0.2, 0.8], [900, 100])
    found = assess(BestMetric("f1"), Scored(y, np.column_stack([1 - p, p])))
    assert found.intervals[0] == pytest.approx((0.5, 0.5))
    assert found.flat == pytest.approx((0.5, 0.5))


def test_both_thresholds_of_a_band_have_an_interval() -> None:
    criterion, scored = Costs(fp=1.0, fn=4.0, abstain=0.4), draw(5000, seed=4)
    rule, found = criterion.solve(scored), assess(criterion, scored)
    assert isinstance(rule, AbstainBand)
    assert len(found.intervals) == 2
    for value, (low, high) in zip((rule.low, rule.high), found.intervals, strict=True):
        assert low <= value <= high
        assert high - low < 0.5
    assert found.flat is None
    assert "to" in str(found)


def test_a_column_of_costs_has_the_threshold_of_what_it_avoids() -> None:
    criterion, scored = Costs(fp=30.0, column="amount"), draw(5000, seed=5)
    rule, found = criterion.solve(scored), assess(criterion, scored)
    assert isinstance(rule, RowCosts)
    ((low, high),) = found.intervals
    assert low <= rule.value <= high
    assert low < 0.5 < high


def test_where_costs_leave_the_argmax_no_interval_of_another_unit_is_told() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [300, 300])
    p = np.where(y == 1, rng.uniform(0.6, 0.9, 600), rng.uniform(0.1, 0.4, 600))
    scored = Scored(y, np.column_stack([1 - p, p]), np.full(600, 1000.0))
    criterion = Costs(fp=10.0, column="amount")
    decision = decide(criterion, scored)
    assert decision.rule == Threshold(0.5)
    assert decision.stability is None


def test_every_class_has_an_interval_of_its_weight() -> None:
    criterion, scored = BestMetric("balanced_accuracy"), draw_three(900, seed=0)
    rule, found = criterion.solve(scored), assess(criterion, scored)
    assert isinstance(rule, ClassWeights)
    assert len(found.intervals) == 3
    for value, (low, high) in zip(rule.values, found.intervals, strict=True):
        assert low <= value <= high
    assert found.flat is None
    assert found == assess(criterion, scored)


@pytest.mark.parametrize(
    "criterion",
    [
        Capacity(k=7),
        Capacity(share=0.1),
        FixedThreshold(0.2),
        CostMatrix(("no", "yes"), ((0.0, 1.0), (9.0, 0.0))),
    ],
    ids=str,
)
def test_rules_that_rows_had_no_part_in_have_none(criterion: Criterion) -> None:
    scored = draw(500, seed=0)
    assert assess_stability(criterion, scored, criterion.solve(scored)) is None
    assert decide(criterion, scored).to_dict()["stability"] is None


@pytest.mark.parametrize("criterion", [BestMetric("f1"), Floor("recall", 0.7)], ids=str)
@pytest.mark.parametrize("kind", ["constant", "one row", "no positive", "no negative", "certain"])
def test_degenerate_rows_are_assessed(criterion: Criterion, kind: str) -> None:
    rows = draw(1 if kind == "one row" else 200, seed=6)
    y = {"no positive": 0 * rows.y, "no negative": 0 * rows.y + 1}.get(kind, rows.y)
    p: FloatArray = {"constant": 0 * y + 0.3, "certain": y.astype(float)}.get(
        kind, rows.proba[:, 1]
    )
    scored = Scored(y, np.column_stack([1 - p, p]))
    found = assess(criterion, scored)
    assert np.isfinite(found.intervals).all()
    assert found.flat is not None
    assert np.isfinite(found.flat).all()


@pytest.mark.parametrize("criterion", [BestMetric("f1"), Floor("precision", 0.4)], ids=str)
def test_rows_that_count_differently_are_resampled_as_such(criterion: Criterion) -> None:
    rows = draw(3000, seed=7)
    scored = Scored(rows.y, rows.proba, class_weights=np.array([2.0, 0.1]))
    ((low, high),) = assess(criterion, scored).intervals
    assert low <= threshold_of(criterion, scored) <= high


def test_ranges_are_told_in_words() -> None:
    assert str(Stability(((0.12345, 0.3),))) == "95 % of resamples: 0.123 to 0.3"
    assert str(Stability(((0.1, 0.2), (0.5, 0.6)))) == ("95 % of resamples: 0.1 to 0.2, 0.5 to 0.6")
    assert str(Stability(((0.1, 0.3),), (0.2, 0.25))).endswith(
        "; from 0.2 to 0.25 at most 1 % is lost"
    )


@pytest.mark.parametrize("n_positive", [5, 1200])
def test_a_band_that_the_argmax_beats_is_decided_without_an_interval(n_positive: int) -> None:
    """As on classes that are told apart: nothing is left to pass on."""
    p = np.r_[np.linspace(0, 0.1, 2000), np.linspace(0.9, 1, n_positive)]
    scored = Scored((p > 0.5).astype(int), np.column_stack([1 - p, p]))
    decision = decide(Costs(fp=1.0, fn=5.0, abstain=0.5), scored)
    assert decision.rule == Threshold(0.5)
    assert decision.stability is None


def test_a_floor_of_very_many_rows_is_flat_only_where_it_is_kept() -> None:
    criterion, scored = Floor("precision", 0.97), draw(200_000, seed=0)
    found, rule = assess(criterion, scored), criterion.solve(scored)
    assert found.flat is not None
    for threshold in found.flat:
        lost = criterion.utility(scored, rule) - criterion.utility(scored, Threshold(threshold))
        assert lost < 0.02
