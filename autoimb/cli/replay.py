"""`autoimb replay`: refit what a run exported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Run = Annotated[str, typer.Argument(help="Folder of a finished run, or its id of `autoimb runs`.")]
Data = Annotated[Path | None, typer.Option(help="Table of the run.  [default: where it was then]")]
Prefer = Annotated[
    Literal["best", "simple"] | None,
    typer.Option(help="Strategy to fit, whichever was exported.  [default: the exported one]"),
]
Out = Annotated[Path | None, typer.Option(help="File for the refitted model.")]


def replay(run: Run, data: Data = None, out: Out = None, prefer: Prefer = None) -> None:
    """Fit once more what RUN exported, and compare it with the model there."""
    from autoimb.artifact import save
    from autoimb.replaying import replay as run_replay
    from autoimb.tracking.history import find_folder

    folder = find_folder(run)
    found = run_replay(folder, data, prefer=prefer)
    n = found.n_strategies
    print(f"Refitted {n} strateg{'ies' if n > 1 else 'y'} of {folder} on {found.run['rows']} rows.")
    if found.is_identical is None:
        print("There is no model in the folder to compare it with.")
    elif found.is_identical:
        print("Identical: every probability and the decision are those of the model there.")
    else:
        print("Different: see its manifest for the versions that made the model there.")
    if out is not None:
        print(f"Model  {save(found.model, out)}")
    if found.is_identical is False:
        raise typer.Exit(1)
