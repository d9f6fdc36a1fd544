from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command, but_for_resamples

import autoimb
from autoimb import Capacity, Costs, FixedThreshold, Floor

pytestmark = pytest.mark.usefixtures("few_resamples")

RUN_FILES = [
    "evaluations", "model.manifest.json", "model.pkl", "model_card.md", "model_findings.json",
    "report.html", "run.json", "study.journal",
]  # fmt: skip


def test_without_any_flag_the_usual_is_asked_for(
    cli: Command, loans_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def note(data: Path, target: str | None, **options: Any) -> None:
        asked.update(options, data=data, target=target)
        raise autoimb.errors.UsageError("enough.")

    monkeypatch.setattr("autoimb.running.fit", note)
    cli("fit", loans_csv)
    del asked["watchers"]
    assert asked == {
        "data": loans_csv,
        "target": None,
        "positive": None,
        "metric": "average_precision",
        "time_budget": 60.0,
        "n_trials": None,
        "space": "default",
        "n_folds": 5,
        "drop": (),
        "groups": None,
        "time": None,
        "out": None,
        "random_state": 0,
        "n_jobs": None,
        "experiment": None,
        "tracking_uri": None,
        "run_dir": None,
        "blend": True,
        "n_threads": None,
        "executor": "processes",
        "resume": False,
        "decision": None,
        "prefer": "best",
        "test": None,
        "holdout": None,
        "register": None,
    }


@pytest.mark.parametrize(
    ("flags", "option", "value"),
    [
        (["--trials", "7"], "time_budget", None),
        (["--trials", "7", "--budget", "2m"], "time_budget", 120.0),
        (["--drop", "a", "--drop", "b"], "drop", ["a", "b"]),
        (["--groups", "city"], "groups", "city"),
        (["--time", "opened"], "time", "opened"),
        (["--test", "later.csv"], "test", Path("later.csv")),
        (["--holdout", "0.2"], "holdout", 0.2),
        (["--experiment", "loans"], "experiment", "loans"),
        (["--tracking-uri", "http://here:5000"], "tracking_uri", "http://here:5000"),
        (["--seed", "3"], "random_state", 3),
        (["--jobs", "2"], "n_jobs", 2),
        (["--threads", "2"], "n_threads", 2),
        (["--executor", "in_process"], "executor", "in_process"),
        (["--resume"], "resume", True),
        (["--run-dir", "there"], "run_dir", Path("there")),
        (["--positive", "yes"], "positive", "yes"),
        (["--no-blend"], "blend", False),
        (["--decision", "f2"], "decision", "f2"),
        (["--cost-fn", "25", "--abstain-cost", "0.5"], "decision", Costs(fn=25.0, abstain=0.5)),
        (["--min-recall", "0.8", "--confidence", "0.95"], "decision", Floor("recall", 0.8, 0.95)),
        (["--top-share", "0.1"], "decision", Capacity(share=0.1)),
        (["--threshold", "0.1"], "decision", FixedThreshold(0.1)),
    ],
)
def test_flags_are_passed_on(
    cli: Command,
    loans_csv: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    option: str,
    value: object,
) -> None:
    asked: dict[str, Any] = {}

    def note(data: Path, target: str | None, **options: Any) -> None:
        asked.update(options)
        raise autoimb.errors.UsageError("enough.")

    monkeypatch.setattr("autoimb.running.fit", note)
    cli("fit", loans_csv, *flags)
    assert asked[option] == value


def test_all_that_a_run_leaves_lies_in_one_folder(
    quick_fit: Command, loans_csv: Path, tmp_path: Path
) -> None:
    found = quick_fit("loans.csv", "--json").json
    folders = list((tmp_path / "autoimb_runs").iterdir())
    assert [Path(found["run_dir"]).resolve()] == folders
    assert re.fullmatch(r"\d{8}-\d{6}-loans", folders[0].name)
    assert sorted(path.name for path in folders[0].iterdir()) == RUN_FILES
    assert Path(found["model"]).resolve() == folders[0] / "model.pkl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["autoimb_runs", "loans.csv"]


def test_the_manifest_sums_the_fit_up(quick_fit: Command, loans_csv: Path, tmp_path: Path) -> None:
    found = quick_fit("loans.csv", "--run-dir", "here", "--json").json
    manifest = json.loads((tmp_path / "here" / "model.manifest.json").read_text())
    assert manifest["score"] == found["score"]
    assert manifest["classes"] == found["classes"] == ["no", "yes"]
    assert manifest["positive"] == found["positive"] == "yes"
    assert manifest["class_counts"] == {"no": 136, "yes": 24}
    assert manifest["metric"] == "average_precision"
    assert manifest["versions"]["autoimb"] == autoimb.__version__
    assert (tmp_path / "here" / "study.journal").stat().st_size > 0


def test_the_object_holds_numbers_as_numbers(quick_fit: Command, loans_csv: Path) -> None:
    found = quick_fit("loans.csv", "--metric", "f1", "--json").json
    assert (found["target"], found["metric"], found["n_trials"]) == ("default", "f1", 3)
    assert (found["tracking_uri"], found["run_id"]) == (None, None)
    assert (found["n_failed"], found["n_pruned"]) == (0, 0)
    assert 0 < found["score"] <= 1
    assert found["score"] == found["scores"]["f1"]["value"]
    assert 0 < found["threshold"] < 1
    assert all(isinstance(row["trial"], int) for row in found["leaderboard"])
    assert all(isinstance(row["score"], float) for row in found["leaderboard"])
    assert found["profile"]["n_rows"] == 160
    assert found["notes"][:2] == [
        "target 'default' assumed; --target NAME chooses another.",
        "positive class 'yes' (the rarer one); --positive LABEL chooses the other.",
    ]


def test_what_gives_the_label_away_is_said_before_the_search_and_after(
    quick_fit: Command, loans: pd.DataFrame, tmp_path: Path
) -> None:
    leaky = loans.assign(closed=(loans["default"] == "yes") * 1.0, same=1)
    leaky.to_csv(tmp_path / "leaky.csv", index=False)
    found = quick_fit("leaky.csv", "--target", "default")
    leak = (
        "critical: Column 'closed' alone tells class 'yes' from the rest with a ROC AUC of 1.000."
    )
    assert leak in found.stderr
    assert leak.split(" from ")[0] in found.stdout
    assert re.search(r"more notes? on the data: `autoimb profile` shows them", found.stdout)
    assert "Column 'same'" not in found.stdout


def test_the_text_tells_what_was_assumed_found_and_comes_next(
    quick_fit: Command, loans_csv: Path
) -> None:
    found = quick_fit("loans.csv", "--metric", "f1")
    assert found.code == 0
    text = found.stdout
    assert text.startswith("160 rows, 9 features (1 categorical, ")
    assert "\n  warning: Class 'yes' has " in text
    assert "note: target 'default' assumed; --target NAME chooses another.\n" in text
    assert "\nRecommended: " in text
    assert re.search(r"\nStrategies by f1, cross-validated \(3 trials in \d+ s\):\n", text)
    assert re.search(r"\n +\d+  lightgbm \(no sampler, no weight\) +0\.5 +\d\.\d{3} ± ", text)
    assert re.search(r"\n +\d+  lightgbm \(no sampler, no weight\) +tuned +\d\.\d{3} ± ", text)
    assert "\nScores of the exported model, with 95 % intervals:\n  f1 0." in text
    assert "\nNext:\n" in text


@pytest.mark.parametrize(
    ("flags", "mark", "n_exported"),
    [([], "  <- in the blend", 2), (["--no-blend"], "  <- exported", 1)],
)
def test_the_leaderboard_marks_what_is_exported(
    quick_fit: Command, loans_csv: Path, flags: list[str], mark: str, n_exported: int
) -> None:
    text = quick_fit("loans.csv", "--metric", "f1", "--trials", "3", *flags).stdout
    assert text.count(mark) >= n_exported
    assert ("the exported model blends the best of" in text) is (not flags)
    found = quick_fit("loans.csv", "--metric", "f1", "--trials", "3", "--json", *flags).json
    exported = [row["trial"] for row in found["leaderboard"] if row["exported"]]
    assert sorted(found["exported_trials"]) == sorted(exported)
    assert len(exported) == text.count(mark)


def test_doing_nothing_is_shown_even_far_down(quick_fit: Command, loans_csv: Path) -> None:
    found = quick_fit("loans.csv", "--trials", "14", "--space", "interpretable")
    ranks = [line.split()[0] for line in found.stdout.splitlines() if "±" in line]
    rows = [line for line in found.stdout.splitlines() if "(no sampler, no weight)" in line]
    assert len(ranks) >= 3
    assert any("  0.5 " in row for row in rows)
    assert any("  tuned " in row for row in rows)


@pytest.mark.parametrize("out", ["model.pkl", "my models/the first.pkl"])
def test_the_next_commands_run_as_printed(
    quick_fit: Command, cli: Command, loans: pd.DataFrame, tmp_path: Path, out: str
) -> None:
    loans.to_csv(tmp_path / "loans.csv", index=False)
    loans.to_csv(tmp_path / "LABELLED_DATA.csv", index=False)
    loans.drop(columns="default").to_csv(tmp_path / "NEW_DATA.csv", index=False)
    (tmp_path / out).parent.mkdir(exist_ok=True)
    text = quick_fit("loans.csv", "--out", out).stdout
    commands = text.partition("\nNext:\n")[2].strip().splitlines()
    assert [shlex.split(command)[:2] for command in commands] == [
        ["autoimb", "predict"],
        ["autoimb", "evaluate"],
        ["autoimb", "retune"],
    ]
    for command in commands:
        done = cli(*shlex.split(command)[1:])
        assert done.code == 0, done.stderr
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 161


def test_progress_goes_to_stderr_and_quiet_ends_it(quick_fit: Command, loans_csv: Path) -> None:
    told = quick_fit("loans.csv")
    assert "trials left" in told.stderr
    assert "trials left" not in told.stdout
    quiet = quick_fit("loans.csv", "--quiet")
    assert quiet.stderr == ""
    assert quiet.stdout.partition("Strategies")[0] == told.stdout.partition("Strategies")[0]


def written(loans: pd.DataFrame, path: Path) -> str:
    if path.suffix == ".parquet":
        loans.to_parquet(path)
    elif path.name == "semicolon.csv":
        loans.to_csv(path, index=False, sep=";")
    else:
        loans.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path.name


@pytest.mark.parametrize(
    "name", ["loans.csv.gz", "loans.tsv", "semicolon.csv", "loans.parquet", "LOANS.CSV"]
)
def test_every_format_gives_the_same_fit(
    quick_fit: Command, loans: pd.DataFrame, fitted: Any, tmp_path: Path, name: str
) -> None:
    found = quick_fit(written(loans, tmp_path / name), "--json").json
    assert found["score"] == fitted.result.score
    told = [found["recommendation"], fitted.result.recommendation.to_dict()]
    sentences = [
        [one["strategy"], one["best"], *(reason["sentence"] for reason in one["reasons"])]
        for one in told
    ]
    first, other = map(but_for_resamples, sentences)
    assert first == other
    assert found["threshold"] == fitted.result.model.rule.value


def test_the_last_column_is_the_target_where_none_has_a_usual_name(
    quick_fit: Command, loans: pd.DataFrame, tmp_path: Path
) -> None:
    loans.rename(columns={"default": "repaid"}).to_csv(tmp_path / "loans.csv", index=False)
    found = quick_fit("loans.csv", "--json").json
    assert found["target"] == "repaid"
    assert found["notes"][0] == "target 'repaid' assumed; --target NAME chooses another."


def test_a_target_that_was_named_is_not_called_assumed(quick_fit: Command, loans_csv: Path) -> None:
    found = quick_fit("loans.csv", "--target", "member", "--json").json
    assert found["target"] == "member"
    assert not any("assumed" in note for note in found["notes"])


def test_positive_chooses_the_class_of_interest(quick_fit: Command, loans_csv: Path) -> None:
    found = quick_fit("loans.csv", "--positive", "no", "--json").json
    assert found["positive"] == "no"
    assert "'no'" in found["recommendation"]["best"]
    assert not any("positive class" in note for note in found["notes"])
    # average precision of the frequent class
    assert found["score"] > 0.8


def test_dropped_columns_are_not_needed(
    quick_fit: Command, cli: Command, loans: pd.DataFrame, loans_csv: Path, tmp_path: Path
) -> None:
    found = quick_fit("loans.csv", "--drop", "city", "--drop", "opened", "--json").json
    loans[["income", "age", "member"]].to_csv(tmp_path / "new.csv", index=False)
    assert cli("predict", found["model"], "new.csv").code == 0


def test_a_space_of_ones_own(quick_fit: Command, loans_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[model.bayes]\nclass = "sklearn.naive_bayes.GaussianNB"\ninput = "numeric"\n'
        "var_smoothing = {low = 1e-9, high = 1e-2, log = true, default = 1e-9}\n"
    )
    found = quick_fit("loans.csv", "--space", "own.toml", "--json").json
    assert found["configuration"]["model"] == "bayes"
    assert found["n_trials"] == 3


def test_the_same_seed_gives_the_same_fit(quick_fit: Command, loans_csv: Path) -> None:
    first, again = (quick_fit("loans.csv", "--seed", "3", "--json").json for _ in range(2))
    assert first["run_dir"] != again["run_dir"]
    assert first["configuration"] == again["configuration"]
    scores = [[row["score"] for row in run["leaderboard"]] for run in (first, again)]
    assert scores[0] == scores[1]


def test_more_than_two_classes(quick_fit: Command, cli: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b", "c"], 150, p=[0.7, 0.2, 0.1])
    table = pd.DataFrame({"x": rng.normal(size=150) + (kind == "b") * 2 - (kind == "c") * 2})
    table.assign(z=rng.normal(size=150), kind=kind).to_csv(tmp_path / "kinds.csv", index=False)
    found = quick_fit("kinds.csv", "--metric", "f1_macro", "--json").json
    assert (found["positive"], found["threshold"]) == (None, None)
    assert found["classes"] == ["a", "b", "c"]
    predicted = cli("predict", found["model"], "kinds.csv")
    assert predicted.stdout.startswith("label,probability_a,probability_b,probability_c\n")
    assert cli("evaluate", found["model"], "kinds.csv").code == 0


def test_a_model_that_is_there_is_kept_and_this_is_said(
    quick_fit: Command, loans_csv: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.pkl").write_text("precious")
    found = quick_fit("loans.csv", "--out", "model.pkl")
    assert found.code == 0
    assert (tmp_path / "model.pkl.1").read_text() == "precious"
    assert "model.pkl.1" in found.stdout + found.stderr


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_holds_a_run_is_refused(
    quick_fit: Command, loans_csv: Path, tmp_path: Path
) -> None:
    assert quick_fit("loans.csv", "--run-dir", "here").code == 0
    before = contents(tmp_path / "here")
    found = quick_fit("loans.csv", "--run-dir", "here")
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr == (
        "error: --run-dir here already holds a run. Choose another folder, or go on with it "
        "by --resume (resume in Python).\n"
    )
    assert contents(tmp_path / "here") == before


def test_a_folder_of_ones_own_keeps_what_is_in_it(
    quick_fit: Command, loans_csv: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").write_text("mine")
    assert quick_fit("loans.csv", "--run-dir", "here").code == 0
    assert (tmp_path / "here" / "notes.txt").read_text() == "mine"


def test_failed_trials_are_counted(quick_fit: Command, loans_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[model.bayes]\nclass = "sklearn.naive_bayes.GaussianNB"\n'
        '[model.ridge]\nclass = "sklearn.linear_model.RidgeClassifier"\n'
    )
    found = quick_fit("loans.csv", "--space", "own.toml", "--trials", "2")
    assert re.search(r"\(2 trials in \d+ s, 1 failed\)", found.stdout)


@pytest.mark.slow
def test_a_time_budget_is_kept(cli: Command, loans_csv: Path) -> None:
    flags = ("--space", "fast", "--folds", "2", "--executor", "in_process", "--tracking-uri", "off")
    begun = time.monotonic()
    found = cli("fit", "loans.csv", "--budget", "5s", *flags, "--json").json
    assert time.monotonic() - begun < 5 * 1.25 + 10
    assert found["n_trials"] > 3


@pytest.mark.slow
@pytest.mark.parametrize("where", ["in_process", "processes"])
def test_ctrl_c_exports_the_best_so_far(loans_csv: Path, tmp_path: Path, where: str) -> None:
    flags = [*QUICK, "--budget", "60s", "--trials", "100000", "--executor", where, "--jobs", "2"]
    code = "from autoimb.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "fit", "loans.csv", *flags, "--run-dir", "here"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(autoimb.__file__).resolve().parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = tmp_path / "here" / "study.journal"
    deadline = time.monotonic() + 50
    while not (journal.exists() and '"scores"' in journal.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    begun = time.monotonic()
    told, progress = process.communicate(timeout=40)
    assert time.monotonic() - begun < 15
    assert process.returncode == 0, progress
    assert re.search(r"note: interrupted after \d+ trials?: this is the best so far\.", told)
    assert "Traceback" not in progress
    assert set(autoimb.load(tmp_path / "here" / "model.pkl").classes_) == {"no", "yes"}


@pytest.mark.slow
def test_runs_go_to_the_store_and_experiment_that_were_named(
    quick_fit: Command, loans_csv: Path, empty_store: bytes, tmp_path: Path
) -> None:
    import mlflow

    (tmp_path / "store.db").write_bytes(empty_store)
    uri = f"sqlite:///{tmp_path / 'store.db'}"
    found = quick_fit("loans.csv", "--tracking-uri", uri, "--experiment", "loans", "--json").json
    assert found["tracking_uri"] == uri
    client = mlflow.MlflowClient(uri)
    run = client.get_run(found["run_id"])
    assert client.get_experiment(run.info.experiment_id).name == "loans"
