"""Every metric of predictions on labelled rows, and how each class fares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Labels
from autoimb.decision.deciding import Decision
from autoimb.decision.reliability import Reliability, measure_reliability
from autoimb.decision.rules import PASSED_ON
from autoimb.decision.scored import Scored
from autoimb.metrics import METRICS

__all__ = ["reliability_by_class", "score_holdout"]


def score_holdout(scored: Scored, decision: Decision, labels: Labels) -> dict[str, Any]:
    """Score predictions on rows that the model has not seen.

    Parameters
    ----------
    scored : Scored
    decision : Decision
    labels : Labels

    Returns
    -------
    dict
        ``n_rows``; ``asked``, ``decision``; ``metrics`` (None where not defined; those of labels
        over the rows that a class was decided for); ``classes`` (rows, precision, recall, f1 of
        each) and ``confusion_matrix`` (rows true, columns predicted, both in the order of
        ``classes``); ``passed_on`` (rows that no class was decided for); ``calibration`` (of the
        positive class of two, else of each).

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.rules import Threshold
    >>> p = np.array([0.1, 0.3, 0.8])
    >>> scored = Scored(np.array([0, 0, 1]), np.column_stack([1 - p, p]))
    >>> labels = Labels.of(["no", "no", "yes"])
    >>> found = score_holdout(scored, Decision(BestMetric("f1"), Threshold(0.2)), labels)
    >>> found["classes"]["yes"]
    {'rows': 1, 'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666}
    >>> found["confusion_matrix"]
    [[1, 1], [0, 1]]
    """
    y, proba, n_classes = scored.y, scored.proba, scored.n_classes
    codes = decision.rule.decide(proba, scored.row_costs)
    clear = codes != PASSED_ON
    values = {
        name: metric.evaluate(y, proba, codes)
        if not metric.needs_decision
        else metric.evaluate(y[clear], proba[clear], codes[clear])
        for name, metric in METRICS.items()
    }
    values |= decision.criterion.figures(scored, codes)
    matrix = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(matrix, (y[clear], codes[clear]), 1)
    places = np.argsort(labels.order)
    matrix = matrix[np.ix_(places, places)]
    return {
        "n_rows": len(y),
        "asked": str(decision.criterion),
        "decision": str(decision.rule),
        "metrics": {name: v if math.isfinite(v) else None for name, v in values.items()},
        "classes": {str(name): _class_row(matrix, k) for k, name in enumerate(labels.classes)},
        "confusion_matrix": matrix.tolist(),
        "passed_on": int((~clear).sum()),
        "calibration": {
            name: one.to_dict() for name, one in reliability_by_class(y, proba, labels).items()
        },
    }


def _class_row(matrix: IntArray, k: int) -> dict[str, float]:
    correct, true, predicted = int(matrix[k, k]), int(matrix[k].sum()), int(matrix[:, k].sum())
    return {
        "rows": true,
        "precision": correct / predicted if predicted else 0.0,
        "recall": correct / true if true else 0.0,
        "f1": 2 * correct / (true + predicted) if true + predicted else 0.0,
    }


def reliability_by_class(
    y: IntArray, proba: FloatArray, labels: Labels
) -> Mapping[str, Reliability]:
    """Measure the calibration of the positive class of two, else of each that occurs.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    proba : ndarray of shape (n_samples, n_classes)
        In the order of the codes.
    labels : Labels

    Returns
    -------
    mapping of str to Reliability
        By label.
    """
    codes = [1] if proba.shape[1] == 2 else np.unique(y).tolist()
    return {
        str(labels.by_code[k]): measure_reliability((y == k).astype(int), proba[:, k])
        for k in codes
    }
