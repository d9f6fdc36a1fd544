from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autoimb
from autoimb.errors import AutoImbWarning, DataError, UsageError
from autoimb.fitting import FitResult
from autoimb.planning import Plan
from autoimb.running import read_problem

pytestmark = pytest.mark.usefixtures("few_resamples")

QUICK: dict[str, Any] = {
    "n_trials": 1,
    "time_budget": None,
    "space": "fast",
    "n_folds": 2,
    "executor": "in_process",
    "tracking_uri": "off",
}
SIXTY = {"x": range(60), "z": [0, 1, 2] * 20}
LABELS = ["no"] * 45 + ["yes"] * 15


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (["target", "a", "b"], "target"),
        (["a", "Label", "b"], "Label"),
        (["a", " CLASS ", "b"], " CLASS "),
        (["a", "y", "b"], "y"),
        (["a", "outcome", "b"], "outcome"),
        (["class", "target", "b"], "target"),
        (["a", "b", "c"], "c"),
        (["classes", "b", "c"], "c"),
    ],
)
def test_the_target_is_found_by_its_name_or_place(names: list[str], target: str) -> None:
    columns = [LABELS if name == target else list(range(60)) for name in names]
    problem = read_problem(pd.DataFrame(dict(zip(names, columns, strict=True))))
    assert problem.dataset.target == target
    assert problem.notes[0] == f"target '{target}' assumed; --target NAME chooses another."


@pytest.mark.parametrize(
    ("labels", "classes", "positive"),
    [
        (["no"] * 45 + ["yes"] * 15, ("no", "yes"), "yes"),
        (["0"] * 45 + ["1"] * 15, (0, 1), 1),
        ([0] * 15 + [1] * 45, (0, 1), 0),
        ([True] * 15 + [False] * 45, (False, True), True),
        ([0.0] * 45 + [1.0] * 15, (0.0, 1.0), 1.0),
        (["007"] * 45 + ["042"] * 15, ("007", "042"), "042"),
        (["0.5"] * 45 + ["1.5"] * 15, ("0.5", "1.5"), "1.5"),
        (["1"] * 30 + ["2"] * 20 + ["3"] * 10, (1, 2, 3), None),
    ],
)
def test_labels_keep_their_spelling_and_whole_numbers_become_numbers(
    labels: list[Any], classes: tuple[Any, ...], positive: Any
) -> None:
    found = read_problem(pd.DataFrame({**SIXTY, "target": labels})).dataset.labels
    assert found.classes == classes
    assert found.positive == positive


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, "", "  "])
def test_rows_without_a_label_are_left_out(gap: Any) -> None:
    problem = read_problem(pd.DataFrame({**SIXTY, "target": [gap, gap, *LABELS[2:]]}))
    assert len(problem.dataset.y) == 58
    assert "2 rows without a label in 'target' left out." in problem.notes


@pytest.mark.parametrize(
    ("values", "n_distinct"),
    [
        ([n / 10 for n in range(60)], 60),
        (list(range(60)), 60),
        ([0.5, 1.5, 2.5] * 20, 3),
        ([f"{n}.25" for n in range(60)], 60),
    ],
)
def test_quantities_are_no_classes(values: list[Any], n_distinct: int) -> None:
    with pytest.raises(DataError) as caught:
        read_problem(pd.DataFrame({**SIXTY, "price": values}), "price")
    assert str(caught.value) == (
        f"the table: target 'price' is continuous: {n_distinct} distinct numbers. "
        "Choose a class column, or bin it."
    )


FRAMES = {
    "no columns": (pd.DataFrame(index=range(5)), "the table has no columns."),
    "no rows": (
        pd.DataFrame({"x": [], "target": []}),
        "the table: every cell of target 'target' is empty. Fill it in.",
    ),
    "only the target": (
        pd.DataFrame({"target": LABELS}),
        "the table: no column is left beside the target 'target'. Add features.",
    ),
    "doubled feature": (
        pd.DataFrame([[1, 2, "a"], [3, 4, "b"]] * 5, columns=["x", "x", "target"]),
        "the table: column names occur more than once: 'x'. Give each column a name of its own.",
    ),
    "doubled target": (
        pd.DataFrame([[1, "a", "a"], [3, "b", "b"]] * 5, columns=["x", "target", "target"]),
        "the table: column names occur more than once: 'target'. "
        "Give each column a name of its own.",
    ),
}


@pytest.mark.parametrize(("table", "start"), FRAMES.values(), ids=list(FRAMES))
def test_frames_that_cannot_be_learned_from(table: pd.DataFrame, start: str) -> None:
    with pytest.raises(DataError) as caught:
        read_problem(table)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


def test_columns_need_not_be_named_by_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 3))).assign(target=LABELS)
    run = autoimb.fit(table, run_dir=tmp_path / "run", **QUICK)
    model = autoimb.load(run.model_path)
    features = table.drop(columns="target")
    assert np.array_equal(model.predict(features), model.predict(features.to_numpy()))


def test_the_index_of_a_frame_does_not_matter(loans: pd.DataFrame, tmp_path: Path) -> None:
    odd = loans.set_index(pd.Index([f"row {n % 7}" for n in range(len(loans))]))
    runs = [
        autoimb.fit(table, run_dir=tmp_path / name, **QUICK)
        for name, table in {"plain": loans, "odd": odd}.items()
    ]
    assert runs[0].result.score == runs[1].result.score
    model = runs[0].result.model
    assert model.predict_table(odd).index.equals(odd.index)


def test_the_index_does_not_matter_where_labels_are_missing(
    loans: pd.DataFrame, fitted: Any
) -> None:
    model = fitted.result.model
    partly = loans.assign(default=loans["default"].where(loans.index > 9))
    doubled = pd.concat([partly, partly])
    plain = autoimb.evaluate(model, doubled.reset_index(drop=True))
    assert plain["n_rows"] == 300
    assert autoimb.evaluate(model, doubled) == plain


def test_fitting_leaves_the_frame_as_it_was(loans: pd.DataFrame, tmp_path: Path) -> None:
    before = loans.copy(deep=True)
    autoimb.fit(loans, run_dir=tmp_path / "run", **QUICK)
    pd.testing.assert_frame_equal(loans, before)


def test_a_file_and_a_frame_give_the_same(loans_csv: Path, tmp_path: Path, fitted: Any) -> None:
    run = autoimb.fit(loans_csv, run_dir=tmp_path / "run", **{**QUICK, "n_trials": 3})
    assert run.result.score == fitted.result.score
    assert run.result.model.schema == fitted.result.model.schema
    assert run.result.model.rule == fitted.result.model.rule


def test_runs_at_the_same_time_have_folders_of_their_own(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = {autoimb.fit(loans, **QUICK).folder for _ in range(2)}
    assert len(folders) == 2
    assert all((folder / "model.pkl").is_file() for folder in folders)
    assert {folder.parent for folder in folders} == {Path("autoimb_runs")}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_trials": None}, "a budget is needed: give seconds (time_budget), trials (n_trials), "),
        ({"time_budget": 0}, "time_budget must be a positive number of seconds, but got 0."),
        ({"time_budget": math.nan}, "time_budget must be a positive number of seconds, but got "),
        ({"n_trials": 0}, "n_trials must be at least 1, but got 0."),
        ({"n_folds": 1}, "n_folds must be at least 2, but got 1."),
        ({"n_jobs": 0}, "n_jobs must be positive, or -1 for every core, but got 0."),
        ({"n_jobs": -2}, "n_jobs must be positive, or -1 for every core, but got -2."),
        ({"n_threads": 0}, "n_threads must be positive, but got 0."),
        ({"executor": "process"}, "executor 'process' is not known; did you mean 'processes'?"),
        ({"metric": "f11"}, "metric 'f11' does not exist; did you mean 'f1'?"),
        ({"space": "fasst"}, "search space 'fasst' does not exist; did you mean 'fast'?"),
        ({"random_state": -1}, "random_state must be from 0 to 4294967295, but got -1."),
    ],
)
def test_arguments_are_checked_before_anything_is_done(
    loans: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        autoimb.fit(loans, **{**QUICK, **option})
    assert str(caught.value).startswith(message)
    assert not list(tmp_path.iterdir())


class Watching:
    def __init__(self) -> None:
        self.events: list[str] = []

    def started(self, dataset: object, profile: object, plan: Plan) -> None:
        self.events.append("started")

    def told(self, record: object) -> None:
        self.events.append("told")

    def finished(self, result: FitResult) -> None:
        self.events.append("finished")


class Failing(Watching):
    def told(self, record: object) -> None:
        raise OSError("disk full")


def test_watchers_follow_the_fit(loans: pd.DataFrame, tmp_path: Path) -> None:
    watching = Watching()
    autoimb.fit(loans, run_dir=tmp_path / "run", watchers=[watching], **QUICK)
    assert watching.events == ["started", "told", "finished"]


def test_a_watcher_that_fails_costs_a_warning_and_no_fit(
    loans: pd.DataFrame, tmp_path: Path
) -> None:
    watching = Watching()
    with pytest.warns(AutoImbWarning) as warned:
        run = autoimb.fit(loans, run_dir=tmp_path / "run", watchers=[Failing(), watching], **QUICK)
    assert [str(one.message) for one in warned] == ["Failing failed and the fit goes on: disk full"]
    assert watching.events == ["started", "told", "finished"]
    assert run.model_path.is_file()


def test_evaluating_tells_a_class_that_is_not_known(loans: pd.DataFrame, fitted: Any) -> None:
    with pytest.raises(DataError) as caught:
        autoimb.evaluate(fitted.result.model, loans.assign(default="perhaps"))
    assert str(caught.value) == (
        "the table: target 'default' holds 'perhaps', which training never saw; "
        "the classes are no, yes. Correct the labels."
    )


def test_a_profile_of_a_file_a_frame_and_arrays(loans: pd.DataFrame, loans_csv: Path) -> None:
    found = [
        autoimb.profile(loans_csv),
        autoimb.profile(loans),
        autoimb.profile(loans.drop(columns="default"), loans["default"]),
    ]
    assert {(p.n_rows, p.imbalance_ratio) for p in found} == {(160, 136 / 24)}
    assert {tuple(p.class_counts.items()) for p in found} == {(("no", 136), ("yes", 24))}
    chosen = autoimb.profile(loans, target="member")
    assert set(chosen.class_counts) == {"False", "True"}


def test_a_profile_leaves_out_rows_without_a_label() -> None:
    X = np.arange(12.0).reshape(6, 2)
    found = autoimb.profile(X, ["a", None, "b", "a", " ", "a"])
    assert found.class_counts == {"a": 3, "b": 1}
    assert autoimb.profile(X, [0, 1, np.nan, 0, 0, 0]).class_counts == {"0.0": 4, "1.0": 1}


def test_a_profile_needs_a_label_for_every_row() -> None:
    with pytest.raises(DataError) as caught:
        autoimb.profile(np.zeros((3, 2)), [0, 1])
    assert str(caught.value) == "X has 3 rows but y has the shape (2,); give each row one label."
