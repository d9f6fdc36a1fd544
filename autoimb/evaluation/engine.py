"""Cross-validate a configuration, with all that repeats between configurations done once."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.evaluation.scoring import Score, score_out_of_fold
from autoimb.metrics import get_metric
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import TrainingPart, train

__all__ = ["Evaluation", "Evaluator"]


@dataclass(frozen=True)
class Evaluation:
    """What cross-validation found.

    Attributes
    ----------
    proba : ndarray of shape (n_samples, n_classes), float32
        Each row's by a model that has not seen it.
    scores : mapping of str to Score
    seconds : float
        Of training and predicting.
    """

    proba: NDArray[np.float32]
    scores: Mapping[str, Score]
    seconds: float


class Evaluator:
    """Cross-validate configurations on one dataset.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y, folds : ndarray of shape (n_samples,)
        Class codes, and the fold that scores each row.
    n_levels : sequence of int
        Categories of each column; 0 for numbers.
    n_classes : int
    metric : str
    seed : int
    n_threads : int
        Of one model.

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> from autoimb.strategy.search_space import load_space
    >>> table = pd.DataFrame({"x": range(60)})
    >>> dataset = make_dataset(table, ["no"] * 40 + ["yes"] * 20)
    >>> evaluator = Evaluator.on(dataset, np.arange(60) % 3, "f1", seed=0)
    >>> evaluator.evaluate(load_space("default").default(model="logistic")).scores["f1"].value
    0.95
    """

    def __init__(
        self,
        X: FloatArray,
        y: IntArray,
        folds: IntArray,
        n_levels: Sequence[int],
        n_classes: int,
        metric: str,
        seed: int,
        n_threads: int = 1,
    ) -> None:
        self.X = X
        self.y = y
        self.folds = folds
        self.n_levels = n_levels
        self.n_classes = n_classes
        self.metric = metric
        self.seed = seed
        self.n_threads = n_threads
        self._parts: dict[int, TrainingPart] = {}

    @classmethod
    def on(
        cls, dataset: Dataset, folds: IntArray, metric: str, seed: int, n_threads: int = 1
    ) -> Evaluator:
        """Make the evaluator of a dataset."""
        levels = dataset.schema.n_levels
        return cls(dataset.X, dataset.y, folds, levels, dataset.n_classes, metric, seed, n_threads)

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.folds.max()) + 1

    def save(self, folder: Path) -> None:
        """Write what other processes need; they map the arrays instead of copying them."""
        for name in ("X", "y", "folds"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        rest = (self.n_levels, self.n_classes, self.metric, self.seed, self.n_threads)
        (folder / "evaluator.pkl").write_bytes(pickle.dumps(rest))

    @classmethod
    def load(cls, folder: Path) -> Evaluator:
        """Read what `save` wrote."""
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("X", "y", "folds")]
        return cls(*arrays, *pickle.loads((folder / "evaluator.pkl").read_bytes()))

    def evaluate(
        self, configuration: Configuration, check: Callable[[], None] = lambda: None
    ) -> Evaluation:
        """Cross-validate a configuration.

        Parameters
        ----------
        configuration : Configuration
        check : callable
            Called before every fold; ends the evaluation by raising.

        Returns
        -------
        Evaluation

        Raises
        ------
        Exception
            Whatever a component raises; ValueError for predictions that are no probabilities.
        """
        begun = time.perf_counter()
        proba = np.empty((len(self.y), self.n_classes), dtype=np.float32)
        with threadpool_limits(self.n_threads):
            for fold in range(self.n_folds):
                check()
                pipeline = train(
                    configuration,
                    self.training_part(fold),
                    n_threads=self.n_threads,
                    seed=self.seed,
                )
                scored = self.folds == fold
                proba[scored] = pipeline.predict_proba(self.X[scored])
        seconds = time.perf_counter() - begun
        scores = score_out_of_fold(get_metric(self.metric), self.y, proba.astype(float), self.folds)
        return Evaluation(proba, scores, seconds)

    def training_part(self, fold: int) -> TrainingPart:
        """Return what is trained on to score a fold, with its encodings."""
        if fold not in self._parts:
            rows = self.folds != fold
            self._parts[fold] = TrainingPart(
                self.X[rows], self.y[rows], self.n_levels, self.n_classes, self.seed
            )
        return self._parts[fold]
