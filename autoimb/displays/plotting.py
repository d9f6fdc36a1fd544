"""The methods that draw, of whatever has predictions to show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from autoimb.displays.calibration import CalibrationDisplay
from autoimb.displays.precision_recall import PrecisionRecallDisplay
from autoimb.displays.predictions import Predictions
from autoimb.displays.strategies import StrategiesDisplay
from autoimb.displays.threshold import ThresholdDisplay
from autoimb.errors import UsageError

__all__ = ["Plotting"]


class Plotting(ABC):
    """Draws predictions: those for rows that are given, else the out-of-fold ones."""

    @abstractmethod
    def predictions(self, X: Any = None, y: Any = None) -> Predictions:
        """Give the out-of-fold predictions, or those for labelled rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_samples, n_features), optional
        y : array-like of shape (n_samples,), optional
            Given with `X`.

        Returns
        -------
        Predictions

        Raises
        ------
        UsageError
            If only one of `X` and `y` is given, or neither, and no predictions are stored.
        DataError
            If `y` does not belong to `X`, or holds a class that training never saw.
        """

    def strategies(self) -> StrategiesDisplay:
        """Give what strategies gain over doing nothing.

        Returns
        -------
        StrategiesDisplay

        Raises
        ------
        UsageError
            If none were compared, as a saved model holds only its own.
        """
        raise UsageError(
            "a saved model holds no strategy but its own. plot_strategies belongs to the "
            "AutoImbClassifier that was fitted, and to the result of a run."
        )

    def plot_threshold(self, X: Any = None, y: Any = None, *, ax: Any = None) -> ThresholdDisplay:
        """Draw metric, precision and recall against the threshold, and which one was chosen.

        Beside it stand its bootstrap interval, the range in which hardly anything is lost, and
        what 0.5 would give.

        Parameters
        ----------
        X, y
            As in `predictions`.
        ax : matplotlib.axes.Axes, optional
            By default those of another figure.

        Returns
        -------
        ThresholdDisplay
            With the figures behind the picture, `ax_` and `figure_`.

        Raises
        ------
        UsageError
            If the decision is no single threshold, as with several classes.

        Examples
        --------
        >>> from sklearn.datasets import make_classification
        >>> from autoimb import AutoImbClassifier
        >>> X, y = make_classification(200, weights=[0.8], random_state=0)
        >>> search = AutoImbClassifier(
        ...     metric="f1", time_budget=None, n_trials=1, executor="in_process",
        ...     tracking_uri="off", random_state=0,
        ... ).fit(X, y)
        >>> display = search.plot_threshold()
        >>> display.threshold == search.model_.rule.value
        True
        >>> display.figure_.savefig("threshold.png")  # doctest: +SKIP
        """
        return ThresholdDisplay.from_predictions(self.predictions(X, y)).plot(ax)

    def plot_pr(self, X: Any = None, y: Any = None, *, ax: Any = None) -> PrecisionRecallDisplay:
        """Draw precision against recall, with lines of equal F1, the prevalence and the decision.

        Parameters
        ----------
        X, y, ax
            As in `plot_threshold`.

        Returns
        -------
        PrecisionRecallDisplay
        """
        return PrecisionRecallDisplay.from_predictions(self.predictions(X, y)).plot(ax)

    def plot_calibration(
        self, X: Any = None, y: Any = None, *, ax: Any = None
    ) -> CalibrationDisplay:
        """Draw how often a class occurs where it is predicted with a probability.

        Out of fold, each fold is calibrated by the others. A saved model does not hold those
        predictions: it needs `X` and `y`.

        Parameters
        ----------
        X, y, ax
            As in `plot_threshold`.

        Returns
        -------
        CalibrationDisplay
        """
        return CalibrationDisplay.from_predictions(self.predictions(X, y)).plot(ax)

    def plot_strategies(self, *, ax: Any = None) -> StrategiesDisplay:
        """Draw what strategies gain over doing nothing, with 95 % intervals, the best on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of another figure.

        Returns
        -------
        StrategiesDisplay

        Raises
        ------
        UsageError
            If none could be compared with doing nothing.
        """
        return self.strategies().plot(ax)
