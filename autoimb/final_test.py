"""The last step of a fit: score what is exported, once, on rows that nothing of it has seen."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.data.problem import read_labelled
from autoimb.data.row_costs import read_row_costs
from autoimb.data.split_columns import read_groups
from autoimb.decision.criteria import BestMetric
from autoimb.decision.deciding import Decision
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import draw_resamples
from autoimb.evaluation.estimate import Estimate, bound, resample_scores
from autoimb.evaluation.holdout import score_holdout
from autoimb.evaluation.scoring import CrossFitted
from autoimb.fitted_model import FittedModel
from autoimb.metrics import METRICS
from autoimb.search.excerpt import excerpt_of

__all__ = ["FinalTest", "UntouchedRows", "read_untouched", "run_final_test"]

# Together they keep the intervals below two seconds.
MAX_ROWS, MAX_RESAMPLES, MAX_DRAWN = 20_000, 1000, 4_000_000
# A decision that counts no figures of its own.
PLAIN = BestMetric("f1")


@dataclass(frozen=True)
class UntouchedRows:
    """Labelled rows that no part of a fit sees before its model is exported.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Class codes.
    units : ndarray of shape (n_samples,)
        Rows with the same number are resampled together: those of a group.
    row_costs : ndarray of shape (n_samples,), optional
        What it costs to miss each row, should it be positive.
    source : str
        Where they come from.
    notes : tuple of str
        On rows that were left out.
    """

    X: FloatArray
    y: IntArray
    units: IntArray
    row_costs: FloatArray | None
    source: str
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Tell these rows from any others."""
        digest = hashlib.sha256(np.ascontiguousarray(self.X).data)
        for array in (self.y, self.units, self.row_costs):
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class FinalTest:
    """How what is exported does on rows that nothing of it has seen.

    Attributes
    ----------
    scores : mapping
        As `score_holdout` gives them: every metric, each class, the confusion matrix.
    estimates : mapping of str to Estimate
        Of every metric that is defined, and of precision, recall and specificity of two classes:
        the value on these rows, with its 95 % interval.
    source : str
        Where the rows come from.
    notes : tuple of str
        On rows that were left out.

    Examples
    --------
    >>> found = FinalTest({"n_rows": 40}, {"f1": Estimate(0.5, 0.4, 0.6)}, "later.csv")
    >>> found.n_rows, found.to_dict()["estimates"]
    (40, {'f1': {'value': 0.5, 'low': 0.4, 'high': 0.6}})
    """

    scores: Mapping[str, Any]
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows that were scored."""
        return int(self.scores["n_rows"])

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "source": self.source,
            **self.scores,
            "estimates": {name: one.to_dict() for name, one in self.estimates.items()},
            "notes": list(self.notes),
        }


def read_untouched(
    data: str | Path | pd.DataFrame, dataset: Dataset, cost_column: str | None, source: str = ""
) -> UntouchedRows:
    """Read rows to score, so that what is wrong with them shows before anything is fitted.

    Parameters
    ----------
    data : str, Path or DataFrame
        With the target and every feature; if it has the column of groups, these are heeded.
    dataset : Dataset
        That is fitted on.
    cost_column : str or None
        That the decision reads.
    source : str
        What the rows are called; by default as the file is.

    Returns
    -------
    UntouchedRows

    Raises
    ------
    DataError
        If a column is missing, or holds what it cannot.
    """
    rows, y, notes = read_labelled(data, dataset.target, dataset.schema, dataset.labels)
    costs = None
    if cost_column is not None:
        costs = np.asarray(read_row_costs(rows, cost_column), dtype=float)
    is_grouped = dataset.group_column in rows.columns
    units = read_groups(rows[dataset.group_column]) if is_grouped else np.arange(len(rows))
    named = "a frame" if isinstance(data, pd.DataFrame) else Path(data).name
    X = dataset.schema.to_matrix(rows)
    return UntouchedRows(X, y, units, costs, source or named, tuple(notes))


def run_final_test(model: FittedModel, rows: UntouchedRows, seed: int = 0) -> FinalTest:
    """Score a model on rows that it has not seen, every metric with its interval.

    Parameters
    ----------
    model : FittedModel
    rows : UntouchedRows
    seed : int
        Of the resamples.

    Returns
    -------
    FinalTest
    """
    scored = Scored(rows.y, model.calibrated(rows.X), rows.row_costs)
    scores = score_holdout(scored, model.decision, model.labels)
    estimates = _estimate(scored, model.decision, scores["metrics"], rows.units, seed)
    return FinalTest(scores, estimates, rows.source, rows.notes)


def _estimate(
    scored: Scored,
    decision: Decision,
    values: Mapping[str, float | None],
    units: IntArray,
    seed: int,
) -> dict[str, Estimate]:
    """Put intervals around scores by the bootstrap, of very many rows by that of an excerpt."""
    codes = decision.rule.decide(scored.proba, scored.row_costs)
    found = CrossFitted(scored.proba, codes)
    once = np.ones((len(scored.y), 1), dtype=np.float32)
    rates = resample_scores([], PLAIN, scored, found, once)
    known = {name: float(value[0]) for name, value in rates.items()}
    known |= {name: value for name, value in values.items() if value is not None}

    few = excerpt_of(scored.y, MAX_ROWS, seed)
    part, decided = scored.take(few.rows), found.take(few.rows)
    n_resamples = min(MAX_RESAMPLES, MAX_DRAWN // len(few.rows))
    drawn = draw_resamples(None, units[few.rows], n_resamples, np.random.default_rng(seed))
    weights = drawn * few.counts_as.astype(np.float32)[:, None]
    metrics = [METRICS[name] for name in known if name in METRICS]
    resampled = resample_scores(metrics, PLAIN, part, decided, weights)
    # The decision's own figures are of whole rows, each weighed by its class.
    sizes = [np.bincount(each.y, minlength=part.n_classes) for each in (part, scored)]
    share = sizes[0] / np.maximum(sizes[1], 1)
    weighed = replace(part, class_weights=1 / np.where(share, share, 1.0))
    own = resample_scores([], decision.criterion, weighed, decided, drawn)
    resampled = {**own, **resampled}
    # Of fewer rows than there are, resamples deviate by more.
    shrink = math.sqrt(min(float(share.max()), 1.0))
    return {
        name: bound(value, resampled[name], shrink)
        for name, value in known.items()
        if math.isfinite(value)
    }
