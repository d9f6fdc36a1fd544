from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Command
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
)

import autoimb
from autoimb.metrics import METRICS

pytestmark = pytest.mark.usefixtures("few_resamples")


def test_the_figures_are_those_of_the_predictions(
    cli: Command, loans: pd.DataFrame, loans_csv: Path, model_file: Path
) -> None:
    found = cli("evaluate", model_file, loans_csv, "--json").json
    model = autoimb.load(model_file)
    y, predicted = loans["default"], model.predict(loans)
    assert found["n_rows"] == len(loans)
    assert found["decision"] == str(model.rule)
    assert list(found["classes"]) == ["no", "yes"]
    assert found["classes"]["yes"]["rows"] == 24
    assert found["confusion_matrix"] == confusion_matrix(y, predicted).tolist()
    assert set(found["metrics"]) == set(METRICS)
    expected = {
        "f1": f1_score(y, predicted, pos_label="yes"),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "mcc": matthews_corrcoef(y, predicted),
        "average_precision": average_precision_score(y == "yes", model.predict_proba(loans)[:, 1]),
    }
    for name, value in expected.items():
        assert found["metrics"][name] == pytest.approx(value), name


def test_the_text_tells_every_part(cli: Command, loans_csv: Path, model_file: Path) -> None:
    found = cli("evaluate", model_file, loans_csv)
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.startswith("160 rows, decision: threshold 0.")
    for part in ("Metrics\n", "Classes\n", "Confusion matrix (rows: true, columns: predicted)\n"):
        assert part in found.stdout
    assert all(f"  {name} " in found.stdout for name in METRICS)


def test_columns_may_stand_in_any_order_beside_others(
    cli: Command, loans: pd.DataFrame, loans_csv: Path, model_file: Path, tmp_path: Path
) -> None:
    shuffled = loans[loans.columns[::-1]].assign(comment="none")
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    plain = cli("evaluate", model_file, loans_csv)
    assert cli("evaluate", model_file, "shuffled.csv").stdout == plain.stdout


def test_rows_without_a_label_are_left_out_and_counted(
    cli: Command, loans: pd.DataFrame, model_file: Path, tmp_path: Path
) -> None:
    partly = loans.copy()
    partly.loc[:4, "default"] = None
    partly.to_csv(tmp_path / "partly.csv", index=False)
    found = cli("evaluate", model_file, "partly.csv")
    assert found.stdout.startswith("155 rows, ")
    assert found.stderr == "note: 5 rows without a label in 'default' left out.\n"


def test_a_class_without_rows_leaves_some_metrics_undefined(
    cli: Command, loans: pd.DataFrame, model_file: Path, tmp_path: Path
) -> None:
    loans[loans["default"] == "no"].to_csv(tmp_path / "no.csv", index=False)
    found = cli("evaluate", model_file, "no.csv", "--json").json
    assert found["metrics"]["roc_auc"] is None
    assert found["classes"]["yes"]["rows"] == 0
    assert "not defined" in cli("evaluate", model_file, "no.csv").stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda table: table.assign(default=["maybe", *table["default"][1:]]),
            "table.csv: target 'default' holds 'maybe', which training never saw; "
            "the classes are no, yes. Correct the labels.",
        ),
        (
            lambda table: table.rename(columns={"default": "defaulted"}),
            "table.csv: no column 'default'; did you mean 'defaulted'?",
        ),
        (
            lambda table: table.assign(default=None),
            "table.csv: every cell of target 'default' is empty. Fill it in.",
        ),
        (
            lambda table: table.drop(columns="age"),
            "column 'age' is missing from the table; the model needs 5 columns by name, "
            "choose one of: income, city, opened, member",
        ),
    ],
    ids=["unknown class", "no target", "empty target", "no feature"],
)
def test_a_table_that_does_not_fit(
    cli: Command,
    loans: pd.DataFrame,
    model_file: Path,
    tmp_path: Path,
    change: object,
    message: str,
) -> None:
    assert callable(change)
    change(loans).to_csv(tmp_path / "table.csv", index=False)
    found = cli("evaluate", model_file, "table.csv")
    assert (found.code, found.stdout, found.stderr) == (1, "", f"error: {message}\n")


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [False, True], [0.0, 1.0], ["a", "b"]])
def test_labels_of_a_file_match_those_of_a_frame(
    loans: pd.DataFrame, tmp_path: Path, labels: list[object]
) -> None:
    coded = loans.assign(default=np.where(loans["default"] == "yes", labels[1], labels[0]))
    run = autoimb.fit(
        coded, n_trials=1, time_budget=None, space="fast", n_folds=2, executor="in_process",
        tracking_uri="off", run_dir=tmp_path / "run",
    )  # fmt: skip
    coded.to_csv(tmp_path / "coded.csv", index=False)
    model = autoimb.load(run.model_path)
    assert autoimb.evaluate(model, tmp_path / "coded.csv") == autoimb.evaluate(model, coded)
    gaps = coded.assign(default=coded["default"].where(coded.index > 0))
    assert autoimb.evaluate(model, gaps)["n_rows"] == len(coded) - 1
