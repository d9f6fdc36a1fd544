"""What the scripts share that train on 70 % of every data set and decide the rest."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import assign_folds
from autoimb.evaluation.engine import Evaluator
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import AveragedPipeline, TrainedPipeline, TrainingPart, train

N_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """A data set in two parts; what is trained on can be cross-validated."""

    name: str
    data: Dataset
    evaluator: Evaluator
    X_test: np.ndarray
    y_test: np.ndarray

    def train(self, strategy: Configuration) -> TrainedPipeline:
        """Train on all rows of the training part."""
        data, seed = self.data, self.evaluator.seed
        part = TrainingPart(data.X, data.y, data.schema.n_levels, data.n_classes, seed)
        return train(strategy, part, seed=seed)

    def train_averaged(self, strategy: Configuration) -> AveragedPipeline:
        """Train on all rows and on those of each fold."""
        parts = map(self.evaluator.training_part, range(N_FOLDS))
        seed = self.evaluator.seed
        members = (train(strategy, part, seed=seed) for part in parts)
        return AveragedPipeline((self.train(strategy), *members))


def parse_arguments(description: str | None, budget: float | None = None) -> argparse.Namespace:
    """Read where the data are, how many splits are wanted and, of a search, how long it takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    if budget is not None:
        parser.add_argument("--budget", type=float, default=budget, help="seconds of each search")
    return parser.parse_args()


def binary_splits(folder: Path, n_seeds: int) -> Iterator[Split]:
    """Yield several splits of each binary data set of a folder's `index.json`."""
    return _splits(folder, n_seeds, of_several_classes=False)


def multiclass_splits(folder: Path, n_seeds: int) -> Iterator[Split]:
    """Yield several splits of each data set of more than two classes."""
    return _splits(folder, n_seeds, of_several_classes=True)


def _splits(folder: Path, n_seeds: int, *, of_several_classes: bool) -> Iterator[Split]:
    for entry in json.loads((folder / "index.json").read_text()):
        if (entry["positive"] == "multiclass") != of_several_classes:
            continue
        table = pd.read_csv(folder / entry["file"])
        for seed in range(n_seeds):
            yield split(entry["name"], table, entry["target"], seed)


def split(name: str, table: pd.DataFrame, target: str, seed: int) -> Split:
    """Keep 30 % of the rows apart, stratified."""
    features, labels = table.drop(columns=target), table[target].astype(str).to_numpy()
    rows, tested = train_test_split(
        np.arange(len(table)), test_size=0.3, stratify=labels, random_state=seed
    )
    data = make_dataset(features.iloc[rows].reset_index(drop=True), labels[rows])
    evaluator = Evaluator.on(data, assign_folds(data, N_FOLDS, seed), "f1", seed)
    X_test = data.schema.to_matrix(features.iloc[tested])
    return Split(name, data, evaluator, X_test, data.labels.encode(labels[tested]))
