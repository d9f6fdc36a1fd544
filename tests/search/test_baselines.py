"""The obvious strategies: they can be had everywhere, and never cost a search anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import summary, write_space

from autoimb.arrays import FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.search.baselines import (
    DO_NOTHING,
    TUNED_THRESHOLD,
    Baseline,
    list_baselines,
)
from autoimb.search.budget import Budget
from autoimb.search.excerpt import choose_excerpt
from autoimb.search.executors import open_executor
from autoimb.search.journal import EvaluationFolder
from autoimb.search.race import list_parts
from autoimb.search.records import SearchResult
from autoimb.search.resources import Resources
from autoimb.search.study import search
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.search_space import SearchSpace, load_space

SPACES = ["default", "fast", "interpretable", "thorough"]
ALL = [
    DO_NOTHING, TUNED_THRESHOLD, "balanced weights", "random undersampling", "SMOTE 1:1",
    "LightGBM defaults",
]  # fmt: skip
# The small models take no weights.
RACED = [name for name in ALL if name != "balanced weights"]
FACTS = {
    "n_rows": 150.0, "n_features": 3.0, "n_categorical": 0.0, "n_numeric": 3.0, "n_classes": 2.0,
    "n_minority": 30.0, "imbalance_ratio": 4.0, "missing_share": 0.0, "max_neighbors": 5.0,
}  # fmt: skip
LOGISTIC = "sklearn.linear_model.LogisticRegression"
BROKEN = Baseline("broken", Configuration(Choice("broken", LOGISTIC, values={"C": -1.0})))


def table(n_classes: int, *, categorical: bool) -> tuple[FloatArray, IntArray, tuple[int, ...]]:
    rng = np.random.default_rng(0)
    y = rng.permutation(
        np.repeat(np.arange(n_classes), [120, 30] if n_classes == 2 else [90, 36, 24])
    )
    X = rng.normal(size=(150, 3)) + 0.8 * y[:, None]
    if not categorical:
        return X, y, (0, 0, 0)
    X[:, 1:] = rng.integers(0, 4, (150, 2))
    return X, y, (0, 4, 4)


def evaluator_of(X: FloatArray, y: IntArray, levels: tuple[int, ...]) -> Evaluator:
    return Evaluator(
        X, y, np.arange(len(y))[None] % 3, levels, int(y.max()) + 1, "average_precision", seed=0
    )


@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", SPACES)
def test_every_baseline_of_every_space_can_be_evaluated(
    name: str, n_classes: int, categorical: bool
) -> None:
    X, y, n_levels = table(n_classes, categorical=categorical)
    n_categorical = float(np.count_nonzero(n_levels))
    facts = {
        **FACTS, "n_classes": float(n_classes), "n_categorical": n_categorical,
        "n_numeric": 3.0 - n_categorical,
    }  # fmt: skip
    found = list_baselines(load_space(name).restricted_to(facts).untouched(), facts)
    evaluator = evaluator_of(X, y, n_levels)
    assert found[0].name == DO_NOTHING
    assert found[-1].name == "LightGBM defaults"
    for one in found:
        scores = evaluator.evaluate(one.configuration).scores
        assert 0 < scores["average_precision"].value <= 1


@pytest.mark.parametrize(
    ("max_neighbors", "given"), [(0.0, None), (1.0, 1), (3.0, 3), (5.0, 5), (900.0, 5)]
)
def test_smote_looks_at_as_many_neighbours_as_there_are(
    max_neighbors: float, given: int | None
) -> None:
    space = load_space("default")
    found = {
        one.name: one.configuration.sampler
        for one in list_baselines(space.untouched(), {"max_neighbors": max_neighbors})
    }
    assert list(found) == [name for name in ALL if name != "SMOTE 1:1" or given]
    if given:
        assert found["SMOTE 1:1"].values["k_neighbors"] == given


def test_a_model_that_balances_is_not_balanced_twice() -> None:
    forest = Choice("forest", "imblearn.ensemble.BalancedRandomForestClassifier", balance=1.0)
    found = list_baselines(Configuration(forest), {"max_neighbors": 5})
    assert [one.name for one in found] == [DO_NOTHING, TUNED_THRESHOLD, "LightGBM defaults"]


def test_only_what_nobody_has_tuned_is_decided_by_the_argmax() -> None:
    found = list_baselines(load_space("default").untouched(), {"max_neighbors": 5})
    assert [one.name for one in found if not one.is_tuned] == [DO_NOTHING, "LightGBM defaults"]


@pytest.fixture
def space(tmp_path: Path) -> SearchSpace:
    return load_space(write_space(tmp_path / "own"))


def race(
    evaluator: Evaluator, space: SearchSpace, baselines: list[Baseline], folder: Path | None = None,
    *, seconds: float | None = None, n: int = 6, levels: tuple[Level, ...] = (Level(3),),
) -> SearchResult:  # fmt: skip
    if folder is not None:
        folder.mkdir(exist_ok=True)
    with open_executor(evaluator, Resources("in_process", 1, 1)) as executor:
        return search(
            executor, evaluator, space, Budget(seconds, n), levels=levels, folder=folder,
            baselines=baselines,
        )  # fmt: skip


def obvious(space: SearchSpace) -> list[Baseline]:
    return list_baselines(space.untouched(), FACTS)


def test_a_race_leaves_the_trials_as_they_would_have_been(
    evaluator: Evaluator, space: SearchSpace
) -> None:
    levels = (Level(3), Level(3, repeat=1))
    alone, raced = (race(evaluator, space, given, levels=levels) for given in ([], obvious(space)))
    assert summary(raced) == summary(alone)
    assert [c.record.number for c in raced.candidates] == [
        c.record.number for c in alone.candidates
    ]
    assert [one.name for one in raced.baselines] == RACED
    # as often as the leading ones
    assert {len(one.evaluations) for one in raced.baselines} == {2}
    assert alone.baselines == ()


def test_a_baseline_that_fails_is_left_out(evaluator: Evaluator, space: SearchSpace) -> None:
    given = obvious(space)
    found = race(evaluator, space, [*given[:2], BROKEN, *given[2:]])
    assert [one.name for one in found.baselines] == RACED
    assert "broken" in found.wanted
    assert summary(found) == summary(race(evaluator, space, given))


def test_a_baseline_that_takes_too_long_is_left_out(
    evaluator: Evaluator, space: SearchSpace, tmp_path: Path
) -> None:
    slow = load_space(write_space(tmp_path / "slow", seconds=1.5)).untouched()
    found = race(evaluator, space, [*obvious(space)[:2], Baseline("slow", slow)], seconds=2.5, n=2)
    assert [one.name for one in found.baselines] == ALL[:2]
    assert found.candidates


def test_without_the_default_its_baselines_are_missing_and_the_others_are_not(
    evaluator: Evaluator, space: SearchSpace, tmp_path: Path
) -> None:
    fails = Configuration(Choice("tilted", "faulty_models.Nowhere"))
    given = [Baseline(DO_NOTHING, fails, is_tuned=False), *obvious(space)[2:]]
    assert [one.name for one in race(evaluator, space, given).baselines] == RACED[2:]


def test_the_winner_without_a_part_is_evaluated_on_the_same_rows(
    evaluator: Evaluator, space: SearchSpace
) -> None:
    found = race(evaluator, space, obvious(space))
    expected = list_parts(found.best.configuration, space)
    assert {one.name: one.configuration for one in found.parts} == expected
    for one in found.parts:
        assert one.level == found.level
        assert len(one.evaluations[0].scored_proba) == len(found.best_evaluation.scored_proba)


def test_every_part_of_a_strategy_is_taken_away_once() -> None:
    space = load_space("default")
    plain = space.default(model="lightgbm", sampler="smote", weight="power")
    tuned = Configuration(
        Choice("lightgbm", plain.model.class_path, values={"num_leaves": 3}),
        sampler=plain.sampler,
        weight=plain.weight,
    )
    assert list(list_parts(tuned, space)) == ["sampler", "weight", "parameters of the model"]
    assert list_parts(space.untouched(), space) == {}


@pytest.mark.parametrize("max_cells", [20, 60, 120, 10_000])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_excerpt_keeps_the_rare_rows_and_stands_for_all(n_classes: int, max_cells: int) -> None:
    X, y, n_levels = table(n_classes, categorical=False)
    evaluator = evaluator_of(X, y, n_levels)
    found = choose_excerpt(evaluator, Level(3), max_cells)
    limit = max_cells // n_classes
    assert len(found.rows) == min(limit, len(y))
    assert (np.diff(found.rows) > 0).all()
    sizes, kept = np.bincount(y), np.bincount(y[found.rows], minlength=n_classes)
    if limit >= n_classes * sizes.min():
        assert kept[-1] == sizes[-1]
    totals = np.bincount(y[found.rows], found.counts_as, n_classes)
    np.testing.assert_allclose(totals, sizes)
    again = choose_excerpt(evaluator, Level(3), max_cells)
    np.testing.assert_array_equal(again.rows, found.rows)


def test_of_folds_that_are_not_scored_no_row_is_kept() -> None:
    X, y, n_levels = table(2, categorical=False)
    evaluator = evaluator_of(X, y, n_levels)
    rows, _ = evaluator.scored(Level(1))
    np.testing.assert_array_equal(choose_excerpt(evaluator, Level(1)).rows, rows)


class Killed(BaseException):
    """What a kill comes to in this process."""


@pytest.mark.parametrize("after", [1, 7, 8, 13])
def test_a_search_that_was_killed_knows_the_same_of_all_that_it_tried(
    evaluator: Evaluator,
    space: SearchSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    levels = (Level(3), Level(3, repeat=1))
    expected = race(evaluator, space, obvious(space), tmp_path / "whole", levels=levels)
    with monkeypatch.context() as patch:
        patch.setattr(EvaluationFolder, "save", killed_after(after, EvaluationFolder.save))
        with pytest.raises(Killed):
            race(evaluator, space, obvious(space), tmp_path / "killed", levels=levels)
    found = race(evaluator, space, obvious(space), tmp_path / "killed", levels=levels)
    assert_same_evidence(found, expected)
    again = race(evaluator, space, obvious(space), tmp_path / "whole", levels=levels)
    assert_same_evidence(again, expected)


@pytest.mark.parametrize("after", range(1, 15, 2))
def test_a_search_that_was_killed_evaluates_again_only_what_it_was_at(
    evaluator: Evaluator,
    space: SearchSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    levels = (Level(3), Level(3, repeat=1))
    # What fails leaves nothing behind, and is tried again.
    given = [one for one in obvious(space) if one.name in RACED]
    made: list[int] = []

    def searches(name: str) -> SearchResult:
        return race(evaluator, space, given, tmp_path / name, levels=levels)

    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "evaluate", counted(made, Evaluator.evaluate))
        searches("whole")
        n_whole = len(made)
        with monkeypatch.context() as deadly:
            deadly.setattr(Evaluator, "evaluate", killed_after(after, Evaluator.evaluate))
            with pytest.raises(Killed):
                searches("killed")
        searches("killed")
    assert len(made) - n_whole == n_whole


def counted(made: list[int], evaluate: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate_and_count(*args: Any) -> Any:
        made.append(1)
        return evaluate(*args)

    return evaluate_and_count


def killed_after(n: int, call: Callable[..., Any]) -> Callable[..., Any]:
    left = iter(range(n))

    def call_or_end(*args: Any) -> Any:
        if next(left, None) is None:
            raise Killed
        return call(*args)

    return call_or_end


def assert_same_evidence(found: SearchResult, expected: SearchResult) -> None:
    assert summary(found) == summary(expected)
    assert found.tried.keys() == expected.tried.keys()
    assert len([number for number in found.tried if number >= 0]) == len(
        [record for record in found.records if record.state == "complete"]
    )
    for number, proba in expected.tried.items():
        np.testing.assert_array_equal(found.tried[number], proba)
    assert found.leads == expected.leads
    for mine, other in (
        (found.baselines, expected.baselines), (found.parts, expected.parts),
    ):  # fmt: skip
        assert [one.name for one in mine] == [one.name for one in other]
        for one, same in zip(mine, other, strict=True):
            assert len(one.evaluations) == len(same.evaluations)
            for a, b in zip(one.evaluations, same.evaluations, strict=True):
                np.testing.assert_array_equal(a.proba, b.proba)
