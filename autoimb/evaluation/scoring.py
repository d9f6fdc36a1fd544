"""Scores of out-of-fold probabilities, with decisions tuned on the other folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import get_args

import numpy as np

from autoimb.arrays import AnyArray, BoolArray, FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibrators import Calibrator, choose_calibrator
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.floors import Measure, rate
from autoimb.decision.rules import PASSED_ON, DecisionRule, TopRows, argmax_rule
from autoimb.decision.scored import Scored
from autoimb.metrics import Counts, Metric, count, get_metric, stack_counts

__all__ = [
    "QUICK", "REPORTED", "CrossFitted", "Score", "average_scores", "calibrate_folds", "cross_fit",
    "score_out_of_fold", "selection_value",
]  # fmt: skip

# Choosing among all calibrators takes as long as some models do: for every trial one will do.
QUICK = ("platt",)
# Rows of a class, of several, from which it is told whether it is predicted too often.
MIN_ROWS = 50

# What every trial reports, beside the metric that is searched.
REPORTED = (
    "average_precision", "roc_auc", "f1", "balanced_accuracy", "g_mean", "mcc", "brier", "log_loss",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """One metric of one configuration.

    Attributes
    ----------
    value : float
        Over all rows at once; this is what is searched and ranked.
    mean, spread : float
        Mean and standard deviation over the folds, each scored alone.
    """

    value: float
    mean: float
    spread: float

    def __str__(self) -> str:
        """Show value and spread."""
        return f"{self.value:.3f} ± {self.spread:.3f}"


@dataclass(frozen=True)
class CrossFitted:
    """What the other folds make of each.

    Attributes
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Calibrated.
    codes : ndarray of shape (n_samples,)
        Decided; `PASSED_ON` where no class was.
    """

    proba: FloatArray
    codes: IntArray

    def take(self, rows: AnyArray) -> CrossFitted:
        """Keep some rows, given by a mask or by their places."""
        return CrossFitted(self.proba[rows], self.codes[rows])


def cross_fit(
    criterion: Criterion, scored: Scored, folds: Folds, calibrators: Sequence[str] = QUICK
) -> CrossFitted:
    """Calibrate and decide each fold by what was best on the others, in time on earlier ones.

    The earliest in time stays as it is, decided by the argmax: there is nothing to tune it on.

    Parameters
    ----------
    criterion : Criterion
    scored : Scored
    folds : Folds
    calibrators : sequence of str
        To choose among, on the other folds too.

    Returns
    -------
    CrossFitted

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4])
    >>> y, folds = np.array([0, 0, 1, 1, 0, 0, 1, 1]), Folds(np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    >>> cross_fit(BestMetric("f1"), Scored(y, np.column_stack([1 - p, p])), folds).codes
    array([0, 0, 1, 1, 0, 0, 1, 1])
    """
    codes = argmax_rule(scored.n_classes).decide(scored.proba)
    proba = scored.proba.astype(float)
    for inside, tuned_on, calibrate in _calibrators(scored, folds, calibrators):
        here, others = scored.take(inside), scored.take(tuned_on)
        rule = criterion.solve(others.with_proba(calibrate(others.proba)))
        proba[inside] = calibrate(here.proba)
        rule = rule.on_part() if isinstance(rule, TopRows) else rule
        codes[inside] = rule.decide(proba[inside], here.row_costs)
    return CrossFitted(proba, codes)


def calibrate_folds(scored: Scored, folds: Folds, calibrators: Sequence[str]) -> FloatArray:
    """Calibrate each fold by what was best on the others, in time on earlier ones.

    Parameters
    ----------
    scored : Scored
    folds : Folds
    calibrators : sequence of str
        To choose among.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> p, folds = np.array([0.1, 0.8, 0.1, 0.8]), Folds(np.array([0, 0, 1, 1]))
    >>> scored = Scored(np.array([0, 1, 0, 1]), np.column_stack([1 - p, p]))
    >>> calibrate_folds(scored, folds, ["none"])[:, 1]
    array([0.1, 0.8, 0.1, 0.8])
    """
    proba = scored.proba.astype(float)
    for inside, _, calibrate in _calibrators(scored, folds, calibrators):
        proba[inside] = calibrate(scored.proba[inside])
    return proba


def _calibrators(
    scored: Scored, folds: Folds, names: Sequence[str]
) -> Iterator[tuple[BoolArray, BoolArray, Calibrator]]:
    """Yield each fold that can be tuned: its rows, those it is tuned on, and their calibrator."""
    for fold in folds.each().tolist():
        inside, tuned_on = np.asarray(folds.number == fold), folds.tuned_on(fold)
        if tuned_on.any():
            others, number = scored.take(tuned_on), folds.number[tuned_on]
            yield inside, tuned_on, choose_calibrator(others.y, others.proba, number, names)


def score_out_of_fold(
    metric: Metric,
    scored: Scored,
    folds: Folds,
    criterion: Criterion | None = None,
    *,
    rule: DecisionRule | None = None,
) -> Mapping[str, Score]:
    """Score by the searched metric and by those that are always reported.

    Parameters
    ----------
    metric : Metric
    scored : Scored
        Each row's probabilities by a model that has not seen it.
    folds : Folds
        In time, the rows of the earliest are not scored.
    criterion : Criterion, optional
        Of the decision; by default the best value of the metric.
    rule : DecisionRule, optional
        One rule for all rows, on probabilities as they are; by default each fold is calibrated
        and decided by what is best on the others.

    Returns
    -------
    mapping of str to Score
        Metrics by name; of two classes also precision, recall and specificity of the decision;
        ``cost`` where costs were stated; ``prevalence_ratio``: of a class that is predicted more
        or less often than it occurs, the worst quotient of the two.

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4])
    >>> y, folds = np.array([0, 0, 1, 1, 0, 0, 1, 1]), Folds(np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    >>> found = score_out_of_fold(METRICS["f1"], Scored(y, np.column_stack([1 - p, p])), folds)
    >>> str(found["f1"]), str(found["precision"])
    ('1.000 ± 0.000', '1.000 ± 0.000')
    """
    scored = scored.with_proba(np.asarray(scored.proba, dtype=float))
    criterion = criterion or BestMetric(metric.name)
    if rule is None:
        found = cross_fit(criterion, scored, folds)
    else:
        found = CrossFitted(scored.proba, rule.decide(scored.proba, scored.row_costs))
    judged = folds.judged
    if not judged.all():
        scored, found, folds = scored.take(judged), found.take(judged), folds.take(judged)
    each = (np.flatnonzero(folds.number == fold) for fold in folds.each())
    parts = [np.arange(len(scored.y)), *each]
    counts = stack_counts(
        [_count_decided(scored.y[rows], found.codes[rows], scored.n_classes) for rows in parts]
    )
    values = {
        one.name: _values(one, scored, found, parts, counts)
        for one in (metric, *map(get_metric, REPORTED))
    }
    if scored.n_classes == 2:
        values |= {name: rate(counts, name) for name in get_args(Measure)}
    values["prevalence_ratio"] = np.array(
        [_prevalence_ratio(scored.y[rows], found.proba[rows]) for rows in parts]
    )
    own = [criterion.figures(scored.take(rows), found.codes[rows]) for rows in parts]
    values |= {name: np.array([figures[name] for figures in own]) for name in own[0]}
    return {name: _score(each) for name, each in values.items()}


def _count_decided(y: IntArray, codes: IntArray, n_classes: int) -> Counts:
    """Count the rows that a class was decided for."""
    decided = codes != PASSED_ON
    return count(y[decided], codes[decided], n_classes)


def _values(
    metric: Metric,
    scored: Scored,
    found: CrossFitted,
    parts: Sequence[IntArray],
    counts: Counts,
) -> FloatArray:
    """Score groups of rows by one metric."""
    if metric.needs_decision:
        return np.asarray(metric.of_counts(counts), dtype=float)
    # A ranking is that of the model; losses are those of the probabilities that it comes to.
    proba = scored.proba if metric.greater_is_better else found.proba
    codes = found.codes
    return np.array([metric.evaluate(scored.y[rows], proba[rows], codes[rows]) for rows in parts])


def _prevalence_ratio(y: IntArray, proba: FloatArray) -> float:
    """Divide how often a class is predicted by how often it occurs.

    Of two classes that is the positive one; of more the one that is furthest off, among those with
    rows enough that chance alone does not move it so far.
    """
    occur = np.bincount(y, minlength=proba.shape[1])
    classes = [1] if len(occur) == 2 else np.flatnonzero(occur >= min(MIN_ROWS, occur.max()))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = proba.sum(axis=0)[classes] / occur[classes]
    return float(ratios[abs(np.log(np.maximum(ratios, 1e-12))).argmax()])


def _score(values: FloatArray) -> Score:
    """Sum up the value of all rows, which comes first, and those of the folds."""
    each = values[1:][np.isfinite(values[1:])]
    if not len(each):
        return Score(float(values[0]), float("nan"), float("nan"))
    return Score(float(values[0]), float(each.mean()), float(each.std()))


def average_scores(each: Sequence[Mapping[str, Score]]) -> Mapping[str, Score]:
    """Average scores over several assignments of rows to folds.

    Parameters
    ----------
    each : sequence of mapping of str to Score

    Returns
    -------
    mapping of str to Score

    Examples
    --------
    >>> found = average_scores([{"f1": Score(0.6, 0.5, 0.1)}, {"f1": Score(0.4, 0.5, 0.2)}])
    >>> str(found["f1"])
    '0.500 ± 0.150'
    """
    return {
        name: Score(*np.mean([astuple(scores[name]) for scores in each], axis=0).tolist())
        for name in each[0]
    }


def selection_value(metric: Metric, scores: Mapping[str, Score]) -> float:
    """Give the value by which one of the finished trials is chosen; greater is better.

    A metric that needs a decision moves by single rows where positives are few, and the best of
    many trials is the luckiest. The metric of the ranking that is cut is steadier, and the mean
    over folds errs otherwise than the value over all rows: the four are averaged.

    Parameters
    ----------
    metric : Metric
    scores : mapping of str to Score

    Returns
    -------
    float

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> scores = {"f1": Score(0.6, 0.5, 0.1), "average_precision": Score(0.4, 0.3, 0.1)}
    >>> round(selection_value(METRICS["f1"], scores), 3)
    0.45
    >>> selection_value(METRICS["average_precision"], scores)
    0.4
    """
    own = scores[metric.name]
    if not metric.needs_decision:
        return metric.utility(own.value)
    ranking = scores[metric.ranking]
    return float(np.mean([own.value, own.mean, ranking.value, ranking.mean]))
