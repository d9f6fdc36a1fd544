"""Pictures of a decision as files: its curves, its confusion matrix and its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.displays.calibration import CalibrationDisplay
from autoimb.displays.precision_recall import PrecisionRecallDisplay
from autoimb.displays.predictions import Predictions, pick_classes
from autoimb.drawing import GREY, entitle, new_figure, readable

__all__ = ["Drawable", "draw_figure", "draw_figures", "measure_figures"]

# Cells of a larger matrix are too small for their figures.
MAX_WRITTEN_CLASSES = 12
# In units of the font size.
MAX_DECISION = 30.0
CHARACTERS_AN_INCH = 6
WHITE_TEXT_FROM = 0.55


class Drawable(Protocol):
    """What a picture shows: a dataclass that holds all that is drawn."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""

    def plot(self, ax: Any) -> Any:
        """Draw it on axes."""


@dataclass(frozen=True)
class RocCurve:
    """The curve of one class against the rest, as scikit-learn computes it.

    Attributes
    ----------
    fall_out, recall, thresholds : ndarray of shape (n_thresholds,)
        Of false positives and true ones the rates, at falling thresholds.
    area : float
    point : (float, float)
        Fall-out and recall of the decision.
    """

    fall_out: FloatArray
    recall: FloatArray
    thresholds: FloatArray
    area: float
    point: tuple[float, float]


@dataclass(frozen=True)
class Roc:
    """Receiver operating characteristics.

    Attributes
    ----------
    curves : mapping of str to RocCurve
        By label.
    are_two : bool
        Whether the classes are two.
    """

    curves: Mapping[str, RocCurve]
    are_two: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 6.4, 5.2

    def plot(self, ax: Any) -> None:
        """Draw the curves, and dots where the decision lies."""
        _open(
            ax, "Receiver operating characteristic, out of fold", "false positive rate",
            "true positive rate (recall)",
        )  # fmt: skip
        for name, curve in self.curves.items():
            label = f"'{readable(name)}' (area {curve.area:.3f})"
            (line,) = ax.plot(curve.fall_out, curve.recall, label=label)
            _mark(ax, *curve.point, line, written=self.are_two)
        ax.plot([0, 1], [0, 1], color=GREY, ls=":", lw=1)
        _explain(ax, "no skill", "lower right")


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often each class was taken for each.

    Attributes
    ----------
    classes : tuple of str
    counts : ndarray of shape (n_classes, n_classes)
        Rows true, columns predicted; without rows that no class was decided for.
    decision : str
        The decision rule, in words.
    """

    classes: tuple[str, ...]
    counts: IntArray
    decision: str

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        side = min(3.4 + 0.75 * len(self.classes), 12.0)
        return side + 0.8, side

    def plot(self, ax: Any) -> None:
        """Draw a cell for each pair, its colour the share of the true class."""
        names = [readable(name) for name in self.classes]
        share = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        title = f"Confusion matrix, out of fold, {readable(self.decision, MAX_DECISION)}"
        _open(ax, title, "predicted class", "true class")
        image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        is_wide = sum(map(len, names)) > CHARACTERS_AN_INCH * self.size[1]
        ax.set_xticks(range(len(names)), names, rotation=60 if is_wide else 0)
        ax.set_yticks(range(len(names)), names)
        ax.grid(False)
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, label="share of the true class")
        bar.outline.set_visible(False)
        if len(names) <= MAX_WRITTEN_CLASSES:
            for (row, column), n in np.ndenumerate(self.counts):
                part = share[row, column]
                color = "white" if part > WHITE_TEXT_FROM else "black"
                ax.text(column, row, f"{n:,}\n{part:.1%}", ha="center", va="center", color=color)


def measure_figures(predictions: Predictions) -> dict[str, Drawable]:
    """Compute precision-recall and ROC curves, the confusion matrix and, if known, the calibration.

    Of two classes the curves are those of the positive one (code 1), of more those of each
    class against the rest.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    dict of str to Drawable
        By file name without extension.
    """
    figures: dict[str, Drawable] = {
        "precision_recall": PrecisionRecallDisplay.from_predictions(predictions),
        "roc": _measure_roc(predictions),
        "confusion_matrix": _count_pairs(predictions),
    }
    if predictions.calibrated is not None:
        figures["calibration"] = CalibrationDisplay.from_predictions(predictions)
    return figures


def draw_figure(measured: Drawable) -> Any:
    """Draw a figure.

    Parameters
    ----------
    measured : Drawable

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(measured.size, dpi=120)
    measured.plot(figure.add_subplot())
    return figure


def draw_figures(predictions: Predictions) -> dict[str, Any]:
    """Draw what `measure_figures` computes. Dots mark what the decision chose.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    dict of str to matplotlib.figure.Figure
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
    return {name: draw_figure(one) for name, one in measure_figures(predictions).items()}


def _measure_roc(predictions: Predictions) -> Roc:
    from sklearn.metrics import roc_auc_score, roc_curve

    scored, curves = predictions.scored, {}
    for k in pick_classes(scored.y, scored.n_classes):
        own, p = predictions.members(k), scored.proba[:, k]
        chosen = np.asarray(predictions.codes == k)
        point = float(chosen[~own].mean()), float(chosen[own].mean())
        fall_out, recall, thresholds = roc_curve(own, p)
        area = float(roc_auc_score(own, p))
        curves[predictions.name_class(k)] = RocCurve(fall_out, recall, thresholds, area, point)
    return Roc(curves, predictions.is_binary)


def _count_pairs(predictions: Predictions) -> ConfusionMatrix:
    y, decided = predictions.scored.y, predictions.codes
    classes = tuple(map(str, predictions.labels.by_code))
    n, clear = len(classes), decided >= 0  # the others were passed on
    counts = np.bincount((y * n + decided)[clear], minlength=n**2).reshape(n, n)
    return ConfusionMatrix(classes, counts, str(predictions.decision.rule))


def _open(ax: Any, title: str, xlabel: str, ylabel: str) -> None:
    entitle(ax, title)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.25)


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
