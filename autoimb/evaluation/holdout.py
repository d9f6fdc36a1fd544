"""Every metric of predictions on labelled rows, and how each class fares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Labels
from autoimb.decision.rules import DecisionRule
from autoimb.metrics import METRICS

__all__ = ["score_holdout"]


def score_holdout(
    y: IntArray, proba: FloatArray, rule: DecisionRule, labels: Labels
) -> dict[str, Any]:
    """Score predictions on rows that the model has not seen.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    proba : ndarray of shape (n_samples, n_classes)
        In the order of the codes.
    rule : DecisionRule
    labels : Labels

    Returns
    -------
    dict
        ``n_rows``, ``decision``, ``metrics`` (None where not defined), ``classes`` (rows,
        precision, recall, f1 of each) and ``confusion_matrix`` (rows true, columns predicted,
        both in the order of ``classes``).

    Examples
    --------
    >>> from autoimb.decision.rules import Threshold
    >>> p = np.array([0.1, 0.3, 0.8])
    >>> proba = np.column_stack([1 - p, p])
    >>> labels = Labels.of(["no", "no", "yes"])
    >>> found = score_holdout(np.array([0, 0, 1]), proba, Threshold(0.2), labels)
    >>> found["classes"]["yes"]
    {'rows': 1, 'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666}
    >>> found["confusion_matrix"]
    [[1, 1], [0, 1]]
    """
    n_classes = len(labels.classes)
    decided = rule.decide(proba)
    values = {name: metric.evaluate(y, proba, decided) for name, metric in METRICS.items()}
    matrix = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(matrix, (y, decided), 1)
    places = np.argsort(labels.order)
    matrix = matrix[np.ix_(places, places)]
    return {
        "n_rows": len(y),
        "decision": str(rule),
        "metrics": {name: v if math.isfinite(v) else None for name, v in values.items()},
        "classes": {str(name): _class_row(matrix, k) for k, name in enumerate(labels.classes)},
        "confusion_matrix": matrix.tolist(),
    }


def _class_row(matrix: IntArray, k: int) -> dict[str, float]:
    correct, true, predicted = int(matrix[k, k]), int(matrix[k].sum()), int(matrix[:, k].sum())
    return {
        "rows": true,
        "precision": correct / predicted if predicted else 0.0,
        "recall": correct / true if true else 0.0,
        "f1": 2 * correct / (true + predicted) if true + predicted else 0.0,
    }
