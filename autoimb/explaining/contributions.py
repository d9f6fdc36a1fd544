"""What each column adds to single predictions of LightGBM: SHAP values.

They are exact for trees (Lundberg, Erion et al. 2020), computed by LightGBM itself, and sum up,
with a constant, to the raw score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autoimb.arrays import FloatArray
from autoimb.data.dataset import Dataset
from autoimb.evaluation.engine import Evaluator
from autoimb.explaining.importance import SecondsLeft
from autoimb.explaining.table_columns import TableColumn, list_columns
from autoimb.explaining.unseen import Fits, Unseen, choose_unseen
from autoimb.strategy.pipeline import TrainedPipeline

__all__ = ["ColumnContribution", "Contributions", "contribute", "is_explained", "sum_contributions"]

MAX_ROWS, MIN_ROWS = 2000, 50
# Rows times trees times leaves of each, which a second suffices for.
MAX_LEAVES = 5_000_000
# Rows times encoded columns times classes: 32 MB.
MAX_CELLS = 4_000_000
# Between looks at the clock.
ROWS_AT_A_TIME = 100
# Of a tree, where the model does not say.
USUAL_LEAVES = 31


@dataclass(frozen=True)
class ColumnContribution:
    """What a column adds to predictions.

    Attributes
    ----------
    column : str
    mean : float
        Of the absolute contribution, in units of the model's raw score, which are log-odds
        unless its loss is another; of several classes the mean over them.
    direction : float or None
        Rank correlation of value and contribution, in [-1, 1]: above 0 where large values, or
        late dates, speak for the positive class. None for categories, for several classes, and
        for what does not vary.
    """

    column: str
    mean: float
    direction: float | None


@dataclass(frozen=True)
class Contributions:
    """What each column adds to predictions of rows that the model has not seen.

    Attributes
    ----------
    columns : tuple of ColumnContribution
        The largest first.
    n_rows : int
        That were predicted.
    """

    columns: tuple[ColumnContribution, ...]
    n_rows: int

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "columns": [
                {"column": one.column, "mean": one.mean, "direction": one.direction}
                for one in self.columns
            ],
            "n_rows": self.n_rows,
        }


def is_explained(pipeline: TrainedPipeline) -> bool:
    """Tell whether a pipeline predicts by the trees of one LightGBM model.

    Parameters
    ----------
    pipeline : TrainedPipeline
    """
    booster = getattr(pipeline.model, "booster_", None)
    return type(booster).__module__.partition(".")[0] == "lightgbm"


def contribute(pipeline: TrainedPipeline, X: FloatArray) -> FloatArray:
    """Say what each feature adds to the raw score of each row.

    Parameters
    ----------
    pipeline : TrainedPipeline
        Of a model that `is_explained`.
    X : ndarray of shape (n_samples, n_features)
        The numeric matrix.

    Returns
    -------
    ndarray of shape (n_samples, n_scores, n_features)
        A score for each class, or that of the positive one of two.

    Examples
    --------
    >>> from autoimb.strategy.pipeline import TrainingPart, train
    >>> from autoimb.strategy.search_space import load_space
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> part = TrainingPart(X, (X[:, 1] > 1).astype(int), (0, 0), 2, seed=0)
    >>> fitted = train(load_space("default").default(model="lightgbm"), part)
    >>> contribute(fitted, np.array([[0.0, 2.0]])).round(0).ravel().tolist()[1] > 1
    True
    """
    encoder = pipeline.encoder
    Z = encoder.transform(X)
    # Without the last one, a constant.
    each = pipeline.model.booster_.predict(Z, pred_contrib=True, num_threads=1)
    each = np.asarray(each, dtype=float).reshape(len(Z), -1, Z.shape[1] + 1)[:, :, :-1]
    found = np.zeros((*each.shape[:2], X.shape[1]))
    np.add.at(np.moveaxis(found, 2, 0), encoder.sources, np.moveaxis(each, 2, 0))
    return found


def sum_contributions(
    fits: Fits, dataset: Dataset, evaluator: Evaluator, left: SecondsLeft
) -> Contributions:
    """Average what each column adds, over rows that models have not seen.

    Parameters
    ----------
    fits : mapping of int to TrainedPipeline
        By the fold that each was trained without; of models that are explained.
    dataset : Dataset
    evaluator : Evaluator
    left : callable
        Seconds left: once there are none, the rows that remain are left out.

    Returns
    -------
    Contributions
    """
    columns = list_columns(dataset.schema)
    n_rows = _affordable_rows(next(iter(fits.values())))
    unseen = _at_random(choose_unseen(fits, evaluator, n_rows), evaluator.seed)
    parts: list[FloatArray] = []
    for start in range(0, len(unseen.rows), ROWS_AT_A_TIME):
        if parts and left() <= 0:
            break
        some = unseen.take(np.arange(start, min(start + ROWS_AT_A_TIME, len(unseen.rows))))
        parts.append(_contribute_unseen(some, dataset.X))
    each = np.concatenate(parts)
    unseen = unseen.take(np.arange(len(each)))
    X = dataset.X[unseen.rows]
    found = [_sum_up(column, X, each, unseen.counts_as) for column in columns]
    return Contributions(tuple(sorted(found, key=lambda one: -one.mean)), len(each))


def _affordable_rows(pipeline: TrainedPipeline) -> int:
    """Choose how many rows to explain: it takes long where trees are many or large."""
    booster, n_leaves = pipeline.model.booster_, getattr(pipeline.model, "num_leaves", None)
    n_cells = booster.num_model_per_iteration() * booster.num_feature()
    by_time = MAX_LEAVES // max(booster.num_trees() * (n_leaves or USUAL_LEAVES), 1)
    return int(min(max(min(by_time, MAX_CELLS // max(n_cells, 1)), MIN_ROWS), MAX_ROWS))


def _at_random(unseen: Unseen, seed: int) -> Unseen:
    """Put rows in any order, so that those which come first stand for all."""
    return unseen.take(np.random.default_rng(seed).permutation(len(unseen.rows)))


def _contribute_unseen(unseen: Unseen, X_table: FloatArray) -> FloatArray:
    X, found = X_table[unseen.rows], None
    for pipeline, places in unseen.parts():
        each = contribute(pipeline, X[places])
        if found is None:
            found = np.empty((len(X), *each.shape[1:]))
        found[places] = each
    assert found is not None
    return found


def _sum_up(
    column: TableColumn, X: FloatArray, each: FloatArray, counts_as: FloatArray
) -> ColumnContribution:
    added = each[:, :, column.places].sum(axis=2)
    mean = float(np.average(abs(added).mean(axis=1), weights=counts_as))
    values = column.order_of(X)
    if values is None or added.shape[1] > 1:
        return ColumnContribution(column.name, mean, None)
    return ColumnContribution(column.name, mean, _correlate_ranks(values, added[:, 0]))


def _correlate_ranks(values: FloatArray, added: FloatArray) -> float | None:
    """Correlate the ranks of what is known (Spearman 1904); None where one does not vary."""
    known = ~np.isnan(values)
    pairs = pd.DataFrame({"value": values[known], "added": added[known]}).rank()
    if len(pairs) < 2 or (pairs.std() == 0).any():
        return None
    return float(pairs["value"].corr(pairs["added"]))
