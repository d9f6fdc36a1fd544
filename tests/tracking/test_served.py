"""The logged model behind `mlflow models serve` answers what `autoimb predict` writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow_server import Server

import autoimb
from autoimb.errors import UsageError

pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class Served:
    """A registered model, its server, and rows to ask it about."""

    run: autoimb.Run
    server: Server
    rows: pd.DataFrame
    predicted: pd.DataFrame

    def ask(self, **params: str) -> Any:
        asked: dict[str, Any] = {"dataframe_split": as_split(self.rows)}
        return self.server.ask({**asked, "params": params} if params else asked)


def as_split(table: pd.DataFrame) -> dict[str, Any]:
    """Give a table as JSON holds it: what is missing is null."""
    cells = table.astype(object).where(table.notna(), None)
    return {"columns": list(table), "data": cells.to_numpy().tolist()}


@pytest.fixture(scope="module")
def served(
    loans: pd.DataFrame, empty_store: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "mlflow.db").write_bytes(empty_store)
    store = f"sqlite:///{folder}/mlflow.db"
    loans.to_csv(folder / "loans.csv", index=False)
    run = autoimb.fit(
        folder / "loans.csv", time_budget=None, n_trials=3, space="fast", n_folds=2,
        executor="in_process", tracking_uri=store, run_dir=folder / "run", register="loans",
    )  # fmt: skip
    predict = ["predict", run.model_path, "loans.csv", "--out", "predicted.csv"]
    command = [sys.executable, "-c", "from autoimb.cli.app import main; main()", *predict]
    subprocess.run(command, cwd=folder, check=True)
    serve = ["models", "serve", "--model-uri", f"models:/{run.registered.name}/1"]
    server = Server(folder, [*serve, "--env-manager", "local"], {"MLFLOW_TRACKING_URI": store})
    rows = pd.read_csv(folder / "loans.csv").drop(columns="default")
    predicted = pd.read_csv(folder / "predicted.csv", dtype=str)
    for name in predicted.columns[1:]:  # to the last digit, whatever pandas does
        predicted[name] = [float(text) for text in predicted[name]]
    with server:
        yield Served(run, server, rows, predicted)


def test_a_server_answers_bit_for_bit_what_predict_writes(served: Served) -> None:
    assert served.rows.isna().any().any()
    assert served.ask() == {"predictions": served.predicted.to_dict("records")}


def test_probabilities_and_labels_are_there_alone(served: Served) -> None:
    columns = ["probability_no", "probability_yes"]
    expected = served.predicted[columns].to_dict("records")
    assert served.ask(output="proba") == {"predictions": expected}
    expected = served.predicted[["label"]].to_dict("records")
    assert served.ask(output="label") == {"predictions": expected}


def test_the_threshold_is_that_of_the_labels(served: Served) -> None:
    answers = served.ask(output="decision")["predictions"]
    threshold = served.run.result.model.rule.value
    assert {one["threshold"] for one in answers} == {threshold}
    assert {one["asked"] for one in answers} == {"best f1"}
    by_hand = np.where(served.predicted["probability_yes"] >= threshold, "yes", "no")
    assert [one["label"] for one in answers] == by_hand.tolist()


def test_a_wrong_output_is_told(served: Served) -> None:
    answer = served.ask(output="probs")
    assert "there is no output 'probs'; did you mean 'proba'?" in json.dumps(answer)


def test_the_registered_model_opens_in_python_with_its_decision(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(served.run.tracking_uri))
    opened = mlflow.pyfunc.load_model("models:/loans/1")
    model = opened.get_raw_model()
    assert model.decision == served.run.result.model.decision
    assert opened.metadata.metadata["threshold"] == model.rule.value
    assert opened.metadata.metadata["decided"]["asked"] == "best f1"
    proba = opened.predict(served.rows, params={"output": "proba"})
    assert np.array_equal(proba.to_numpy(), model.predict_proba(served.rows))
    with pytest.raises(UsageError, match="there is no output 'probs'"):
        opened.predict(served.rows, params={"output": "probs"})
