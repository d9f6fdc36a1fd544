"""Whether labels that mean nothing are predicted better than chance."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from autoimb.arrays import IntArray
from autoimb.errors import DataError, one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Task
from autoimb.leaks.report import Check, shown
from autoimb.leaks.setup import SecondsLeft, Setup
from autoimb.leaks.strategies import oversampled
from autoimb.strategy.configuration import Configuration

__all__ = ["Bound", "bound_mean", "check_shuffled", "shuffle_labels"]

NAME = "shuffled_labels"
ADVICE = (
    "Repeat it with another seed, for luck alone does this once in 100 runs. If it fails again, do "
    "not trust the scores: labels reach predictions by another way than training rows."
)

N_SHUFFLES = 10
# With fewer the deviation of their mean is not known.
MIN_SHUFFLES = 3
# Where the time is scarce, more shuffles on fewer folds show more than few on all.
MIN_FOLDS = 2
# How often labels are shuffled anew where a class would lie in one group, or at too few times.
MAX_DEALS = 20
# Of all comparisons of the check together.
CONFIDENCE = 0.99
METRICS = {"roc_auc": "ROC AUC", "balanced_accuracy": "balanced accuracy"}
# Of means that are equal but for rounding.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Bound:
    """What some values show of their mean.

    Attributes
    ----------
    mean : float
    low : float
        That the expected value is not below, with the confidence asked for.
    """

    mean: float
    low: float


def bound_mean(values: Sequence[float], confidence: float) -> Bound:
    """Bound an expected value from below by Student's t.

    Parameters
    ----------
    values : sequence of float
        At least 2, independent of each other.
    confidence : float
        Of the one-sided interval.

    Returns
    -------
    Bound

    Examples
    --------
    >>> found = bound_mean([0.4, 0.5, 0.6], 0.99)
    >>> round(found.mean, 3), round(found.low, 3)
    (0.5, 0.098)
    """
    n, mean = len(values), float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(n)
    return Bound(mean, mean - float(stdtrit(n - 1, confidence)) * error)


def shuffle_labels(y: IntArray, units: IntArray, rng: np.random.Generator) -> IntArray:
    """Permute labels over units, so that rows that belong together keep one label.

    A model that has seen part of a unit could tell the rest by it, which is what is looked for.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    units : ndarray of shape (n_samples,)
        Number of the unit of each row. Rows of one with several labels are permuted one by one.
    rng : Generator

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> y, units = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 3])
    >>> shuffled = shuffle_labels(y, units, np.random.default_rng(0))
    >>> bool(shuffled[0] == shuffled[1]), bool(shuffled[2] == shuffled[3])
    (True, True)
    """
    _, unit = np.unique(units, return_inverse=True)
    low, high = np.full(unit.max() + 1, y.max()), np.zeros(unit.max() + 1, dtype=y.dtype)
    np.minimum.at(low, unit, y)
    np.maximum.at(high, unit, y)
    alone = unit.max() + 1 + np.arange(len(y))
    _, first, place = np.unique(
        np.where(low[unit] == high[unit], unit, alone), return_index=True, return_inverse=True
    )
    labels = y[first]
    if np.bincount(labels, minlength=y.max() + 1).min() < 2:
        # A class of one unit cannot be dealt into folds wherever its label goes.
        return rng.permutation(y)
    return np.asarray(rng.permutation(labels)[place])


def check_shuffled(setup: Setup, seconds_left: SecondsLeft) -> Check:
    """Evaluate strategies as a fit does on labels that were shuffled, again and again.

    Out of fold, such labels are predicted slightly worse than by chance: folds hold each class in
    equal shares, so that a class is rarer where it is trained on if it is more frequent where it
    is scored. The test is one-sided, which this cannot mislead.
    """
    rng = np.random.default_rng(setup.seed)
    strategies = [setup.space.untouched(), *oversampled(setup.space)[:1]]
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    failed: dict[str, str] = {}
    started, done, n_folds = time.monotonic(), 0, setup.level.n_folds
    while done < N_SHUFFLES:
        if done >= MIN_SHUFFLES and seconds_left() < (time.monotonic() - started) / done:
            break
        _evaluate(setup, strategies, n_folds, rng, values, failed)
        done += 1
        if done == 1:
            n_folds = _afford(n_folds, time.monotonic() - started, seconds_left())
    enough = {key: some for key, some in values.items() if len(some) >= MIN_SHUFFLES}
    return _conclude(setup, enough, failed, done)


def _afford(n_folds: int, seconds: float, seconds_left: float) -> int:
    """Tell on how many folds the further shuffles can be scored, by how long the first took."""
    share = max(seconds_left, 0.0) / (seconds * (N_SHUFFLES - 1))
    return min(n_folds, max(MIN_FOLDS, int(share * n_folds)))


def _evaluate(
    setup: Setup,
    strategies: Sequence[Configuration],
    n_folds: int,
    rng: np.random.Generator,
    values: dict[tuple[str, str], list[float]],
    failed: dict[str, str],
) -> None:
    """Deal and score the data with other labels."""
    dealt = _deal(setup, rng)
    if dealt is None:
        failed["labels as they fall"] = "they cannot be split as these data are"
        return
    evaluator, level = dealt
    level = replace(level, n_folds=min(n_folds, level.n_folds))
    for strategy in strategies:
        try:
            scores = evaluator.evaluate(Task(strategy, level)).scores
        except Exception as error:
            failed[str(strategy)] = one_line(error)
            continue
        for metric in METRICS:
            values[str(strategy), metric].append(scores[metric].value)


def _deal(setup: Setup, rng: np.random.Generator) -> tuple[Evaluator, Level] | None:
    """Shuffle labels until folds can be made of them: in groups and times not always."""
    dataset = setup.dataset
    for _ in range(MAX_DEALS):
        y = shuffle_labels(dataset.y, dataset.units, rng)
        with suppress(DataError):
            return setup.deal(replace(dataset, y=y))
    return None


def _conclude(
    setup: Setup, values: dict[tuple[str, str], list[float]], failed: dict[str, str], done: int
) -> Check:
    left_out = [f"{name} ({why})" for name, why in failed.items()]
    why = f" Not trained on all: {shown(left_out)}." if left_out else ""
    if not values:
        return Check(NAME, "skipped", f"No strategy could be trained on shuffled labels.{why}")
    chance = {"roc_auc": 0.5, "balanced_accuracy": 1 / setup.dataset.n_classes}
    confidence = 1 - (1 - CONFIDENCE) / len(values)
    bounds = {key: bound_mean(some, confidence) for key, some in values.items()}
    above = {key for key, found in bounds.items() if found.low > chance[key[1]] + TOLERANCE}
    told = "; ".join(
        f"{name} a mean {METRICS[metric]} of {found.mean:.3f} (interval from {found.low:.3f}; "
        f"chance {chance[metric]:.3g})"
        for (name, metric), found in bounds.items()
        if not above or (name, metric) in above
    )
    words = "better than chance" if above else "no better than chance"
    finding = (
        f"Labels shuffled {done} times are predicted {words}, at {CONFIDENCE:.0%} confidence: "
        f"{told}.{why}"
    )
    return Check(NAME, "failed", finding, ADVICE) if above else Check(NAME, "passed", finding)
