from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy import encoding
from autoimb.strategy.encoding import MAX_ONE_HOT, Encoder

NAN = np.nan
FILLED = ["mixed", "numeric", "scaled"]
each_input = pytest.mark.parametrize("kind", ["raw", *FILLED])
each_filled = pytest.mark.parametrize("kind", FILLED)
MANY = 30


def mixed_rows(n: int = 120, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Two numbers, a category with few levels and one with many, all with gaps."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [rng.normal(size=n), rng.integers(0, 5, n), rng.integers(0, 3, n), rng.integers(0, MANY, n)]
    ).astype(float)
    X[rng.random(X.shape) < 0.1] = NAN
    return X, np.arange(n) % 3


LEVELS = (0, 0, 3, MANY)


@st.composite
def tables(draw: Any) -> tuple[FloatArray, tuple[int, ...]]:
    """Numbers and categories of few levels, with gaps, constants and columns all missing."""
    levels = tuple(draw(st.lists(st.sampled_from([0, 0, 1, 2, 5]), min_size=1, max_size=4)))
    n = draw(st.integers(2, 12))
    number = st.one_of(
        st.just(NAN), st.integers(-5, 5).map(float), st.floats(-1e37, 1e37, allow_subnormal=False)
    )
    columns = [
        draw(st.lists(st.sampled_from([NAN, *range(k)]) if k else number, min_size=n, max_size=n))
        for k in levels
    ]
    return np.array(columns, dtype=float).T, levels


@each_input
@settings(max_examples=100, deadline=None)
@given(table=tables())
def test_decoding_gives_back_what_was_encoded(
    kind: str, table: tuple[FloatArray, tuple[int, ...]]
) -> None:
    X, levels = table
    encoder = Encoder(kind, levels)
    Z = encoder.fit_transform(X, np.arange(len(X)) % 2)
    assert kind == "raw" or np.isfinite(Z).all()
    back, is_number = encoder.decode(Z), np.array(levels) == 0
    np.testing.assert_array_equal(back[:, ~is_number], X[:, ~is_number])
    if kind in ("raw", "numeric"):
        np.testing.assert_array_equal(back, X)
    for place, j in enumerate(np.flatnonzero(is_number)):
        # Squashing loses digits of the far tails, and "mixed" does not say what was a gap.
        known = ~np.isnan(X[:, j])
        inside = known & (np.abs(Z[:, place if kind == "scaled" else j]) < 2.99)
        slack = np.ptp(X[known, j]) * 1e-6 if known.any() else 0.0
        np.testing.assert_allclose(back[inside, j], X[inside, j], rtol=1e-6, atol=slack)
        if known.any():
            assert np.nanmin(X[:, j]) <= np.nanmin(back[:, j]) <= np.nanmax(X[:, j])
        if kind == "scaled":
            np.testing.assert_array_equal(np.isnan(back[:, j]), ~known)


@each_input
def test_rows_already_seen_are_encoded_alike(kind: str) -> None:
    X, y = mixed_rows()
    encoder = Encoder(kind, LEVELS[:3])
    Z = encoder.fit_transform(X[:, :3], y)
    np.testing.assert_array_equal(encoder.transform(X[:, :3]), Z)


@each_input
def test_nothing_but_target_statistics_looks_at_the_target(kind: str) -> None:
    X, y = mixed_rows()
    encoded = [
        Encoder(kind, LEVELS).fit_transform(X, labels) for labels in (y, np.roll(y, 1), y[::-1])
    ]
    n_statistics = 3 if kind in ("numeric", "scaled") else 0
    width = encoded[0].shape[1] - n_statistics
    for other in encoded[1:]:
        np.testing.assert_array_equal(other[:, :width], encoded[0][:, :width])


@pytest.mark.parametrize("kind", ["numeric", "scaled"])
def test_target_statistics_of_a_row_do_not_hold_its_own_label(kind: str) -> None:
    """With a level of its own, a row can learn nothing from it; its model must not either."""
    n = 200
    X, y = np.arange(n, dtype=float).reshape(-1, 1), np.arange(n) % 2
    Z = Encoder(kind, (n,)).fit_transform(X, y)
    assert abs(Z[y == 1].mean() - Z[y == 0].mean()) < 0.05


@each_filled
def test_filled_inputs_have_no_gaps(kind: str) -> None:
    X, y = mixed_rows()
    encoder = Encoder(kind, LEVELS)
    later = np.array([[NAN] * 4, [1e37, -1e37, 2, 29], [0, 0, NAN, NAN]])
    for Z in (encoder.fit_transform(X, y), encoder.transform(later)):
        assert np.isfinite(Z).all()
    if kind != "numeric":
        assert np.abs(encoder.transform(later)[:, :2]).max() <= 3


@each_input
@pytest.mark.parametrize("levels", [(0,), (3,), (MANY,), (0, 0), (3, MANY), LEVELS])
def test_any_columns_alone_and_no_rows(kind: str, levels: tuple[int, ...]) -> None:
    X, y = mixed_rows()
    X = X[:, [LEVELS.index(k) for k in levels]]
    encoder = Encoder(kind, levels)
    Z = encoder.fit_transform(X, y)
    assert encoder.decode(Z).shape == X.shape
    nothing = encoder.transform(X[:0])
    assert nothing.shape == (0, Z.shape[1])
    assert encoder.decode(nothing).shape == (0, X.shape[1])


@each_filled
@pytest.mark.parametrize("n_levels", [0, 3, MANY])
def test_a_column_that_is_all_missing_in_training(kind: str, n_levels: int) -> None:
    y = np.arange(20) % 2
    X = np.column_stack([np.full(20, NAN), np.arange(20.0)])
    encoder = Encoder(kind, (n_levels, 0))
    assert np.isfinite(encoder.fit_transform(X, y)).all()
    later = encoder.transform(np.array([[1.0, 5.0], [NAN, 5.0]]))
    assert np.isfinite(later).all()
    assert later.shape == (2, encoder.transform(X).shape[1])


@pytest.mark.parametrize("kind", ["numeric", "scaled"])
def test_a_level_that_training_lacked(kind: str) -> None:
    X, y = np.array([[0.0, 0.0], [1.0, 1.0]] * 10), np.arange(20) % 2
    encoder = Encoder(kind, (3, MANY))
    encoder.fit_transform(X, y)
    known, unknown = encoder.transform(np.array([[0.0, 0.0], [2.0, 7.0]]))
    assert np.isfinite(unknown).all()
    assert not np.array_equal(known, unknown)


@pytest.mark.parametrize("kind", ["numeric", "scaled"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_synthetic_category_is_a_level_or_a_gap(kind: str, n_classes: int) -> None:
    X, y = mixed_rows()
    encoder = Encoder(kind, LEVELS)
    Z = encoder.fit_transform(X, y % n_classes)
    halfway = encoder.decode((Z + Z[::-1]) / 2)
    for j, n_levels in enumerate(LEVELS):
        values = set(halfway[~np.isnan(halfway[:, j]), j])
        if n_levels:
            assert values <= set(range(n_levels))
        else:
            assert np.nanmin(X[:, j]) <= min(values) <= max(values) <= np.nanmax(X[:, j])


def test_numbers_keep_their_order_whatever_their_scale() -> None:
    X = np.array([[-1e37], [-1e20], [-1.0], [0.0], [1e-30], [1.0], [1e20], [1e37]])
    for rows in (X, X * 1e-300, X[2:6]):
        Z = Encoder("scaled", (0,)).fit_transform(rows, np.arange(len(rows)) % 2)
        assert (np.diff(Z[:, 0]) >= 0).all()
        assert np.abs(Z).max() <= 3


def test_many_levels_are_counted_as_such() -> None:
    few, many = Encoder("numeric", (MAX_ONE_HOT,)), Encoder("numeric", (MAX_ONE_HOT + 1,))
    X, y = np.arange(20.0).reshape(-1, 1), np.arange(20) % 2
    assert few.fit_transform(X, y).shape[1] == MAX_ONE_HOT + 1
    assert many.fit_transform(X, y).shape[1] == 1


def test_category_columns_are_told_where_they_are_kept() -> None:
    assert Encoder("raw", LEVELS).categorical_features.tolist() == [2, 3]
    assert Encoder("mixed", LEVELS).categorical_features.tolist() == [2, 3]
    assert Encoder("scaled", LEVELS).categorical_features.tolist() == []


@each_input
def test_rows_encoded_a_few_at_a_time_are_the_same(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    X, y = mixed_rows()
    at_once = Encoder(kind, LEVELS).fit_transform(X, y)
    monkeypatch.setattr(encoding, "ROWS_AT_A_TIME", 7)
    np.testing.assert_array_equal(Encoder(kind, LEVELS).fit_transform(X, y), at_once)


@each_filled
def test_single_precision_is_what_doubles_are_to_six_digits(kind: str) -> None:
    X, y = mixed_rows()
    single, double = Encoder(kind, LEVELS, dtype=np.float32), Encoder(kind, LEVELS)
    Z = single.fit_transform(X, y)
    assert Z.dtype == single.transform(X).dtype == np.float32
    np.testing.assert_allclose(Z, double.fit_transform(X, y), rtol=1e-6, atol=1e-6)


@each_input
@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_a_column_became_is_what_changes_with_it(kind: str, n_classes: int) -> None:
    X, y = mixed_rows()
    encoder = Encoder(kind, LEVELS)
    encoder.fit_transform(X, y % n_classes)
    whole = encoder.transform(X)
    changed = []
    for j in range(X.shape[1]):
        other = X.copy()
        other[:, j] = np.roll(other[:, j], 1)
        differs = ~np.isclose(encoder.transform(other), whole, equal_nan=True)
        changed.append(np.flatnonzero(differs.any(axis=0)))
    assert [np.flatnonzero(encoder.sources == j).tolist() for j in range(X.shape[1])] == [
        places.tolist() for places in changed
    ]
