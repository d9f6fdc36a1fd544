from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike
from scipy.spatial.distance import cdist

from autoimb.arrays import FloatArray, IntArray
from autoimb.profiling import scan
from autoimb.profiling.nearest import Neighbours, count_nearer, find_nearest
from autoimb.profiling.scan import Rows

# How a table is scanned: every way has to find the same.
PRODUCTS: dict[str, float] = {"EXACT_WORK": 0, "MANY_UNTOLD": -1.0}
PRODUCTS_32: dict[str, float] = {"EXACT_WORK": 0, "MANY_UNTOLD": 1.0}
WAYS: dict[str, dict[str, float]] = {
    "distances": {},
    "distances, many slabs": {"ROWS_A_SLAB": 64},
    "distances, few queries a block": {"QUERIES_A_BLOCK": 7},
    "products": PRODUCTS,
    "products, many slabs": PRODUCTS | {"ROWS_A_SLAB": 64},
    "32 bits": PRODUCTS_32,
    "32 bits, many slabs": PRODUCTS_32 | {"ROWS_A_SLAB": 64},
    "32 bits, few cells at a time": PRODUCTS_32 | {"CELLS": 200},
    "32 bits, threads": PRODUCTS_32 | {"ROWS_A_SLAB": 64, "THREADED_WORK": 0},
}
each_way = pytest.mark.parametrize("way", WAYS)


class AsIs:
    def encode(self, X: FloatArray, dtype: DTypeLike) -> Any:
        return X.astype(dtype)


@dataclass(frozen=True)
class Case:
    X: FloatArray
    queries: IntArray
    references: IntArray
    k: int

    @property
    def distances(self) -> FloatArray:
        """From every query to every reference; infinite from a row to itself."""
        D = cdist(self.X[self.queries], self.X[self.references])
        D[self.queries[:, None] == self.references] = np.inf
        return D


@st.composite
def cases(draw: Any) -> Case:
    n, n_columns = draw(st.integers(1, 60)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few whole numbers make many copies and many ties.
    X = draw_table(rng, n, n_columns, draw(st.sampled_from(["normal", "grid", "bits", "copies"])))
    references = np.flatnonzero(rng.random(n) < draw(st.sampled_from([0.1, 0.5, 1.0])))
    if not len(references):
        references = np.array([0])
    among = draw(st.sampled_from(["inside", "outside", "both"]))
    candidates = {"inside": references, "outside": np.setdiff1d(np.arange(n), references)}
    queries = candidates.get(among, np.arange(n))
    return Case(X, queries if len(queries) else np.arange(n), references, draw(st.integers(1, 12)))


def draw_table(rng: np.random.Generator, n: int, n_columns: int, kind: str) -> FloatArray:
    if kind == "normal":
        return rng.normal(size=(n, n_columns))
    if kind == "copies":
        return rng.normal(size=(max(n // 4, 1), n_columns))[rng.integers(0, max(n // 4, 1), n)]
    return rng.integers(0, 2 if kind == "bits" else 5, (n, n_columns)).astype(float)


def draw_case(seed: int, n: int = 2000, n_columns: int = 5, k: int = 5) -> Case:
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.choice(n, n // 4, replace=False))
    return Case(rng.normal(size=(n, n_columns)), queries, np.arange(0, n, 2), k)


def rows_of(case: Case, way: str = "", offset: float = 0.0) -> Rows:
    return Rows(case.X + offset, AsIs(), n_threads=2 if "threads" in way else 1)


def search(case: Case, way: str = "", radii: FloatArray | None = None) -> Neighbours:
    return find_nearest(rows_of(case, way), case.queries, case.references, case.k, radii)


def scan_like(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(scan, name, value)


def assert_nearest(found: Neighbours, case: Case, tolerance: float = 1e-9) -> None:
    """Compare with all distances; of equally far rows any may be named."""
    D = case.distances
    expected = np.full((len(D), max(case.k, D.shape[1])), np.inf)
    expected[:, : D.shape[1]] = np.sort(D, axis=1)
    np.testing.assert_allclose(found.distances, expected[:, : case.k], rtol=0, atol=tolerance)
    is_found = np.isfinite(found.distances)
    np.testing.assert_array_equal(is_found, found.rows >= 0)
    i, j = np.nonzero(is_found)
    rows = found.rows[i, j]
    assert np.isin(rows, case.references).all()
    assert (rows != case.queries[i]).all()
    assert len(set(zip(i, rows, strict=True))) == len(i)
    apart = np.linalg.norm(case.X[rows] - case.X[case.queries[i]], axis=1)
    np.testing.assert_allclose(found.distances[i, j], apart, rtol=1e-12, atol=1e-15)


@each_way
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_it_finds_what_all_distances_tell(way: str, case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        scan_like(patch, way)
        # Products of 32 bits choose the candidates; of almost equally far ones either may stay.
        assert_nearest(search(case, way), case, 2e-3 if "32" in way else 1e-9)


@each_way
@settings(max_examples=40, deadline=None)
@given(case=cases(), share=st.floats(0, 1))
def test_it_counts_the_rows_within_a_radius(way: str, case: Case, share: float) -> None:
    radii, D = gap_radii(case.distances, share), case.distances
    expected = (radii[:, None] > D).sum(axis=1)
    rows = rows_of(case, way)
    with pytest.MonkeyPatch.context() as patch:
        scan_like(patch, way)
        counted = count_nearer(rows, case.queries, case.references, radii)
        stopped = count_nearer(rows, case.queries, case.references, radii, 3)
        found = search(case, way, radii)
    np.testing.assert_array_equal(counted, expected)
    np.testing.assert_array_equal(stopped, np.minimum(expected, 3))
    is_reference = np.isin(case.queries, case.references)
    np.testing.assert_array_equal(found.n_nearer, expected + is_reference)


def gap_radii(D: FloatArray, share: float) -> FloatArray:
    """Give radii amid the distances of each query, in the widest gap or near that place."""
    ordered = np.sort(np.where(np.isfinite(D), D, 0.0), axis=1)
    ordered = np.column_stack([np.zeros(len(D)), ordered, ordered[:, -1] + 1])
    gaps = np.diff(ordered, axis=1)
    wanted = share * gaps.shape[1]
    worth = np.where(gaps > 0.01, -np.abs(np.arange(gaps.shape[1]) - wanted), -np.inf)
    i, j = np.arange(len(D)), worth.argmax(axis=1)
    return np.asarray(ordered[i, j] + gaps[i, j] / 2)


@pytest.mark.parametrize("n_columns", [1, 2, 3, 5, 7])
def test_a_row_at_the_radius_is_not_nearer(n_columns: int) -> None:
    X = np.array([[0.0] * n_columns, [1.0] * n_columns, [0.5] * n_columns])
    case = Case(X, np.array([0]), np.array([1, 2]), 2)
    radii = search(case).distances[:, 1]
    assert count_nearer(rows_of(case), case.queries, case.references, radii).tolist() == [1]
    assert search(case, radii=radii).n_nearer.tolist() == [1]


@each_way
def test_those_at_the_radius_count_too_if_asked_for(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.random.default_rng(0).integers(0, 4, (300, 3)).astype(float)
    case = Case(X, np.arange(50), np.arange(300), 10)
    scan_like(monkeypatch, way)
    radii = search(case, way).distances[:, -1]
    expected = (case.distances <= radii[:, None] + 1e-9).sum(axis=1)
    for stop in (None, 5):
        counted = count_nearer(
            rows_of(case, way), case.queries, case.references, radii, stop, with_equal=True
        )
        wanted = expected if stop is None else np.minimum(expected, stop)
        np.testing.assert_array_equal(counted, wanted)


@each_way
def test_a_table_of_several_slabs_and_blocks(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scan_like(monkeypatch, way)
    case = draw_case(0, n=5000)
    assert_nearest(search(case, way), case)


@pytest.mark.parametrize("seed", range(3))
def test_threads_find_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = draw_case(seed)
    radii = case.distances.min(axis=1) * 1.5
    scan_like(monkeypatch, "32 bits, threads")
    one, two = search(case, "", radii), search(case, "threads", radii)
    np.testing.assert_array_equal(one.distances, two.distances)
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_array_equal(one.n_nearer, two.n_nearer)
    for stop in (None, 2):
        counts = [
            count_nearer(rows_of(case, w), case.queries, case.references, radii, stop)
            for w in ("", "threads")
        ]
        np.testing.assert_array_equal(*counts)


@each_way
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_rows_that_are_all_alike_are_at_no_distance(
    way: str, offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan_like(monkeypatch, way)
    case = Case(np.full((900, 3), offset), np.arange(0, 900, 3), np.arange(900), 5)
    found = search(case, way)
    assert (found.distances == 0).all()
    assert_nearest(found, case)


@each_way
def test_a_crowd_of_copies_hides_no_other_row(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scan_like(monkeypatch, way)
    X = np.r_[np.zeros(700), np.arange(1.0, 6.0), np.full(300, 9.0)][:, None]
    case = Case(X, np.arange(699, 706), np.arange(len(X)), 8)
    assert_nearest(search(case, way), case)


@each_way
def test_where_there_are_fewer_rows_the_rest_is_infinitely_far(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan_like(monkeypatch, way)
    case = Case(np.arange(4.0)[:, None], np.array([1, 3]), np.array([1, 2]), 3)
    found = search(case, way)
    assert found.distances.tolist() == [[1, np.inf, np.inf], [1, 2, np.inf]]
    assert found.rows.tolist() == [[2, -1, -1], [2, 1, -1]]


@each_way
def test_a_row_alone_has_no_neighbour(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scan_like(monkeypatch, way)
    case = Case(np.array([[2.0, 3.0]]), np.array([0]), np.array([0]), 2)
    found = search(case, way)
    assert found.rows.tolist() == [[-1, -1]]
    assert np.isinf(found.distances).all()
    radii = np.array([np.inf])
    assert count_nearer(rows_of(case), case.queries, case.references, radii).tolist() == [0]


@each_way
@pytest.mark.parametrize("radius", [np.finfo(np.float32).max, np.inf, 0.0])
def test_radii_may_be_as_large_or_small_as_can_be(
    way: str, radius: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan_like(monkeypatch, way)
    case = Case(np.arange(40.0)[:, None], np.arange(20), np.arange(20, 40), 5)
    radii = np.full(20, radius, dtype=float)
    expected = 20 if radius else 0
    assert (search(case, way, radii).n_nearer == expected).all()
    counts = count_nearer(rows_of(case, way), case.queries, case.references, radii)
    assert (counts == expected).all()


def test_jitter_deals_out_ties_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    X = np.repeat(np.arange(3.0), 200)[:, None]
    is_marked = rng.random(600) < 0.3
    table = Rows(X, AsIs(), jitter=rng.normal(scale=0.01, size=600))
    found = find_nearest(table, np.arange(600), np.arange(600), 5)
    assert (X[found.rows, 0] == X).all()
    assert is_marked[found.rows].mean() == pytest.approx(0.3, abs=0.06)


def test_memory_does_not_grow_with_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).normal(size=(20_000, 5))
    queries, references = np.arange(2000), np.arange(20_000)
    tracemalloc.start()
    found = find_nearest(Rows(X, AsIs()), queries, references, 5)
    count_nearer(Rows(X, AsIs()), queries, references, found.distances[:, 4])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # a number for each pair takes 320 MB, a truth value 40 MB
