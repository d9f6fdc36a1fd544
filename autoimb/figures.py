"""Curves and confusion matrix of a decision, drawn without matplotlib's global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.reliability import Reliability
from autoimb.drawing import entitle, new_figure, readable

__all__ = ["draw_calibration", "draw_figures"]

# More curves than this in one picture cannot be told apart; the rarest classes are drawn.
MAX_CURVES = 10
# Cells of a larger matrix are too small for their figures.
MAX_WRITTEN_CLASSES = 12
# In units of the font size.
MAX_DECISION = 30.0
CHARACTERS_AN_INCH = 6
GREY = "0.55"
WHITE_TEXT_FROM = 0.55


def draw_figures(
    y: IntArray,
    proba: FloatArray,
    decided: IntArray,
    names: Sequence[Any],
    decision: str,
) -> Mapping[str, Any]:
    """Draw precision-recall and ROC curves and the confusion matrix.

    Of two classes the curves are those of the positive one (code 1), of more those of each
    class against the rest. Dots mark what the decision chose.

    Parameters
    ----------
    y, decided : ndarray of shape (n_samples,)
        True and decided class codes.
    proba : ndarray of shape (n_samples, n_classes)
    names : sequence
        Label of each code.
    decision : str
        The rule, in words.

    Returns
    -------
    mapping of str to matplotlib.figure.Figure
        By file name without extension.

    Examples
    --------
    >>> y, p = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.6, 0.7])
    >>> decided = (p >= 0.5).astype(int)
    >>> figures = draw_figures(y, np.column_stack([1 - p, p]), decided, ["no", "yes"], "0.5")
    >>> list(figures)
    ['precision_recall', 'roc', 'confusion_matrix']
    """
    shown = [readable(name) for name in names]
    return {
        "precision_recall": _draw_precision_recall(y, proba, decided, shown),
        "roc": _draw_roc(y, proba, decided, shown),
        "confusion_matrix": _draw_confusion(y, decided, shown, decision),
    }


def _draw_precision_recall(
    y: IntArray, proba: FloatArray, decided: IntArray, names: Sequence[str]
) -> Any:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure, ax = _new_axes("Precision and recall, out of fold", "recall", "precision")
    for k in _classes_to_draw(y, len(names)):
        own = np.asarray(y == k)
        precision, recall, _ = precision_recall_curve(own, proba[:, k], drop_intermediate=True)
        area = average_precision_score(own, proba[:, k])
        label = f"'{names[k]}' (average precision {area:.3f})"
        (line,) = ax.plot(recall, precision, drawstyle="steps-post", label=label)
        prevalence = own.mean()
        ax.axhline(prevalence, color=line.get_color(), ls=":", lw=1, alpha=0.8)
        hits, chosen = (own & (decided == k)).sum(), (decided == k).sum()
        if chosen:
            _mark(ax, hits / own.sum(), hits / chosen, line, written=len(names) == 2)
    _explain(ax, "prevalence: no skill", "best")
    return figure


def _draw_roc(y: IntArray, proba: FloatArray, decided: IntArray, names: Sequence[str]) -> Any:
    from sklearn.metrics import roc_auc_score, roc_curve

    title = "Receiver operating characteristic, out of fold"
    figure, ax = _new_axes(title, "false positive rate", "true positive rate (recall)")
    for k in _classes_to_draw(y, len(names)):
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


def draw_calibration(calibration: Mapping[str, Reliability]) -> Any:
    """Draw how often classes occur where they are predicted with a probability.

    Parameters
    ----------
    calibration : mapping of str to Reliability
        By label; of more than can be told apart the rarest are drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> from autoimb.decision.reliability import measure_reliability
    >>> found = measure_reliability(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.6, 0.9]))
    >>> draw_calibration({"yes": found}).axes[0].get_xlabel()
    'predicted probability'
    """
    title = "Calibration, out of fold"
    figure, ax = _new_axes(title, "predicted probability", "share that occurs")
    rarest = sorted(calibration.items(), key=lambda item: item[1].prevalence)[:MAX_CURVES]
    for name, one in rarest:
        found, predicted = np.array(one.found), np.array(one.predicted)
        bars = np.abs(np.array([one.low, one.high]) - found)
        label = f"'{readable(name)}' (log loss {one.log_loss:.3f}, ECE {one.ece:.3f})"
        ax.errorbar(predicted, found, bars, marker="o", ms=4, lw=1.5, capsize=2, label=label)
    highest = max(max(*one.predicted, *one.high) for _, one in rarest)
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1, label="as predicted")
    ax.set(xlim=(-0.02 * highest, 1.02 * highest), ylim=(-0.02 * highest, 1.05 * highest))
    ax.legend(loc="best", fontsize="small", framealpha=0.9)
    return figure


def _classes_to_draw(y: IntArray, n_classes: int) -> list[int]:
    """Name the positive class of two, else the rarest ones that occur."""
    if n_classes == 2:
        return [1]
    sizes = np.bincount(y, minlength=n_classes)
    rarest = [int(k) for k in np.argsort(sizes, kind="stable") if sizes[k]]
    return sorted(rarest[:MAX_CURVES])


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
