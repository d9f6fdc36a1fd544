"""What to expect of the exported model on rows to come: scores corrected, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autoimb.evaluation.compare import Resampled
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import Estimate, bound
from autoimb.evaluation.optimism import Tried, estimate_optimism
from autoimb.metrics import METRICS, get_metric
from autoimb.recommendation.plainness import tier_of
from autoimb.recommendation.scored_rows import ScoredRows
from autoimb.search.blend import Exported
from autoimb.search.excerpt import choose_excerpt
from autoimb.search.records import SearchResult

__all__ = ["estimate_scores", "optimism_of"]

# Rows are resampled after models were trained, which vary with the rows too: by this much of the
# variance of a score, for one fold that training lacks (measured: benchmarks/honesty/coverage.py).
MODEL_VARIANCE = 3.0


def optimism_of(
    found: SearchResult,
    exported: Exported,
    evaluator: Evaluator,
    n_threads: int,
    *,
    as_plain: bool = False,
) -> float:
    """Estimate what a score owes to the choice, from what all trials predicted.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    evaluator : Evaluator
    n_threads : int
    as_plain : bool
        Whether it was chosen among strategies of its own degree of plainness alone.

    Returns
    -------
    float
        Above 0 where the score is too good.
    """
    level = found.first_level
    known = [r for r in found.records if r.number in found.tried and r.number in found.leads]
    if as_plain:
        own = tier_of(exported.members[0].configuration)
        known = [r for r in known if tier_of(r.configuration) == own]
    numbers = [r.number for r in known]
    chosen = [numbers.index(one.number) for one in exported.members if one.number in numbers]
    if level is None or len(numbers) < 2 or not chosen or not exported.is_tuned:
        return 0.0
    excerpt, (rows, folds) = choose_excerpt(evaluator, level), evaluator.scored(level)
    folds = folds.take(np.searchsorted(rows, excerpt.rows))
    judged = folds.judged
    strategies = {r.number: str(r.configuration) for r in found.records}
    tried = Tried(
        scored=evaluator.select(excerpt.rows, found.tried[numbers[0]]).take(judged),
        folds=folds.take(judged),
        units=evaluator.drawn_together(excerpt.rows[judged]),
        counts_as=excerpt.counts_as[judged],
        proba=[found.tried[number][judged] for number in numbers],
        strategies=[strategies[number] for number in numbers],
        leads=np.array([found.leads[number] for number in numbers]),
        chosen=chosen,
    )
    return estimate_optimism(
        tried, get_metric(evaluator.metric), evaluator.criterion, seed=evaluator.seed,
        n_threads=n_threads,
    )  # fmt: skip


def estimate_scores(
    found: SearchResult,
    exported: Exported,
    evaluator: Evaluator,
    optimism: float | None = None,
    rows: ScoredRows | None = None,
) -> Mapping[str, Estimate]:
    """Put an interval around every score, that of the searched metric less what luck added to it.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    evaluator : Evaluator
    optimism : float, optional
        As `appraise` found it; by default it is estimated among strategies as plain.
    rows : ScoredRows, optional
        Of the level that what is exported was evaluated at, if they are at hand.

    Returns
    -------
    mapping of str to Estimate
        Of every metric of `exported.scores`.
    """
    if optimism is None:
        optimism = optimism_of(found, exported, evaluator, 1, as_plain=True)
    rows = rows or ScoredRows(evaluator, found.level)
    names = [name for name in exported.scores if name in METRICS or name == rows.metric.name]
    drawn = rows.score_all(rows.cut(exported.proba), names, is_tuned=exported.is_tuned)
    growth = _estimate_growth(found, rows, names)
    luck = {rows.metric.name: Resampled(-rows.metric.utility(optimism), np.zeros(1))}
    wide = rows.shrink * (1 + MODEL_VARIANCE / evaluator.n_folds) ** 0.5
    estimates = {}
    for name, one in drawn.items():
        added = [corrections[name] for corrections in (growth, luck) if name in corrections]
        value = exported.scores[name].value + sum(other.value for other in added)
        values = np.asarray(one.values + sum(other.values for other in added))
        estimates[name] = bound(value, values, wide)
    return estimates


def _estimate_growth(
    found: SearchResult, rows: ScoredRows, names: Sequence[str]
) -> Mapping[str, Resampled]:
    """Estimate what the rows are worth that a fold holds back from training.

    Errors are taken to fall with the root of the number of rows: from what the best strategy
    loses when it is trained on half as many folds follows what all rows would add to the others.
    """
    if found.halved is None:
        return {}
    n = rows.evaluator.n_folds
    all_rows, more_rows, fewer_rows = (k**-0.5 for k in (n, n - 1, (n - 1) // 2))
    share = (more_rows - all_rows) / (fewer_rows - more_rows)
    more, fewer = (
        rows.score_all(rows.cut(one.scored_proba), names)
        for one in (found.best_evaluation, found.halved)
    )
    return {
        name: Resampled(
            share * (more[name].value - fewer[name].value),
            share * (more[name].values - fewer[name].values),
        )
        for name in names
    }
