"""How mixed the classes are: the classes of each minority row's nearest neighbours."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset

__all__ = ["minority_overlap"]

# Napierala and Stefanowski (2016) and most later work look at five neighbours.
N_NEIGHBORS = 5
# 1,000 queried rows estimate a share to within .03 (95 %); the rows they are compared
# with are never thinned, for that biases every neighbourhood measure.
MAX_QUERIES = 1000
MAX_ONE_HOT = 10
# A difference of category counts as one standard deviation: 1 / sqrt(2) for each of two columns.
ONE_HOT_HEIGHT = 2**-0.5
CLIP = 5.0


def minority_overlap(dataset: Dataset, seed: int = 0) -> tuple[float, float]:
    """Measure the share of other classes among the neighbours of minority rows.

    This is kDN, the share of disagreeing neighbours (Smith et al. 2014), of the rarest
    class alone, against the whole table. Labels at random give one minus the class's share.

    Parameters
    ----------
    dataset : Dataset
    seed : int
        For the choice of rows, where the class has more than 1,000.

    Returns
    -------
    overlap : float
        From 0 (apart) to 1 (every neighbour of another class).
    half_width : float
        Of its 95 % interval due to the choice of rows; 0 if all were used.

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> table = pd.DataFrame({"x": [*range(20), *range(100, 110)]})
    >>> minority_overlap(make_dataset(table, ["no"] * 20 + ["yes"] * 10))
    (0.0, 0.0)
    """
    from sklearn.neighbors import NearestNeighbors

    rarest = int(dataset.class_counts.argmin())
    members = np.flatnonzero(dataset.y == rarest)
    queries = members
    if len(members) > MAX_QUERIES:
        queries = np.random.default_rng(seed).choice(members, MAX_QUERIES, replace=False)
    Z = distance_table(dataset).astype(np.float32)
    k = min(N_NEIGHBORS, len(Z) - 1)
    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(Z)
    found = search.kneighbors(Z[queries], return_distance=False)
    share = float(_disagreement(found, queries, dataset.y, k).mean())
    thinned = 1 - len(queries) / len(members)
    return share, float(1.96 * np.sqrt(share * (1 - share) / len(queries) * thinned))


def _disagreement(found: IntArray, queries: IntArray, y: IntArray, k: int) -> FloatArray:
    """Share of other classes among the neighbours, the row itself left out."""
    itself = found == queries[:, None]
    # Among many copies of a row the search may not return the row itself: drop the last then.
    itself[~itself.any(axis=1), -1] = True
    neighbours = found[~itself].reshape(len(queries), k)
    return np.asarray((y[neighbours] != y[queries][:, None]).mean(axis=1))


def distance_table(dataset: Dataset) -> FloatArray:
    """Put numbers and categories on one scale for Euclidean distances, without using the target.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    ndarray of shape (n_samples, n_encoded)
    """
    blocks = []
    for j, is_category in enumerate(dataset.schema.is_categorical):
        column = dataset.X[:, j]
        blocks.append(_one_hot(column) if is_category else _z_score(column))
    return np.asarray(np.concatenate(blocks, axis=1))


def _z_score(column: FloatArray) -> FloatArray:
    """Standardise, clip, and mark what is missing."""
    missing = np.isnan(column)
    filled = np.where(missing, np.nanmedian(column), column)
    spread = filled.std()
    scaled = np.clip((filled - filled.mean()) / (spread if spread > 0 else 1.0), -CLIP, CLIP)
    if not missing.any():
        return np.asarray(scaled[:, None])
    return np.column_stack([scaled, missing * ONE_HOT_HEIGHT])


def _one_hot(codes: FloatArray) -> FloatArray:
    """Give the most frequent levels a column each; the rest share one, the missing another."""
    clipped = np.where(np.isnan(codes), MAX_ONE_HOT + 1, np.minimum(codes, MAX_ONE_HOT))
    used = np.unique(clipped)
    return np.asarray((clipped[:, None] == used) * ONE_HOT_HEIGHT)
