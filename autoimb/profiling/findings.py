"""A finding: what may be wrong with the data, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["SEVERITIES", "Finding", "Severity"]

Severity = Literal["critical", "warning", "note"]
# The worst first, as findings are shown.
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """Something in the data that a person should know before trusting a model.

    Attributes
    ----------
    check : str
        Name of the check that found it.
    severity : {"critical", "warning", "note"}
        Critical: a score may be worthless. Warning: it may mislead. Note: worth knowing.
    evidence : str
        What was found, with figures.
    advice : str
        What to do.
    columns : tuple of str
        Columns it is about.
    rows : tuple of hashable
        Rows it is about: labels of the index, or places in the file counted from 0.
    """

    check: str
    severity: Severity
    evidence: str
    advice: str
    columns: tuple[str, ...] = ()
    rows: tuple[Any, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def __str__(self) -> str:
        """Tell it in one line."""
        return f"{self.severity}: {self.evidence} {self.advice}"
