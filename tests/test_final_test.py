"""What is exported is scored once, on rows that nothing of the fit has seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command
from mlflow import MlflowClient

import autoimb
from autoimb import Costs
from autoimb.data.dataset import Labels
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.errors import DataError, UsageError
from autoimb.evaluation.holdout import score_holdout
from autoimb.final_test import FinalTest, UntouchedRows, read_untouched, run_final_test
from autoimb.fitting import fit_dataset
from autoimb.replaying import replay
from autoimb.run_file import read_run
from autoimb.running import Run

pytestmark = pytest.mark.usefixtures("few_resamples")


def order(folder: Path, **changes: Any) -> dict[str, Any]:
    usual = {
        "target": "default", "time_budget": None, "n_trials": 3, "n_folds": 2, "space": "fast",
        "executor": "in_process", "tracking_uri": "off", "run_dir": folder,
    }  # fmt: skip
    return {**usual, **changes}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """List the datasets that are fitted on: whatever a fit does, it does with these alone."""
    found: list[Any] = []

    def note(dataset: Any, *given: Any, **named: Any) -> Any:
        found.append(dataset)
        return fit_dataset(dataset, *given, **named)

    monkeypatch.setattr("autoimb.running.fit_dataset", note)
    return found


@pytest.fixture(scope="module")
def run(loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run that a quarter of the rows were kept from."""
    folder = tmp_path_factory.mktemp("holdout")
    loans.to_csv(folder / "loans.csv", index=False)
    return autoimb.fit(folder / "loans.csv", **order(folder / "run", holdout=0.25))


def test_rows_kept_aside_are_neither_searched_nor_profiled(
    loans: pd.DataFrame, seen: list[Any], tmp_path: Path
) -> None:
    # Ages of the rows kept aside are known by a digit.
    marked = loans.assign(age=np.arange(160) + 0.5)
    run = autoimb.fit(marked, **order(tmp_path / "run", holdout=0.25))
    assert run.test is not None
    (dataset,) = seen
    ages = dataset.X[:, dataset.schema.feature_names.index("age")]
    rows = (ages - 0.5).astype(int)
    assert len(rows) == len(set(rows)) == run.result.profile.n_rows == 120
    assert run.test.n_rows == 40
    assert run.result.profile.class_counts == {"no": 102, "yes": 18}
    aside = marked.drop(index=rows)
    assert autoimb.evaluate(run.result.model, aside)["metrics"] == run.test.scores["metrics"]
    assert aside["default"].value_counts().to_dict() == {"no": 34, "yes": 6}
    assert "40 of 160 rows are kept aside and scored once" in " ".join(run.result.notes)


def test_a_class_s_rows_are_kept_aside_by_group_and_time(
    loans: pd.DataFrame, seen: list[Any], tmp_path: Path
) -> None:
    who = np.arange(320) // 2
    table = pd.concat([loans, loans.assign(income=loans["income"] + 0.01)], ignore_index=True)
    table = table.assign(who=who, day=who // 3)
    given = {"holdout": 0.25, "groups": "who"}
    autoimb.fit(table, **order(tmp_path / "who", **given))
    names = seen[0].row_names
    assert not set(who[names]) & set(np.delete(who, names))
    run = autoimb.fit(table, **order(tmp_path / "day", time="day", **given))
    assert seen[1].row_names.tolist() == list(range(len(seen[1].y)))
    assert run.test is not None
    assert run.test.n_rows == 320 - len(seen[1].y) == pytest.approx(80, abs=6)


def test_every_metric_has_an_interval_around_it(run: Run) -> None:
    assert run.test is not None
    found = run.test.estimates
    assert set(found) >= set(run.result.estimates)
    for name, value in run.test.scores["metrics"].items():
        if value is not None:
            assert found[name].value == value
    # A precision of nothing that is flagged does not vary.
    assert all(one.low <= one.value <= one.high for one in found.values())
    assert found["roc_auc"].low < found["roc_auc"].value < found["roc_auc"].high


def test_the_run_says_what_its_test_was(run: Run) -> None:
    assert run.test is not None
    written = read_run(run.folder)
    assert written["test"] == json.loads(json.dumps(run.test.to_dict()))
    assert (written["holdout"], written["seed"]) == (0.25, 0)
    assert written["rows"] == 120


def test_replaying_finds_the_same_rows(run: Run) -> None:
    assert replay(run.folder).is_identical


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"holdout": 0.3}, "holdout 0.25, not 0.3"),
        ({}, "holdout 0.25, not None"),
        ({"test": "loans.csv"}, "holdout 0.25, not None"),
        ({"holdout": 0.25, "random_state": 1}, "seed 0, not 1"),
    ],
)
def test_a_run_goes_on_with_its_own_holdout_alone(
    run: Run, changes: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder.parent)
    with pytest.raises(UsageError) as caught:
        autoimb.fit("loans.csv", **order(run.folder, resume=True, **changes))
    assert told in str(caught.value)
    assert "test rows" not in str(caught.value)


def test_a_run_that_goes_on_is_tested_alike(run: Run) -> None:
    changes = {"resume": True, "holdout": 0.25}
    again = autoimb.fit(run.folder.parent / "loans.csv", **order(run.folder, **changes))
    assert again.test == run.test


def test_rows_of_a_file_are_scored_as_evaluate_does(loans: pd.DataFrame, tmp_path: Path) -> None:
    later = loans.iloc[100:].assign(default=loans["default"].where(loans.index != 100))
    later.to_csv(tmp_path / "later.csv", index=False)
    asked = order(tmp_path / "run", test=tmp_path / "later.csv", resume=True)
    run = autoimb.fit(loans.iloc[:100], **asked)
    assert run.test is not None
    found = autoimb.evaluate(run.result.model, tmp_path / "later.csv")
    assert (
        found.pop("notes")
        == list(run.test.notes)
        == ["1 rows without a label in 'default' left out."]
    )
    assert found == run.test.scores
    assert run.test.source == "later.csv"
    assert run.test.n_rows == 59
    with pytest.raises(UsageError, match=r"made with other test rows \(later.csv, not none\)"):
        autoimb.fit(loans.iloc[:100], **{**asked, "test": None})
    later.iloc[2:].to_csv(tmp_path / "later.csv", index=False)
    with pytest.raises(UsageError, match=r"made with other test rows\. Give what"):
        autoimb.fit(loans.iloc[:100], **asked)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda t: t.drop(columns="default"), "later.csv: no column 'default'"),
        (lambda t: t.drop(columns="city"), "column 'city' is missing from the table"),
        (lambda t: t.assign(default="perhaps"), "holds 'perhaps', which training never saw"),
        (lambda t: t.assign(age="old"), "column 'age'"),
        (lambda t: t.assign(income=-1.0), "cost column 'income'"),
        (lambda t: t.assign(default=""), "every cell of target 'default' is empty"),
    ],
)
def test_a_file_that_cannot_be_scored_is_told_before_the_search(
    loans: pd.DataFrame, seen: list[Any], tmp_path: Path, spoil: Any, told: str
) -> None:
    spoil(loans).to_csv(tmp_path / "later.csv", index=False)
    changes = {"test": tmp_path / "later.csv", "decision": Costs(fp=5, column="income")}
    with pytest.raises(DataError) as caught:
        autoimb.fit(loans, **order(tmp_path / "run", **changes))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not seen
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, float("nan")])
def test_what_is_no_share_is_refused(loans: pd.DataFrame, tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="holdout must be a share between 0 and 1"):
        autoimb.fit(loans, **order(tmp_path / "run", holdout=share))


def test_too_large_a_share_is_told(loans: pd.DataFrame, tmp_path: Path) -> None:
    table = loans.assign(day=np.arange(160))
    with pytest.raises(DataError, match=r"of the rows that --holdout leaves: a smaller share"):
        autoimb.fit(table, **order(tmp_path / "run", holdout=0.9, time="day"))


FLAGS = (*QUICK, "--target", "default")


def test_the_command_says_what_came_of_it(cli: Command, loans_csv: Path) -> None:
    found = cli("fit", loans_csv, *FLAGS, "--holdout", "0.25", "--metric", "f1")
    assert found.code == 0
    interval = r"[01]\.\d{3} \(-?[01]\.\d{3} to [01]\.\d{3}\)"
    first = rf"\n\nOn 40 untouched rows \(25 % kept aside\): f1 {interval}; promised {interval}\n"
    assert pd.Series([found.stdout]).str.contains(first).all()
    assert pd.Series([found.stdout]).str.contains(rf"\n  roc_auc +{interval}; promised").all()
    assert "untouched rows" not in cli("fit", loans_csv, *FLAGS).stdout


def test_the_object_holds_the_test(cli: Command, loans_csv: Path) -> None:
    found = cli("fit", loans_csv, *FLAGS, "--test", loans_csv, "--json").json["test"]
    assert (found["source"], found["n_rows"]) == ("loans.csv", 160)
    assert set(found["estimates"]["f1"]) == {"value", "low", "high"}
    assert found["confusion_matrix"]
    assert cli("fit", loans_csv, *FLAGS, "--json").json["test"] is None


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--holdout", "0.2", "--test", "loans.csv"), 2, "--test and --holdout both say"),
        (("--holdout", "20"), 2, "holdout must be a share between 0 and 1"),
        (("--test", "nothing.csv"), 1, "nothing.csv: no such file"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    cli: Command, loans_csv: Path, flags: tuple[str, ...], code: int, told: str
) -> None:
    found = cli("fit", loans_csv, *FLAGS, *flags)
    assert (found.code, found.stdout) == (code, "")
    assert told in found.stderr
    assert found.stderr.count("\n") == 1


def test_mlflow_shows_it_beside_the_rest(
    loans: pd.DataFrame, empty_store: bytes, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    changes = {
        "holdout": 0.25,
        "tracking_uri": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "n_trials": 1,
    }
    run = autoimb.fit(loans, **order(tmp_path / "run", **changes))
    assert run.test is not None
    found = MlflowClient(tracking_uri=changes["tracking_uri"]).get_run(run.run_id)
    assert found.info.status == "FINISHED"
    shown, estimate = found.data.metrics, run.test.estimates["roc_auc"]
    assert shown["test_n_rows"] == 40
    assert shown["test_roc_auc"] == pytest.approx(estimate.value)
    assert shown["test_roc_auc_ci_low"] == pytest.approx(estimate.low)
    assert shown["roc_auc"] == pytest.approx(run.result.exported.scores["roc_auc"].value)
    path = MlflowClient(tracking_uri=changes["tracking_uri"]).download_artifacts(
        run.run_id, "model_card.md"
    )
    card = (run.folder / "model_card.md").read_text("utf-8")
    assert "on 40 untouched rows" in card
    assert Path(path).read_text("utf-8") == card


class Certain:
    """Stands for a fitted model that gives the probability in the first column."""

    labels = Labels.of(["no", "no", "yes"])

    def __init__(self, criterion: Criterion) -> None:
        self.decision = Decision(criterion, Threshold(0.5))

    def calibrated(self, X: Any) -> Any:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def rows(n: int, share: float = 0.1) -> UntouchedRows:
    rng = np.random.default_rng(0)
    y = (rng.random(n) < share).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * y - 2)))
    return UntouchedRows(p[:, None], y, np.arange(n), None, "rows")


def run_test(given: UntouchedRows, criterion: Criterion | None = None) -> FinalTest:
    return run_final_test(Certain(criterion or BestMetric("f1")), given)  # type: ignore[arg-type]


def test_groups_are_drawn_together() -> None:
    alone = rows(400)
    ten = replace(alone, **{
        name: np.repeat(getattr(alone, name)[:40], 10, axis=0) for name in ("X", "y")
    })  # fmt: skip
    ten = replace(ten, units=np.repeat(np.arange(40), 10))
    wide, narrow = (
        run_test(replace(ten, units=units)).estimates["roc_auc"]
        for units in (ten.units, np.arange(400))
    )
    assert wide.value == narrow.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_another_sample_would_not_have_as_many_of_each_class() -> None:
    given = rows(400)
    found = run_test(replace(given, X=np.ones((400, 1)))).estimates["precision"]
    # every row is flagged, so that its precision is the share of positives
    share = given.y.mean()
    assert found.value == share
    assert (found.high - found.low) / 2 == pytest.approx(
        1.96 * (share * (1 - share) / 400) ** 0.5, rel=0.15
    )


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_of_very_many_rows_the_intervals_are_as_wide_as_of_all(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, costs = rows(6000, share), Costs(fp=1, fn=5)
    full = run_test(given, costs)
    monkeypatch.setattr("autoimb.final_test.MAX_ROWS", 1500)
    part = run_test(given, costs)
    assert part.scores == full.scores
    assert "cost" in full.estimates
    for name, one in full.estimates.items():
        other = part.estimates[name]
        assert other.value == one.value
        if name in ("f1", "roc_auc", "cost", "recall"):
            # Fewer of the frequent class, which its precision depends on, tell a little less.
            assert 0.7 < (other.high - other.low) / (one.high - one.low) < 1.4


def test_rows_of_one_class_have_what_can_be_said_of_them() -> None:
    found = run_test(replace(rows(50), y=np.zeros(50, dtype=int)))
    assert found.scores["metrics"]["roc_auc"] is None
    assert "roc_auc" not in found.estimates
    assert found.estimates["specificity"].low < found.estimates["specificity"].high


def test_rows_of_groups_are_read_as_such(loans: pd.DataFrame) -> None:
    table = loans.assign(who=np.arange(160) // 4)
    data = autoimb.data.problem.read_problem(table, "default", groups="who").dataset
    assert len(np.unique(read_untouched(table, data, None).units)) == 40
    assert len(np.unique(read_untouched(loans, data, None).units)) == 160
    scored = Scored(data.y, np.full((160, 2), 0.5))
    assert score_holdout(scored, Decision(BestMetric("f1"), Threshold(0.5)), data.labels)
