"""What out-of-fold predictions show of a model: its curves, costs, probabilities and threshold."""

from __future__ import annotations

from autoimb.decision.rules import Threshold
from autoimb.displays.predictions import Predictions
from autoimb.reporting.chart import Chart
from autoimb.reporting.charts.costs import draw_cost_by_threshold, draw_cost_curve
from autoimb.reporting.charts.probabilities import (
    draw_score_histograms,
    draw_true_class,
)
from autoimb.reporting.charts.ranked import rank_classes
from autoimb.reporting.charts.rates import draw_precision_recall, draw_roc
from autoimb.reporting.charts.reach import draw_gain, draw_lift
from autoimb.reporting.charts.thresholds import draw_threshold_stability

__all__ = ["draw_curves"]


def draw_curves(predictions: Predictions) -> list[Chart]:
    """Draw what predictions show of a model.

    Of two classes all charts are those of the positive one. Of several, each class is held against
    the rest (the ten rarest), and what belongs to two classes is left out; so is the threshold
    where the decision is no single one.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    list of Chart
        Captions, titles and tables hold labels as they are; only what Plotly draws is escaped.

    Raises
    ------
    DataError
        If all rows are of one of two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.deciding import Decision
    >>> from autoimb.decision.scored import Scored
    >>> p = np.array([0.1, 0.2, 0.6, 0.7])
    >>> rows = Scored(np.array([0, 0, 0, 1]), np.column_stack([1 - p, p]))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.5))
    >>> labels = Labels.of(["no", "no", "yes"])
    >>> found = Predictions(rows, np.array([0, 0, 1, 1]), decision, labels, "f1")
    >>> [chart.name for chart in draw_curves(found)][:4]
    ['precision_recall', 'roc', 'cost_curve', 'cost_by_threshold']
    """
    predictions.require_every_class()
    each = rank_classes(predictions)
    charts = [draw_precision_recall(predictions, each), draw_roc(predictions, each)]
    if predictions.is_binary:
        (one,) = each
        charts += [
            draw(predictions, one)
            for draw in (draw_cost_curve, draw_cost_by_threshold, draw_gain, draw_lift)
        ]
    if not predictions.is_binary:
        return [*charts, draw_true_class(predictions, each)]
    charts.append(draw_score_histograms(predictions, each[0]))
    if isinstance(predictions.decision.rule, Threshold):
        charts.append(draw_threshold_stability(predictions))
    return charts
