"""What every strategy gains over doing nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.drawing import GREY, entitle, explain_below, open_axes, readable

__all__ = ["StrategiesDisplay"]

WIDTH, HEIGHT_OF_ONE, HEIGHT_BESIDE = 8.0, 0.36, 1.9
# In units of the font size.
MAX_NAME = 24.0
MAX_TICKS = 6
BETTER, WORSE, UNDECIDED = "#009E73", "#D55E00", "0.45"


@dataclass(repr=False, eq=False)
class StrategiesDisplay:
    """What strategies gain over doing nothing, with intervals that hold for all at once.

    Attributes
    ----------
    names : tuple of str
        Best first.
    gain, low, high : ndarray of shape (n_strategies,)
        Difference to doing nothing and its 95 % interval, above 0 where the strategy is better,
        whatever the metric.
    score : ndarray of shape (n_strategies,)
        On the same rows; of a searched strategy less what luck added to it.
    metric : str
    reference : str
        What the others are compared with, which gains 0.
    exported : str or None
        Name of the strategy that the model is; None if it is not among them.
    p_better : ndarray of shape (n_strategies,)
        Share of the resamples in which it is ahead, 0.5 of the reference; empty if not known.
    ax_ : matplotlib.axes.Axes
        Once it is plotted.
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> display = StrategiesDisplay(
    ...     ("SMOTE 1:1", "do nothing"), np.array([0.03, 0.0]), np.array([-0.01, 0.0]),
    ...     np.array([0.07, 0.0]), np.array([0.63, 0.6]), "f1", "do nothing",
    ... )
    >>> display.verdicts
    ('undecided', 'reference')
    """

    names: tuple[str, ...]
    gain: FloatArray
    low: FloatArray
    high: FloatArray
    score: FloatArray
    metric: str
    reference: str
    exported: str | None = None
    p_better: FloatArray = field(default_factory=lambda: np.zeros(0))
    ax_: Any = field(init=False)
    figure_: Any = field(init=False)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Say of each strategy whether it is better, worse, undecided, or the reference."""
        each = zip(self.names, self.low, self.high, strict=True)
        return tuple(
            "reference" if name == self.reference
            else "better" if low > 0 else "worse" if high < 0 else "undecided"
            for name, low, high in each
        )  # fmt: skip

    def plot(self, ax: Any = None) -> StrategiesDisplay:
        """Draw an interval for every strategy, the best on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of another figure.

        Returns
        -------
        StrategiesDisplay
            Itself, with what was drawn.
        """
        n = len(self.names)
        ax = open_axes(ax, (WIDTH, HEIGHT_BESIDE + HEIGHT_OF_ONE * n))
        from matplotlib.ticker import MaxNLocator

        self.ax_, self.figure_ = ax, ax.figure
        metric = self.metric.replace("_", " ")
        entitle(ax, "Gain over doing nothing")
        ax.axvline(0, color=GREY, lw=1.2, zorder=1)
        for place in range(n):
            self._draw(place)
        ax.set_yticks(range(n), [readable(name, MAX_NAME) for name in self.names])
        ax.set(ylim=(n - 0.4, -0.6), xlabel=f"{metric}, 95 % interval; better to the right")
        ax.xaxis.set_major_locator(MaxNLocator(MAX_TICKS))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", alpha=0.25)
        ax.set_axisbelow(True)
        self._write_scores()
        self._explain()
        return self

    def _draw(self, place: int) -> None:
        verdict, name = self.verdicts[place], self.names[place]
        color = {"better": BETTER, "worse": WORSE}.get(verdict, UNDECIDED)
        bars = [[self.gain[place] - self.low[place]], [self.high[place] - self.gain[place]]]
        is_exported = name == self.exported
        self.ax_.errorbar(
            self.gain[place], place, xerr=bars if verdict != "reference" else None,
            fmt="D" if is_exported else "o", ms=9 if is_exported else 6, color=color,
            mfc="white" if verdict == "reference" else color,
            mec="black" if is_exported else color, capsize=3, lw=1.8, zorder=3,
        )  # fmt: skip

    def _write_scores(self) -> None:
        """Write each score at the right, and embolden what is exported."""
        ax = self.ax_
        for place, (name, score) in enumerate(zip(self.names, self.score, strict=True)):
            weight = "bold" if name == self.exported else "normal"
            ax.get_yticklabels()[place].set_fontweight(weight)
            ax.annotate(
                f"{score:.3f}", (1, place), xycoords=ax.get_yaxis_transform(), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize="small", fontweight=weight,
                annotation_clip=False,
            )  # fmt: skip
        ax.annotate(
            "score", (1, 1), xycoords="axes fraction", xytext=(6, 3), textcoords="offset points",
            fontsize="small", color=GREY, annotation_clip=False,
        )  # fmt: skip

    def _explain(self) -> None:
        from matplotlib.lines import Line2D

        words = {
            "better": (BETTER, "better than doing nothing beyond doubt"),
            "undecided": (UNDECIDED, "cannot be told from doing nothing"),
            "worse": (WORSE, "worse beyond doubt"),
        }
        handles = [
            Line2D([], [], color=color, marker="o", lw=1.8, label=label)
            for verdict, (color, label) in words.items()
            if verdict in self.verdicts
        ]
        if self.exported is not None:
            handles.append(
                Line2D([], [], label="exported", marker="D", ms=8, mfc="white", mec="black", ls="")
            )
        explain_below(self.ax_, handles=handles)
