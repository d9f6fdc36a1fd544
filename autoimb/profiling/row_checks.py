"""What may be wrong with rows and their labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autoimb.arrays import IntArray
from autoimb.data.dataset import Dataset
from autoimb.profiling.evidence import Evidence
from autoimb.profiling.findings import Finding

__all__ = [
    "check_duplicate_rows",
    "check_few_positives",
    "check_label_conflicts",
    "check_label_noise",
]

# Half-widths of recall are .14 at 50 positives; the figure the field calls "few".
FEW_POSITIVES = 50
# Rows are called noise only where the class is not mixed with the rest as a whole.
NOISE_MAX_OVERLAP = 0.5
NOISE_MIN_AUC = 0.8


def check_few_positives(evidence: Evidence) -> Iterator[Finding]:
    """Tell when the rarest class has too few rows for sure statements."""
    n = int(evidence.is_member.sum())
    if n < FEW_POSITIVES:
        yield Finding(
            "few_positives",
            "warning",
            f"Class '{evidence.label}' has {n:,} row{'s' if n > 1 else ''}, fewer than "
            f"{FEW_POSITIVES}.",
            "Scores will move by single rows: collect more, prefer plain strategies, and do not "
            "trust small differences.",
        )


def check_label_conflicts(evidence: Evidence) -> Iterator[Finding]:
    """Find identical rows with different labels."""
    groups, y = evidence.dataset.duplicate_groups, evidence.dataset.y
    if not evidence.dataset.X.shape[1]:
        return
    lowest = np.full(evidence.dataset.n_distinct, len(evidence.dataset.class_counts))
    highest = np.full(evidence.dataset.n_distinct, -1)
    np.minimum.at(lowest, groups, y)
    np.maximum.at(highest, groups, y)
    rows = np.flatnonzero((lowest < highest)[groups])
    if len(rows):
        n_rare = int(evidence.is_member[rows].sum())
        yield Finding(
            "label_conflicts",
            "warning",
            f"{len(rows):,} rows equal a row with another label, {n_rare:,} of them of class "
            f"'{evidence.label}'.",
            "No model can tell them apart: check the labels, or add the column that would.",
            rows=_row_names(evidence.dataset, rows),
        )


def check_label_noise(evidence: Evidence) -> Iterator[Finding]:
    """Find rare rows that look like the rest to neighbours and learners alike."""
    aucs = (f"{name}_auc" for name in ("lda", "tree", "naive_bayes"))
    is_learnable = any(evidence.is_at_least(name, NOISE_MIN_AUC) for name in aucs)
    is_mixed = evidence.is_at_least("density_corrected_overlap", NOISE_MAX_OVERLAP)
    if not evidence.views or is_mixed or not is_learnable:
        return
    rows, n = evidence.views[0].suspects, int(evidence.is_member.sum())
    if not len(rows):
        return
    yield Finding(
        "label_noise",
        "warning",
        f"{len(rows):,} of the {n:,} rows of class '{evidence.label}' look like the rest: none "
        "of their neighbours is of their class, and three plain learners all rank them below "
        "the median of the rest, though the class is not mixed with it.",
        "Have somebody check these labels before anything else.",
        rows=_row_names(evidence.dataset, rows),
    )


def check_duplicate_rows(evidence: Evidence) -> Iterator[Finding]:
    """Count rows that repeat an earlier one."""
    n = len(evidence.dataset.y)
    n_copies = n - evidence.dataset.n_distinct
    if n_copies and evidence.dataset.X.shape[1]:
        yield Finding(
            "duplicate_rows",
            "note",
            f"{n_copies:,} of {n:,} rows repeat an earlier one ({n_copies / n:.1%}).",
            "Copies stay on one side of every split, so they do not flatter the scores.",
        )


def _row_names(dataset: Dataset, rows: IntArray) -> tuple[Any, ...]:
    names = rows if dataset.row_names is None else dataset.row_names[rows]
    plain = names.tolist()
    return tuple(x if isinstance(x, (int, str)) else str(x) for x in plain)
