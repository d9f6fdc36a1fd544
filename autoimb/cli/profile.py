"""`autoimb profile`: what makes the data hard."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Argument(help="Table: .csv, .csv.gz, .tsv or .parquet.")]
Target = Annotated[str | None, typer.Option(help="Column to predict; guessed by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def profile(data: Data, target: Target = None, as_json: AsJson = False) -> None:
    """Show sizes, class counts, imbalance and overlap of DATA."""
    from autoimb.data.problem import read_problem
    from autoimb.profiling.profile import profile_dataset

    problem = read_problem(data, target)
    found = profile_dataset(problem.dataset)
    if as_json:
        print(json.dumps(found.to_dict()))
        return
    for note in problem.notes:
        print(f"note: {note}", file=sys.stderr)
    width = max(len(name) for name in found.class_counts)
    print(found)
    print("\nRows of each class")
    for name, n in found.class_counts.items():
        print(f"  {name:<{width}}  {n:>9,}  {n / found.n_rows:7.2%}")
    print(f"\nRows that repeat an earlier one: {found.n_duplicates:,}")
    print(f"Categories with many levels: {found.n_high_cardinality}")
    for name, why in found.dropped.items():
        print(f"Column left out: {name} ({why})")
