"""How a decision is asked for: by options, by objects, in files; and whether it can be had."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autoimb.decision.asked import Asked
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.errors import UsageError
from autoimb.metrics import get_metric

__all__ = [
    "criterion_from_dict", "criterion_to_dict", "read_cost_matrix", "resolve_criterion",
    "state_criterion", "state_options",
]  # fmt: skip

KINDS: dict[str, type[Criterion]] = {
    kind.__name__: kind for kind in (BestMetric, Costs, Floor, Capacity, CostMatrix, FixedThreshold)
}


# The decision that serves the metric that is searched.
THE_METRIC = "metric"
# Options that ask for a decision by themselves; those of one row belong together.
FAMILIES = (
    ("decision",),
    ("cost_fp", "cost_fn", "cost_tp", "cost_tn", "cost_column"),
    ("cost_matrix",),
    ("min_precision",),
    ("min_recall",),
    ("min_specificity",),
    ("top_k",),
    ("top_share",),
    ("threshold",),
)


def state_criterion(asked: Asked) -> Criterion | str | None:
    """Turn options into what they ask for.

    Parameters
    ----------
    asked : Asked

    Returns
    -------
    Criterion, str or None
        The name of a metric; None if nothing was asked for.

    Raises
    ------
    UsageError
        If options contradict each other or a number cannot be meant.

    Examples
    --------
    >>> str(state_criterion(Asked(cost_fn=25.0)))
    'least cost (false alarm 1, miss 25)'
    >>> state_criterion(Asked(top_k=5, min_recall=0.9))
    Traceback (most recent call last):
    ...
    autoimb.errors.UsageError: --min-recall and --top-k ask for different decisions. Give one.
    """
    given = {name: value for name, value in vars(asked).items() if value is not None}
    families = [names for names in FAMILIES if any(name in given for name in names)]
    if len(families) > 1:
        first, second = (next(n for n in names if n in given) for names in families[:2])
        raise UsageError(
            f"{_flag(first)} and {_flag(second)} ask for different decisions. Give one."
        )
    family = families[0] if families else ()
    _refuse_lonely(asked, family)
    if not family and asked.abstain_cost is None:
        return None
    if family == ("decision",):
        return asked.decision
    criterion = _make(asked, family)
    criterion.check()
    return criterion


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _refuse_lonely(asked: Asked, family: Sequence[str]) -> None:
    """Refuse options that say something only beside others."""
    if asked.confidence is not None and not (family and family[0].startswith("min_")):
        raise UsageError(
            "--confidence belongs to a floor. Give --min-precision, --min-recall or "
            "--min-specificity too, or leave it out."
        )
    if asked.abstain_cost is not None and family and not family[0].startswith("cost_"):
        raise UsageError(
            f"--abstain-cost and {_flag(family[0])} contradict each other: passing rows on is "
            "weighed by costs. Give --cost-fp and --cost-fn, or leave it out."
        )
    if asked.cost_column is not None:
        if asked.cost_fn is not None:
            raise UsageError(
                "--cost-column and --cost-fn contradict each other: the column says what a miss "
                "costs. Give one."
            )
        if asked.cost_fp is None:
            raise UsageError(
                "--cost-column needs --cost-fp: what a false alarm costs, in its unit."
            )
        if asked.abstain_cost is not None:
            raise UsageError("--abstain-cost and --cost-column cannot be combined. Give one.")


def _make(asked: Asked, family: Sequence[str]) -> Criterion:
    if asked.cost_matrix is not None:
        return replace(read_cost_matrix(asked.cost_matrix), abstain=asked.abstain_cost)
    if family and family[0].startswith("min_"):
        confidence = 0.9 if asked.confidence is None else asked.confidence
        (measure,) = (name.removeprefix("min_") for name in family)
        return Floor(measure, getattr(asked, family[0]), confidence)  # type: ignore[arg-type]
    if asked.top_k is not None or asked.top_share is not None:
        return Capacity(asked.top_k, asked.top_share)
    if asked.threshold is not None:
        return FixedThreshold(asked.threshold)
    names = ("fp", "fn", "tp", "tn")
    costs = {name: getattr(asked, f"cost_{name}") for name in names}
    costs = {name: value for name, value in costs.items() if value is not None}
    return Costs(**costs, column=asked.cost_column, abstain=asked.abstain_cost)


def state_options(criterion: Criterion, matrix: str = "costs.csv") -> list[str]:
    """Turn what a decision is asked for into the options that ask for it.

    Parameters
    ----------
    criterion : Criterion
    matrix : str
        File of a cost matrix.

    Returns
    -------
    list of str
        Options, each followed by its value.

    Examples
    --------
    >>> " ".join(state_options(Costs(fn=25.0, abstain=0.5)))
    '--cost-fp 1 --cost-fn 25 --abstain-cost 0.5'
    """
    if isinstance(criterion, BestMetric):
        given: dict[str, Any] = {"decision": criterion.name}
    elif isinstance(criterion, Floor):
        given = {f"min_{criterion.measure}": criterion.value, "confidence": criterion.confidence}
    elif isinstance(criterion, Capacity):
        given = {"top_k": criterion.k, "top_share": criterion.share}
    elif isinstance(criterion, CostMatrix):
        given = {"cost_matrix": matrix, "abstain_cost": criterion.abstain}
    elif isinstance(criterion, FixedThreshold):
        given = {"threshold": criterion.value}
    else:
        assert isinstance(criterion, Costs)
        given = _costs_given(criterion)
    stated = [(_flag(name), value) for name, value in given.items() if value is not None]
    return [part for flag, value in stated for part in (flag, str(value).removesuffix(".0"))]


def _costs_given(costs: Costs) -> dict[str, Any]:
    by_row = costs.column is not None
    return {
        "cost_fp": costs.fp,
        "cost_fn": None if by_row else costs.fn,
        "cost_tp": costs.tp or None,
        "cost_tn": costs.tn or None,
        "cost_column": costs.column,
        "abstain_cost": costs.abstain,
    }


def resolve_criterion(decision: str | Criterion | None, metric: str) -> Criterion:
    """Look up what a decision is asked for.

    Parameters
    ----------
    decision : str, Criterion or None
        None and "metric" mean the metric that is searched, other names the metric so called.
    metric : str

    Returns
    -------
    Criterion

    Raises
    ------
    UsageError
        If there is no such metric, it needs no decision, or a number cannot be meant.

    Examples
    --------
    >>> resolve_criterion("f2", "f1")
    BestMetric(name='f2')
    """
    if decision is None or decision == THE_METRIC:
        known = get_metric(metric)
        # A ranking has no decision of its own: F1's serves those who then need labels.
        return BestMetric(metric if known.needs_decision or known.floor is not None else "f1")
    if not isinstance(decision, (str, *KINDS.values())):
        raise UsageError(
            f"the decision must be the name of a metric, or one of {', '.join(KINDS)}, but got "
            f"{decision!r}."
        )
    if not isinstance(decision, str):
        decision.check()
        return decision
    if not get_metric(decision).needs_decision and get_metric(decision).floor is None:
        raise UsageError(
            f"decision '{decision}' cannot be maximised by a threshold: it scores probabilities. "
            "Name a metric of labels, such as f1, or state costs, a floor or a capacity."
        )
    return BestMetric(decision)


def read_cost_matrix(path: Path) -> CostMatrix:
    """Read a cost matrix: a header of predicted classes, then a row per true class.

    Parameters
    ----------
    path : Path
        CSV file whose first column and first line hold the labels.

    Returns
    -------
    CostMatrix

    Raises
    ------
    UsageError
        If the file cannot be read, is not square, or holds cells that are no numbers.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cost matrix {path} cannot be read ({error}).") from None
    labels = tuple(cell.strip() for cell in rows[0][1:]) if rows else ()
    names = tuple(row[0].strip() for row in rows[1:])
    if not labels or any(len(row) != len(labels) + 1 for row in rows) or len(names) != len(labels):
        raise UsageError(
            f"cost matrix {path}: {len(names)} rows for {len(labels)} columns. Give a header of "
            "labels, and for each a row that begins with it."
        )
    if sorted(labels) != sorted(names) or len(set(labels)) < len(labels):
        raise UsageError(
            f"cost matrix {path}: rows are labelled {', '.join(names)}, columns "
            f"{', '.join(labels)}. Both must name each class once."
        )
    try:
        costs = tuple(tuple(float(cell) for cell in row[1:]) for row in rows[1:])
    except ValueError as error:
        raise UsageError(f"cost matrix {path}: {error}. Every cell is a number.") from None
    by_name = dict(zip(names, costs, strict=True))
    matrix = CostMatrix(labels, tuple(by_name[label] for label in labels))
    matrix.check()
    return matrix


def criterion_to_dict(criterion: Criterion) -> dict[str, Any]:
    """Write a criterion as plain values.

    Examples
    --------
    >>> criterion_to_dict(BestMetric("f1"))
    {'kind': 'BestMetric', 'name': 'f1'}
    """
    values = asdict(criterion)  # type: ignore[call-overload]
    # As they come back from a file: lists, not tuples.
    return {"kind": type(criterion).__name__, **json.loads(json.dumps(values))}


def criterion_from_dict(written: Mapping[str, Any]) -> Criterion:
    """Read what `criterion_to_dict` wrote.

    Examples
    --------
    >>> written = criterion_to_dict(Floor("recall", 0.8))
    >>> criterion_from_dict(written) == Floor("recall", 0.8)
    True
    """
    values = dict(written)
    kind = KINDS[values.pop("kind")]
    if kind is CostMatrix:
        values["labels"] = tuple(values["labels"])
        values["costs"] = tuple(map(tuple, values["costs"]))
    return kind(**values)
