"""What all trials predicted for some rows: few enough to be kept of every one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.strategy.thinning import thin

__all__ = ["Excerpt", "choose_excerpt"]

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
    y, limit = evaluator.y[rows], max_cells // evaluator.n_classes
    kept, _ = thin(np.unique(y, return_inverse=True)[1], limit, evaluator.seed)
    if len(kept) > limit:  # no class is rare
        kept = np.sort(np.random.default_rng(evaluator.seed).permutation(kept)[:limit])
    sizes, n_kept = (
        np.bincount(y[each], minlength=evaluator.n_classes) for each in (slice(None), kept)
    )
    return Excerpt(rows[kept], (sizes / np.maximum(n_kept, 1))[y[kept]])
