"""Predictions that no model made, as good as a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from autoimb.data.dataset import Labels
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import decide
from autoimb.decision.scored import Scored
from autoimb.displays.predictions import Predictions

__all__ = ["predict_classes", "predict_two"]


def predict_two(
    criterion: Criterion | None = None,
    *,
    n: int = 400,
    shift: float = -1.5,
    metric: str = "f1",
    labels: Sequence[Any] = ("no", "yes"),
    class_weights: np.ndarray | None = None,
    seed: int = 0,
    **more: Any,
) -> Predictions:
    """Draw calibrated probabilities of two classes, and decide by what is asked for."""
    rng = np.random.default_rng(seed)
    p = expit(shift + 2 * rng.normal(size=n)).round(3)
    y = (rng.random(n) < p).astype(int)
    costs = rng.random(n) + 0.5
    rows = Scored(y, np.column_stack([1 - p, p]), costs, class_weights)
    decision = decide(criterion or BestMetric("f1"), rows)
    codes = decision.rule.decide(rows.proba, costs)
    known = Labels(tuple(labels), (0, 1))
    return replace(
        Predictions(rows, codes, decision, known, metric), **{"calibrated": rows, **more}
    )


def predict_classes(
    n_classes: int, *, n: int = 600, labels: Sequence[Any] | None = None, seed: int = 0
) -> Predictions:
    """Draw probabilities of several classes, the last the rarest."""
    rng = np.random.default_rng(seed)
    share = 0.7 ** np.arange(n_classes)
    y = rng.choice(n_classes, n, p=share / share.sum())
    proba = softmax(2 * np.eye(n_classes)[y] + rng.normal(size=(n, n_classes)), axis=1)
    rows = Scored(y, proba)
    decision = decide(BestMetric("f1_macro"), rows)
    names = tuple(labels or (f"class {k}" for k in range(n_classes)))
    codes = decision.rule.decide(proba)
    known = Labels(names, tuple(range(n_classes)))
    return Predictions(rows, codes, decision, known, "f1_macro", calibrated=rows)
