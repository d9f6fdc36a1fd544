from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import faulty_models
import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from autoimb.errors import SearchError
from autoimb.evaluation.engine import Evaluator
from autoimb.search.budget import Budget
from autoimb.search.executors import open_executor
from autoimb.search.opening import first_configurations
from autoimb.search.records import SearchResult, TrialRecord
from autoimb.search.resources import Resources
from autoimb.search.study import search as search_with
from autoimb.strategy.configuration import STAGES
from autoimb.strategy.search_space import SearchSpace, load_space
from autoimb.strategy.space_files import shipped_spaces

STEADY = "slope = {low = 0.1, high = 5.0, default = 1.0}"


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] + rng.normal(0, 0.5, 60) > 1).astype(int)
    folds = np.empty(60, dtype=int)
    for code in (0, 1):
        folds[y == code] = np.arange((y == code).sum()) % 2
    return Evaluator(X, y, folds, (0, 0), 2, "average_precision", seed=0)


@pytest.fixture
def space(tmp_path: Path) -> Any:
    """Make a space of classifiers from `faulty_models`."""

    def make(*models: str) -> SearchSpace:
        tables = [f'[model.{m.lower()}]\nclass = "faulty_models.{m}"\n{STEADY}\n' for m in models]
        path = tmp_path / "own.toml"
        path.write_text("\n".join(tables))
        return load_space(path)

    return make


FACTS = {
    "n_rows": 500.0,
    "n_features": 9.0,
    "n_categorical": 2.0,
    "n_numeric": 7.0,
    "n_classes": 2.0,
    "n_minority": 50.0,
    "imbalance_ratio": 9.0,
    "missing_share": 0.0,
    "max_neighbors": 30.0,
}


def search(
    evaluator: Evaluator, space: SearchSpace, budget: Budget, *, n_workers: int, **more: Any
) -> SearchResult:
    """Search in this process, or in worker processes."""
    kind: Any = "in_process" if n_workers == 1 else "processes"
    with open_executor(evaluator, Resources(kind, n_workers, 1)) as executor:
        return search_with(executor, evaluator, space, budget, **more)


def trials(n: int) -> Budget:
    return Budget(seconds=None, trials=n)


def states(records: tuple[TrialRecord, ...]) -> list[tuple[str, str]]:
    return [(record.configuration.model.name, record.state) for record in records]


def test_the_default_is_tried_first_then_every_model(evaluator: Evaluator, space: Any) -> None:
    found = search(evaluator, space("Steady", "Slow"), trials(4), n_workers=1)
    assert [record.number for record in found.records] == [0, 1, 2, 3]
    assert found.records[0].configuration == space("Steady").default()
    assert found.default is found.records[0]
    assert str(found.records[1].configuration) == "slow"
    assert not found.interrupted


def test_the_best_is_the_best_and_ties_go_to_the_first(evaluator: Evaluator, space: Any) -> None:
    found = search(evaluator, space("Steady"), trials(4), n_workers=1)
    values = [record.scores["average_precision"].value for record in found.records]
    # the slope does not change the order of rows, so that all are equally good
    assert len(set(values)) == 1
    assert found.best is found.records[0]
    assert found.best_evaluation.proba.shape == (60, 2)


def test_what_is_tried_first_is_tried_once() -> None:
    for name in shipped_spaces():
        space = load_space(name).restricted_to(FACTS)
        found = first_configurations(space)
        assert found[0] == space.untouched()
        for stage in ("model", "ensemble", "weight"):
            tried = {one.choices[stage].name for one in found}
            assert tried == {one.name for one in space.stages[stage]}
        assert all(found.count(configuration) == 1 for configuration in found)
        assert set(map(str, space.portfolio())) <= set(map(str, found))


@pytest.mark.parametrize("metric", ["brier", "log_loss", "f1"])
def test_the_best_is_the_smallest_where_less_is_better(
    evaluator: Evaluator, space: Any, metric: str
) -> None:
    other = Evaluator(evaluator.X, evaluator.y, evaluator.folds, (0, 0), 2, metric, seed=0)
    found = search(other, space("Steady"), trials(6), n_workers=1)
    values = [record.scores[metric].value for record in found.records]
    assert found.best.scores[metric].value == (max(values) if metric == "f1" else min(values))
    assert found.study.best_value == found.best.scores[metric].value


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("Raising", "ValueError: out of luck"),
        ("Unsure", "ValueError: Unsure predicts probabilities that are not finite"),
    ],
)
def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(
    evaluator: Evaluator, space: Any, model: str, reason: str
) -> None:
    seen: list[TrialRecord] = []
    found = search(
        evaluator, space("Steady", model, "Slow"), trials(3), n_workers=1, watch=seen.append
    )
    assert states(found.records) == [
        ("steady", "complete"),
        (model.lower(), "failed"),
        ("slow", "complete"),
    ]
    failed = found.records[1]
    assert (failed.reason, failed.scores) == (reason, {})
    assert sorted(seen, key=lambda record: record.number) == list(found.records)
    assert found.study.trials[1].state is optuna.trial.TrialState.FAIL
    assert found.study.trials[1].user_attrs["outcome"]["reason"] == reason


def test_a_default_that_fails_is_no_reference(evaluator: Evaluator, space: Any) -> None:
    found = search(evaluator, space("Raising", "Steady"), trials(2), n_workers=1)
    assert found.default is None
    assert found.default_evaluations == ()
    assert found.best.configuration.model.name == "steady"


@pytest.mark.parametrize("budget", [trials(3), Budget(1.0)], ids=["trials", "seconds"])
def test_when_all_fail_one_line_says_why(evaluator: Evaluator, space: Any, budget: Budget) -> None:
    fresh = Budget(budget.seconds, 3)
    with pytest.raises(SearchError) as caught:
        search(evaluator, space("Raising"), fresh, n_workers=1)
    assert str(caught.value) == (
        "none of the 3 configurations could be evaluated: ValueError: out of luck. "
        "Try another search space, or check the columns."
    )


@pytest.mark.parametrize("budget", [(None, 9), (30.0, None)], ids=["trials", "seconds"])
def test_an_interrupt_ends_the_search_with_the_best_so_far(
    evaluator: Evaluator, space: Any, monkeypatch: pytest.MonkeyPatch, budget: Any
) -> None:
    monkeypatch.setattr(faulty_models.Interrupted, "calls", 0)
    found = search(evaluator, space("Interrupted"), Budget(*budget), n_workers=1)
    assert found.interrupted
    assert states(found.records) == [("interrupted", "complete")] * 2
    assert found.best in found.records
    running = [t for t in found.study.trials if t.state is optuna.trial.TrialState.RUNNING]
    # with a number of trials, what was asked for stays open, for a later search to tell in turn
    assert bool(running) == (budget[1] is not None)


def test_an_interrupt_before_any_result_leaves_nothing_to_export(
    evaluator: Evaluator, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faulty_models.Interrupted, "calls", 4)
    with pytest.raises(SearchError) as caught:
        search(evaluator, space("Interrupted"), trials(3), n_workers=1)
    assert str(caught.value) == (
        "interrupted before the first configuration was evaluated; nothing to export."
    )


def test_the_same_seed_tries_the_same(evaluator: Evaluator, space: Any) -> None:
    first, second = (
        search(evaluator, space("Steady", "Slow"), trials(5), n_workers=1) for _ in range(2)
    )
    flat = [[record.configuration.flat for record in found.records] for found in (first, second)]
    assert flat[0] == flat[1]


@pytest.mark.slow
def test_a_budget_in_seconds_is_kept(evaluator: Evaluator, space: Any) -> None:
    begun = time.monotonic()
    found = search(evaluator, space("Slow"), Budget(2.0), n_workers=1)
    assert time.monotonic() - begun < 4
    assert len(found.records) >= 2


def test_whichever_limit_comes_first_ends_the_search(evaluator: Evaluator, space: Any) -> None:
    found = search(evaluator, space("Steady"), Budget(60.0, 2), n_workers=1)
    assert len(found.records) == 2


def test_an_exhausted_budget_still_gives_a_result(evaluator: Evaluator, space: Any) -> None:
    late = Budget(1.0, started=time.monotonic() - 5)
    found = search(evaluator, space("Steady"), late, n_workers=1)
    assert len(found.records) == 1


def test_optuna_opens_the_journal_afterwards(
    evaluator: Evaluator, space: Any, tmp_path: Path
) -> None:
    found = search(evaluator, space("Steady", "Raising"), trials(3), n_workers=1, folder=tmp_path)
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.journal")))
    study = optuna.load_study(study_name="autoimb", storage=storage)
    assert [t.state.name for t in study.trials][:2] == ["COMPLETE", "FAIL"]
    assert study.best_value == found.best.scores["average_precision"].value
    assert study.trials[0].params == {"model": "steady", "model.steady.slope": 1.0} | dict.fromkeys(
        STAGES[1:], "none"
    )
    assert math.isfinite(study.trials[0].user_attrs["outcome"]["scores"]["roc_auc"]["value"])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_study_holds_the_trials_that_were_made_and_no_other(
    evaluator: Evaluator, space: Any, n: int
) -> None:
    found = search(evaluator, space("Steady", "Slow", "Raising"), trials(n), n_workers=1)
    assert len(found.study.trials) == len(found.records) == n
    assert all(trial.state.is_finished() for trial in found.study.trials)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("Sleeping", "took longer than one trial may"),
        ("Dying", "ProcessExpired: Abnormal termination"),
        ("Raising", "ValueError: out of luck"),
        ("RaisingAwkwardly", "Awkward: fit: out of luck"),
    ],
)
def test_what_goes_wrong_in_a_worker_is_one_failed_trial(
    evaluator: Evaluator, space: Any, model: str, reason: str
) -> None:
    found = search(evaluator, space("Steady", model), Budget(50.0, 6), n_workers=2)
    failed = next(r for r in found.records if r.configuration.model.name == model.lower())
    assert failed.state == "failed"
    assert reason in failed.reason
    assert len(found.records) == 6
    assert any(record.state == "complete" for record in found.records)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_fails_again_and_again_is_suggested_less_and_less(
    evaluator: Evaluator, space: Any, seed: int
) -> None:
    other = Evaluator(evaluator.X, evaluator.y, evaluator.folds, (0, 0), 2, "f1", seed=seed)
    found = search(other, space("Steady", "Raising"), trials(50), n_workers=1)
    failed = [record.state == "failed" for record in found.records]
    assert sum(failed[20:]) <= 10


def test_the_first_of_each_model_is_scored_on_every_fold(
    evaluator: Evaluator, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = np.empty(60, dtype=int)
    for code in (0, 1):
        folds[evaluator.y == code] = np.arange((evaluator.y == code).sum()) % 5
    five = Evaluator(evaluator.X, evaluator.y, folds, (0, 0), 2, "average_precision", seed=0)
    own, slopes = space("Blurred", "Opposite"), np.linspace(0.5, 4, 12).tolist()
    first = [
        own.configuration(
            lambda name, p, m=model, s=slope: (
                m if name == "model" else s if name.endswith("slope") else p.default
            )
        )
        for model, chosen in (("blurred", slopes), ("opposite", slopes[:4]))
        for slope in chosen
    ]
    monkeypatch.setattr("autoimb.search.opening.first_configurations", lambda space: first)
    found = search(five, own, trials(len(first)), n_workers=1)
    states = [r.state for r in found.records if r.configuration.model.name == "opposite"]
    assert states == ["complete", "pruned", "pruned", "pruned"]


@pytest.mark.slow
def test_what_was_too_slow_is_not_tried_first_once_more(
    evaluator: Evaluator, space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = space("Steady", "Slow", "Sleeping")
    steady, slow, sleeping = (own.default(model=m) for m in ("steady", "slow", "sleeping"))
    # slow ones until long after the limit of the one that sleeps, which is 5 seconds
    first = [steady, sleeping, *[slow] * 40, sleeping, steady]
    monkeypatch.setattr("autoimb.search.opening.first_configurations", lambda space: first)
    found = search(evaluator, own, Budget(30.0, len(first) - 1), n_workers=2)
    tried = [record.configuration.model.name for record in found.records]
    assert tried == ["steady", "sleeping", *["slow"] * 40, "steady"]


def test_the_best_of_each_strategy_is_kept_with_what_it_predicted(
    evaluator: Evaluator, space: Any
) -> None:
    found = search(evaluator, space("Steady", "Slow", "Raising"), trials(9), n_workers=1)
    strategies = [str(candidate.record.configuration) for candidate in found.candidates]
    assert sorted(strategies) == ["slow", "steady"]
    for candidate in found.candidates:
        others = [
            record
            for record in found.records
            if str(record.configuration) == str(candidate.record.configuration)
        ]
        assert candidate.record.scores["average_precision"].value == max(
            record.scores["average_precision"].value for record in others
        )
        assert candidate.evaluation.proba.shape == (60, 2)


@pytest.mark.slow
def test_the_answer_does_not_depend_on_the_number_of_workers(
    evaluator: Evaluator, space: Any
) -> None:
    alone, together = (
        search(evaluator, space("Slow", "Steady", "Raising"), trials(12), n_workers=n)
        for n in (1, 2)
    )
    assert [r.configuration for r in alone.records] == [r.configuration for r in together.records]
    assert [r.scores for r in alone.records] == [r.scores for r in together.records]
    assert alone.best.number == together.best.number
