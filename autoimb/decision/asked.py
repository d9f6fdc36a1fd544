"""The decision that a command line asks for, option by option; nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Asked"]


@dataclass(frozen=True)
class Asked:
    """A decision as the options of a command ask for it; None for what was not given.

    Attributes
    ----------
    decision : str or None
        "metric", or the name of a metric.
    cost_fp, cost_fn, cost_tp, cost_tn, abstain_cost : float or None
    cost_column : str or None
    cost_matrix : Path or None
    min_precision, min_recall, min_specificity, confidence : float or None
    top_k : int or None
    top_share : float or None
    threshold : float or None
    """

    decision: str | None = None
    cost_fp: float | None = None
    cost_fn: float | None = None
    cost_tp: float | None = None
    cost_tn: float | None = None
    cost_column: str | None = None
    cost_matrix: Path | None = None
    abstain_cost: float | None = None
    min_precision: float | None = None
    min_recall: float | None = None
    min_specificity: float | None = None
    confidence: float | None = None
    top_k: int | None = None
    top_share: float | None = None
    threshold: float | None = None
