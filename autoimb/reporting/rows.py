"""How each class fares, and which rows were predicted worst, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoimb.markup import element, escape, number, section
from autoimb.model_card.subject import with_interval
from autoimb.reporting.chart import Table
from autoimb.reporting.elements import draw_table

__all__ = ["render_classes", "render_hardest", "render_notes"]

# Of classes in the matrix: more than fit on a page are read in the table above it.
MAX_CLASSES = 15
LEFT_OUT = (
    "They are left out here, for they hold cells of the data: the report beside the model shows "
    "them, and that of autoimb report."
)


def render_classes(explanation: Mapping[str, Any]) -> str:
    """Tell of each class how it fares, and what it is taken for.

    Parameters
    ----------
    explanation : mapping
        As `Explanation.to_dict` gives it.

    Returns
    -------
    str
        HTML.
    """
    found = explanation["classes"]
    classes, matrix = found["classes"], found["confusion_matrix"]
    rows: list[tuple[str | float, ...]] = [
        (
            one["label"], one["n_rows"], one["n_predicted"],
            *(with_interval(one[rate]) for rate in ("precision", "recall", "f1")),
        )
        for one in classes
    ]  # fmt: skip
    heads = ("class", "rows", "predicted so", "precision (95 %)", "recall (95 %)", "F1 (95 %)")
    told = (
        "Counted on rows that the models had not seen, each decided by a rule that was solved on "
        "the others, as the fit decided."
    )
    parts = [element("p", told), draw_table(Table(heads, rows))]
    if len(classes) <= MAX_CLASSES:
        names = [one["label"] for one in classes]
        cells = [(f"truly {names[k]}", *row) for k, row in enumerate(matrix)]
        matrix_heads = ("", *(f"predicted {name}" for name in names))
        parts += [element("h4", "Confusion matrix"), draw_table(Table(matrix_heads, cells))]
    return section("Each class", *parts, level=3)


def render_hardest(explanation: Mapping[str, Any], row_names: str, is_shown: bool) -> str:
    """List the rows whose true class was given the lowest probability.

    Parameters
    ----------
    explanation : mapping
        As `Explanation.to_dict` gives it.
    row_names : str
        A sentence that says how rows are named.
    is_shown : bool
        Whether cells of rows may be shown.

    Returns
    -------
    str
        HTML; empty where there are none.
    """
    hardest = explanation["hardest"]
    if not hardest:
        return ""
    if not is_shown:
        return section("Hardest rows", element("p", LEFT_OUT), level=3)
    columns = list(dict.fromkeys(name for one in hardest for name in one["values"]))
    rows = [
        (
            str(one["row"]),
            one["label"],
            one["decided"] or "passed on",
            float(one["probability"]),
            *(_cell(one["values"].get(name)) for name in columns),
            _speaking(one["contributions"]),
            ", ".join(each.replace("_", " ") for each in one["findings"]),
        )
        for one in hardest
    ]
    heads = ("row", "true class", "predicted", "probability of the true class", *columns,
             "what spoke for or against", "findings")  # fmt: skip
    empty = [k for k in range(len(heads)) if k > 2 and all(row[k] == "" for row in rows)]
    kept = [k for k in range(len(heads)) if k not in empty]
    table = Table([heads[k] for k in kept], [[row[k] for k in kept] for row in rows])
    told = (
        "Rows whose true class was given the lowest probability by models that had not seen them: "
        "check whether the class that the data give is right, or what a column would have to tell. "
        f"{row_names} The cells shown are of the columns that matter most."
    )
    return section("Hardest rows", element("p", told), draw_table(table), level=3)


def render_notes(explanation: Mapping[str, Any]) -> str:
    """Tell what to beware of in reading all this, and what is missing."""
    items = "".join(
        element("li", escape(note[:1].upper() + note[1:])) for note in explanation["notes"]
    )
    return element("ul", items, "soft") if items else ""


def _cell(value: float | str | None) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else number(value)


def _speaking(contributions: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+.2f}" for name, value in contributions.items())
