"""Models of folds, each with rows of the fold that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.search.excerpt import excerpt_of
from autoimb.strategy.pipeline import TrainedPipeline

__all__ = ["Fits", "Unseen", "choose_unseen"]

Fits = Mapping[int, TrainedPipeline]


@dataclass(frozen=True)
class Unseen:
    """Rows, and models of which one has not seen them: that of their fold.

    Attributes
    ----------
    fits : mapping of int to TrainedPipeline
        By the fold that each was trained without.
    rows : ndarray of shape (n_rows,)
        Their places in the table.
    fold : ndarray of shape (n_rows,)
        That each is of.
    counts_as : ndarray of shape (n_rows,)
        How many rows of its fold and class each stands for.
    """

    fits: Fits
    rows: IntArray
    fold: IntArray
    counts_as: FloatArray

    def take(self, places: IntArray) -> Unseen:
        """Keep some rows, given by their places among these."""
        return Unseen(self.fits, self.rows[places], self.fold[places], self.counts_as[places])

    def parts(self) -> Iterator[tuple[TrainedPipeline, IntArray]]:
        """Yield each model with the places, among these, of the rows that it has not seen."""
        for fold, pipeline in self.fits.items():
            places = np.flatnonzero(self.fold == fold)
            if len(places):
                yield pipeline, places

    def predict(self, X: FloatArray) -> FloatArray:
        """Predict each row by the model that has not seen it.

        Parameters
        ----------
        X : ndarray of shape (n_copies, n_rows, n_features)
            The rows, several times, with whatever was changed in them.

        Returns
        -------
        ndarray of shape (n_copies, n_rows, n_classes)
        """
        proba: FloatArray | None = None
        for pipeline, places in self.parts():
            some = X[:, places]
            found = pipeline.predict_proba(some.reshape(-1, X.shape[2]))
            found = found.reshape(len(X), len(places), -1)
            if proba is None:
                proba = np.empty((len(X), len(self.rows), found.shape[2]))
            proba[:, places] = found
        assert proba is not None
        return proba


def choose_unseen(fits: Fits, evaluator: Evaluator, max_rows: int) -> Unseen:
    """Choose rows of the folds that models were trained without: of rare classes all if possible.

    Parameters
    ----------
    fits : mapping of int to TrainedPipeline
        By fold.
    evaluator : Evaluator
    max_rows : int

    Returns
    -------
    Unseen
    """
    rows = np.concatenate([evaluator.scored_rows(fold) for fold in fits])
    found = excerpt_of(evaluator.y[rows], max_rows, evaluator.seed)
    kept = rows[found.rows]
    return Unseen(fits, kept, evaluator.folds[kept], found.counts_as)
