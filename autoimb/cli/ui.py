"""`autoimb ui`: review the runs in MLflow."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

MLFLOW_UI = (
    sys.executable, "-m", "mlflow", "ui", "--uvicorn-opts", "--log-level=warning",
)  # fmt: skip

Port = Annotated[int, typer.Option(help="Port on this machine.")]
Experiment = Annotated[str, typer.Option(help="MLflow experiment to open.")]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store.  [default: autoimb_runs/mlflow.db]")
]


def ui(
    port: Port = 5000, experiment: Experiment = "autoimb", tracking_uri: TrackingUri = None
) -> None:
    """Start the MLflow UI on the store of the runs, and print the link that opens on them."""
    from autoimb.errors import DataError
    from autoimb.tracking.links import experiment_link
    from autoimb.tracking.store import default_tracking_uri, sqlite_file

    uri = tracking_uri or default_tracking_uri()
    database = sqlite_file(uri)
    if database is not None and not database.is_file():
        raise DataError(f"no runs in {uri} yet. Fit a model first, or name a --tracking-uri.")
    if uri.startswith(("http://", "https://")):
        print(experiment_link(uri, experiment, uri.rstrip("/")))
        return
    link = experiment_link(uri, experiment, f"http://127.0.0.1:{port}")
    print(f"The runs in {uri} open in some seconds at\n{link}\nCtrl-C ends it.", flush=True)
    command = [*MLFLOW_UI, "--backend-store-uri", uri, "--port", str(port)]
    try:
        raise typer.Exit(subprocess.call(command, stdout=subprocess.DEVNULL, env=_environment()))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _environment() -> dict[str, str]:
    """Spare MLflow's server its job runner, several processes that reviewing runs does not need.

    What its parts warn each other of would bury the link.
    """
    quiet = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONWARNINGS": "ignore",
    }
    return {**quiet, **os.environ}
