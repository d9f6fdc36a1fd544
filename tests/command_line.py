"""What running a command gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# A fit of a second: three trials, nothing tracked.
QUICK = (
    "--trials", "3", "--space", "fast", "--folds", "2", "--executor", "in_process",
    "--tracking-uri", "off",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.stdout, parse_constant=_refuse)
        assert isinstance(found, dict)
        return found


Command = Callable[..., Outcome]


def but_for_resamples(told: object) -> str:
    """Leave out how sure a threshold is, which depends on the number of resamples."""
    return re.sub(r" \(95 % of resamples: [^)]*\)", "", str(told))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
