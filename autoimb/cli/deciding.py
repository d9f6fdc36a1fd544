"""Options by which several commands are asked for a decision."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from autoimb.cli.completion import complete_decision
from autoimb.decision.asked import Asked

__all__ = ["takes_decision"]

PANEL = "Decision (by default the best value of the metric)"


def _option(
    kind: type, text: str, complete: Callable[[str], list[tuple[str, str]]] | None = None
) -> Any:
    option = typer.Option(help=text, rich_help_panel=PANEL, autocompletion=complete)
    return Annotated[kind | None, option]


OPTIONS = {
    "decision": _option(
        str, "Metric that the threshold maximises; 'metric': the one searched.", complete_decision
    ),
    "cost_fp": _option(float, "What a false alarm costs.  [default: 1, once a cost is given]"),
    "cost_fn": _option(float, "What a miss costs.  [default: 1, once a cost is given]"),
    "cost_tp": _option(float, "What a positive that is found costs.  [default: 0]"),
    "cost_tn": _option(float, "What a negative that is left alone costs.  [default: 0]"),
    "cost_column": _option(str, "Column of what missing each row costs, in place of --cost-fn."),
    "cost_matrix": _option(Path, "CSV of costs: a row per true, a column per predicted class."),
    "abstain_cost": _option(float, "What passing a row on costs: no label where that is cheaper."),
    "min_precision": _option(float, "Precision to promise, with the best recall."),
    "min_recall": _option(float, "Recall to promise, with the best precision."),
    "min_specificity": _option(float, "Specificity to promise, with the best recall."),
    "confidence": _option(float, "With which a promise is to hold.  [default: 0.9]"),
    "top_k": _option(int, "Rows of a batch that can be dealt with: those of the table predicted."),
    "top_share": _option(float, "Share of a batch that can be dealt with."),
    "threshold": _option(float, "Threshold itself, on the probability of the positive class."),
}


def takes_decision(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a decision; it takes them together, as `asked`."""

    @wraps(command)
    def run(**given: Any) -> None:
        asked = Asked(**{field.name: given.pop(field.name) for field in fields(Asked)})
        command(asked=asked, **given)

    hints = {**get_type_hints(command, include_extras=True), **OPTIONS}
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "asked"]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, kind, default=None) for name in OPTIONS]
    run.__annotations__ = {name: hints[name] for name in (*(p.name for p in own), *OPTIONS)}
    parameters = [p.replace(annotation=hints[p.name], kind=kind) for p in (*own, *added)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run
