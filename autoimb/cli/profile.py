"""`autoimb profile`: what makes the data hard."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from autoimb.cli.json_object import print_object
from autoimb.cli.tables import WIDEST, Part, Section, Table, print_report
from autoimb.cli.writing import written

if TYPE_CHECKING:
    from autoimb.profiling.findings import Finding
    from autoimb.profiling.profile import Profile

SHOWN_ROWS = 8
SHOWN_CLASSES = 20

Data = Annotated[Path, typer.Argument(help="Table: .csv, .csv.gz, .tsv or .parquet.")]
Target = Annotated[str | None, typer.Option(help="Column to predict; guessed by default.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="JSON file to write; - for standard output.")
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Page to write, with pictures, as one file.")
]


def profile(
    data: Data, target: Target = None, json_file: JsonFile = None, html_file: HtmlFile = None
) -> None:
    """Show what makes DATA hard: imbalance, overlap, faults, and what so few positives can show."""
    from autoimb.data.problem import read_problem
    from autoimb.profiling.describing import profile_dataset

    to_stdout = str(json_file) == "-"
    with _opened(None if to_stdout else json_file, html_file) as write:
        problem = read_problem(data, target, needs_features=False)
        found = profile_dataset(problem.dataset)
        write(found)
    for note in problem.notes:
        print(f"note: {note}", file=sys.stderr)
    if to_stdout:
        print_object(found.to_dict())
    else:
        print_report(as_report(found))
    for path in (json_file, html_file):
        if path and str(path) != "-":
            print(f"written: {path}", file=sys.stderr)


@contextmanager
def _opened(json_file: Path | None, html_file: Path | None) -> Iterator[Callable[[Profile], None]]:
    """Open the files, so that whether they can be written shows before the work, not after."""
    with ExitStack() as files:
        json_stream = json_file and files.enter_context(written(json_file, "--json"))
        html_stream = html_file and files.enter_context(written(html_file, "--html"))

        def write(found: Profile) -> None:
            if json_stream:
                json.dump(found.to_dict(), json_stream, indent=1)
            if html_stream:
                from autoimb.profiling.page import render_page

                html_stream.write(render_page(found))

        yield write


def as_report(found: Profile) -> Iterator[Part]:
    """Tell a profile to a person."""
    yield str(found)
    yield Section("Rows of each class", [_class_table(found)])
    yield Section("Findings", [*finding_lines(found.findings)] or ["  none"])
    yield Section("What that suggests", [*_reading_lines(found)])
    yield Section("What so many positives can show", [wrapped(str(found.power))])
    yield Section(_measures_title(found), [*_measure_lines(found)])


def _class_table(found: Profile) -> Table:
    rows = [(name, f"{n:,}", f"{n / found.n_rows:.2%}") for name, n in found.class_counts.items()]
    left_out, half = len(rows) - SHOWN_CLASSES, SHOWN_CLASSES // 2
    if left_out > 0:
        rows[half:-half] = [(f"… {left_out} more …", "", "")]
    return Table(("", "", ""), rows, numbers={1, 2}, indent=2)


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Show findings with some of the rows that they name."""
    for finding in findings:
        shown = ", ".join(str(row) for row in finding.rows[:SHOWN_ROWS])
        more = f" and {len(finding.rows) - SHOWN_ROWS:,} more" * (len(finding.rows) > SHOWN_ROWS)
        rows = f" Rows (counted from 0): {shown}{more}." if shown else ""
        yield wrapped(f"{finding}{rows}")


def _reading_lines(found: Profile) -> Iterator[str]:
    from autoimb.profiling.interpretation import CAUTION

    for reading in found.interpretation:
        yield wrapped(f"{reading.words} ({reading.evidence})")
    yield wrapped(CAUTION)


def _measures_title(found: Profile) -> str:
    if len(found.classes) == 1:
        return f"Measures (of class '{found.minority}' unless of the whole table)"
    return f"Measures (of the table, or mean and worst of {len(found.classes)} rare classes)"


def _measure_lines(found: Profile) -> Iterator[str]:
    from autoimb.profiling.measures import MEASURES

    for group in dict.fromkeys(measure.group for measure in MEASURES.values()):
        values = [
            _measure(found, name) for name, measure in MEASURES.items() if measure.group == group
        ]
        yield wrapped(f"{group}: {', '.join(values)}")


def _measure(found: Profile, name: str) -> str:
    shown = f"{name} {found.measures[name]}"
    if name in found.worst and len(found.classes) > 1:
        return f"{shown} (worst {found.worst[name]})"
    if name == "kdn":
        return f"{shown} (random labels {1 - found.n_minority / found.n_rows:.3g})"
    return shown


def wrapped(text: str) -> str:
    """Fit a sentence to the terminal."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return fill(text, width, initial_indent="  ", subsequent_indent="    ")
