"""A run that goes on later, comes out alike wherever it runs, and can be replayed."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command, Outcome, but_for_resamples

import autoimb
from autoimb import AutoImbClassifier
from autoimb.errors import UsageError
from autoimb.search.resources import plan_resources

pytestmark = pytest.mark.usefixtures("few_resamples")

N_ROWS = 120
PATIENCE = 60.0
FORKS = multiprocessing.get_context("forkserver")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the models that note their fits, and spare other processes the import of pytest."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "search"))
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_ROWS, 2)), columns=["a", "b"])
    risk = X["a"] + X["b"] + rng.normal(0, 0.5, N_ROWS)
    member = np.where(X["b"] > 0.8, "in", "out")
    return X.assign(member=member, late=np.where(risk > 1.5, "yes", "no"))


@pytest.fixture
def data(table: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "late.csv"
    table.to_csv(path, index=False)
    return path


def write_space(folder: Path, *, single: bool = False, seconds: float = 0.0) -> Path:
    """Write a space of two models that note every fit in `folder`."""
    path, notes = folder / "own.toml", json.dumps(str(folder / "notes"))
    path.write_text(
        "\n".join(
            f'[model.{name}]\nclass = "faulty_models.Tilted"\nnotes = {notes}\n'
            f"angle = {{low = {low}, high = {high}, default = {default}}}\n"
            f"seconds = {seconds}\nsingle = {json.dumps(single)}\n"
            for name, low, high, default in [
                ("tilted", -1.5, 1.5, 1.4),
                ("turned", -3.0, 0.0, -1.0),
            ]
        )
    )
    return path


def order(folder: Path, **changes: Any) -> dict[str, Any]:
    usual = {
        "data": folder / "late.csv", "target": "late", "time_budget": None, "n_trials": 6,
        "n_folds": 3, "space": folder / "own.toml", "run_dir": folder / "run",
        "executor": "in_process", "tracking_uri": "off", "resume": True,
    }  # fmt: skip
    return {**usual, **changes}


@pytest.fixture
def fit(data: Path, tmp_path: Path) -> Callable[..., Any]:
    """Fit in `tmp_path`, where the last fit is gone on with."""
    write_space(tmp_path)
    return lambda **changes: autoimb.fit(**order(tmp_path, **changes))


@pytest.fixture
def command(cli: Command, data: Path, tmp_path: Path) -> Command:
    """Run `autoimb fit` in `tmp_path`."""
    write_space(tmp_path)
    flags = (
        "--space", "own.toml", "--folds", "3", "--trials", "4", "--target", "late",
        "--executor", "in_process", "--tracking-uri", "off",
    )  # fmt: skip
    return lambda *more, file="late.csv": cli("fit", file, *flags, *more)


def read_notes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "notes").read_text().splitlines()]


def made(run: Any) -> list[tuple[Any, ...]]:
    """List the trials of a run, with how long each took: another number if it is made again."""
    return [
        (record.number, record.configuration, record.state, record.fold_values, record.seconds)
        for record in run.result.search.records
    ]


def board(run: Any) -> pd.DataFrame:
    found: pd.DataFrame = run.result.leaderboard.drop(columns="seconds")
    return found


def assert_same(found: Any, expected: Any, table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(board(found), board(expected), check_exact=True)
    proba = [run.result.model.predict_proba(table) for run in (found, expected)]
    assert np.array_equal(*proba)
    assert found.result.model.rule == expected.result.model.rule


# ------------------------------------------------------------------------------- to begin with


@pytest.mark.parametrize("left_there", [None, [], ["notes.txt"]])
def test_resuming_where_nothing_has_run_yet_begins(
    command: Command, tmp_path: Path, left_there: list[str] | None
) -> None:
    if left_there is not None:
        (tmp_path / "run").mkdir()
        for name in left_there:
            (tmp_path / "run" / name).write_text("mine")
    found = command("--run-dir", "run", "--resume", "--json").json
    assert found["n_trials"] == 4
    assert autoimb.load(tmp_path / "run" / "model.pkl").classes_.tolist() == ["no", "yes"]


def test_resuming_without_any_run_is_refused_in_one_line(command: Command, tmp_path: Path) -> None:
    found = command("--resume")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == (
        "error: there is no run of 'late' in autoimb_runs to resume. Leave --resume out, or name "
        "its folder by --run-dir.\n"
    )
    assert not (tmp_path / "autoimb_runs").exists()


def test_a_run_goes_on_only_if_asked_to(command: Command, tmp_path: Path) -> None:
    command("--run-dir", "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    found = command("--run-dir", "run")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr.startswith("error: --run-dir run already holds a run. Choose another")
    assert {path: path.read_bytes() for path in before} == before


def test_resuming_goes_on_with_the_latest_run_of_the_data(command: Command) -> None:
    first, latest = (command("--trials", "1", "--json").json["run_dir"] for _ in range(2))
    found = command("--resume", "--trials", "2", "--json").json
    assert found["run_dir"] == latest != first
    assert found["n_trials"] == 2


@pytest.mark.parametrize(
    ("name", "other"),
    [("late", "late_2025"), ("late", "too-late"), ("late[1]", None), ("late", "late-2")],
)
def test_the_latest_run_of_other_data_is_not_mistaken_for_one_of_these(
    command: Command, table: pd.DataFrame, tmp_path: Path, name: str, other: str | None
) -> None:
    table.to_csv(tmp_path / f"{name}.csv", index=False)
    flags = ("--trials", "1", "--json")
    ours = command(*flags, file=f"{name}.csv").json["run_dir"]
    if other is not None:
        table[:-1].to_csv(tmp_path / f"{other}.csv", index=False)
        command(*flags, file=f"{other}.csv")
    found = command("--resume", *flags, file=f"{name}.csv")
    assert found.code == 0, found.stderr
    assert found.json["run_dir"] == ours


# ---------------------------------------------------------------------------------- to go on


def test_more_trials_are_added_to_those_that_were_made(
    fit: Callable[..., Any], tmp_path: Path
) -> None:
    first = fit(n_trials=5)
    more = fit(n_trials=12)
    assert made(more)[:5] == made(first)
    assert [record.number for record in more.result.search.records] == list(range(12))
    best = [run.result.leaderboard["score"].max() for run in (first, more)]
    assert best[1] >= best[0]
    # the model of before is kept beside the new one
    assert (tmp_path / "run" / "model.pkl.1").exists()


def test_the_command_line_goes_on_too(command: Command) -> None:
    first = command("--run-dir", "run", "--json").json
    again = command("--run-dir", "run", "--resume", "--trials", "9", "--json").json
    assert (first["n_trials"], again["n_trials"]) == (4, 9)
    assert again["run_dir"] == first["run_dir"]


def test_no_trial_that_was_made_is_left_out_where_fewer_are_asked_for(
    fit: Callable[..., Any],
) -> None:
    first = fit(n_trials=6)
    assert made(fit(n_trials=2)) == made(first)


def test_a_finished_run_fits_nothing_again_but_what_it_exports_and_explains_it_by(
    data: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    write_space(tmp_path, single=True)
    first = autoimb.fit(**order(tmp_path))
    n_before = len(read_notes(tmp_path))
    again = autoimb.fit(**order(tmp_path))
    refit, *without_fold = read_notes(tmp_path)[n_before:]
    assert refit["n"] == N_ROWS
    assert [fitted["n"] for fitted in without_fold] == [80, 80, 80]
    assert {fitted["angle"] for fitted in without_fold} == {refit["angle"]}
    assert made(again) == made(first)
    assert_same(again, first, table)


@pytest.mark.parametrize("n_bytes", [1, 20, 90])
def test_a_last_line_that_was_cut_off_is_mended(
    fit: Callable[..., Any], table: pd.DataFrame, tmp_path: Path, n_bytes: int
) -> None:
    first = fit()
    journal = tmp_path / "run" / "study.journal"
    content = journal.read_bytes()
    journal.write_bytes(content[:-n_bytes])
    assert len(content[:-n_bytes].splitlines()) == len(content.splitlines())
    again = fit()
    assert_same(again, first, table)
    # but for the last trial, which had not been told
    assert made(again)[:-1] == made(first)[:-1]
    assert all(map(json.loads, journal.read_text().splitlines()))
    assert journal.read_text().endswith("\n")


def test_what_was_running_at_an_interrupt_is_evaluated_later(
    fit: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import faulty_models

    space = tmp_path / "own.toml"
    breaking = '[model.breaking]\nclass = "faulty_models.Interrupted"\n'
    space.write_text(f"{space.read_text()}\n{breaking}")
    monkeypatch.setattr(faulty_models.Interrupted, "calls", 0)
    monkeypatch.setattr(faulty_models.Interrupted, "last_call", 1)
    first = fit(n_trials=3)
    assert first.result.search.interrupted
    again = fit(n_trials=3)
    models = [record.configuration.model.name for record in again.result.search.records]
    # every model is tried once before any is tried twice
    assert sorted(models) == ["breaking", "tilted", "turned"]


@pytest.mark.slow
def test_the_time_that_was_spent_before_counts(data: Path, tmp_path: Path) -> None:
    write_space(tmp_path, seconds=0.03)
    first = autoimb.fit(**order(tmp_path, time_budget=4.0, n_trials=None))
    begun = time.monotonic()
    again = autoimb.fit(**order(tmp_path, time_budget=4.0, n_trials=None))
    assert time.monotonic() - begun < 3 + PATIENCE / 6
    n_first, n_again = (len(run.result.search.records) for run in (first, again))
    assert n_first >= 6
    assert made(again)[:n_first] == made(first)
    assert n_again - n_first <= n_first // 2
    assert again.result.seconds > first.result.seconds / 2


def test_a_file_may_lie_elsewhere_by_now(
    fit: Callable[..., Any], data: Path, tmp_path: Path
) -> None:
    first = fit()
    (tmp_path / "moved").mkdir()
    again = fit(data=data.rename(tmp_path / "moved" / "renamed.csv"))
    assert made(again) == made(first)


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["in_process", "processes"])
def test_a_classifier_that_was_killed_goes_on_as_if_it_were_not(
    table: pd.DataFrame, tmp_path: Path, executor: Any
) -> None:
    X, y = table[["a", "b"]], table["late"]
    asked = {
        "time_budget": None, "n_trials": 12, "n_folds": 3, "tracking_uri": "off", "n_jobs": 2,
        "space": write_space(tmp_path, seconds=0.02), "random_state": 0, "executor": executor,
    }  # fmt: skip
    search = AutoImbClassifier(**asked, resume=tmp_path / "run")
    process = FORKS.Process(target=search.fit, args=(X, y))
    process.start()
    journal, deadline = tmp_path / "run" / "study.journal", time.monotonic() + PATIENCE
    while not (journal.exists() and '"outcome"' in journal.read_text()):
        assert time.monotonic() < deadline
        assert process.exitcode is None
        time.sleep(0.005)
    process.kill()
    process.join()
    search.fit(X, y)
    whole = AutoImbClassifier(**asked).fit(X, y)
    boards = [one.leaderboard_.drop(columns="seconds") for one in (search, whole)]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    assert len(whole.result_.exported.members) > 1
    assert np.array_equal(search.predict_proba(X), whole.predict_proba(X))
    assert search.predict(X).tolist() == whole.predict(X).tolist()


def test_a_classifier_without_a_seed_goes_on_with_that_of_its_run(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    X, y = table[["a", "b"]], table["late"]
    search = AutoImbClassifier(
        time_budget=None, n_trials=3, n_folds=2, tracking_uri="off", executor="in_process",
        space=write_space(tmp_path), resume=tmp_path / "run",
    )  # fmt: skip
    first = search.fit(X, y).predict_proba(X)
    assert np.array_equal(search.fit(X, y).predict_proba(X), first)


# --------------------------------------------------------------------- not with anything else


@pytest.fixture(scope="module")
def a_run(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run, with its data and its space."""
    folder = tmp_path_factory.mktemp("a")
    table.to_csv(folder / "late.csv", index=False)
    (folder / "own.toml").write_text(SPACE)
    autoimb.fit(**order(folder))
    return folder


SPACE = (
    '[model.bayes]\nclass = "sklearn.naive_bayes.GaussianNB"\n'
    "var_smoothing = {low = 1e-9, high = 1e-1, log = true, default = 1e-9}\n"
)
DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "rows": ({"data": "fewer.csv"}, "other data (120 rows of "),
    "a cell": ({"data": "changed.csv"}, "other data (120 rows of "),
    "the order of rows": ({"data": "shuffled.csv"}, "other data (120 rows of "),
    "columns": ({"drop": ["b"]}, "other data (120 rows of "),
    "target": ({"target": "member"}, "target 'late', not 'member'"),
    "positive class": ({"positive": "no"}, "positive class 'yes', not 'no'"),
    "metric": ({"metric": "f1"}, "metric 'average_precision', not 'f1'"),
    "space": ({"space": "fast"}, "another search space ('own', or its file has changed)"),
    "file of the space": ({"space": "changed/own.toml"}, "another search space ('own', or its "),
    "folds": ({"n_folds": 2}, "folds 3, not 2"),
    "groups": ({"groups": "member"}, "groups None, not 'member'"),
    "time": ({"time": "b"}, "time None, not 'b'"),
    "seed": ({"random_state": 1}, "seed 0, not 1"),
    "blend": ({"blend": False}, "blend True, not False"),
}


@pytest.mark.parametrize(("change", "named"), DIFFERENT.values(), ids=list(DIFFERENT))
def test_a_run_does_not_go_on_with_anything_else_and_what_differs_is_named(
    a_run: Path, table: pd.DataFrame, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(a_run, folder)
    table[:-1].to_csv(folder / "fewer.csv", index=False)
    table.assign(a=table["a"].replace(table["a"][7], 1.0)).to_csv(folder / "changed.csv")
    pd.concat([table[60:], table[:60]]).to_csv(folder / "shuffled.csv", index=False)
    (folder / "changed").mkdir()
    (folder / "changed" / "own.toml").write_text(SPACE.replace("1e-1", "1e-2"))
    files = {k: folder / v for k, v in change.items() if str(v).endswith((".csv", ".toml"))}
    before = (folder / "run" / "run.json").read_bytes()
    with pytest.raises(UsageError) as caught:
        autoimb.fit(**order(folder, **{**change, **files}))
    message = str(caught.value)
    assert message.startswith(f"the run in {folder / 'run'} cannot go on, for it was made with ")
    assert named in message
    assert message.endswith("Give what it was made with, or another folder.")
    assert "\n" not in message
    # nothing has happened to it
    assert (folder / "run" / "run.json").read_bytes() == before
    assert len(autoimb.fit(**order(folder)).result.search.records) == 6


def test_a_run_whose_trials_another_version_evaluated_otherwise_does_not_go_on(
    a_run: Path, tmp_path: Path
) -> None:
    shutil.copytree(a_run, tmp_path / "copy")
    path = tmp_path / "copy" / "run" / "run.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "levels": ["1 fold", "3 folds"]}))
    with pytest.raises(UsageError, match=r"levels of evaluation \['1 fold', '3 folds'\], not "):
        autoimb.fit(**order(tmp_path / "copy"))


@pytest.mark.parametrize(
    "name", ["positive class", "metric", "folds", "seed", "blend", "space", "time"]
)
def test_nothing_is_said_to_differ_that_does_not(a_run: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(a_run, tmp_path / "copy")
    change, named = DIFFERENT[name]
    with pytest.raises(UsageError) as caught:
        autoimb.fit(**order(tmp_path / "copy", **change))
    differing = str(caught.value).partition("made with ")[2].partition(". Give")[0]
    assert differing == named


def test_a_classifier_does_not_go_on_with_other_rows(table: pd.DataFrame, tmp_path: Path) -> None:
    X, y = table[["a", "b"]], table["late"]
    search = AutoImbClassifier(
        time_budget=None, n_trials=2, n_folds=2, tracking_uri="off", executor="in_process",
        space=write_space(tmp_path), random_state=0, resume=tmp_path / "run",
    )  # fmt: skip
    search.fit(X, y)
    with pytest.raises(UsageError, match=r"other data \(120 rows, not 119 rows\)"):
        search.fit(X[:-1], y[:-1])


# ----------------------------------------------------------------- the same wherever it runs

PLACES: dict[str, dict[str, Any]] = {
    "in this process": {"executor": "in_process"},
    **{f"{n} worker{'s' * (n > 1)}": {"n_jobs": n} for n in (1, 2, 3)},
}


@pytest.fixture(scope="module")
def known(loans: pd.DataFrame) -> AutoImbClassifier:
    return search_loans(loans, executor="in_process")


def search_loans(loans: pd.DataFrame, **where: Any) -> AutoImbClassifier:
    search = AutoImbClassifier(
        "f1", time_budget=None, n_trials=10, space="fast", n_folds=2, tracking_uri="off",
        random_state=3, **where,
    )  # fmt: skip
    return search.fit(loans.drop(columns="default"), loans["default"])


@pytest.mark.slow
@pytest.mark.parametrize("where", PLACES.values(), ids=list(PLACES))
def test_a_count_of_trials_gives_the_same_wherever_they_run(
    loans: pd.DataFrame, known: AutoImbClassifier, where: dict[str, Any]
) -> None:
    found = search_loans(loans, **where)
    boards = [one.leaderboard_.drop(columns="seconds") for one in (found, known)]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    X = loans.drop(columns="default")
    assert np.array_equal(found.predict_proba(X), known.predict_proba(X))
    assert found.model_.rule == known.model_.rule
    told = [one.recommendation_ for one in (found, known)]
    assert but_for_resamples(told[0]) == but_for_resamples(told[1])


def test_another_seed_gives_something_else(loans: pd.DataFrame) -> None:
    X = loans.drop(columns="default")
    asked = {"time_budget": None, "n_trials": 1, "space": "fast", "n_folds": 2}
    asked |= {"tracking_uri": "off", "executor": "in_process"}
    first, other = (
        AutoImbClassifier(**asked, random_state=seed).fit(X, loans["default"]) for seed in (3, 4)
    )
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


@pytest.mark.slow
def test_a_large_table_gives_the_same_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoimb.evaluation.levels.MANY_ROWS", 1_000)
    monkeypatch.setattr("autoimb.evaluation.levels.FIRST_ROWS", 300)
    monkeypatch.setattr("autoimb.evaluation.levels.ENOUGH_SCORED", 30)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4_000, 3))
    y = (X[:, 0] + X[:, 1] ** 2 + rng.normal(0, 0.5, 4_000) > 3.3).astype(int)
    places: list[dict[str, Any]] = [{"executor": "in_process"}] * 2 + [{"n_jobs": 2}]
    known, *others = (
        AutoImbClassifier(
            time_budget=None, n_trials=10, space="fast", n_folds=3, tracking_uri="off",
            random_state=0, **where,
        ).fit(X, y)
        for where in places
    )  # fmt: skip
    evaluated = {str(record.level) for record in known.result_.search.records}
    assert "3 folds, repeat 1" in evaluated
    assert any(level.endswith(" rows") for level in evaluated)
    for found in others:
        boards = [one.leaderboard_.drop(columns="seconds") for one in (found, known)]
        pd.testing.assert_frame_equal(*boards, check_exact=True)
        assert np.array_equal(found.predict_proba(X), known.predict_proba(X))


# -------------------------------------------------------------------------------- to replay it


@pytest.fixture(scope="module")
def timed(loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose trials a clock has ended."""
    folder = tmp_path_factory.mktemp("timed")
    loans.to_csv(folder / "loans.csv", index=False)
    (folder / "own.toml").write_text(
        'extends = "fast"\n[model.lightgbm]\nn_estimators = {low = 10, high = 50, default = 20}\n'
    )
    autoimb.fit(
        folder / "loans.csv", time_budget=2.5, n_folds=2, space=folder / "own.toml",
        executor="in_process", tracking_uri="off", run_dir=folder / "run",
    )  # fmt: skip
    return folder


@pytest.fixture
def replay(cli: Command, timed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Replay a copy of the run that was timed, in this process to save time."""
    shutil.copytree(timed / "run", tmp_path / "run")

    def here(n_cells: int, **asked: Any) -> Any:
        return plan_resources(n_cells, **{**asked, "executor": "in_process"})

    monkeypatch.setattr("autoimb.replaying.plan_resources", here)
    return lambda *flags: cli("replay", "run", *flags)


@pytest.mark.slow
def test_what_a_clock_ended_is_replayed_to_the_last_bit(
    cli: Command, timed: Path, loans: pd.DataFrame, tmp_path: Path
) -> None:
    found = cli("replay", timed / "run", "--out", "again.pkl")
    assert found.code == 0, found.stderr
    assert "\nIdentical: every probability and the decision are those of the model" in found.stdout
    models = [autoimb.load(path) for path in (timed / "run" / "model.pkl", tmp_path / "again.pkl")]
    assert np.array_equal(*(model.predict_proba(loans) for model in models))
    assert np.array_equal(*(model.predict(loans) for model in models))


@pytest.mark.slow
def test_what_ended_before_all_was_trained_is_replayed_without_what_was_not(
    cli: Command, data: Path, tmp_path: Path
) -> None:
    space = write_space(tmp_path)
    space.write_text(
        space.read_text().replace("Tilted", "Lingering").replace("single = false", "many = 120")
    )
    asked = order(tmp_path, time_budget=4.0, n_trials=None, executor="processes", blend=False)
    found = autoimb.fit(**asked)
    # the fit on all rows is still running when the time is over
    assert all(fit.fold is not None for fits in found.result.trainings for fit in fits)
    begun = time.monotonic()
    again = cli("replay", "run")
    assert again.code == 0, again.stderr
    assert "\nIdentical: " in again.stdout
    assert time.monotonic() - begun < PATIENCE


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "run.json"
    asked = json.loads(path.read_text())
    change(asked)
    path.write_text(json.dumps(asked))


def change_a_value(asked: dict[str, Any]) -> None:
    """Give one exported model another value of a parameter that matters."""
    for written in asked["exported"]["configurations"]:
        values = written["model"]["values"]
        for name in ("n_estimators", "C"):
            if name in values:
                values[name] = type(values[name])(values[name] * 3)
                return
    raise AssertionError(asked["exported"])


@pytest.mark.slow
def test_a_model_that_something_else_made_is_told_by_its_predictions(
    replay: Command, tmp_path: Path
) -> None:
    edit(tmp_path / "run", change_a_value)
    found = replay()
    assert found.code == 1
    assert "\nDifferent: " in found.stdout
    assert found.stderr == ""


@pytest.mark.slow
def test_a_run_without_its_model_is_refitted_all_the_same(replay: Command, tmp_path: Path) -> None:
    (tmp_path / "run" / "model.pkl").unlink()
    found = replay("--out", "again.pkl")
    assert found.code == 0
    assert "\nThere is no model in the folder to compare it with.\n" in found.stdout
    assert (tmp_path / "again.pkl").exists()


@pytest.mark.parametrize("change", ["rows", "a cell", "labels"])
def test_data_that_have_changed_are_not_replayed(
    replay: Command, loans: pd.DataFrame, tmp_path: Path, change: str
) -> None:
    changed = {
        "rows": loans[:-1],
        "a cell": loans.assign(income=loans["income"].replace(loans["income"][5], 1.0)),
        "labels": loans.assign(default=loans["default"].to_numpy()[::-1]),
    }[change]
    changed.to_csv(tmp_path / "changed.csv", index=False)
    found = replay("--data", "changed.csv")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == (
        f"error: changed.csv: {len(changed)} rows that are not the 160 rows of the run in run. "
        "Give the data that it was made on.\n"
    )


def test_data_that_are_gone_are_one_line(replay: Command, timed: Path, tmp_path: Path) -> None:
    gone = str(timed / "gone.csv")
    edit(tmp_path / "run", lambda asked: asked.update(data=gone))
    found = replay()
    assert found.code != 0
    assert found.stderr.startswith("error: ")
    assert "gone.csv" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("state", ["no run", "no folder", "unfinished"])
def test_what_cannot_be_replayed_says_so_in_one_line(
    replay: Command, tmp_path: Path, state: str
) -> None:
    if state == "no folder":
        shutil.rmtree(tmp_path / "run")
    elif state == "no run":
        (tmp_path / "run" / "run.json").unlink()
    else:
        edit(tmp_path / "run", lambda asked: asked.pop("exported"))
    found = replay()
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr in (
        "error: run 'run' is neither a folder nor the beginning of an id (letters a to f, digits). "
        "`autoimb runs` lists the ids.\n",
        "error: run holds no run of autoimb (run.json is missing).\n",
        "error: the run in run has exported nothing yet: --resume it first.\n",
    )
    assert ("exported nothing" in found.stderr) is (state == "unfinished")


LABELS: dict[str, list[Any]] = {
    "text": ["no", "yes"],
    "whole numbers": [0, 1],
    "truth values": [False, True],
    "numbers": [0.0, 1.0],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))
@pytest.mark.parametrize("kind", ["frame", "file"])
def test_a_run_on_labels_of_any_type_is_replayed_once_its_data_are_given(
    cli: Command,
    table: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    labels: list[Any],
    kind: str,
) -> None:
    def here(n_cells: int, **asked: Any) -> Any:
        return plan_resources(n_cells, **{**asked, "executor": "in_process"})

    monkeypatch.setattr("autoimb.replaying.plan_resources", here)
    frame = table.assign(late=np.array(labels)[(table["late"] == "yes").astype(int)])
    frame.to_csv(tmp_path / "late.csv", index=False)
    write_space(tmp_path)
    given = frame if kind == "frame" else tmp_path / "late.csv"
    autoimb.fit(**order(tmp_path, data=given, n_trials=2))
    without: Outcome = cli("replay", "run")
    if kind == "frame":
        assert (without.code, without.stdout) == (2, "")
        assert without.stderr == (
            "error: the run in run was made on a frame: give the data, by --data FILE.\n"
        )
    else:
        assert without.code == 0, without.stderr
    found = autoimb.replaying.replay(tmp_path / "run", given)
    assert found.is_identical
