from __future__ import annotations

import tracemalloc
import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import assign_folds
from autoimb.evaluation import engine
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task, Training
from autoimb.strategy import encoding, resampling
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.search_space import SearchSpace, load_space


class Memorising(ClassifierMixin, BaseEstimator):
    """Say for every row how often it was in the training data."""

    def fit(self, X: Any, y: Any) -> Memorising:
        self.classes_ = np.unique(y)
        self.rows_ = {row.tobytes() for row in np.asarray(X)}
        return self

    def predict_proba(self, X: Any) -> Any:
        seen = np.array([float(row.tobytes() in self.rows_) for row in np.asarray(X)])
        return np.column_stack([1 - seen, seen])


class Faulty(Memorising):
    """Predict something that is no probability."""

    def __init__(self, fault: str = "nan") -> None:
        self.fault = fault

    def predict_proba(self, X: Any) -> Any:
        answer = {
            "nan": [np.nan, 1.0], "negative": [-0.5, 1.5], "sum": [0.7, 0.7], "large": [0.0, 2.0],
        }  # fmt: skip
        return np.tile(answer[self.fault], (len(X), 1))


class Loud(Memorising):
    """Warn while it trains."""

    def fit(self, X: Any, y: Any) -> Memorising:
        warnings.warn("this concerns its author", UserWarning, stacklevel=2)
        return super().fit(X, y)


@pytest.fixture
def space(tmp_path: Path) -> SearchSpace:
    path = tmp_path / "memory.toml"
    path.write_text(
        "".join(
            f'[model.{kind.__name__.lower()}]\nclass = "{__name__}.{kind.__name__}"\n'
            'input = "raw"\n'
            for kind in (Memorising, Faulty, Loud)
        )
        + '[model.logistic]\nclass = "sklearn.linear_model.LogisticRegression"\n[sampler.none]\n'
        '[sampler.over]\nclass = "imblearn.over_sampling.RandomOverSampler"\ninput = "raw"\n'
        '[sampler.smote]\nclass = "imblearn.over_sampling.SMOTE"\nbalance = 1.0\n'
    )
    return load_space(path)


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90, 30])
    # Few distinct values, so that many rows have copies.
    table = pd.DataFrame({"x": rng.integers(0, 15, 120) + y, "c": rng.choice(list("abcd"), 120)})
    return make_dataset(table.mask(rng.random((120, 2)) < 0.1), y)


def evaluator(data: Dataset, metric: str = "f1") -> Evaluator:
    return Evaluator.on(data, assign_folds(data, 4, seed=0), metric, seed=0)


def same(first: Evaluation, again: Evaluation) -> bool:
    return np.array_equal(first.proba, again.proba) and first.scores == again.scores


@pytest.mark.parametrize("sampler", ["none", "over", "smote"])
def test_no_row_is_scored_by_a_model_that_saw_it_or_its_copy(
    space: SearchSpace, data: Dataset, sampler: str
) -> None:
    strategy = space.default(model="memorising", sampler=sampler)
    assert evaluator(data).evaluate(strategy).proba[:, 1].max() == 0


def test_half_of_the_other_folds_are_some_of_what_is_trained_on(
    space: SearchSpace, data: Dataset
) -> None:
    cross = evaluator(data)
    for fold in range(4):
        fewer = cross.half_of_training_rows(fold)
        assert set(fewer) < set(cross.training_rows(fold))
        assert len(set(cross.folds[fewer])) == 1  # of three, rounded down
    task = Task(space.default(model="memorising"), Level(4, is_halved=True))
    assert cross.evaluate(task).proba[:, 1].max() == 0
    logistic = space.default(model="logistic")
    halved = cross.evaluate(Task(logistic, Level(4, is_halved=True)))
    assert not np.array_equal(halved.proba, cross.evaluate(logistic).proba)


def test_an_evaluation_scores_every_row(space: SearchSpace, data: Dataset) -> None:
    found = evaluator(data, "average_precision").evaluate(space.default(model="logistic"))
    assert found.proba.shape == (120, 2)
    assert found.proba.dtype == np.float32
    np.testing.assert_allclose(found.proba.sum(axis=1), 1, atol=1e-6)
    assert 0.25 < found.scores["average_precision"].value <= 1
    assert found.seconds > 0


@pytest.mark.parametrize("rows_at_a_time", [7, 100_000])
def test_what_other_processes_load_gives_the_same_results(
    space: SearchSpace,
    data: Dataset,
    tmp_path: Path,
    rows_at_a_time: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autoimb.evaluation.engine.ROWS_AT_A_TIME", rows_at_a_time)
    mine = evaluator(data)
    mine.save(tmp_path)
    strategy = space.default(model="logistic", sampler="smote")
    assert same(mine.evaluate(strategy), Evaluator.load(tmp_path).evaluate(strategy))


def test_what_was_evaluated_before_does_not_matter(space: SearchSpace, data: Dataset) -> None:
    used = evaluator(data)
    strategies = [space.default(model="logistic", sampler=name) for name in ("smote", "over")]
    for strategy in strategies:
        used.evaluate(strategy)
    assert same(used.evaluate(strategies[0]), evaluator(data).evaluate(strategies[0]))


@pytest.mark.parametrize("n_begun", [1, 3])
def test_what_was_begun_is_gone_on_with(space: SearchSpace, data: Dataset, n_begun: int) -> None:
    asked: list[int] = []
    strategy = space.default(model="logistic", sampler="smote")
    begun = evaluator(data).evaluate(Task(strategy, Level(n_begun)))
    task = Task(strategy, Level(4), begun=begun)
    found = evaluator(data).evaluate(task, lambda: asked.append(1))
    whole = evaluator(data).evaluate(strategy)
    assert same(found, whole)
    assert found.fold_values == whole.fold_values
    assert found.seconds > begun.seconds
    # the folds that were scored before are not trained again
    assert len(asked) == 4 - n_begun
    assert np.isnan(begun.proba).any()


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_a_check_that_raises_ends_the_evaluation(
    space: SearchSpace, data: Dataset, allowed: int
) -> None:
    asked: list[int] = []

    def check() -> None:
        if len(asked) == allowed:
            raise TimeoutError
        asked.append(len(asked))

    with pytest.raises(TimeoutError):
        evaluator(data).evaluate(space.default(model="logistic"), check)
    assert len(asked) == allowed


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan", "Faulty predicts probabilities that are not finite"),
        ("negative", r"Faulty predicts probabilities outside \[0, 1\]"),
        ("large", r"Faulty predicts probabilities outside \[0, 1\]"),
        ("sum", "Faulty predicts probabilities that do not sum to 1"),
    ],
)
def test_what_is_no_probability_fails_by_name(data: Dataset, fault: str, message: str) -> None:
    model = Choice("faulty", f"{__name__}.Faulty", values={"fault": fault})
    with pytest.raises(ValueError, match=f"^{message}$"):
        evaluator(data).evaluate(Configuration(model))


def test_the_warnings_of_a_component_are_kept_from_the_user(
    space: SearchSpace, data: Dataset
) -> None:
    evaluator(data).evaluate(space.default(model="loud"))


def test_a_part_that_lacks_a_class_fails_by_name(space: SearchSpace, data: Dataset) -> None:
    lacking = Evaluator.on(data, data.y, "f1", seed=0)
    with pytest.raises(ValueError, match=r"without every class|samples of at least 2 classes"):
        lacking.evaluate(space.default(model="memorising"))


def small(configuration: Configuration) -> Configuration:
    """Let an ensemble have few members: the cost grows with them, and what is tested does not."""
    values = dict(configuration.model.values)
    if "n_estimators" in values:
        values["n_estimators"] = min(values["n_estimators"], 30)
    return replace(configuration, model=replace(configuration.model, values=values))


@pytest.mark.parametrize("is_loaded", [False, True])
@pytest.mark.parametrize(
    ("model", "sampler"),
    [
        ("rus_boost", None),
        *product(
            ["lightgbm", "logistic", "extra_trees"],
            ["none", "random_over", "random_under", "smote"],
        ),
    ],
)
def test_many_rows_give_what_few_give(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    sampler: str | None,
    is_loaded: bool,
) -> None:
    rng, y = np.random.default_rng(0), np.repeat([0, 1], [300, 60])
    table = pd.DataFrame({"x": rng.normal(size=360) + y, "c": rng.choice(list("abc"), 360)})
    data = make_dataset(table.mask(rng.random((360, 2)) < 0.05), y)
    chosen = {"model": model, "sampler": sampler}
    configuration = small(load_space("default").default(**{k: v for k, v in chosen.items() if v}))
    folds = assign_folds(data, 3, seed=0)
    few = Evaluator.on(data, folds, "f1", seed=0)
    if is_loaded:
        few.save(tmp_path)
    monkeypatch.setattr(engine, "MAX_KEPT_BYTES", 100)
    monkeypatch.setattr(engine, "ROWS_AT_A_TIME", 17)
    many = Evaluator.load(tmp_path) if is_loaded else Evaluator.on(data, folds, "f1", seed=0)
    found = many.evaluate(configuration).proba
    monkeypatch.undo()
    wanted = few.evaluate(configuration).proba
    # Numbers are rounded to single precision on the way, which may move a split between two rows.
    assert np.mean(np.abs(found - wanted) < 1e-3) > 0.97
    trained = many.train(Training(configuration))
    assert trained.predict_proba(data.X).shape == (360, 2)


@pytest.mark.parametrize(
    ("model", "sampler"),
    [
        ("lightgbm", "random_over"),
        ("lightgbm", "smote"),
        ("logistic", "none"),
        ("logistic", "smote"),
    ],
)
def test_of_many_rows_few_copies_lie_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, sampler: str
) -> None:
    rng, n = np.random.default_rng(0), 20_000
    X, y = rng.normal(size=(n, 30)), (np.arange(n) % 100 == 0).astype(int)
    Evaluator(X, y, np.arange(n) // 7 % 5, (0,) * 30, 2, "roc_auc", seed=0).save(tmp_path)
    monkeypatch.setattr(engine, "MAX_KEPT_BYTES", 1_000_000)
    for module in (engine, encoding, resampling):
        monkeypatch.setattr(module, "ROWS_AT_A_TIME", 1_000)
    evaluator = Evaluator.load(tmp_path)
    space = load_space("default")
    configuration = space.default(model=model, sampler=sampler)
    evaluator.evaluate(Task(space.default(model="logistic"), Level(1, 500)))  # imports, too
    tracemalloc.start()
    try:
        evaluator.evaluate(Task(configuration, Level(1)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.25 * X.nbytes


@pytest.mark.parametrize("model", ["balanced_bagging", "easy_ensemble"])
def test_threads_of_a_model_are_no_processes(data: Dataset, model: str) -> None:
    evaluator = Evaluator.on(data, assign_folds(data, 2, seed=0), "f1", seed=0, n_threads=2)
    before = psutil.Process().children(recursive=True)
    evaluator.evaluate(load_space("default").default(model=model))
    assert psutil.Process().children(recursive=True) == before
