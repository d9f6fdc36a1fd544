"""Measure what averaging the fits of the folds with that of all rows changes on held-out rows.

    python benchmarks/averaging.py --data FOLDER

FOLDER is as for holdout_f1.py. Three models at their defaults, without sampler or weight, are
cross-validated on 70 % of each data set; the threshold with the best out-of-fold F1 decides the
rest, once for the fit on all rows alone and once for its average with the five fits of the folds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import train_test_split

from autoimb.data.dataset import make_dataset
from autoimb.data.splitting import assign_folds
from autoimb.decision.rules import solve_rule
from autoimb.evaluation.engine import Evaluator
from autoimb.metrics import get_metric
from autoimb.strategy.pipeline import AveragedPipeline, TrainingPart, train
from autoimb.strategy.search_space import load_space

MODELS = ("lightgbm", "logistic", "extra_trees")
N_FOLDS = 5


def measure(table: pd.DataFrame, target: str, seed: int) -> tuple[int, np.ndarray]:
    """Return the positives trained on, and the mean F1 and AP alone and averaged."""
    features, labels = table.drop(columns=target), table[target].astype(str).to_numpy()
    rows, tested = train_test_split(
        np.arange(len(table)), test_size=0.3, stratify=labels, random_state=seed
    )
    data = make_dataset(features.iloc[rows].reset_index(drop=True), labels[rows])
    evaluator = Evaluator.on(data, assign_folds(data, N_FOLDS, seed), "f1", seed)
    X, y = data.schema.to_matrix(features.iloc[tested]), data.labels.encode(labels[tested])
    levels, space, found = data.schema.n_levels, load_space("default"), []
    for model in MODELS:
        strategy = space.default(model=model)
        rule = solve_rule(
            get_metric("f1"), data.y, evaluator.evaluate(strategy).proba.astype(float)
        )
        parts = [TrainingPart(data.X, data.y, levels, 2, seed)]
        parts += [evaluator.training_part(fold) for fold in range(N_FOLDS)]
        members = tuple(train(strategy, part, seed=seed) for part in parts)
        for pipeline in (members[0], AveragedPipeline(members)):
            proba = pipeline.predict_proba(X)
            scores = (f1_score(y, rule.decide(proba)), average_precision_score(y, proba[:, 1]))
            found.append(scores)
    return int(data.class_counts[1]), np.array(found).reshape(len(MODELS), 2, 2).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    groups: dict[str, list[np.ndarray]] = {"below 1,000": [], "1,000 and more": []}
    for entry in json.loads((arguments.data / "index.json").read_text()):
        if entry["positive"] == "multiclass":
            continue
        table = pd.read_csv(arguments.data / entry["file"])
        for seed in range(arguments.seeds):
            n_positive, scores = measure(table, entry["target"], seed)
            groups["below 1,000" if n_positive < 1000 else "1,000 and more"].append(scores)
    print("| positives | data sets x splits | F1 alone | F1 averaged | AP alone | AP averaged |")
    print("|---|---|---|---|---|---|")
    for name, scores in groups.items():
        (f1, ap), (f1_mean, ap_mean) = np.mean(scores, axis=0)
        figures = " | ".join(f"{value:.4f}" for value in (f1, f1_mean, ap, ap_mean))
        print(f"| {name} | {len(scores)} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
