"""What every threshold would give, and the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.bagging import thin_out
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, as_one
from autoimb.decision.floors import Floor, rate
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.displays.predictions import OUT_OF_FOLD, Interval, Predictions
from autoimb.drawing import COLORS, GREY, entitle, explain_below, open_axes, readable
from autoimb.errors import UsageError
from autoimb.metrics import Counts, count, get_metric

__all__ = ["ThresholdDisplay"]

USUAL = 0.5
COST = "cost of a row"
# Below it a linear axis would squeeze what matters into its left end.
LINEAR_FROM = 0.1
RATE_COLORS = {"precision": COLORS[2], "recall": COLORS[1], "specificity": COLORS[3]}
OWN_COLOR, COST_COLOR = COLORS[0], COLORS[9]
# Dear thresholds would flatten the rest of the curve.
TIMES_THE_CHOSEN = 4.0


@dataclass(repr=False, eq=False)
class ThresholdDisplay:
    """A metric, precision and recall at every threshold, and what was chosen of them.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Rising: the probabilities that occur (of very many a thousand, and those near the chosen
        one). A row is positive from the threshold on.
    curves : mapping of str to ndarray of shape (n_thresholds,)
        By name: what the decision serves comes first, then what else was searched for, and
        precision and recall.
    threshold : float
        The chosen one.
    chosen, usual : mapping of str to float
        Of each curve, its value at the chosen threshold, and at 0.5.
    positive : str
        Label of the class that is decided for from the threshold on.
    interval : (float, float) or None
        In which 95 % of bootstrap resamples put the threshold; None if it was not tuned.
    flat : (float, float) or None
        From where to where no more than 1 % of the best value is lost.
    promise : (str, float) or None
        The rate that was promised, and its floor.
    estimate : Interval or None
        What the first curve comes to on rows to come, decided by what other rows chose.
    origin : str
        Where the rows come from, in words.
    size : (float, float)
        Width and height in inches, of a figure that has to be made.
    ax_ : matplotlib.axes.Axes
        Once it is plotted.
    cost_ax_ : matplotlib.axes.Axes or None
        With the scale of costs, if the decision serves them.
    figure_ : matplotlib.figure.Figure
    lines_ : dict of str to matplotlib.lines.Line2D
        By the names of `curves`.

    Examples
    --------
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.deciding import decide
    >>> p = np.linspace(0.01, 0.99, 99)
    >>> y = (np.arange(99) % 10 < 10 * p).astype(int)
    >>> rows = Scored(y, np.column_stack([1 - p, p]))
    >>> decision = decide(BestMetric("f1"), rows)
    >>> codes = decision.rule.decide(rows.proba)
    >>> found = Predictions(rows, codes, decision, Labels.of(["no", "no", "yes"]), "f1")
    >>> display = ThresholdDisplay.from_predictions(found)
    >>> list(display.curves), display.chosen["f1"] >= display.usual["f1"]
    (['f1', 'precision', 'recall'], True)
    """

    thresholds: FloatArray
    curves: Mapping[str, FloatArray]
    threshold: float
    chosen: Mapping[str, float]
    usual: Mapping[str, float]
    positive: str
    interval: tuple[float, float] | None = None
    flat: tuple[float, float] | None = None
    promise: tuple[str, float] | None = None
    estimate: Interval | None = None
    origin: str = OUT_OF_FOLD
    size: ClassVar[tuple[float, float]] = (7.4, 6.0)
    ax_: Any = field(init=False)
    cost_ax_: Any = field(init=False)
    figure_: Any = field(init=False)
    lines_: dict[str, Any] = field(init=False)

    @classmethod
    def from_predictions(cls, predictions: Predictions) -> ThresholdDisplay:
        """Compute what every threshold gives.

        Parameters
        ----------
        predictions : Predictions

        Returns
        -------
        ThresholdDisplay

        Raises
        ------
        UsageError
            If the decision is no single threshold on a probability.
        DataError
            If all rows are of one class.
        """
        threshold = _threshold_of(predictions)
        predictions.require_every_class()
        scored, decision = predictions.scored, predictions.decision
        thresholds, counts = _sweep(scored, threshold)
        curves = _measure(predictions, counts)
        first = next(iter(curves))
        stable, criterion = decision.stability, decision.criterion
        promise = (criterion.measure, criterion.value) if isinstance(criterion, Floor) else None
        return cls(
            thresholds=thresholds,
            curves=curves,
            threshold=threshold,
            chosen=_measure_at(predictions, threshold),
            usual=_measure_at(predictions, USUAL),
            positive=predictions.name_class(1),
            interval=None if stable is None else stable.intervals[0],
            flat=None if stable is None else stable.flat,
            promise=promise,
            estimate=predictions.estimates.get("cost" if first == COST else first),
            origin=predictions.origin,
        )

    def plot(self, ax: Any = None) -> ThresholdDisplay:
        """Draw the curves, the chosen threshold with its ranges, and that of 0.5.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of another figure.

        Returns
        -------
        ThresholdDisplay
            Itself, with what was drawn.
        """
        ax = open_axes(ax, self.size)
        self.ax_, self.figure_, self.cost_ax_ = ax, ax.figure, None
        entitle(ax, f"Threshold for '{readable(self.positive)}', {self.origin}")
        low = self._scale()
        self.lines_ = {name: self._draw(name, low) for name in self.curves}
        self._draw_ranges()
        self._mark(self.threshold, self.chosen, "chosen", "-", "black")
        if self.threshold != USUAL:
            self._mark(USUAL, self.usual, "without tuning", ":", GREY)
        self._draw_estimate()
        self._explain()
        return self

    def _explain(self) -> None:
        """Put both scales into one legend, the curves first."""
        lines = list(self.lines_.values())
        both = [one for one in (self.ax_, self.cost_ax_) if one is not None]
        handles = [one for ax in both for one in ax.get_legend_handles_labels()[0]]
        explain_below(self.ax_, handles=[*lines, *(one for one in handles if one not in lines)])

    def _scale(self) -> float:
        """Choose the scales; return the left end."""
        from matplotlib.ticker import FuncFormatter

        ax, scores = self.ax_, [values for name, values in self.curves.items() if name != COST]
        lowest = np.nanmin(np.concatenate([[0.0], *scores]))
        ax.set(xlabel=f"threshold on the probability of '{readable(self.positive)}'",
               ylabel="score", ylim=(lowest - 0.02, 1.03))  # fmt: skip
        ax.grid(alpha=0.25)
        if self.threshold >= LINEAR_FROM:
            ax.set_xlim(0, 1)
            return 0.0
        known = [self.threshold, *(self.interval or ()), *(self.flat or ())]
        low = max(min(one for one in known if one > 0) / 3, 1e-6)
        ax.set(xscale="log", xlim=(low, 1))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        return float(low)

    def _axes_of(self, name: str) -> Any:
        """Return the axes of a curve; costs have a scale of their own, on the right."""
        if name != COST:
            return self.ax_
        if self.cost_ax_ is None:
            values = self.curves[name]
            dear = TIMES_THE_CHOSEN * max(self.chosen[name], self.usual[name])
            self.cost_ax_ = self.ax_.twinx()
            self.cost_ax_.set(ylabel=COST, ylim=(0, 1.05 * min(dear or 1.0, values.max())))
            self.cost_ax_.spines["top"].set_visible(False)
        return self.cost_ax_

    def _draw(self, name: str, low: float) -> Any:
        is_first = name == next(iter(self.curves))
        # Below the lowest probability every row is positive.
        x, y = np.append(low, self.thresholds), self.curves[name]
        (line,) = self._axes_of(name).plot(
            x, np.append(y[0], y), drawstyle="steps-pre", color=_color(name), label=_spell(name),
            lw=2.2 if is_first else 1.3,
        )  # fmt: skip
        return line

    def _draw_ranges(self) -> None:
        ax = self.ax_
        if self.interval is not None:
            low, high = self.interval
            label = f"threshold in 95 % of resamples: {low:.3g} to {high:.3g}"
            ax.axvspan(low, high, color=OWN_COLOR, alpha=0.13, lw=0, label=label)
        if self.flat is not None:
            low, high = self.flat
            label = f"at most 1 % is lost: {low:.3g} to {high:.3g}"
            ax.axvspan(low, high, 0, 0.03, color=COLORS[4], alpha=0.9, lw=0, label=label)
        if self.promise is not None:
            name, floor = self.promise
            label = f"promised: a {name} of {floor:g}"
            ax.axhline(floor, color=_color(name), ls="--", lw=1.2, label=label)

    def _mark(
        self, threshold: float, values: Mapping[str, float], what: str, dashes: str, color: str
    ) -> None:
        each = ", ".join(f"{_spell(name)} {value:.3f}" for name, value in values.items())
        label = f"{what}, {threshold:.3g}: {each}"
        self.ax_.axvline(threshold, color=color, ls=dashes, lw=1.3, label=label)
        for name, value in values.items():
            face = _color(name) if dashes == "-" else "white"
            self._axes_of(name).plot(
                threshold, value, "o", ms=6, mfc=face, mec=_color(name), mew=1.4, zorder=4
            )

    def _draw_estimate(self) -> None:
        """Draw what is to be expected where the threshold is not tuned on the rows themselves."""
        one = self.estimate
        if one is None:
            return
        name = next(iter(self.curves))
        self._axes_of(name).errorbar(
            self.threshold, one.value, [[one.value - one.low], [one.high - one.value]], fmt="D",
            ms=6, mfc="white", color=_color(name), capsize=4, lw=1.6, zorder=5,
            label=f"{_spell(name)} on rows to come: {one.value:.3f} "
            f"(95 %: {one.low:.3f} to {one.high:.3f})",
        )  # fmt: skip


def _threshold_of(predictions: Predictions) -> float:
    rule = predictions.decision.rule
    if not predictions.is_binary:
        raise UsageError(
            f"a threshold belongs to two classes, but the target has "
            f"{len(predictions.labels.classes)}. plot_pr shows the decision for each class."
        )
    if not isinstance(rule, Threshold):
        raise UsageError(
            f"the decision is no single threshold on the probability, but '{rule}'. plot_pr shows "
            "where it lies."
        )
    return rule.value


def _sweep(scored: Scored, around: float) -> tuple[FloatArray, Counts]:
    """Count what each probability that occurs would give as a threshold, rising."""
    p = np.asarray(scored.proba[:, 1], dtype=float)
    falling, found = np.unique(p)[::-1], sweep_thresholds(scored.y, p).counts
    kept = np.flatnonzero(np.isin(falling, thin_out(falling, around)))[::-1]
    places = kept + 1  # the first stands above every probability
    counts = Counts(found.true[places], found.predicted[places], found.correct[places])
    weights = scored.class_weights
    if weights is not None:
        true, correct = counts.true * weights, counts.correct * weights
        counts = Counts(true, correct + (true - correct)[:, ::-1], correct)
    return falling[kept], counts


def _measure(predictions: Predictions, counts: Counts) -> dict[str, FloatArray]:
    """Compute every curve; what the decision serves comes first."""
    criterion = predictions.decision.criterion
    metric = get_metric(criterion.name if isinstance(criterion, BestMetric) else predictions.metric)
    # A ranking or a loss has no decision of its own: F1's serves those who then need labels.
    name = metric.name if metric.needs_decision or metric.floor is not None else "f1"
    own = metric.of_counts(counts)
    # Below its floor such a metric tells how far it is away.
    own = own if metric.floor is None else np.where(own < 0, np.nan, own)
    rates = ["precision", "recall"]
    cost = {COST: _mean_cost(criterion, counts)} if isinstance(criterion, Costs) else {}
    if isinstance(criterion, Floor):
        rates = list(dict.fromkeys([criterion.wanted, criterion.measure, *rates]))
        return {**{each: rate(counts, each) for each in rates}, name: own}
    return {**cost, name: own, **{each: rate(counts, each) for each in rates}}


def _mean_cost(criterion: Costs, counts: Counts) -> FloatArray:
    faultless = counts.true @ np.array([criterion.tn, criterion.tp])
    return np.asarray((faultless - criterion.values(counts)) / counts.true.sum(axis=-1))


def _measure_at(predictions: Predictions, threshold: float) -> dict[str, float]:
    scored = predictions.scored
    codes = Threshold(threshold).decide(scored.proba)
    counts = as_one(count(scored.y, codes, 2, scored.row_weights))
    return {name: float(values[0]) for name, values in _measure(predictions, counts).items()}


def _color(name: str) -> str:
    return COST_COLOR if name == COST else RATE_COLORS.get(name, OWN_COLOR)


def _spell(name: str) -> str:
    return name.replace("_", " ")
