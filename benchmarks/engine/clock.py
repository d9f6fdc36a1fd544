"""CPU seconds of some methods, measured where they are called; and a fit to measure in."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoimb.data.problem import Problem
from autoimb.fitting import FitResult, Plan, fit_dataset
from autoimb.strategy.search_space import SearchSpace, import_class

METHODS = ("fit", "fit_resample", "predict_proba")
CALLERS = "autoimb.strategy."


class Clock:
    """CPU seconds inside methods of some classes; where they call each other, counted once."""

    def __init__(self) -> None:
        self.inside = 0.0
        self._depth = 0
        self._entered = 0.0

    def measure(self, owner: type, name: str, callers: str = "") -> None:
        """Measure a method from now on, where a module calls it whose name begins so."""
        method = getattr(owner, name)

        @functools.wraps(method)
        def measured(*args: Any, **kwargs: Any) -> Any:
            if self._depth == 0:
                if not sys._getframe(1).f_globals.get("__name__", "").startswith(callers):
                    return method(*args, **kwargs)
                self._entered = time.process_time()
            self._depth += 1
            try:
                return method(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.inside += time.process_time() - self._entered

        setattr(owner, name, measured)

    def outside(self) -> float:
        """Tell how many CPU seconds this process has used outside: stands still inside."""
        now = self._entered if self._depth else time.process_time()
        return now - self.inside


def clock_of_components(space: SearchSpace) -> Clock:
    """Measure the estimators and samplers of a space where a strategy is trained or predicts.

    Encoders are not among them, nor a class of the space where it calibrates or blends.
    """
    clock = Clock()
    for stage in ("model", "sampler"):
        for component in space.stages[stage]:
            found = import_class(component.class_path) if component.class_path else object
            for name in METHODS:
                if hasattr(found, name):
                    clock.measure(found, name, CALLERS)
    return clock


def fit_here(
    problem: Problem,
    folder: Path,
    space: str,
    *,
    seconds: float | None = None,
    trials: int | None = None,
    watchers: Sequence[Any] = (),
) -> FitResult:
    """Fit with every trial in this process, and with a journal as `autoimb.fit` has it."""
    plan = Plan.checked(
        metric="average_precision",
        space=space,
        time_budget=seconds,
        n_trials=trials,
        n_folds=5,
        n_jobs=1,
        seed=0,
        executor="in_process",
    )
    return fit_dataset(problem.dataset, plan, folder=folder, watchers=watchers)
