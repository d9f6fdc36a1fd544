"""Measure what averaging the fits of the folds with that of all rows changes on held-out rows.

    python benchmarks/averaging.py --data FOLDER

FOLDER is as for holdout_f1.py. Three models at their defaults, without sampler or weight, are
cross-validated on 70 % of each data set; the threshold solved on out-of-fold probabilities for F1
decides the rest, once for the fit on all rows alone and once for its average with the five fits
of the folds.
"""

from __future__ import annotations

import numpy as np
from held_out import Split, binary_splits, parse_arguments
from sklearn.metrics import average_precision_score, f1_score

from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.strategy.search_space import load_space

MODELS = ("lightgbm", "logistic", "extra_trees")


def measure(split: Split) -> np.ndarray:
    """Return the mean F1 and AP over the models, alone and averaged, of shape (2, 2)."""
    found = []
    for model in MODELS:
        strategy = load_space("default").default(model=model)
        out_of_fold = split.evaluator.evaluate(strategy).proba.astype(float)
        rule = BestMetric("f1").solve(Scored(split.data.y, out_of_fold))
        for pipeline in (split.train(strategy), split.train_averaged(strategy)):
            proba = pipeline.predict_proba(split.X_test)
            f1 = f1_score(split.y_test, rule.decide(proba))
            found.append((f1, average_precision_score(split.y_test, proba[:, 1])))
    return np.array(found).reshape(len(MODELS), 2, 2).mean(axis=0)


def main() -> None:
    arguments = parse_arguments(__doc__)
    groups: dict[str, list[np.ndarray]] = {"below 1,000": [], "1,000 and more": []}
    for split in binary_splits(arguments.data, arguments.seeds):
        few = split.data.class_counts[1] < 1000
        groups["below 1,000" if few else "1,000 and more"].append(measure(split))
    print("| positives | data sets x splits | F1 alone | F1 averaged | AP alone | AP averaged |")
    print("|---|---|---|---|---|---|")
    for name, scores in groups.items():
        (f1, ap), (f1_mean, ap_mean) = np.mean(scores, axis=0)
        figures = " | ".join(f"{value:.4f}" for value in (f1, f1_mean, ap, ap_mean))
        print(f"| {name} | {len(scores)} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
