"""Follow a fit: when it started to search, when its first trial was scored, what it tried."""

from __future__ import annotations

import time
from typing import Any


class Notes:
    """A watcher; the clock starts when it is made."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.seconds_to_search: float | None = None
        self.seconds_to_score: float | None = None
        self.strategies: set[str] = set()
        self.states: dict[str, int] = {}
        self.cells = 0
        self.n_workers = 0

    def started(self, dataset: Any, profile: Any, plan: Any) -> None:
        self.seconds_to_search = time.perf_counter() - self.begun
        self.cells = dataset.X.size
        self.n_workers = plan.resources(self.cells).n_workers

    def told(self, record: Any) -> None:
        if record.state == "complete" and self.seconds_to_score is None:
            self.seconds_to_score = time.perf_counter() - self.begun
        self.states[record.state] = self.states.get(record.state, 0) + 1
        self.strategies.add(str(record.configuration))

    def finished(self, result: Any) -> None:
        """Take no note: what follows is report and export."""

    def summary(self) -> dict[str, Any]:
        """Sum up what was noted, for an answer."""
        return {
            "seconds_to_search": self.seconds_to_search,
            "seconds_to_score": self.seconds_to_score,
            "trials": sum(self.states.values()),
            "states": self.states,
            "strategies": len(self.strategies),
            "cells": self.cells,
            "workers": self.n_workers,
        }


def list_states(states: dict[str, int]) -> str:
    """Say how many trials were pruned or failed."""
    others = [f"{states[name]} {name}" for name in ("pruned", "failed") if states.get(name)]
    return ", ".join(others) or "-"
