"""Pictures of a decision as files: its curves, its confusion matrix and its calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.displays.calibration import CalibrationDisplay
from autoimb.displays.precision_recall import PrecisionRecallDisplay
from autoimb.displays.predictions import Predictions, pick_classes
from autoimb.drawing import GREY, entitle, new_figure, readable

__all__ = ["draw_figures"]

# Cells of a larger matrix are too small for their figures.
MAX_WRITTEN_CLASSES = 12
# In units of the font size.
MAX_DECISION = 30.0
CHARACTERS_AN_INCH = 6
WHITE_TEXT_FROM = 0.55


def draw_figures(predictions: Predictions) -> Mapping[str, Any]:
    """Draw precision-recall and ROC curves, the confusion matrix and, if known, the calibration.

    Of two classes the curves are those of the positive one (code 1), of more those of each
    class against the rest. Dots mark what the decision chose.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    mapping of str to matplotlib.figure.Figure
        By file name without extension.

    Examples
    --------
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.deciding import Decision
    >>> from autoimb.decision.rules import Threshold
    >>> from autoimb.decision.scored import Scored
    >>> p = np.array([0.1, 0.2, 0.6, 0.7])
    >>> rows = Scored(np.array([0, 0, 0, 1]), np.column_stack([1 - p, p]))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.5))
    >>> labels = Labels.of(["no", "no", "yes"])
    >>> list(draw_figures(Predictions(rows, np.array([0, 0, 1, 1]), decision, labels, "f1")))
    ['precision_recall', 'roc', 'confusion_matrix']
    """
    y, proba, decided = predictions.scored.y, predictions.scored.proba, predictions.codes
    names = [readable(name) for name in predictions.labels.by_code]
    decision = str(predictions.decision.rule)
    figures = {
        "precision_recall": _draw(PrecisionRecallDisplay.from_predictions(predictions)),
        "roc": _draw_roc(y, proba, decided, names),
        "confusion_matrix": _draw_confusion(y, decided, names, decision),
    }
    if predictions.calibrated is not None:
        figures["calibration"] = _draw(CalibrationDisplay.from_predictions(predictions))
    return figures


def _draw(display: PrecisionRecallDisplay | CalibrationDisplay) -> Any:
    figure = new_figure(display.size, dpi=120)
    display.plot(figure.add_subplot())
    return figure


def _draw_roc(y: IntArray, proba: FloatArray, decided: IntArray, names: Sequence[str]) -> Any:
    from sklearn.metrics import roc_auc_score, roc_curve

    title = "Receiver operating characteristic, out of fold"
    figure, ax = _new_axes(title, "false positive rate", "true positive rate (recall)")
    for k in pick_classes(y, len(names)):
        own = np.asarray(y == k)
        fall_out, recall, _ = roc_curve(own, proba[:, k])
        label = f"'{names[k]}' (area {roc_auc_score(own, proba[:, k]):.3f})"
        (line,) = ax.plot(fall_out, recall, label=label)
        chosen = np.asarray(decided == k)
        _mark(ax, chosen[~own].mean(), chosen[own].mean(), line, written=len(names) == 2)
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1)
    _explain(ax, "no skill", "lower right")
    return figure


def _draw_confusion(y: IntArray, decided: IntArray, names: Sequence[str], decision: str) -> Any:
    n_classes = len(names)
    clear = decided >= 0  # the others were passed on
    counts = np.bincount((y * n_classes + decided)[clear], minlength=n_classes**2)
    counts = counts.reshape(n_classes, n_classes)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(3.4 + 0.75 * n_classes, 12.0)
    title = f"Confusion matrix, out of fold, {readable(decision, MAX_DECISION)}"
    figure, ax = _new_axes(title, "predicted class", "true class", (side + 0.8, side))
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    is_wide = sum(map(len, names)) > CHARACTERS_AN_INCH * side
    ax.set_xticks(range(n_classes), names, rotation=60 if is_wide else 0)
    ax.set_yticks(range(n_classes), names)
    ax.grid(False)
    bar = figure.colorbar(image, ax=ax, shrink=0.8, label="share of the true class")
    bar.outline.set_visible(False)
    if n_classes <= MAX_WRITTEN_CLASSES:
        for (row, column), n in np.ndenumerate(counts):
            part = share[row, column]
            color = "white" if part > WHITE_TEXT_FROM else "black"
            ax.text(column, row, f"{n:,}\n{part:.1%}", ha="center", va="center", color=color)
    return figure


def _new_axes(
    title: str, xlabel: str, ylabel: str, size: tuple[float, float] = (6.4, 5.2)
) -> tuple[Any, Any]:
    figure = new_figure(size, dpi=120)
    ax = figure.add_subplot()
    entitle(ax, title)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.25)
    return figure, ax


def _mark(ax: Any, x: float, y: float, line: Any, *, written: bool) -> None:
    """Put a dot where the decision lies, with its coordinates where there is room for them."""
    ax.plot(x, y, "o", ms=8, color=line.get_color(), mec="black", zorder=3)
    if written:
        offset = {"xytext": (9, -4), "textcoords": "offset points"}
        ax.annotate(f"({x:.2f}, {y:.2f})", (x, y), fontsize="small", **offset)


def _explain(ax: Any, baseline: str, place: str) -> None:
    """Give both axes the whole range and say what lines and dots are."""
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
    ax.plot([], [], "o", color=GREY, mec="black", label="decision of the model")
    ax.plot([], [], color=GREY, ls=":", label=baseline)
    ax.legend(loc=place, fontsize="small", framealpha=0.9)
