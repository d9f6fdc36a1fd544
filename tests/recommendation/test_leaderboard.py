"""The strategies of a search in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.data.splitting import Folds
from autoimb.decision.criteria import BestMetric
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import score_out_of_fold
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import METRICS, Metric
from autoimb.recommendation.leaderboard import Terms, build_leaderboard
from autoimb.search.blend import Exported
from autoimb.search.records import Candidate, SearchResult, TrialRecord
from autoimb.search.suggesting import create_study
from autoimb.strategy.configuration import Choice, Configuration

N = 120
Y = (np.arange(N) % 6 == 0).astype(int)
FOLDS = (np.arange(N) // 6) % 3
ALL_FOLDS = Level(3)
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


def terms_of(metric: Metric, exported: Exported) -> Terms:
    """Say that what is exported decides by a threshold."""
    decision = Decision(BestMetric(metric.name), THRESHOLD)
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


def test_a_default_that_failed_has_no_rows() -> None:
    metric = METRICS["f1"]
    result = found_by(metric, (DEFAULT, None), (Configuration(LOGISTIC), 1.0))
    board = build_leaderboard(result, alone(result), terms_of(metric, alone(result)))
    assert board["strategy"].tolist() == ["logistic"]


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


@pytest.mark.parametrize("n", [2, 3])
def test_the_members_of_a_blend_are_marked_as_exported(n: int) -> None:
    metric = METRICS["f1"]
    trials = [
        (DEFAULT, 1.0),
        (Configuration(LOGISTIC), 1.5),
        (Configuration(LOGISTIC, sampler=SMOTE), 1.2),
    ]
    result = found_by(metric, *trials[:n])
    exported = blended(result, metric)
    board = build_leaderboard(result, exported, terms_of(metric, exported))
    assert sorted(board.loc[board["exported"], "trial"]) == list(range(n))
    assert (board.loc[board["exported"], "decision"] == "tuned").all()
