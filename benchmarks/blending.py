"""Measure what blending the leading strategies changes on held-out rows.

    python benchmarks/blending.py --data FOLDER --seeds 2

FOLDER is as for holdout_f1.py. One search for F1 on 70 % of each data set, as long as `--budget`
says, is exported twice: the best strategy alone, and the blend. Both decide the rest.
"""

from __future__ import annotations

import sys

import numpy as np
from held_out import N_FOLDS, Split, binary_splits, parse_arguments
from sklearn.metrics import average_precision_score, f1_score, log_loss

from autoimb.exporting import make_model
from autoimb.profiling.describing import profile_dataset
from autoimb.refitting import estimate_refit, refit
from autoimb.search.blend import choose_export
from autoimb.search.budget import Budget
from autoimb.search.executors import Executor, open_executor
from autoimb.search.records import SearchResult
from autoimb.search.resources import plan_resources
from autoimb.search.study import search
from autoimb.strategy.search_space import load_space

SCORES = ("F1", "AP", "log loss")


def measure(split: Split, seconds: float) -> np.ndarray:
    """Return the scores of the best alone and of the blend, of shape (2, 3)."""
    space = load_space("default").restricted_to(profile_dataset(split.data).facts(N_FOLDS))
    evaluator, resources = split.evaluator, plan_resources(split.data.X.size)
    with open_executor(evaluator, resources) as executor:
        found = search(executor, evaluator, space, Budget(seconds))
        return np.array([export_and_score(split, found, executor, one) for one in (False, True)])


def export_and_score(
    split: Split, found: SearchResult, executor: Executor, blended: bool
) -> tuple[float, float, float]:
    """Export the best alone or the blend, however long it takes, and score it."""
    cost = estimate_refit(split.data, N_FOLDS, blended, executor.n_workers)
    unhurried = Budget(seconds=None, trials=1)
    exported = choose_export(found.candidates, split.evaluator, unhurried, cost)
    trained = refit(exported, found.candidates, executor, split.evaluator, unhurried)
    model = make_model(trained.pipeline, trained.exported, split.evaluator, split.data, found.level)
    proba = model.calibrated(split.X_test)
    f1 = f1_score(split.y_test, model.rule.decide(proba), zero_division=0)
    ap = average_precision_score(split.y_test, proba[:, 1])
    return float(f1), float(ap), float(log_loss(split.y_test, proba[:, 1]))


def main() -> None:
    arguments = parse_arguments(__doc__, budget=30.0)
    measured = []
    for split in binary_splits(arguments.data, arguments.seeds):
        measured.append(measure(split, arguments.budget))
        print(split.name, measured[-1].round(3).tolist(), file=sys.stderr, flush=True)
    table = np.array(measured)
    change = table[:, 1] - table[:, 0]
    error = change.std(axis=0, ddof=1) / np.sqrt(len(change))
    print(f"| {len(table)} searches | best alone | blend | change | its standard error |")
    print("|---|---|---|---|---|")
    for k, name in enumerate(SCORES):
        alone, blended = table[:, :, k].mean(axis=0)
        figures = f"{alone:.4f} | {blended:.4f} | {change[:, k].mean():+.4f} | {error[k]:.4f}"
        print(f"| {name} | {figures} |")


if __name__ == "__main__":
    main()
