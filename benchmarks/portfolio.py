"""Choose the configurations that a search tries first, and print them as TOML.

    python benchmarks/portfolio.py --data FOLDER > search_spaces/portfolio.toml

FOLDER is as for holdout_f1.py. Random configurations of the default space, without a sampler, are
cross-validated on the training part of each data set (70 %, at most 4,000 rows of it). They are
chosen greedily: each brings the mean over the data sets of the best rank so far up the most. On
stderr: how near to the best of the pool a portfolio comes on a data set that did not choose it,
beside as many random ones.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import numpy as np
from held_out import Split, binary_splits, parse_arguments
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from autoimb.data.splitting import assign_folds
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.scoring import selection_value
from autoimb.metrics import get_metric
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.search_space import load_space

DRAWN = {"lightgbm": 36, "extra_trees": 8, "random_forest": 4, "logistic": 4}
MAX_ROWS = 4000
N_CHOSEN = 10
METRIC = "f1"


def draw_pool() -> list[Configuration]:
    """Draw configurations, the defaults of each model among them."""
    space, rng = load_space("default"), np.random.default_rng(0)
    pool = [space.default(model=model) for model in DRAWN]
    for model, n in DRAWN.items():
        fixed = {"model": model, "sampler": "none"}
        for _ in range(n):
            pool.append(space.configuration(lambda name, p: fixed.get(name, p.sample(rng))))  # noqa: B023
    return pool


def small_evaluator(split: Split) -> Evaluator:
    """Cross-validate on some of the training rows where there are many."""
    data, rows = split.data, np.arange(len(split.data.y))
    if len(rows) <= MAX_ROWS:
        return split.evaluator
    rows, _ = train_test_split(rows, train_size=MAX_ROWS, stratify=data.y, random_state=0)
    folds = assign_folds(data, split.evaluator.n_folds, 0)[rows]
    return Evaluator(data.X[rows], data.y[rows], folds, data.schema.n_levels, 2, METRIC, 0)


def evaluate_all(split: Split, pool: list[Configuration]) -> list[float]:
    """Return what each configuration would be chosen by."""
    evaluator, metric = small_evaluator(split), get_metric(METRIC)
    print(split.name, file=sys.stderr, flush=True)
    return [selection_value(metric, evaluator.evaluate(one).scores) for one in pool]


def choose(ranks: np.ndarray, n_chosen: int, first: int = 0) -> list[int]:
    """Choose greedily from ranks of shape (n_configurations, n_datasets), the default first."""
    chosen = [first]
    while len(chosen) <= n_chosen:
        gains = np.maximum(ranks, ranks[chosen].max(axis=0)).mean(axis=1)
        chosen.append(int(gains.argmax()))
    return chosen


def shortfalls(values: np.ndarray, ranks: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield what the best of a portfolio lacks to the best of the pool, left-out set by set."""
    rng = np.random.default_rng(0)
    for left_out, column in enumerate(values.T):
        chosen = choose(np.delete(ranks, left_out, axis=1), N_CHOSEN)
        drawn = [rng.choice(len(column), N_CHOSEN, replace=False) for _ in range(200)]
        at_random = np.mean([max(column[0], column[one].max()) for one in drawn])
        yield column.max() - column[chosen].max(), column.max() - at_random


def main() -> None:
    arguments = parse_arguments(__doc__)
    pool, splits = draw_pool(), binary_splits(arguments.data, 1)
    found = Parallel(n_jobs=-1)(delayed(evaluate_all)(split, pool) for split in splits)
    values = np.array(found).T
    ranks = values.argsort(axis=0).argsort(axis=0) / (len(pool) - 1)
    missing = np.array(list(shortfalls(values, ranks)))
    default = (values.max(axis=0) - values[0]).mean()
    print(
        f"shortfall on a left-out data set: {missing[:, 0].mean():.4f} with the portfolio, "
        f"{missing[:, 1].mean():.4f} with {N_CHOSEN} at random, {default:.4f} with the default",
        file=sys.stderr,
    )
    print("# What a search tries first, chosen by benchmarks/portfolio.py; the best first.")
    for k in choose(ranks, N_CHOSEN)[1:]:
        print("\n[[configuration]]")
        for name, value in pool[k].flat.items():
            shown = float(f"{value:.3g}") if isinstance(value, float) else value
            print(f'"{name}" = {json.dumps(shown)}')


if __name__ == "__main__":
    main()
