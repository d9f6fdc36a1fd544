"""A model gets into MLflow's registry by a name that was checked before anything was fitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from mlflow import MlflowClient

from autoimb.errors import UsageError
from autoimb.tracking.registry import check_registration
from autoimb.tracking.writer import RunWriter


@pytest.mark.parametrize("name", ["churn", "Churn model 2", "a.b-c_d", "東京", "é" * 256])
def test_names_that_mlflow_takes(name: str) -> None:
    check_registration(name, None)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", "..", ".", "x" * 257])
def test_names_that_mlflow_does_not_take(name: str) -> None:
    with pytest.raises(UsageError, match="MLflow takes"):
        check_registration(name, None)


@pytest.mark.parametrize("uri", ["argument", "environment"])
def test_no_model_is_registered_where_nothing_is_tracked(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uri == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "off")
    with pytest.raises(UsageError, match="--register churn needs MLflow"):
        check_registration("churn", "off" if uri == "argument" else None)


@pytest.mark.parametrize(
    "flags", [("--register", "a/b"), ("--register", "churn", "--tracking-uri", "off")]
)
def test_a_wrong_name_is_one_line_and_leaves_nothing(
    cli: Command, loans_csv: Path, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    found = cli("fit", "loans.csv", *flags)
    assert (found.code, found.stdout) == (2, "")
    assert "--register" in found.stderr
    assert "Traceback" not in found.stderr
    assert list(tmp_path.iterdir()) == [loans_csv]


@pytest.fixture
def uri(empty_store: bytes, tmp_path: Path) -> str:
    (tmp_path / "store.db").write_bytes(empty_store)
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.mark.slow
def test_each_fit_is_a_further_version(
    quick_fit: Command, loans_csv: Path, uri: str, tmp_path: Path
) -> None:
    flags = ("--tracking-uri", uri, "--register", "loans", "--holdout", "0.3")
    told = quick_fit("loans.csv", *flags)
    assert "registered as loans, version 1\n" in told.stdout
    found = quick_fit("loans.csv", *flags, "--json").json
    assert found["registered"] == {"name": "loans", "version": 2}
    client = MlflowClient(uri)
    version = client.get_model_version("loans", "2")
    assert version.run_id == found["run_id"]
    assert version.status == "READY"
    (output,) = client.get_run(version.run_id).outputs.model_outputs
    logged = client.get_logged_model(output.model_id)
    assert version.source == logged.artifact_location
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [{"name": "loans", "version": "2"}]
    # The card that tells of the untouched rows lies beside the model too.
    place = client.download_artifacts(version.run_id, "model_card.md", str(tmp_path))
    (beside,) = (tmp_path / "artifacts").rglob(f"{logged.model_id}/**/model_card.md")
    assert "untouched rows" in beside.read_text("utf-8")
    assert beside.read_text("utf-8") == Path(place).read_text("utf-8")


@pytest.mark.slow
def test_a_registry_that_refuses_costs_one_warning(
    quick_fit: Command, loans_csv: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("models are registered by admins")

    monkeypatch.setattr(RunWriter, "register", refuse)
    found = quick_fit("loans.csv", "--tracking-uri", uri, "--register", "loans", "--json")
    assert found.code == 0
    assert found.json["registered"] is None
    assert found.stderr.count("models are registered by admins") == 1
    assert "Not written: the registration." in found.stderr
    run = MlflowClient(uri).get_run(found.json["run_id"])
    assert run.info.status == "FINISHED"
