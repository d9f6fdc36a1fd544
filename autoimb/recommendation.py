"""What was found, as a table and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autoimb.data.dataset import Labels
from autoimb.data.splitting import Folds
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import (
    AbstainBand,
    ClassWeights,
    DecisionRule,
    ExpectedCost,
    RowCosts,
    Threshold,
    argmax_rule,
)
from autoimb.decision.scored import Scored
from autoimb.evaluation.scoring import Score, average_scores, score_out_of_fold
from autoimb.metrics import Metric
from autoimb.search.blend import Exported
from autoimb.search.records import SearchResult, TrialRecord
from autoimb.strategy.configuration import Choice, Configuration

__all__ = ["Recommendation", "Terms", "build_leaderboard", "describe", "recommend"]

RATES = ("precision", "recall", "specificity")
# How a row of the leaderboard decides; with several classes 0.5 stands for the argmax.
UNTUNED, TUNED = "0.5", "tuned"


@dataclass(frozen=True)
class Recommendation:
    """What to do, and what it is worth.

    Attributes
    ----------
    strategy : str
        The winning strategy in one sentence.
    evidence : tuple of str
        Sentences with figures: against doing nothing, against the threshold alone.
    """

    strategy: str
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        """Return all sentences as one text."""
        return " ".join([self.strategy, *self.evidence])


@dataclass(frozen=True)
class Terms:
    """By what strategies are compared.

    Attributes
    ----------
    metric : Metric
    decision : Decision
        Of the exported model.
    scored : Scored
        The rows, with the probabilities of what is exported.
    folds : Folds
    """

    metric: Metric
    decision: Decision
    scored: Scored
    folds: Folds


def untouched_scores(result: SearchResult, terms: Terms) -> Mapping[str, Score] | None:
    """Score the default configuration with no tuned decision: doing nothing at all."""
    if not result.default_evaluations:
        return None
    each = [
        score_out_of_fold(
            terms.metric, terms.scored.with_proba(evaluation.scored_proba), terms.folds,
            terms.decision.criterion, rule=argmax_rule(terms.scored.n_classes),
        )
        for evaluation in result.default_evaluations
    ]  # fmt: skip
    return average_scores(each)


def build_leaderboard(result: SearchResult, exported: Exported, terms: Terms) -> pd.DataFrame:
    """Rank the strategies, each by its best trial, an exported one by that which is exported.

    Parameters
    ----------
    result : SearchResult
    exported : Exported
    terms : Terms

    Returns
    -------
    DataFrame
        A row per combination of sampler, weight and model, those first that were evaluated most
        thoroughly, of these the best first, beside doing nothing (the default model, decided by
        argmax). Columns: strategy, untouched (neither
        resampled nor weighted), sampler, weight, model, decision, score, spread, calibrated
        (passed the gate), trials, seconds, trial, evaluated (on what), exported (alone or in a
        blend).
    """
    metric = terms.metric
    chosen = {record.number for record in exported.members}
    complete = [record for record in result.records if record.state == "complete"]
    groups: dict[str, list[TrialRecord]] = {}
    for record in complete:
        groups.setdefault(str(record.configuration), []).append(record)
    rows = []
    for records in groups.values():
        eligible = [record for record in records if record.number in chosen] or records
        best = max(eligible, key=lambda r: (r.step, metric.utility(r.scores[metric.name].value)))
        seconds = sum(record.seconds for record in records)
        rows.append(_row(best, best.scores[metric.name], TUNED, len(records), seconds))
    nothing = untouched_scores(result, terms)
    if nothing is not None and result.default is not None:
        rows.append(_row(result.default, nothing[metric.name], UNTUNED, 1, result.default.seconds))
    # The default keeps a row of its own even where other values of the same parts won.
    if result.default is not None and result.default.number not in {
        row["trial"] for row in rows[:-1]
    }:
        scores = result.default.scores[metric.name]
        rows.append(_row(result.default, scores, TUNED, 1, result.default.seconds))
    board = pd.DataFrame(rows)
    board["exported"] = board["trial"].isin(chosen) & (board["decision"] == TUNED)
    board["score_up"] = board["score"].map(metric.utility)
    board = board.sort_values(["step", "score_up"], ascending=False, kind="stable")
    return board.drop(columns=["step", "score_up"]).reset_index(drop=True).rename_axis("rank")


def _row(
    record: TrialRecord, score: Score, decision: str, trials: int, seconds: float
) -> dict[str, object]:
    configuration = record.configuration
    return {
        "strategy": str(configuration),
        "untouched": configuration.is_untouched and configuration.model.balance is None,
        "sampler": configuration.sampler.name,
        "weight": configuration.weight.name,
        "model": configuration.model.name,
        "decision": decision,
        "score": score.value,
        "spread": score.spread,
        "calibrated": record.is_calibrated,
        "trials": trials,
        "seconds": seconds,
        "trial": record.number,
        "evaluated": str(record.level),
        "step": record.step,
    }


def recommend(
    result: SearchResult, exported: Exported, labels: Labels, terms: Terms
) -> Recommendation:
    """Put the winner and what it gains into words.

    Parameters
    ----------
    result : SearchResult
    exported : Exported
    labels : Labels
    terms : Terms

    Returns
    -------
    Recommendation
    """
    metric, n_members = terms.metric, len(exported.members)
    score = exported.scores[metric.name]
    evidence = [f"Cross-validated {metric.name}: {score} (spread over folds)."]
    if n_members > 1:
        evidence.append(_alone(metric, score, result.best.scores[metric.name]))
    nothing = untouched_scores(result, terms)
    if nothing is not None and result.default is not None:
        tuned = result.default.scores[metric.name]
        default = _words(result.default.configuration.model.name)
        plain = f"{default} as it is scores {nothing[metric.name].value:.3f}"
        if metric.needs_decision:
            plain += f", with only its decision tuned {tuned.value:.3f}"
        evidence.append(f"Doing nothing, {plain}.")
        evidence.append(_gain(metric, score, tuned, _n_judged(terms.folds)))
    evidence += _decision_sentences(terms.decision, exported.scores, nothing)
    strategy = describe(result.best.configuration, terms.decision.rule, labels, n_members)
    return Recommendation(strategy, tuple(evidence))


def _decision_sentences(
    decision: Decision, scores: Mapping[str, Score], nothing: Mapping[str, Score] | None
) -> list[str]:
    """Say how sure the decision is, and what it comes to on rows that it was not solved on."""
    asked = str(decision.criterion)
    sentences = [
        f"Decision, {asked}: {decision}." if asked != str(decision) else f"Decision: {asked}."
    ]
    rates = [f"{name} {scores[name].value:.3f}" for name in RATES if name in scores]
    if rates:
        sentences.append(f"Cross-validated it comes to {', '.join(rates)}.")
    if "cost" in scores:
        text = f"A row costs {scores['cost'].value:.4g} in the mean"
        plain = "" if nothing is None else f", doing nothing {nothing['cost'].value:.4g}"
        sentences.append(f"{text}{plain}.")
    if decision.shortfall:
        sentences.append(f"The promise does not hold: {decision.shortfall}.")
    return sentences


def _n_judged(folds: Folds) -> int:
    return len(folds.take(folds.judged).each())


def _alone(metric: Metric, blended: Score, alone: Score) -> str:
    luck = " as the best of many trials it owes part of that to luck, a blend owes less"
    ahead = metric.utility(alone.value) > metric.utility(blended.value)
    return f"The first alone scores {alone.value:.3f}{f':{luck}' if ahead else ''}."


def _gain(metric: Metric, score: Score, tuned: Score, n_folds: int) -> str:
    """Say whether the winner's lead over the tuned default is more than the folds' noise."""
    gain = metric.utility(score.value) - metric.utility(tuned.value)
    noise = 2 * float(np.hypot(score.spread, tuned.spread)) / np.sqrt(n_folds)
    if gain == 0:
        return "Nothing that was tried beats that default."
    if gain < 0:
        return (
            f"By {metric.name} alone that default is {-gain:.3f} ahead, by its ranking it is not."
        )
    if gain <= noise:
        return (
            f"The lead of {gain:.3f} over the default is within the noise of the folds "
            f"({noise:.3f}): the plain model would do about as well."
        )
    return f"The lead of {gain:.3f} over the default exceeds the noise of the folds ({noise:.3f})."


def describe(
    configuration: Configuration, rule: DecisionRule, labels: Labels, n_members: int = 1
) -> str:
    """Say in one sentence what a strategy does.

    Parameters
    ----------
    configuration : Configuration
    rule : DecisionRule
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
    others = n_members - 1
    blended = f", blend it with the {others} next best strategies" if others > 1 else ""
    blended = ", blend it with the next best strategy" if others == 1 else blended
    return f"{_training_words(configuration)}{blended}, and {_decision_words(rule, labels)}."


def _training_words(configuration: Configuration) -> str:
    model = _words(configuration.model.name)
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
    steps.append(f"train {model}")
    text = ", ".join(steps[:-1]) + " and " + steps[-1]
    return text[0].upper() + text[1:]


def _sampler_words(sampler: Choice) -> str:
    share = sampler.balance
    way = "" if share is None else f" ({share:.0%} of the way to equal classes)"
    return _words(sampler.name) + way


def _decision_words(rule: DecisionRule, labels: Labels) -> str:
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


def _words(name: str) -> str:
    return name.replace("_", " ")
