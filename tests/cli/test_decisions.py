"""Decisions on the command line: asked for, refused, changed, and carried out."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command, Outcome

import autoimb
from autoimb.data import reading
from autoimb.decision.rules import Threshold
from autoimb.manifest import manifest_path, read_manifest

MATRICES = {
    "good.csv": ",no,yes\nno,0,1\nyes,25,0\n",
    "wide.csv": ",no,yes\nno,0,1,2\nyes,25,0,1\n",
    "flat.csv": ",no,yes\nno,0,1\n",
    "unknown.csv": ",no,maybe\nno,0,1\nmaybe,25,0\n",
    "third.csv": ",no,yes,maybe\nno,0,1,1\nyes,25,0,1\nmaybe,1,1,0\n",
    "missing.csv": ",no\nno,0\n",
    "text.csv": ",no,yes\nno,0,cheap\nyes,25,0\n",
    "negative.csv": ",no,yes\nno,0,-1\nyes,25,0\n",
    "nan.csv": ",no,yes\nno,0,nan\nyes,25,0\n",
    "right.csv": ",no,yes\nno,0,1\nyes,0,1\n",
    "twice.csv": ",no,no\nno,0,1\nno,25,0\n",
    "empty.csv": "",
    "latin.csv": ",no,yes\nno,0,1\nj\xe4,25,0\n",
}


@pytest.fixture
def matrices(tmp_path: Path) -> Path:
    """Files of costs, in the folder that commands run in."""
    for name, text in MATRICES.items():
        (tmp_path / name).write_bytes(text.encode("latin1"))
    return tmp_path


def require_refusal(found: Outcome, told: str, code: int = 2) -> None:
    """Check that an outcome is one line that says what is wrong."""
    assert (found.code, found.stdout) == (code, ""), found.stderr
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert "unexpected" not in found.stderr
    assert told in found.stderr


def contents(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


# What both `fit` and `retune` refuse.
REFUSED: dict[str, tuple[list[str], str]] = {
    "costs and a floor": (
        ["--cost-fn", "5", "--min-recall", "0.5"],
        "--cost-fn and --min-recall ask for different decisions",
    ),
    "two floors": (
        ["--min-precision", "0.5", "--min-recall", "0.5"],
        "--min-precision and --min-recall ask for different decisions",
    ),
    "two capacities": (
        ["--top-k", "5", "--top-share", "0.1"],
        "--top-k and --top-share ask for different decisions",
    ),
    "a metric and costs": (
        ["--decision", "f1", "--cost-fp", "2"],
        "--decision and --cost-fp ask for different decisions",
    ),
    "a matrix and costs": (
        ["--cost-matrix", "good.csv", "--cost-fn", "5"],
        "--cost-fn and --cost-matrix ask for different decisions",
    ),
    "a column and a miss": (
        ["--cost-column", "income", "--cost-fp", "1", "--cost-fn", "5"],
        "--cost-column and --cost-fn contradict each other",
    ),
    "a column without an alarm": (["--cost-column", "income"], "--cost-column needs --cost-fp"),
    "a column and passing on": (
        ["--cost-column", "income", "--cost-fp", "9", "--abstain-cost", "1"],
        "--abstain-cost and --cost-column cannot be combined",
    ),
    "passing on and a capacity": (
        ["--abstain-cost", "0.2", "--top-k", "5"],
        "--abstain-cost and --top-k contradict each other",
    ),
    "confidence alone": (["--confidence", "0.95"], "--confidence belongs to a floor"),
    "confidence and costs": (
        ["--confidence", "0.95", "--cost-fn", "5"],
        "--confidence belongs to a floor",
    ),
    "a miss for nothing": (["--cost-fn", "0"], "the negative class is always right"),
    "an alarm for nothing": (["--cost-fp", "0"], "the positive class is always right"),
    "a hit dearer than a miss": (["--cost-tp", "2"], "the negative class is always right"),
    "a rejection dearer than an alarm": (["--cost-tn", "2"], "the positive class is always right"),
    "a column beside a rejection that is dearer": (
        ["--cost-column", "income", "--cost-fp", "1", "--cost-tn", "2"],
        "the positive class is always right",
    ),
    "a negative cost": (["--cost-fn=-1"], "at least 0, but got -1"),
    "a negative alarm": (["--cost-fp=-0.5"], "at least 0, but got -0.5"),
    "a cost that is no number": (["--cost-fn", "nan"], "at least 0, but got nan"),
    "an infinite cost": (["--cost-fp", "inf"], "at least 0, but got inf"),
    "passing on for nothing": (["--abstain-cost", "0"], "always worth it"),
    "passing on for less": (["--abstain-cost=-1"], "at least 0, but got -1"),
    "passing on that never pays": (["--abstain-cost", "0.5"], "never worth it"),
    "passing on that is no number": (["--abstain-cost", "nan"], "but got nan"),
    "passing on by a matrix that is no number": (
        ["--cost-matrix", "good.csv", "--abstain-cost", "nan"],
        "abstain cost",
    ),
    "a matrix that is too wide": (["--cost-matrix", "wide.csv"], "2 rows for 2 columns"),
    "a matrix of one row": (["--cost-matrix", "flat.csv"], "1 rows for 2 columns"),
    "a matrix of unknown labels": (
        ["--cost-matrix", "unknown.csv"],
        "names 'maybe', which is no class of the target",
    ),
    "a matrix of a label too many": (["--cost-matrix", "third.csv"], "'maybe', which is no class"),
    "a matrix of a label too few": (["--cost-matrix", "missing.csv"], "no"),
    "a matrix with text": (["--cost-matrix", "text.csv"], "cheap"),
    "a matrix below nothing": (["--cost-matrix", "negative.csv"], "no number of at least 0"),
    "a matrix with a gap": (["--cost-matrix", "nan.csv"], "no number of at least 0"),
    "a matrix by which one is right": (["--cost-matrix", "right.csv"], "'no' is always right"),
    "a matrix with a label twice": (["--cost-matrix", "twice.csv"], "name each class once"),
    "an empty matrix": (["--cost-matrix", "empty.csv"], "0 rows for 0 columns"),
    "a matrix that is not UTF-8": (["--cost-matrix", "latin.csv"], "latin.csv cannot be read"),
    "a matrix that is not there": (["--cost-matrix", "nowhere.csv"], "nowhere.csv cannot be read"),
    "a folder for a matrix": (["--cost-matrix", "."], "cannot be read"),
    "a recall of so few": (
        ["--min-recall", "0.99"],
        "positive rows; the data have 24, with which 0.",
    ),
    "a precision of so few": (
        ["--min-precision", "0.95"],
        "positive rows; the data have 24, with which 0.",
    ),
    "a specificity of so few": (
        ["--min-specificity", "0.999"],
        "negative rows; the data have 136, with which 0.",
    ),
    "much confidence in so few": (
        ["--min-recall", "0.8", "--confidence", "0.999"],
        "positive rows; the data have 24, with which 0.",
    ),
    "a floor of all": (["--min-recall", "1"], "must lie between 0 and 1, but got 1"),
    "a floor above all": (["--min-recall", "1.5"], "must lie between 0 and 1, but got 1.5"),
    "a floor of nothing": (["--min-precision", "0"], "must lie between 0 and 1, but got 0"),
    "a floor that is no number": (["--min-specificity", "nan"], "between 0 and 1, but got nan"),
    "certainty": (
        ["--min-recall", "0.5", "--confidence", "1"],
        "confidence must lie between 0 and 1, but got 1",
    ),
    "every row": (["--top-k", "160"], "top-k 160 of a batch of 160 rows flags every one"),
    "more than every row": (["--top-k", "1000"], "flags every one"),
    "no row": (["--top-k", "0"], "top-k must be a whole number of at least 1, but got 0"),
    "less than a row": (["--top-k=-1"], "top-k must be a whole number of at least 1, but got -1"),
    "no share": (["--top-share", "0"], "top-share must lie between 0 and 1, but got 0"),
    "all of a share": (["--top-share", "1"], "top-share must lie between 0 and 1, but got 1"),
    "a share that is no number": (["--top-share", "nan"], "between 0 and 1, but got nan"),
    "a threshold beyond all": (["--threshold", "1.5"], "between 0 and 1, but got 1.5"),
    "a threshold that is no number": (["--threshold", "nan"], "between 0 and 1, but got nan"),
    "a threshold and costs": (
        ["--threshold", "0.2", "--cost-fn", "5"],
        "--cost-fn and --threshold ask for different decisions",
    ),
    "an unknown metric": (["--decision", "f11"], "did you mean 'f1'?"),
    "a ranking": (["--decision", "roc_auc"], "decision 'roc_auc' cannot be maximised"),
    "a loss": (["--decision", "log_loss"], "decision 'log_loss' cannot be maximised"),
}
each_refusal = pytest.mark.parametrize(("flags", "told"), REFUSED.values(), ids=list(REFUSED))


@each_refusal
def test_fit_refuses_before_anything_is_searched_or_written(
    cli: Command,
    loans_csv: Path,
    matrices: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    told: str,
) -> None:
    monkeypatch.setattr("autoimb.running.fit_dataset", lambda *_, **__: pytest.fail("searched"))
    before = contents(matrices)
    require_refusal(cli("fit", loans_csv, *QUICK, *flags), told)
    assert contents(matrices) == before
    assert not (matrices / "autoimb_runs").exists()


@each_refusal
def test_retune_refuses_and_leaves_the_model(
    cli: Command, model_file: Path, matrices: Path, flags: list[str], told: str
) -> None:
    before = contents(matrices)
    require_refusal(cli("retune", model_file, *flags), told)
    assert contents(matrices) == before


COLUMNS: dict[str, tuple[Any, str]] = {
    "that is not there": (None, "cost column 'amount' is not in the table"),
    "of text": (["dear"] * 160, "no number of at least 0, the first in row 0: 'dear'"),
    "with a text": ([*[5.0] * 159, "dear"], "1 of 160 cells are no number of at least 0"),
    "with a negative cell": ([*[5.0] * 159, -0.5], "1 of 160 cells are no number of at least 0"),
    "with a missing cell": ([*[5.0] * 159, None], "1 of 160 cells are no number of at least 0"),
    "with an infinite cell": ([*[5.0] * 159, "inf"], "1 of 160 cells are no number of at least 0"),
    "of nothing": ([0.0] * 160, "the negative class is always right"),
}


@pytest.mark.parametrize(("cells", "told"), COLUMNS.values(), ids=list(COLUMNS))
def test_fit_refuses_a_column_of_costs(
    cli: Command, loans: pd.DataFrame, tmp_path: Path, cells: Any, told: str
) -> None:
    table = loans if cells is None else loans.assign(amount=cells)
    table.to_csv(tmp_path / "table.csv", index=False)
    found = cli("fit", "table.csv", *QUICK, "--cost-fp", 3, "--cost-column", "amount")
    require_refusal(found, told, code=2 if "always right" in told else 1)
    assert "np." not in found.stderr
    assert not (tmp_path / "autoimb_runs").exists()


def test_the_target_is_no_column_of_costs(
    cli: Command, loans: pd.DataFrame, tmp_path: Path
) -> None:
    """Its cells are what is to be predicted: every miss would be known, and nobody has them."""
    coded = (loans["default"] == "yes").astype(int)
    loans.assign(default=coded).to_csv(tmp_path / "coded.csv", index=False)
    found = cli("fit", "coded.csv", *QUICK, "--cost-fp", 0.5, "--cost-column", "default")
    require_refusal(found, "default", code=1)
    assert not (tmp_path / "autoimb_runs").exists()


@pytest.mark.parametrize(
    "flags",
    [
        ("--cost-fn", "5"),
        ("--cost-fp", "5", "--cost-column", "x"),
        ("--abstain-cost", "0.2"),
        ("--min-recall", "0.5"),
        ("--top-k", "5"),
        ("--top-share", "0.1"),
        ("--threshold", "0.1"),
    ],
    ids=str,
)
def test_fit_refuses_for_three_classes_what_only_two_can_have(
    cli: Command, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.random(90), "z": rng.random(90), "target": list("abc") * 30})
    table.to_csv(tmp_path / "three.csv", index=False)
    found = cli("fit", "three.csv", *QUICK, *flags)
    require_refusal(found, "needs two classes, but the target has 3")
    assert not (tmp_path / "autoimb_runs").exists()


# Fitting to a decision.


def test_fit_decides_by_what_is_asked_for(
    quick_fit: Command, cli: Command, loans_csv: Path
) -> None:
    run = quick_fit(loans_csv, "--cost-fp", 1, "--cost-fn", 25, "--json").json
    assert run["decided"]["asked"] == "least cost (false alarm 1, miss 25)"
    assert run["decided"]["rule"] == run["decision"]
    assert run["scores"]["cost"]["value"] > 0
    model = autoimb.load(run["model"])
    assert str(model.rule) == run["decision"]
    dear = (model.predict(pd.read_csv(loans_csv)) == "yes").sum()
    cheap = cli("retune", run["model"], "--cost-fp", 25, "--cost-fn", 1)
    assert cheap.code == 0
    table = pd.read_csv(io.StringIO(cli("predict", run["model"], loans_csv).stdout))
    assert (table["label"] == "yes").sum() < dear


def test_fit_keeps_to_a_threshold_that_is_given(quick_fit: Command, loans_csv: Path) -> None:
    run = quick_fit(loans_csv, "--threshold", 0.2, "--json").json
    assert run["decided"]["asked"] == "fixed threshold 0.2"
    assert run["decided"]["stability"] is None
    assert autoimb.load(run["model"]).rule == Threshold(0.2)


def test_fit_tells_of_a_promise_that_too_few_rows_support(
    quick_fit: Command, loans_csv: Path
) -> None:
    found = quick_fit(loans_csv, "--min-precision", 0.8)
    assert found.code == 0, found.stderr
    told = " ".join(found.stdout.split())
    assert "a precision of 0.8 is not supported at 90 % confidence" in told
    run = quick_fit(loans_csv, "--min-precision", 0.8, "--json").json
    assert run["decided"]["shortfall"].startswith("a precision of 0.8 is not supported")


# Changing a decision.


def test_retune_without_options_says_what_to_give(cli: Command, model_file: Path) -> None:
    before = contents(model_file.parent)
    for flags in ([], ["--json"], ["--out", "new.pkl"]):
        require_refusal(cli("retune", model_file, *flags), "--decision, --cost-fn, --min-precision")
    assert contents(model_file.parent) == before


def test_retune_tells_what_the_decision_has_become(cli: Command, model_file: Path) -> None:
    found = cli("retune", model_file, "--cost-fn", 25)
    assert (found.code, found.stderr) == (0, "")
    model = autoimb.load(model_file)
    told = found.stdout.splitlines()
    assert told[0] == "Asked for  least cost (false alarm 1, miss 25)"
    assert told[1].startswith(f"Decision   {model.rule} (95 % of resamples: ")
    assert told[-1] == f"Model      {model_file}"
    for name in ("precision", "recall", "specificity", "flagged_per_1000", "cost"):
        assert f" {name} " in found.stdout


def test_retune_tells_programs(cli: Command, model_file: Path) -> None:
    told = cli("retune", model_file, "--min-recall", 0.5, "--json").json
    assert told["model"] == str(model_file)
    assert told["asked"] == "best precision with a recall of at least 0.5, 90 % sure"
    assert told["rule"] == read_manifest(model_file)["decision"]
    assert told["shortfall"] is None
    assert 0.5 < told["recall"] <= 1
    assert told["flagged_per_1000"] > 0


def test_retune_keeps_what_the_costs_are_counted_from(cli: Command, model_file: Path) -> None:
    """The figures are those of the rows that were not seen, one by one."""
    told = cli("retune", model_file, "--cost-fp", 2, "--cost-fn", 9, "--json").json
    model = autoimb.load(model_file)
    assert model.evidence is not None
    p = model.calibrator(model.evidence.proba.astype(float))[:, 1]
    y, flagged = model.evidence.y == 1, p >= told["values"]["value"]
    assert told["cost"] == pytest.approx((2 * (flagged & ~y) + 9 * (~flagged & y)).mean())
    assert told["recall"] == pytest.approx(flagged[y].mean())
    assert told["specificity"] == pytest.approx((~flagged)[~y].mean())


@pytest.mark.parametrize(
    ("command", "flags"), [("retune", ["--cost-fn", 25]), ("retarget", ["--prevalence", 0.01])]
)
def test_another_file_is_written(
    cli: Command, model_file: Path, command: str, flags: list[object]
) -> None:
    before = contents(model_file.parent)
    found = cli(command, model_file, *flags, "--out", "new.pkl")
    assert found.code == 0, found.stderr
    assert found.stdout.endswith("Model      new.pkl\n")
    after = contents(model_file.parent)
    assert set(after) - set(before) == {"new.pkl", "new.manifest.json", "new_card.md"}
    assert {name: after[name] for name in before} == before
    assert autoimb.load(model_file.with_name("new.pkl"))


@pytest.mark.parametrize("out", ["folder", "nowhere/new.pkl"])
@pytest.mark.parametrize(
    ("command", "flags"), [("retune", ["--cost-fn", 25]), ("retarget", ["--prevalence", 0.01])]
)
def test_a_place_that_no_model_can_be_written_to(
    cli: Command, model_file: Path, command: str, flags: list[object], out: str
) -> None:
    (model_file.parent / "folder").mkdir()
    (model_file.parent / "folder" / "precious").write_text("precious")
    before = contents(model_file.parent)
    require_refusal(cli(command, model_file, *flags, "--out", out), "--out")
    assert contents(model_file.parent) == before


@pytest.mark.parametrize(
    ("command", "flags"), [("retune", ["--cost-fn", 25]), ("retarget", ["--prevalence", 0.01])]
)
def test_a_model_that_is_not_there(cli: Command, command: str, flags: list[object]) -> None:
    found = cli(command, "nothing.pkl", *flags)
    require_refusal(found, "model file nothing.pkl does not exist", code=1)


def test_a_column_of_costs_that_was_not_kept(cli: Command, model_file: Path) -> None:
    before = contents(model_file.parent)
    found = cli("retune", model_file, "--cost-fp", 10, "--cost-column", "income")
    require_refusal(found, "the costs of column 'income' were not kept with the model")
    assert "Fit with --cost-column income" in found.stderr
    assert contents(model_file.parent) == before


def test_a_floor_that_no_threshold_reaches(cli: Command, model_file: Path) -> None:
    before = contents(model_file.parent)
    found = cli("retune", model_file, "--min-precision", 0.8)
    require_refusal(found, "a precision of 0.8 is not supported at 90 % confidence")
    assert "promise only 0." in found.stderr
    assert found.stderr.endswith("Lower the floor or the confidence.\n")
    assert contents(model_file.parent) == before


# Another prevalence.


def test_retarget_lowers_probabilities_and_decides_again(
    cli: Command, model_file: Path, loans_csv: Path
) -> None:
    cli("retune", model_file, "--cost-fn", 6)
    before = pd.read_csv(io.StringIO(cli("predict", model_file, loans_csv).stdout))
    told = cli("retarget", model_file, "--prevalence", 0.004)
    assert (told.code, told.stderr) == (0, "")
    assert told.stdout.startswith("Aimed at   'no' 0.996, 'yes' 0.004\n")
    after = pd.read_csv(io.StringIO(cli("predict", model_file, loans_csv).stdout))
    odds = (after["probability_yes"] / after["probability_no"]) / (
        before["probability_yes"] / before["probability_no"]
    )
    np.testing.assert_allclose(odds, (0.004 / 0.996) / (0.15 / 0.85), rtol=1e-6)
    assert after["probability_yes"].mean() < before["probability_yes"].mean() / 5
    assert (after["label"] == "yes").sum() < (before["label"] == "yes").sum()


def test_retarget_tells_programs(cli: Command, model_file: Path) -> None:
    told = cli("retarget", model_file, "--prevalence", 0.004, "--json").json
    assert told["prevalence"] == pytest.approx({"no": 0.996, "yes": 0.004})
    assert told["rule"] == read_manifest(model_file)["decision"]


def test_retarget_estimates_from_rows_without_labels(
    cli: Command, model_file: Path, loans: pd.DataFrame, tmp_path: Path
) -> None:
    many = pd.concat([loans, *[loans[loans["default"] == "yes"]] * 5])
    many.drop(columns="default").to_csv(tmp_path / "new.csv", index=False)
    told = cli("retarget", model_file, "--from", "new.csv", "--json").json
    assert told["prevalence"]["yes"] > 0.3
    assert sum(told["prevalence"].values()) == pytest.approx(1)


@pytest.mark.parametrize("prevalence", ["0", "1", "-1", "2", "nan", "inf"])
def test_retarget_refuses_what_is_no_prevalence(
    cli: Command, model_file: Path, prevalence: str
) -> None:
    before = contents(model_file.parent)
    found = cli("retarget", model_file, f"--prevalence={prevalence}")
    require_refusal(found, f"the prevalence must lie between 0 and 1, but got {prevalence}")
    assert contents(model_file.parent) == before


@pytest.mark.parametrize("flags", [[], ["--prevalence", "0.1", "--from", "loans.csv"]], ids=str)
def test_retarget_takes_either_a_prevalence_or_rows(
    cli: Command, model_file: Path, loans_csv: Path, flags: list[str]
) -> None:
    require_refusal(cli("retarget", model_file, *flags), "either --prevalence or --from")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.drop(columns="income"), "column 'income' is missing"),
        (lambda table: table.head(0), "a header and no rows"),
        (lambda table: table.assign(age="old"), "found 'old' where training had a number"),
    ],
)
def test_retarget_refuses_rows_that_do_not_fit_the_model(
    cli: Command, model_file: Path, loans: pd.DataFrame, change: Any, told: str
) -> None:
    change(loans).to_csv(model_file.parent / "new.csv", index=False)
    before = contents(model_file.parent)
    require_refusal(cli("retarget", model_file, "--from", "new.csv"), told, code=1)
    assert contents(model_file.parent) == before


# Carrying decisions out.


def in_pieces_of(n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(reading.read_chunks, n_rows=n_rows)
    monkeypatch.setattr(reading, "read_chunks", small)


def predictions(found: Outcome) -> pd.DataFrame:
    assert found.code == 0, found.stderr
    return pd.read_csv(io.StringIO(found.stdout))


@pytest.mark.parametrize("n_rows", [7, 159, 1000])
def test_so_many_rows_of_a_file_are_flagged_however_it_is_read(
    cli: Command, model_file: Path, loans_csv: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int
) -> None:
    cli("retune", model_file, "--top-k", 11)
    in_pieces_of(n_rows, monkeypatch)
    table = predictions(cli("predict", model_file, loans_csv))
    assert len(table) == 160
    assert (table["label"] == "yes").sum() == 11
    order = np.argsort(-table["probability_yes"].to_numpy(), kind="stable")
    assert set(table["label"].iloc[order[:11]]) == {"yes"}


def test_so_many_of_rows_that_are_all_alike_are_flagged(
    cli: Command, model_file: Path, loans: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("retune", model_file, "--top-k", 5)
    in_pieces_of(2, monkeypatch)
    pd.concat([loans.head(1)] * 12).to_csv(model_file.parent / "alike.csv", index=False)
    table = predictions(cli("predict", model_file, "alike.csv"))
    assert table["label"].tolist() == ["yes"] * 5 + ["no"] * 7


def test_a_file_of_fewer_rows_is_flagged_as_a_whole(
    cli: Command, model_file: Path, loans: pd.DataFrame
) -> None:
    cli("retune", model_file, "--top-k", 30)
    loans.head(12).to_csv(model_file.parent / "few.csv", index=False)
    assert set(predictions(cli("predict", model_file, "few.csv"))["label"]) == {"yes"}


@pytest.mark.parametrize(("n", "flagged"), [(160, 16), (99, 9), (3, 1)])
def test_a_share_of_a_file_is_flagged(
    cli: Command, model_file: Path, loans: pd.DataFrame, n: int, flagged: int
) -> None:
    cli("retune", model_file, "--top-share", 0.1)
    loans.head(n).to_csv(model_file.parent / "some.csv", index=False)
    table = predictions(cli("predict", model_file, "some.csv"))
    assert (table["label"] == "yes").sum() == flagged


BAND = ("--cost-fp", 1, "--cost-fn", 5, "--abstain-cost", 0.3)


@pytest.mark.parametrize("n_rows", [7, 1000])
def test_rows_that_are_passed_on_have_no_label(
    cli: Command, model_file: Path, loans_csv: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int
) -> None:
    band = cli("retune", model_file, *BAND, "--json").json
    assert band["passed_on"] > 0
    assert band["passed_on_per_1000"] == pytest.approx(1000 * band["passed_on"])
    low, high = band["values"]["low"], band["values"]["high"]
    in_pieces_of(n_rows, monkeypatch)
    found = cli("predict", model_file, loans_csv)
    table = predictions(found)
    p = table["probability_yes"]
    expected = np.where(p >= high, "yes", np.where(p >= low, "", "no"))
    assert table["label"].fillna("").tolist() == expected.tolist()
    n_passed = int((expected == "").sum())
    assert 0 < n_passed < 160
    lines = found.stdout.splitlines()[1:]
    assert sum(line.startswith(",") for line in lines) == n_passed
    assert found.stderr == f"note: {n_passed} rows ({n_passed / 160:.1%}) passed on: no label.\n"


def test_rows_that_are_passed_on_are_told_beside_a_file(
    cli: Command, model_file: Path, loans_csv: Path
) -> None:
    cli("retune", model_file, *BAND)
    printed = cli("predict", model_file, loans_csv)
    found = cli("predict", model_file, loans_csv, "--out", "out.csv")
    assert (found.code, found.stdout) == (0, "")
    assert "passed on: no label." in found.stderr
    assert found.stderr.endswith("160 rows predicted: out.csv\n")
    assert (model_file.parent / "out.csv").read_text() == printed.stdout


def test_nothing_is_told_of_passing_on_where_no_row_is(
    cli: Command, model_file: Path, loans_csv: Path
) -> None:
    cli("retune", model_file, "--cost-fn", 5)
    assert "passed on" not in cli("predict", model_file, loans_csv).stderr


def test_rows_that_are_passed_on_are_evaluated_apart(
    cli: Command, model_file: Path, loans_csv: Path
) -> None:
    cli("retune", model_file, *BAND)
    n_passed = int(predictions(cli("predict", model_file, loans_csv))["label"].isna().sum())
    told = cli("evaluate", model_file, loans_csv, "--json").json
    assert told["passed_on"] == n_passed
    assert np.sum(told["confusion_matrix"]) == told["n_rows"] - n_passed
    (right, false), (missed, found) = told["confusion_matrix"]
    cost = (false + 5 * missed + 0.3 * n_passed) / 160
    assert told["metrics"]["cost"] == pytest.approx(cost)
    assert told["asked"] == "least cost (false alarm 1, miss 5, passing on 0.3)"
    assert right > 0 and found > 0
    assert f"; {n_passed} passed on" in cli("evaluate", model_file, loans_csv).stdout


# Costs of rows.


@pytest.fixture(scope="session")
def fitted_to_amounts(
    loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, pd.DataFrame]:
    """A model whose decision reads a column that it does not learn from, and its table."""
    amounts = np.random.default_rng(1).lognormal(3, 1, len(loans)).round(2)
    table = loans.assign(amount=amounts)
    run = autoimb.fit(
        table, n_trials=2, time_budget=None, space="fast", n_folds=2, executor="in_process",
        tracking_uri="off", run_dir=tmp_path_factory.mktemp("amounts") / "run",
        drop=["amount"], decision=autoimb.Costs(fp=10.0, column="amount"),
    )  # fmt: skip
    return run.model_path, table


@pytest.fixture
def amounts_file(fitted_to_amounts: tuple[Path, pd.DataFrame], tmp_path: Path) -> Path:
    model, table = fitted_to_amounts
    for path in (model, manifest_path(model)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    table.to_csv(tmp_path / "amounts.csv", index=False)
    return tmp_path / model.name


@pytest.mark.parametrize("n_rows", [7, 1000])
def test_rows_are_flagged_by_what_missing_them_costs(
    cli: Command,
    amounts_file: Path,
    fitted_to_amounts: tuple[Path, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    n_rows: int,
) -> None:
    in_pieces_of(n_rows, monkeypatch)
    table = predictions(cli("predict", amounts_file, "amounts.csv"))
    rule = autoimb.load(amounts_file).rule
    expected = rule.decide(
        table[["probability_no", "probability_yes"]].to_numpy(),
        fitted_to_amounts[1]["amount"].to_numpy(),
    )
    assert (table["label"] == "yes").tolist() == (expected == 1).tolist()
    assert 0 < expected.sum() < 160


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_rows_without_their_costs_cannot_be_decided(
    cli: Command, amounts_file: Path, loans_csv: Path, command: str
) -> None:
    found = cli(command, amounts_file, loans_csv)
    require_refusal(found, "cost column 'amount' is not in the table", code=1)


def test_a_cell_that_is_no_cost_is_found_wherever_the_file_is_cut(
    cli: Command,
    amounts_file: Path,
    fitted_to_amounts: tuple[Path, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = fitted_to_amounts[1]
    cells = [*table["amount"][:-3], -1.0, *table["amount"][-2:]]
    table.assign(amount=cells).to_csv(amounts_file.with_name("wrong.csv"), index=False)
    whole = cli("predict", amounts_file, "wrong.csv", "--out", "out.csv")
    require_refusal(whole, "the first in row 157", code=1)
    in_pieces_of(10, monkeypatch)
    pieces = cli("predict", amounts_file, "wrong.csv", "--out", "out.csv")
    require_refusal(pieces, "the first in row 157", code=1)
    assert not list(amounts_file.parent.glob("out.csv*"))


def test_costs_of_rows_are_evaluated(
    cli: Command, amounts_file: Path, fitted_to_amounts: tuple[Path, pd.DataFrame]
) -> None:
    table = fitted_to_amounts[1]
    told = cli("evaluate", amounts_file, "amounts.csv", "--json").json
    labels = predictions(cli("predict", amounts_file, "amounts.csv"))["label"].to_numpy()
    is_positive, flagged = table["default"].to_numpy() == "yes", labels == "yes"
    cost = np.where(flagged, 10.0 * ~is_positive, table["amount"] * is_positive)
    assert told["metrics"]["cost"] == pytest.approx(cost.mean())
    assert told["asked"] == "least cost (false alarm 10, miss 'amount')"


def test_a_cheaper_alarm_flags_more_rows(cli: Command, amounts_file: Path) -> None:
    n_flagged = []
    for fp in (1, 100):
        found = cli("retune", amounts_file, "--cost-fp", fp, "--cost-column", "amount")
        assert found.code == 0, found.stderr
        table = predictions(cli("predict", amounts_file, "amounts.csv"))
        n_flagged.append((table["label"] == "yes").sum())
    assert n_flagged[0] > n_flagged[1]


def test_a_model_retuned_away_from_costs_needs_them_no_more(
    cli: Command, amounts_file: Path, loans_csv: Path
) -> None:
    assert cli("retune", amounts_file, "--decision", "f1").code == 0
    assert len(predictions(cli("predict", amounts_file, loans_csv))) == 160
