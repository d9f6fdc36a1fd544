"""`autoimb compare`: two runs side by side."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoimb.cli.completion import complete_run
from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.profile import wrapped
from autoimb.cli.tables import Section, print_report

if TYPE_CHECKING:
    from autoimb.past_run import PastRun
    from autoimb.run_comparison import RunComparison

Row = tuple[str, str, str]

ID_LENGTH, ID_SHOWN, DIGEST_SHOWN = 32, 8, 12
GAP, NARROWEST = 2, 16

First = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Id of `autoimb runs`, or a folder.", autocompletion=complete_run
    ),
]
Second = Annotated[
    str, typer.Argument(metavar="RUN", help="The other run.", autocompletion=complete_run)
]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store of ids.  [default: autoimb_runs/mlflow.db]")
]


def compare(
    one: First, other: Second, tracking_uri: TrackingUri = None, as_json: AsJson = False
) -> None:
    """Put two runs side by side: what differs, and whether one is ahead by more than noise."""
    from autoimb.run_comparison import compare_runs
    from autoimb.tracking.history import find_run

    first, second = ((_shorten(run), find_run(run, tracking_uri)) for run in (one, other))
    found = compare_runs(first, second)
    if as_json:
        print_object(found.to_dict())
    else:
        print_report(as_report(found, _terminal_width()))


def _shorten(run: str) -> str:
    """Shorten a whole id; a folder is called as it was typed."""
    return run[:ID_SHOWN] if len(run) == ID_LENGTH and run.isalnum() else run


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def as_report(found: RunComparison, width: int | None = None) -> Iterator[Section]:
    """Tell a comparison to a person.

    Parameters
    ----------
    found : RunComparison
    width : int, optional
        At which long cells are broken; by default they are not.

    Yields
    ------
    Section
    """
    head = ("", *found.names)
    asked, scores, outcome = list(_asked(found)), list(_scores(found)), list(_outcome(found))
    rows = [head, *asked, *scores, *outcome]
    label = max(len(name) for name, *_ in rows)
    cell = max(len(text) for _, *cells in rows for text in cells)
    if width is not None:
        cell = min(cell, max((width - label - 3 * GAP) // 2, NARROWEST))

    def laid_out(section: Iterable[Row]) -> list[str]:
        return [line for row in section for line in _lines(row, label, cell)]

    unknown = f"not written down of one of them: {', '.join(found.unknown)}"
    first, *others = laid_out([head])
    notes = [wrapped(unknown)] if found.unknown else []
    each = {
        first: others,
        "Asked differently": [*(laid_out(asked) or ["  nothing"]), *notes],
        "Scores": [*laid_out(scores), wrapped(found.verdict)],
        "What came of it": laid_out(outcome),
    }
    # Their lines are as long as they may be.
    yield from (Section(title, lines, is_verbatim=True) for title, lines in each.items())


def _lines(row: Row, label: int, cell: int) -> Iterator[str]:
    """Break the cells of a row into lines."""
    name, *cells = row
    first, second = (wrap(text, cell, break_on_hyphens=False) or [""] for text in cells)
    for i, (left, right) in enumerate(zip_longest(first, second, fillvalue="")):
        shown = name if i == 0 else ""
        yield f"{'':{GAP}}{shown:<{label}}{'':{GAP}}{left:<{cell}}{'':{GAP}}{right}".rstrip()


def _asked(found: RunComparison) -> Iterator[Row]:
    for name, (one, other) in found.differing.items():
        yield name, _value(name, one), _value(name, other)


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if "sha256" in name:
        return str(value)[:DIGEST_SHOWN]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _scores(found: RunComparison) -> Iterator[Row]:
    from autoimb.cli.run_cells import tell_headline

    first, second = found.runs
    is_same = first.metric == second.metric
    told = [tell_headline(r.headline, r.headline_low, r.headline_high) for r in found.runs]
    names = [f"{run.metric} " * (not is_same) for run in found.runs]
    one, other = (f"{name}{text or '-'}" for name, text in zip(names, told, strict=True))
    yield str(first.metric) if is_same else "score", one, other
    raw = [tell_headline(run.score, None, None) for run in found.runs]
    yield from _unless_empty("before correction", *raw)
    tests = [tell_headline(run.test, run.test_low, run.test_high) for run in found.runs]
    yield from _unless_empty("on untouched rows", *tests)


def _outcome(found: RunComparison) -> Iterator[Row]:
    from autoimb.cli.run_cells import tell_folder, tell_seconds, tell_start

    cells = {
        "status": [_status(run) for run in found.runs],
        "strategy": [run.strategy or "" for run in found.runs],
        "decision": [run.decision or "" for run in found.runs],
        "calibrator": [run.calibrator or "" for run in found.runs],
        "calibration": [_calibration(run) for run in found.runs],
        "trials": [_trials(run) for run in found.runs],
        "duration": [tell_seconds(run.seconds) for run in found.runs],
        "started": [tell_start(run) for run in found.runs],
        "run folder": [tell_folder(run) for run in found.runs],
    }
    for name, (one, other) in cells.items():
        yield from _unless_empty(name, one, other)


def _unless_empty(name: str, one: str, other: str) -> Iterator[Row]:
    if one or other:
        yield name, one or "-", other or "-"


def _status(run: PastRun) -> str:
    return f"{run.status}: {run.failure}" if run.failure else str(run.status)


def _calibration(run: PastRun) -> str:
    figures = {
        "ECE": (run.calibration_ece, ".4f"),
        "slope": (run.calibration_slope, ".2f"),
        "intercept": (run.calibration_intercept, ".2f"),
    }
    return ", ".join(f"{name} {x:{form}}" for name, (x, form) in figures.items() if x is not None)


def _trials(run: PastRun) -> str:
    if run.trials is None:
        return ""
    aside = {"failed": run.failed_trials, "ended early": run.pruned_trials}
    told = [f"{n} {state}" for state, n in aside.items() if n]
    return f"{run.trials} ({', '.join(told)})" if told else str(run.trials)
