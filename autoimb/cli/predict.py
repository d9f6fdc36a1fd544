"""`autoimb predict`: labels and probabilities for a table of any size."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from autoimb.cli.writing import written

if TYPE_CHECKING:
    import pandas as pd

    from autoimb.fitted_model import FittedModel

SHOWN = 3

ModelFile = Annotated[Path, typer.Argument(help="Model that `autoimb fit` exported.")]
Data = Annotated[Path, typer.Argument(help="Table: .csv, .csv.gz, .tsv or .parquet.")]
Out = Annotated[Path | None, typer.Option(help="CSV file to write.  [default: standard output]")]


def predict(model: ModelFile, data: Data, out: Out = None) -> None:
    """Write the label and the probability of every class for each row of DATA."""
    from autoimb.artifact import load
    from autoimb.data.reading import column_names

    fitted = load(model)
    column_names(data)
    if out is None:
        _stream(fitted, data, sys.stdout)
        return
    with written(out, "--out") as stream:
        n_rows = _stream(fitted, data, stream)
    print(f"{n_rows:,} rows predicted: {out}", file=sys.stderr)


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


def _stream(model: FittedModel, data: Path, stream: TextIO) -> int:
    """Predict chunk after chunk; tell at the end of categories that training never saw."""
    from autoimb.data.reading import read_chunks

    n_rows = n_passed = 0
    unseen: dict[Any, set[str]] = defaultdict(set)

    def read() -> Iterator[pd.DataFrame]:
        for chunk in read_chunks(data, text_columns=model.schema.text_columns):
            yield chunk
            for column, levels in model.schema.unseen_levels(chunk).items():
                unseen[column].update(levels)

    for table in _tables(model, read()):
        table.to_csv(stream, index=False, header=n_rows == 0)
        n_rows += len(table)
        n_passed += int(table["label"].isna().sum())
    if n_passed:
        share = n_passed / n_rows
        print(f"note: {n_passed:,} rows ({share:.1%}) passed on: no label.", file=sys.stderr)
    for column, found in unseen.items():
        shown = ", ".join(repr(level) for level in sorted(found)[:SHOWN])
        more = ", …" if len(found) > SHOWN else ""
        print(
            f"note: column '{column}': {len(found)} categories that training never saw "
            f"({shown}{more}) count as missing.",
            file=sys.stderr,
        )
    return n_rows
