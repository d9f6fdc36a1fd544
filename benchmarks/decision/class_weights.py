"""Compare ways to weigh several classes, on held-out rows.

    python benchmarks/decision/class_weights.py --data FOLDER --seeds 8

FOLDER is as for holdout_f1.py; its data sets of more than two classes are taken. Weights are solved
on the out-of-fold probabilities of three models, trained on 70 % of the rows, and decide the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from held_out import Split, multiclass_splits, parse_arguments

from autoimb.decision.class_weights import settle_class_weights, solve_class_weights
from autoimb.decision.scored import Scored
from autoimb.metrics import Metric, count, get_metric
from autoimb.strategy.search_space import load_space

METRICS = ("f1", "balanced_accuracy", "mcc", "g_mean")
MODELS = ("lightgbm", "extra_trees", "logistic")
# Rows from which the own weight of a class counts as much as that of its prevalence.
PSEUDO_ROWS = (100.0, 400.0, 1000.0, 4000.0)

Way = Callable[[Metric, Scored], tuple[float, ...]]


def weigh_equally(metric: Metric, scored: Scored) -> tuple[float, ...]:
    """Weigh no class."""
    return (1.0,) * scored.n_classes


WAYS: dict[str, Way] = {
    "argmax": weigh_equally,
    "own weights": solve_class_weights,
    **{f"shrunk, {n:g} rows": partial(settle_class_weights, pseudo_rows=n) for n in PSEUDO_ROWS},
}


def score_ways(split: Split, model: str) -> Iterator[tuple[str, str, float]]:
    """Yield metric, way, and what it scores on held-out rows."""
    configuration = load_space("default").default(model=model)
    known = Scored(split.data.y, split.evaluator.evaluate(configuration).scored_proba)
    proba = split.train(configuration).predict_proba(split.X_test)
    for name in METRICS:
        metric = get_metric(name)
        for way, solve in WAYS.items():
            decided = (proba * np.array(solve(metric, known))).argmax(axis=1)
            counts = count(split.y_test, decided, proba.shape[1])
            yield name, way, float(metric.of_counts(counts))


def main() -> None:
    arguments = parse_arguments(__doc__)
    rows = [
        found
        for split in multiclass_splits(arguments.data, arguments.seeds)
        for model in MODELS
        for found in score_ways(split, model)
    ]
    table = pd.DataFrame(rows, columns=["metric", "way", "score"])
    means = table.groupby(["way", "metric"]).score.mean().unstack()
    print(means.loc[list(WAYS), list(METRICS)].round(4).to_string())


if __name__ == "__main__":
    main()
