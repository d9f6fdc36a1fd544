"""`autoimb predict`: labels and probabilities for a table of any size."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from autoimb.artifact import FittedModel

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
    part = _start(out)
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            n_rows = _stream(fitted, data, stream)
        _put(part, out)
    finally:
        part.unlink(missing_ok=True)
    print(f"{n_rows:,} rows predicted: {out}", file=sys.stderr)


def _start(out: Path) -> Path:
    """Name the file to write into until all rows are there; find out whether it can be written."""
    from autoimb.errors import UsageError

    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"--out {out}: name a file in an existing folder.")
    if out.exists() and not out.is_file():
        raise UsageError(f"--out {out} is no regular file. Name another one.")
    try:
        with NamedTemporaryFile(dir=out.parent, prefix=out.name, delete=False) as part:
            return Path(part.name)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written ({error.strerror}).") from None


def _put(part: Path, out: Path) -> None:
    from autoimb.artifact import make_readable, set_aside

    kept = set_aside(out)
    if kept:
        print(f"note: {out} was there already; it is kept as {kept.name}.", file=sys.stderr)
    make_readable(part)
    part.replace(out)


def _stream(model: FittedModel, data: Path, stream: TextIO) -> int:
    """Predict chunk after chunk; tell at the end of categories that training never saw."""
    from autoimb.data.reading import read_chunks

    n_rows = 0
    unseen: dict[Any, set[str]] = defaultdict(set)
    for chunk in read_chunks(data, text_columns=model.schema.text_columns):
        model.predict_table(chunk).to_csv(stream, index=False, header=n_rows == 0)
        n_rows += len(chunk)
        for column, levels in model.schema.unseen_levels(chunk).items():
            unseen[column].update(levels)
    for column, found in unseen.items():
        shown = ", ".join(repr(level) for level in sorted(found)[:SHOWN])
        more = ", …" if len(found) > SHOWN else ""
        print(
            f"note: column '{column}': {len(found)} categories that training never saw "
            f"({shown}{more}) count as missing.",
            file=sys.stderr,
        )
    return n_rows
