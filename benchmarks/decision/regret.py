"""Measure how far each decision rule falls short of the best threshold in hindsight.

    python benchmarks/decision/regret.py --data FOLDER [--seeds 3] [--kept FOLDER]

FOLDER is as for holdout_f1.py. Several models are cross-validated on 70 % of each data set. On the
same out-of-fold scores, each rule is solved by autoimb and by scikit-learn's
TunedThresholdClassifierCV; both decide the rest. Regret is what the best of all thresholds would
have had there beyond that: of a metric its difference, of a cost its difference as a share of
what the better of "all" and "none" costs, of a floor the difference of the rate that is maximised,
where a floor that is missed counts as -1 plus the promised rate. --kept keeps scores for the next
run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from kept_scores import Scores, make_parser, score_all
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import make_scorer
from sklearn.model_selection import PredefinedSplit, TunedThresholdClassifierCV

from autoimb.decision.calibrators import choose_calibrator
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, Criterion, as_one
from autoimb.decision.floors import Floor, rate
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.metrics import Counts, count

METRICS = ("f1", "f2", "f0.5", "mcc", "balanced_accuracy", "g_mean")
RULES: dict[str, Criterion] = {
    **{
        name: BestMetric(name)
        for name in ("f1", "f2", "f0.5", "mcc", "balanced_accuracy", "g_mean")
    },
    "cost 1 : 5": Costs(fn=5),
    "cost 1 : 25": Costs(fn=25),
    "cost 1 : 100": Costs(fn=100),
    "precision >= .5": Floor("precision", 0.5),
    "recall >= .8": Floor("recall", 0.8),
    "specificity >= .9": Floor("specificity", 0.9),
    "top 5 %": Capacity(share=0.05),
}
Pair = tuple[float, float]  # the regret of autoimb and of scikit-learn
WANTED = {"precision": "recall", "recall": "precision", "specificity": "recall"}


def utility(criterion: Criterion, counts: Counts) -> np.ndarray:
    """Say what decisions are worth on the rows that they are counted on; greater is better."""
    if isinstance(criterion, BestMetric):
        return criterion.metric.of_counts(counts)
    n = counts.true.sum(axis=-1)
    if isinstance(criterion, Costs):
        false, missed = counts.true - counts.correct, counts.true[..., 1] - counts.correct[..., 1]
        trivial = np.minimum(criterion.fp * counts.true[..., 0], criterion.fn * counts.true[..., 1])
        return -(criterion.fp * false[..., 0] + criterion.fn * missed) / trivial
    if isinstance(criterion, Floor):
        promised, wanted = (
            rate(counts, name) for name in (criterion.measure, WANTED[criterion.measure])
        )
        return np.where(promised >= criterion.value, wanted, promised - 1.0)
    assert isinstance(criterion, Capacity)
    flagged = counts.predicted[..., 1] / n
    return np.where(flagged <= criterion.share + 1e-9, rate(counts, "recall"), -flagged)


class Replay(ClassifierMixin, BaseEstimator):
    """A classifier whose rows are its scores."""

    def fit(self, X: Any, y: Any) -> Replay:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        return np.column_stack([1 - X[:, 0], X[:, 0]])

    def predict(self, X: Any) -> np.ndarray:
        return (X[:, 0] >= 0.5).astype(int)


def tune_by_sklearn(criterion: Criterion, scores: Scores) -> np.ndarray:
    """Decide the held-out rows as scikit-learn's tuned threshold does."""

    def score(y: np.ndarray, labels: np.ndarray) -> float:
        return float(utility(criterion, as_one(count(y, labels, 2)))[0])

    tuned = TunedThresholdClassifierCV(
        Replay(), scoring=make_scorer(score), cv=PredefinedSplit(scores.folds), refit=True
    )
    tuned.fit(scores.proba[:, [1]].astype(float), scores.y)
    return tuned.predict(scores.proba_test[:, [1]])


def tune_by_autoimb(scores: Scores) -> Callable[[Criterion], np.ndarray]:
    """Return how autoimb decides the held-out rows."""
    calibrate = choose_calibrator(scores.y, scores.proba.astype(float), scores.folds)
    rows = Scored(scores.y, calibrate(scores.proba.astype(float)))
    proba = calibrate(scores.proba_test)
    return lambda criterion: criterion.solve(rows).decide(proba)


def measure(scores: Scores) -> dict[str, Pair]:
    """Return the regret of autoimb and of scikit-learn by rule."""
    found = sweep_thresholds(scores.y_test, scores.proba_test[:, 1])
    decide = tune_by_autoimb(scores)
    regrets = {}
    for name, criterion in RULES.items():
        best = utility(criterion, found.counts).max()
        each = decide(criterion), tune_by_sklearn(criterion, scores)
        values = [utility(criterion, as_one(count(scores.y_test, codes, 2)))[0] for codes in each]
        regrets[name] = (best - values[0], best - values[1])
    return regrets


def main() -> None:
    arguments = make_parser(__doc__).parse_args()
    regrets: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for scores in score_all(arguments.data, arguments.seeds, arguments.kept):
        for rule, pair in measure(scores).items():
            regrets[rule][scores.name].append(pair)
    print(
        "| rule | autoimb | TunedThresholdClassifierCV | difference ± standard error | better on |"
    )
    print("|---|---|---|---|---|")
    for rule, of_sets in regrets.items():
        means = np.array([np.mean(pairs, axis=0) for pairs in of_sets.values()])
        ours, theirs = means.mean(axis=0)
        gaps = means[:, 0] - means[:, 1]
        error = gaps.std(ddof=1) / np.sqrt(len(gaps))
        won = f"{(gaps < 0).sum()} of {len(gaps)}"
        print(f"| {rule} | {ours:.4f} | {theirs:.4f} | {gaps.mean():+.4f} ± {error:.4f} | {won} |")


if __name__ == "__main__":
    main()
