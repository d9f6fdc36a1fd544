"""`autoimb ui`: review the runs in MLflow."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

Port = Annotated[int, typer.Option(help="Port on this machine.")]
Experiment = Annotated[str, typer.Option(help="MLflow experiment to open.")]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store.  [default: autoimb_runs/mlflow.db]")
]


def ui(
    port: Port = 5000, experiment: Experiment = "autoimb", tracking_uri: TrackingUri = None
) -> None:
    """Start the MLflow UI on the store of the runs, and print the link that opens on them."""
    from autoimb.tracking import default_tracking_uri
    from autoimb.tracking.links import experiment_link

    uri = tracking_uri or default_tracking_uri()
    link = experiment_link(uri, experiment, f"http://127.0.0.1:{port}")
    print(f"Opening the runs in {uri}; Ctrl-C ends it.\n{link}", flush=True)
    if uri.startswith(("http://", "https://")):
        return
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--backend-store-uri",
        uri,
        "--port",
        str(port),
    ]
    try:
        raise typer.Exit(subprocess.call(command, stdout=subprocess.DEVNULL))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
