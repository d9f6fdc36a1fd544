"""What may be wrong with columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Hashable, Iterator

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.columns import MAX_LEVELS
from autoimb.profiling.evidence import Evidence
from autoimb.profiling.findings import Finding
from autoimb.profiling.landmarks import auc_half_width

__all__ = [
    "check_cardinality",
    "check_constant",
    "check_dates",
    "check_equal_columns",
    "check_identifiers",
    "check_leaks",
    "check_missing_in_one_class",
    "check_near_constant",
]

# "Outstanding" begins at .9 (Hosmer and Lemeshow 2000); one column alone is hardly ever there.
LEAK_AUC = 0.99
SURE_LEAK_AUC = 0.999
# With fewer positives some column reaches that by chance.
LEAK_MIN_POSITIVES = 10
# Of one value; caret's nearZeroVar asks for 95 %, but one row in twenty may be all the signal.
NEAR_CONSTANT = 0.99
# As in ydata-profiling.
MANY_LEVELS = 50
# By chance so few classes would hold all gaps of a column (one-sided, as with outlier tests).
GAPS_BY_CHANCE = 0.001
# ROC AUC of the time alone; .5 is no order, and what is below .6 is called poor.
DRIFT_AUC = 0.6
SAME_COLUMN = 0.999
# Columns compared with one another: more would cost more than the rest of the profile.
MAX_COMPARED = 2_000
# Integers that fill at least half of their range are numbers of rows, not quantities.
ID_FILL = 0.5
ID_MIN_ROWS = 50
ID_NAME = re.compile(r"(?i:(^|[\W_])(id|key|uuid|guid|index|row_?id|row_?number)$)|[a-z](Id|ID)$")


def check_leaks(evidence: Evidence) -> Iterator[Finding]:
    """Find columns that alone separate a class almost perfectly, by value or by being missing."""
    named: set[Hashable] = set()
    for view in evidence.views:
        size = int(evidence.dataset.class_counts[view.code])
        if size < LEAK_MIN_POSITIVES:
            continue
        by_value = np.maximum(view.auc, 1 - view.auc)
        missing = evidence.gaps[view.code] / size
        rest = len(evidence.dataset.y) - size
        missing_else = (evidence.gaps.sum(axis=0) - evidence.gaps[view.code]) / rest
        by_gaps = 0.5 + np.abs(missing - missing_else) / 2
        auc = np.maximum(by_value, by_gaps)
        for j in np.flatnonzero(auc >= LEAK_AUC):
            name = evidence.owners[j].name
            if name in named:
                continue
            named.add(name)
            label = evidence.dataset.labels.by_code[view.code]
            which = f"Column '{name}' alone" if by_value[j] == auc[j] else f"A gap in '{name}'"
            yield Finding(
                "leak_suspect",
                "critical" if auc[j] >= SURE_LEAK_AUC else "warning",
                f"{which} tells class '{label}' from the rest with a ROC AUC of "
                f"{_below_one(auc[j])}.",
                "Make sure that it is known before the label is; if not, leave it out (--drop).",
                columns=(str(name),),
            )


def check_missing_in_one_class(evidence: Evidence) -> Iterator[Finding]:
    """Find columns whose gaps all fall into one class."""
    gaps, sizes = evidence.gaps, evidence.dataset.class_counts
    total = gaps.sum(axis=0)
    suspects = np.flatnonzero((total > 0) & (gaps.max(axis=0, initial=0) == total))
    for name, j in {evidence.owners[j].name: j for j in suspects}.items():
        code = int(gaps[:, j].argmax())
        chance = (sizes[code] / sizes.sum()) ** total[j]
        # Levels beyond the most frequent ones count as missing, which says nothing here.
        if chance > GAPS_BY_CHANCE or len(evidence.owners[j].levels) >= MAX_LEVELS:
            continue
        label = evidence.dataset.labels.by_code[code]
        yield Finding(
            "missing_in_one_class",
            "warning",
            f"Column '{name}' is missing in class '{label}' only: "
            f"{total[j]:,} of its {sizes[code]:,} rows, none elsewhere.",
            "That gives the label away if cells are emptied afterwards: find out why, or leave "
            "the column out (--drop).",
            columns=(str(name),),
        )


def check_dates(evidence: Evidence) -> Iterator[Finding]:
    """Find dates that order the label."""
    n, n_features = int(evidence.is_member.sum()), 0
    for column in evidence.dataset.schema.kept:
        n_features += len(column.feature_names)
        if column.kind != "date" or not evidence.views:
            continue
        # The last feature of a date is the time that has passed.
        auc = float(evidence.views[0].auc[n_features - 1])
        strength = max(auc, 1 - auc)
        if strength - auc_half_width(strength, n, len(evidence.is_member) - n) >= DRIFT_AUC:
            when = "later" if auc > 0.5 else "earlier"
            yield Finding(
                "date_orders_label",
                "warning",
                f"Rows of class '{evidence.label}' are {when} in '{column.name}': the time alone "
                f"has a ROC AUC of {_below_one(strength)}.",
                "Folds that mix the times promise too much: let the past train and the future "
                f"test (--time {shlex.quote(str(column.name))}), or leave the column out (--drop).",
                columns=(str(column.name),),
            )


def check_identifiers(evidence: Evidence) -> Iterator[Finding]:
    """Find columns that number the rows or name each."""
    for column in evidence.dataset.schema.columns:
        if column.why_dropped.startswith("a different text"):
            yield Finding(
                "identifier",
                "note",
                f"Column '{column.name}' has a different text in nearly every row.",
                "It is left out; if it holds prose, turn it into columns first.",
                columns=(str(column.name),),
            )
    if len(evidence.dataset.y) < ID_MIN_ROWS:
        return
    for j, column in enumerate(evidence.owners):
        if column.kind != "number" or not _numbers_rows(evidence.seen[:, j]):
            continue
        if _is_identifier(evidence, j):
            yield Finding(
                "identifier",
                "warning",
                f"Column '{evidence.names[j]}' has a different whole number in every row, like an "
                "identifier.",
                "A model may learn the order of collection from it: leave it out (--drop) unless "
                "it is a quantity.",
                columns=(evidence.names[j],),
            )


def _is_identifier(evidence: Evidence, j: int) -> bool:
    """Tell a number of rows from a quantity that happens to be different everywhere."""
    cells = evidence.dataset.X[:, j]
    if not _numbers_rows(cells):
        return False
    steps = np.diff(cells)
    fills = len(cells) >= ID_FILL * (cells.max() - cells.min() + 1)
    is_sorted = (steps > 0).all() or (steps < 0).all()
    return bool(fills or is_sorted or ID_NAME.search(evidence.names[j]))


def _numbers_rows(cells: FloatArray) -> bool:
    is_whole = np.isfinite(cells).all() and (cells == np.floor(cells)).all()
    return bool(is_whole and len(np.unique(cells)) == len(cells))


def check_constant(evidence: Evidence) -> Iterator[Finding]:
    """Find columns that never change."""
    for column in evidence.dataset.schema.columns:
        if column.why_dropped.startswith("always"):
            yield Finding(
                "constant",
                "note",
                f"Column '{column.name}' is {column.why_dropped}.",
                "It is left out.",
                columns=(str(column.name),),
            )


def check_near_constant(evidence: Evidence) -> Iterator[Finding]:
    """Find columns that hardly ever change."""
    most = (1 - NEAR_CONSTANT) * len(evidence.dataset.y)
    for j, name in enumerate(evidence.names):
        cells = evidence.seen[:, j]
        usual = np.median(cells)  # not a number if cells are missing: then nothing is equal
        if evidence.owners[j].kind == "date" or (cells == usual).mean() < NEAR_CONSTANT:
            continue
        differs = evidence.dataset.X[:, j] != usual
        if differs.sum() <= most:
            n_rare, n = int((differs & evidence.is_member).sum()), int(differs.sum())
            yield Finding(
                "near_constant",
                "note",
                f"Column '{name}' has one value in all but {n:,} {'row' if n == 1 else 'rows'}, "
                f"{n_rare:,} of them of class '{evidence.label}'.",
                "It can tell about those few rows only.",
                columns=(name,),
            )


def check_cardinality(evidence: Evidence) -> Iterator[Finding]:
    """Find categories with many levels."""
    for column in evidence.dataset.schema.kept:
        n = len(column.levels)
        if n <= MANY_LEVELS:
            continue
        rows = f", {len(evidence.dataset.y) / n:.1f} rows each on average"
        size = f"{n:,} levels{rows}" if n < MAX_LEVELS else f"{n:,} levels or more"
        yield Finding(
            "high_cardinality",
            "note",
            f"Column '{column.name}' has {size}.",
            "Group rare levels, or replace them by what they stand for (region, price, …)"
            + ("." if n < MAX_LEVELS else f": beyond {MAX_LEVELS:,} they count as missing."),
            columns=(str(column.name),),
        )


def check_equal_columns(evidence: Evidence) -> Iterator[Finding]:
    """Find columns that say the same as another."""
    kinds = [column.kind for column in evidence.owners]
    places = np.array([j for j, kind in enumerate(kinds) if kind != "date"][:MAX_COMPARED])
    if len(places) < 2:
        return
    pairs = [
        (int(i), int(j))
        for i, j in _correlated(evidence.seen, places)
        if len(_correlated(evidence.dataset.X, np.array([i, j])))
    ]
    for j in dict.fromkeys(j for _, j in pairs):
        like = next(evidence.names[i] for i, other in pairs if other == j)
        yield Finding(
            "near_duplicate_columns",
            "note",
            f"Column '{evidence.names[j]}' says the same as '{like}' (correlation beyond "
            f"{SAME_COLUMN}).",
            "One of them is enough; leave the other out (--drop).",
            columns=(like, evidence.names[j]),
        )


def _correlated(X: FloatArray, places: IntArray) -> IntArray:
    """Pairs of columns, the earlier first, whose correlation is almost perfect."""
    columns = X[:, places]
    gaps = np.isnan(columns)
    # Gaps are told apart from every value, so that columns must have them in the same rows.
    lowest = np.where(gaps, np.inf, columns).min(axis=0)
    columns = np.where(gaps, np.where(np.isfinite(lowest), lowest - 1, 0.0), columns)
    columns = columns / np.maximum(np.abs(columns).max(axis=0), 1e-300)
    columns = columns - columns.mean(axis=0)
    lengths = np.linalg.norm(columns, axis=0)
    columns = columns[:, lengths > 0] / lengths[lengths > 0]
    found = np.argwhere(np.triu(np.abs(columns.T @ columns) > SAME_COLUMN, k=1))
    return np.asarray(places[lengths > 0][found])


def _below_one(auc: float) -> str:
    """Three digits that do not round up to a perfect score."""
    return "1.000" if auc == 1 else f"{min(auc, 0.999):.3f}"
