"""What is asked of an evaluator, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoimb.arrays import FloatArray
from autoimb.evaluation.futility import Hurdle
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score
from autoimb.strategy.configuration import Configuration

__all__ = ["Evaluation", "Task", "Training"]


@dataclass(frozen=True)
class Task:
    """What is to be evaluated.

    Attributes
    ----------
    configuration : Configuration
    level : Level
    hurdle : Hurdle or None
        The best so far; None evaluates every fold whatever the first ones show.
    begun : Evaluation or None
        Of the same configuration on the first folds, alike in all else: what it found is kept.
    """

    configuration: Configuration
    level: Level
    hurdle: Hurdle | None = None
    begun: Evaluation | None = None


@dataclass(frozen=True)
class Training:
    """What is to be trained for export.

    Attributes
    ----------
    configuration : Configuration
    fold : int or None
        On the rows that are not of this fold; None on all.
    max_rows : int or None
        At most, as in `Level`.
    """

    configuration: Configuration
    fold: int | None = None
    max_rows: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """What cross-validation found.

    Attributes
    ----------
    proba : ndarray of shape (n_samples, n_classes), float32
        Each row's by a model that has not seen it; NaN for rows that are not scored, empty if
        the evaluation was stopped.
    scores : mapping of str to Score
        Empty if the evaluation was stopped.
    seconds, training_seconds : float
        In all, and of training alone.
    fold_values : tuple of float
        Of each fold that was scored, by the metric that tells early who falls behind; greater is
        better.
    is_complete : bool
        Whether every fold was scored.
    """

    proba: NDArray[np.float32]
    scores: Mapping[str, Score]
    seconds: float
    training_seconds: float = 0.0
    fold_values: tuple[float, ...] = ()
    is_complete: bool = True

    @property
    def scored_proba(self) -> FloatArray:
        """Those of the rows that are scored."""
        return np.asarray(self.proba[~np.isnan(self.proba[:, 0])], dtype=float)
