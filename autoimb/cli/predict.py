"""`autoimb predict`: labels and probabilities for a table of any size."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.writing import written

if TYPE_CHECKING:
    import pandas as pd

    from autoimb.fitted_model import FittedModel

SHOWN = 3

ModelFile = Annotated[Path, typer.Argument(help="Model that `autoimb fit` exported.")]
Data = Annotated[Path, typer.Argument(help="Table: .csv, .csv.gz, .tsv or .parquet.")]
Out = Annotated[Path | None, typer.Option(help="CSV file to write.  [default: standard output]")]


@dataclass
class _Tally:
    """What was met on the way through a table."""

    n_rows: int = 0
    n_passed: int = 0
    unseen: defaultdict[Any, set[str]] = field(default_factory=lambda: defaultdict(set))


def predict(model: ModelFile, data: Data, out: Out = None, as_json: AsJson = False) -> None:
    """Write the label and the probability of every class for each row of DATA."""
    from autoimb.artifact import load
    from autoimb.data.reading import column_names
    from autoimb.errors import UsageError

    if as_json and out is None:
        raise UsageError("--json tells of the file that --out names: give --out PREDICTIONS.csv.")
    fitted = load(model)
    column_names(data)
    if out is None:
        _tell(_stream(fitted, data, sys.stdout))
        return
    with written(out, "--out") as stream:
        tally = _stream(fitted, data, stream)
    _tell(tally)
    if as_json:
        print_object(_object(tally, out))
    else:
        print(f"{tally.n_rows:,} rows predicted: {out}", file=sys.stderr)


def _object(tally: _Tally, out: Path) -> dict[str, Any]:
    unseen = {str(column): sorted(found) for column, found in tally.unseen.items()}
    return {
        "predictions": str(out),
        "n_rows": tally.n_rows,
        "passed_on": tally.n_passed,
        "unseen": unseen,
    }


def _tables(model: FittedModel, chunks: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Predict chunk after chunk; a decision on the whole batch waits for all probabilities."""
    import numpy as np

    if not model.rule.needs_batch:
        yield from map(model.predict_table, chunks)
        return
    each = [model.proba_by_code(chunk) for chunk in chunks]
    codes = model.rule.decide(np.concatenate(each))
    for part, proba in zip(
        np.split(codes, np.cumsum([len(p) for p in each])[:-1]), each, strict=True
    ):
        yield model.tabulate(part, proba)


def _stream(model: FittedModel, data: Path, stream: TextIO) -> _Tally:
    """Predict chunk after chunk."""
    from autoimb.data.reading import read_chunks

    tally = _Tally()

    def read() -> Iterator[pd.DataFrame]:
        for chunk in read_chunks(data, text_columns=model.schema.text_columns):
            yield chunk
            for column, levels in model.schema.unseen_levels(chunk).items():
                tally.unseen[column].update(levels)

    for table in _tables(model, read()):
        table.to_csv(stream, index=False, header=tally.n_rows == 0)
        tally.n_rows += len(table)
        tally.n_passed += int(table["label"].isna().sum())
    return tally


def _tell(tally: _Tally) -> None:
    """Tell of rows without a label, and of categories that training never saw."""
    if tally.n_passed:
        n, share = tally.n_passed, tally.n_passed / tally.n_rows
        print(f"note: {n:,} rows ({share:.1%}) passed on: no label.", file=sys.stderr)
    for column, found in tally.unseen.items():
        shown = ", ".join(repr(level) for level in sorted(found)[:SHOWN])
        more = ", …" if len(found) > SHOWN else ""
        print(
            f"note: column '{column}': {len(found)} categories that training never saw "
            f"({shown}{more}) count as missing.",
            file=sys.stderr,
        )
