"""Nearest rows of a large table, exactly.

No row is left out of the reference, which would bias every measure of neighbourhoods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.profiling.scan import CELLS, Found, Rows, Scan

__all__ = ["Neighbours", "count_nearer", "find_nearest"]

# Kept beyond k: the exact distances of candidates may stand in another order than the products'.
SPARE = 3


@dataclass(frozen=True)
class Neighbours:
    """What was found near each query.

    Attributes
    ----------
    distances : ndarray of shape (n_queries, k)
        Ascending, exact in 64 bits; infinite where there are fewer rows.
    rows : ndarray of shape (n_queries, k)
        Their places in the table; -1 where there are fewer.
    n_nearer : ndarray of shape (n_queries,)
        Rows nearer than the query's radius; zeros if none was given.
    """

    distances: FloatArray
    rows: IntArray
    n_nearer: IntArray


def find_nearest(
    table: Rows, queries: IntArray, references: IntArray, k: int, radii: FloatArray | None = None
) -> Neighbours:
    """Find the `k` nearest of the reference rows, and count those within a radius.

    Parameters
    ----------
    table : Rows
    queries, references : ndarray of int
        Places of rows, ascending. A query is not its own neighbour.
    k : int
    radii : ndarray of shape (n_queries,), optional
        Distances; reference rows strictly nearer are counted, the query itself included.

    Returns
    -------
    Neighbours

    Examples
    --------
    >>> class AsIs:
    ...     def encode(self, X, dtype):
    ...         return X.astype(dtype)
    >>> rows = Rows(np.array([[0.0], [1.0], [3.0], [7.0]]), AsIs())
    >>> found = find_nearest(rows, np.array([1]), np.arange(4), 2, np.array([2.5]))
    >>> found.distances, found.rows, found.n_nearer
    (array([[1., 2.]]), array([[0, 2]]), array([3]))
    """
    scan = _open_scan(table, queries, references, radii)
    found = _search(scan, k, radii)
    if scan.cannot_tell(found.distances[:, 0]):
        return _search(Scan(table, queries, references, in_64_bits=True), k, radii)
    return found


def _open_scan(
    table: Rows, queries: IntArray, references: IntArray, radii: FloatArray | None
) -> Scan:
    scan = Scan(table, queries, references)
    if radii is None or not scan.cannot_tell(radii):
        return scan
    return Scan(table, queries, references, in_64_bits=True)


def _search(scan: Scan, k: int, radii: FloatArray | None) -> Neighbours:
    queries = scan.query_rows
    n_kept = k + SPARE + 1
    best = np.full((len(queries), n_kept), np.inf)
    rows = np.full((len(queries), n_kept), -1, dtype=np.intp)
    bounds = scan.first_bounds(n_kept)
    limits = None if radii is None else scan.in_its_unit(radii)
    n_nearer = np.zeros(len(queries), dtype=np.intp)
    for found in scan.over_slabs(bounds, limits):
        n_nearer += found.n_within
        _merge(best, rows, found)
        np.minimum(bounds, best.max(axis=1), out=bounds)
    rows[rows == queries[:, None]] = -1
    best = best if scan.is_exact else _measure_exactly(scan.table, queries, rows)
    best[rows < 0] = np.inf
    order = np.argsort(best, axis=1, kind="stable")[:, :k]
    best, rows = (np.take_along_axis(x, order, axis=1) for x in (best, rows))
    return Neighbours(best, rows, n_nearer)


def count_nearer(
    table: Rows,
    queries: IntArray,
    references: IntArray,
    radii: FloatArray,
    stop: int | None = None,
    *,
    with_equal: bool = False,
) -> IntArray:
    """Count the reference rows nearer than a radius, the query itself left out.

    Parameters
    ----------
    table : Rows
    queries, references : ndarray of int
        Places of rows, ascending.
    radii : ndarray of shape (n_queries,)
    stop : int, optional
        Enough: a query that has so many is not followed further.
    with_equal : bool
        Whether rows at the radius, or too close to it to tell, count too.

    Returns
    -------
    ndarray of shape (n_queries,)
        At most `stop`, if given.
    """
    counts = np.zeros(len(queries), dtype=np.intp)
    open_ = np.arange(len(queries))
    scan = _open_scan(table, queries, references, radii)
    limits = scan.in_its_unit(radii)
    if with_equal:
        limits += scan.tolerance(limits)
    slabs = scan.slabs()
    while len(open_) and slabs:
        # Few rows settle most queries; then the rest is scanned many slabs at a time.
        taken, slabs = slabs[: scan.table.n_threads * 4], slabs[scan.table.n_threads * 4 :]
        for found in scan.over_slabs(None, limits, open_, taken):
            counts[open_] += found.n_within
        if stop is not None:
            keep = counts[open_] < stop
            open_ = open_[keep]
    return counts if stop is None else np.minimum(counts, stop)


def _merge(best: FloatArray, rows: IntArray, found: Found) -> None:
    """Let what was found replace the furthest of the lists, in place; of equals the first stays."""
    # The n-th find of every query in one go: queries come in order, and few have several.
    first = np.searchsorted(found.queries, found.queries)
    number = np.arange(len(found.queries)) - first
    for n in range(number.max(initial=-1) + 1):
        now = np.flatnonzero(number == n)
        queries = found.queries[now]
        furthest = best[queries].argmax(axis=1)
        is_nearer = found.values[now] < best[queries, furthest]
        now, queries, furthest = now[is_nearer], queries[is_nearer], furthest[is_nearer]
        best[queries, furthest] = found.values[now]
        rows[queries, furthest] = found.rows[now]


def _measure_exactly(table: Rows, queries: IntArray, candidates: IntArray) -> FloatArray:
    """Measure the distances of candidates in 64 bits."""
    distances = np.full(candidates.shape, np.inf)
    n_columns = table.points(queries[:1]).shape[1]
    step = max(CELLS // (n_columns * candidates.shape[1]), 1)
    for start in range(0, len(queries), step):
        part = candidates[start : start + step]
        i, j = np.nonzero(part >= 0)
        points = table.points(queries[start : start + step])
        gaps = table.points(part[i, j]) - points[i]
        distances[start + i, j] = np.sqrt((gaps**2).sum(axis=1))
    return distances
