"""What a blend of several models predicts for rows that none of its parts has seen."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.stacking import Blend

__all__ = ["cross_fitted_blend"]


def cross_fitted_blend(y: IntArray, odds: FloatArray, folds: IntArray) -> FloatArray:
    """Predict each fold by the blend that was fitted on the others.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    odds : ndarray of shape (n_samples, n_classes, n_models)
        Out-of-fold log-odds of each model.
    folds : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> from autoimb.decision.calibration import log_odds
    >>> y, folds = np.array([0, 0, 1, 1] * 2), np.arange(8) // 4
    >>> p = np.array([0.1, 0.4, 0.3, 0.9] * 2)
    >>> odds = log_odds(np.column_stack([1 - p, p]))[:, :, None]
    >>> cross_fitted_blend(y, odds, folds)[:4, 1].round(1)
    array([0.3, 0.5, 0.4, 0.7])
    """
    proba = np.empty(odds.shape[:2])
    for fold in np.unique(folds):
        inside = folds == fold
        proba[inside] = Blend.fit(y[~inside], odds[~inside])(odds[inside])
    return proba
