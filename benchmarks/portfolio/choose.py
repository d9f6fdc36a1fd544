"""Choose the configurations that a search tries first, and print them as TOML.

    python benchmarks/portfolio/choose.py results.jsonl > search_spaces/portfolio.toml

From what `evaluate.py` found. The default comes first and is not printed. Each further one brings
the mean over the data sets of the best value so far up the most; a value is the mean of the places
by F1 (tuned), by average precision and by log loss (calibrated), from 0 for the last of the pool to
1 for the best. Configurations that took longer than `--slow` times the default are left out. On
stderr: what the best of a portfolio lacks to the best of the pool on a data set that had no say in
choosing it, beside as many random ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

# Lower is better; of the others higher is.
LOSSES = ("log_loss",)


def read_results(path: Path) -> tuple[list[dict[str, Any]], dict[str, np.ndarray], np.ndarray]:
    """Return the pool, its scores and its seconds, each of shape (n_configurations, n_datasets).

    A failed evaluation scores NaN.
    """
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    keys = list(dict.fromkeys(json.dumps(line["flat"]) for line in lines))
    datasets = sorted({line["dataset"] for line in lines})
    metrics = next(line["scores"] for line in lines if "scores" in line)
    scores = {name: np.full((len(keys), len(datasets)), np.nan) for name in metrics}
    seconds = np.full((len(keys), len(datasets)), np.nan)
    for line in lines:
        if "scores" in line:
            place = keys.index(json.dumps(line["flat"])), datasets.index(line["dataset"])
            seconds[place] = line["seconds"]
            for name, values in line["scores"].items():
                scores[name][place] = np.mean(values)
    return [json.loads(key) for key in keys], scores, seconds


def place(values: np.ndarray, lower_is_better: bool) -> np.ndarray:
    """Return places from 0 (last, or failed) to 1 (best), data set by data set."""
    signed = np.where(np.isnan(values), -np.inf, -values if lower_is_better else values)
    return (rankdata(signed, axis=0) - 1) / (len(values) - 1)


def choose(values: np.ndarray, n_chosen: int, first: int = 0) -> list[int]:
    """Choose greedily from values of shape (n_configurations, n_datasets)."""
    chosen = [first]
    while len(chosen) <= n_chosen:
        gains = np.maximum(values, values[chosen].max(axis=0)).mean(axis=1)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
    return chosen


def shortfalls(
    places: np.ndarray, scores: np.ndarray, n_chosen: int
) -> Iterator[tuple[float, float]]:
    """Yield what the best of a portfolio lacks to the best of the pool, left-out set by set."""
    rng = np.random.default_rng(0)
    for left_out, column in enumerate(np.nan_to_num(scores).T):
        chosen = choose(np.delete(places, left_out, axis=1), n_chosen)
        drawn = [rng.choice(len(column), n_chosen, replace=False) for _ in range(200)]
        at_random = np.mean([max(column[0], column[one].max()) for one in drawn])
        yield column.max() - column[chosen].max(), column.max() - at_random


def to_toml(flat: dict[str, Any]) -> str:
    """Write a configuration as a table, its numbers with three digits."""
    shown = {k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in flat.items()}
    return "\n".join(
        ["", "[[configuration]]", *(f'"{k}" = {json.dumps(v)}' for k, v in shown.items())]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--chosen", type=int, default=20)
    parser.add_argument("--slow", type=float, default=4.0)
    arguments = parser.parse_args()
    pool, scores, seconds = read_results(arguments.results)
    fast = np.nanmedian(seconds / seconds[0], axis=1) <= arguments.slow
    pool = [flat for flat, kept in zip(pool, fast, strict=True) if kept]
    scores = {name: values[fast] for name, values in scores.items()}
    places = np.mean([place(v, name in LOSSES) for name, v in scores.items()], axis=0)
    for name in ("f1", "average_precision"):
        missing = np.array(list(shortfalls(places, scores[name], arguments.chosen)))
        default = np.nanmean(np.nanmax(scores[name], axis=0) - scores[name][0])
        print(
            f"{name}: shortfall on a left-out data set {missing[:, 0].mean():.4f} with the "
            f"portfolio, {missing[:, 1].mean():.4f} with {arguments.chosen} at random, "
            f"{default:.4f} with the default; pool of {len(pool)}, {places.shape[1]} data sets",
            file=sys.stderr,
        )
    print("# What a search tries first, chosen by benchmarks/portfolio/choose.py; the best first.")
    for k in choose(places, arguments.chosen)[1:]:
        print(to_toml(pool[k]))


if __name__ == "__main__":
    main()
