"""`autoimb report`: make the page of a run or a model again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoimb.cli.completion import complete_run
from autoimb.cli.json_object import AsJson, print_object

RunOrModel = Annotated[
    str,
    typer.Argument(
        metavar="RUN|MODEL",
        help="Folder or id of a run, or a model file.",
        autocompletion=complete_run,
    ),
]
Out = Annotated[Path | None, typer.Option(help="File of the page.  [default: beside the model]")]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store of ids.  [default: autoimb_runs/mlflow.db]")
]


def report(
    subject: RunOrModel, out: Out = None, tracking_uri: TrackingUri = None, as_json: AsJson = False
) -> None:
    """Explain the choice of RUN, or MODEL as it decides at present, on one page."""
    from autoimb.cli.writing import written
    from autoimb.manifest import report_path
    from autoimb.reporting.report import report_on, write_report

    model = _find_model(subject, tracking_uri)
    if out is None:
        out = report_path(model)
        write_report(model, out)
    else:
        content = report_on(model)
        with written(out, "--out") as stream:
            stream.write(content)
    if as_json:
        print_object({"report": str(out)})
    else:
        print(f"Report  {out}")


def _find_model(subject: str, tracking_uri: str | None) -> Path:
    from autoimb.run_file import find_model
    from autoimb.tracking.history import find_folder

    path = Path(subject)
    return path if path.is_file() else find_model(find_folder(subject, tracking_uri))
