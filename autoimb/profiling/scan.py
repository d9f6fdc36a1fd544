"""Comparing queries with every row of a table, block by block that fits the cache.

A block of squared distances is one matrix product and one comparison with each query's current
bound; the few that pass are kept. Memory does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike
from scipy.spatial.distance import cdist

from autoimb.arrays import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["CELLS", "Found", "Rows", "Scan"]

# A block of 256 x 4,096 distances stays in the cache between product and comparison.
QUERIES_A_BLOCK = 256
ROWS_A_SLAB = 4096
# Cells of rows that are encoded at a time: bounds the memory with many columns.
CELLS = 4_000_000
# Up to so many differences of numbers, distances are taken directly in 64 bits; beyond it as
# products in 32 bits, which are many times as fast.
EXACT_WORK = 3e7
THREADED_WORK = 3e8
# If more queries than this have a radius that 32 bits do not tell from 0, 64 bits are taken.
MANY_UNTOLD = 0.02
# Of the reference rows, the first look that bounds how far the nearest ones can be.
FIRST_ROWS = 512
# Products are this exact, in units of their last digit; a bound has to lie beyond it.
ROUNDING = 100.0
WORD = 64


class Encoder(Protocol):
    """What places rows for Euclidean distance."""

    def encode(self, X: FloatArray, dtype: DTypeLike) -> Any:
        """Place rows."""


@dataclass(frozen=True)
class Rows:
    """The rows of a table as points.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    encoder : Encoder
    jitter : ndarray of shape (n_samples,), optional
        A further coordinate that deals out ties at random.
    n_threads : int
    """

    X: FloatArray
    encoder: Encoder
    jitter: FloatArray | None = None
    n_threads: int = 1

    def points(self, rows: IntArray, dtype: DTypeLike = np.float64) -> Any:
        """Place some of the rows."""
        Z = self.encoder.encode(self.X[rows], dtype)
        if self.jitter is None:
            return Z
        return np.column_stack([Z, self.jitter[rows].astype(dtype)])


@dataclass(frozen=True)
class Found:
    """What one slab of reference rows holds for the queries."""

    queries: IntArray
    rows: IntArray
    values: FloatArray
    n_within: IntArray


class Scan:
    """Compares queries with reference rows, slab by slab.

    Parameters
    ----------
    table : Rows
    queries, references : ndarray of int
        Places of rows, ascending.
    in_64_bits : bool
        Whatever it costs; by default where it costs little or there is jitter.
    """

    def __init__(
        self,
        table: Rows,
        queries: IntArray,
        references: IntArray,
        *,
        in_64_bits: bool = False,
    ) -> None:
        self.table, self.references, self.query_rows = table, references, queries
        n_columns = table.points(references[:1]).shape[1]
        work = float(len(queries)) * len(references) * n_columns
        self.is_exact = work <= EXACT_WORK
        is_wide = self.is_exact or in_64_bits or table.jitter is not None
        self.dtype = np.float64 if is_wide else np.float32
        self.n_threads = table.n_threads if work > THREADED_WORK else 1
        self.rows_a_slab = max(min(ROWS_A_SLAB, CELLS // n_columns // WORD * WORD), WORD)
        self.points = _in_parts(table, queries, n_columns, self.dtype)
        # What a block leaves out of the squared distances of its rows.
        self.norms = np.zeros(len(queries))
        if not self.is_exact:
            self.norms = np.einsum("ij,ij->i", self.points, self.points)
            self.points = np.column_stack([self.points, np.ones(len(queries), self.dtype)])

    def slabs(self) -> list[IntArray]:
        """Deal the rows out, so that every slab is like the whole table."""
        n_slabs = -(-len(self.references) // self.rows_a_slab)
        return [self.references[i::n_slabs] for i in range(n_slabs)]

    def in_its_unit(self, radii: FloatArray) -> FloatArray:
        """Turn distances into what blocks hold."""
        return radii if self.is_exact else radii**2

    def tolerance(self, values: FloatArray) -> FloatArray:
        """Say how far what blocks hold may be off, and a little more than nothing."""
        rounding = ROUNDING * np.finfo(self.dtype).eps * (values + self.norms)
        return np.asarray(rounding + np.finfo(np.float32).tiny)

    def cannot_tell(self, distances: FloatArray) -> bool:
        """Whether distances are too often lost in the rounding of 32 bits."""
        if self.dtype == np.float64:
            return False
        squares = distances**2
        return bool((squares <= self.tolerance(squares)).mean() > MANY_UNTOLD)

    def first_bounds(self, n_kept: int) -> FloatArray:
        """Bound the distance of the `n_kept`-th nearest row by some of the rows."""
        slab = self.references[:: max(len(self.references) // FIRST_ROWS, 1)][:FIRST_ROWS]
        bounds = np.full(len(self.points), np.inf)
        if len(slab) < n_kept:
            return bounds
        other = self._against(slab)
        for start in range(0, len(bounds), QUERIES_A_BLOCK):
            part = slice(start, start + QUERIES_A_BLOCK)
            block = self._block(self.points[part], other)
            bounds[part] = np.partition(block, n_kept - 1, axis=1)[:, n_kept - 1]
        bounds += self.norms
        # Only what is below a bound is found.
        return bounds + self.tolerance(np.maximum(bounds, 0.0))

    def over_slabs(
        self,
        bounds: FloatArray | None,
        limits: FloatArray | None,
        queries: IntArray | None = None,
        slabs: list[IntArray] | None = None,
    ) -> Iterator[Found]:
        """Scan slabs in order; `bounds` may shrink meanwhile, which only saves work."""
        chosen = np.arange(len(self.points)) if queries is None else queries
        points, norms = self.points[chosen], self.norms[chosen]
        chosen_limits = None if limits is None else limits[chosen]

        def scan(slab: IntArray) -> Found:
            return self._scan_slab(chosen, points, norms, slab, bounds, chosen_limits)

        todo = self.slabs() if slabs is None else slabs
        if self.n_threads == 1:
            yield from map(scan, todo)
            return
        with ThreadPoolExecutor(self.n_threads) as pool:
            yield from pool.map(scan, todo)

    def _scan_slab(
        self,
        chosen: IntArray,
        points: AnyArray,
        norms: AnyArray,
        slab: IntArray,
        bounds: FloatArray | None,
        limits: FloatArray | None,
    ) -> Found:
        other = self._against(slab)
        n_within = np.zeros(len(chosen), dtype=np.intp)
        kept: list[tuple[IntArray, IntArray, FloatArray]] = []
        # Taken once for all blocks: memory fresh from the system costs as much as a comparison.
        room = np.empty((QUERIES_A_BLOCK, -(-len(slab) // WORD) * WORD), self.dtype)
        mask = np.empty(room.shape, dtype=bool)
        for start in range(0, len(chosen), QUERIES_A_BLOCK):
            part = slice(start, min(start + QUERIES_A_BLOCK, len(chosen)))
            n = part.stop - part.start
            block = self._block(points[part], other, room[:n])
            reach, limit = (self._thresholds(x, part, norms) for x in (bounds, limits))
            if reach is None:
                _leave_out(block, self.query_rows[chosen[part]], slab)
                n_within[part] = _count_true(np.less(block, limit, out=mask[:n]))
                continue
            i, j = _find_below(block, reach, limit, n_within[part], mask[:n])
            real = j < len(slab)
            i, j = i[real], j[real]
            kept.append((i + start, slab[j], block[i, j] + norms[part][i]))
        if not kept:
            empty = np.empty(0, dtype=np.intp)
            return Found(empty, empty, np.empty(0), n_within)
        queries, rows, near_values = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        return Found(queries, rows, near_values, n_within)

    def _thresholds(self, values: FloatArray | None, part: slice, norms: AnyArray) -> Any:
        """Turn bounds into what a block is compared with; beyond 32 bits they are infinite."""
        if values is None:
            return None
        with np.errstate(over="ignore"):
            return (values[part] - norms[part]).astype(self.dtype)[:, None]

    def _block(self, points: AnyArray, other: AnyArray, room: AnyArray | None = None) -> AnyArray:
        """Give distances, or their squares less the norms of the queries."""
        if self.is_exact:
            return np.asarray(cdist(points, other, out=room))
        return np.asarray(np.matmul(points, other, out=room))

    def _against(self, slab: IntArray) -> AnyArray:
        """Prepare a slab: a multiple of 64 rows, of which the last are infinitely far."""
        points = self.table.points(slab, self.dtype)
        if self.is_exact:
            return np.pad(points, ((0, -len(slab) % WORD), (0, 0)), constant_values=np.inf)
        n_padded = -(-len(slab) // WORD) * WORD
        other = np.zeros((points.shape[1] + 1, n_padded), self.dtype)
        other[:-1, : len(slab)] = -2 * points.T
        other[-1, : len(slab)] = np.einsum("ij,ij->i", points, points)
        other[-1, len(slab) :] = np.inf
        return other


def _in_parts(table: Rows, rows: IntArray, n_columns: int, dtype: DTypeLike) -> AnyArray:
    """Place many rows without holding many of them in 64 bits."""
    step = max(CELLS // n_columns, 1)
    points = np.empty((len(rows), n_columns), dtype)
    for start in range(0, len(rows), step):
        points[start : start + step] = table.points(rows[start : start + step], dtype)
    return points


def _leave_out(block: AnyArray, queries: IntArray, slab: IntArray) -> None:
    """Put a query infinitely far from itself."""
    place = np.minimum(np.searchsorted(slab, queries), len(slab) - 1)
    itself = np.flatnonzero(slab[place] == queries)
    block[itself, place[itself]] = np.inf


def _count_true(mask: BoolArray) -> IntArray:
    words = np.packbits(mask, axis=1).view(np.uint64)
    return np.asarray(np.bitwise_count(words).sum(axis=1, dtype=np.intp))


def _find_below(
    block: AnyArray,
    reach: AnyArray,
    limit: AnyArray | None,
    n_within: IntArray,
    mask: BoolArray,
) -> tuple[IntArray, IntArray]:
    """Find the few values below the reach of their row, and add up those below its limit."""
    if limit is None:
        return _places_true(np.less(block, reach, out=mask))
    # One comparison does for both where few values pass, which is nearly always.
    np.less(block, np.maximum(reach, limit), out=mask)
    if _count_true(mask).sum() > block.size // WORD:
        n_within += _count_true(np.less(block, limit, out=mask))
        return _places_true(np.less(block, reach, out=mask))
    i, j = _places_true(mask)
    values = block[i, j]
    n_within += np.bincount(i[values < limit[i, 0]], minlength=len(block))
    is_near = values < reach[i, 0]
    return i[is_near], j[is_near]


def _places_true(mask: BoolArray) -> tuple[IntArray, IntArray]:
    """Find the few places that are set: 64 others are skipped at a time."""
    words = np.packbits(mask, axis=1).view(np.uint64)
    i, word = np.nonzero(words)
    which, bit = np.nonzero(mask.reshape(len(mask), -1, WORD)[i, word])
    return i[which], word[which] * WORD + bit
