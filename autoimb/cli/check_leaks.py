"""`autoimb check-leaks`: test on one's own data that scores owe nothing to leaks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from autoimb.cli.fit import (
    Data,
    Drop,
    Folds,
    Groups,
    Positive,
    Seed,
    Space,
    Target,
    Time,
)
from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.profile import wrapped
from autoimb.cli.tables import Part, Section, Table, print_report

if TYPE_CHECKING:
    from autoimb.leaks.report import LeakReport

BudgetText = Annotated[str, typer.Option("--budget", help="Time, as in 60s, 5m, 1h.")]


def check_leaks(
    data: Data,
    target: Target = None,
    positive: Positive = None,
    drop: Drop = None,
    groups: Groups = None,
    time: Time = None,
    space: Space = "default",
    folds: Folds = 5,
    seed: Seed = 0,
    budget: BudgetText = "60s",
    as_json: AsJson = False,
) -> None:
    """Test on DATA that nothing leaks from rows that are scored; exit code 1 if something does."""
    from autoimb.cli.live import clocked
    from autoimb.leaks.checking import check_leaks as run_checks
    from autoimb.search.budget import parse_seconds

    seconds = parse_seconds(budget)
    with clocked("looking for leaks", seconds):
        found = run_checks(
            data, target, positive=positive, drop=drop or (), space=space, n_folds=folds,
            time_budget=seconds, random_state=seed, groups=groups, time=time,
        )  # fmt: skip
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        print_object(found.to_dict())
    else:
        print_report(as_report(found))
    if not found.passed:
        raise typer.Exit(1)


def as_report(found: LeakReport) -> Iterator[Part]:
    """Tell the outcome to a person."""
    states = [check.state for check in found.checks]
    tally = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("passed", "failed", "skipped")
        if state in states
    )
    title = f"{found.name}: {found.n_rows:,} rows, {found.n_folds} folds, {found.seconds:.0f} s"
    yield Section(title, ["", *_lines(found)])
    yield f"{len(states)} checks: {tally}"


def _lines(found: LeakReport) -> Iterator[str | Table]:
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        yield Table(("", ""), [(f"{check.name:<{width}}", check.state)], marks=1)
        yield wrapped(f"{check.finding} {check.advice}".rstrip())
