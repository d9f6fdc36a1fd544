"""The plainest strategy or the best-scoring one: exported, written down and fitted once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command

import autoimb

pytestmark = pytest.mark.usefixtures("few_resamples", "quick_appraisal")

FIT = ("--trials", "5", "--metric", "f1")


@pytest.fixture
def one_table(loans: pd.DataFrame, tmp_path: Path) -> pd.DataFrame:
    loans.to_csv(tmp_path / "loans.csv", index=False)
    return loans


def read_run(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "run.json").read_text())
    assert isinstance(found, dict)
    return found


def is_same(one: Path, other: Path, table: pd.DataFrame) -> bool:
    models = [autoimb.load(path) for path in (one, other)]
    proba = [model.predict_proba(table) for model in models]
    return np.array_equal(*proba) and models[0].rule == models[1].rule


@pytest.mark.slow
def test_either_run_can_be_replayed_as_the_other(
    quick_fit: Command, cli: Command, one_table: pd.DataFrame, tmp_path: Path
) -> None:
    told = {}
    for prefer in ("best", "simple"):
        done = quick_fit(
            "loans.csv", *FIT, "--prefer", prefer, "--run-dir", prefer, "--json"
        )  # fmt: skip
        assert done.code == 0, done.stderr
        told[prefer] = done.json
    runs = {prefer: read_run(tmp_path / prefer) for prefer in told}
    advice = [one["recommendation"] for one in told.values()]
    assert advice[0]["tier"] == advice[1]["tier"]
    # these data cannot tell the best from the plainest, or the test is of nothing
    assert runs["best"]["alternative"] is not None
    for prefer, other in (("best", "simple"), ("simple", "best")):
        assert runs[prefer]["exported"]["prefer"] == prefer
        assert runs[prefer]["alternative"]["trials"] == runs[other]["exported"]["trials"]
        assert runs[prefer]["alternative"]["score"] == runs[other]["exported"]["score"]
        done = cli("replay", prefer, "--prefer", other, "--out", f"as_{other}.pkl")
        assert done.code == 0, done.stderr
        assert is_same(tmp_path / f"as_{other}.pkl", tmp_path / other / "model.pkl", one_table)
    done = cli("replay", "simple", "--prefer", "simple")
    assert (done.code, "Identical" in done.stdout) == (0, True)
    assert not is_same(tmp_path / "as_best.pkl", tmp_path / "as_simple.pkl", one_table)
    simple = told["simple"]
    assert len(simple["exported_trials"]) == 1
    sentences = {one["kind"]: one["sentence"] for one in advice[1]["reasons"]}
    assert "the plainer one is exported, as was asked" in sentences["plainest"]


def test_where_best_and_plainest_are_one_there_is_no_other_to_replay(
    quick_fit: Command, cli: Command, one_table: pd.DataFrame, tmp_path: Path
) -> None:
    plain = (
        "--metric",
        "average_precision",
        "--prefer",
        "simple",
        "--run-dir",
        "run",
        "--no-blend",
    )
    done = quick_fit("loans.csv", *plain, "--trials", "1", "--json")
    assert done.code == 0, done.stderr
    run = read_run(tmp_path / "run")
    for prefer in ("best", "simple"):
        again = cli("replay", "run", "--prefer", prefer, "--out", f"{prefer}.pkl")
        assert again.code == 0, again.stderr
    scores = {one["score"] for one in (run["exported"], run["alternative"] or run["exported"])}
    assert len(scores) == 1
    assert done.json["appraisal"]["optimism"] == 0.0


@pytest.mark.parametrize("command", [["fit", "loans.csv"], ["replay", "run"]])
def test_another_preference_is_refused(
    cli: Command, one_table: pd.DataFrame, command: list[str]
) -> None:
    done = cli(*command, "--prefer", "worst")
    assert done.code == 2
    assert "worst" in done.stderr
