from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_rules import solve_rule

from autoimb.data.dataset import Labels
from autoimb.data.splitting import Folds
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import ClassWeights, DecisionRule, Threshold, argmax_rule
from autoimb.decision.scored import Scored
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import score_out_of_fold
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import METRICS, Metric
from autoimb.recommendation import Terms, build_leaderboard, describe, recommend
from autoimb.search.blend import Exported
from autoimb.search.records import Candidate, SearchResult, TrialRecord
from autoimb.search.suggesting import create_study
from autoimb.strategy.configuration import Choice, Configuration

N = 120
Y = (np.arange(N) % 6 == 0).astype(int)
FOLDS = (np.arange(N) // 6) % 3
ALL_FOLDS = Level(3)
LABELS = Labels.of(["no", "no", "yes"])
THRESHOLD = Threshold(0.3)

LIGHTGBM = Choice("lightgbm", "lightgbm.LGBMClassifier")
LOGISTIC = Choice("logistic", "sklearn.linear_model.LogisticRegression")
SMOTE = Choice("smote", "imblearn.over_sampling.SMOTE", balance=0.5)
POWER = Choice("power", "autoimb.strategy.weights.ClassWeighted", values={"power": 0.75})
DEFAULT = Configuration(LIGHTGBM)


def probabilities(skill: float, seed: int = 0, scale: float = 0.6) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=N)
    p = scale / (1 + np.exp(-(skill * (Y - 0.5) * 2 + noise)))
    return np.column_stack([1 - p, p])


def found_by(
    metric: Metric, *trials: tuple[Configuration, float | None], seed: int = 0
) -> SearchResult:
    """Pretend that a search made these trials; a skill of None failed."""
    records, kept = [], {}
    for number, (configuration, skill) in enumerate(trials):
        if skill is None:
            records.append(TrialRecord(number, configuration, "failed", reason="out of luck"))
            continue
        proba = probabilities(skill, seed)
        scores = dict(score_out_of_fold(metric, Scored(Y, proba), Folds(FOLDS)))
        record = TrialRecord(number, configuration, "complete", scores, 1.0, level=ALL_FOLDS)
        records.append(record)
        kept[number] = Evaluation(proba.astype(np.float32), scores, 1.0)
    done = [Candidate(records[number], kept[number], ALL_FOLDS) for number in kept]
    done.sort(key=lambda one: -metric.utility(one.record.scores[metric.name].value))
    default = records[0] if 0 in kept else None
    return SearchResult(
        create_study(metric, 0), tuple(records), tuple(done), default,
        (kept[0],) if 0 in kept else (), interrupted=False,
    )  # fmt: skip


def alone(result: SearchResult) -> Exported:
    proba = result.best_evaluation.proba.astype(float)
    return Exported((result.best,), None, proba, result.best.scores)


def blended(result: SearchResult, metric: Metric) -> Exported:
    proba = np.mean([candidate.evaluation.proba for candidate in result.candidates], axis=0)
    scores = score_out_of_fold(metric, Scored(Y, proba), Folds(FOLDS))
    return Exported(tuple(c.record for c in result.candidates), None, proba, scores)


def terms_of(metric: Metric, exported: Exported, rule: DecisionRule = THRESHOLD) -> Terms:
    """Say that what is exported decides by a rule that serves the metric."""
    decision = Decision(BestMetric(metric.name), rule)
    return Terms(metric, decision, Scored(Y, exported.proba), Folds(FOLDS))


TRIALS: Sequence[tuple[Configuration, float | None]] = (
    (DEFAULT, 1.0),
    (Configuration(LIGHTGBM, sampler=SMOTE), 2.0),
    (Configuration(LOGISTIC, weight=POWER), 0.5),
    (Configuration(LIGHTGBM, sampler=SMOTE), 1.5),
    (Configuration(LOGISTIC), None),
)


@pytest.mark.parametrize("name", ["f1", "average_precision", "brier", "log_loss", "mcc"])
def test_strategies_are_ranked_best_first(name: str) -> None:
    metric = METRICS[name]
    result = found_by(metric, *TRIALS)
    board = build_leaderboard(result, alone(result), terms_of(metric, alone(result)))
    utility = [metric.utility(score) for score in board["score"]]
    assert utility == sorted(utility, reverse=True)
    assert board.index.tolist() == list(range(len(board)))
    tuned = board[board["decision"] == "tuned"]
    assert sorted(tuned["strategy"]) == ["lightgbm", "lightgbm + smote", "logistic + power"]
    assert tuned["trials"].sum() == 4


@pytest.mark.parametrize("decision", ["0.5", "tuned"])
@pytest.mark.parametrize(
    "trials",
    [
        TRIALS,
        TRIALS[:1],
        [(DEFAULT, 1.0), (DEFAULT, 3.0), (DEFAULT, 0.1)],
        [(DEFAULT, 3.0), (Configuration(LOGISTIC), 1.0)],
    ],
    ids=["many", "alone", "retuned", "best"],
)
def test_doing_nothing_always_has_its_rows(
    trials: Sequence[tuple[Configuration, float | None]], decision: str
) -> None:
    metric = METRICS["f1"]
    result = found_by(metric, *trials)
    board = build_leaderboard(result, alone(result), terms_of(metric, alone(result)))
    row = board[(board["trial"] == 0) & (board["decision"] == decision)]
    assert len(row) == 1
    assert (row["sampler"] == "none").all()
    assert (row["weight"] == "none").all()
    assert result.default is not None
    tuned = result.default.scores["f1"].value
    if decision == "tuned":
        assert row["score"].item() == tuned


def test_a_default_that_failed_has_no_rows_and_is_not_spoken_of() -> None:
    metric = METRICS["f1"]
    result = found_by(metric, (DEFAULT, None), (Configuration(LOGISTIC), 1.0))
    board = build_leaderboard(result, alone(result), terms_of(metric, alone(result)))
    assert board["strategy"].tolist() == ["logistic"]
    told = recommend(result, alone(result), LABELS, terms_of(metric, alone(result)))
    scores = result.best.scores
    rates = ", ".join(
        f"{name} {scores[name].value:.3f}" for name in ("precision", "recall", "specificity")
    )
    assert told.evidence == (
        f"Cross-validated f1: {scores['f1']} (spread over folds).",
        "Decision, best f1: threshold 0.3.",
        f"Cross-validated it comes to {rates}.",
    )


def test_strategies_whose_probabilities_did_not_pass_the_gate_are_told() -> None:
    metric = METRICS["f1"]
    result = found_by(metric, *TRIALS)
    records = tuple(replace(r, is_calibrated=r.number not in (1, 3)) for r in result.records)
    board = build_leaderboard(
        replace(result, records=records), alone(result), terms_of(metric, alone(result))
    )
    assert dict(zip(board["trial"], board["calibrated"], strict=True)) == {
        0: True, 1: False, 2: True,
    }  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    skills=st.lists(st.floats(0, 3) | st.none(), min_size=1, max_size=5),
    first=st.floats(0, 3),
    name=st.sampled_from(["f1", "brier", "roc_auc"]),
)
def test_the_winner_is_on_top_or_level(skills: list[float | None], first: float, name: str) -> None:
    metric = METRICS[name]
    other = Configuration(LOGISTIC)
    result = found_by(metric, (DEFAULT, first), *((other, skill) for skill in skills))
    top = build_leaderboard(result, alone(result), terms_of(metric, alone(result))).iloc[0]
    best = metric.utility(result.best.scores[name].value)
    assert metric.utility(top["score"]) >= best


SENTENCES = {
    "nothing": (
        DEFAULT,
        Threshold(0.5),
        "Do not resample or weight: train lightgbm on the data as they are, "
        "and predict 'yes' from a probability of 0.5.",
    ),
    "sampler": (
        Configuration(LOGISTIC, sampler=SMOTE),
        Threshold(0.25),
        "Resample with smote (50% of the way to equal classes) and train logistic, "
        "and predict 'yes' from a probability of 0.25.",
    ),
    "weight": (
        Configuration(LIGHTGBM, weight=POWER),
        Threshold(0.125),
        "Weight the classes (power 0.75 of the inverse class size) and train lightgbm, "
        "and predict 'yes' from a probability of 0.125.",
    ),
    "both": (
        Configuration(LIGHTGBM, sampler=Choice("tomek_links", "x.y"), weight=POWER),
        Threshold(0.5),
        "Resample with tomek links, weight the classes (power 0.75 of the inverse class size) "
        "and train lightgbm, and predict 'yes' from a probability of 0.5.",
    ),
    "balances by itself": (
        Configuration(Choice("easy_ensemble", "x.y", balance=1.0)),
        Threshold(0.5),
        "Train easy ensemble, which balances the classes by itself, "
        "and predict 'yes' from a probability of 0.5.",
    ),
}


@pytest.mark.parametrize(
    ("configuration", "rule", "sentence"), SENTENCES.values(), ids=list(SENTENCES)
)
def test_a_strategy_in_one_sentence(
    configuration: Configuration, rule: DecisionRule, sentence: str
) -> None:
    assert describe(configuration, rule, LABELS) == sentence


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (argmax_rule(3), "and predict the most probable class."),
        (
            ClassWeights((0.5, 1.0, 0.25)),
            "and predict by probability times class weight ('a' 0.5, 'b' 1, 'c' 0.25).",
        ),
    ],
)
def test_the_decision_between_more_than_two(rule: DecisionRule, words: str) -> None:
    assert describe(DEFAULT, rule, Labels.of(list("abc"))).endswith(words)


@pytest.mark.parametrize(
    ("skills", "ending"),
    [
        ((1.0, 1.0), "Nothing that was tried beats that default."),
        ((2.0, 0.1), "Nothing that was tried beats that default."),
        ((1.0, 1.03), ": the plain model would do about as well."),
        ((0.1, 4.0), "over the default exceeds the noise of the folds ("),
    ],
)
def test_the_lead_is_weighed_against_the_noise(skills: tuple[float, float], ending: str) -> None:
    metric = METRICS["average_precision"]
    result = found_by(metric, (DEFAULT, skills[0]), (Configuration(LOGISTIC), skills[1]))
    told = recommend(result, alone(result), LABELS, terms_of(metric, alone(result)))
    assert ending in told.evidence[2]
    assert str(told) == " ".join([told.strategy, *told.evidence])


@pytest.mark.parametrize(("name", "tuned"), [("f1", True), ("average_precision", False)])
def test_the_threshold_alone_is_credited_where_it_counts(name: str, tuned: bool) -> None:
    metric = METRICS[name]
    result = found_by(metric, *TRIALS)
    rule = solve_rule(metric, Y, alone(result).proba)
    told = recommend(result, alone(result), LABELS, terms_of(metric, alone(result), rule))
    nothing = next(line for line in told.evidence if line.startswith("Doing nothing"))
    assert ("with only its decision tuned" in nothing) is tuned
    board = build_leaderboard(result, alone(result), terms_of(metric, alone(result)))
    plain: pd.DataFrame = board[board["decision"] == "0.5"]
    assert f"lightgbm as it is scores {plain['score'].item():.3f}" in nothing


def test_a_stated_cost_and_a_promise_that_fails_are_told() -> None:
    metric, costs = METRICS["f1"], Costs(fp=1.0, fn=9.0)
    result = found_by(metric, (DEFAULT, 1.0))
    exported, plain = alone(result), result.best_evaluation.scored_proba[:, 1] >= 0.5
    scores = score_out_of_fold(metric, Scored(Y, exported.proba), Folds(FOLDS), costs)
    exported = replace(exported, scores=scores)
    decision = Decision(costs, THRESHOLD, shortfall="too few rows")
    terms = replace(terms_of(metric, exported), decision=decision)
    told = recommend(result, exported, LABELS, terms)
    nothing = np.mean(9.0 * (Y * ~plain) + (1 - Y) * plain)
    asked, _, costly, short = told.evidence[-4:]
    assert asked == "Decision, least cost (false alarm 1, miss 9): threshold 0.3."
    mean = scores["cost"].value
    assert costly == f"A row costs {mean:.4g} in the mean, doing nothing {nothing:.4g}."
    assert short == "The promise does not hold: too few rows."


@pytest.mark.parametrize(
    ("n", "words"),
    [(2, "blend it with the next best strategy"), (3, "blend it with the 2 next best strategies")],
)
def test_a_blend_is_told_with_its_leader_and_its_own_score(n: int, words: str) -> None:
    metric = METRICS["f1"]
    trials = [(DEFAULT, 1.0), (Configuration(LOGISTIC), 1.5), (Configuration(LOGISTIC, SMOTE), 1.2)]
    result = found_by(metric, *trials[:n])
    exported = blended(result, metric)
    told = recommend(result, exported, LABELS, terms_of(metric, exported))
    assert "train logistic" in told.strategy
    assert words in told.strategy
    own, first = exported.scores["f1"], result.best.scores["f1"]
    assert told.evidence[0] == f"Cross-validated f1: {own} (spread over folds)."
    assert told.evidence[1].startswith(f"The first alone scores {first.value:.3f}")
    assert ("luck" in told.evidence[1]) is (first.value > own.value)
    board = build_leaderboard(result, exported, terms_of(metric, exported))
    assert sorted(board.loc[board["exported"], "trial"]) == list(range(n))
    assert (board.loc[board["exported"], "decision"] == "tuned").all()
