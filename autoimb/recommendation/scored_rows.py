"""Rows on which strategies are compared, and resamples of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from autoimb.arrays import AnyArray, FloatArray
from autoimb.decision.rules import argmax_rule
from autoimb.decision.scored import Scored
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

    Of very many rows that a level scores an excerpt, its frequent classes counting for more.

    Parameters
    ----------
    evaluator : Evaluator
    level : Level
        At which all that is compared was evaluated.

    Attributes
    ----------
    metric : Metric
    rows : ndarray of shape (n_rows,)
        Their places in the table.
    folds : Folds
    shrink : float
        Factor for deviations of resamples of fewer rows than there are.
    """

    def __init__(self, evaluator: Evaluator, level: Level) -> None:
        places, folds = evaluator.scored(level)
        excerpt = choose_excerpt(evaluator, level)
        self.evaluator = evaluator
        self.metric = get_metric(evaluator.metric)
        self.rows = excerpt.rows
        self._places = np.searchsorted(places, excerpt.rows)
        self.folds = folds.take(self._places)
        self._judged = np.flatnonzero(self.folds.judged)
        n_classes, y = evaluator.n_classes, evaluator.y[self.rows]
        sizes = np.bincount(evaluator.y[places], minlength=n_classes)
        kept = np.bincount(y, minlength=n_classes) / np.maximum(sizes, 1)
        # Of fewer rows than there are, resamples deviate by more.
        self.shrink = float(np.sqrt(kept.max()))
        self._class_weights = 1 / np.maximum(kept, 1e-9) if (kept[sizes > 0] < 1).any() else None
        judged = self._judged
        self._once = excerpt.counts_as[judged].astype(np.float32)[:, None]
        units = evaluator.drawn_together(self.rows[judged])
        rng = np.random.default_rng(evaluator.seed)
        self._drawn: Weights = draw_resamples(None, units, N_RESAMPLES, rng) * self._once

    def cut(self, proba: AnyArray) -> FloatArray:
        """Return the rows that are compared of all that the level scores.

        Parameters
        ----------
        proba : ndarray of shape (n_scored, n_classes)
        """
        return np.asarray(proba[self._places], dtype=float)

    def decide(self, proba: FloatArray, *, is_tuned: bool = True) -> CrossFitted:
        """Calibrate and decide each fold by the others, or take the argmax."""
        scored = self._select(proba)
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
        scored = replace(self._select(proba).take(self._judged), class_weights=None)
        found = self.decide(proba, is_tuned=is_tuned).take(self._judged)
        metrics, criterion = [get_metric(name) for name in names], self.evaluator.criterion
        whole, drawn = (
            resample_scores(metrics, criterion, scored, found, weights)
            for weights in (self._once, self._drawn)
        )
        return {name: Resampled(float(whole[name][0]), drawn[name]) for name in whole}

    def resample(
        self, proba: FloatArray, found: CrossFitted | None = None, *, is_tuned: bool = True
    ) -> Resampled:
        """Score a strategy by the searched metric, on the rows and on resamples of them.

        Parameters
        ----------
        proba : ndarray of shape (n_rows, n_classes)
        found : CrossFitted, optional
            What was made of it; by default what `decide` makes of it.
        is_tuned : bool
            As in `decide`.

        Returns
        -------
        Resampled
            Greater is better.
        """
        if found is None:
            # A ranking is the same however it is calibrated and cut.
            is_tuned &= self.metric.of_ranking is None
            found = self.decide(proba, is_tuned=is_tuned)
        scored, decided = self._select(proba).take(self._judged), found.take(self._judged)
        whole, drawn = (
            self.metric.utility(1.0)
            * score_resamples(self.metric, scored, decided.proba, decided.codes, weights)
            for weights in (self._once, self._drawn)
        )
        return Resampled(float(whole[0]), drawn)

    def _select(self, proba: FloatArray) -> Scored:
        scored = self.evaluator.select(self.rows, proba)
        return replace(scored, class_weights=self._class_weights)
