"""What is exported is worth: corrected, with intervals, against the obvious, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.calibration import log_odds
from autoimb.decision.rules import argmax_rule
from autoimb.evaluation.compare import Comparison, Resampled, compare
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import Estimate
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import CrossFitted
from autoimb.metrics import Metric, get_metric
from autoimb.recommendation.estimation import estimate_scores, optimism_of
from autoimb.recommendation.gains import compare_with_nothing
from autoimb.recommendation.plainness import NOTHING, Tier, list_tiers, plainest
from autoimb.recommendation.scored_rows import ScoredRows
from autoimb.search.baselines import DO_NOTHING
from autoimb.search.blend import Exported, combine, cross_fitted_blend, pool
from autoimb.search.records import Reference, SearchResult

__all__ = ["Appraisal", "appraise", "settle"]

DECISION, BLENDING = "decision", "blending"


@dataclass(frozen=True)
class Appraisal:
    """What the exported model is worth, and what that is owed to.

    Attributes
    ----------
    metric : Metric
        The searched one.
    estimates : mapping of str to Estimate
        Of every metric, on rows to come; that of the searched one is corrected for the choice.
    optimism : float
        That correction, above 0 where the score was too good.
    best_trial : float
        The uncorrected score of the best trial.
    n_tried : int
        Complete trials that were chosen among.
    baselines : tuple of Comparison
        The exported model against each obvious strategy that could be evaluated.
    baseline_scores : mapping of str to float
        Their own scores, on the same rows.
    parts : tuple of Comparison
        The best strategy against itself without a part: what each buys.
    tiers : tuple of Tier
        The best strategy of each degree of plainness, the plainest first; the last is exported.
    plainest : Tier
        The first that cannot be told from what is exported.
    gains : tuple of Comparison
        Each obvious strategy, and the best of each degree of plainness by the name of its tier,
        against doing nothing; empty where that could not be evaluated.
    not_compared : tuple of str
        Obvious strategies that failed, or that time did not suffice for.
    """

    metric: Metric
    estimates: Mapping[str, Estimate]
    optimism: float
    best_trial: float
    n_tried: int
    baselines: tuple[Comparison, ...]
    baseline_scores: Mapping[str, float]
    parts: tuple[Comparison, ...]
    tiers: tuple[Tier, ...]
    plainest: Tier
    gains: tuple[Comparison, ...] = ()
    not_compared: tuple[str, ...] = ()

    @property
    def estimate(self) -> Estimate:
        """That of the searched metric."""
        return self.estimates[self.metric.name]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "estimates": {name: one.to_dict() for name, one in self.estimates.items()},
            "optimism": self.optimism,
            "best_trial": self.best_trial,
            "n_tried": self.n_tried,
            "baselines": [
                {"score": self.baseline_scores[one.name], **one.to_dict()} for one in self.baselines
            ],
            "parts": [one.to_dict() for one in self.parts],
            "tiers": [one.to_dict() for one in self.tiers],
            "plainest": self.plainest.name,
            "gains": [one.to_dict() for one in self.gains],
            "not_compared": list(self.not_compared),
        }


def settle(
    found: SearchResult, exported: Exported, evaluator: Evaluator, n_threads: int = 1
) -> tuple[Exported, Appraisal]:
    """Appraise what is to be exported; of a blend that is clearly worse, its first alone.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    evaluator : Evaluator
    n_threads : int

    Returns
    -------
    Exported
        The blend, or the best strategy alone.
    Appraisal
        Of it.
    """
    appraisal = appraise(found, exported, evaluator, n_threads)
    if not any(part.name == BLENDING and part.is_clearly_worse for part in appraisal.parts):
        return exported, appraisal
    alone = combine(found.candidates[:1], evaluator, exported.max_rows, is_tuned=exported.is_tuned)
    return alone, appraise(found, alone, evaluator, n_threads)


def appraise(
    found: SearchResult, exported: Exported, evaluator: Evaluator, n_threads: int = 1
) -> Appraisal:
    """Say what is exported is worth, and what that is owed to.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    evaluator : Evaluator
    n_threads : int

    Returns
    -------
    Appraisal
    """
    metric = get_metric(evaluator.metric)
    optimism = optimism_of(found, exported, evaluator, n_threads)
    rows = ScoredRows(evaluator, found.level)
    complete = [r for r in found.records if r.state == "complete"]
    tiers = list_tiers(found, exported, needs_decision=metric.needs_decision)
    n_repeats = _fewest_repeats(found, exported, tiers)
    best = rows.resample(rows.cut(_combine_first(found, exported, evaluator, n_repeats)))
    plainer = {
        tier.name: rows.resample(rows.cut(tier.predict(n_repeats)), is_tuned=tier.is_tuned)
        for tier in tiers[:-1]
    }
    compared = compare(best, plainer, optimism, rows.shrink)
    race = _race(found, exported, rows, best, n_repeats)
    if race.level != found.level:
        plainer = _score_tried(found, tiers[:-1], ScoredRows(evaluator, race.level))
    baselines = compare(race.best, race.baselines, optimism, race.shrink)
    scores = {name: metric.utility(one.value) for name, one in race.baselines.items()}
    tiers = tuple(
        tier.held_against(one) for tier, one in zip(tiers, (*compared, None), strict=True)
    )
    return Appraisal(
        metric=metric,
        estimates=estimate_scores(found, exported, evaluator, optimism, rows),
        optimism=optimism,
        best_trial=max(
            (r.scores[metric.name].value for r in complete), key=metric.utility, default=np.nan
        ),
        n_tried=len(complete),
        baselines=baselines,
        baseline_scores=scores,
        parts=_compare_parts(found, exported, rows),
        tiers=tiers,
        plainest=plainest(tiers),
        gains=_gains(race, plainer, tiers[-1].name, baselines, optimism),
        not_compared=tuple(name for name in found.wanted if name not in scores),
    )


def _fewest_repeats(found: SearchResult, exported: Exported, tiers: Sequence[Tier]) -> int:
    """Count the further assignments to folds that all of the compared were scored on.

    A mean over more of them scores higher by itself.
    """
    base = found.candidates[0].level
    each = [len(one.evaluations) - 1 for one in found.baselines if one.level == base]
    each += [len(tier.candidate.repeats) for tier in tiers if tier.candidate is not None]
    return min([exported.n_repeats, *each])


def _combine_first(
    found: SearchResult, exported: Exported, evaluator: Evaluator, n_repeats: int
) -> FloatArray:
    """Return what is exported predicts in the mean over fewer assignments to folds."""
    if n_repeats == exported.n_repeats:
        return exported.proba
    numbers = [one.number for one in exported.members]
    by_number = {one.record.number: one for one in found.candidates}
    members = [by_number[number] for number in numbers]
    fewer = [replace(one, repeats=one.repeats[:n_repeats]) for one in members]
    return combine(fewer, evaluator).proba


@dataclass(frozen=True)
class _Race:
    """What is exported beside the baselines, on the same rows."""

    best: Resampled
    baselines: Mapping[str, Resampled]
    shrink: float
    level: Level


def _race(
    found: SearchResult, exported: Exported, rows: ScoredRows, best: Resampled, n_repeats: int
) -> _Race:
    """Score the baselines, on the deepest level that all have reached."""
    base = found.candidates[0].level
    if all(one.level == base for one in found.baselines):
        each = {
            one.name: rows.resample(
                rows.cut(pool(one.evaluations[: n_repeats + 1])), is_tuned=one.is_tuned
            )
            for one in found.baselines
        }
        return _Race(best, each, rows.shrink, base)
    if found.first_level and all(one.number in found.tried for one in exported.members):
        rows = ScoredRows(rows.evaluator, found.first_level)
        best = rows.resample(_excerpt_of(exported, found, rows))
        each = {
            one.name: rows.resample(np.asarray(one.excerpt, dtype=float), is_tuned=one.is_tuned)
            for one in found.baselines
            if one.excerpt is not None
        }
        return _Race(best, each, rows.shrink, found.first_level)
    return _Race(best, {}, rows.shrink, base)


def _score_tried(
    found: SearchResult, tiers: Sequence[Tier], rows: ScoredRows
) -> dict[str, Resampled]:
    """Score strategies on the rows that were kept of every trial."""
    return {
        tier.name: rows.resample(
            np.asarray(found.tried[tier.candidate.record.number], dtype=float),
            is_tuned=tier.is_tuned,
        )
        for tier in tiers
        if tier.candidate is not None and tier.candidate.record.number in found.tried
    }


def _gains(
    race: _Race,
    plainer: Mapping[str, Resampled],
    exported: str,
    baselines: Sequence[Comparison],
    optimism: float,
) -> tuple[Comparison, ...]:
    """Hold all strategies that were scored on the same rows against doing nothing."""
    searched = {name: one for name, one in plainer.items() if name != NOTHING}  # a baseline too
    searched[exported] = race.best
    found = compare_with_nothing(race.baselines, searched, optimism, race.shrink)
    # Of what is exported the same is said everywhere.
    known = next((one for one in baselines if one.name == DO_NOTHING), None)
    return tuple(
        replace(known, name=exported) if known and one.name == exported else one for one in found
    )


def _excerpt_of(exported: Exported, found: SearchResult, rows: ScoredRows) -> FloatArray:
    """Combine what the exported strategies predicted at the level of all trials."""
    each = [np.asarray(found.tried[one.number], dtype=float) for one in exported.members]
    if len(each) == 1:
        return each[0]
    odds = np.stack([log_odds(one) for one in each], axis=2)
    return cross_fitted_blend(rows.evaluator.y[rows.rows], odds, rows.folds)


def _compare_parts(
    found: SearchResult, exported: Exported, rows: ScoredRows
) -> tuple[Comparison, ...]:
    """Hold the best strategy against itself without a part, and a blend against its first."""
    alone = rows.resample(rows.cut(found.best_evaluation.scored_proba))
    without = {one.name: _resample_first(rows, one) for one in found.parts}
    bought = compare(alone, without, shrink=rows.shrink)
    others: dict[str, Resampled] = {}
    proba = rows.cut(exported.proba)
    if rows.metric.needs_decision:
        decided = rows.decide(proba)
        codes = argmax_rule(rows.evaluator.n_classes).decide(decided.proba)
        others[DECISION] = rows.resample(proba, CrossFitted(decided.proba, codes))
    if exported.blend is not None:
        first = found.candidates[0]
        again = first.repeats[: exported.n_repeats]
        others[BLENDING] = rows.resample(rows.cut(pool((first.evaluation, *again))))
    if not others:
        return bought
    return (*bought, *compare(rows.resample(proba), others, shrink=rows.shrink))


def _resample_first(rows: ScoredRows, one: Reference) -> Resampled:
    return rows.resample(rows.cut(one.evaluations[0].scored_proba), is_tuned=one.is_tuned)
