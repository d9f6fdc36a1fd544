"""What all trials predicted for some rows: few enough to be kept of every one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.strategy.thinning import thin

__all__ = ["MAX_CELLS", "Excerpt", "choose_excerpt", "excerpt_of"]

# Rows times classes: 160 kB of each trial.
MAX_CELLS = 40_000


@dataclass(frozen=True)
class Excerpt:
    """Rows that stand for all that trials are scored on.

    Attributes
    ----------
    rows : ndarray of shape (n_kept,)
        Their places in the table, rising.
    counts_as : ndarray of shape (n_kept,)
        How many scored rows of its class each stands for.
    """

    rows: IntArray
    counts_as: FloatArray


def choose_excerpt(evaluator: Evaluator, level: Level, max_cells: int = MAX_CELLS) -> Excerpt:
    """Choose rows: of the rare classes as many as can be.

    Parameters
    ----------
    evaluator : Evaluator
    level : Level
        That of every trial.
    max_cells : int
        Rows times classes, at most.

    Returns
    -------
    Excerpt
    """
    rows, _ = evaluator.scored(level)
    found = excerpt_of(evaluator.y[rows], max_cells // evaluator.n_classes, evaluator.seed)
    return Excerpt(rows[found.rows], found.counts_as)


def excerpt_of(y: IntArray, max_rows: int, seed: int) -> Excerpt:
    """Choose rows by their classes alone.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    max_rows : int
    seed : int

    Returns
    -------
    Excerpt

    Examples
    --------
    >>> y = np.array([0] * 90 + [1] * 10)
    >>> found = excerpt_of(y, 40, seed=0)
    >>> np.bincount(y[found.rows]), found.counts_as[[0, -1]]
    (array([30, 10]), array([3., 1.]))
    """
    kept, _ = thin(np.unique(y, return_inverse=True)[1], max_rows, seed)
    if len(kept) > max_rows:  # no class is rare
        kept = np.sort(np.random.default_rng(seed).permutation(kept)[:max_rows])
    sizes, n_kept = (np.bincount(y[each], minlength=y.max() + 1) for each in (slice(None), kept))
    return Excerpt(kept, (sizes / np.maximum(n_kept, 1))[y[kept]])
