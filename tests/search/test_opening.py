"""What is tried before the study suggests, and what of it begins before the search."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.search.budget import Budget
from autoimb.search.executors import InProcessExecutor
from autoimb.search.opening import Opening, begin, first_configurations, keep_wanted
from autoimb.search.study import search
from autoimb.strategy.search_space import SearchSpace, load_space

FACTS = {
    "n_rows": 500.0, "n_features": 9.0, "n_categorical": 2.0, "n_numeric": 7.0, "n_classes": 2.0,
    "n_minority": 50.0, "imbalance_ratio": 9.0, "missing_share": 0.0, "max_neighbors": 30.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return load_space("default").restricted_to(FACTS)


def take_all(opening: Opening) -> list[str]:
    return [str(configuration) for configuration in iter(opening.take, None)]


def test_all_of_it_is_taken_in_turn(space: SearchSpace) -> None:
    opening, first = Opening(space), first_configurations(space)
    assert len(opening) == len(first)
    assert take_all(opening) == [str(one) for one in first]
    assert opening.take() is None


def test_what_was_tried_is_not_taken_again(space: SearchSpace) -> None:
    first = first_configurations(space)
    assert take_all(Opening(space, tried=first[:2])) == [str(one) for one in first[2:]]


def test_the_first_ones_are_as_different_as_they_can_be(space: SearchSpace) -> None:
    """Both a search of fifteen seconds and a blend live on that."""
    first = first_configurations(space)[:12]
    assert len(set(map(str, first))) >= 8
    assert len({one.model.name for one in first}) >= 3


def test_a_model_that_was_too_slow_by_itself_is_left_out_with_any_sampler(
    space: SearchSpace,
) -> None:
    opening = Opening(space)
    opening.note_slow(space.default(model="lightgbm"))
    assert not any(name.startswith("lightgbm") for name in take_all(opening))


def test_a_sampler_that_was_too_slow_is_left_out_with_its_model_alone(space: SearchSpace) -> None:
    opening = Opening(space)
    opening.note_slow(space.default(model="lightgbm", sampler="smote"))
    left = take_all(opening)
    assert "lightgbm + smote" not in left
    assert "lightgbm + random_under" in left


@pytest.mark.parametrize("is_done", [False, True])
def test_a_slow_ensemble_does_not_leave_out_its_model(space: SearchSpace, is_done: bool) -> None:
    opening = Opening(space)
    slow, plain = space.default(model="lightgbm", ensemble="self_paced"), space.default()
    opening.note_slow(slow, [plain, slow] if is_done else [plain])
    left = take_all(opening)
    assert "lightgbm" in left
    assert ("lightgbm + self_paced" in left) == is_done


def test_what_the_data_rule_out_or_nobody_asks_for_is_cancelled(space: SearchSpace) -> None:
    first = first_configurations(space)
    other = space.default(model="logistic", weight="power")
    futures: list[Future[Evaluation]] = [Future() for _ in range(3)]
    begun = list(zip([first[0], other, first[1]], futures, strict=True))
    assert [one for one, _ in keep_wanted(begun, space, 1)] == [first[0]]
    assert [future.cancelled() for future in futures] == [False, True, True]
    assert keep_wanted(begun, space, None) == [begun[0], begun[2]]


class Counting(InProcessExecutor):
    """Note what is evaluated."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self.evaluated: list[str] = []

    def submit(self, task: Task, limit: float | None):  # type: ignore[no-untyped-def]
        self.evaluated.append(str(task.configuration))
        return super().submit(task, limit)


def test_what_has_begun_is_not_evaluated_again_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[model.logistic]\nclass = "sklearn.linear_model.LogisticRegression"\n'
        "C = {low = 0.01, high = 10.0, log = true, default = 1.0}\n"
    )
    own, rng = load_space(path), np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] + rng.normal(0, 0.5, 60) > 0.8).astype(int)
    evaluator = Evaluator(X, y, np.arange(60) % 2, (0, 0), 2, "average_precision", seed=0)
    executor, budget, values = Counting(evaluator), Budget(None, 4), []
    for begun in ([], begin(executor, own, budget, Level(2))):
        found = search(executor, evaluator, own, budget, begun=begun)
        values.append([r.scores["average_precision"].value for r in found.records])
    assert len(executor.evaluated) == 8
    assert values[0] == values[1]
