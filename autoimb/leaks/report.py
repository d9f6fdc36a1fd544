"""What the self-test found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Check", "LeakReport", "State", "counted", "shown"]

State = Literal["passed", "failed", "skipped"]
# Names of a list that are shown.
MAX_SHOWN = 3


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes
    ----------
    name : str
    state : {"passed", "failed", "skipped"}
        Skipped is what could not be tested; the finding says why.
    finding : str
        A sentence with figures.
    advice : str
        What to do about a failure.
    """

    name: str
    state: State
    finding: str
    advice: str = ""

    def __str__(self) -> str:
        """Tell it in one line."""
        return f"{self.name} {self.state}: {self.finding} {self.advice}".rstrip()


@dataclass(frozen=True)
class LeakReport:
    """What all checks found.

    Attributes
    ----------
    name : str
        How the data are called.
    n_rows, n_folds : int
    checks : tuple of Check
    seconds : float
    notes : tuple of str
        What was assumed.

    Examples
    --------
    >>> LeakReport("loans", 160, 5, (Check("units_apart", "passed", "No copy."),), 0.1).passed
    True
    """

    name: str
    n_rows: int
    n_folds: int
    checks: tuple[Check, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.state != "failed" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"passed": self.passed, **asdict(self)}

    def __str__(self) -> str:
        """Tell it, a line for each check."""
        return "\n".join(map(str, self.checks))


def counted(n: int, thing: str) -> str:
    """Say how many there are.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {thing}{'s' * (n != 1)}"


def shown(names: Iterable[str]) -> str:
    """List some names.

    Examples
    --------
    >>> shown("abcde")
    'a, b, c and 2 more'
    """
    each = list(names)
    more = f" and {len(each) - MAX_SHOWN} more" if len(each) > MAX_SHOWN else ""
    return ", ".join(each[:MAX_SHOWN]) + more
