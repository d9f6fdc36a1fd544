"""`autoimb evaluate`: how a model does on labelled rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.tables import Part, Section, Table, print_report

INDENT = 2
# Figures of the calibration, each with its heading and digits.
CALIBRATION = {
    "prevalence": ("occurs", ".4f"), "mean": ("predicted", ".4f"), "log_loss": ("log loss", ".4f"),
    "brier": ("Brier", ".4f"), "ece": ("ECE", ".4f"), "slope": ("slope", ".2f"),
    "intercept": ("intercept", ".2f"),
}  # fmt: skip

ModelFile = Annotated[Path, typer.Argument(help="Model that `autoimb fit` exported.")]
Data = Annotated[Path, typer.Argument(help="Table with the target column.")]


def evaluate(model: ModelFile, data: Data, as_json: AsJson = False) -> None:
    """Score MODEL on DATA: every metric, each class, the confusion matrix at its decision."""
    from autoimb.artifact import load
    from autoimb.running import evaluate as run_evaluation

    found = run_evaluation(load(model), data)
    for note in found.pop("notes"):
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        print_object(found)
    else:
        print_report(as_report(found))


def as_report(found: dict[str, Any]) -> Iterator[Part]:
    """Tell the outcome to a person."""
    passed_on = f"; {found['passed_on']:,} passed on" if found["passed_on"] else ""
    yield f"{found['n_rows']:,} rows, decision: {found['decision']} ({found['asked']}){passed_on}"
    metrics = [
        (name, "not defined" if value is None else f"{value:.4f}")
        for name, value in found["metrics"].items()
    ]
    yield Section("Metrics", [Table(("", ""), metrics, indent=INDENT)])
    yield Section("Classes", [_classes(found["classes"])])
    yield Section("Confusion matrix (rows: true, columns: predicted)", [_matrix(found)])
    yield Section("Calibration", [_calibration(found["calibration"])])


def _classes(classes: dict[str, dict[str, float]]) -> Table:
    rates = ("precision", "recall", "f1")
    rows = [
        (name, f"{row['rows']:,}", *(f"{row[rate]:.3f}" for rate in rates))
        for name, row in classes.items()
    ]
    return Table(("class", "rows", *rates), rows, numbers=range(1, 5), indent=INDENT)


def _calibration(classes: dict[str, dict[str, Any]]) -> Table:
    names = ("class", *(name for name, _ in CALIBRATION.values()))
    rows = [
        (name, *(_cell(one[key], form) for key, (_, form) in CALIBRATION.items()))
        for name, one in classes.items()
    ]
    return Table(names, rows, numbers=range(1, len(names)), indent=INDENT)


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _matrix(found: dict[str, Any]) -> Table:
    names = list(found["classes"])
    rows = [
        (name, *map(str, row)) for name, row in zip(names, found["confusion_matrix"], strict=True)
    ]
    return Table(("", *names), rows, numbers=range(1, len(names) + 1), indent=INDENT)
