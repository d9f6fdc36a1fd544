"""Measure what leaning a threshold on calibrated probabilities changes on held-out rows.

    python benchmarks/threshold.py --data FOLDER

FOLDER is as for holdout_f1.py. Two models, with and without a class weight, are cross-validated
on 70 % of each data set; the rest is decided once by the threshold that is best on the
out-of-fold probabilities as they are, and once by the one that `BestMetric` gives.
"""

from __future__ import annotations

import numpy as np
from held_out import Split, binary_splits, parse_arguments

from autoimb.decision.criteria import BestMetric
from autoimb.decision.rules import DecisionRule, Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.metrics import Metric, get_metric
from autoimb.strategy.search_space import load_space

METRICS = ("f1", "f2", "f0.5", "balanced_accuracy", "g_mean", "mcc")
STRATEGIES = (
    {"model": "lightgbm"},
    {"model": "lightgbm", "weight": "power"},
    {"model": "extra_trees"},
    {"model": "extra_trees", "weight": "power"},
)


def sharpest(metric: Metric, y: np.ndarray, proba: np.ndarray) -> Threshold:
    """Return the threshold that is best on these rows."""
    found = sweep_thresholds(y, proba[:, 1])
    return Threshold(float(found.thresholds[metric.of_counts(found.counts).argmax()]))


def leaning(metric: Metric, y: np.ndarray, proba: np.ndarray) -> DecisionRule:
    """Return the rule that leans on calibrated probabilities where positives are few."""
    return BestMetric(metric.name).solve(Scored(y, proba))


def measure(split: Split) -> np.ndarray:
    """Return each metric, decided sharply and leaning, of shape (n_metrics, 2)."""
    found = []
    for chosen in STRATEGIES:
        strategy = load_space("default").default(**chosen)
        out_of_fold = split.evaluator.evaluate(strategy).proba.astype(float)
        proba = split.train_averaged(strategy).predict_proba(split.X_test)
        for metric in map(get_metric, METRICS):
            for solve in (sharpest, leaning):
                labels = solve(metric, split.data.y, out_of_fold).decide(proba)
                found.append(metric.evaluate(split.y_test, proba, labels))
    return np.array(found).reshape(len(STRATEGIES), len(METRICS), 2).mean(axis=0)


def main() -> None:
    arguments = parse_arguments(__doc__)
    groups: dict[str, list[np.ndarray]] = {"below 200": [], "200 and more": []}
    for split in binary_splits(arguments.data, arguments.seeds):
        few = split.data.class_counts[1] < 200
        groups["below 200" if few else "200 and more"].append(measure(split))
    print("| positives | data sets x splits | metric | sharp | leaning | gain ± standard error |")
    print("|---|---|---|---|---|---|")
    for name, scores in groups.items():
        for k, metric in enumerate(METRICS):
            pairs = np.array(scores)[:, k]
            gains = pairs[:, 1] - pairs[:, 0]
            error = gains.std(ddof=1) / np.sqrt(len(gains))
            sharp, leant = pairs.mean(axis=0)
            figures = f"{sharp:.4f} | {leant:.4f} | {gains.mean():+.4f} ± {error:.4f}"
            print(f"| {name} | {len(gains)} | {metric} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
