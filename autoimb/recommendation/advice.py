"""What to do, how sure that is, what it buys and what would change it: in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autoimb.data.dataset import Labels
from autoimb.decision.criteria import BestMetric
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import argmax_rule
from autoimb.evaluation.compare import Comparison
from autoimb.evaluation.estimate import Estimate
from autoimb.metrics import Metric
from autoimb.recommendation.appraisal import Appraisal
from autoimb.recommendation.words import describe
from autoimb.search.baselines import DO_NOTHING, TUNED_THRESHOLD
from autoimb.search.blend import Exported

__all__ = ["Case", "Reason", "Recommendation", "recommend"]

RATES = ("precision", "recall", "specificity")
# How sure a difference is: beyond doubt, more likely than not, or neither.
Surety = Literal["clear", "likely", "undecided"]
LIKELY = 0.9
# More positives than this many times those at hand are not worth being asked for.
MAX_TIMES = 20.0
# Less shows as nothing.
ROUNDING = 0.0005


@dataclass(frozen=True)
class Case:
    """What a recommendation rests on.

    Attributes
    ----------
    metric : Metric
    appraisal : Appraisal
    exported : Exported
        The best-scoring.
    decision : Decision
        Of the exported model.
    estimates : mapping of str to Estimate
        Of every metric of the exported model.
    labels : Labels
    n_rarest : int
        Rows of the rarest class.
    prefers_simple : bool
        Whether the recommended strategy is exported in place of the best-scoring one.
    """

    metric: Metric
    appraisal: Appraisal
    exported: Exported
    decision: Decision
    estimates: Mapping[str, Estimate]
    labels: Labels
    n_rarest: int
    prefers_simple: bool = False

    def against(self, name: str) -> Comparison | None:
        """Return what is exported against a baseline, if it was compared."""
        return next((one for one in self.appraisal.baselines if one.name == name), None)

    @property
    def gain(self) -> Comparison | None:
        """What is exported against doing nothing."""
        return self.against(DO_NOTHING)


@dataclass(frozen=True)
class Reason:
    """A finding that a recommendation rests on.

    Attributes
    ----------
    kind : str
    sentence : str
    evidence : mapping
        Its figures.
    """

    kind: str
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommendation:
    """What to do, and why.

    Attributes
    ----------
    strategy : str
        In one sentence: the plainest strategy that cannot be told from the best.
    tier : str
        Its degree of plainness.
    surety : {"clear", "likely", "undecided"}
        How sure it is that the best-scoring strategy is better than doing nothing.
    best : str
        The best-scoring strategy, in one sentence.
    reasons : tuple of Reason
    """

    strategy: str
    tier: str
    surety: Surety
    best: str
    reasons: tuple[Reason, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """The sentences of all reasons."""
        return tuple(reason.sentence for reason in self.reasons)

    def __str__(self) -> str:
        """Return all sentences as one text."""
        return " ".join([self.strategy, *self.evidence])

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        from autoimb.recommendation.cards import render_recommendation

        return render_recommendation(self)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "strategy": self.strategy,
            "tier": self.tier,
            "surety": self.surety,
            "best": self.best,
            "reasons": [
                {"kind": one.kind, "sentence": one.sentence, "evidence": dict(one.evidence)}
                for one in self.reasons
            ],
        }


def recommend(case: Case) -> Recommendation:
    """Recommend the plainest strategy that cannot be told from the best, with all reasons.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Recommendation
    """
    chosen, members = case.appraisal.plainest, case.exported.members
    rule = None if case.prefers_simple else case.decision.rule
    best = describe(members[0].configuration, rule, case.labels, len(members))
    strategy = best
    if chosen is not case.appraisal.tiers[-1]:
        untuned = argmax_rule(len(case.labels.classes))
        rule = None if chosen.is_tuned else untuned
        strategy = describe(chosen.configuration, rule, case.labels)
    reasons = tuple(reason for find in REASONS for reason in find(case))
    return Recommendation(strategy, chosen.name, _surety(case.gain), best, reasons)


def _surety(gain: Comparison | None) -> Surety:
    if gain is None:
        return "undecided"
    if gain.is_clear:
        return "clear"
    return "likely" if gain.p_better >= LIKELY and gain.difference > 0 else "undecided"


def _worth(case: Case) -> Iterator[Reason]:
    """Say what the best-scoring strategy is worth on rows to come."""
    name, found = case.metric.name, case.appraisal
    estimate, word = found.estimate, "model" if case.exported.blend is None else "blend"
    sentence = (
        f"On rows to come the best {word} scores {name} {estimate.value:.3f} (95 %: "
        f"{estimate.low:.3f} to {estimate.high:.3f})"
    )
    if found.optimism:
        kept = case.metric.utility(found.optimism)
        sentence += (
            f", {abs(kept):.3f} of luck in the choice among {found.n_tried} trials taken off"
        )
    scored = case.exported.scores[name].value
    growth = case.metric.utility(estimate.value - scored) + found.optimism
    if abs(growth) >= ROUNDING:
        sentence += f", {growth:+.3f} for the rows that each fold holds back from training"
    sentence += f"; the best trial alone scored {found.best_trial:.3f} in its folds."
    evidence = {
        **estimate.to_dict(), "out_of_fold": scored, "optimism": found.optimism,
        "growth": growth, "best_trial": found.best_trial,
    }  # fmt: skip
    yield Reason("worth", sentence, evidence)


def _against_nothing(case: Case) -> Iterator[Reason]:
    """Say what it buys over doing nothing, or that the rows cannot tell."""
    gain = case.gain
    if gain is None:
        return
    score = case.appraisal.baseline_scores[DO_NOTHING]
    span = f"{gain.difference:+.3f}, 95 %: {gain.low:+.3f} to {gain.high:+.3f}"
    outcome = {
        "clear": f"the best is better beyond doubt ({span})",
        "likely": f"the best is probably better ({span}), which so few rows do not prove",
        "undecided": f"these data cannot tell the two apart ({span})",
    }[_surety(gain)]
    yield Reason(
        "against_nothing",
        f"Doing nothing (the default model, decided by the greatest probability) scores "
        f"{score:.3f}: {outcome}.",
        {**gain.to_dict(), "score": score},
    )


def _against_threshold(case: Case) -> Iterator[Reason]:
    """Say what is left of the gain once the default model's decision is tuned alike."""
    one = case.against(TUNED_THRESHOLD)
    if one is None or not case.metric.needs_decision:
        return
    outcome = {
        "clear": "more than that is gained beyond doubt",
        "likely": "more than that is probably gained",
        "undecided": "these data cannot tell whether anything more is gained",
    }[_surety(one)]
    score = case.appraisal.baseline_scores[TUNED_THRESHOLD]
    yield Reason(
        "against_threshold",
        f"With nothing but its decision tuned the default model scores {score:.3f}: {outcome} "
        f"({one.difference:+.3f}, 95 %: {one.low:+.3f} to {one.high:+.3f}).",
        {**one.to_dict(), "score": score},
    )


def _plainer(case: Case) -> Iterator[Reason]:
    """Say why a plainer strategy is recommended than the one that scores best."""
    chosen = case.appraisal.plainest
    if chosen.comparison is None:
        return
    one = chosen.comparison
    n = len(case.exported.members)
    best = f"a blend of {n}" if n > 1 else str(case.exported.members[0].configuration)
    which = (
        "so that the plainer one is exported, as was asked"
        if case.prefers_simple
        else "it is exported all the same; --prefer simple exports the plainer one"
    )
    ahead = (
        f"is ahead of that by {one.difference:+.3f}, which is within one standard error "
        f"({one.error:.3f})"
        if one.difference > 0
        else f"is not ahead of that ({one.difference:+.3f}, standard error {one.error:.3f})"
    )
    text = f"The best-scoring strategy ({best}) {ahead}: {which}."
    yield Reason("plainest", text, one.to_dict())


def _parts(case: Case) -> Iterator[Reason]:
    """Say what each part of the best strategy buys."""
    found = case.appraisal.parts
    if not found:
        return
    each = [
        f"the {one.name} {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})" for one in found
    ]
    yield Reason(
        "parts",
        f"What its parts buy: {'; '.join(each)}.",
        {one.name: one.to_dict() for one in found},
    )


def _not_worth_it(case: Case) -> Iterator[Reason]:
    """Name the obvious strategies that do not beat doing nothing."""
    scores, utility = case.appraisal.baseline_scores, case.metric.utility
    nothing = scores.get(DO_NOTHING)
    if nothing is None:
        return
    worse = {
        name: score
        for name, score in scores.items()
        if name != DO_NOTHING and utility(score) <= utility(nothing)
    }
    # Of a ranking the threshold changes nothing.
    worse = {name: score for name, score in worse.items() if score != nothing}
    if worse:
        each = ", ".join(f"{name} ({score:.3f})" for name, score in worse.items())
        yield Reason("not_worth_it", f"Not worth it here: {each}.", dict(worse))


def _not_compared(case: Case) -> Iterator[Reason]:
    """Name the obvious strategies that are missing from the race."""
    names = case.appraisal.not_compared
    if names:
        yield Reason(
            "not_compared",
            f"Not compared, for they failed or time did not suffice: {', '.join(names)}. A larger "
            "budget may do.",
            {"names": list(names)},
        )


def _decision(case: Case) -> Iterator[Reason]:
    """Say how sure the decision is, and what it comes to on rows that it was not solved on."""
    decision, scores = case.decision, case.estimates
    asked = str(decision.criterion)
    text = f"Decision, {asked}: {decision}." if asked != str(decision) else f"Decision: {asked}."
    yield Reason("decision", text, decision.to_dict())
    rates = {name: scores[name] for name in RATES if name in scores}
    if rates:
        each = ", ".join(f"{name} {one}" for name, one in rates.items())
        yield Reason("rates", f"Cross-validated it comes to {each}.", _dicts(rates))
    if "cost" in scores:
        yield Reason(
            "cost", f"A row costs {scores['cost']} in the mean.", _dicts({"cost": scores["cost"]})
        )
    if decision.shortfall:
        yield Reason("shortfall", f"The promise does not hold: {decision.shortfall}.")


def _dicts(scores: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: one.to_dict() for name, one in scores.items()}


def _more_positives(case: Case) -> Iterator[Reason]:
    """Say how many positives it would take to tell the best from doing nothing."""
    gain = case.gain
    if gain is None or gain.is_clear or gain.difference <= 0:
        return
    # The interval shrinks with the root of the rows.
    times = ((gain.high - gain.difference) / gain.difference) ** 2
    needed = math.ceil(case.n_rarest * times)
    if 1 < times <= MAX_TIMES:
        sentence = (
            f"It would take about {needed:,} rows of the rarest class, not {case.n_rarest:,}, to "
            "prove a difference of this size."
        )
        yield Reason("more_positives", sentence, {"needed": needed, "found": case.n_rarest})


def _state_a_cost(case: Case) -> Iterator[Reason]:
    """Remind that a threshold follows from what errors cost, where nothing was stated."""
    if isinstance(case.decision.criterion, BestMetric):
        yield Reason(
            "state_a_cost",
            "A stated cost, floor or capacity would change the decision: `autoimb retune` takes "
            "one without training.",
        )


# In the order in which they are told.
REASONS: tuple[Callable[[Case], Iterator[Reason]], ...] = (
    _worth, _against_nothing, _against_threshold, _plainer, _parts, _not_worth_it, _not_compared,
    _decision, _more_positives, _state_a_cost,
)  # fmt: skip
