"""What the pictures of a profile show, small enough to keep with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.profiling.marginal import Sample
from autoimb.profiling.neighbours import Neighbourhood

__all__ = ["KINDS", "FeatureSketch", "Sketch", "principal_axes", "sketch_features", "sketch_plane"]

# Of a row, by the number of enemies among its five neighbours.
KINDS = ("other class", "safe", "borderline", "rare", "outlier")
KIND_OF_ENEMIES = np.array([1, 1, 2, 2, 3, 4])
MAX_FEATURES = 10
VARIANCE_KEPT = 0.95


@dataclass(frozen=True)
class FeatureSketch:
    """How a feature is distributed in the class and in the rest.

    Attributes
    ----------
    name : str
    overlap, auc : float
        Overlap coefficient, and ROC AUC either way round (at least .5).
    bins : tuple of str
        What each bin holds: the upper end of its values, or the level.
    minority, rest : tuple of float
        Share of the rows of each in the bins; they sum to one.
    """

    name: str
    overlap: float
    auc: float
    bins: tuple[str, ...]
    minority: tuple[float, ...]
    rest: tuple[float, ...]


@dataclass(frozen=True)
class Sketch:
    """The rarest class among the rest, in two dimensions and feature by feature.

    Attributes
    ----------
    points : tuple of (float, float)
        Rows on the first two principal axes of the encoded table.
    kinds : tuple of int
        Of each point, its place in `KINDS`.
    explained : (float, float)
        Share of the variance along each axis.
    features : tuple of FeatureSketch
        The ten that overlap least, the best first.
    """

    points: tuple[tuple[float, float], ...]
    kinds: tuple[int, ...]
    explained: tuple[float, float]
    features: tuple[FeatureSketch, ...]


@dataclass(frozen=True)
class Axes:
    """Principal axes of encoded rows.

    Attributes
    ----------
    centre : ndarray of shape (n_columns,)
    directions : ndarray of shape (n_columns, 2)
    explained : ndarray of shape (n_axes,)
        Share of the variance along every axis, descending.
    """

    centre: FloatArray
    directions: FloatArray
    explained: FloatArray

    @property
    def share_needed(self) -> float:
        """T4: axes that hold 95 % of the variance, as a share of the columns."""
        needed = int(np.searchsorted(np.cumsum(self.explained), VARIANCE_KEPT - 1e-12)) + 1
        return min(needed, len(self.explained)) / len(self.centre)


def principal_axes(Z: FloatArray) -> Axes:
    """Find the principal axes of encoded rows.

    Parameters
    ----------
    Z : ndarray of shape (n_used, n_columns)

    Returns
    -------
    Axes

    Examples
    --------
    >>> axes = principal_axes(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    >>> axes.explained.round(3), axes.share_needed
    (array([1., 0.]), 0.5)
    """
    centre = Z.mean(axis=0)
    Y = Z - centre
    is_wide = Y.shape[1] > Y.shape[0]
    values, vectors = np.linalg.eigh(Y @ Y.T if is_wide else Y.T @ Y)
    values = np.maximum(values[::-1], 0.0)
    directions = vectors[:, ::-1][:, :2]
    if is_wide:
        directions = Y.T @ directions
        directions /= np.maximum(np.linalg.norm(directions, axis=0), 1e-300)
    if directions.shape[1] < 2:
        directions = np.column_stack([directions, np.zeros(len(directions))])
        values = np.append(values, 0.0) if len(values) < 2 else values
    return Axes(centre, directions, values / (values.sum() or 1.0))


def sketch_plane(
    axes: Axes, Z: FloatArray, is_member: BoolArray, rows: IntArray, near: Neighbourhood
) -> tuple[tuple[tuple[float, float], ...], tuple[int, ...]]:
    """Place rows on the plane and say of which kind each is.

    Parameters
    ----------
    axes : Axes
    Z : ndarray of shape (n_shown, n_columns)
    is_member : ndarray of shape (n_shown,)
    rows : ndarray of shape (n_shown,)
        Their places in the table; members have to be among the queries of `near`.
    near : Neighbourhood

    Returns
    -------
    points : tuple of (float, float)
    kinds : tuple of int
    """
    places = (Z - axes.centre) @ axes.directions
    kinds = np.zeros(len(rows), dtype=np.intp)
    asked = np.searchsorted(near.queries, rows[is_member])
    # With fewer than five neighbours the share of enemies decides.
    enemies = np.rint(near.enemies[asked] * (5 / near.k)).astype(np.intp)
    kinds[is_member] = KIND_OF_ENEMIES[enemies]
    return tuple((float(a), float(b)) for a, b in places), tuple(kinds.tolist())


def sketch_features(
    sample: Sample,
    overlaps: FloatArray,
    auc: FloatArray,
    names: Sequence[str],
    levels: Sequence[Sequence[str]],
) -> tuple[FeatureSketch, ...]:
    """Show the features that overlap least.

    Parameters
    ----------
    sample : Sample
    overlaps, auc : ndarray of shape (n_features,)
    names : sequence of str
    levels : sequence of sequence of str
        Of each feature; empty for numbers.

    Returns
    -------
    tuple of FeatureSketch
    """
    chosen = np.argsort(overlaps, kind="stable")[:MAX_FEATURES]
    return tuple(
        _sketch_feature(
            sample.X[:, j], sample.bins[:, j], sample.is_member, names[j], levels[j],
            float(overlaps[j]), float(max(auc[j], 1 - auc[j])),
        )
        for j in chosen
    )  # fmt: skip


def _sketch_feature(
    column: FloatArray,
    bins: IntArray,
    is_member: BoolArray,
    name: str,
    levels: Sequence[str],
    overlap: float,
    auc: float,
) -> FeatureSketch:
    used, place = np.unique(bins, return_inverse=True)
    shares = [
        np.bincount(place[part], minlength=len(used)) / part.sum()
        for part in (is_member, ~is_member)
    ]
    labels = tuple(_label(column[bins == b], levels) for b in used)
    minority, rest = (tuple(share.tolist()) for share in shares)
    return FeatureSketch(name, overlap, auc, labels, minority, rest)


def _label(cells: FloatArray, levels: Sequence[str]) -> str:
    if np.isnan(cells[0]):
        return "missing"
    if not len(levels):
        return _number(float(cells.max()))
    found = np.unique(cells).astype(int)
    return levels[found[0]] if len(found) == 1 else "other"


def _number(x: float) -> str:
    """Write a number without a power of ten where that is not longer."""
    return f"{x:.0f}" if 1e4 <= abs(x) < 1e7 else f"{x:.4g}"
