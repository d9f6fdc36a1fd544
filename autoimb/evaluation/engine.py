"""Cross-validate a configuration, with all that repeats between configurations done once."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.data.splitting import Folds, deal_units, tear_apart
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.scored import Scored
from autoimb.evaluation.folds import Fold, SharedArrays
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score, score_out_of_fold
from autoimb.evaluation.tasks import Evaluation, Task, Training
from autoimb.metrics import Metric, get_metric
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import RowSource, TrainedPipeline, TrainingPart, train
from autoimb.strategy.thinning import thin
from autoimb.threads import limit_threads

__all__ = ["Evaluator"]

# Of the rows of folds that a process keeps at hand.
MAX_KEPT_BYTES = 2**27
# Rows of a file that a process has in its memory while it copies some of them.
ROWS_AT_A_TIME = 100_000


class Evaluator:
    """Cross-validate configurations on one dataset.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        Class codes.
    folds : ndarray of shape (n_samples,) or (n_repeats, n_samples)
        The fold that scores each row, in one or several assignments; -1 for rows that none does.
    n_levels : sequence of int
        Categories of each column; 0 for numbers.
    n_classes : int
    metric : str
    seed : int
    n_threads : int
        Of one model.
    criterion : Criterion, optional
        Of the decision; by default the best value of the metric.
    row_costs : ndarray of shape (n_samples,), optional
        What it costs to miss each row, should it be positive.
    in_time : bool
        Whether folds follow one another in time, each trained on what came before it.
    units : ndarray of shape (n_samples,), optional
        Rows with the same number belong together; by default each row is by itself.

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
        criterion: Criterion | None = None,
        row_costs: FloatArray | None = None,
        in_time: bool = False,
        units: IntArray | None = None,
    ) -> None:
        self._X = X
        self.y = y
        self.assignments = np.atleast_2d(folds)
        self.n_levels = n_levels
        self.n_classes = n_classes
        self.metric = metric
        self.seed = seed
        self.n_threads = n_threads
        self.criterion: Criterion = criterion or BestMetric(metric)
        self.row_costs = row_costs
        self.in_time = in_time
        self.units = np.arange(len(y)) if units is None else units
        self.groups: IntArray | None = None
        self.shared = SharedArrays(None)  # with other processes, once it is loaded by one
        self._folds: dict[str, Fold] = {}
        self._kept_bytes = 0.0

    @classmethod
    def on(
        cls,
        dataset: Dataset,
        folds: IntArray,
        metric: str,
        seed: int,
        n_threads: int = 1,
        criterion: Criterion | None = None,
    ) -> Evaluator:
        """Make the evaluator of a dataset."""
        data = (dataset.X, dataset.y, folds, dataset.schema.n_levels, dataset.n_classes)
        split = (dataset.row_costs, dataset.times is not None, dataset.units)
        evaluator = cls(*data, metric, seed, n_threads, criterion, *split)
        evaluator.groups = dataset.groups
        return evaluator

    def drawn_together(self, rows: IntArray) -> IntArray:
        """Return what a bootstrap draws as one: groups, where the user named them."""
        return np.arange(len(rows)) if self.groups is None else self.groups[rows]

    def with_rows(self, X: FloatArray, y: IntArray) -> Evaluator:
        """Return one that differs in its rows and in nothing else.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)

        Returns
        -------
        Evaluator
            Of the same folds; it recalls nothing that was computed from the rows of this one.
        """
        other = copy(self)
        other._X, other.y = X, y
        other.shared = SharedArrays(None)
        other._folds, other._kept_bytes = {}, 0.0
        return other

    @property
    def X(self) -> FloatArray:
        """The rows."""
        return self._X

    @property
    def folds(self) -> IntArray:
        """The first assignment of rows to folds."""
        return np.asarray(self.assignments[0])

    @cached_property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.folds.max()) + 1

    @property
    def pace(self) -> Metric:
        """The metric that tells from a few folds who falls behind: one that needs no decision."""
        metric = get_metric(self.metric)
        return get_metric(metric.ranking) if metric.needs_decision else metric

    def save(self, folder: Path) -> None:
        """Write what other processes need; they map the arrays instead of copying them."""
        for name in ("X", "y", "assignments", "units"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        rest = (
            self.n_levels, self.n_classes, self.metric, self.seed, self.n_threads, self.criterion,
            self.row_costs, self.in_time,
        )  # fmt: skip
        (folder / "evaluator.pkl").write_bytes(pickle.dumps(rest))
        (folder / "shared").mkdir()

    @classmethod
    def load(cls, folder: Path) -> Evaluator:
        """Read what `save` wrote."""
        names = ("X", "y", "assignments", "units")
        X, y, folds, units = (_map(folder / f"{name}.npy") for name in names)
        rest = pickle.loads((folder / "evaluator.pkl").read_bytes())
        evaluator = _LoadedEvaluator(X, y, folds, *(*rest, units))
        evaluator.path = folder / "X.npy"
        evaluator.shared = SharedArrays(folder / "shared")
        return evaluator

    def evaluate(
        self, asked: Task | Configuration, check: Callable[[], None] = lambda: None
    ) -> Evaluation:
        """Cross-validate a configuration.

        Parameters
        ----------
        asked : Task or Configuration
            A configuration alone is scored on every fold.
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
        task = asked if isinstance(asked, Task) else Task(asked, Level(self.n_folds))
        # Scoring too: threads of linear algebra cost more than so small sums are worth.
        with limit_threads(self.n_threads):
            return self._evaluate(task, check)

    def _evaluate(self, task: Task, check: Callable[[], None]) -> Evaluation:
        started = time.perf_counter()
        begun = task.begun or Evaluation(self._unknown(), {}, 0.0)
        proba, values = begun.proba.copy(), [*begun.fold_values]
        training = begun.training_seconds
        for number in range(len(values), task.level.n_folds):
            check()
            fold = self._fold(number, task.level)
            rows = self.scored_rows(number, task.level.repeat)
            pipeline, seconds = self._train(task.configuration, fold)
            training += seconds
            proba[rows] = fold.predict_proba(pipeline)
            values.append(self._keep_pace(rows, proba))
            if task.hurdle is not None and task.hurdle.is_out_of_reach(values):
                break
        seconds = begun.seconds + time.perf_counter() - started
        if len(values) < task.level.n_folds:
            return Evaluation(proba[:0], {}, seconds, training, tuple(values), False)
        scores = self.score(proba, task.level)
        return Evaluation(proba, scores, seconds, training, tuple(values))

    def _unknown(self) -> NDArray[np.float32]:
        return np.full((len(self.y), self.n_classes), np.nan, dtype=np.float32)

    def _train(self, configuration: Configuration, fold: Fold) -> tuple[TrainedPipeline, float]:
        begun = time.perf_counter()
        pipeline = train(configuration, fold, n_threads=self.n_threads, seed=self.seed)
        return pipeline, time.perf_counter() - begun

    def _keep_pace(self, rows: IntArray, proba: NDArray[np.float32]) -> float:
        """Score one fold by the metric that tells early who falls behind."""
        y = self.y[rows]
        return self.pace.utility(self.pace.evaluate(y, proba[rows].astype(float), y))

    def train(self, training: Training) -> TrainedPipeline:
        """Train a configuration for export.

        Parameters
        ----------
        training : Training

        Returns
        -------
        TrainedPipeline
        """
        if training.fold is None:
            self._make_room(self._bytes_of(min(len(self.y), training.max_rows or len(self.y))))
            part = self._part(np.arange(len(self.y)), training.max_rows)
        else:
            part = self._fold(training.fold, Level(self.n_folds, training.max_rows))
        with limit_threads(self.n_threads):
            return train(training.configuration, part, n_threads=self.n_threads, seed=self.seed)

    def score(self, proba: NDArray[np.float32], level: Level) -> Mapping[str, Score]:
        """Score predictions on the rows that are scored at a level."""
        rows, groups = self.scored(level)
        scored = self.select(rows, proba[rows])
        return score_out_of_fold(get_metric(self.metric), scored, groups, self.criterion)

    def select(self, rows: IntArray, proba: AnyArray) -> Scored:
        """Put what was predicted for some rows beside their classes."""
        costs = None if self.row_costs is None else self.row_costs[rows]
        return Scored(np.asarray(self.y[rows]), np.asarray(proba, dtype=float), costs)

    def scored(self, level: Level) -> tuple[IntArray, Folds]:
        """Tell which rows are scored at a level, and in which folds decisions are tuned apart.

        A single fold is split for the purpose, as if its rows were of one time.

        Returns
        -------
        rows : ndarray of shape (n_scored,)
        folds : Folds
        """
        folds = self._assigned(level.repeat)
        rows = np.flatnonzero((folds.number >= 0) & (folds.number < level.n_folds))
        if level.n_folds > 1:
            return rows, folds.take(rows)
        y, units, rng = self.y[rows], self.units[rows], np.random.default_rng(self.seed)
        dealt = deal_units(y, units, self.n_folds, rng)
        return rows, Folds(tear_apart(dealt, y, self.n_folds, rng), units)

    def training_part(self, fold: int, max_rows: int | None = None) -> Fold:
        """Return what is trained on to score a fold, with its encodings."""
        return self._fold(fold, Level(self.n_folds, max_rows))

    def scored_rows(self, fold: int, repeat: int = 0) -> IntArray:
        """Return the rows that a fold scores, in order."""
        return np.flatnonzero(self.assignments[repeat] == fold)

    def training_rows(self, fold: int, repeat: int = 0) -> IntArray:
        """Return the rows that are trained on to score a fold, in order.

        Those of the other folds or, in time, earlier ones that do not belong to a scored row.
        """
        return np.flatnonzero(self._assigned(repeat).trained_on(fold))

    def half_of_training_rows(self, fold: int, repeat: int = 0) -> IntArray:
        """Return those of half of the other folds, rounded down."""
        others = (fold + 1 + np.arange((self.n_folds - 1) // 2)) % self.n_folds
        return np.flatnonzero(np.isin(self.assignments[repeat], others))

    def fewest_trained(self) -> int:
        """Count the rows of the class that has fewest in what is trained on for some fold."""
        return min(
            int(np.bincount(self.y[self.training_rows(fold, repeat)]).min())
            for repeat in range(len(self.assignments))
            for fold in range(self.n_folds)
        )

    def _assigned(self, repeat: int) -> Folds:
        return Folds(np.asarray(self.assignments[repeat]), self.units, self.in_time)

    def _fold(self, number: int, level: Level) -> Fold:
        """Return a fold, kept at hand as far as memory goes."""
        name = f"{level.repeat}-{number}-{level.max_rows or 'all'}{'-half' * level.is_halved}"
        if name not in self._folds:
            n_bytes = self._estimate_bytes(level)
            self._make_room(n_bytes)
            self._folds[name] = self._make_fold(number, level, name)
            self._kept_bytes += n_bytes
        return self._folds[name]

    def _make_room(self, n_bytes: float) -> None:
        """Drop the folds at hand where further rows would be too many."""
        if self._kept_bytes + n_bytes > MAX_KEPT_BYTES:
            self._folds.clear()
            self._kept_bytes = 0.0

    def _estimate_bytes(self, level: Level) -> float:
        n_rows = len(self.y)
        scored = n_rows / self.n_folds
        trained = min(n_rows - scored, level.max_rows or n_rows)
        return self._bytes_of(trained + scored)

    def _bytes_of(self, n_rows: float) -> float:
        return float(n_rows * self.X.shape[1] * self.X.itemsize)

    def _make_fold(self, number: int, level: Level, name: str) -> Fold:
        choose = self.half_of_training_rows if level.is_halved else self.training_rows
        part = self._part(choose(number, level.repeat), level.max_rows)
        scored = self._rows(self.scored_rows(number, level.repeat))
        return Fold(part, scored, name, self.shared)

    def _rows(self, rows: IntArray) -> RowSource:
        """Copy rows, or tell how to, where many copies would not lie side by side."""
        is_large = self._bytes_of(len(rows)) > MAX_KEPT_BYTES
        return partial(self._take, rows) if is_large else self._take(rows)

    def _take(self, rows: IntArray) -> FloatArray:
        """Copy rows, given in order."""
        return np.asarray(self.X[rows])

    def _part(self, rows: IntArray, max_rows: int | None) -> TrainingPart:
        """Return rows to train on, thinned where they are too many."""
        rates = None
        if max_rows is not None and max_rows < len(rows):
            kept, rates = thin(self.y[rows], max_rows, self.seed)
            rows = rows[kept]
        return TrainingPart(
            self._rows(rows), self.y[rows], self.n_levels, self.n_classes, self.seed, rates
        )


class _LoadedEvaluator(Evaluator):
    """An evaluator whose rows lie in a file."""

    path: Path

    @property
    def X(self) -> FloatArray:
        # Mapped anew each time: what was read of it does not stay with this process.
        return _map(self.path)

    def _take(self, rows: IntArray) -> FloatArray:
        taken = np.empty((len(rows), self.X.shape[1]))
        for start in range(0, len(self.y), ROWS_AT_A_TIME):
            some = slice(*np.searchsorted(rows, (start, start + ROWS_AT_A_TIME)))
            taken[some] = self.X[rows[some]]
        return taken


def _map(path: Path) -> AnyArray:
    return np.asarray(np.load(path, mmap_mode="r"))
