"""Strategies and decisions in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoimb.data.dataset import Labels
from autoimb.decision.rules import (
    AbstainBand,
    ClassWeights,
    DecisionRule,
    ExpectedCost,
    RowCosts,
    Threshold,
    argmax_rule,
)
from autoimb.strategy.configuration import Choice, Configuration

__all__ = ["SURETIES", "describe", "describe_decision", "describe_training", "spell"]

# What is said of the best-scoring strategy, and in which tone.
SURETIES: Mapping[str, tuple[str, str]] = {
    "clear": ("good", "the best is better than doing nothing beyond doubt"),
    "likely": ("note", "the best is probably better than doing nothing"),
    "undecided": ("warning", "the best cannot be told from doing nothing"),
}


def describe(
    configuration: Configuration, rule: DecisionRule | None, labels: Labels, n_members: int = 1
) -> str:
    """Say in one sentence what a strategy does.

    Parameters
    ----------
    configuration : Configuration
    rule : DecisionRule or None
        None for one that is still to be tuned.
    labels : Labels
    n_members : int
        Strategies in the blend that it leads.

    Returns
    -------
    str

    Examples
    --------
    >>> plain = Configuration(model=Choice("lightgbm", "lightgbm.LGBMClassifier"))
    >>> describe(plain, Threshold(0.2), Labels.of(["no", "no", "yes"]))
    "Do not resample or weight: train lightgbm on the data as they are, and predict 'yes' from a \
probability of 0.2."
    """
    training = describe_training(configuration, n_members)
    return f"{training}, and {describe_decision(rule, labels)}."


def describe_training(configuration: Configuration, n_members: int = 1) -> str:
    """Say what a strategy trains on what, without its decision.

    Parameters
    ----------
    configuration : Configuration
    n_members : int
        Strategies in the blend that it leads.

    Returns
    -------
    str
        The begin of a sentence.
    """
    others = n_members - 1
    blended = f", blend it with the {others} next best strategies" if others > 1 else ""
    blended = ", blend it with the next best strategy" if others == 1 else blended
    return _training_words(configuration) + blended


def _training_words(configuration: Configuration) -> str:
    model = spell(configuration.model.name)
    if configuration.is_untouched:
        if configuration.model.balance is not None:
            return f"Train {model}, which balances the classes by itself"
        return f"Do not resample or weight: train {model} on the data as they are"
    steps = []
    if configuration.sampler.class_path is not None:
        steps.append(f"resample with {_sampler_words(configuration.sampler)}")
    if configuration.weight.class_path is not None:
        power = configuration.weight.values.get("power")
        detail = "" if power is None else f" (power {power:.2g} of the inverse class size)"
        steps.append(f"weight the classes{detail}")
    steps.append(f"train {model}{_ensemble_words(configuration.ensemble)}")
    text = " and ".join(filter(None, (", ".join(steps[:-1]), steps[-1])))
    return text[0].upper() + text[1:]


def _ensemble_words(ensemble: Choice) -> str:
    if ensemble.class_path is None:
        return ""
    name = spell(ensemble.name)
    return f" with {name}" if ensemble.balance is None else f" in an ensemble ({name})"


def _sampler_words(sampler: Choice) -> str:
    share = sampler.balance
    way = "" if share is None else f" ({share:.0%} of the way to equal classes)"
    return spell(sampler.name) + way


def describe_decision(rule: DecisionRule | None, labels: Labels) -> str:
    """Say how probabilities become labels.

    Parameters
    ----------
    rule : DecisionRule or None
        None for one that is still to be tuned.
    labels : Labels

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> describe_decision(Threshold(0.2), Labels.of(["no", "no", "yes"]))
    "predict 'yes' from a probability of 0.2"
    """
    if rule is None:
        return "tune its decision"
    if len(labels.classes) == 2 and not isinstance(rule, ExpectedCost | ClassWeights):
        return _binary_words(rule, labels.positive)
    if isinstance(rule, ExpectedCost):
        return "predict the class of the least expected cost"
    if rule == argmax_rule(len(labels.classes)):
        return "predict the most probable class"
    assert isinstance(rule, ClassWeights)
    return f"predict by probability times class weight ({_weights_words(rule, labels)})"


def _binary_words(rule: DecisionRule, positive: Any) -> str:
    if isinstance(rule, Threshold):
        return f"predict '{positive}' from a probability of {rule.value:.3g}"
    if isinstance(rule, AbstainBand):
        return (
            f"predict '{positive}' from a probability of {rule.high:.3g}, and pass rows on from "
            f"{rule.low:.3g}"
        )
    if isinstance(rule, RowCosts):
        return f"predict '{positive}' by {rule}"
    return f"predict '{positive}' for {rule}"


def _weights_words(rule: ClassWeights, labels: Labels) -> str:
    pairs = zip(labels.by_code, rule.values, strict=True)
    return ", ".join(f"'{label}' {value:.2g}" for label, value in pairs)


def spell(name: str) -> str:
    """Write a component's name as words."""
    return name.replace("_", " ")
