"""`autoimb runs`: the runs of the past."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.tables import Table

if TYPE_CHECKING:
    from autoimb.past_run import PastRun

GAP = 2
# Columns that may be cut, the widest first, and the characters that remain at least.
CUT = {"strategy": 12, "decision": 10, "data": 10}
# What a narrow terminal leaves out, in this order: id and score stay in any.
LEFT_OUT = (
    "run folder", "duration", "trials", "decision", "status", "started", "metric", "data",
    "strategy",
)  # fmt: skip

Experiment = Annotated[str, typer.Option(help="MLflow experiment to list.")]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store.  [default: autoimb_runs/mlflow.db]")
]
Limit = Annotated[int, typer.Option(min=1, help="Number of runs to show at most.")]


def runs(
    experiment: Experiment = "autoimb",
    tracking_uri: TrackingUri = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List past runs, the latest first: id, data, score, strategy, decision, folder."""
    from autoimb.tracking.history import list_runs

    found = list_runs(tracking_uri, experiment, limit + 1)
    shown = found[:limit]
    if as_json:
        print_object({"experiment": experiment, "runs": [run.to_dict() for run in shown]})
    elif shown:
        _print(shown)
    else:
        print(f"note: experiment '{experiment}' holds no run of autoimb.", file=sys.stderr)
    if len(found) > limit:
        print(f"note: there are older runs; --limit {10 * limit} shows more.", file=sys.stderr)


def _print(found: Sequence[PastRun]) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    columns = as_columns(found)
    table = Table(tuple(columns), list(zip(*columns.values(), strict=True)))
    if console.is_terminal:
        console.print(table.draw(fit_widths(natural_widths(columns), console.width)))
    else:
        print(table)


def as_columns(found: Sequence[PastRun]) -> dict[str, list[str]]:
    """Give the cells of every column, all of them as long as they are."""
    from autoimb.cli.run_cells import (
        tell_decision,
        tell_folder,
        tell_headline,
        tell_seconds,
        tell_start,
    )
    from autoimb.tracking.history import shorten

    return {
        "run": shorten([str(run.id) for run in found]),
        "started": [tell_start(run) for run in found],
        "data": [Path(run.data or "").name for run in found],
        "metric": [run.metric or "" for run in found],
        # Where a narrow terminal has no room for the status, it stands in place of the score.
        "score": [
            tell_headline(run.headline, run.headline_low, run.headline_high) or f"({run.status})"
            for run in found
        ],
        "strategy": [run.strategy or "" for run in found],
        "decision": [tell_decision(run) for run in found],
        "trials": ["" if run.trials is None else str(run.trials) for run in found],
        "duration": [tell_seconds(run.seconds) for run in found],
        "status": [run.status or "" for run in found],
        "run folder": [tell_folder(run) for run in found],
    }


def natural_widths(columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return how wide each column is that is not cut."""
    return {name: max(map(len, (name, *cells))) for name, cells in columns.items()}


def fit_widths(natural: Mapping[str, int], width: int) -> dict[str, int]:
    """Leave columns out, then cut others, until a table fits.

    Parameters
    ----------
    natural : mapping of str to int
        Characters of each column, by its name.
    width : int
        Of the terminal.

    Returns
    -------
    dict of str to int
        Characters of each column that is shown.

    Examples
    --------
    >>> fit_widths({"run": 8, "score": 22, "strategy": 30, "run folder": 40}, 50)
    {'run': 8, 'score': 22, 'strategy': 16}
    """
    shown = dict(natural)
    for name in LEFT_OUT:
        least = {n: min(size, CUT.get(n, size)) for n, size in shown.items()}
        if _total(least) <= width:
            break
        shown.pop(name, None)
    while _total(shown) > width:
        spare = [name for name in CUT if shown.get(name, 0) > CUT[name]]
        if not spare:
            break
        shown[max(spare, key=shown.__getitem__)] -= 1
    return shown


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)
