"""Out-of-fold and held-out probabilities of several models, computed once and kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from held_out import Split, binary_splits

from autoimb.strategy.search_space import load_space

__all__ = ["STRATEGIES", "Scores", "Split", "binary_splits", "make_parser", "score_all"]

STRATEGIES: dict[str, dict[str, str]] = {
    "lightgbm": {"model": "lightgbm"},
    "lightgbm + weight": {"model": "lightgbm", "weight": "power"},
    "lightgbm + smote": {"model": "lightgbm", "sampler": "smote"},
    "lightgbm + random_under": {"model": "lightgbm", "sampler": "random_under"},
    "logistic": {"model": "logistic"},
    "logistic + weight": {"model": "logistic", "weight": "power"},
    "logistic + smote": {"model": "logistic", "sampler": "smote"},
    "logistic + random_under": {"model": "logistic", "sampler": "random_under"},
    "extra_trees": {"model": "extra_trees"},
    "extra_trees + weight": {"model": "extra_trees", "weight": "power"},
}


@dataclass(frozen=True)
class Scores:
    """What one strategy predicted on one split of one data set."""

    name: str
    strategy: str
    seed: int
    y: np.ndarray
    proba: np.ndarray
    folds: np.ndarray
    y_test: np.ndarray
    proba_test: np.ndarray


def make_parser(text: str | None) -> argparse.ArgumentParser:
    """Make a parser of what scripts that read scores are called with."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path)
    return parser


def score_all(data: Path, seeds: int, kept: Path | None) -> Iterator[Scores]:
    """Yield the scores of every strategy on every split, from a folder where they are there."""
    numbers: dict[str, int] = {}
    for split in binary_splits(data, seeds):
        seed = numbers[split.name] = numbers.get(split.name, -1) + 1
        for strategy in STRATEGIES:
            path = kept and kept / f"{split.name}-{strategy.replace(' ', '')}-{seed}.npz"
            if path is None or not path.exists():
                found = _score(split, strategy)
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    np.savez(path, **found)
            else:
                found = dict(np.load(path))
            yield Scores(split.name, strategy, seed, **found)


def _score(split: Split, strategy: str) -> dict[str, np.ndarray]:
    configuration = load_space("default").default(**STRATEGIES[strategy])
    out_of_fold = split.evaluator.evaluate(configuration).proba
    return {
        "y": split.data.y,
        "proba": out_of_fold,
        "folds": split.evaluator.folds,
        "y_test": split.y_test,
        "proba_test": split.train_averaged(configuration).predict_proba(split.X_test),
    }
