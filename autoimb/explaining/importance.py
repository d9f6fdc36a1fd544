"""Importance of columns: how much worse unseen rows are predicted once a column is shuffled.

Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019), on rows that the model was
not trained on: what a model only remembers of its training rows is of no importance here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.special import ndtri

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.decision.calibrators import Calibrator
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import Weights, draw_resamples, score_resamples
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import LEVEL, Estimate
from autoimb.explaining.table_columns import TableColumn, list_columns
from autoimb.explaining.unseen import Fits, Unseen, choose_unseen
from autoimb.metrics import Metric
from autoimb.strategy.pipeline import TrainedPipeline

__all__ = ["ColumnImportance", "Effort", "Importance", "SecondsLeft", "measure_importance"]

SecondsLeft = Callable[[], float]

# Rows that are predicted in all, over columns and repeats, by as many trees as two classes take:
# LightGBM predicts as many in a second.
MAX_PREDICTED = 100_000
# Rows that are predicted: fewer tell too little, beyond that there is little to gain.
MIN_ROWS, MAX_ROWS = 500, 20_000
# How often a column is shuffled.
MIN_REPEATS, MAX_REPEATS = 2, 5
# Of rows, for the interval.
N_RESAMPLES = 100


@dataclass(frozen=True)
class ColumnImportance:
    """What the model loses without a column.

    Attributes
    ----------
    column : str
    drop : Estimate
        Of the score, above 0 where the column helps; its 95 % interval is over rows and shufflings.
    n_repeats : int
        How often it was shuffled.
    """

    column: str
    drop: Estimate
    n_repeats: int


@dataclass(frozen=True)
class Importance:
    """What the model loses without each column.

    Attributes
    ----------
    metric : str
        That was scored: the one that was searched or, where that needs a decision, that of the
        ranking which is cut. A threshold of its own would have to be solved for every shuffling.
    score : float
        With every column as it is.
    columns : tuple of ColumnImportance
        The most important first.
    left_out : tuple of str
        Columns that were not shuffled for want of time.
    n_rows : int
        That were predicted.
    folds : tuple of int
        Whose rows these are.
    """

    metric: str
    score: float
    columns: tuple[ColumnImportance, ...]
    left_out: tuple[str, ...]
    n_rows: int
    folds: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "metric": self.metric,
            "score": self.score if math.isfinite(self.score) else None,
            "columns": [
                {"column": one.column, "drop": one.drop.to_dict(), "n_repeats": one.n_repeats}
                for one in self.columns
            ],
            "left_out": list(self.left_out),
            "n_rows": self.n_rows,
            "folds": list(self.folds),
        }


@dataclass(frozen=True)
class Effort:
    """How much is predicted to measure importance.

    Attributes
    ----------
    n_columns, n_rows, n_repeats : int
    """

    n_columns: int
    n_rows: int
    n_repeats: int

    @classmethod
    def affordable(cls, n_columns: int, n_known: int, n_classes: int = 2) -> Effort:
        """Divide what may be predicted among columns, rows and repeats, in this order.

        Other rows tell more than the same ones once more.

        Parameters
        ----------
        n_columns : int
        n_known : int
            Rows that there are.
        n_classes : int

        Returns
        -------
        Effort

        Examples
        --------
        >>> Effort.affordable(10, 800), Effort.affordable(2000, 9000)
        (Effort(n_columns=10, n_rows=800, n_repeats=5), \
Effort(n_columns=100, n_rows=500, n_repeats=2))
        """
        n_predicted = MAX_PREDICTED // (1 if n_classes == 2 else n_classes)
        n_rows = max(n_predicted // (n_columns * MIN_REPEATS), MIN_ROWS)
        n_rows = min(n_rows, MAX_ROWS, n_known)
        n_repeats = min(max(n_predicted // (n_columns * n_rows), MIN_REPEATS), MAX_REPEATS)
        n_affordable = max(n_predicted // (n_rows * n_repeats), 1)
        return cls(min(n_columns, n_affordable), n_rows, n_repeats)

    def slower(self, seconds: float, left: float) -> Effort:
        """Take fewer rows, if there are many, of a model that takes so long to predict them once.

        Examples
        --------
        >>> Effort(10, 5000, 2).slower(0.2, left=2.0).n_rows
        2500
        """
        wanted = seconds * self.n_columns * MIN_REPEATS
        if wanted <= left:
            return self
        n_rows = max(int(self.n_rows * max(left, 0.0) / wanted), MIN_ROWS)
        return replace(self, n_rows=min(n_rows, self.n_rows))

    def rounds(self) -> list[range]:
        """List the repeats of each round: what every column gets comes first."""
        each = (range(MIN_REPEATS), range(MIN_REPEATS, self.n_repeats))
        return [repeats for repeats in each if repeats]


@dataclass(frozen=True)
class _Judge:
    """Scores predictions of the same rows, once and on resamples of them; greater is better."""

    metric: Metric
    y: IntArray
    weights: Weights
    calibrate: Calibrator

    def score(self, proba: FloatArray) -> FloatArray:
        # A ranking is that of the model; losses are those of the probabilities that it comes to.
        is_loss = not self.metric.greater_is_better
        scored = Scored(self.y, self.calibrate(proba) if is_loss else proba)
        found = score_resamples(self.metric, scored, scored.proba, self.y, self.weights)
        return self.metric.utility(1.0) * found


def measure_importance(
    fits: Fits,
    dataset: Dataset,
    evaluator: Evaluator,
    calibrate: Calibrator,
    left: SecondsLeft,
    columns: Sequence[TableColumn] = (),
) -> Importance:
    """Shuffle one column after the other in rows that models have not seen.

    The cells of a column are dealt anew among the rows of a fold; the parts of a date stay
    together. Where rows are too many some of the frequent classes are left out, and those that
    stay count for more; the cells that they get are still those of the whole fold.

    Parameters
    ----------
    fits : mapping of int to TrainedPipeline
        By the fold that each was trained without.
    dataset : Dataset
    evaluator : Evaluator
    calibrate : Calibrator
        For metrics that are losses.
    left : callable
        Seconds left. Each column is shuffled twice, then more often: once none are left, columns
        that remain are left out, or shuffled less.
    columns : sequence of TableColumn, optional
        The most promising first; by default as the model itself ranks them, if it does.

    Returns
    -------
    Importance
    """
    columns = columns or _in_order_of_promise(dataset, next(iter(fits.values())))
    n_known = int(np.isin(evaluator.folds, list(fits)).sum())
    effort = Effort.affordable(len(columns), n_known, evaluator.n_classes)
    rows, proba = _choose_in_time(fits, dataset, evaluator, effort, left)
    weights = _weigh(rows.unseen, evaluator)
    judge = _Judge(evaluator.pace, evaluator.y[rows.unseen.rows], weights, calibrate)
    whole = judge.score(proba)
    scores: list[list[FloatArray]] = [[] for _ in columns]
    for repeats, place in product(effort.rounds(), range(effort.n_columns)):
        if left() <= 0:
            break
        shuffled = rows.unseen.predict(rows.shuffle(columns[place], repeats))
        scores[place] += [judge.score(proba) for proba in shuffled]
    measured = [
        ColumnImportance(column.name, _estimate_drop(whole, np.stack(each)), len(each))
        for column, each in zip(columns, scores, strict=True)
        if each
    ]
    return Importance(
        metric=judge.metric.name,
        score=judge.metric.utility(float(whole[0])),
        columns=tuple(sorted(measured, key=lambda one: -one.drop.value)),
        left_out=tuple(each.name for each in columns[len(measured) :]),
        n_rows=len(rows.X),
        folds=tuple(sorted(fits)),
    )


def _choose_in_time(
    fits: Fits, dataset: Dataset, evaluator: Evaluator, effort: Effort, left: SecondsLeft
) -> tuple[_ShuffledRows, FloatArray]:
    """Choose rows, fewer of a slow model, and predict them as they are."""
    begun = left()
    rows = _ShuffledRows.choose(fits, dataset.X, evaluator, effort.n_rows)
    proba = rows.unseen.predict(rows.X[None])[0]
    now = left()
    n_rows = effort.slower(begun - now, now).n_rows
    if n_rows < effort.n_rows:
        rows = _ShuffledRows.choose(fits, dataset.X, evaluator, n_rows)
        proba = rows.unseen.predict(rows.X[None])[0]
    return rows, proba


@dataclass(frozen=True)
class _ShuffledRows:
    """Unseen rows, in which any column can be shuffled by cells of the whole fold."""

    unseen: Unseen
    X: FloatArray
    X_table: FloatArray
    pools: Mapping[int, IntArray]
    seed: int

    @classmethod
    def choose(
        cls, fits: Fits, X_table: FloatArray, evaluator: Evaluator, n_rows: int
    ) -> _ShuffledRows:
        unseen = choose_unseen(fits, evaluator, n_rows)
        pools = {fold: evaluator.scored_rows(fold) for fold in fits}
        return cls(unseen, X_table[unseen.rows], X_table, pools, evaluator.seed)

    def shuffle(self, column: TableColumn, repeats: range) -> FloatArray:
        """Return the rows once for each repeat, each time with other cells in the column."""
        # Whichever columns come before it, if any.
        rng = np.random.default_rng([self.seed, int(column.places[0]), repeats.start])
        copies = np.repeat(self.X[None], len(repeats), axis=0)
        for fold, pool in self.pools.items():
            inside = np.flatnonzero(self.unseen.fold == fold)
            for copy in copies:
                donors = rng.choice(pool, len(inside), replace=False)
                copy[np.ix_(inside, column.places)] = self.X_table[np.ix_(donors, column.places)]
        return copies


def _estimate_drop(whole: FloatArray, shuffled: FloatArray) -> Estimate:
    """Estimate the mean drop, as far off as the choice of rows and of shufflings lets it be.

    Each row of scores begins with that of all rows; those of resamples follow.
    """
    lost = whole - shuffled.mean(axis=0)
    of_rows = lost[1:][np.isfinite(lost[1:])].var()
    of_shuffling = shuffled[:, 0].var(ddof=1) / len(shuffled)
    half = float(ndtri((1 + LEVEL) / 2) * np.sqrt(of_rows + of_shuffling))
    value = float(lost[0])
    return Estimate(value, value - half, value + half)


def _weigh(unseen: Unseen, evaluator: Evaluator) -> Weights:
    """Let each row count as many as it stands for: once, then as often as resamples draw it."""
    units, rng = evaluator.drawn_together(unseen.rows), np.random.default_rng(evaluator.seed)
    drawn = draw_resamples(None, units, N_RESAMPLES, rng)
    once = np.ones((len(drawn), 1), dtype=np.float32)
    counts = unseen.counts_as.astype(np.float32)
    return np.asarray(np.hstack([once, drawn]) * counts[:, None])


def _in_order_of_promise(dataset: Dataset, pipeline: TrainedPipeline) -> Sequence[TableColumn]:
    """Sort columns by what the model says of itself, if it does: some may have to be left out."""
    promise = _own_importance(pipeline, dataset.X.shape[1])
    columns = list_columns(dataset.schema)
    return sorted(columns, key=lambda column: -float(promise[column.places].sum()))


def _own_importance(pipeline: TrainedPipeline, n_features: int) -> AnyArray:
    model, sources = pipeline.model, pipeline.encoder.sources
    found = getattr(model, "feature_importances_", getattr(model, "coef_", None))
    each = np.zeros(len(sources)) if found is None else abs(np.atleast_2d(found)).sum(axis=0)
    if len(each) != len(sources):  # of a model with columns of its own
        return np.zeros(n_features)
    return np.bincount(sources, each, n_features)
