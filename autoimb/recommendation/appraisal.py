"""What is exported is worth: corrected, with intervals, against the obvious, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import AnyArray, FloatArray
from autoimb.decision.calibration import log_odds
from autoimb.decision.rules import argmax_rule
from autoimb.evaluation.bootstrap import Weights, draw_resamples, score_resamples
from autoimb.evaluation.compare import Comparison, Resampled, compare
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import Estimate, bound, resample_scores
from autoimb.evaluation.levels import Level
from autoimb.evaluation.optimism import N_RESAMPLES, Tried, estimate_optimism
from autoimb.evaluation.scoring import CrossFitted, cross_fit
from autoimb.metrics import get_metric
from autoimb.recommendation.plainness import Tier, list_tiers, plainest, tier_of
from autoimb.search.blend import Exported, cross_fitted_blend, pool
from autoimb.search.excerpt import choose_excerpt
from autoimb.search.records import Reference, SearchResult

__all__ = ["Appraisal", "appraise", "estimate_scores"]

NOT_APPRAISED = "prevalence_ratio"  # a check, not a score
DECISION, BLENDING = "decision", "blending"


@dataclass(frozen=True)
class Appraisal:
    """What the exported model is worth, and what that is owed to.

    Attributes
    ----------
    estimate : Estimate
        Of the searched metric, on rows to come: corrected for the choice.
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
    """

    estimate: Estimate
    optimism: float
    best_trial: float
    n_tried: int
    baselines: tuple[Comparison, ...]
    baseline_scores: Mapping[str, float]
    parts: tuple[Comparison, ...]
    tiers: tuple[Tier, ...]
    plainest: Tier

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "estimate": self.estimate.to_dict(),
            "optimism": self.optimism,
            "best_trial": self.best_trial,
            "n_tried": self.n_tried,
            "baselines": [
                {"score": self.baseline_scores[one.name], **one.to_dict()} for one in self.baselines
            ],
            "parts": [one.to_dict() for one in self.parts],
            "tiers": [one.to_dict() for one in self.tiers],
            "plainest": self.plainest.name,
        }


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
    optimism = _estimate_optimism(found, exported, evaluator, n_threads)
    rows = _Rows.scored_at(evaluator, found.level)
    complete = [r for r in found.records if r.state == "complete"]
    baselines, scores = _against_baselines(found, exported, evaluator, rows, optimism)
    best = rows.resample(exported.proba)
    tiers = list_tiers(found, exported)
    others = {tier.name: rows.resample(tier.proba, is_tuned=tier.is_tuned) for tier in tiers[:-1]}
    tiers = tuple(
        tier.held_against(comparison)
        for tier, comparison in zip(
            tiers, (*compare(best, others, optimism, rows.shrink), None), strict=True
        )
    )
    return Appraisal(
        estimate=estimate_scores(found, exported, evaluator, optimism)[metric.name],
        optimism=optimism,
        best_trial=max(
            (r.scores[metric.name].value for r in complete), key=metric.utility, default=np.nan
        ),
        n_tried=len(complete),
        baselines=baselines,
        baseline_scores=scores,
        parts=_compare_parts(found, exported, rows, best),
        tiers=tiers,
        plainest=plainest(tiers),
    )


class _Rows:
    """Rows with their folds, and resamples of them, on which strategies are compared."""

    def __init__(
        self,
        evaluator: Evaluator,
        level: Level,
        rows: AnyArray,
        kept: AnyArray,
        counts_as: AnyArray,
    ) -> None:
        places, folds = evaluator.scored(level)
        self.evaluator = evaluator
        self.metric = get_metric(evaluator.metric)
        self.rows, self.folds = rows, folds.take(np.searchsorted(places, rows))
        self.judged = np.flatnonzero(self.folds.judged)
        is_judged = self.folds.judged[kept]
        self.kept = kept[is_judged]
        y, all_y = evaluator.y[rows[self.kept]], evaluator.y[places]
        units = evaluator.drawn_together(rows[self.kept])
        rng = np.random.default_rng(evaluator.seed)
        drawn = draw_resamples(y, units, N_RESAMPLES, rng)
        self.weights: Weights = drawn * counts_as[is_judged].astype(np.float32)[:, None]
        share = np.bincount(y, minlength=evaluator.n_classes) / np.maximum(
            np.bincount(all_y[folds.judged], minlength=evaluator.n_classes), 1
        )
        # Of fewer rows than there are, resamples deviate by more.
        self.shrink = float(np.sqrt(min(share.max(), 1.0)))

    @classmethod
    def scored_at(cls, evaluator: Evaluator, level: Level) -> _Rows:
        """Take all rows that are scored at a level; resample an excerpt of them."""
        rows, _ = evaluator.scored(level)
        excerpt = choose_excerpt(evaluator, level)
        return cls(evaluator, level, rows, np.searchsorted(rows, excerpt.rows), excerpt.counts_as)

    @classmethod
    def of_excerpt(cls, evaluator: Evaluator, level: Level) -> _Rows:
        """Take the rows alone whose predictions are kept of every trial."""
        excerpt = choose_excerpt(evaluator, level)
        return cls(evaluator, level, excerpt.rows, np.arange(len(excerpt.rows)), excerpt.counts_as)

    def decide(self, proba: FloatArray, *, is_tuned: bool = True) -> CrossFitted:
        """Calibrate and decide each fold by the others, or take the argmax."""
        scored = self.evaluator.select(self.rows, proba)
        if is_tuned:
            return cross_fit(self.evaluator.criterion, scored, self.folds)
        return CrossFitted(scored.proba, argmax_rule(scored.n_classes).decide(scored.proba))

    def resample(
        self, proba: FloatArray, found: CrossFitted | None = None, *, is_tuned: bool = True
    ) -> Resampled:
        """Score a strategy on the rows, and on resamples of them; greater is better."""
        found = found or self.decide(proba, is_tuned=is_tuned)
        scored, sign = self.evaluator.select(self.rows, proba), self.metric.utility(1.0)

        def score(rows: AnyArray, weights: Weights) -> FloatArray:
            part = found.take(rows)
            return sign * score_resamples(
                self.metric, scored.take(rows), part.proba, part.codes, weights
            )

        all_once = np.ones((len(self.judged), 1), dtype=np.float32)
        return Resampled(float(score(self.judged, all_once)[0]), score(self.kept, self.weights))


def _estimate_optimism(
    found: SearchResult,
    exported: Exported,
    evaluator: Evaluator,
    n_threads: int,
    *,
    as_plain: bool = False,
) -> float:
    """Estimate what the score owes to the choice, from what all trials predicted."""
    level = found.first_level
    known = [r for r in found.records if r.number in found.tried and r.number in found.leads]
    if as_plain:
        own = tier_of(exported.members[0].configuration)
        known = [r for r in known if tier_of(r.configuration) == own]
    numbers = [r.number for r in known]
    chosen = [numbers.index(one.number) for one in exported.members if one.number in numbers]
    if level is None or len(numbers) < 2 or not chosen or not exported.is_tuned:
        return 0.0
    excerpt, (rows, folds) = choose_excerpt(evaluator, level), evaluator.scored(level)
    folds = folds.take(np.searchsorted(rows, excerpt.rows))
    judged = folds.judged
    strategies = {r.number: str(r.configuration) for r in found.records}
    tried = Tried(
        scored=evaluator.select(excerpt.rows, found.tried[numbers[0]]).take(judged),
        folds=folds.take(judged),
        units=evaluator.drawn_together(excerpt.rows[judged]),
        counts_as=excerpt.counts_as[judged],
        proba=[found.tried[number][judged] for number in numbers],
        strategies=[strategies[number] for number in numbers],
        leads=np.array([found.leads[number] for number in numbers]),
        chosen=chosen,
    )
    return estimate_optimism(
        tried, get_metric(evaluator.metric), evaluator.criterion, seed=evaluator.seed,
        n_threads=n_threads,
    )  # fmt: skip


def estimate_scores(
    found: SearchResult, exported: Exported, evaluator: Evaluator, optimism: float | None = None
) -> Mapping[str, Estimate]:
    """Put an interval around every score, that of the searched metric less what luck added to it.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    evaluator : Evaluator
    optimism : float, optional
        As `appraise` found it; by default it is estimated among strategies as plain.

    Returns
    -------
    mapping of str to Estimate
        Of every metric of `exported.scores`.
    """
    if optimism is None:
        optimism = _estimate_optimism(found, exported, evaluator, 1, as_plain=True)
    metric, rows = get_metric(evaluator.metric), _Rows.scored_at(evaluator, found.level)
    names = [name for name in exported.scores if name != NOT_APPRAISED]
    scored = evaluator.select(rows.rows, exported.proba)
    decided = rows.decide(exported.proba, is_tuned=exported.is_tuned)
    metrics = [get_metric(name) for name in names if _is_metric(name)]
    drawn = resample_scores(
        metrics, evaluator.criterion, scored.take(rows.kept), decided.take(rows.kept), rows.weights
    )
    corrections = {metric.name: metric.utility(optimism)}
    return {
        name: bound(
            exported.scores[name].value - corrections.get(name, 0.0), drawn[name], rows.shrink
        )
        for name in names
    }


def _against_baselines(
    found: SearchResult,
    exported: Exported,
    evaluator: Evaluator,
    rows: _Rows,
    optimism: float,
) -> tuple[tuple[Comparison, ...], Mapping[str, float]]:
    """Hold what is exported against the baselines, on the deepest level that all have reached."""
    base = found.candidates[0].level
    if all(one.level == base for one in found.baselines):
        best, each = (
            rows.resample(exported.proba),
            {
                one.name: rows.resample(pool(one.evaluations), is_tuned=one.is_tuned)
                for one in found.baselines
            },
        )
    else:
        assert found.first_level is not None
        rows = _Rows.of_excerpt(evaluator, found.first_level)
        best = rows.resample(_excerpt_of(exported, found, rows))
        each = {
            one.name: rows.resample(np.asarray(one.excerpt, dtype=float), is_tuned=one.is_tuned)
            for one in found.baselines
            if one.excerpt is not None
        }
    sign = rows.metric.utility(1.0)
    scores = {name: sign * one.value for name, one in each.items()}
    return compare(best, each, optimism, rows.shrink), scores


def _excerpt_of(exported: Exported, found: SearchResult, rows: _Rows) -> FloatArray:
    """Combine what the exported strategies predicted at the level of all trials."""
    each = [np.asarray(found.tried[one.number], dtype=float) for one in exported.members]
    if len(each) == 1:
        return each[0]
    odds = np.stack([log_odds(one) for one in each], axis=2)
    return cross_fitted_blend(rows.evaluator.y[rows.rows], odds, rows.folds)


def _compare_parts(
    found: SearchResult, exported: Exported, rows: _Rows, best: Resampled
) -> tuple[Comparison, ...]:
    """Hold the best strategy against itself without a part, and a blend against its first."""
    alone = rows.resample(found.best_evaluation.scored_proba)
    bought = compare(alone, {one.name: _resample_first(rows, one) for one in found.parts})
    others: dict[str, Resampled] = {}
    if rows.metric.needs_decision:
        decided = rows.decide(exported.proba)
        codes = argmax_rule(rows.evaluator.n_classes).decide(decided.proba)
        others[DECISION] = rows.resample(exported.proba, CrossFitted(decided.proba, codes))
    if exported.blend is not None:
        first = found.candidates[0]
        others[BLENDING] = rows.resample(pool((first.evaluation, *first.repeats)))
    return (*bought, *compare(best, others, shrink=rows.shrink))


def _resample_first(rows: _Rows, one: Reference) -> Resampled:
    return rows.resample(one.evaluations[0].scored_proba, is_tuned=one.is_tuned)


def _is_metric(name: str) -> bool:
    return name not in ("precision", "recall", "specificity", "cost")
