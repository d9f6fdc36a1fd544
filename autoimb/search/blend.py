"""Choose what is exported: the best strategy, or a blend of the leading ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibration import log_odds
from autoimb.decision.rules import argmax_rule
from autoimb.decision.stacking import Blend
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score, score_out_of_fold
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import get_metric
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.records import Candidate, TrialRecord
from autoimb.threads import limit_threads

__all__ = [
    "Exported", "choose_export", "combine", "count_repeats", "cross_fitted_blend", "line_up",
    "pool",
]  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """What is exported, before it is trained on all rows.

    Attributes
    ----------
    members : tuple of TrialRecord
        One trial, or those that are blended, the best first.
    blend : Blend or None
        How they are combined; None for one.
    proba : ndarray of shape (n_scored, n_classes)
        Out-of-fold, of the rows that were scored; a blend's is fitted on the other folds. Where
        strategies were scored on several assignments of rows to folds, the mean, as fits are
        averaged that are exported.
    scores : mapping of str to Score
        Of these.
    max_rows : int or None
        Rows that it is trained on at most, where time allows no more.
    is_tuned : bool
        Whether its decision is tuned; else it is the argmax.
    n_repeats : int
        Further assignments to folds whose predictions are averaged with those of the first.
    """

    members: tuple[TrialRecord, ...]
    blend: Blend | None
    proba: FloatArray
    scores: Mapping[str, Score]
    max_rows: int | None = None
    is_tuned: bool = True
    n_repeats: int = 0


def choose_export(
    candidates: tuple[Candidate, ...],
    evaluator: Evaluator,
    budget: Budget,
    cost: RefitCost,
    levels: Sequence[Level] = (),
) -> Exported:
    """Blend as many of the leading strategies as are asked for and as time is left for.

    The best of many trials owes part of its lead to luck, even over the blend; the blend varies
    less from sample to sample, and one that is better by far outweighs the others in it. A model
    that is to stay `single`, so that it can be read, is neither blended nor averaged.

    Parameters
    ----------
    candidates : tuple of Candidate
        The best of each strategy, best first.
    evaluator : Evaluator
    budget : Budget
        Bounds how many are blended.
    cost : RefitCost
    levels : sequence of Level
        Of the search: where time does not suffice for all rows, it may for those of one.

    Returns
    -------
    Exported
    """
    best = candidates[0]
    max_rows = _affordable_rows(cost.seconds([best])[0], len(evaluator.y), budget, levels)
    if best.record.configuration.model.single:
        return combine([best], evaluator, max_rows)
    lined_up = line_up(candidates)
    members = [lined_up[number] for number in budget.affordable(cost.seconds(lined_up))]
    return combine(members, evaluator, max_rows)


def line_up(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Sort what may be blended: the best first, then by log loss, which the blend is fitted for.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first, by whatever was searched for.

    Returns
    -------
    list of Candidate
        Without those that are to stay `single`, unless the best is one.
    """
    others = [one for one in candidates[1:] if not one.record.configuration.model.single]
    by_loss = sorted(others, key=lambda one: one.record.scores["log_loss"].value)
    return [*candidates[:1], *by_loss]


def _affordable_rows(
    seconds: float, n_rows: int, budget: Budget, levels: Sequence[Level]
) -> int | None:
    """Choose on how many rows to train, given what all would take; None for all."""
    parts = sorted({level.max_rows for level in levels if level.max_rows}, reverse=True)
    if not parts or seconds <= budget.left():
        return None
    return next((rows for rows in parts if seconds * rows / n_rows <= budget.left()), parts[-1])


def combine(
    members: Sequence[Candidate],
    evaluator: Evaluator,
    max_rows: int | None = None,
    *,
    is_tuned: bool = True,
) -> Exported:
    """Blend strategies that were evaluated on the same rows; one alone stays as it is.

    Parameters
    ----------
    members : sequence of Candidate
        The best first.
    evaluator : Evaluator
    max_rows : int, optional
        Rows that they are to be trained on at most.
    is_tuned : bool
        Whether the decision is tuned; else it is the argmax.

    Returns
    -------
    Exported
    """
    n_repeats = count_repeats(members)
    records = tuple(member.record for member in members)
    rows, folds = evaluator.scored(members[0].level)
    each = [pool((one.evaluation, *one.repeats[:n_repeats])) for one in members]
    blend, proba = None, each[0]
    with limit_threads(evaluator.n_threads):
        if len(members) > 1:
            y, odds = evaluator.y[rows], np.stack([log_odds(one) for one in each], axis=2)
            blend, proba = Blend.fit(y, odds), cross_fitted_blend(y, odds, folds)
        metric, scored = get_metric(evaluator.metric), evaluator.select(rows, proba)
        rule = None if is_tuned else argmax_rule(evaluator.n_classes)
        scores = score_out_of_fold(metric, scored, folds, evaluator.criterion, rule=rule)
    return Exported(records, blend, proba, scores, max_rows, is_tuned, n_repeats)


def count_repeats(members: Sequence[Candidate]) -> int:
    """Count the further assignments to folds that all members were scored on, to be averaged.

    A model that is to be read is exported as one fit: no mean stands for it.
    """
    if any(one.record.configuration.model.single for one in members):
        return 0
    return min(len(one.repeats) for one in members)


def pool(evaluations: Sequence[Evaluation]) -> FloatArray:
    """Average what each scored row was given in several assignments of rows to folds.

    Parameters
    ----------
    evaluations : sequence of Evaluation

    Returns
    -------
    ndarray of shape (n_scored, n_classes)
    """
    return np.asarray(np.mean([one.scored_proba for one in evaluations], axis=0))


def cross_fitted_blend(y: IntArray, odds: FloatArray, folds: Folds) -> FloatArray:
    """Predict each fold by the blend that was fitted on the others, in time on earlier ones.

    The earliest in time gets the plain mean: there is nothing to fit weights to.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    odds : ndarray of shape (n_samples, n_classes, n_models)
        Out-of-fold log-odds of each model.
    folds : Folds

    Returns
    -------
    ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> from autoimb.decision.calibration import log_odds
    >>> y, folds = np.array([0, 0, 1, 1] * 2), Folds(np.arange(8) // 4)
    >>> p = np.array([0.1, 0.4, 0.3, 0.9] * 2)
    >>> odds = log_odds(np.column_stack([1 - p, p]))[:, :, None]
    >>> cross_fitted_blend(y, odds, folds)[:4, 1].round(1)
    array([0.3, 0.5, 0.4, 0.7])
    """
    proba = np.empty(odds.shape[:2])
    for fold in folds.each().tolist():
        inside, known = folds.number == fold, folds.tuned_on(fold)
        blend = Blend.fit(y[known], odds[known]) if known.any() else Blend.equal(*odds.shape[1:])
        proba[inside] = blend(odds[inside])
    return proba
