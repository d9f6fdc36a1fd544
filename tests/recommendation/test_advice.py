"""What is recommended over many searches that were never made, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made_up import BALANCED, DEFAULT, OTHER, SAMPLED, STRATEGIES, WEIGHTED, MadeUp

from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import Costs
from autoimb.decision.floors import Floor
from autoimb.evaluation.estimate import Estimate
from autoimb.evaluation.levels import Level
from autoimb.metrics import get_metric
from autoimb.recommendation.advice import Recommendation
from autoimb.recommendation.appraisal import appraise, settle
from autoimb.recommendation.estimation import estimate_scores
from autoimb.recommendation.plainness import PLAINNESS, TOLD, list_tiers, plainest, tier_of
from autoimb.search.baselines import DO_NOTHING
from autoimb.search.blend import Exported, combine
from autoimb.search.excerpt import choose_excerpt
from autoimb.strategy.configuration import Configuration

pytestmark = pytest.mark.usefixtures("quick_appraisal")

TRIALS = [(DEFAULT, 1.0), (OTHER, 1.1), (WEIGHTED, 1.2), (SAMPLED, 1.4), (BALANCED, 1.3)]
FAR = [(DEFAULT, 0.3), (OTHER, 0.4), (SAMPLED, 4.0)]
RACE = {"balanced weights": 1.0, "SMOTE 1:1": 0.2}

SEARCHES: dict[str, dict[str, Any]] = {
    "ranking": {"trials": TRIALS, "baselines": RACE},
    "labels": {"metric": "f1", "trials": TRIALS, "baselines": RACE, "parts": {"sampler": 1.0}},
    "loss": {"metric": "log_loss", "trials": TRIALS, "baselines": RACE},
    "blend": {"metric": "mcc", "trials": TRIALS, "n_blended": 3},
    "several classes": {"metric": "f1", "trials": TRIALS, "n_classes": 3, "baselines": RACE},
    "several classes, loss": {"metric": "brier", "trials": TRIALS, "n_classes": 3},
    "costs": {"trials": TRIALS, "criterion": Costs(fn=5.0)},
    "row costs": {"metric": "f1", "trials": TRIALS, "criterion": Costs(fn=5.0, column="amount")},
    "passing on": {"metric": "f1", "trials": TRIALS, "criterion": Costs(fn=5.0, abstain=0.3)},
    "floor": {"metric": "f1", "trials": TRIALS, "criterion": Floor("recall", 0.7)},
    "capacity": {"metric": "f1", "trials": TRIALS, "criterion": Capacity(share=0.1)},
    "floor of the metric": {"metric": "recall_at_precision", "trials": TRIALS},
    "repeats": {"trials": TRIALS, "baselines": RACE, "levels": (Level(3), Level(3, repeat=1))},
    "baselines left behind": {
        "metric": "f1", "trials": TRIALS, "baselines": RACE, "n_blended": 2, "max_step": 0,
        "levels": (Level(3), Level(3, repeat=1)),
    },
    "one trial": {"trials": TRIALS[:1]},
    "far ahead": {"trials": FAR, "baselines": RACE},
    "groups": {"trials": TRIALS, "groups": np.arange(300) // 3},
}  # fmt: skip


@pytest.mark.parametrize("metric", ["average_precision", "f1"])
def test_a_blend_that_is_clearly_worse_than_its_first_is_not_exported(metric: str) -> None:
    made = MadeUp(metric, FAR, n_blended=3)
    kept, _ = settle(made.found, made.exported, made.evaluator)
    assert kept is made.exported
    spoilt = replace(made.exported, proba=made.predict(0.0))
    alone, appraisal = settle(made.found, spoilt, made.evaluator)
    assert alone.blend is None
    assert alone.members == (made.found.best,)
    assert appraisal.estimate.value == estimate_of(made, alone).value


def estimate_of(made: MadeUp, exported: Exported) -> Estimate:
    return appraise(made.found, exported, made.evaluator).estimate


@pytest.mark.parametrize("given", SEARCHES.values(), ids=list(SEARCHES))
def test_the_plainest_is_recommended_that_cannot_be_told_from_the_best(
    given: dict[str, Any],
) -> None:
    made = MadeUp(**given)
    found = made.appraise()
    told = made.recommend(found)
    names = [tier.name for tier in found.tiers]
    assert names == sorted(names, key=PLAINNESS.index)
    assert names[0] == "nothing"
    assert found.tiers[-1].comparison is None
    before = found.tiers[: names.index(told.tier)]
    assert told.tier == found.plainest.name
    assert all(tier.is_told for tier in before)
    for tier in found.tiers[:-1]:
        assert tier.comparison is not None
        assert tier.is_told is (tier.comparison.difference > TOLD * tier.comparison.error)
    assert found.plainest is found.tiers[-1] or not found.plainest.is_told
    assert_is_told_in_full(told)
    assert found.estimate.low <= found.estimate.value <= found.estimate.high
    sign = -1 if made.metric in ("log_loss", "brier") else 1
    score = made.exported.scores[made.metric].value
    assert found.estimate.value == pytest.approx(score - sign * found.optimism)
    assert found.optimism >= 0
    assert {one.name for one in found.baselines} >= {*given.get("baselines", {}), DO_NOTHING}
    json.dumps(found.to_dict(), allow_nan=False)


def assert_is_told_in_full(told: Recommendation) -> None:
    """Check that a program and a reader get all of it."""
    written = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert set(written) == {"strategy", "tier", "surety", "best", "reasons"}
    kinds = [reason["kind"] for reason in written["reasons"]]
    assert len(set(kinds)) == len(kinds)
    assert {"worth", "against_nothing", "decision"} <= set(kinds)
    for reason in written["reasons"]:
        assert set(reason) == {"kind", "sentence", "evidence"}
        assert reason["sentence"].endswith(".")
        assert "nan" not in reason["sentence"].split()
        assert reason["sentence"] in str(told)
    assert str(told).startswith(told.strategy)


def reasons(told: Recommendation) -> dict[str, Any]:
    return {one.kind: one for one in told.reasons}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["average_precision", "f1", "log_loss"])
def test_where_nothing_helps_it_says_to_do_nothing_and_claims_nothing(name: str) -> None:
    told = [
        MadeUp(name, [(one, 1.0) for one in STRATEGIES], seed=seed, noise=0.4).recommend()
        for seed in range(6)
    ]
    assert sum(one.surety == "clear" for one in told) <= 1
    # Labels of an argmax find few positives: there the threshold buys what nothing else does.
    plain = {"threshold", "nothing"} if name == "f1" else {"nothing"}
    assert sum(one.tier in plain for one in told) >= 5


@pytest.mark.parametrize("name", ["average_precision", "f1", "log_loss", "recall_at_precision"])
@pytest.mark.parametrize(
    ("best", "tier"), [(WEIGHTED, "weight"), (SAMPLED, "sampler"), (BALANCED, "ensemble")]
)
def test_a_strategy_that_is_far_ahead_is_recommended(
    name: str, best: Configuration, tier: str
) -> None:
    made = MadeUp(name, [(DEFAULT, 0.3), (OTHER, 0.4), (best, 4.0)], {"SMOTE 1:1": 0.3})
    told = made.recommend()
    assert (told.tier, told.surety) == (tier, "clear")
    assert told.strategy == told.best
    assert "plainest" not in reasons(told)
    assert "the best is better beyond doubt" in reasons(told)["against_nothing"].sentence


@pytest.mark.parametrize(("metric", "n_classes"), [("average_precision", 2), ("f1", 3)])
def test_a_plainer_strategy_as_good_is_recommended_and_both_are_named(
    metric: str, n_classes: int
) -> None:
    made = MadeUp(
        metric, [(DEFAULT, 0.2), (WEIGHTED, 2.1), (SAMPLED, 2.0)], n_classes=n_classes,
        best=SAMPLED,
    )  # fmt: skip
    assert tier_of(made.exported.members[0].configuration) == "sampler"
    told = made.recommend()
    assert told.tier == "weight"
    assert told.strategy.startswith("Weight the classes")
    assert told.strategy.endswith("and tune its decision.")
    assert told.best.startswith("Resample with smote")
    assert "--prefer simple exports the plainer one" in reasons(told)["plainest"].sentence


@pytest.mark.parametrize("metric", ["average_precision", "f1"])
def test_where_the_plainest_is_exported_it_says_so(metric: str) -> None:
    trials = [(DEFAULT, 0.2), (WEIGHTED, 2.1), (SAMPLED, 2.0)]
    told = MadeUp(metric, trials, prefers_simple=True, best=SAMPLED).recommend()
    assert "the plainer one is exported, as was asked" in reasons(told)["plainest"].sentence
    assert told.best.endswith("and tune its decision.")


@pytest.mark.parametrize("metric", ["average_precision", "f1"])
def test_every_part_of_the_winner_is_told_with_what_it_buys(metric: str) -> None:
    made = MadeUp(metric, FAR, parts={"sampler": 0.3, "weight": 4.0}, n_blended=2)
    found = made.appraise()
    expected = ["sampler", "weight", *(["decision"] if metric == "f1" else []), "blending"]
    assert [one.name for one in found.parts] == expected
    bought = {one.name: one for one in found.parts}
    assert bought["sampler"].is_clear
    assert not bought["weight"].is_clear
    told = reasons(made.recommend(found))["parts"]
    for name in expected:
        assert f"the {name} {bought[name].difference:+.3f} (" in told.sentence
    assert set(told.evidence) == set(expected)


def test_obvious_strategies_that_do_worse_than_nothing_are_named() -> None:
    made = MadeUp(
        "log_loss", [(DEFAULT, 1.5), (SAMPLED, 4.0)], {"balanced weights": 4.0, "SMOTE 1:1": 0.0}
    )
    told = reasons(made.recommend())["not_worth_it"]
    assert "SMOTE 1:1" in told.evidence
    assert "balanced weights" not in told.evidence


def test_it_says_how_many_positives_would_prove_a_small_lead() -> None:
    asked = []
    for seed in range(4):
        made = MadeUp(trials=[(DEFAULT, 1.0), (OTHER, 1.5)], seed=seed, noise=0.8)
        found, told = made.appraise(), reasons(made.recommend())
        gain = next(one for one in found.baselines if one.name == DO_NOTHING)
        if "more_positives" in told:
            asked.append(told["more_positives"].evidence)
            assert not gain.is_clear
            assert gain.difference > 0
    assert asked
    assert all(one["needed"] > one["found"] == 60 for one in asked)


@pytest.mark.parametrize(
    ("criterion", "reminds"), [(None, True), (Costs(fn=5.0), False), (Floor("recall", 0.7), False)]
)
def test_it_reminds_of_what_can_be_stated_unless_it_was(criterion: Any, reminds: bool) -> None:
    told = reasons(MadeUp(trials=TRIALS[:2], criterion=criterion).recommend())
    assert ("state_a_cost" in told) is reminds
    assert ("cost" in told) is isinstance(criterion, Costs)


def test_a_blend_is_held_against_its_first_and_against_nothing() -> None:
    made = MadeUp(trials=TRIALS, n_blended=3)
    found = made.appraise()
    assert found.tiers[-1].name == "blend"
    assert found.parts[-1].name == "blending"
    assert "the best blend scores" in reasons(made.recommend(found))["worth"].sentence


def test_of_one_trial_nothing_is_taken_off_for_luck() -> None:
    found = MadeUp(trials=TRIALS[:1]).appraise()
    assert (found.optimism, found.n_tried) == (0.0, 1)
    nothing = next(one for one in found.baselines if one.name == DO_NOTHING)
    assert (nothing.difference, nothing.is_clear) == (0.0, False)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_exported_is_not_ahead_of_itself(seed: int) -> None:
    """The default leads, though others score more: they are not ahead by enough."""
    trials = [(DEFAULT, 1.0), *[(one, 1.05) for one in (WEIGHTED, SAMPLED) for _ in range(3)]]
    made = MadeUp(trials=trials, seed=seed)
    if made.exported.members[0].configuration == DEFAULT:
        told = made.recommend()
        assert (told.tier, told.surety) == ("nothing", "undecided")


def test_degrees_of_plainness() -> None:
    assert [tier_of(one) for one in STRATEGIES] == [
        "threshold", "weight", "sampler", "threshold", "ensemble",
    ]  # fmt: skip


def test_without_a_default_there_is_no_tier_of_nothing() -> None:
    made = MadeUp(trials=FAR)
    found = replace(made.found, default=None, default_evaluations=())
    tiers = list_tiers(found, made.exported)
    assert [tier.name for tier in tiers] == ["threshold", "sampler"]
    assert plainest(tiers[-1:]) is tiers[-1]


@pytest.mark.parametrize("single", [False, True])
def test_a_plainer_strategy_is_scored_as_what_would_be_exported_in_its_place(single: bool) -> None:
    """Of a model that is to be read, one fit: no mean over assignments to folds stands for it."""
    read = replace(OTHER, model=replace(OTHER.model, single=single))
    levels = (Level(3), Level(3, repeat=1), Level(3, repeat=2))
    made = MadeUp(trials=[(DEFAULT, 1.0), (read, 1.5), (SAMPLED, 1.4)], best=SAMPLED, levels=levels)
    tiers = {tier.name: tier for tier in list_tiers(made.found, made.exported)}
    assert tiers["threshold"].configuration == read
    for tier in (tiers["nothing"], tiers["threshold"]):
        assert tier.candidate is not None
        exported = combine([tier.candidate], made.evaluator, is_tuned=tier.is_tuned)
        np.testing.assert_array_equal(tier.predict(exported.n_repeats), exported.proba)


def test_from_an_excerpt_intervals_are_about_as_wide_as_from_all_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the factor for its fewer rows they would be wider by another 1.7."""
    widths = []
    for max_cells in (80, 40_000):  # a third of the positives, and all
        monkeypatch.setattr(choose_excerpt, "__defaults__", (max_cells,))
        found = [
            MadeUp(trials=TRIALS, parts={"sampler": 1.0}, seed=seed).appraise() for seed in range(4)
        ]
        told = [(one.parts[0], one.estimate) for one in found]
        widths.append(np.mean([[one.high - one.low for one in each] for each in told], axis=0))
    ratios = widths[0] / widths[1]
    assert ratios.min() > 0.6
    assert ratios.max() < 2.1


@pytest.mark.parametrize("metric", ["average_precision", "f1", "log_loss"])
def test_what_half_of_the_folds_lose_is_added_in_part_to_the_headline(metric: str) -> None:
    """With three folds: (2^-.5 - 3^-.5) / (1^-.5 - 2^-.5) of it, by the root of the rows."""
    made = MadeUp(metric, trials=[(DEFAULT, 2.0)])
    halved = made.evaluate(0.5, replace(made.levels[0], is_halved=True))
    estimates = [
        estimate_scores(found, made.exported, made.evaluator, 0.0)[metric]
        for found in (made.found, replace(made.found, halved=halved))
    ]
    alone, fewer = made.found.best.scores[metric].value, halved.scores[metric].value
    share = (2**-0.5 - 3**-0.5) / (1 - 2**-0.5)
    added = estimates[1].value - estimates[0].value
    assert added == pytest.approx(share * (alone - fewer), rel=0.1)
    assert get_metric(metric).utility(added) > 0
    assert estimates[1].low < estimates[1].value < estimates[1].high
    made.found = replace(made.found, halved=halved)
    told = reasons(made.recommend())["worth"]
    assert told.evidence["growth"] == pytest.approx(get_metric(metric).utility(added))
    assert "for the rows that each fold holds back" in told.sentence


def test_obvious_strategies_that_were_not_compared_are_named() -> None:
    made = MadeUp(baselines={"SMOTE 1:1": 1.0})
    made.found = replace(made.found, wanted=("do nothing", "SMOTE 1:1", "LightGBM defaults"))
    (reason,) = [one for one in made.recommend().reasons if one.kind == "not_compared"]
    assert "LightGBM defaults" in reason.sentence and "SMOTE" not in reason.sentence


def test_what_the_threshold_alone_gains_is_told_apart_from_the_rest() -> None:
    reasons = {one.kind: one for one in MadeUp("f1", trials=[(DEFAULT, 0.8)]).recommend().reasons}
    assert reasons["against_nothing"].evidence["difference"] > 0
    assert reasons["against_threshold"].evidence["difference"] == pytest.approx(0.0)
    kinds = [one.kind for one in MadeUp("average_precision").recommend().reasons]
    assert "against_threshold" not in kinds


def test_a_mean_over_more_assignments_is_not_held_against_one_over_fewer() -> None:
    """Averages score higher by themselves: a baseline that came less far must not lose by it."""
    levels = (Level(3), Level(3, repeat=1), Level(3, repeat=2))
    made = MadeUp(
        trials=[(DEFAULT, 1.0)], baselines={"SMOTE 1:1": 1.0}, levels=levels, max_step=0, noise=2.0
    )
    own = made.appraise().baseline_scores["tuned threshold only"]
    first = made.found.default
    assert first is not None and made.exported.n_repeats == 2
    alone = made.found.default_evaluations[0].scored_proba
    codes = alone.argmax(axis=1)
    metric = get_metric("average_precision")
    assert own == pytest.approx(metric.evaluate(made.y, alone, codes), abs=1e-6)
