"""Deal the rows of a dataset into folds, and make the evaluator that scores on them."""

from __future__ import annotations

import numpy as np

from autoimb.data.dataset import Dataset
from autoimb.data.splitting import assign_folds, feasible_folds
from autoimb.decision.criteria import Criterion
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level, plan_levels

__all__ = ["make_evaluator"]


def make_evaluator(
    dataset: Dataset, n_folds: int, metric: str, seed: int, n_threads: int, criterion: Criterion
) -> tuple[Evaluator, tuple[Level, ...]]:
    """Deal the rows into folds, once for every repeat that may be needed.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
        As wished for; no more than the rarest class has rows.
    metric : str
    seed : int
    n_threads : int
        Of one model.
    criterion : Criterion
        Of the decision.

    Returns
    -------
    Evaluator
    tuple of Level
        What every trial gets, and what the leading ones earn.
    """
    n_folds = feasible_folds(dataset, n_folds)
    levels = plan_levels(dataset.class_counts, n_folds, in_time=dataset.times is not None)
    n_repeats = max(level.repeat for level in levels) + 1
    folds = np.stack([assign_folds(dataset, n_folds, seed + k) for k in range(n_repeats)])
    return Evaluator.on(dataset, folds, metric, seed, n_threads, criterion), levels
