"""Build and train what a configuration says."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.calibration import log_odds
from autoimb.decision.prevalence import shift_prevalence
from autoimb.decision.stacking import Blend
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.resampling import BalanceTowards, Resampled, resample
from autoimb.strategy.search_space import import_class
from autoimb.threads import in_threads

__all__ = [
    "AveragedPipeline", "BlendedPipeline", "Pipeline", "RowSource", "TrainedPipeline",
    "TrainingPart", "draw", "read_rows", "train",
]  # fmt: skip

# Probabilities of a row may miss 1 by rounding, not by more.
SUM_TOLERANCE = 1e-3


RowSource = FloatArray | Callable[[], FloatArray]


def read_rows(rows: RowSource) -> FloatArray:
    """Return rows that are at hand, or are read when they are needed."""
    return rows() if callable(rows) else rows


class TrainingPart:
    """Rows to train on, encoded once for each kind of input.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), or callable
        Many rows are given as a function that reads them: they are read and encoded, in single
        precision, whenever they are needed, and nothing of them is kept.
    y : ndarray of shape (n_samples,)
    n_levels : sequence of int
        Categories of each column; 0 for numbers.
    n_classes : int
    seed : int
    rates : ndarray of shape (n_classes,), optional
        Share of each class that these rows are, as `thin` gives it; by default all of it.
    """

    def __init__(
        self,
        X: RowSource,
        y: IntArray,
        n_levels: Sequence[int],
        n_classes: int,
        seed: int,
        rates: FloatArray | None = None,
    ) -> None:
        self.X = X
        self.y = y
        self.n_levels = n_levels
        self.n_classes = n_classes
        self.seed = seed
        self.rates = rates
        self._encoded: dict[str, tuple[Encoder, FloatArray]] = {}

    def encoded(self, kind: str) -> tuple[Encoder, FloatArray]:
        """Return the encoder for a kind of input, and the encoded rows."""
        if callable(self.X):
            return self.encode(kind)
        if kind not in self._encoded:
            self._encoded[kind] = self.encode(kind)
        return self._encoded[kind]

    def encode(self, kind: str) -> tuple[Encoder, FloatArray]:
        """Fit an encoder to the rows."""
        dtype = np.float32 if callable(self.X) else np.float64
        encoder = Encoder(kind, self.n_levels, self.seed, dtype)
        return encoder, encoder.fit_transform(read_rows(self.X), self.y)


@dataclass(frozen=True)
class TrainedPipeline:
    """An encoder and a fitted model: all that predicting needs; no sampler, no training row.

    Attributes
    ----------
    encoder : Encoder
    model : classifier
    n_classes : int
    rates : ndarray of shape (n_classes,) or None
        Share of each class that the model was trained on, which its probabilities are corrected
        for; None for all of it.
    """

    encoder: Encoder
    model: Any
    n_classes: int
    rates: FloatArray | None = None

    @property
    def n_fits(self) -> int:
        """Number of fitted models."""
        return 1

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The numeric matrix.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of the class codes.

        Raises
        ------
        ValueError
            If the model knows too few classes or returns something that is no probability.
        """
        return self.predict_encoded(self.encoder.transform(X))

    def predict_encoded(self, Z: FloatArray) -> FloatArray:
        """Predict probabilities of rows that `encoder` encoded, as `predict_proba` does."""
        name = type(self.model).__name__
        if list(self.model.classes_) != list(range(self.n_classes)):
            raise ValueError(f"{name} was trained on a part without every class")
        if not len(Z):
            return np.empty((0, self.n_classes))
        with in_threads():
            proba = np.asarray(self.model.predict_proba(Z), dtype=float)
        if not np.isfinite(proba).all():
            raise ValueError(f"{name} predicts probabilities that are not finite")
        if proba.min() < 0 or proba.max() > 1 + SUM_TOLERANCE:
            raise ValueError(f"{name} predicts probabilities outside [0, 1]")
        if abs(proba.sum(axis=1) - 1).max() > SUM_TOLERANCE:
            raise ValueError(f"{name} predicts probabilities that do not sum to 1")
        return proba if self.rates is None else shift_prevalence(proba, 1 / self.rates)


@dataclass(frozen=True)
class AveragedPipeline:
    """Several pipelines whose probabilities are averaged (bagging, Breiman 1996).

    Attributes
    ----------
    members : tuple of TrainedPipeline
    """

    members: tuple[TrainedPipeline, ...]

    @property
    def n_fits(self) -> int:
        """Number of fitted models."""
        return len(self.members)

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict the mean probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The numeric matrix.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of the class codes.
        """
        return np.asarray(np.mean([member.predict_proba(X) for member in self.members], axis=0))


@dataclass(frozen=True)
class BlendedPipeline:
    """Several strategies whose log-odds are combined (stacking, Wolpert 1992).

    Attributes
    ----------
    members : tuple of tuple of TrainedPipeline
        The fits of each strategy; their log-odds are averaged before they are combined.
    blend : Blend
    """

    members: tuple[tuple[TrainedPipeline, ...], ...]
    blend: Blend

    @property
    def n_fits(self) -> int:
        """Number of fitted models."""
        return sum(map(len, self.members))

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict the probabilities of the blend.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The numeric matrix.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of the class codes.
        """
        odds = [
            np.mean([log_odds(fit.predict_proba(X)) for fit in fits], axis=0)
            for fits in self.members
        ]
        return self.blend(np.stack(odds, axis=2))


Pipeline = TrainedPipeline | AveragedPipeline | BlendedPipeline


def train(
    configuration: Configuration, part: TrainingPart, *, n_threads: int = 1, seed: int = 0
) -> TrainedPipeline:
    """Train a configuration: sample, weight, fit.

    Parameters
    ----------
    configuration : Configuration
    part : TrainingPart
    n_threads : int
        For classes that take `n_jobs`.
    seed : int
        For classes that take `random_state`.

    Returns
    -------
    TrainedPipeline

    Examples
    --------
    >>> from autoimb.strategy.search_space import load_space
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> part = TrainingPart(X, (X[:, 0] > 30).astype(int), (0,), 2, seed=0)
    >>> strategy = load_space("default").default(model="logistic", sampler="random_over")
    >>> train(strategy, part).predict_proba(np.array([[5.0], [38.0]])).round().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    with warnings.catch_warnings(), in_threads():
        # A component's warnings concern its author; what they mean for the user is its score.
        warnings.simplefilter("ignore")
        return _train(configuration, part, n_threads, seed)


def _train(
    configuration: Configuration, part: TrainingPart, n_threads: int, seed: int
) -> TrainedPipeline:
    rates = part.rates
    if configuration.sampler.class_path is None:
        (encoder, Z), y = part.encoded(configuration.model.input), part.y
    else:
        drawn = draw(configuration.sampler, part, n_threads=n_threads, seed=seed)
        encoder, Z, y = _resample(drawn, configuration.model.input, part)
        rates = _rates_after(drawn, part)
    model = build(configuration.model, encoder, n_threads=n_threads, seed=seed)
    if configuration.ensemble.class_path is not None:
        model = build(
            configuration.ensemble, encoder, n_threads=n_threads, seed=seed, estimator=model
        )
    fitted = _fit(model, configuration.weight, encoder, Z, y)
    return TrainedPipeline(encoder, fitted, part.n_classes, rates)


def _rates_after(drawn: Resampled, part: TrainingPart) -> FloatArray | None:
    """Return the share of each class that was trained on, where a sampler only left rows out.

    Copies and synthetic rows are no sample of their class: what they do to probabilities depends
    on the model, and is left to the calibrator.
    """
    if len(drawn.synthetic) or len(np.unique(drawn.kept)) < len(drawn.kept):
        return part.rates
    sizes = [np.bincount(y, minlength=part.n_classes) for y in (drawn.y, part.y)]
    kept = sizes[0] / np.maximum(sizes[1], 1)
    return np.asarray(kept if part.rates is None else kept * part.rates)


def _fit(model: Any, weight: Choice, encoder: Encoder, Z: FloatArray, y: IntArray) -> Any:
    """Fit a model, weighted if so chosen, telling it which columns hold categories."""
    fit_parameters = {}
    if len(encoder.categorical_features) and has_fit_parameter(model, "categorical_feature"):
        fit_parameters["categorical_feature"] = encoder.categorical_features.tolist()
    if weight.class_path is None:
        return model.fit(Z, y, **fit_parameters)
    weighted = import_class(weight.class_path)(model, **weight.values)
    return weighted.fit(Z, y, **fit_parameters).estimator_


def _resample(
    drawn: Resampled, kind: str, part: TrainingPart
) -> tuple[Encoder, FloatArray, IntArray]:
    """Return what the sampler made of the rows, encoded for the model."""
    encoder, Z = part.encoded(kind)
    n_kept = len(drawn.kept)
    resampled = np.empty((len(drawn.y), Z.shape[1]), dtype=Z.dtype)
    np.take(Z, drawn.kept, axis=0, out=resampled[:n_kept], mode="clip")  # copies nothing besides
    resampled[n_kept:] = encoder.transform(drawn.synthetic)
    return encoder, resampled, drawn.y


def draw(choice: Choice, part: TrainingPart, *, n_threads: int, seed: int) -> Resampled:
    """Let a sampler draw the rows that a model is trained on.

    Parameters
    ----------
    choice : Choice
        Of a sampler.
    part : TrainingPart
    n_threads, seed : int

    Returns
    -------
    Resampled
    """
    encoder, Z = part.encoded(choice.input)
    if callable(part.X):
        # Samplers copy all rows once or twice. Real rows are taken from the table itself, and
        # synthetic ones are drawn at random: single precision is enough for either.
        with np.errstate(over="ignore"):
            Z = Z.astype(np.float32, copy=False)
    sampler = build(choice, encoder, n_threads=n_threads, seed=seed)
    return resample(sampler, encoder, Z, part.y)


def build(
    choice: Choice, encoder: Encoder, *, n_threads: int, seed: int, estimator: Any = None
) -> Any:
    """Instantiate a component, offering what its class takes: seed, threads, category columns.

    Parameters
    ----------
    choice : Choice
    encoder : Encoder
        Of the table that the component will see.
    n_threads, seed : int
    estimator : object, optional
        What an ensemble is made of.

    Returns
    -------
    object
    """
    assert choice.class_path is not None
    found = import_class(choice.class_path)
    offered: dict[str, Any] = {"random_state": seed, "n_jobs": n_threads}
    if estimator is not None:
        offered["estimator"] = estimator
    if len(encoder.categorical_features):
        offered["categorical_features"] = encoder.categorical_features.tolist()
    if choice.balance is not None:
        over = getattr(found, "_sampling_type", "") == "over-sampling"
        offered["sampling_strategy"] = BalanceTowards(choice.balance, "over" if over else "under")
    named = _parameters_of(found)
    taken = {k: v for k, v in offered.items() if k in named and named[k].default != "deprecated"}
    return found(**{**taken, **choice.values})


@lru_cache
def _parameters_of(found: type) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(found).parameters
