"""Mixed rows lie where they should, and cleaning leaves out the right ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.strategy.resampling import BalanceTowards
from autoimb.strategy.samplers.cleaning import ConfidentCleaning
from autoimb.strategy.samplers.remix import Remix

# Positions by which a mixture of two rows tells which they were, and in what part.
SIZES = [60, 20, 5]


def on_a_line() -> tuple[np.ndarray, np.ndarray]:
    """Put each class at a point of its own, in a corner of a triangle."""
    y = np.repeat(np.arange(3), SIZES)
    return np.eye(3)[y], y


@settings(max_examples=30, deadline=None)
@given(
    alpha=st.floats(0.05, 5.0), tau=st.floats(0.01, 0.5), seed=st.integers(0, 99),
    share=st.floats(0.1, 1.0),
)  # fmt: skip
def test_a_mixed_row_lies_between_two_rows_and_nearer_to_the_rare_one(
    alpha: float, tau: float, seed: int, share: float
) -> None:
    X, y = on_a_line()
    wished = BalanceTowards(share, "over")
    sampler = Remix(sampling_strategy=wished, alpha=alpha, tau=tau, random_state=seed)
    X_more, y_more = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_more[: len(X)], X)
    np.testing.assert_array_equal(y_more[: len(y)], y)
    assert np.bincount(y_more).tolist() == [60, *wished(y).values()]
    made, labels = X_more[len(X) :], y_more[len(X) :]
    np.testing.assert_allclose(made.sum(axis=1), 1)
    assert ((made > 0).sum(axis=1) <= 2).all()
    assert (made[np.arange(len(made)), labels] >= 1 - tau - 1e-9).all()


def test_parts_follow_the_distribution_and_reach_up_to_tau() -> None:
    y = np.repeat([0, 1], [5000, 2])
    X = 1.0 - y[:, None]
    for tau in (0.2, 0.5, 0.9):
        sampler = Remix(alpha=1.0, tau=tau, random_state=0)
        parts = np.sort(sampler.fit_resample(X, y)[0][len(X) :, 0])
        # nearly every other row is a frequent one, and at 1 all parts are as likely
        np.testing.assert_allclose(np.quantile(parts, [0.25, 0.5, 1]) / tau, [0.25, 0.5, 1], 0.05)


def test_rows_are_mixed_with_their_class_and_far_more_frequent_ones_only() -> None:
    X, y = on_a_line()
    for kappa, partners in ((3.0, {1: [0, 1], 2: [0, 1, 2]}), (4.0, {1: [1], 2: [0, 1, 2]})):
        X_more, y_more = Remix(kappa=kappa, random_state=0).fit_resample(X, y)
        for label, expected in partners.items():
            made = X_more[len(X) :][y_more[len(X) :] == label]
            assert np.flatnonzero(made.max(axis=0)).tolist() == expected


def test_remix_keeps_the_type_of_numbers_and_of_labels() -> None:
    X, y = on_a_line()
    labels = np.array(["a", "b", "rare"])[y]
    X_more, y_more = Remix(random_state=0).fit_resample(X.astype(np.float32), labels)
    assert X_more.dtype == np.float32
    assert np.unique(y_more, return_counts=True)[1].tolist() == [60, 60, 60]


@pytest.mark.parametrize("asked", [{"alpha": 0.0}, {"tau": 0.0}, {"tau": 1.5}, {"kappa": 0.5}])
def test_what_cannot_be_mixed_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Remix needs alpha > 0"):
        Remix(**asked).fit_resample(*on_a_line())


def planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give two classes that are apart, and rows of the rare one that are called frequent."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1], [900, 100])
    X = np.column_stack([rng.normal(size=1000) + 6 * truth, rng.normal(size=1000)])
    wrong = np.flatnonzero(truth == 1)[:15]
    y = truth.copy()
    y[wrong] = 0
    return X, y, wrong


def clean(X: np.ndarray, y: np.ndarray, **asked: Any) -> tuple[ConfidentCleaning, np.ndarray]:
    sampler = ConfidentCleaning(random_state=0, n_jobs=1, **asked)
    X_kept, y_kept = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_kept, X[sampler.sample_indices_])
    np.testing.assert_array_equal(y_kept, y[sampler.sample_indices_])
    return sampler, np.setdiff1d(np.arange(len(y)), sampler.sample_indices_)


def test_wrong_labels_are_left_out_and_hardly_any_other_row() -> None:
    X, y, wrong = planted()
    _, left_out = clean(X, y)
    # of a class's own rows about every second has less than the mean probability
    assert len(np.intersect1d(left_out, wrong)) >= 9
    assert len(np.setdiff1d(left_out, wrong)) <= 3
    assert (y[left_out] == 0).all()


def test_the_likeliest_to_be_wrong_go_first() -> None:
    X, y, wrong = planted()
    _, all_out = clean(X, y)
    _, few_out = clean(X, y, max_share=0.01)
    assert len(few_out) == 9
    assert set(few_out) <= set(all_out)
    assert len(np.intersect1d(few_out, wrong)) >= 8
    assert not len(clean(X, y, max_share=0.0)[1])


@pytest.mark.parametrize("max_share", [0.02, 0.1])
def test_of_noise_no_rare_row_and_no_more_than_the_share_is_left_out(max_share: float) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 600, p=[0.85, 0.1, 0.05])
    left_out = clean(rng.normal(size=(600, 3)), y, max_share=max_share)[1]
    assert (np.bincount(y[left_out], minlength=3) <= max_share * np.bincount(y)).all()
    assert 2 not in y[left_out]


def test_a_row_goes_only_towards_a_rarer_class() -> None:
    """Rows of the rare class among the frequent ones stay: there may be no better ones."""
    X, y, _ = planted()
    lost = np.flatnonzero(y == 1)[:15]
    X[lost, 0] -= 6
    assert not len(np.intersect1d(clean(X, y)[1], lost))


def test_classes_as_rare_as_each_other_are_not_cleaned_of_one_another() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [200, 30, 30])
    X = rng.normal(size=(260, 1)) + 4 * y[:, None]
    X[y == 2] = X[y == 1]
    assert (y[clean(X, y, max_share=0.5)[1]] == 0).all()


def test_only_classes_that_are_asked_for_are_cleaned() -> None:
    X, y, _ = planted()
    assert not len(clean(X, y, sampling_strategy=[1])[1])


def test_gaps_and_categories_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    rare = rng.choice(100, 12, replace=False)
    X = rng.integers(0, 100, (3000, 1)).astype(float)
    y = (np.isin(X[:, 0], rare) & (rng.random(3000) < 0.85)).astype(int)
    X[::40] = np.nan
    wrong = np.flatnonzero(np.isin(X[:, 0], rare) & (y == 0))
    as_codes, as_numbers = (clean(X, y, categorical_features=columns)[1] for columns in ([0], None))
    assert set(as_codes) <= set(wrong)
    assert len(as_codes) > 0.5 * len(wrong)
    assert set(as_codes) != set(as_numbers)


def test_one_seed_leaves_out_the_same_rows() -> None:
    X, y, _ = planted()
    assert clean(X, y)[1].tolist() == clean(X, y)[1].tolist()


@pytest.mark.parametrize("n_rare", [2, 5])
def test_very_few_rare_rows_are_all_kept(n_rare: int) -> None:
    X, y, _ = planted()
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:n_rare]])
    sampler, _ = clean(X[rows], y[rows])
    assert (y[rows][sampler.sample_indices_] == 1).sum() == n_rare


def test_a_class_of_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="two rows of each class, but class 1 has one"):
        ConfidentCleaning().fit_resample(np.zeros((9, 1)), np.array([0] * 8 + [1]))
