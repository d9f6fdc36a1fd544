"""Strategies and decisions in plain words."""

from __future__ import annotations

import pytest

from autoimb.data.dataset import Labels
from autoimb.decision.rules import ClassWeights, DecisionRule, Threshold, argmax_rule
from autoimb.recommendation.words import describe
from autoimb.strategy.configuration import Choice, Configuration

LABELS = Labels.of(["no", "no", "yes"])
LIGHTGBM = Choice("lightgbm", "lightgbm.LGBMClassifier")
LOGISTIC = Choice("logistic", "sklearn.linear_model.LogisticRegression")
SMOTE = Choice("smote", "imblearn.over_sampling.SMOTE", balance=0.5)
POWER = Choice("power", "autoimb.strategy.weights.ClassWeighted", values={"power": 0.75})
DEFAULT = Configuration(LIGHTGBM)

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
    "ensemble alone": (
        Configuration(LIGHTGBM, ensemble=Choice("anomaly_features", "x.y")),
        None,
        "Train lightgbm with anomaly features, and tune its decision.",
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
    configuration: Configuration, rule: DecisionRule | None, sentence: str
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
    ("n", "words"),
    [
        (1, "train lightgbm on the data as they are, and predict"),
        (2, ", blend it with the next best strategy, and"),
        (3, ", blend it with the 2 next best strategies, and"),
    ],
)
def test_a_blend_is_told_with_its_leader(n: int, words: str) -> None:
    assert words in describe(DEFAULT, Threshold(0.5), LABELS, n)


def test_a_decision_that_is_still_to_be_tuned() -> None:
    assert describe(DEFAULT, None, LABELS).endswith(", and tune its decision.")


@pytest.mark.parametrize("labels", [LABELS, Labels.of(list("abc"))])
def test_doing_nothing_predicts_the_most_probable_class(labels: Labels) -> None:
    rule = argmax_rule(len(labels.classes))
    assert describe(DEFAULT, rule, labels) == (
        "Do not resample or weight: train lightgbm on the data as they are, and "
        + (
            "predict 'yes' from a probability of 0.5."
            if labels is LABELS
            else "predict the most probable class."
        )
    )
