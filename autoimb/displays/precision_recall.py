"""Precision against recall, with what the decision chose of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.rules import PASSED_ON
from autoimb.displays.predictions import OUT_OF_FOLD, Interval, Predictions, pick_classes
from autoimb.drawing import COLORS, GREY, entitle, explain_below, open_axes, readable
from autoimb.metrics import Counts, count

__all__ = ["PrecisionRecallCurve", "PrecisionRecallDisplay"]

# Of lines on which F1 is the same.
LEVELS_OF_F1 = (0.2, 0.4, 0.6, 0.8)
FAINT = "0.8"


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """The curve of one class against the rest, as scikit-learn computes it.

    Attributes
    ----------
    precision, recall : ndarray of shape (n_thresholds + 1,)
        The last is 1 and 0, of no threshold.
    thresholds : ndarray of shape (n_thresholds,)
        Rising.
    average_precision : float
    prevalence : float
        Share of the class: the precision of no skill.
    point : (float, float) or None
        Recall and precision of the decision; None where it chose no row for the class.
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray
    average_precision: float
    prevalence: float
    point: tuple[float, float] | None


@dataclass(repr=False, eq=False)
class PrecisionRecallDisplay:
    """Precision against recall at every threshold, and at the decision.

    Attributes
    ----------
    curves : mapping of str to PrecisionRecallCurve
        By label: of the positive class of two, else of each class (the ten rarest).
    decision : str
        The decision rule, in words.
    origin : str
        Where the rows come from, in words.
    estimates : mapping of str to Interval
        What average precision, precision and recall come to on rows to come, where that is known.
    size : (float, float)
        Width and height in inches, of a figure that has to be made.
    ax_ : matplotlib.axes.Axes
        Once it is plotted.
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
        A curve for each class.

    Examples
    --------
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.deciding import Decision
    >>> from autoimb.decision.rules import Threshold
    >>> from autoimb.decision.scored import Scored
    >>> p = np.array([0.1, 0.3, 0.6, 0.8])
    >>> rows = Scored(np.array([0, 1, 0, 1]), np.column_stack([1 - p, p]))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.2))
    >>> labels = Labels.of(list("abab"))
    >>> found = Predictions(rows, np.array([0, 1, 1, 1]), decision, labels, "f1")
    >>> curve = PrecisionRecallDisplay.from_predictions(found).curves["b"]
    >>> [round(rate, 2) for rate in curve.point]
    [1.0, 0.67]
    """

    curves: Mapping[str, PrecisionRecallCurve]
    decision: str
    origin: str = OUT_OF_FOLD
    estimates: Mapping[str, Interval] = field(default_factory=dict)
    size: ClassVar[tuple[float, float]] = (6.4, 6.0)
    ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    lines_: list[Any] = field(init=False)

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> PrecisionRecallDisplay:
        """Compute the curves.

        Parameters
        ----------
        predictions : Predictions

        Returns
        -------
        PrecisionRecallDisplay

        Raises
        ------
        DataError
            If all rows are of one of two classes.
        """
        predictions.require_every_class()
        counts, scored = _count(predictions), predictions.scored
        codes = pick_classes(scored.y, scored.n_classes)
        curves = {predictions.name_class(k): _trace(predictions, counts, k) for k in codes}
        rule = str(predictions.decision.rule)
        return cls(curves, rule, predictions.origin, predictions.estimates)

    def plot(self, ax: Any = None) -> PrecisionRecallDisplay:
        """Draw the curves, lines of equal F1, the prevalence and the decision.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of another figure.

        Returns
        -------
        PrecisionRecallDisplay
            Itself, with what was drawn.
        """
        ax = open_axes(ax, self.size)
        self.ax_, self.figure_ = ax, ax.figure
        entitle(ax, f"Precision and recall, {self.origin}")
        ax.set(xlabel="recall", ylabel="precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.06))
        _draw_equal_f1(ax)
        is_alone = len(self.curves) == 1
        self.lines_ = []
        for place, (name, curve) in enumerate(self.curves.items()):
            color = COLORS[place % len(COLORS)]
            label = self._describe(curve) if is_alone else f"'{readable(name)}': {_area(curve)}"
            self.lines_ += ax.plot(
                curve.recall, curve.precision, drawstyle="steps-post", color=color, label=label
            )
            ax.axhline(curve.prevalence, color=color, ls=":", lw=1.2)
            if curve.point is not None:
                ax.plot(*curve.point, "o", ms=9, color=color, mec="black", mew=1.2, zorder=4)
        self._explain(is_alone)
        return self

    def _describe(self, curve: PrecisionRecallCurve) -> str:
        known = self.estimates.get("average_precision")
        return _area(curve) + ("" if known is None else f"; on rows to come {_range(known)}")

    def _explain(self, is_alone: bool) -> None:
        """Say what dots and dotted lines are; of one class with their figures."""
        (curve, *_), ax = self.curves.values(), self.ax_
        point, line = f"decision ({readable(self.decision, 20.0)})", "prevalence: no skill"
        if is_alone and curve.point is not None:
            recall, precision = curve.point
            point += f": precision {precision:.3f}, recall {recall:.3f}"
            self._draw_range()
        if is_alone:
            (name,) = self.curves
            line = f"prevalence of '{readable(name)}', {curve.prevalence:.3g}: no skill"
        color = COLORS[0] if is_alone else GREY
        ax.plot([], [], "o", ms=9, color=color, mec="black", mew=1.2, label=point)
        ax.plot([], [], color=color, ls=":", lw=1.2, label=line)
        explain_below(ax)

    def _draw_range(self) -> None:
        """Draw where precision and recall of the decision lie on rows to come."""
        if not {"precision", "recall"} <= set(self.estimates):
            return
        precision, recall = self.estimates["precision"], self.estimates["recall"]
        self.ax_.errorbar(
            recall.value, precision.value, xerr=_bars(recall), yerr=_bars(precision), fmt="none",
            color="black", lw=1.2, capsize=3, zorder=3,
            label=f"95 % on rows to come: precision {_ends(precision)}, recall {_ends(recall)}",
        )  # fmt: skip


def _count(predictions: Predictions) -> Counts:
    """Count what was decided, of the rows that a class was decided for."""
    scored, decided = predictions.scored, predictions.codes != PASSED_ON
    weights = scored.row_weights
    return count(
        scored.y[decided], predictions.codes[decided], scored.n_classes,
        None if weights is None else weights[decided],
    )  # fmt: skip


def _trace(predictions: Predictions, counts: Counts, code: int) -> PrecisionRecallCurve:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    own, weights = predictions.members(code), predictions.scored.row_weights
    p = np.asarray(predictions.scored.proba[:, code], dtype=float)
    precision, recall, thresholds = precision_recall_curve(
        own, p, sample_weight=weights, drop_intermediate=True
    )
    point = None
    if counts.predicted[code] and counts.true[code]:
        hits = counts.correct[code]
        point = (float(hits / counts.true[code]), float(hits / counts.predicted[code]))
    area = float(average_precision_score(own, p, sample_weight=weights))
    prevalence = float(np.average(own, weights=weights))
    return PrecisionRecallCurve(precision, recall, thresholds, area, prevalence, point)


def _draw_equal_f1(ax: Any) -> None:
    for f1 in LEVELS_OF_F1:
        recall = np.linspace(f1 / (2 - f1), 1.0, 100)
        ax.plot(recall, f1 * recall / (2 * recall - f1), color=FAINT, lw=0.9, zorder=0)
        # At the upper end: few curves come near it.
        ax.annotate(
            f"F1 {f1:g}", (f1 / (2 - f1), 1.0), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize="x-small", color=GREY, zorder=0,
        )  # fmt: skip


def _area(curve: PrecisionRecallCurve) -> str:
    return f"average precision {curve.average_precision:.3f}"


def _range(one: Interval) -> str:
    return f"{one.value:.3f} (95 %: {_ends(one)})"


def _ends(one: Interval) -> str:
    return f"{one.low:.3f} to {one.high:.3f}"


def _bars(one: Interval) -> list[list[float]]:
    return [[one.value - one.low], [one.high - one.value]]
