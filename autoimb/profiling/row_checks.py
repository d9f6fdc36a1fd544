"""What may be wrong with rows and their labels."""

from __future__ import annotations

from collections.abc import Iterator

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
    "name_rows",
]

# Half-widths of recall are .14 at 50 positives; the figure the field calls "few".
FEW_POSITIVES = 50
MAX_NAMED = 5
# Rows are called noise only where the class is not mixed with the rest as a whole.
NOISE_MAX_OVERLAP = 0.5
NOISE_MIN_AUC = 0.8


def check_few_positives(evidence: Evidence) -> Iterator[Finding]:
    """Tell which classes have too few rows for sure statements."""
    sizes, labels = evidence.dataset.class_counts, evidence.dataset.labels.by_code
    few = [int(c) for c in np.argsort(sizes, kind="stable") if sizes[c] < FEW_POSITIVES]
    if not few:
        return
    n = int(sizes[few[0]])
    what = f"Class '{labels[few[0]]}' has {n:,} row{'s' * (n > 1)}, fewer than {FEW_POSITIVES}."
    if len(few) > 1:
        shown = ", ".join(f"'{labels[c]}' has {sizes[c]}" for c in few[:MAX_NAMED])
        more = ", …" * (len(few) > MAX_NAMED)
        what = f"{len(few)} classes have fewer than {FEW_POSITIVES} rows: {shown}{more}."
    yield Finding(
        "few_positives",
        "warning",
        what,
        "Scores will move by single rows: collect more, prefer plain strategies, and do not "
        "trust small differences.",
    )


def check_label_conflicts(evidence: Evidence) -> Iterator[Finding]:
    """Find identical rows with different labels."""
    rows = np.flatnonzero(evidence.contradicts)
    if len(rows):
        n_rare = int(evidence.is_member[rows].sum())
        yield Finding(
            "label_conflicts",
            "warning",
            f"{len(rows):,} rows equal a row with another label, {n_rare:,} of them of class "
            f"'{evidence.label}'.",
            "No model can tell them apart: check the labels, or add the column that would.",
            rows=name_rows(evidence.dataset, rows),
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
        "of their neighbours is of their class, and three plain learners that have not seen them "
        "give them to the rest, though the class is not mixed with it.",
        "Have somebody check these labels before anything else.",
        rows=name_rows(evidence.dataset, rows),
    )


def check_duplicate_rows(evidence: Evidence) -> Iterator[Finding]:
    """Count rows that repeat an earlier one, and those that do so with another label."""
    n = len(evidence.dataset.y)
    n_copies = n - evidence.dataset.n_distinct
    if not n_copies or not evidence.dataset.X.shape[1]:
        return
    n_crossing = int(evidence.contradicts.sum())
    crossing = f"; {n_crossing:,} rows have a copy in another class" * (n_crossing > 0)
    yield Finding(
        "duplicate_rows",
        "note",
        f"{n_copies:,} of {n:,} rows repeat an earlier one ({n_copies / n:.1%}){crossing}.",
        "Copies stay on one side of every split, so they do not flatter the scores.",
    )


def name_rows(dataset: Dataset, rows: IntArray) -> tuple[int | str, ...]:
    """Name rows as they are called where they come from.

    Parameters
    ----------
    dataset : Dataset
    rows : ndarray of shape (n_rows,)
        Their places.

    Returns
    -------
    tuple of int or str
        Labels of the index, or the places themselves.
    """
    names = rows if dataset.row_names is None else dataset.row_names[rows]
    plain = names.tolist()
    return tuple(x if isinstance(x, (int, str)) else str(x) for x in plain)
