"""Whether a promise is kept on rows to come, and what is said where it cannot be given."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bounds import lower_bound, surety
from autoimb.decision.criteria import Known
from autoimb.decision.deciding import Decision, decide, find_shortfall
from autoimb.decision.floors import Floor, Measure
from autoimb.decision.prevalence import shift_prevalence
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.errors import UsageError

N_REPEATS = 200


def two_columns(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])


@dataclass(frozen=True)
class Normals:
    """Scores of two classes: normals of width 1 at some distance, and what they mean."""

    distance: float
    prevalence: float

    def draw(self, n: int, seed: int) -> Scored:
        rng = np.random.default_rng(seed)
        y = (rng.random(n) < self.prevalence).astype(int)
        x = rng.normal(self.distance * y, 1)
        odds = self.distance * x - self.distance**2 / 2 + self._prior()
        return Scored(y, two_columns(1 / (1 + np.exp(-odds))))

    def rates(self, threshold: float, prevalence: float | None = None) -> dict[str, float]:
        """Give the rates that a threshold has on infinitely many rows."""
        if not 0 < threshold < 1:
            recall = specificity = float(threshold <= 0)
            specificity = 1 - recall
        else:
            odds = math.log(threshold / (1 - threshold))
            x = (odds - self._prior() + self.distance**2 / 2) / self.distance
            recall, specificity = float(norm.sf(x - self.distance)), float(norm.cdf(x))
        of_positive = self.prevalence if prevalence is None else prevalence
        hits, false = of_positive * recall, (1 - of_positive) * (1 - specificity)
        precision = hits / (hits + false) if hits else 1.0
        return {"precision": precision, "recall": recall, "specificity": specificity}

    def _prior(self) -> float:
        return math.log(self.prevalence / (1 - self.prevalence))


def threshold_of(floor: Floor, scored: Scored) -> float:
    rule = floor.solve(scored)
    assert isinstance(rule, Threshold)
    return rule.value


SETTINGS: list[tuple[Measure, float, Normals, int]] = [
    ("precision", 0.5, Normals(2.0, 0.1), 3000),
    ("precision", 0.3, Normals(1.5, 0.05), 2000),
    ("precision", 0.9, Normals(3.0, 0.2), 5000),
    ("precision", 0.6, Normals(1.0, 0.2), 5000),
    ("recall", 0.8, Normals(2.0, 0.1), 3000),
    ("recall", 0.6, Normals(2.0, 0.05), 5000),
    ("recall", 0.9, Normals(2.0, 0.2), 2000),
    ("specificity", 0.9, Normals(2.0, 0.1), 3000),
    ("specificity", 0.99, Normals(2.0, 0.2), 2000),
    ("specificity", 0.95, Normals(2.0, 0.05), 5000),
]


@pytest.mark.parametrize(("measure", "value", "normals", "n"), SETTINGS)
def test_a_promise_is_kept_on_other_rows(
    measure: Measure, value: float, normals: Normals, n: int
) -> None:
    floor, kept, promised = Floor(measure, value), 0, 0
    for seed in range(N_REPEATS):
        scored = normals.draw(n, seed)
        rule = floor.solve(scored)
        assert isinstance(rule, Threshold)
        if not find_shortfall(floor, scored, rule):
            promised += 1
            kept += normals.rates(rule.value)[measure] >= value
    assert promised > 0.9 * N_REPEATS
    assert kept >= 0.9 * promised


@pytest.mark.parametrize(
    ("measure", "value", "normals", "n", "prevalence"),
    [
        ("precision", 0.5, Normals(2.5, 0.2), 3000, 0.1),
        ("precision", 0.7, Normals(3.0, 0.2), 5000, 0.02),
        ("precision", 0.7, Normals(2.0, 0.05), 5000, 0.2),
        ("recall", 0.8, Normals(2.0, 0.2), 3000, 0.02),
        ("specificity", 0.95, Normals(2.0, 0.05), 3000, 0.2),
    ],
)
def test_a_promise_is_kept_at_another_prevalence(
    measure: Measure, value: float, normals: Normals, n: int, prevalence: float
) -> None:
    floor, kept, promised = Floor(measure, value), 0, 0
    for seed in range(N_REPEATS):
        rows = normals.draw(n, seed)
        share = rows.y.mean()
        ratios = np.array([(1 - prevalence) / (1 - share), prevalence / share])
        scored = Scored(rows.y, shift_prevalence(rows.proba, ratios), class_weights=ratios)
        rule = floor.solve(scored)
        assert isinstance(rule, Threshold)
        if not find_shortfall(floor, scored, rule):
            promised += 1
            back = shift_prevalence(two_columns(np.array([rule.value])), 1 / ratios)[0, 1]
            kept += normals.rates(float(back), prevalence)[measure] >= value
    assert promised > 0.9 * N_REPEATS
    assert kept >= 0.9 * promised


def test_scores_that_tell_nothing_promise_nothing_that_is_not_there() -> None:
    """Where any threshold has the prevalence as its precision, and one of them the most luck."""
    floor, normals, broken = Floor("precision", 0.11), Normals(0.001, 0.1), 0
    for seed in range(N_REPEATS):
        scored = normals.draw(3000, seed)
        broken += not find_shortfall(floor, scored, floor.solve(scored))
    assert broken <= 0.1 * N_REPEATS


@pytest.mark.parametrize(("measure", "value", "normals", "n"), SETTINGS)
def test_the_other_rate_is_not_given_away(
    measure: Measure, value: float, normals: Normals, n: int
) -> None:
    """Many rows leave it near to what could be had if nothing had to be estimated."""
    wanted = "precision" if measure == "recall" else "recall"
    known = [normals.rates(t) for t in np.linspace(0.001, 0.999, 2000)]
    best = max(one[wanted] for one in known if one[measure] >= value)
    found = [
        normals.rates(threshold_of(Floor(measure, value), normals.draw(10 * n, seed)))[wanted]
        for seed in range(2)
    ]
    assert np.mean(found) > 0.75 * best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("measure", "value", "normals", "n"), SETTINGS)
def test_more_confidence_is_not_less_strict(
    measure: Measure, value: float, normals: Normals, n: int, seed: int
) -> None:
    scored = normals.draw(n, seed)
    levels = (0.5, 0.8, 0.9, 0.95, 0.99)
    floors = [Floor(measure, value, level) for level in levels]
    strict = -1 if measure == "recall" else 1  # a higher recall takes a lower threshold
    found = [
        strict * threshold_of(floor, scored)
        for floor in floors
        if not find_shortfall(floor, scored, floor.solve(scored))
    ]
    assert len(found) > 1
    assert found == sorted(found)


@pytest.mark.parametrize("measure", ["precision", "recall", "specificity"])
def test_the_promised_rate_is_well_above_the_floor_where_rows_are_few(measure: Measure) -> None:
    normals, floor = Normals(3.0, 0.2), Floor(measure, 0.7)
    few, many = (
        np.mean(
            [normals.rates(threshold_of(floor, normals.draw(n, s)))[measure] for s in range(20)]
        )
        for n in (300, 20_000)
    )
    assert few > many > 0.7


# Bounds.


def clopper_pearson(hits: int, n: int, confidence: float) -> float:
    test = binomtest(hits, n, alternative="greater")
    return float(test.proportion_ci(confidence, method="exact").low)


counted = given(n=st.integers(1, 400), share=st.floats(0, 1), confidence=st.floats(0.05, 0.995))


@settings(max_examples=80, deadline=None)
@counted
def test_the_bound_is_clopper_and_pearsons(n: int, share: float, confidence: float) -> None:
    hits = round(share * n)
    found = lower_bound(np.array([hits]), np.array([n]), confidence)[0]
    assert found == pytest.approx(clopper_pearson(hits, n, confidence), abs=1e-9)


@settings(max_examples=80, deadline=None)
@counted
def test_a_floor_is_as_sure_as_the_bound_that_reaches_it(
    n: int, share: float, confidence: float
) -> None:
    hits = round(share * n)
    bound = clopper_pearson(hits, n, confidence)
    if 1e-6 < bound < 1 - 1e-6:
        found = surety(np.array([hits]), np.array([n]), bound)[0]
        assert found == pytest.approx(confidence, abs=1e-6)
    for floor in (0.01, 0.3, 0.9, 0.99):
        found = surety(np.array([hits]), np.array([n]), floor)[0]
        assert found == pytest.approx(binom.cdf(hits - 1, n, floor), abs=1e-9)


# Too few rows.


def repeat_rows(scored: Scored, times: int) -> Scored:
    return scored.take(np.tile(np.arange(len(scored.y)), times))


def flawless(n_positive: int, n_negative: int) -> Scored:
    y: IntArray = np.repeat([0, 1], [n_negative, n_positive])
    return Scored(y, two_columns(np.where(y == 1, 0.9, 0.1)))


FEW: list[tuple[Floor, Scored]] = [
    (Floor("recall", 0.95), flawless(30, 60)),
    (Floor("recall", 0.95, 0.99), flawless(40, 60)),
    (Floor("precision", 0.9), flawless(20, 60)),
    (Floor("specificity", 0.99), flawless(40, 100)),
    (Floor("precision", 0.8), Normals(3.0, 0.2).draw(60, 5)),
    (Floor("precision", 0.5), Normals(2.0, 0.1).draw(150, 7)),
]


def count_named(text: str) -> tuple[int, int]:
    """Read how many rows it would take: those that the rate is counted on, and all."""
    found = re.search(r"it would take about ([\d,]+) rows like these, ([\d,]+) in all$", text)
    assert found, text
    first, second = (int(number.replace(",", "")) for number in found.groups())
    return first, second


@pytest.mark.parametrize(("floor", "scored"), FEW, ids=lambda value: str(value)[:60])
def test_a_shortfall_says_how_many_rows_it_would_take(floor: Floor, scored: Scored) -> None:
    decision = decide(floor, scored)
    assert decision.shortfall.startswith(
        f"a {floor.measure} of {floor.value:g} is not supported at "
        f"{100 * floor.confidence:g} % confidence"
    )
    assert decision.to_dict()["shortfall"] == decision.shortfall
    _, needed = count_named(decision.shortfall)
    assert needed > len(scored.y)
    enough = repeat_rows(scored, math.ceil(1.1 * needed / len(scored.y)))
    assert decide(floor, enough).shortfall == ""
    # Nor is much more said than is needed.
    too_few = repeat_rows(scored, math.floor(0.6 * needed / len(scored.y)))
    assert not len(too_few.y) or decide(floor, too_few).shortfall


def test_a_floor_that_holds_falls_short_of_nothing() -> None:
    decision = decide(Floor("recall", 0.8), Normals(2.0, 0.1).draw(3000, 0))
    assert decision.shortfall == ""
    assert decision.to_dict()["shortfall"] is None
    assert isinstance(decision, Decision)


@pytest.mark.parametrize("seed", range(6))
def test_a_rate_below_the_floor_is_not_made_up_for_by_rows(seed: int) -> None:
    scored, floor = Normals(0.7, 0.1).draw(1500, seed), Floor("precision", 0.8)
    decision = decide(floor, scored)
    flagged = decision.rule.decide(scored.proba) == 1
    found = scored.y[flagged].mean()
    assert ("no number of rows would do" in decision.shortfall) is bool(found <= 0.8)


# Told before any model is trained.


def known_of(floor: Floor, n: int) -> Known:
    """Give as many rows of the class that counts, and plenty of the other."""
    counts = [n, 100_000] if floor.measure == "specificity" else [100_000, n]
    return Known(("no", "yes"), np.array(counts))


def is_refused(floor: Floor, n: int) -> bool:
    try:
        floor.suited(known_of(floor, n))
    except UsageError:
        return True
    return False


def fewest_rows(floor: Floor) -> int:
    """Find of how many rows a promise is not refused."""
    return bisect_left(range(100_000), True, lo=1, key=lambda n: not is_refused(floor, n))


EACH_FLOOR = [
    Floor("recall", 0.95),
    Floor("recall", 0.9, 0.95),
    Floor("recall", 0.9, 0.99),
    Floor("recall", 0.5, 0.999),
    Floor("recall", 0.9, 0.2),
    Floor("precision", 0.9),
    Floor("precision", 0.8, 0.99),
    Floor("specificity", 0.99),
    Floor("specificity", 0.999),
]


@pytest.mark.parametrize("floor", EACH_FLOOR, ids=str)
def test_what_even_faultless_predictions_could_not_support_is_refused(floor: Floor) -> None:
    enough = fewest_rows(floor)
    assert enough >= math.log(1 - floor.confidence) / math.log(floor.value)
    assert floor.suited(known_of(floor, enough)) == floor
    with pytest.raises(UsageError) as caught:
        floor.suited(known_of(floor, enough - 1))
    kind = "negative" if floor.measure == "specificity" else "positive"
    expected = f"needs at least {enough} {kind} rows; the data have {enough - 1},"
    assert expected in str(caught.value)


@pytest.mark.parametrize("floor", EACH_FLOOR, ids=str)
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_most_that_can_be_promised_is_named_and_can_be_had(floor: Floor, share: float) -> None:
    known = known_of(floor, max(math.ceil(share * fewest_rows(floor)) - 1, 1))
    with pytest.raises(UsageError) as caught:
        floor.suited(known)
    told = re.search(r"with which (\d\.\d+) is the most that can be promised", str(caught.value))
    assert told is not None
    lower = Floor(floor.measure, float(told.group(1)), floor.confidence)
    assert lower.suited(known) == lower


@pytest.mark.parametrize("floor", EACH_FLOOR, ids=str)
def test_what_is_not_refused_is_supported_by_faultless_predictions(floor: Floor) -> None:
    n = fewest_rows(floor)
    rows = flawless(50, n) if floor.measure == "specificity" else flawless(n, 50)
    decision = decide(floor, rows)
    assert decision.shortfall == ""
    np.testing.assert_array_equal(decision.rule.decide(rows.proba), rows.y)
