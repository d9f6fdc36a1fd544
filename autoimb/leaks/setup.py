"""What the checks look at: the data, dealt and trained on as a fit does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.strategy.search_space import SearchSpace

__all__ = ["SecondsLeft", "Setup", "spoil"]

# Of a check's share of the time; below 0 once it is over.
SecondsLeft = Callable[[], float]

# How far off garbage is, in ranges of the column, and how much of it is missing.
FAR_OFF = 100.0
MISSING_SHARE = 0.2


@dataclass(frozen=True)
class Setup:
    """What is tested.

    Attributes
    ----------
    dataset : Dataset
    evaluator : Evaluator
    level : Level
        That every trial of a fit is evaluated at first.
    space : SearchSpace
        Of what suits the data.
    deal : callable
        Makes evaluator and level of another dataset, as these were made.
    seed : int
    """

    dataset: Dataset
    evaluator: Evaluator
    level: Level
    space: SearchSpace
    deal: Callable[[Dataset], tuple[Evaluator, Level]]
    seed: int


def spoil(evaluator: Evaluator, fold: int, seed: int) -> Evaluator:
    """Replace the features of the rows that a fold scores by garbage, their labels by others.

    In time also those of all later rows: nothing of what is to come may be known.

    Parameters
    ----------
    evaluator : Evaluator
    fold : int
    seed : int

    Returns
    -------
    Evaluator
        With the other rows as they are.
    """
    rng = np.random.default_rng(seed)
    number = evaluator.folds
    rows = np.flatnonzero(number >= fold if evaluator.in_time else number == fold)
    X, y = np.array(evaluator.X), np.array(evaluator.y)
    X[rows] = _garbage(evaluator, rows, rng)
    y[rows] = (y[rows] + rng.integers(1, evaluator.n_classes, len(rows))) % evaluator.n_classes
    return evaluator.with_rows(X, y)


def _garbage(evaluator: Evaluator, rows: IntArray, rng: np.random.Generator) -> FloatArray:
    """Draw cells that the columns could hold, but hardly do."""
    garbage = np.empty((len(rows), evaluator.X.shape[1]))
    for j, n_levels in enumerate(evaluator.n_levels):
        if n_levels:
            garbage[:, j] = rng.integers(0, n_levels, len(rows))
        else:
            known = evaluator.X[:, j][np.isfinite(evaluator.X[:, j])]
            width = float(np.ptp(known)) if len(known) else 0.0
            garbage[:, j] = rng.normal(0.0, FAR_OFF * (width or 1.0), len(rows))
    garbage[rng.random(garbage.shape) < MISSING_SHARE] = np.nan
    return garbage
