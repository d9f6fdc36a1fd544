"""`autoimb ui`: the link that opens on the runs, and stores that are not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from command_line import Command

VIEW = "?workflowType=machine_learning"


def test_a_store_that_is_not_there_is_not_created(cli: Command, tmp_path: Path) -> None:
    found = cli("ui")
    assert (found.code, found.stdout) == (1, "")
    assert found.stderr.startswith("error: no runs in sqlite:///")
    assert found.stderr.endswith(" yet. Fit a model first, or name a --tracking-uri.\n")
    assert not (tmp_path / "autoimb_runs").exists()


@pytest.mark.slow
def test_the_link_opens_on_the_runs(
    cli: Command, loans_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ("--trials", "1", "--executor", "in_process", "--folds", "2", "--space", "fast")
    assert cli("fit", loans_csv, *quick, "--experiment", "loans").code == 0
    started: list[list[str]] = []

    def call(command: list[str], **_: object) -> int:
        started.append(command)
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    for experiment, page in {"loans": "experiments/1/runs", "other": "experiments"}.items():
        found = cli("ui", "--port", "5123", "--experiment", experiment)
        assert found.code == 0
        assert f"http://127.0.0.1:5123/#/{page}{VIEW}" in found.stdout
    store = tmp_path / "autoimb_runs" / "mlflow.db"
    assert started[0][-3:] == [f"sqlite:///{store}", "--port", "5123"]
