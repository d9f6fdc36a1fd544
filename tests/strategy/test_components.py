"""Every component of every shipped space: built, trained, pickled, binary and multiclass."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.profiling.describing import profile_dataset
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.parameters import Parameter
from autoimb.strategy.pipeline import TrainedPipeline, TrainingPart, train
from autoimb.strategy.search_space import Component, load_space
from autoimb.strategy.space_files import shipped_spaces

MODEL = Choice("logistic", "sklearn.linear_model.LogisticRegression", "scaled")
N_FOLDS = 5
# What a sampler may answer to data that it can do nothing with; a trial then fails by name.
MAY_FAIL = {
    "kmeans_smote": "No clusters found with sufficient samples",
    "adasyn": "No samples will be generated",
    "edited_neighbours": "left a class without rows",
    "repeated_edited_neighbours": "left a class without rows",
    "all_knn": "left a class without rows",
    "smobd": "made no row",
}
# Cost grows with these, and what is tested does not; of `easy_ensemble` each one is 50 more.
MOST = {
    "model.easy_ensemble.n_estimators": 2, "n_estimators": 10, "max_iter": 50, "n_steps": 50,
}  # fmt: skip


def discovered() -> Iterator[tuple[str, Component]]:
    """Yield every component once: what a space only extends is tested where it comes from."""
    seen: list[Component] = []
    for name in sorted(shipped_spaces(), key=lambda name: name != "default"):
        for components in load_space(name).stages.values():
            for component in components:
                if component.class_path and component not in seen:
                    seen.append(component)
                    yield f"{name}-{component.stage}.{component.name}", component


FOUND = dict(discovered())
# It cross-validates a forest for every part.
SLOW = ("default-sampler.instance_hardness",)
each_component = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in FOUND]
)
each_size = pytest.mark.parametrize("n_classes", [2, pytest.param(3, marks=pytest.mark.slow)])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On so few rows, threads cost more than they gain."""
    with threadpool_limits(1):
        yield


@functools.cache
def dataset(n_classes: int) -> Dataset:
    """Make 210 rows with missing cells, categories of few and many levels, a date and copies."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), [110, 40, 30][:n_classes])
    n = len(y)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=n) + y,
            "z": rng.exponential(size=n) * 1000,
            "few": rng.choice(list("abc"), n),
            "many": rng.choice([f"v{i}" for i in range(30)], n),
            "seen": rng.choice(["2024-01-05", "2024-06-01", "2025-03-09"], n),
        }
    ).mask(rng.random((n, 5)) < 0.08)
    copied = rng.choice(n, 30, replace=False)
    table = pd.concat([table, table.iloc[copied]], ignore_index=True)
    return make_dataset(table, np.concatenate([y, y[copied]]))


@functools.cache
def training_part(n_classes: int) -> TrainingPart:
    data = dataset(n_classes)
    return TrainingPart(data.X, data.y, data.schema.n_levels, n_classes, seed=0)


@functools.cache
def facts_of(n_classes: int) -> Mapping[str, float]:
    return profile_dataset(dataset(n_classes)).facts(N_FOLDS)


def strategies(component: Component, n_classes: int) -> Iterator[Configuration]:
    """Yield the component with its defaults and with values drawn at random."""
    facts = facts_of(n_classes)
    if not component.suits(facts):
        pytest.skip(f"its `if` rules it out: {component.intervals}")
    for rng in (None, np.random.default_rng(1), np.random.default_rng(2)):
        choice = component.capped(facts).choose(functools.partial(_pick, rng=rng))
        yield Configuration(**{"model": MODEL, component.stage: choice})


def _pick(name: str, parameter: Parameter, rng: np.random.Generator | None) -> object:
    value = parameter.default if rng is None else parameter.sample(rng)
    most = MOST.get(name, MOST.get(name.rpartition(".")[2]))
    return value if most is None else min(value, most)


@functools.cache
def trained_by_default(name: str, n_classes: int) -> TrainedPipeline:
    """Train a component with its defaults, once for all that look at it."""
    strategy = next(strategies(FOUND[name], n_classes))
    return train(strategy, training_part(n_classes), n_threads=1, seed=0)


@each_size
@each_component
def test_it_trains_predicts_and_survives_pickling(name: str, n_classes: int) -> None:
    X, part, component = dataset(n_classes).X, training_part(n_classes), FOUND[name]
    for number, strategy in enumerate(strategies(component, n_classes)):
        try:
            trained = (
                train(strategy, part, n_threads=1, seed=0)
                if number
                else trained_by_default(name, n_classes)
            )
        except (ValueError, RuntimeError) as error:
            assert number > 0, "the defaults have to train on these data"
            assert MAY_FAIL.get(component.name, "no reason to fail") in str(error), strategy.flat
            continue
        proba = trained.predict_proba(X)
        assert proba.shape == (len(X), n_classes)
        assert (proba >= 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-3)
        learned = len(np.unique(proba[:, -1])) > 1
        assert learned or number > 0, "the default gives every row the same probability"
        again = pickle.loads(pickle.dumps(trained))
        np.testing.assert_array_equal(again.predict_proba(X), proba)


@each_component
def test_one_seed_gives_one_model(name: str) -> None:
    first, strategy = trained_by_default(name, 2), next(strategies(FOUND[name], 2))
    again = train(strategy, training_part(2), seed=0)
    X = dataset(2).X
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("kept", [["few", "many"], ["z"], ["many"], ["few"]])
def test_a_table_of_one_kind_trains_with_any_input(kept: list[str]) -> None:
    data = dataset(2)
    columns = [data.schema.feature_names.index(name) for name in kept]
    levels = [data.schema.n_levels[j] for j in columns]
    part = TrainingPart(data.X[:, columns], data.y, levels, 2, seed=0)
    space = load_space("default")
    for model in ("lightgbm", "logistic", "extra_trees"):
        for sampler in ("none", "random_under", "smote"):
            trained = train(space.default(model=model, sampler=sampler), part)
            assert trained.predict_proba(part.X).shape == (len(data.y), 2)


def test_the_exported_model_holds_no_training_row() -> None:
    data = dataset(2)
    marked = data.X.copy()
    marked[data.y == 1, 0] = np.pi * 1e5
    part = TrainingPart(marked, data.y, data.schema.n_levels, 2, seed=0)
    space = load_space("default")
    trained = train(space.default(model="logistic", sampler="smote"), part)
    rows = marked[data.y == 1][:5]
    assert not any(row.tobytes() in pickle.dumps(trained) for row in rows)
    assert len(pickle.dumps(trained)) < 30_000
