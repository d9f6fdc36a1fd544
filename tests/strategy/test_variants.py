from __future__ import annotations

import importlib
import logging
import random
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.pipeline import TrainingPart, train
from autoimb.strategy.resampling import resample
from autoimb.strategy.samplers.variants import SmoteVariant

# Its own radius is made for tables of a smaller scale.
PARAMETERS = {"SMOBD": {"max_eps": 10.0}}


class Jittering:
    """Copies of rare rows with noise, as many as `proportion` says, original rows first."""

    def __init__(
        self, proportion: float = 1.0, *, noise: float = 0.1, random_state=None, **_kwargs
    ):
        if not (random_state is None or isinstance(random_state, int)):
            raise ValueError("random state cannot be initialized")
        self.proportion, self.noise = proportion, noise
        self.random_state = np.random.RandomState(random_state)

    def sample(self, X: Any, y: Any) -> Any:
        logging.getLogger("smote_variants").warning("sampling")
        n_made = int((np.sum(y == 0) - np.sum(y == 1)) * self.proportion)
        rows = X[self.random_state.choice(np.flatnonzero(y == 1), n_made)]
        made = rows + self.random_state.normal(0, self.noise, rows.shape)
        return np.vstack([X, made]), np.hstack([y, np.ones(n_made)])


class Balancing(Jittering):
    """Knows no `proportion`, and always fills up to equal classes."""

    def __init__(self, *, random_state=None, **_kwargs):
        super().__init__(random_state=random_state)


class Cleaning(Jittering):
    """Leaves out the first common row, relabels the second, and turns the order around."""

    def sample(self, X: Any, y: Any) -> Any:
        rows, codes = super().sample(X, y)
        first, second = np.flatnonzero(y == 0)[:2]
        codes[second] = 1
        return np.delete(rows, first, axis=0)[::-1], np.delete(codes, first)[::-1]


class Repeating(Jittering):
    """Repeats a real row."""

    def sample(self, X: Any, y: Any) -> Any:
        rare = np.flatnonzero(y == 1)[:1]
        return np.vstack([X, X[rare]]), np.hstack([y, y[rare]])


class Global(Jittering):
    """Draws from the random states that everybody shares."""

    def sample(self, X: Any, y: Any) -> Any:
        made = X[y == 1][:1] + np.random.normal() + random.random()
        return np.vstack([X, made]), np.hstack([y, [1]])


class Idle(Jittering):
    """Returns copies, as the package does when it finds no way."""

    def sample(self, X: Any, y: Any) -> Any:
        return X.copy(), y.copy()


class Broken(Jittering):
    def sample(self, X: Any, y: Any) -> Any:
        raise TypeError("an unexpected keyword argument 'n_iter'")


class Projecting(Jittering):
    def sample(self, X: Any, y: Any) -> Any:
        return X[:, :1], y


class Scaling(Jittering):
    """Scales the columns and scales them back."""

    def sample(self, X: Any, y: Any) -> Any:
        rows, codes = super().sample(X, y)
        return (rows / 3.0 - 0.1 + 0.1) * 3.0, codes


class Mapping(Jittering):
    def sample(self, X: Any, y: Any) -> Any:
        return X + 1.5, y


class Exploding(Jittering):
    def sample(self, X: Any, y: Any) -> Any:
        return np.vstack([X, X[:1] * np.inf]), np.hstack([y, [1]])


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Put a package with the manners of smote_variants in its place."""
    fake = ModuleType("smote_variants")
    classes = [Jittering, *Jittering.__subclasses__()]
    fake.get_all_oversamplers = lambda: classes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "smote_variants", fake)
    return fake


def table(*sizes: int, seed: int = 0) -> tuple[Any, Any]:
    y = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(seed).normal(size=(len(y), 3)) + y[:, None], y


@settings(max_examples=50)
@given(st.integers(3, 40), st.integers(1, 60), st.floats(0.05, 1.0))
def test_a_class_grows_to_the_wished_for_size(n_rare: int, n_more: int, share: float) -> None:
    fake = ModuleType("smote_variants")
    fake.get_all_oversamplers = lambda: [Jittering, Balancing]  # type: ignore[attr-defined]
    X, y = table(n_rare + n_more, n_rare)
    wished = max(n_rare, round(share * (n_rare + n_more)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "smote_variants", fake)
        for name in ("Jittering", "Balancing"):
            sampler = SmoteVariant(name, sampling_strategy={1: wished}, random_state=0)
            rows, labels = sampler.fit_resample(X, y)
            assert np.bincount(labels).tolist() == [n_rare + n_more, wished]
            np.testing.assert_array_equal(rows[: len(X)], X)
            np.testing.assert_array_equal(sampler.sample_indices_[: len(X)], np.arange(len(X)))
            assert (sampler.sample_indices_[len(X) :] == -1).all()


def test_labels_and_numbers_keep_their_types(package: ModuleType) -> None:
    X, y = table(20, 8)
    labels = np.array(["no", "yes"])[y]
    rows, resampled = SmoteVariant("Jittering", random_state=0).fit_resample(
        X.astype(np.float32), labels
    )
    assert rows.dtype == np.float32
    assert resampled.dtype == labels.dtype
    assert np.unique(resampled, return_counts=True)[1].tolist() == [20, 20]


def test_each_of_several_classes_grows_and_no_other_row_changes(package: ModuleType) -> None:
    X, y = table(30, 12, 6)
    for name in ("Jittering", "Cleaning"):
        rows, labels = SmoteVariant(name, random_state=0).fit_resample(X, y)
        np.testing.assert_array_equal(rows[: len(X)], X)
        np.testing.assert_array_equal(labels[: len(X)], y)
        assert np.bincount(labels).tolist() == [30, 30, 30]
        means = [rows[len(X) :][labels[len(X) :] == label].mean() for label in (1, 2)]
        assert means == pytest.approx([1, 2], abs=0.5)


def test_rows_that_are_left_out_relabelled_or_moved_are_still_known(package: ModuleType) -> None:
    X, y = table(20, 8)
    sampler = SmoteVariant("Cleaning", random_state=0)
    rows, labels = sampler.fit_resample(X, y)
    real = sampler.sample_indices_ >= 0
    assert sampler.sample_indices_[real].tolist() == list(range(1, 28))
    assert labels[real].tolist() == [1] + [0] * 18 + [1] * 8
    np.testing.assert_array_equal(rows[real], X[1:])
    assert real[:27].all()
    found = resample(sampler, Encoder("raw", (0, 0, 0)), X, y)
    assert found.kept.tolist() == list(range(1, 28))
    assert found.y[0] == 1


def test_equal_rows_of_two_classes_keep_their_own_labels(package: ModuleType) -> None:
    X, y = table(20, 8)
    X[[3, 25]] = -0.0
    sampler = SmoteVariant("Jittering", random_state=0)
    _, labels = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(labels[: len(y)], y)
    np.testing.assert_array_equal(sampler.sample_indices_[: len(y)], np.arange(len(y)))


def test_a_row_that_lost_its_last_bits_is_the_real_one(package: ModuleType) -> None:
    X, y = table(20, 8)
    X[:, 2] = 7.0
    sampler = SmoteVariant("Scaling", random_state=0)
    rows, _ = sampler.fit_resample(X, y)
    assert sampler.sample_indices_[: len(X)].tolist() == list(range(28))
    np.testing.assert_array_equal(rows[: len(X)], X)


def test_a_repeated_row_is_the_real_one(package: ModuleType) -> None:
    X, y = table(20, 8)
    sampler = SmoteVariant("Repeating", random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.sample_indices_.tolist() == [*range(28), 20]


@pytest.mark.parametrize("name", ["Jittering", "Balancing", "Global"])
def test_one_seed_gives_one_outcome_and_leaves_shared_states_alone(
    package: ModuleType, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    X, y = table(20, 8)
    before, before_here = np.random.get_state()[1].tolist(), random.getstate()
    first, second, other = (
        SmoteVariant(name, random_state=seed, sampling_strategy=0.6).fit_resample(X, y)[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert np.random.get_state()[1].tolist() == before
    assert random.getstate() == before_here
    assert not caplog.records
    assert not logging.getLogger("smote_variants").disabled


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("Broken", {}, r"Broken of smote_variants fails .*TypeError: .*'n_iter'.* Choose another"),
        ("Projecting", {}, r"rows of shape \(1,\) instead of \(3,\)"),
        ("Mapping", {}, "returns no original row"),
        ("Exploding", {}, "not finite"),
        ("Idle", {}, "made no row from the 8 of a class"),
        ("Jitering", {}, "no oversampler 'Jitering'; did you mean 'Jittering'"),
        ("Jittering", {"nois": 1}, "no parameter 'nois'; did you mean 'noise'"),
        ("Jittering", {"proportion": 1}, "no parameter 'proportion'"),
        ("Jittering", {"sampling_strategy": {0: 40}}, "fewer than all others together"),
    ],
)
def test_what_goes_wrong_is_said_with_a_remedy(
    package: ModuleType, name: str, parameters: dict[str, Any], message: str
) -> None:
    X, y = table(20, 8)
    with pytest.raises(ValueError, match=message):
        SmoteVariant(name, **parameters).fit_resample(X, y)


def test_without_the_package_one_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smote_variants", None)
    with pytest.raises(ImportError, match=r"needs the package smote_variants.*autoimb\[variants\]"):
        SmoteVariant("SMOTE").fit_resample(*table(20, 8))


def test_parameters_of_the_variant_survive_cloning_and_setting(package: ModuleType) -> None:
    sampler = clone(SmoteVariant("Jittering", random_state=3, noise=5.0))
    assert sampler.get_params()["noise"] == 5.0
    sampler.set_params(noise=0.0, random_state=4)
    assert (sampler.parameters, sampler.random_state) == ({"noise": 0.0}, 4)
    X, y = table(20, 8)
    rows, _ = sampler.fit_resample(X, y)
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in X}


def test_gaps_and_categories_of_real_rows_come_through_a_pipeline(package: ModuleType) -> None:
    X, y = table(60, 20)
    X[::7, 0] = np.nan
    X[:, 2] = np.arange(len(X)) % 3
    part = TrainingPart(X, y, (0, 0, 3), 2, seed=0)
    sampler = Choice(
        "variant",
        "autoimb.strategy.samplers.variants.SmoteVariant",
        "scaled",
        0.5,
        {"name": "Cleaning"},
    )
    model = Choice("logistic", "sklearn.linear_model.LogisticRegression", "scaled")
    trained = train(Configuration(model=model, sampler=sampler), part, seed=0)
    proba = trained.predict_proba(X)[:, 1]
    assert proba[y == 1].mean() > proba[y == 0].mean()


# With current versions of what it stands on.
FAILING = {
    "DEAGO": r"No module named 'tensorflow'",
    "ISOMAP_Hybrid": "another space",
    "MOT2LD": "unexpected keyword argument 'n_iter'",
}
# They return these rows as they are, or (SPY) only relabel.
RELUCTANT = ("SMOTE_ENN", "SPY", "SYMPROD", "VIS_RST")
# A minute and more for two tables of 120 rows; `benchmarks/variants.py` tells which of them work.
ENDLESS = (
    "ADG",
    "AMSCO",
    "DSMOTE",
    "DSRBF",
    "E_SMOTE",
    "GASMOTE",
    "IPADE_ID",
    "SMOTE_PSO",
    "SMOTE_PSOBAT",
)


def names() -> list[str]:
    if find_spec("smote_variants") is None:
        return []
    package = importlib.import_module("smote_variants")
    return sorted(c.__name__ for c in package.get_all_oversamplers())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names())
def test_every_oversampler_of_the_package_works_or_says_why_not(name: str) -> None:
    if name in ENDLESS:
        pytest.skip("it takes minutes")
    for sizes in ((90, 30), (70, 30, 20)):
        X, y = table(*sizes)
        sampler = SmoteVariant(name, random_state=0, **PARAMETERS.get(name, {}))
        if name in FAILING:
            with pytest.raises(ValueError, match=FAILING[name]):
                sampler.fit_resample(X, y)
            continue
        try:
            rows, labels = sampler.fit_resample(X, y)
        except ValueError as error:
            assert name in RELUCTANT and "made no row" in str(error)
            continue
        assert len(rows) == len(labels) == len(sampler.sample_indices_)
        assert (np.bincount(labels)[1:] > 0).all()
        assert np.bincount(labels).max() <= sizes[0] * 2
        real = sampler.sample_indices_ >= 0
        np.testing.assert_array_equal(rows[real], X[sampler.sample_indices_[real]])
        again, _ = clone(sampler).fit_resample(X, y)
        np.testing.assert_array_equal(rows, again)
