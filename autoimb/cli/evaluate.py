"""`autoimb evaluate`: how a model does on labelled rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

# Figures of the calibration, with their widths and digits.
CALIBRATION = {
    "prevalence": "6.4f", "mean": "9.4f", "log_loss": "8.4f", "brier": "6.4f", "ece": "6.4f",
    "slope": "6.2f", "intercept": "9.2f",
}  # fmt: skip

ModelFile = Annotated[Path, typer.Argument(help="Model that `autoimb fit` exported.")]
Data = Annotated[Path, typer.Argument(help="Table with the target column.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def evaluate(model: ModelFile, data: Data, as_json: AsJson = False) -> None:
    """Score MODEL on DATA: every metric, each class, the confusion matrix at its decision."""
    from autoimb.artifact import load
    from autoimb.running import evaluate as run_evaluation

    found = run_evaluation(load(model), data)
    for note in found.pop("notes"):
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        print(json.dumps(found))
    else:
        print(as_text(found))


def as_text(found: dict[str, Any]) -> str:
    """Tell the outcome to a person."""
    metrics = "\n".join(
        f"  {name:<26} {'not defined' if value is None else format(value, '.4f')}"
        for name, value in found["metrics"].items()
    )
    return "\n\n".join(
        [
            f"{found['n_rows']:,} rows, decision: {found['decision']} ({found['asked']})"
            + (f"; {found['passed_on']:,} passed on" if found["passed_on"] else ""),
            f"Metrics\n{metrics}",
            f"Classes\n{_classes(found['classes'])}",
            f"Confusion matrix (rows: true, columns: predicted)\n{_matrix(found)}",
            f"Calibration\n{_calibration(found['calibration'])}",
        ]
    )


def _classes(classes: dict[str, dict[str, float]]) -> str:
    width = max(5, *map(len, classes))
    lines = [f"  {'class':<{width}}  {'rows':>8}  precision  recall     f1"]
    for name, row in classes.items():
        lines.append(
            f"  {name:<{width}}  {row['rows']:>8,}  {row['precision']:>9.3f}  "
            f"{row['recall']:>6.3f}  {row['f1']:>5.3f}"
        )
    return "\n".join(lines)


def _calibration(classes: dict[str, dict[str, Any]]) -> str:
    width = max(5, *map(len, classes))
    lines = [
        f"  {'class':<{width}}  occurs  predicted  log loss   Brier     ECE   slope  intercept"
    ]
    lines += [
        f"  {name:<{width}}  "
        + "  ".join(_cell(one[key], form) for key, form in CALIBRATION.items())
        for name, one in classes.items()
    ]
    return "\n".join(lines)


def _cell(value: float | None, form: str) -> str:
    return format("-", ">" + form.split(".")[0]) if value is None else format(value, form)


def _matrix(found: dict[str, Any]) -> str:
    names = list(found["classes"])
    cells = [[str(n) for n in row] for row in found["confusion_matrix"]]
    width = max(len(text) for text in [*names, *(cell for row in cells for cell in row)])
    lines = [" " * (width + 2) + "".join(f"  {name:>{width}}" for name in names)]
    for name, row in zip(names, cells, strict=True):
        lines.append(f"  {name:<{width}}" + "".join(f"  {cell:>{width}}" for cell in row))
    return "\n".join(lines)
