"""How often classes occur where they are predicted with a probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autoimb.arrays import BoolArray, FloatArray
from autoimb.decision.reliability import Reliability, measure_reliability
from autoimb.displays.predictions import OUT_OF_FOLD, Predictions, pick_classes
from autoimb.drawing import (
    COLORS,
    GREY,
    entitle,
    explain_below,
    measure_text,
    open_axes,
    readable,
)
from autoimb.errors import UsageError

__all__ = ["CalibrationDisplay", "Histogram"]

# Inches below the axes with the curves, where the histogram stands, and its height.
GAP, HEIGHT = 0.25, 0.95
N_BINS = 40
# Where no bin is predicted with more, everything would stand in a corner of linear axes.
LINEAR_FROM = 0.4
LEAST = 1e-4
# A longer legend has two columns, if these are no wider than so many times the font size.
MAX_IN_A_COLUMN, MAX_COLUMN = 4, 20.0


@dataclass(frozen=True)
class Histogram:
    """How probabilities of a class are spread, over its rows and over all others.

    Attributes
    ----------
    edges : ndarray of shape (n_bins + 1,)
    members, others : ndarray of shape (n_bins,)
        Shares of the rows of the class, and of the rest.
    """

    edges: FloatArray
    members: FloatArray
    others: FloatArray


@dataclass(repr=False, eq=False)
class CalibrationDisplay:
    """Predicted probabilities against the share of rows that are of the class.

    Attributes
    ----------
    reliability : mapping of str to Reliability
        By label: of the positive class of two, else of each class (the ten rarest). Its curve
        has ten bins of equal mass, each with the 95 % interval of a binomial share.
    histograms : mapping of str to Histogram
    scale : {"linear", "log"}
        Of both axes: logarithmic where all but a few probabilities are small.
    origin : str
        Where the rows come from, in words.
    size : (float, float)
        Width and height in inches, of a figure that has to be made.
    ax_ : matplotlib.axes.Axes
        Once it is plotted.
    histogram_ax_ : matplotlib.axes.Axes
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
    >>> p = np.repeat([0.2, 0.8], 100)
    >>> y = (np.arange(200) % 10 < 10 * p).astype(int)
    >>> rows = Scored(y, np.column_stack([1 - p, p]))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.5))
    >>> found = Predictions(rows, y, decision, Labels.of(list("ab")), "f1", calibrated=rows)
    >>> CalibrationDisplay.from_predictions(found).reliability["b"].found
    (0.2, 0.8)
    """

    reliability: Mapping[str, Reliability]
    histograms: Mapping[str, Histogram]
    scale: str = "linear"
    origin: str = OUT_OF_FOLD
    size: ClassVar[tuple[float, float]] = (6.4, 6.6)
    ax_: Any = field(init=False)
    histogram_ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    lines_: list[Any] = field(init=False)

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> CalibrationDisplay:
        """Measure how far probabilities mean what they say.

        Parameters
        ----------
        predictions : Predictions

        Returns
        -------
        CalibrationDisplay

        Raises
        ------
        UsageError
            If no rows are at hand that the calibrator was not fitted to.
        """
        rows = predictions.calibrated
        if rows is None:
            raise UsageError(
                "the calibrator was fitted to the out-of-fold predictions that a saved model "
                "holds, which flatter it. Give labelled rows, X and y, that it was not trained on."
            )
        each = {k: np.asarray(rows.y == k) for k in pick_classes(rows.y, rows.n_classes)}
        measured = {
            predictions.name_class(k): measure_reliability(own.astype(int), rows.proba[:, k])
            for k, own in each.items()
        }
        is_spread = any(max(one.predicted) >= LINEAR_FROM for one in measured.values())
        edges = np.linspace(0, 1, N_BINS + 1) if is_spread else np.geomspace(LEAST, 1, N_BINS + 1)
        histograms = {
            predictions.name_class(k): _spread(rows.proba[:, k], own, edges)
            for k, own in each.items()
        }
        scale = "linear" if is_spread else "log"
        return cls(measured, histograms, scale, predictions.origin)

    def plot(self, ax: Any = None) -> CalibrationDisplay:
        """Draw the curves, and below them how the probabilities are spread.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of another figure. The histogram stands below them.

        Returns
        -------
        CalibrationDisplay
            Itself, with what was drawn.
        """
        ax = open_axes(ax, self.size)
        self.ax_, self.figure_ = ax, ax.figure
        entitle(ax, f"Calibration, {self.origin}")
        self.lines_ = []
        for place, (name, one) in enumerate(self.reliability.items()):
            self._draw_curve(name, one, COLORS[place % len(COLORS)])
        ends = [self._least, 1.0]
        ax.plot(ends, ends, color=GREY, ls=":", lw=1.2, label="as predicted")
        ax.set(xscale=self.scale, yscale=self.scale, ylabel="share that occurs")
        ax.set(xlim=self._limits, ylim=self._limits)
        self._write_plain(ax.yaxis)
        ax.grid(alpha=0.25)
        self._draw_spread()
        return self

    @property
    def _least(self) -> float:
        return LEAST if self.scale == "log" else 0.0

    @property
    def _limits(self) -> tuple[float, float]:
        return (LEAST, 1.1) if self.scale == "log" else (-0.02, 1.02)

    def _write_plain(self, axis: Any) -> None:
        """Write probabilities as they are, not as powers."""
        from matplotlib.ticker import FuncFormatter

        if self.scale == "log":
            axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))

    def _draw_curve(self, name: str, one: Reliability, color: str) -> None:
        found = np.maximum(one.found, self._least)
        ends = np.maximum([one.low, one.high], self._least)
        drawn = self.ax_.errorbar(
            np.maximum(one.predicted, self._least), found, abs(ends - found), color=color,
            marker="o", ms=5, lw=1.5, elinewidth=1.2, capsize=3, clip_on=False,
            label=f"'{readable(name)}': ECE {one.ece:.3f}, Brier {one.brier:.3f}",
        )  # fmt: skip
        self.lines_.append(drawn[0])

    def _draw_spread(self) -> None:
        ax = _open_below(self.ax_)
        self.histogram_ax_ = ax
        is_alone = len(self.histograms) == 1
        for place, (name, one) in enumerate(self.histograms.items()):
            color = COLORS[place % len(COLORS)]
            label = f"rows of '{readable(name)}'" if is_alone else None
            filled = {"fill": True, "alpha": 0.45, "lw": 0} if is_alone else {"lw": 1.3}
            ax.stairs(one.members, one.edges, color=color, label=label, **filled)
            if is_alone:
                ax.stairs(one.others, one.edges, color="0.25", lw=1.2, label="all other rows")
        highest = max(max(one.members.max(), one.others.max()) for one in self.histograms.values())
        ax.set(xscale=self.scale, xlim=self._limits, ylim=(0, 1.08 * highest))
        ax.set(xlabel="predicted probability", ylabel="share of rows")
        self._write_plain(ax.xaxis)
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_.tick_params(labelbottom=False)
        handles = [h for one in (self.ax_, ax) for h in one.get_legend_handles_labels()[0]]
        widest = max(measure_text(str(handle.get_label())) for handle in handles)
        in_two = len(handles) > MAX_IN_A_COLUMN and widest <= MAX_COLUMN
        explain_below(ax, handles=handles, ncols=2 if in_two else 1)


def _open_below(ax: Any) -> Any:
    """Open axes below others, of a height that does not vary with theirs."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    figure = ax.get_figure()
    inches = figure.dpi_scale_trans + ScaledTranslation(0, 0, ax.transAxes)
    place = (0.0, -GAP - HEIGHT, 1.0, HEIGHT)
    return ax.inset_axes(place, transform=blended_transform_factory(ax.transAxes, inches))


def _spread(p: FloatArray, own: BoolArray, edges: FloatArray) -> Histogram:
    p = np.clip(p, edges[0], edges[-1])
    members, others = (np.histogram(p[rows], edges)[0] for rows in (own, ~own))
    return Histogram(edges, members / max(int(own.sum()), 1), others / max(int((~own).sum()), 1))
