"""How much of a score is owed to having chosen the best of many."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibration import LogisticCurve, log_odds
from autoimb.decision.criteria import Criterion
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import Weights, draw_resamples
from autoimb.evaluation.judging import Judged, judge
from autoimb.metrics import Metric

__all__ = ["N_RESAMPLES", "Tried", "estimate_optimism"]

N_RESAMPLES = 1000
# Resamples that are looked at together: so many rows times so many numbers stay in the cache.
AT_ONCE = 125
# A blend takes as long as a hundred trials, and is steadier: one resample in so many will do.
FEWER_BLENDS = 5


@dataclass(frozen=True)
class Tried:
    """What all trials predicted for the same rows, each by a model that had not seen the row.

    Attributes
    ----------
    scored : Scored
        Classes and row costs; the probabilities are not looked at.
    folds : Folds
    units : ndarray of shape (n_samples,)
        Rows with the same number are drawn together.
    counts_as : ndarray of shape (n_samples,)
        How many rows each stands for.
    proba : sequence of ndarray of shape (n_samples, n_classes)
        Of each trial.
    strategies : sequence of str
        Of each trial: the best of each strategy is a candidate.
    leads : ndarray of shape (n_trials,)
        What a trial has to be ahead by.
    chosen : sequence of int
        Places of the trials that were chosen, to be exported together.
    """

    scored: Scored
    folds: Folds
    units: IntArray
    counts_as: FloatArray
    proba: Sequence[AnyArray]
    strategies: Sequence[str]
    leads: FloatArray
    chosen: Sequence[int]


def estimate_optimism(
    tried: Tried,
    metric: Metric,
    criterion: Criterion,
    *,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
    n_threads: int = 1,
) -> float:
    """Estimate what the score of the chosen trials owes to the choice.

    Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018) repeats
    the choice on resamples of the out-of-fold predictions and scores what it chooses, its decision
    solved on the resample, on the rows that the resample left out. What was chosen on all rows is
    scored on the same ones, its decision solved alike: its lead there is the optimism, for it
    alone has seen those rows. Taking the difference, instead of the score on the rows left out,
    leaves out what a third of the rows changes in a score by itself.

    Several trials stand for their blend, by the mean of their calibrated log-odds.

    It is never below 0: a trial that had to be ahead, and was not by enough, may well be better on
    rows to come, but that adds nothing to what was chosen in its place.

    Parameters
    ----------
    tried : Tried
    metric : Metric
        That was maximised.
    criterion : Criterion
        Of the decision.
    seed : int
    n_resamples : int
    n_threads : int

    Returns
    -------
    float
        In units of the metric; 0 where there was no choice.

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.metrics import METRICS
    >>> rng = np.random.default_rng(0)
    >>> y, p = rng.integers(0, 2, 100), rng.random((20, 100))
    >>> score = [METRICS["roc_auc"].evaluate(y, np.column_stack([1 - q, q]), y) for q in p]
    >>> tried = Tried(
    ...     Scored(y, np.empty((100, 2))), Folds(np.arange(100) % 5), np.arange(100), np.ones(100),
    ...     [np.column_stack([1 - q, q]) for q in p], [str(k) for k in range(20)], np.zeros(20),
    ...     [int(np.argmax(score))],
    ... )
    >>> optimism = estimate_optimism(tried, METRICS["roc_auc"], BestMetric("f1"))
    >>> round(max(score), 2), round(max(score) - optimism, 2)
    (0.59, 0.47)
    """
    if len(tried.proba) <= 1:
        return 0.0
    contest = _Contest(tried, metric, criterion)
    starts = range(0, n_resamples, AT_ONCE)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))

    def lead(start: int, own_seed: np.random.SeedSequence) -> FloatArray:
        n = min(AT_ONCE, n_resamples - start)
        rng = np.random.default_rng(own_seed)
        return contest.leads_left_out(draw_resamples(tried.scored.y, tried.units, n, rng))

    with ThreadPoolExecutor(n_threads) as pool:
        leads = np.concatenate(list(pool.map(lead, starts, seeds)))
    return max(float(np.nanmean(leads)), 0.0) if np.isfinite(leads).any() else 0.0


class _Contest:
    """The choice of trials, to be repeated on resamples."""

    def __init__(self, tried: Tried, metric: Metric, criterion: Criterion) -> None:
        self.tried = tried
        self.metric = metric
        self.criterion = criterion
        self.judged = [self._judge(proba) for proba in tried.proba]
        self.odds = [_calibrated_odds(tried.scored.y, proba) for proba in tried.proba]
        self.chosen = tuple(sorted(tried.chosen))
        self.blends: dict[tuple[int, ...], Judged] = {}

    def _judge(self, proba: AnyArray) -> Judged:
        scored = self.tried.scored.with_proba(np.asarray(proba, dtype=float))
        return judge(self.metric, self.criterion, scored, self.tried.folds)

    def leads_left_out(self, weights: Weights) -> FloatArray:
        """Say how far what was chosen on all rows leads on those that each resample left out."""
        counts_as = self.tried.counts_as.astype(np.float32)[:, None]
        drawn = weights * counts_as
        merits = np.stack([judged.merits(drawn) for judged in self.judged])
        merits -= self.tried.leads[:, None]
        places = range(0, weights.shape[1], 1 if len(self.chosen) == 1 else FEWER_BLENDS)
        leads = np.zeros(len(places))
        for number, place in enumerate(places):
            choice, one = self._choose(merits[:, place]), drawn[:, [place]]
            if choice != self.chosen:
                left_out = (one == 0) * counts_as
                ours, other = (
                    self._blend(each).values(left_out, one) for each in (self.chosen, choice)
                )
                leads[number] = (ours - other)[0]
        return leads

    def _choose(self, values: FloatArray) -> tuple[int, ...]:
        """Choose the best trial of each of the leading strategies, as many as were chosen."""
        best: dict[str, int] = {}
        for place in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable"):
            best.setdefault(self.tried.strategies[place], int(place))
            if len(best) == len(self.chosen):
                break
        return tuple(sorted(best.values()))

    def _blend(self, members: tuple[int, ...]) -> Judged:
        if len(members) == 1:
            return self.judged[members[0]]
        if members not in self.blends:
            proba = expit(np.mean([self.odds[member] for member in members], axis=0))
            proba /= proba.sum(axis=1, keepdims=True)
            self.blends[members] = self._judge(proba)
        return self.blends[members]


def _calibrated_odds(y: IntArray, proba: AnyArray) -> AnyArray:
    """Calibrate the log-odds of every class against the rest."""
    codes = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    columns = []
    for code in codes:
        score = np.asarray(proba[:, code], dtype=float)
        columns.append(log_odds(LogisticCurve.fit((y == code).astype(int), score)(score)))
    if len(columns) == 1:
        columns.insert(0, -columns[0])
    return np.column_stack(columns).astype(np.float32)
