"""One class seen against all other rows: everything measured of it, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.profiling.distances import DistanceEncoder
from autoimb.profiling.landmarks import Landmarks, describe_landmarks
from autoimb.profiling.marginal import (
    Sample,
    describe_columns,
    overlap_coefficients,
    univariate_auc,
)
from autoimb.profiling.measures import MEASURES, Estimate, undefined
from autoimb.profiling.neighbours import Neighbourhood, describe_neighbourhood
from autoimb.profiling.sampling import share_estimate, thin
from autoimb.profiling.scan import Rows

__all__ = ["ClassView", "checked", "draw_rows", "view_class"]

# A distribution of 20,000 rows is known to within .01; the more classes, the fewer rows each.
MARGINAL_ROWS = 20_000
LANDMARK_ROWS = 3_000
MIN_ROWS = 500
# Cells of what is looked at: with thousands of columns fewer rows are drawn.
MARGINAL_CELLS = 2e7
LANDMARK_CELLS = 1e6


@dataclass(frozen=True)
class ClassView:
    """What is known of one class.

    Attributes
    ----------
    code : int
    measures : mapping of str to Estimate
    sample : Sample
        Rows of the class and of the rest.
    near : Neighbourhood
    overlaps, auc : ndarray of shape (n_features,)
        Overlap coefficient and ROC AUC of each feature alone.
    suspects : ndarray of int
        Rows of the class that look like the rest to neighbours and to every landmarker alike.
    """

    code: int
    measures: Mapping[str, Estimate]
    sample: Sample
    near: Neighbourhood
    overlaps: FloatArray
    auc: FloatArray
    suspects: IntArray


def view_class(
    dataset: Dataset,
    encoder: DistanceEncoder,
    code: int,
    seed: int,
    *,
    n_views: int,
    share: float,
    n_threads: int,
) -> ClassView:
    """Measure one class against the rest.

    Parameters
    ----------
    dataset : Dataset
        With at least one feature.
    encoder : DistanceEncoder
    code : int
        Of the class.
    seed : int
    n_views : int
        How many classes share the work.
    share : float
        Part of the work of a profile that may be spent on all of them.
    n_threads : int

    Returns
    -------
    ClassView
    """
    is_member = dataset.y == code
    table = Rows(dataset.X, encoder, n_threads=n_threads)
    near = describe_neighbourhood(
        table, is_member, seed, n_columns=encoder.n_columns, share=share / n_views
    )
    per_side = _affordable(MARGINAL_ROWS, n_views, MARGINAL_CELLS / encoder.n_columns / 2)
    rows = draw_rows(is_member.astype(np.intp), per_side, seed)
    sample = _sample(dataset, encoder, rows, code)
    overlaps, auc = overlap_coefficients(sample), univariate_auc(sample)
    n_landmarks = _affordable(LANDMARK_ROWS, n_views, LANDMARK_CELLS / encoder.n_columns)
    few = draw_rows(sample.is_member.astype(np.intp), n_landmarks, seed)
    landmarks = describe_landmarks(sample.part(few), seed)
    measures = {
        **describe_columns(sample, overlaps, auc, np.bincount(is_member) <= per_side),
        **near.estimates,
        **landmarks.estimates,
        "label_conflict_share": _conflicts(dataset, code),
    }
    suspects = _suspects(near, landmarks, rows[few])
    return ClassView(code, checked(measures), sample, near, overlaps, auc, suspects)


def draw_rows(y: IntArray, n_each: int, seed: int) -> IntArray:
    """Draw at most so many rows of each class, in order.

    Examples
    --------
    >>> draw_rows(np.array([0, 1, 0, 1]), 5, seed=0)
    array([0, 1, 2, 3])
    """
    if n_each >= np.bincount(y).max():
        return np.arange(len(y))
    rng = np.random.default_rng(seed)
    parts = [thin(np.flatnonzero(y == c), n_each, rng) for c in np.unique(y)]
    return np.sort(np.concatenate(parts))


def checked(measures: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Put measures in the order of their table; what is no number is called undefined."""
    found = {}
    for name in MEASURES:
        if name in measures:
            value = measures[name].value
            is_number = value is None or math.isfinite(value)
            found[name] = measures[name] if is_number else undefined("it is not a finite number")
    return found


def _affordable(n_most: int, n_views: int, by_cells: float) -> int:
    return min(max(n_most // n_views, MIN_ROWS), max(int(by_cells), 2))


def _sample(dataset: Dataset, encoder: DistanceEncoder, rows: IntArray, code: int) -> Sample:
    X = dataset.X[rows]
    is_member = dataset.y == code
    is_categorical = np.asarray(dataset.schema.is_categorical, dtype=bool)
    return Sample(X, encoder.encode(X), is_member[rows], is_categorical, float(is_member.mean()))


def _conflicts(dataset: Dataset, code: int) -> Estimate:
    """Share of the rows of a class that are repeated in another."""
    groups, is_member = dataset.duplicate_groups, dataset.y == code
    elsewhere = np.zeros(dataset.n_distinct, dtype=bool)
    elsewhere[groups[~is_member]] = True
    found: Any = elsewhere[groups[is_member]]
    return replace(share_estimate(found, len(found)), n_ref=len(groups) - 1)


def _suspects(near: Neighbourhood, landmarks: Landmarks, rows: IntArray) -> IntArray:
    """Find rows whose whole neighbourhood and every learner say that they are of the rest."""
    # As many enemies nearer than the next row of the class as if labels were dealt at random.
    is_lost = (near.enemies == near.k) & (near.surrounded >= 0.5)
    return np.intersect1d(near.queries[is_lost], rows[landmarks.doubted])
