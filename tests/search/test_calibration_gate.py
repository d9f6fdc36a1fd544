"""What a trial has to be ahead by whose data or probabilities are not as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score
from autoimb.metrics import get_metric
from autoimb.search.calibration_gate import passes_calibration_gate
from autoimb.search.contest import Contest
from autoimb.search.journal import EvaluationFolder
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.search_space import load_space

PLAIN = load_space("default").default(model="lightgbm")
WEIGHTED = load_space("default").default(model="lightgbm", weight="power")


def record(
    number: int, configuration: Configuration, *, value: float = 0.5, loss: float = 0.2,
    ratio: float = 1.0, fold_values: tuple[float, ...] = (),
) -> TrialRecord:  # fmt: skip
    scores = {
        "average_precision": Score(value, value, 0.01),
        "log_loss": Score(loss, loss, 0.01),
        "prevalence_ratio": Score(ratio, ratio, 0.01),
    }
    return TrialRecord(number, configuration, "complete", scores, fold_values=fold_values)


@pytest.mark.parametrize("configuration", [PLAIN, WEIGHTED])
@pytest.mark.parametrize(
    ("ratio", "passes"), [(0.89, False), (0.91, True), (1.09, True), (1.11, False)]
)
def test_the_class_has_to_be_predicted_as_often_as_it_occurs(
    configuration: Configuration, ratio: float, passes: bool
) -> None:
    assert passes_calibration_gate(record(0, configuration, ratio=ratio), []) is passes


@pytest.mark.parametrize(("loss", "passes"), [(0.19, True), (0.203, True), (0.205, False)])
def test_a_weight_must_not_ruin_the_probabilities_of_its_model(loss: float, passes: bool) -> None:
    plain = record(0, PLAIN, loss=0.2)
    assert passes_calibration_gate(record(1, WEIGHTED, loss=loss), [plain]) is passes


def test_the_same_model_is_what_a_trial_is_held_against() -> None:
    """Before the best of other parameters, and before other models."""
    other = replace(PLAIN, model=Choice("lightgbm", {"num_leaves": 7}))
    logistic = load_space("default").default(model="logistic")
    better = [record(0, other, loss=0.1), record(1, logistic, loss=0.1)]
    weighted = record(3, WEIGHTED, loss=0.2)
    assert passes_calibration_gate(weighted, [*better, record(2, PLAIN, loss=0.2)])
    assert not passes_calibration_gate(weighted, better)
    assert passes_calibration_gate(weighted, better[1:])


@pytest.mark.parametrize(("ahead", "leads"), [(0.009, False), (0.012, True)])
def test_a_trial_that_fails_the_gate_leads_only_by_two_hundredths_of_its_score(
    ahead: float, leads: bool
) -> None:
    contest = Contest(get_metric("average_precision"), [Level(5)], EvaluationFolder(None), PLAIN)
    plain = contest.mark(record(0, PLAIN))
    contest.add(plain)
    off = contest.mark(record(1, PLAIN, value=0.5 + ahead, ratio=1.2))
    assert not off.is_calibrated
    assert (contest.merit(off) > contest.merit(plain)) is leads
    weighted = [contest.mark(record(2, WEIGHTED, value=0.6, loss=loss)) for loss in (0.3, 0.2)]
    assert contest.merit(weighted[0]) < contest.merit(weighted[1])


@pytest.mark.parametrize(("ahead", "leads"), [(0.025, False), (0.035, True)])
def test_a_weight_has_to_be_ahead_by_more_than_the_folds_differ(ahead: float, leads: bool) -> None:
    """By 1.5 standard errors of a difference, once there are trials enough to tell them."""
    contest = Contest(get_metric("average_precision"), [Level(5)], EvaluationFolder(None), PLAIN)
    rng = np.random.default_rng(0)
    plain = record(0, PLAIN, fold_values=(0.5,) * 5)
    weighted = record(1, WEIGHTED, value=0.5 + ahead, fold_values=(0.5 + ahead,) * 5)
    contest.add(plain)
    contest.add(weighted)
    assert contest.merit(weighted) > contest.merit(plain)  # by two hundredths at least
    for number in range(2, 400):
        folds = tuple(rng.normal(0.4, 0.02 * np.sqrt(5 / 2), 5).tolist())
        contest.add(record(number, PLAIN, value=0.4, fold_values=folds))
    assert (contest.merit(weighted) > contest.merit(plain)) is leads
