"""What every criterion promises, and what each alone does, held against brute force."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibrators import CALIBRATORS
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion, Known, Swept
from autoimb.decision.deciding import find_shortfall
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.rules import (
    PASSED_ON,
    AbstainBand,
    DecisionRule,
    ExpectedCost,
    RowCosts,
    Threshold,
    TopRows,
    argmax_rule,
)
from autoimb.decision.scored import Scored
from autoimb.decision.stating import KINDS, criterion_from_dict, criterion_to_dict
from autoimb.decision.sweep import sweep_corners, sweep_thresholds
from autoimb.errors import UsageError
from autoimb.evaluation.scoring import cross_fit
from autoimb.metrics import METRICS, count, get_metric

OF_TWO = ((0.0, 1.0), (9.0, 0.5))
OF_THREE = ((0.0, 1.0, 2.0), (3.0, 0.0, 1.0), (9.0, 4.0, 0.0))

# Each with what its text has to name.
EXAMPLES: dict[Criterion, tuple[str, ...]] = {
    BestMetric("f1"): ("f1",),
    BestMetric("mcc"): ("mcc",),
    BestMetric("balanced_accuracy"): ("balanced accuracy",),
    BestMetric("recall_at_precision@0.8"): ("recall", "precision", "0.8"),
    BestMetric("roc_auc"): ("f1",),
    Costs(fn=25.0): ("false alarm 1", "miss 25"),
    Costs(fp=2.0, fn=7.0, tp=0.5, tn=0.25): ("alarm 2", "miss 7", "hit 0.5", "0.25"),
    Costs(fp=1.0, fn=4.0, abstain=0.4): ("alarm 1", "miss 4", "passing on 0.4"),
    Costs(fp=30.0, column="amount"): ("alarm 30", "'amount'"),
    Costs(fp=30.0, tp=5.0, tn=1.0, column="amount"): ("30", "'amount'", "hit 5", "1"),
    Floor("precision", 0.6): ("precision", "0.6", "90 %", "recall"),
    Floor("recall", 0.85, 0.95): ("recall", "0.85", "95 %", "precision"),
    Floor("specificity", 0.9, 0.5): ("specificity", "0.9", "50 %", "recall"),
    Capacity(k=7): ("7",),
    Capacity(share=0.05): ("5 %",),
    FixedThreshold(0.03125): ("fixed", "0.03125"),
    FixedThreshold(0.0): ("fixed", "0"),
    FixedThreshold(1.0): ("fixed", "1"),
    CostMatrix(("a", "b"), OF_TWO): ("matrix", "2 classes"),
    CostMatrix(("a", "b"), OF_TWO, abstain=0.4): ("matrix", "0.4"),
    CostMatrix(("a", "b", "c"), OF_THREE): ("matrix", "3 classes"),
    CostMatrix(("a", "b", "c"), OF_THREE, abstain=0.5): ("matrix", "0.5"),
}


def sizes_of(criterion: Criterion) -> tuple[int, ...]:
    """Tell for how many classes an example is."""
    if isinstance(criterion, CostMatrix):
        return (len(criterion.labels),)
    return (2, 3) if isinstance(criterion, BestMetric) else (2,)


each_example = pytest.mark.parametrize("criterion", EXAMPLES, ids=str)
each_case = pytest.mark.parametrize(
    ("criterion", "n_classes"),
    [(one, n) for one in EXAMPLES for n in sizes_of(one)],
    ids=lambda value: str(value),
)
TIED = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
ANY = st.floats(0.0, 1.0)


def two_columns(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])


@st.composite
def any_rows(draw: Any, n_classes: int = 2) -> Scored:
    cells = st.tuples(*[TIED | ANY] * n_classes).filter(lambda found: sum(found) > 1e-6)
    row = st.tuples(st.integers(0, n_classes - 1), cells, TIED | st.floats(0, 200))
    y, each, amounts = zip(*draw(st.lists(row, min_size=1, max_size=25)), strict=True)
    raw = np.array(each)
    proba = raw / raw.sum(axis=1, keepdims=True) if n_classes > 2 else two_columns(raw[:, 1])
    return Scored(np.array(y), proba, np.array(amounts))


def draw_rows(n: int, n_classes: int = 2, seed: int = 0) -> Scored:
    """Simulate rows that are told apart somewhat, of amounts that have nothing to do with it."""
    rng = np.random.default_rng(seed)
    share = np.array([0.8, 0.2] if n_classes == 2 else [0.7, 0.2, 0.1])
    y = rng.choice(n_classes, n, p=share)
    raw = share * np.exp(1.2 * np.eye(n_classes)[y] + rng.normal(0, 0.8, (n, n_classes)))
    return Scored(y, raw / raw.sum(axis=1, keepdims=True), rng.lognormal(4, 1, n))


def draw_calibrated(n: int, seed: int, prevalence: float = 0.1) -> Scored:
    """Simulate two overlapping normals, with the probabilities that they mean."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    odds = np.log(prevalence / (1 - prevalence)) + 2 * rng.normal(2 * y, 1) - 2
    return Scored(y, two_columns(1 / (1 + np.exp(-odds))), rng.lognormal(4, 1, n))


def cost_table(criterion: Costs | CostMatrix, scored: Scored) -> FloatArray:
    """Say what each row costs, by its class and by the code that it gets; the last is passing on.

    Returns
    -------
    ndarray of shape (n_samples, n_classes, n_classes + 1)
    """
    n, n_classes = scored.proba.shape
    found = np.full((n, n_classes, n_classes + 1), np.nan)
    if isinstance(criterion, CostMatrix):
        found[:, :, :-1] = criterion.costs
    else:
        miss = criterion.fn if criterion.column is None else scored.row_costs
        found[:, 0, 0], found[:, 0, 1] = criterion.tn, criterion.fp
        found[:, 1, 0], found[:, 1, 1] = miss, criterion.tp
    if criterion.abstain is not None:
        found[:, :, -1] = criterion.abstain
    return found


def mean_cost(criterion: Costs | CostMatrix, scored: Scored, codes: IntArray) -> float:
    """Say what codes cost on the rows."""
    cost = cost_table(criterion, scored)[np.arange(len(codes)), scored.y, codes]
    return float(np.average(cost, weights=scored.row_weights))


def promise(floor: Floor, scored: Scored, rule: DecisionRule) -> float:
    """Say how well a floor is served: in the first place by being supported."""
    asked = floor.within_reach(floor.sweep(scored), scored.class_weights)
    return asked.utility(scored, rule) - 100.0 * bool(find_shortfall(floor, scored, rule))


def served(criterion: Criterion, scored: Scored, rule: DecisionRule) -> float:
    """Say how well a rule does what was asked for, by other means than the criterion's own."""
    codes = rule.decide(scored.proba, scored.row_costs)
    if isinstance(criterion, Costs | CostMatrix):
        return -mean_cost(criterion, scored, codes)
    if isinstance(criterion, Floor):
        return promise(criterion, scored, rule)
    if isinstance(criterion, Capacity):
        asked = criterion.k if criterion.k is not None else int(criterion.share * len(codes) + 1e-9)
        return -abs(float(codes.sum()) - min(max(asked, 1), len(codes)))
    if isinstance(criterion, FixedThreshold):
        return -float((codes != (scored.proba[:, 1] >= criterion.value)).sum())
    assert isinstance(criterion, BestMetric)
    counts = count(scored.y, codes, scored.n_classes, scored.row_weights)
    return float(get_metric(criterion.name).of_counts(counts))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_criterion_has_an_example(kind: str) -> None:
    assert any(type(one) is KINDS[kind] for one in EXAMPLES), f"give {kind} a row in EXAMPLES"


@each_case
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_rule_serves_worse_than_the_argmax(
    criterion: Criterion, n_classes: int, data: st.DataObject
) -> None:
    scored = data.draw(any_rows(n_classes))
    rule, plain = criterion.solve(scored), argmax_rule(n_classes)
    assert served(criterion, scored, rule) >= served(criterion, scored, plain) - 1e-9


@pytest.mark.parametrize(
    ("criterion", "n_classes"),
    [
        (one, n)
        for one in EXAMPLES
        for n in sizes_of(one)
        if isinstance(one, BestMetric | Costs | CostMatrix)
    ],
    ids=lambda value: str(value),
)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_nor_where_classes_are_to_be_more_or_less_frequent(
    criterion: Criterion, n_classes: int, data: st.DataObject
) -> None:
    weights = data.draw(st.tuples(*[st.floats(0.01, 50.0)] * n_classes))
    scored = replace(data.draw(any_rows(n_classes)), class_weights=np.array(weights))
    rule, plain = criterion.solve(scored), argmax_rule(n_classes)
    ahead = served(criterion, scored, rule) - served(criterion, scored, plain)
    assert ahead >= -1e-9 * (1 + abs(served(criterion, scored, plain)))


def degenerate_rows(kind: str, n_classes: int) -> Scored:
    n = 1 if kind == "one row" else 12
    y = np.arange(n) % n_classes
    if kind.startswith("only class"):
        y = np.full(n, {"first": 0, "last": n_classes - 1}[kind.rpartition(" ")[2]])
    proba = np.full((n, n_classes), 1 / n_classes)
    if kind == "all zero":
        proba = np.tile(np.eye(n_classes)[0], (n, 1))
    if kind == "certain":
        proba = np.eye(n_classes)[y]
    if kind == "certain and wrong":
        proba = np.eye(n_classes)[(y + 1) % n_classes]
    if kind == "two values":
        proba = np.where(np.arange(n)[:, None] % 5 == 0, proba, np.eye(n_classes)[-1])
    return Scored(y, proba, np.zeros(n) if kind == "no cost" else np.arange(n) * 10.0)


@each_case
@pytest.mark.parametrize(
    "kind",
    [
        "one row", "only class first", "only class last", "constant", "all zero", "certain",
        "certain and wrong", "two values", "no cost",
    ],
)  # fmt: skip
def test_degenerate_rows_are_decided(criterion: Criterion, n_classes: int, kind: str) -> None:
    scored = degenerate_rows(kind, n_classes)
    rule = criterion.solve(scored)
    codes = rule.decide(scored.proba, scored.row_costs)
    assert codes.shape == scored.y.shape
    passed = {PASSED_ON} if getattr(criterion, "abstain", None) is not None else set()
    assert set(codes.tolist()) <= set(range(n_classes)) | passed
    assert served(criterion, scored, rule) >= served(criterion, scored, argmax_rule(n_classes))
    assert all(np.isfinite(list(criterion.figures(scored, codes).values())))


@each_case
def test_rules_give_codes_of_rows_that_they_were_not_solved_on(
    criterion: Criterion, n_classes: int
) -> None:
    rule = criterion.solve(draw_rows(300, n_classes))
    other = draw_rows(200, n_classes, seed=1)
    codes = rule.decide(other.proba, other.row_costs)
    assert np.issubdtype(codes.dtype, np.integer)
    assert set(codes.tolist()) <= {PASSED_ON, *range(n_classes)}
    none = Scored(np.zeros(0, dtype=int), np.zeros((0, n_classes)), np.zeros(0))
    assert rule.decide(none.proba, none.row_costs).shape == (0,)


@each_example
def test_a_criterion_is_written_and_read(criterion: Criterion) -> None:
    written = json.loads(json.dumps(criterion_to_dict(criterion)))
    found = criterion_from_dict(written)
    assert found == criterion
    assert type(found) is type(criterion)
    assert hash(found) == hash(criterion)
    assert KINDS[written["kind"]] is type(criterion)


@each_case
def test_criterion_and_rule_are_pickled(criterion: Criterion, n_classes: int) -> None:
    scored = draw_rows(300, n_classes)
    back = pickle.loads(pickle.dumps(criterion))
    rule = pickle.loads(pickle.dumps(criterion.solve(scored)))
    assert back == criterion
    assert rule == criterion.solve(scored) == back.solve(scored)
    np.testing.assert_array_equal(
        rule.decide(scored.proba, scored.row_costs),
        criterion.solve(scored).decide(scored.proba, scored.row_costs),
    )


@each_example
def test_the_text_names_what_is_asked_for(criterion: Criterion) -> None:
    assert not [word for word in EXAMPLES[criterion] if word not in str(criterion)]
    assert "\n" not in str(criterion)


@each_example
def test_examples_are_right_in_themselves(criterion: Criterion) -> None:
    criterion.check()


@each_case
def test_a_fold_is_decided_without_its_labels(criterion: Criterion, n_classes: int) -> None:
    names = tuple(CALIBRATORS)
    scored, folds = draw_rows(180, n_classes), np.arange(180) % 3
    known = Known(tuple("abc"[:n_classes]), np.bincount(scored.y), scored.row_costs)
    suited = criterion.suited(known)
    honest = cross_fit(suited, scored, Folds(folds), names)
    for fold in range(3):
        inside = folds == fold
        lied = replace(scored, y=np.where(inside, (scored.y + 1) % n_classes, scored.y))
        told = cross_fit(suited, lied, Folds(folds), names)
        np.testing.assert_array_equal(told.proba[inside], honest.proba[inside])
        np.testing.assert_array_equal(told.codes[inside], honest.codes[inside])


@pytest.mark.parametrize("n_folds", [2, 3])
def test_rows_of_few_folds_are_calibrated_and_decided(n_folds: int) -> None:
    scored, folds = draw_rows(120), np.arange(120) % n_folds
    found = cross_fit(BestMetric("f1"), scored, Folds(folds), tuple(CALIBRATORS))
    assert np.isfinite(found.proba).all()
    assert set(found.codes) == {0, 1}


# Costs.


SWEPT_COSTS = [one for one in EXAMPLES if isinstance(one, Costs) and one.abstain is None]
BANDS = [
    Costs(fp=1.0, fn=4.0, abstain=0.4),
    Costs(fp=1.0, fn=1.0, abstain=0.3),
    Costs(fp=3.0, fn=30.0, tp=1.0, tn=0.5, abstain=2.0),
]


def many(scored: Scored) -> Scored:
    """Repeat rows so often that positives abound: they decide alone, without a curve."""
    assert scored.row_costs is not None
    return replace(
        scored,
        y=np.tile(scored.y, 1000),
        proba=np.tile(scored.proba, (1000, 1)),
        row_costs=np.tile(scored.row_costs, 1000),
    )


def every_flagging(score: FloatArray) -> list[FloatArray]:
    """Give what each threshold flags."""
    return [score >= t for t in (np.inf, *np.unique(score))]


def gains(criterion: Costs, scored: Scored) -> FloatArray:
    """Rank rows by the odds that flagging them pays."""
    assert scored.row_costs is not None
    p = scored.proba[:, 1]
    if criterion.column is None:
        return p
    avoided = p * np.maximum(scored.row_costs - criterion.tp, 0.0)
    return avoided / (avoided + np.maximum(1 - p, 1e-12) * (criterion.fp - criterion.tn))


@pytest.mark.parametrize("criterion", SWEPT_COSTS, ids=str)
@settings(max_examples=25, deadline=None)
@given(scored=any_rows(), weights=st.none() | st.tuples(st.floats(0.05, 9), st.floats(0.05, 9)))
def test_no_threshold_costs_less(
    criterion: Costs, scored: Scored, weights: tuple[float, float] | None
) -> None:
    assert scored.row_costs is not None
    scored = replace(
        scored,
        class_weights=None if weights is None else np.array(weights),
        row_costs=scored.row_costs + criterion.tp + 0.1,
    )
    flagged = every_flagging(gains(criterion, scored))
    least = min(mean_cost(criterion, scored, one.astype(int)) for one in flagged)
    rule = criterion.solve(many(scored))
    found = mean_cost(criterion, scored, rule.decide(scored.proba, scored.row_costs))
    assert rule == argmax_rule(2) or found == pytest.approx(least, abs=1e-6, rel=1e-9)


@pytest.mark.parametrize("criterion", SWEPT_COSTS, ids=str)
def test_with_many_positives_no_threshold_costs_less(criterion: Costs) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(9000) < 4500).astype(int)
    p, amounts = rng.beta(2 + 2 * y, 4).round(2), rng.integers(1, 6, 9000) * 20.0
    scored = Scored(y, two_columns(p), amounts)
    rule = criterion.solve(scored)
    found = mean_cost(criterion, scored, rule.decide(scored.proba, scored.row_costs))
    least = min(
        criterion.figures(scored, flagged.astype(int))["cost"]
        for flagged in every_flagging(gains(criterion, scored).round(12))
    )
    assert found == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize(
    ("criterion", "n_classes"),
    [(one, n) for one in EXAMPLES for n in sizes_of(one) if isinstance(one, Costs | CostMatrix)],
    ids=str,
)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_figures_of_costs_are_those_of_the_rows(
    criterion: Costs | CostMatrix, n_classes: int, data: st.DataObject
) -> None:
    scored = data.draw(any_rows(n_classes))
    codes = criterion.solve(scored).decide(scored.proba, scored.row_costs)
    told = criterion.figures(scored, codes)["cost"]
    assert told == pytest.approx(mean_cost(criterion, scored, codes))


def test_costs_of_rows_do_better_than_the_best_of_all_thresholds() -> None:
    """On other rows, with that threshold chosen on them."""
    criterion = Costs(fp=30.0, column="amount")
    rule = criterion.solve(draw_calibrated(20_000, seed=0))
    other = draw_calibrated(20_000, seed=1)
    costs = {
        threshold: criterion.figures(other, Threshold(threshold).decide(other.proba))["cost"]
        for threshold in np.linspace(0, 1.01, 300)
    }
    found = criterion.figures(other, rule.decide(other.proba, other.row_costs))["cost"]
    assert found < 0.97 * min(costs.values())


@pytest.mark.parametrize(("fp", "tp", "tn"), [(30.0, 0.0, 0.0), (30.0, 5.0, 0.0), (30.0, 5.0, 4.0)])
def test_rows_are_flagged_where_a_gain_is_expected(fp: float, tp: float, tn: float) -> None:
    rows = draw_calibrated(3000, seed=2)
    assert rows.row_costs is not None
    p = rows.proba[:, 1]
    gain = p * (rows.row_costs - tp) - (1 - p) * (fp - tn)
    rule = Costs(fp=fp, tp=tp, tn=tn, column="amount").rule(0.5)
    assert isinstance(rule, RowCosts)
    np.testing.assert_array_equal(rule.decide(rows.proba, rows.row_costs), (gain > 0).astype(int))


def test_probabilities_that_are_right_need_no_other_threshold() -> None:
    rule = Costs(fp=30.0, column="amount").solve(draw_calibrated(40_000, seed=3))
    assert isinstance(rule, RowCosts)
    assert 0.4 < rule.value < 0.6
    assert rule.column == "amount"
    plain = Costs(fp=1.0, fn=9.0).solve(draw_calibrated(40_000, seed=3))
    assert isinstance(plain, Threshold)
    assert 0.07 < plain.value < 0.13


def test_a_row_that_costs_no_more_than_a_hit_is_left_alone() -> None:
    """Even where every row is positive, so that no false alarm speaks against flagging it."""
    p, amounts = np.array([0.1, 0.5, 0.6]), np.array([6.0, 0.0, 3.0])
    scored = Scored(np.array([1, 1, 1]), two_columns(p), amounts)
    rule = Costs(fp=30.0, tp=5.0, column="amount").solve(scored)
    assert rule.decide(scored.proba, amounts).tolist() == [1, 0, 0]


# Passing rows on.


def every_band(p: FloatArray) -> list[IntArray]:
    """Give the codes of all pairs of thresholds."""
    cuts = (*np.unique(p), np.inf)
    pairs = [(low, high) for low in cuts for high in cuts if low <= high]
    return [np.where(p >= high, 1, np.where(p >= low, PASSED_ON, 0)) for low, high in pairs]


@pytest.mark.parametrize("criterion", BANDS, ids=str)
@settings(max_examples=15, deadline=None)
@given(scored=any_rows())
def test_no_pair_of_thresholds_costs_less(criterion: Costs, scored: Scored) -> None:
    bands = every_band(scored.proba[:, 1])
    least = min(mean_cost(criterion, scored, codes) for codes in bands)
    rule = criterion.solve(many(scored))
    found = mean_cost(criterion, scored, rule.decide(scored.proba))
    assert rule == argmax_rule(2) or found == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("criterion", BANDS, ids=str)
def test_with_many_positives_no_pair_of_thresholds_costs_less(criterion: Costs) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(9000) < 4500).astype(int)
    p = rng.beta(2 + 2 * y, 4).round(1)
    scored = Scored(y, two_columns(p))
    found = criterion.figures(scored, criterion.solve(scored).decide(scored.proba))["cost"]
    least = min(criterion.figures(scored, codes)["cost"] for codes in every_band(p))
    assert found == pytest.approx(least, abs=1e-9)
    alone = replace(criterion, abstain=None)
    without = alone.figures(scored, alone.solve(scored).decide(scored.proba))["cost"]
    assert found <= without + 1e-12


def test_rows_between_the_thresholds_are_passed_on() -> None:
    scored = draw_calibrated(20_000, seed=4)
    rule = Costs(fp=1.0, fn=4.0, abstain=0.4).solve(scored)
    assert isinstance(rule, AbstainBand)
    # Chow's rule on probabilities that are right: p fn > abstain, (1 - p) fp > abstain.
    assert rule.low == pytest.approx(0.1, abs=0.03)
    assert rule.high == pytest.approx(0.6, abs=0.08)
    p, codes = scored.proba[:, 1], rule.decide(scored.proba)
    np.testing.assert_array_equal(codes == PASSED_ON, (p >= rule.low) & (p < rule.high))
    np.testing.assert_array_equal(codes == 1, p >= rule.high)


@pytest.mark.parametrize(
    ("criterion", "word"),
    [
        (Costs(abstain=0.0), "always"),
        (Costs(fp=2.0, fn=3.0, tp=1.0, tn=1.0, abstain=0.5), "always"),
        (Costs(abstain=0.5), "never"),
        (Costs(fp=1.0, fn=4.0, abstain=0.8), "never"),
        (Costs(abstain=100.0), "never"),
        (CostMatrix(("a", "b"), ((0.0, 1.0), (1.0, 0.0)), abstain=0.0), "always"),
        (CostMatrix(("a", "b", "c"), OF_THREE, abstain=100.0), "never"),
    ],
    ids=str,
)
def test_passing_on_that_is_never_or_always_worth_it_is_refused(
    criterion: Costs | CostMatrix, word: str
) -> None:
    with pytest.raises(UsageError, match=f"abstain cost of .* is {word} worth it"):
        criterion.check()


def test_an_abstain_cost_just_within_its_bounds_is_taken() -> None:
    Costs(abstain=0.499).check()
    Costs(fp=1.0, fn=4.0, abstain=0.799).check()
    Costs(abstain=0.001).check()


WRONG: dict[str, Criterion] = {
    "a negative cost": Costs(fp=-1.0),
    "a cost that is no number": Costs(fn=float("nan")),
    "an infinite cost": Costs(fn=float("inf")),
    "a miss that costs nothing": Costs(fn=0.0),
    "a hit as dear as a miss": Costs(fn=2.0, tp=2.0),
    "an alarm that costs nothing": Costs(fp=0.0),
    "a rejection dearer than an alarm": Costs(fp=1.0, tn=2.0),
    "an alarm that costs nothing, beside a column": Costs(fp=0.0, column="amount"),
    "a column beside an abstain cost": Costs(fp=9.0, column="amount", abstain=0.5),
    "an abstain cost that is no number": Costs(abstain=float("nan")),
    "a metric that does not exist": BestMetric("f11"),
    "a floor under another rate": Floor("accuracy", 0.9),  # type: ignore[arg-type]
    "a floor of nothing": Floor("recall", 0.0),
    "a floor of all": Floor("recall", 1.0),
    "a floor that is no number": Floor("recall", float("nan")),
    "certain confidence": Floor("recall", 0.9, 1.0),
    "no confidence": Floor("recall", 0.9, 0.0),
    "a capacity of nothing": Capacity(k=0),
    "a capacity that is no whole number": Capacity(k=2.5),  # type: ignore[arg-type]
    "a capacity that is no number": Capacity(k=float("nan")),  # type: ignore[arg-type]
    "no capacity": Capacity(),
    "two capacities": Capacity(k=3, share=0.1),
    "a share of nothing": Capacity(share=0.0),
    "a share of all": Capacity(share=1.0),
    "a share that is no number": Capacity(share=float("nan")),
    "a threshold below all": FixedThreshold(-0.1),
    "a threshold above all": FixedThreshold(1.1),
    "a threshold that is no number": FixedThreshold(float("nan")),
    "a matrix that is not square": CostMatrix(("a", "b"), ((0.0, 1.0),)),
    "a matrix of rows too short": CostMatrix(("a", "b"), ((0.0, 1.0), (1.0,))),
    "a matrix of negative costs": CostMatrix(("a", "b"), ((0.0, -1.0), (1.0, 0.0))),
    "a matrix with a cell that is no number": CostMatrix(
        ("a", "b"), ((0.0, float("nan")), (1.0, 0.0))
    ),
    "a matrix by which one class is always right": CostMatrix(("a", "b"), ((0.0, 1.0), (0.0, 5.0))),
    "a matrix with a negative abstain cost": CostMatrix(("a", "b"), OF_TWO, abstain=-1.0),
    "a matrix with an abstain cost that is no number": CostMatrix(
        ("a", "b"), OF_TWO, abstain=float("nan")
    ),
}


@pytest.mark.parametrize("criterion", WRONG.values(), ids=list(WRONG))
def test_what_cannot_be_meant_is_refused(criterion: Criterion) -> None:
    with pytest.raises(UsageError) as caught:
        criterion.check()
    assert "\n" not in str(caught.value)


def test_a_column_that_never_outweighs_a_hit_is_refused() -> None:
    known = Known(("no", "yes"), np.array([3, 2]), np.array([1.0, 0.5, 2.0, 0.0, 1.0]))
    with pytest.raises(UsageError, match=r"'amount' holds nothing above 2"):
        Costs(fp=1.0, tp=2.0, column="amount").suited(known)
    assert Costs(fp=1.0, tp=1.5, column="amount").suited(known)


@pytest.mark.parametrize(
    "criterion",
    [one for one in EXAMPLES if not isinstance(one, BestMetric | CostMatrix)],
    ids=str,
)
def test_what_only_two_classes_can_have_is_refused_for_three(criterion: Criterion) -> None:
    known = Known(("a", "b", "c"), np.array([500, 500, 500]), np.ones(1500) * 100)
    with pytest.raises(UsageError, match="needs two classes, but the target has 3"):
        criterion.suited(known)


# Corners.


def with_both_zeros(p: FloatArray, dtype: Any) -> FloatArray:
    found = p.astype(dtype)
    found[::2][found[::2] == 0] = -0.0
    return found


each_precision = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@each_precision
@settings(max_examples=100, deadline=None)
@given(scored=any_rows())
def test_the_best_of_all_thresholds_is_a_corner(dtype: Any, scored: Scored) -> None:
    p = with_both_zeros(scored.proba[:, 1], dtype)
    corners, every = sweep_corners(scored.y, p), sweep_thresholds(scored.y, p)
    for name, metric in METRICS.items():
        best = metric.of_counts(every.counts).max()
        assert metric.of_counts(corners.counts).max() == pytest.approx(best, abs=1e-12), name


@each_precision
@settings(max_examples=80, deadline=None)
@given(scored=any_rows())
def test_corners_count_what_their_thresholds_decide(dtype: Any, scored: Scored) -> None:
    y, p = scored.y, with_both_zeros(scored.proba[:, 1], dtype)
    before = p.copy()
    found = sweep_corners(y, p)
    np.testing.assert_array_equal(p, before)
    assert found.thresholds[0] > p.max()
    assert found.thresholds[-1] <= p.min()
    assert (np.diff(found.thresholds) < 0).all()
    for i, threshold in enumerate(found.thresholds):
        counted = count(y, (p.astype(float) >= threshold).astype(int), 2)
        for part in ("true", "predicted", "correct"):
            np.testing.assert_array_equal(getattr(found.counts, part)[i], getattr(counted, part))


@each_precision
def test_both_zeros_are_the_same_score(dtype: Any) -> None:
    y, p = np.array([0, 1, 0, 1]), np.array([0.0, -0.0, -0.0, 0.5], dtype=dtype)
    found = sweep_corners(y, p)
    np.testing.assert_array_equal(found.counts.correct[:, 1], [0, 1, 2])
    np.testing.assert_array_equal(found.counts.predicted[:, 1], [0, 1, 4])


def test_a_negative_zero_is_no_probability_of_its_own() -> None:
    proba = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.0, -0.0, 1.0]])
    scored = Scored(np.array([0, 0, 0, 1]), proba)
    for name in ("mcc", "f1", "balanced_accuracy"):
        criterion = BestMetric(name)
        plain = served(criterion, scored, argmax_rule(3))
        assert served(criterion, scored, criterion.solve(scored)) >= plain


# Capacities.


@settings(max_examples=100, deadline=None)
@given(p=st.lists(TIED | ANY, max_size=30), k=st.integers(1, 35))
def test_so_many_rows_are_flagged_those_with_the_highest_probabilities(
    p: list[float], k: int
) -> None:
    rule = Capacity(k=k).solve(Scored(np.zeros(len(p), dtype=int), two_columns(np.array(p))))
    codes = rule.decide(two_columns(np.array(p)))
    first = sorted(range(len(p)), key=lambda i: (-p[i], i))[:k]
    assert np.flatnonzero(codes).tolist() == sorted(first)
    assert codes.sum() == min(k, len(p))


@pytest.mark.parametrize(
    ("share", "n", "flagged"),
    [
        (0.29, 100, 29), (0.07, 100, 7), (0.1, 19, 1), (0.1, 9, 1), (0.5, 1, 1), (0.999, 3, 2),
        (1 / 3, 3, 1), (0.01, 1_000_000, 10_000), (0.3, 0, 0),
    ],
)  # fmt: skip
def test_a_share_is_rounded_down_but_at_least_one_row(share: float, n: int, flagged: int) -> None:
    p = np.random.default_rng(0).random(n)
    assert TopRows(share=share).decide(two_columns(p)).sum() == flagged


def test_of_all_ties_the_first_rows_are_flagged() -> None:
    assert TopRows(k=3).decide(two_columns(np.full(8, 0.4))).tolist() == [1] * 3 + [0] * 5


def test_a_capacity_of_the_whole_table_is_refused() -> None:
    known = Known(("no", "yes"), np.array([80, 20]))
    for k in (100, 101):
        with pytest.raises(UsageError, match=rf"top-k {k} of a batch of 100 rows flags every one"):
            Capacity(k=k).suited(known)
    assert Capacity(k=99).suited(known)


def test_a_part_of_the_table_is_flagged_in_proportion() -> None:
    suited = Capacity(k=20).suited(Known(("no", "yes"), np.array([180, 20])))
    scored, folds = draw_rows(200), np.arange(200) % 4
    codes = cross_fit(suited, scored, Folds(folds)).codes
    assert [codes[folds == fold].sum() for fold in range(4)] == [5] * 4


# Matrices of costs.


CELLS = st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 20)


@settings(max_examples=100, deadline=None)
@given(
    scored=any_rows(3),
    costs=st.tuples(*[st.tuples(CELLS, CELLS, CELLS)] * 3),
    abstain=st.none() | st.floats(0.01, 10),
)
def test_each_row_is_decided_at_the_least_expected_cost(
    scored: Scored, costs: tuple[tuple[float, ...], ...], abstain: float | None
) -> None:
    codes = ExpectedCost(costs, abstain).decide(scored.proba)
    for p, code in zip(scored.proba, codes, strict=True):
        expected = [sum(p[i] * costs[i][j] for i in range(3)) for j in range(3)]
        least = min([*expected, np.inf if abstain is None else abstain])
        assert (abstain if code == PASSED_ON else expected[code]) == pytest.approx(least)
    assert abstain is not None or PASSED_ON not in codes


def test_probabilities_that_are_right_are_decided_so() -> None:
    scored = draw_rows(3000, 3)
    found = CostMatrix(("a", "b", "c"), OF_THREE).solve(scored)
    assert isinstance(found, ExpectedCost)
    assert found.costs == OF_THREE


def test_the_argmax_is_taken_where_it_costs_less() -> None:
    """As with probabilities that are far from right."""
    scored = draw_rows(500, 3)
    off = scored.with_proba(np.tile([0.2, 0.2, 0.6], (500, 1)) + 0.01 * scored.proba)
    criterion = CostMatrix(("a", "b", "c"), ((0.0, 1.0, 1.1), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)))
    asked = ExpectedCost(criterion.costs).decide(off.proba)
    plain = argmax_rule(3).decide(off.proba)
    found = criterion.solve(off).decide(off.proba)
    assert mean_cost(criterion, off, found) == min(
        mean_cost(criterion, off, asked), mean_cost(criterion, off, plain)
    )


def test_the_order_of_labels_does_not_matter() -> None:
    scored = draw_rows(400, 3)
    known = Known(("a", "b", "c"), np.bincount(scored.y))
    asked = CostMatrix(("a", "b", "c"), OF_THREE)
    expected = asked.suited(known).solve(scored)
    for places in permutations(range(3)):
        costs = tuple(tuple(OF_THREE[i][j] for j in places) for i in places)
        other = CostMatrix(tuple("abc"[i] for i in places), costs)
        other.check()
        assert other.suited(known).solve(scored) == expected


def test_a_matrix_of_two_classes_decides_as_its_four_costs_do() -> None:
    scored = draw_calibrated(20_000, seed=5)
    matrix = CostMatrix(("no", "yes"), ((0.0, 1.0), (25.0, 0.0)))
    known = Known(("no", "yes"), np.bincount(scored.y))
    codes = matrix.suited(known).solve(scored).decide(scored.proba)
    np.testing.assert_array_equal(codes, (scored.proba[:, 1] > 1 / 26).astype(int))
    swept = Costs(fp=1.0, fn=25.0).solve(scored).decide(scored.proba)
    assert matrix.figures(scored, codes)["cost"] == pytest.approx(
        matrix.figures(scored, swept)["cost"], rel=0.03
    )


def test_labels_of_a_matrix_may_be_numbers() -> None:
    matrix = CostMatrix((1, 0), OF_TWO)  # type: ignore[arg-type]
    suited = matrix.suited(Known(("0", "1"), np.array([5, 5])))
    assert suited.costs == ((0.5, 9.0), (1.0, 0.0))


@pytest.mark.parametrize(
    ("labels", "costs", "told"),
    [
        (("a", "b", "d"), OF_THREE, r"names 'd', which is no class of the target"),
        (("a", "b"), OF_TWO, r"'c' is missing"),
    ],
)
def test_a_matrix_of_other_classes_is_refused(
    labels: tuple[str, ...], costs: Any, told: str
) -> None:
    known = Known(("a", "b", "c"), np.array([5, 5, 5]))
    with pytest.raises(UsageError, match=told):
        CostMatrix(labels, costs).suited(known)


def test_swept_criteria_are_those_that_have_a_threshold() -> None:
    """Whose thresholds are resampled: a new kind has to be either."""
    assert {type(one) for one in EXAMPLES if isinstance(one, Swept)} == {BestMetric, Costs, Floor}
