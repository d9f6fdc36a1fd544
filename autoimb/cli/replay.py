"""`autoimb replay`: refit what a run exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from autoimb.cli.completion import complete_run
from autoimb.cli.json_object import AsJson, print_object

if TYPE_CHECKING:
    from autoimb.replaying import Replay

Run = Annotated[
    str,
    typer.Argument(
        help="Folder of a finished run, or its id of `autoimb runs`.", autocompletion=complete_run
    ),
]
Data = Annotated[Path | None, typer.Option(help="Table of the run.  [default: where it was then]")]
Prefer = Annotated[
    Literal["best", "simple"] | None,
    typer.Option(help="Strategy to fit, whichever was exported.  [default: the exported one]"),
]
Out = Annotated[Path | None, typer.Option(help="File for the refitted model.")]


def replay(
    run: Run, data: Data = None, out: Out = None, prefer: Prefer = None, as_json: AsJson = False
) -> None:
    """Fit once more what RUN exported, and compare it with the model there."""
    from autoimb.artifact import save
    from autoimb.replaying import replay as run_replay
    from autoimb.tracking.history import find_folder

    folder = find_folder(run)
    found = run_replay(folder, data, prefer=prefer)
    saved = None if out is None else save(found.model, out)
    if as_json:
        print_object(
            {
                "run_dir": str(folder),
                "n_strategies": found.n_strategies,
                "rows": found.run["rows"],
                "is_identical": found.is_identical,
                "model": saved and str(saved),
            }
        )
    else:
        _tell(found, folder, saved)
    if found.is_identical is False:
        raise typer.Exit(1)


def _tell(found: Replay, folder: Path, saved: Path | None) -> None:
    n = found.n_strategies
    print(f"Refitted {n} strateg{'ies' if n > 1 else 'y'} of {folder} on {found.run['rows']} rows.")
    if found.is_identical is None:
        print("There is no model in the folder to compare it with.")
    elif found.is_identical:
        print("Identical: every probability and the decision are those of the model there.")
    else:
        print("Different: see its manifest for the versions that made the model there.")
    if saved is not None:
        print(f"Model  {saved}")
