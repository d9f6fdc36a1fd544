"""Rows on which strategies are compared, and resamples of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from autoimb.arrays import AnyArray, FloatArray
from autoimb.decision.rules import argmax_rule
from autoimb.evaluation.bootstrap import Weights, draw_resamples, score_resamples
from autoimb.evaluation.compare import Resampled
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import resample_scores
from autoimb.evaluation.levels import Level
from autoimb.evaluation.optimism import N_RESAMPLES
from autoimb.evaluation.scoring import CrossFitted, cross_fit
from autoimb.metrics import get_metric
from autoimb.search.excerpt import choose_excerpt

__all__ = ["ScoredRows"]


class ScoredRows:
    """Rows with their folds, and resamples of them, on which strategies are compared.

    Parameters
    ----------
    evaluator : Evaluator
    level : Level
        Of what is compared.
    rows : ndarray of shape (n_rows,)
        Places in the table of those that predictions are given for; some that the level scores.
    kept : ndarray of shape (n_kept,)
        Places among these of those that are resampled.
    counts_as : ndarray of shape (n_kept,)
        How many rows each of those stands for.

    Attributes
    ----------
    metric : Metric
    shrink : float
        Factor for deviations of resamples of fewer rows than there are.
    """

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
    def scored_at(cls, evaluator: Evaluator, level: Level) -> ScoredRows:
        """Take all rows that are scored at a level; resample an excerpt of them."""
        rows, _ = evaluator.scored(level)
        excerpt = choose_excerpt(evaluator, level)
        return cls(evaluator, level, rows, np.searchsorted(rows, excerpt.rows), excerpt.counts_as)

    @classmethod
    def of_excerpt(cls, evaluator: Evaluator, level: Level) -> ScoredRows:
        """Take the rows alone whose predictions are kept of every trial."""
        excerpt = choose_excerpt(evaluator, level)
        return cls(evaluator, level, excerpt.rows, np.arange(len(excerpt.rows)), excerpt.counts_as)

    def decide(self, proba: FloatArray, *, is_tuned: bool = True) -> CrossFitted:
        """Calibrate and decide each fold by the others, or take the argmax."""
        scored = self.evaluator.select(self.rows, proba)
        if is_tuned:
            return cross_fit(self.evaluator.criterion, scored, self.folds)
        return CrossFitted(scored.proba, argmax_rule(scored.n_classes).decide(scored.proba))

    def score_all(
        self, proba: FloatArray, names: Iterable[str], *, is_tuned: bool = True
    ) -> Mapping[str, Resampled]:
        """Score a strategy by metrics, rates and figures of the decision, each as it is.

        Parameters
        ----------
        proba : ndarray of shape (n_rows, n_classes)
        names : iterable of str
            Of metrics.
        is_tuned : bool
            Whether the decision is tuned; else it is the argmax.

        Returns
        -------
        mapping of str to Resampled
        """
        scored, found = (
            self.evaluator.select(self.rows, proba),
            self.decide(proba, is_tuned=is_tuned),
        )
        metrics, criterion = [get_metric(name) for name in names], self.evaluator.criterion
        once = np.ones((len(self.judged), 1), dtype=np.float32)
        whole, drawn = (
            resample_scores(metrics, criterion, scored.take(rows), found.take(rows), weights)
            for rows, weights in ((self.judged, once), (self.kept, self.weights))
        )
        return {name: Resampled(float(whole[name][0]), drawn[name]) for name in whole}

    def resample(
        self, proba: FloatArray, found: CrossFitted | None = None, *, is_tuned: bool = True
    ) -> Resampled:
        """Score a strategy on the rows, and on resamples of them; greater is better."""
        if found is None:
            # A ranking is the same however it is calibrated and cut.
            is_tuned &= self.metric.of_ranking is None
            found = self.decide(proba, is_tuned=is_tuned)
        scored, sign = self.evaluator.select(self.rows, proba), self.metric.utility(1.0)

        def score(rows: AnyArray, weights: Weights) -> FloatArray:
            part = found.take(rows)
            return sign * score_resamples(
                self.metric, scored.take(rows), part.proba, part.codes, weights
            )

        all_once = np.ones((len(self.judged), 1), dtype=np.float32)
        return Resampled(float(score(self.judged, all_once)[0]), score(self.kept, self.weights))
