"""Compare LightGBM with a searched number of trees and LightGBM that stops early.

Both are given as much time: of twenty configurations of each, drawn at random and cross-validated
on 70 % of the rows, the best one that was found in time is scored on the rest.

    python benchmarks/early_stopping.py --data FOLDER [--seeds 1]
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from held_out import N_FOLDS, Split, parse_arguments, split
from sklearn.metrics import average_precision_score

from autoimb.strategy.configuration import Configuration
from autoimb.strategy.parameters import Parameter
from autoimb.strategy.pipeline import train
from autoimb.strategy.search_space import load_space

NAMES = ("mammography", "german_credit", "stroke", "telco_churn", "pc1_defects", "abalone_19")
# Each as it is searched.
ARMS = {"lightgbm": "default", "early_stopped_lightgbm": "thorough"}
N_DRAWN = 20
N_ORDERS = 200


@dataclass(frozen=True)
class Tried:
    """What a configuration was worth on the folds and on the rest, and its seconds."""

    on_folds: float
    on_rest: float
    seconds: float


def draw(arm: str, seed: int) -> Iterator[Configuration]:
    """Draw configurations of a model on the rows as they are."""
    space, rng = load_space(ARMS[arm]), np.random.default_rng(seed)
    plain = {"model": arm, "ensemble": "none", "sampler": "none", "weight": "none"}

    def pick(name: str, parameter: Parameter) -> object:
        return plain[name] if name in plain else parameter.sample(rng)

    for _ in range(N_DRAWN):
        yield space.configuration(pick)


def rate(one: Split, strategy: Configuration) -> Tried:
    """Cross-validate a configuration and train it on all of its rows."""
    begun, scores = time.process_time(), []
    for fold in range(N_FOLDS):
        tested = one.evaluator.folds == fold
        fitted = train(strategy, one.evaluator.training_part(fold), seed=one.evaluator.seed)
        scores.append(precision(one.data.y[tested], fitted.predict_proba(one.data.X[tested])))
    seconds = time.process_time() - begun
    found = one.train(strategy).predict_proba(one.X_test)
    return Tried(float(np.mean(scores)), precision(one.y_test, found), seconds)


def precision(y: np.ndarray, proba: np.ndarray) -> float:
    return float(average_precision_score(y, proba[:, 1]))


def best_in_time(tried: list[Tried], seconds: float, rng: np.random.Generator) -> float:
    """Average, over orders of trying, what the best on the folds is worth on the rest."""
    found = []
    for _ in range(N_ORDERS):
        order = [tried[k] for k in rng.permutation(len(tried))]
        spent = np.cumsum([one.seconds for one in order])
        reached = order[: max(int((spent <= seconds).sum()), 1)]
        found.append(max(reached, key=lambda one: one.on_folds).on_rest)
    return float(np.mean(found))


def main() -> None:
    arguments = parse_arguments(__doc__)
    entries = {e["name"]: e for e in json.loads((arguments.data / "index.json").read_text())}
    rows = []
    for name in NAMES:
        table = pd.read_csv(arguments.data / entries[name]["file"])
        for seed in range(arguments.seeds):
            one, rng = split(name, table, entries[name]["target"], seed), np.random.default_rng(0)
            tried = {arm: [rate(one, c) for c in draw(arm, seed)] for arm in ARMS}
            least = min(sum(t.seconds for t in each) for each in tried.values())
            for arm, each in tried.items():
                row = {
                    "data": name, "seed": seed, "model": arm,
                    "mean": np.mean([t.on_rest for t in each]),
                    "best": max(each, key=lambda t: t.on_folds).on_rest,
                    "best in time": best_in_time(each, least, rng),
                    "seconds": np.median([t.seconds for t in each]),
                }  # fmt: skip
                rows.append(row)
                print(row, flush=True)
    print(pd.DataFrame(rows).groupby("model").mean(numeric_only=True).round(4).to_string())


if __name__ == "__main__":
    main()
